// Calendars as iCalendar files in a vdir: khal, vdirsyncer and every CalDAV client behind it read them.
import ICAL from 'ical.js'
import type {Json} from '../../core/types.ts'
import {Vdir, uidOf, type Warn} from '../vdir.ts'
import {exclusiveEnd, type CalendarBackend, type CalendarEntry, type NewEvent, type Person} from './calendar.ts'
import {icalItems, icalText, icalTime, plainLine, plainText, stamp, textOf, whenOf} from './ical.ts'
import {absolute, addDays, type When} from './when.ts'

const defaultCalendar = 'personal'

/** How many times a repeating event is looked at before we give up: a daily one since 1970 is 20,000. */
const maxOccurrences = 50_000

/** The calendars in `dir`, a sub-folder each. */
export function openVdirCalendar(dir: string, warn?: Warn): CalendarBackend {
  const vdir = new Vdir(dir, '.ics', warn)
  const calendar = async (name: string) => {
    const wanted = name.trim()
    const existing = await vdir.find(wanted || defaultCalendar)
    if (existing) return {name: existing.name, exists: true}
    if (wanted) return bare(wanted) ? calendar(bare(wanted)) : {name: wanted, exists: false}
    const all = await vdir.collections()
    const only = all.length === 1 ? all[0] : undefined // a calendar of the user's own, of whatever name
    return only ? {name: only.name, exists: true} : {name: defaultCalendar, exists: false}
  }
  return {
    calendar,
    create: async (event, uid, now) => {
      const collection = await vdir.findOrMake((await calendar(event.calendar)).name)
      const {path, hash} = await vdir.create(collection.folder, uidOf(uid), icalText(eventItem(event, uid, now)))
      return {where: path, undo: {path, hash}}
    },
    remove: async (undo: Json) => vdir.takeBack(undo),
    events: async (from, to) => {
      const found: CalendarEntry[] = []
      for await (const {path, text, collection} of vdir.items()) {
        try {
          found.push(...occurrences(text, collection, from, to))
        } catch (error) {
          vdir.warn(path, error)
        }
      }
      return found.sort((a, b) => a.start < b.start ? -1 : a.start > b.start ? 1 : a.title.localeCompare(b.title))
    },
  }
}

/** "my work calendar" is the calendar "work"; '' where there is nothing to take off. */
function bare(name: string): string {
  const rest = name.replace(/^(?:my|the|our) /i, '').replace(/ calendar$/i, '').trim()
  return rest === name ? '' : rest
}

/** The VEVENT of an event; `uid` is the journal's key, so that a second try finds the first. */
export function eventItem(event: NewEvent, uid: string, now: Date, organizer?: Person): ICAL.Component {
  const item = new ICAL.Component('vevent')
  item.addPropertyWithValue('uid', uidOf(uid))
  item.addPropertyWithValue('dtstamp', stamp(now))
  item.addPropertyWithValue('summary', plainLine(event.title))
  item.addPropertyWithValue('dtstart', icalTime(event.start))
  item.addPropertyWithValue('dtend', icalTime(exclusiveEnd(event)))
  if (event.location) item.addPropertyWithValue('location', plainLine(event.location))
  if (event.notes) item.addPropertyWithValue('description', plainText(event.notes))
  if (organizer) {
    const property = item.addPropertyWithValue('organizer', `mailto:${organizer.address}`)
    if (organizer.name) property.setParameter('cn', plainLine(organizer.name))
  }
  for (const address of event.invitees) {
    const property = item.addPropertyWithValue('attendee', `mailto:${address}`)
    property.setParameter('role', 'REQ-PARTICIPANT')
    property.setParameter('partstat', 'NEEDS-ACTION')
    property.setParameter('rsvp', 'TRUE')
  }
  return item
}

/** RFC 5546, 3.2.2: what an invitee's program reads as an invitation to the event of that UID. */
export function invitationText(event: NewEvent, uid: string, now: Date, organizer: Person | undefined): string {
  const item = eventItem(event, uid, now, organizer)
  item.addPropertyWithValue('sequence', 0)
  return icalText(item, 'REQUEST')
}

function occurrences(text: string, calendar: string, from: Date, to: Date): CalendarEntry[] {
  const items = icalItems(text, 'vevent')
  const changed = items.filter(item => item.hasProperty('recurrence-id'))
  return items.filter(item => !item.hasProperty('recurrence-id')).flatMap(item => {
    const event = new ICAL.Event(item, {exceptions: changed})
    if (!event.startDate) return []
    if (!event.isRecurring()) return inRange(event, event.startDate, event.endDate, calendar, from, to)
    const found: CalendarEntry[] = []
    const dates = event.iterator()
    for (let n = 0, next = dates.next() as ICAL.Time | undefined; next && n < maxOccurrences; n++, next = dates.next() as ICAL.Time | undefined) {
      if (whenOf(next).at >= to) break
      const {item: one, startDate, endDate} = event.getOccurrenceDetails(next)
      found.push(...inRange(one, startDate, endDate, calendar, from, to))
    }
    return found
  })
}

function inRange(event: ICAL.Event, startDate: ICAL.Time, endDate: ICAL.Time, calendar: string, from: Date, to: Date): CalendarEntry[] {
  const start = whenOf(startDate)
  const end = whenOf(endDate)
  const isOver = end.at <= from && !(end.at.getTime() === start.at.getTime() && start.at >= from)
  if (isOver || start.at >= to || textOf(event.component, 'status') === 'CANCELLED') return []
  return [{uid: event.uid, title: event.summary ?? '', start: absolute(start), end: absolute(lastDay(start, end)), location: event.location ?? '', calendar}]
}

const lastDay = (start: When, end: When): When => end.time || end.day <= start.day ? end : addDays(end, -1)
