// The user's words about time + the clock -> "YYYY-MM-DD HH:MM:SS" or "YYYY-MM-DD", in local wall-clock terms.
// The rules are those of LABELLING.md, "Dates and times". Words that mean no time give undefined, never a guess.
import {createRequire} from 'node:module'
import {addDuration, durationPattern, parseDuration} from './dates/durations.ts'
import {dateOf, findDay, midnight, weekdayOf} from './dates/days.ts'
import type {Day} from './dates/days.ts'
import {daytimeHour, findTime} from './dates/times.ts'
import type {Time} from './dates/times.ts'
import {normalise, weekdays} from './dates/words.ts'

export interface When { text: string; hasTime: boolean }

const two = (n: number): string => String(n).padStart(2, '0')
const dayText = (d: Date): string => `${String(d.getFullYear()).padStart(4, '0')}-${two(d.getMonth() + 1)}-${two(d.getDate())}`
const dayOnly = (d: Date): When => ({text: dayText(d), hasTime: false})
const timed = (d: Date): When => ({text: `${dayText(d)} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`, hasTime: true})

const absolutePattern = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/

/** An absolute date or time, put into our form; undefined for words and for days that do not exist. */
export function parseAbsolute(text: string): {date: Date; when: When} | undefined {
  const m = absolutePattern.exec(text.trim())
  if (!m) return undefined
  const day = dateOf(Number(m[1]), Number(m[2]) - 1, Number(m[3]))
  if (!day) return undefined
  if (m[4] === undefined) return {date: day, when: dayOnly(day)}
  if (Number(m[4]) > 23 || Number(m[5]) > 59 || Number(m[6] ?? 0) > 59) return undefined
  const date = m[7] ? new Date(text.trim().replace(' ', 'T')) : at(day, Number(m[4]), Number(m[5]), Number(m[6] ?? 0))
  return {date, when: timed(date)}
}

const at = (day: Date, hour: number, minute: number, second = 0): Date =>
  new Date(day.getFullYear(), day.getMonth(), day.getDate(), hour, minute, second)

/** Words that may stand around a day and a time and say nothing about which. */
const filler = /\b(?:at|on|the|of|in|for|from|by|around|about|approximately|roughly|sharp|exactly|starting|beginning|early|late|breakfast|dinner|supper|lunch|flight|and|a|oclock|local time|time|due|until|before|this|so)\b/g
const isFiller = (rest: string): boolean => rest.replace(filler, '').replace(/[\s,.\-']/g, '') === ''

/** The start of an event, a due date: absolute, or undefined where the words mean no day and no time. */
export function resolveWhen(words: string, now: Date): When | undefined {
  const absolute = parseAbsolute(words)
  if (absolute) return absolute.when
  // A reference is no time.
  if (words.length > 200 || words.includes('$')) return undefined
  const text = normalise(words)
  if (/^(?:right )?now$/.test(text)) return timed(now)
  return fromDuration(text, now) ?? fromRules(text, now) ?? fromChrono(words, now)
}

const relative = new RegExp(`^(?:the )?(${durationPattern}|days|weeks) (?:(before|after|from|on) |(?=today|tomorrow|${weekdays.join('|')}))(.+)$`)
const inside = new RegExp(`\\b(?:in|within) (${durationPattern})(?: from now)?(?=$| )`)

/** "in 20 minutes", "two weeks from now", "the day before 3 July", "a week on Monday" */
function fromDuration(text: string, now: Date): When | undefined {
  const m = relative.exec(text)
  if (m && /^(?:now|today)\b/.test(m[3]!)) return fromDuration(`in ${m[1]}${m[3]!.replace(/^(?:now|today)/, '')}`, now)
  if (m) {
    const duration = parseDuration(m[1]!) ?? parseDuration(`1 ${m[1]}`)
    const base = resolveWhen(m[3]!, now)
    const from = base && parseAbsolute(base.text)
    if (!duration || !from || (duration.minutes > 0 && !base.hasTime)) return undefined
    const date = addDuration(from.date, duration, m[2] === 'before' ? -1 : 1)
    return base.hasTime ? timed(date) : dayOnly(date)
  }
  const ahead = inside.exec(text)
  const duration = ahead && parseDuration(ahead[1]!)
  if (!duration) return undefined
  const rest = text.replace(inside, ' ')
  // "in two hours" counts from now, "in two weeks" is a day.
  if (duration.minutes > 0) return isFiller(rest) ? timed(addDuration(now, duration)) : undefined
  const date = addDuration(now, duration)
  // "Monday in two weeks" is in the week that is two weeks away.
  const weekday = duration.days % 7 === 0 ? weekdays.findIndex(w => rest.includes(w)) : -1
  if (weekday >= 0) return combine({date: weekdayOf(date, weekday)}, rest.replace(weekdays[weekday]!, ' '), now)
  return combine({date: midnight(date)}, rest, now)
}

function fromRules(text: string, now: Date): When | undefined {
  const found = findDay(text, now)
  if (!found) return undefined
  return found === 'none' ? combine(undefined, text, now) : combine(found.day, found.rest, now)
}

/** The day and the time that is in the rest of the words. */
function combine(day: Day | undefined, words: string, now: Date): When | undefined {
  const found = findTime(words)
  if (!found) return undefined
  if (found === 'none') return day && isFiller(words) ? dayOnly(day.date) : undefined
  if (!isFiller(found.rest)) return undefined
  return timed(moment(day, found.time, now))
}

function moment(day: Day | undefined, time: Time, now: Date): Date {
  const hour = time.isOpen ? daytimeHour(time.hour) : time.hour
  const on = (date: Date, h = hour): Date => at(midnight(date, time.isNextDay ? 1 : 0), h, time.minute)
  if (!day) {
    // "A time with no day is today when it is still to come, else tomorrow."
    const today = on(now)
    return today > now || time.isToday ? today : on(midnight(now, 1))
  }
  const date = on(day.date)
  if (date > now) return date
  if (day.later) return on(day.later)
  // "today at 8", said at noon, can only be in the evening.
  if (day.isToday && time.isOpen && on(day.date, time.hour % 12 + 12) > now) return on(day.date, time.hour % 12 + 12)
  return date
}

/** What our rules do not know, chrono-node may; it must have read all the words. Loaded (150 ms) only then. */
function fromChrono(words: string, now: Date): When | undefined {
  if (!/\d|\p{L}{3}/u.test(words)) return undefined
  const chrono = createRequire(import.meta.url)('chrono-node') as typeof import('chrono-node')
  const [result, ...others] = chrono.en.GB.parse(words, now, {forwardDate: true})
  if (!result || others.length > 0 || result.end) return undefined
  if (!isFiller(normalise(words.replace(result.text, ' ')))) return undefined
  const date = result.date()
  return result.start.isCertain('hour') ? timed(date) : dayOnly(date)
}

/**
 * The end of what starts at `start` (absolute): a time, a date, a length of time, or "" for none.
 * A time with no day is the first one after the start. Undefined where the words mean no end.
 */
export function resolveUntil(words: string, start: string, now: Date): When | undefined {
  if (words.trim() === '') return {text: '', hasTime: false}
  const absolute = parseAbsolute(words)
  if (absolute) return absolute.when
  const from = parseAbsolute(start)
  if (!from || words.length > 200) return undefined
  const text = normalise(words).replace(/^(?:until|to|for|ends?(?: at)?|about|around) /, '').replace(/ (?:long|in total)$/, '')
  // "15h to 16h" is a clock, "2h" a length.
  const duration = /^[12]\d ?h(?: ?[0-5]\d)?$/.test(text) ? undefined : parseDuration(text)
  if (duration) {
    if (from.when.hasTime) return timed(addDuration(from.date, duration))
    // Hours of an all-day event say nothing; "three days" from Monday end on Wednesday.
    return duration.days + duration.months > 0 ? dayOnly(midnight(addDuration(from.date, duration), -1)) : {text: '', hasTime: false}
  }
  if (findDay(text, now) === 'none') {
    const found = findTime(text)
    if (found && found !== 'none' && isFiller(found.rest)) return timed(firstAfter(from.date, found.time))
  }
  // A day: from today on, or where that is before the start ("Sunday" of an event in two weeks), from the start on.
  const end = resolveWhen(text, now)
  return end && end.text < start.slice(0, end.text.length) ? resolveWhen(text, from.date) : end
}

function firstAfter(start: Date, time: Time): Date {
  const hours = time.isOpen ? [time.hour % 12, time.hour % 12 + 12] : [time.hour]
  const candidates = [0, 1].flatMap(days => hours.map(hour => at(midnight(start, days), hour, time.minute)))
  return candidates.find(c => c > start) ?? at(midnight(start, 1), time.hour, time.minute)
}
