// Calendars of iCalendar items: files in a vdir (khal, vdirsyncer and every CalDAV client behind it read them), or a CalDAV server.
import ICAL from 'ical.js'
import {itemOf, type ItemStore} from '../item-store.ts'
import {Vdir, uidOf, type Warn} from '../vdir.ts'
import type {CalendarBackend, CalendarEntry} from './calendar.ts'
import {eventItem} from './event.ts'
import {icalItems, icalText, textOf, whenOf} from './ical.ts'
import {absolute, addDays, type When} from './when.ts'

const defaultCalendar = 'personal'

/** How many times a repeating event is looked at before we give up: a daily one since 1970 is 20,000. */
const maxOccurrences = 50_000

/** The calendars in `dir`, a sub-folder each. */
export const openVdirCalendar = (dir: string, warn?: Warn): CalendarBackend => openStoredCalendar(new Vdir(dir, '.ics', warn))

export function openStoredCalendar(vdir: ItemStore): CalendarBackend {
  const calendar = async (name: string): Promise<{name: string; exists: boolean}> => {
    const wanted = name.trim()
    const existing = await (wanted ? vdir.find(wanted) : vdir.usual?.()) ?? await vdir.find(wanted || defaultCalendar)
    if (existing) return {name: existing.name, exists: true}
    if (wanted) return bare(wanted) ? calendar(bare(wanted)) : {name: wanted, exists: false}
    const all = await vdir.collections()
    const only = all.length === 1 ? all[0] : undefined // a calendar of the user's own, of whatever name
    return only ? {name: only.name, exists: true} : {name: defaultCalendar, exists: false}
  }
  return {
    calendar,
    create: async (event, uid, now, {organizer, signal} = {}) => {
      const collection = await vdir.findOrMake((await calendar(event.calendar)).name, signal)
      const {path, hash} = await vdir.create(collection.folder, uidOf(uid), icalText(eventItem(event, uid, now, organizer)), signal)
      return {where: path, undo: {path, hash}}
    },
    made: async (uid, signal) => {
      const found = await itemOf(vdir, uidOf(uid), signal)
      return found && {undo: {...found}}
    },
    remove: async (undo, signal) => vdir.takeBack(undo, signal),
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
export function bare(name: string): string {
  const rest = name.replace(/^(?:my|the|our) /i, '').replace(/ calendar$/i, '').trim()
  return rest === name ? '' : rest
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
    const lengthMs = event.duration.toSeconds() * 1000
    for (let n = 0, next = dates.next() as ICAL.Time | undefined; next && n < maxOccurrences; n++, next = dates.next() as ICAL.Time | undefined) {
      const {at} = whenOf(next)
      if (at >= to) break
      if (changed.length === 0 && at.getTime() + lengthMs < from.getTime()) continue
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
