// iCalendar by ical.js (RFC 5545), and what it leaves to its callers: text that can't end a line, and times.
//
// Times are written in UTC. Our items do not recur, so the instant says all: khal, todoman, phones and invitees each show
// it in their own zone, and it needs no VTIMEZONE. A floating time would be another instant for an invitee elsewhere and
// after a journey. Whole days are DATE values, which have no zone.
import ICAL from 'ical.js'
import {atTime, type When} from './when.ts'

/** Line ends become \n, which ical.js escapes; a bare CR, NEL or U+2028 would end a line in some readers, other
 * controls are not allowed in text (RFC 5545, 3.1), nor is half of a surrogate pair in UTF-8. */
export const plainText = (text: string): string =>
  text.replace(/\p{Surrogate}/gu, '\ufffd').replace(/\r\n?|[\u0085\u2028\u2029\v\f]/g, '\n').replace(/[\u0000-\u0008\u000e-\u001f\u007f-\u009f]/g, '')

/** As `plainText`, for titles and parameters: on one line. */
export const plainLine = (text: string): string => plainText(text).replace(/\s+/g, ' ').trim()

/** The value of DTSTART, DTEND or DUE. */
export function icalTime(when: When): ICAL.Time {
  return when.time ? ICAL.Time.fromJSDate(when.at, true) : ICAL.Time.fromDateString(when.day)
}

/** A time of any program's item as local time; a floating one is local already. */
export function whenOf(time: ICAL.Time): When {
  if (!time.isDate) return atTime(time.toJSDate())
  const day = time.toString().slice(0, 10)
  return {day, at: new Date(time.year, time.month - 1, time.day)}
}

/** A zone by its IANA name, for files that use one without describing it (RFC 7809, 3.1.1); ical.js would take its times for local ones. */
class SystemZone extends ICAL.Timezone {
  readonly #clock: Intl.DateTimeFormat
  constructor(name: string) {
    super({tzid: name})
    this.#clock = new Intl.DateTimeFormat('en-US', {
      timeZone: name, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
    })
  }

  /** In seconds, at a time on that zone's clocks. */
  override utcOffset(time: ICAL.Time): number {
    const wall = Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second)
    const offsetAt = (ms: number): number => {
      const at = Object.fromEntries(this.#clock.formatToParts(ms).map(({type, value}) => [type, Number(value)]))
      return Date.UTC(at['year']!, at['month']! - 1, at['day'], at['hour'], at['minute'], at['second']) - ms
    }
    // Right but for the hour of a change, where a clock's time is there twice or not at all.
    return offsetAt(wall - offsetAt(wall)) / 1000
  }
}

function knowZone(name: string): void {
  if (ICAL.TimezoneService.has(name)) return
  try {
    ICAL.TimezoneService.register(new SystemZone(name), name)
  } catch { /* no such zone: its times are taken for local ones, as without a zone */ }
}

export const stamp = (now: Date): ICAL.Time => ICAL.Time.fromJSDate(now, true)

/** One item in a VCALENDAR, as text. */
export function icalText(item: ICAL.Component, method?: string): string {
  const calendar = new ICAL.Component('vcalendar')
  calendar.addPropertyWithValue('version', '2.0')
  calendar.addPropertyWithValue('prodid', '-//tinyagent//tinyagent//EN')
  if (method) calendar.addPropertyWithValue('method', method)
  calendar.addSubcomponent(item)
  return `${calendar.toString()}\r\n`
}

/** The items of one kind in a file, with the time zones that the file brings, or else the system's. Throws for what is not iCalendar. */
export function icalItems(text: string, kind: 'vevent' | 'vtodo'): ICAL.Component[] {
  for (const [, name = ''] of text.matchAll(/;TZID="?([^":;,\r\n]+)/g)) knowZone(name)
  return new ICAL.Component(ICAL.parse(text) as unknown[]).getAllSubcomponents(kind) // parse returns one jCal array for one VCALENDAR
}

export const textOf = (item: ICAL.Component, property: string): string => {
  const value = item.getFirstPropertyValue(property)
  return value === null ? '' : String(value)
}
