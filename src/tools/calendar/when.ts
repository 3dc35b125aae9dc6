// Absolute dates as the date resolver writes them: "YYYY-MM-DD" is a whole day, "YYYY-MM-DD HH:MM:SS" a local time.
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'

/** A day, or a point in local time. `at` is its beginning in the system's time zone. */
export interface When { day: string; time?: string; at: Date }

const pattern = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?$/

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const two = (n: number): string => String(n).padStart(2, '0')

/** What `sayWhen` says, so that a field of a preview can be edited as it stands. */
const spoken = /^(?:[A-Z][a-z]{2} )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4})(?:, (\d\d:\d\d(?::\d\d)?))?$/

function fromSpoken(text: string): string {
  const match = spoken.exec(text)
  const month = months.indexOf(match?.[2] ?? '') + 1
  if (!match || month === 0) return text
  return `${match[3]}-${two(month)}-${two(Number(match[1]))}${match[4] ? ` ${match[4]}` : ''}`
}

/** Reads an absolute date; throws 'invalid-args' naming `what` for words and for days that don't exist. */
export function parseWhen(text: string, what: string): When {
  const match = pattern.exec(fromSpoken(text.trim()))
  const wrong = () => new ToolError('invalid-args', `The ${what} "${oneLine(text)}" was not understood. Say a day and, if it has one, a time, such as "3 March at 15:00".`)
  if (!match) throw wrong()
  const [year, month, day, hour, minute, second] = match.slice(1).map(part => Number(part ?? 0)) as [number, number, number, number, number, number] // six groups
  const at = new Date(year, month - 1, day, hour, minute, second)
  at.setFullYear(year) // years below 100 are not 19xx
  if (at.getMonth() !== month - 1 || at.getDate() !== day || hour > 23 || minute > 59 || second > 59) throw wrong()
  return match[4] === undefined ? {day: localDay(at), at} : atTime(at)
}

const localDay = (d: Date): string => `${String(d.getFullYear()).padStart(4, '0')}-${two(d.getMonth() + 1)}-${two(d.getDate())}`

/** The local day and time of an instant. */
export const atTime = (at: Date): When => ({day: localDay(at), time: `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`, at})

/** The day `days` after a day; by the calendar, so that a change of the clocks doesn't matter. */
export function addDays(when: When, days: number): When {
  const at = new Date(when.at.getFullYear(), when.at.getMonth(), when.at.getDate() + days)
  return {day: localDay(at), at}
}

export const addMinutes = (when: When, minutes: number): When => atTime(new Date(when.at.getTime() + minutes * 60_000))

/** "2026-03-04" or "2026-03-04 08:40:00": what `parseWhen` reads. */
export const absolute = (when: When): string => when.time ? `${when.day} ${when.time}` : when.day

/** "Wed 4 Mar 2026", with ", 08:40" where there is a time. */
export function sayWhen(when: When): string {
  const day = `${weekdays[when.at.getDay()]} ${when.at.getDate()} ${months[when.at.getMonth()]} ${when.at.getFullYear()}`
  return when.time ? `${day}, ${clock(when)}` : day
}

const clock = (when: When): string => (when.time ?? '').replace(/:00$/, '')

/** "on Wed 4 Mar 2026, 08:40 to 09:40"; of whole days both ends count: "from Wed 4 Mar 2026 to Fri 6 Mar 2026". */
export function saySpan(start: When, end: When): string {
  if (start.time && end.time) return `on ${sayWhen(start)} to ${end.day === start.day ? clock(end) : sayWhen(end)}`
  return start.day === end.day ? `on ${sayWhen(start)}` : `from ${sayWhen(start)} to ${sayWhen(end)}`
}
