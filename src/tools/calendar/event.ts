// An event as iCalendar: what is stored, and what invitees get.
import ICAL from 'ical.js'
import {uidOf} from '../vdir.ts'
import type {NewEvent, Person} from './calendar.ts'
import {icalText, icalTime, plainLine, plainText, stamp} from './ical.ts'
import {addDays} from './when.ts'

/** The VEVENT of an event; `uid` is the journal's key, so that a second try finds the first. */
export function eventItem(event: NewEvent, uid: string, now: Date, organizer?: Person): ICAL.Component {
  const item = new ICAL.Component('vevent')
  item.addPropertyWithValue('uid', uidOf(uid))
  item.addPropertyWithValue('dtstamp', stamp(now))
  item.addPropertyWithValue('summary', plainLine(event.title))
  item.addPropertyWithValue('dtstart', icalTime(event.start))
  // Of whole days DTEND is the day after the last (RFC 5545, 3.6.1).
  item.addPropertyWithValue('dtend', icalTime(event.end.time ? event.end : addDays(event.end, 1)))
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
