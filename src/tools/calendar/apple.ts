// Events in the Mac's own Calendar. Invitees stand in the event's notes and not in its list of attendees: some accounts' servers invite those by
// themselves, and the mail family invites them already.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneAtATime} from '../../core/one-at-a-time.ts'
import {oneLine} from '../../core/text.ts'
import {checkRemoval, nameIn, removal} from '../app-items.ts'
import {claims} from '../claims.ts'
import {osascript, type Mac, type Script} from '../apple/osascript.ts'
import type {CalendarBackend, CalendarEntry, NewEvent} from './calendar.ts'
import {plainLine, plainText} from './ical.ts'
import {bare} from './vdir-calendar.ts'
import {absolute, atTime} from './when.ts'

const listed = z.array(z.object({name: z.string(), writable: z.boolean()}))
const list: Script = {app: 'Calendar', source: String.raw`
function main() {
  const {calendars} = Application('Calendar')
  const writable = calendars.writable()
  return calendars.name().map((name, i) => ({name, writable: writable[i]}))
}
`}

/** What is compared before an event is taken back. */
const seen = String.raw`
const seen = e => JSON.stringify([e.summary(), e.location() || '', e.description() || '', ms(e.startDate()), ms(e.endDate()), e.alldayEvent(), e.recurrence() || ''])
`

const token = z.object({id: z.string().min(1), seen: z.string()})
const create: Script = {app: 'Calendar', isChange: true, source: seen + String.raw`
function main({calendar, title, location, notes, startMs, endMs, startDay, endDay}) {
  const app = Application('Calendar')
  let into = app.calendars().find(c => same(c.name(), calendar) && c.writable())
  if (!into) {
    into = app.Calendar({name: calendar})
    app.calendars.push(into)
  }
  const isDay = startDay !== null
  // The end of the last day: as an instant it is in that day, whether ends count or not.
  const end = isDay ? midnight(endDay) : new Date(endMs)
  if (isDay) end.setHours(23, 59, 59)
  const properties = {summary: title, startDate: isDay ? midnight(startDay) : new Date(startMs), endDate: end, alldayEvent: isDay}
  if (location) properties.location = location
  if (notes) properties.description = notes
  const event = app.Event(properties)
  into.events.push(event)
  made()
  return {id: event.uid(), seen: seen(event)}
}
`}

const find: Script = {app: 'Calendar', source: seen + String.raw`
function main({title, startMs, since}) {
  const start = new Date(startMs)
  return Application('Calendar').calendars().filter(c => c.writable()).flatMap(c => c.events.whose({startDate: start})())
    .filter(e => e.summary() === title && ms(e.stampDate()) >= since).map(e => ({id: e.uid(), seen: seen(e)}))
}
`}

const remove: Script = {app: 'Calendar', isChange: true, source: seen + String.raw`
function main(token) {
  const app = Application('Calendar')
  const event = app.calendars().map(c => c.events.byId(token.id)).find(e => e.exists())
  if (!event) return 'gone'
  if (seen(event) !== token.seen) return 'changed'
  app.delete(event)
  return 'removed'
}
`}

const found = z.array(z.object({uid: z.string(), title: z.string(), location: z.string(), calendar: z.string(), startMs: z.number(), endMs: z.number(), isDay: z.boolean()}))
/** Property by property, since each question costs an Apple event. */
const between: Script = {app: 'Calendar', source: String.raw`
function main({from, to}) {
  return Application('Calendar').calendars().flatMap(c => {
    const some = c.events.whose({_and: [{startDate: {_lessThan: new Date(to)}}, {endDate: {_greaterThan: new Date(from)}}]})
    const [ids, titles, places, starts, ends, days] = [some.uid(), some.summary(), some.location(), some.startDate(), some.endDate(), some.alldayEvent()]
    const calendar = c.name()
    return ids.map((uid, i) => ({uid, title: titles[i] || '', location: places[i] || '', calendar, startMs: ms(starts[i]), endMs: ms(ends[i] || starts[i]), isDay: days[i]}))
  })
}
`}

const claimed = z.object({title: z.string(), startMs: z.number()})

/** `dir`: where it is written down what was handed to the app. `usual`: the calendar that gets what names none; '' is the first that can be written. */
export function openAppleCalendar(dir: string, {usual = '', ...mac}: Mac & {usual?: string} = {}): CalendarBackend {
  const ask = osascript(mac)
  const claim = claims(dir, 'Calendar')
  const inTurn = oneAtATime()
  const calendar = async (name: string): Promise<{name: string; exists: boolean}> => {
    const writable = listed.parse(await ask(list, {})).filter(c => c.writable).map(c => c.name)
    const wanted = plainLine(name) || usual
    if (wanted === '') {
      if (writable[0] === undefined) throw new ToolError('not-found', 'Calendar has no calendar that can be written. Make one there.')
      return {name: writable[0], exists: true}
    }
    return nameIn(writable, wanted, bare)
  }
  return {
    calendar,
    create: async (event, uid, _now, {signal} = {}) => {
      const {start, end} = event
      const title = plainLine(event.title)
      const {undo} = await claim.once(uid, {title, startMs: start.at.getTime()}, () => inTurn(async () => ({
        undo: token.parse(await ask(create, {
          calendar: (await calendar(event.calendar)).name, title, location: plainLine(event.location), notes: notesOf(event),
          startMs: start.at.getTime(), endMs: end.at.getTime(), startDay: start.time ? null : start.day, endDay: start.time ? null : end.day,
        }, signal)),
      })))
      return {where: undo.id, undo}
    },
    made: (uid, signal) => claim.made(
      uid,
      async (what, since) => z.array(token).parse(await ask(find, {...claimed.parse(what), since}, signal)),
      what => `Calendar has several '${oneLine(claimed.parse(what).title)}' at that time. Look which one is too many.`,
    ),
    remove: async (undo, signal) => {
      const {data: made} = token.safeParse(undo)
      if (!made) throw new ToolError('refused', 'The journal does not say which event to take back.')
      checkRemoval(removal.parse(await ask(remove, made, signal)), 'event', 'Calendar')
    },
    events: async (from, to) => {
      const events = found.parse(await ask(between, {from: from.getTime(), to: to.getTime()})).map(({startMs, endMs, isDay, ...entry}): CalendarEntry => {
        const start = atTime(new Date(startMs))
        // The last day's end, or the beginning of the next.
        const end = atTime(new Date(isDay ? Math.max(startMs, endMs - 1_000) : endMs))
        return {...entry, start: isDay ? start.day : absolute(start), end: isDay ? end.day : absolute(end)}
      })
      return events.sort((a, b) => a.start < b.start ? -1 : a.start > b.start ? 1 : a.title.localeCompare(b.title))
    },
  }
}

const notesOf = ({notes, invitees}: NewEvent): string =>
  [plainText(notes), invitees.length > 0 ? `Invited: ${invitees.join(', ')}` : ''].filter(Boolean).join('\n\n')
