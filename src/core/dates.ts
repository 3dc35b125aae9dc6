// The user's words about time + the clock -> "YYYY-MM-DD HH:MM:SS" or "YYYY-MM-DD", in local wall-clock terms.
// The rules are those of LABELLING.md, "Dates and times". Words that mean no time give undefined, never a guess.
import {createRequire} from 'node:module'
import {addDuration, durationPattern, parseDuration} from './dates/durations.ts'
import {dateOf, findDay, midnight, weekdayBeside, weekdayOf} from './dates/days.ts'
import type {Day} from './dates/days.ts'
import {ranges} from './dates/ranges.ts'
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
const filler = /\b(?:(?:all|whole) days|(?:my|our) time|at|on|the|of|in|for|from|by|around|about|approximately|roughly|sharp|exactly|starting|beginning|early|late|breakfast|dinner|supper|lunch|tea|flight|onwards?|and|a|oclock|local time|time|due|until|before|after|through|just|shortly|soon|straight|any|sometime|some|later|as|all|whole|over|during|circa|approx|bright|brunch|this|so)\b/g
const isFiller = (rest: string): boolean => rest.replace(filler, '').replace(/[\s,.\-']/g, '') === ''

/** The start of an event, a due date: absolute, or undefined where the words mean no day and no time. */
export function resolveWhen(words: string, now: Date): When | undefined {
  const absolute = parseAbsolute(words)
  if (absolute) return absolute.when
  // A reference is no time.
  if (words.length > 200 || words.includes('$')) return undefined
  // "in five" is in five minutes
  const text = normalise(words).replace(/^in (\d{1,3})$/, 'in $1 minutes')
  if (/^(?:(?:right )?now|(?:right|straight) away|immediately|at once)$/.test(text)) return timed(now)
  // "the Friday after", "the day before": after and before what?
  if (/\b(?:before|after)$/.test(text)) return undefined
  return range(text, now)?.start ?? fromDuration(text, now) ?? beside(text, now) ?? fromRules(text, now) ?? fromChrono(words, now)
}

/** "tomorrow 3-4pm", "from Monday to Wednesday": the start, and the words of the end. */
function range(text: string, now: Date): {start: When; end: string} | undefined {
  for (const {start, end} of ranges(text)) {
    const from = fromDuration(start, now) ?? beside(start, now) ?? fromRules(start, now)
    if (from && resolveUntil(end, from.text, now)) return {start: from, end}
  }
  return undefined
}

/** The end that the words of a start tell as well ("tomorrow 3-4pm"), if any. */
export function endOf(words: string, now: Date): When | undefined {
  const found = words.length > 200 || parseAbsolute(words) ? undefined : range(normalise(words), now)
  if (!found) return undefined
  const end = resolveUntil(found.end, found.start.text, now)
  if (!end?.hasTime || found.start.hasTime) return end
  // An all-day event ends with a day.
  const day = end.text.slice(0, 10)
  return day > found.start.text ? {text: day, hasTime: false} : undefined
}

const dayParts = 'morning|afternoon|evening|night'
const besideDay = new RegExp(`^(?:on |in )?(?:the )?(?:(${dayParts})|(?:1th |last )?(${weekdays.join('|')}|weekend)) (before|after) (.+)$`)

/** "the evening before Friday", "the Monday after Easter", "after the weekend", "this time tomorrow", "the week of 7 December" */
function beside(text: string, now: Date): When | undefined {
  const m = besideDay.exec(text)
  const found = m ? findDay(m[4]!, now) : undefined
  if (m && found && found !== 'none') {
    const side = m[3] as 'before' | 'after'
    const {date} = found.day
    if (m[1]) return combine({date: midnight(date, side === 'before' ? -1 : 1)}, `${m[1]} ${found.rest}`, now)
    return combine({date: weekdayBeside(date, m[2] === 'weekend' ? 5 : weekdays.indexOf(m[2]!), side)}, found.rest, now)
  }
  const after = /^(?:(?:any|some|time|just|shortly|soon|right|straight) ?)*after (.+)$/.exec(text)?.[1]
  // A day with no time: the one after it; a weekend ends on Sunday.
  const last = after === undefined ? undefined : dayIn(after.replace('weekend', 'sunday'), now)
  if (last && !fromRules(text, now)?.hasTime) return dayOnly(midnight(last, 1))
  const sameTime = /^(?:at )?(?:the same|this) (time|days) (?:on )?(.+)$/.exec(text)
  if (sameTime) {
    const unit = /^next (weeks|months|years)$/.exec(sameTime[2]!)?.[1]
    const date = unit ? addDuration(now, parseDuration(`1 ${unit}`)!) : dayIn(sameTime[2]!, now)
    return date && (sameTime[1] === 'time' ? timed(at(date, now.getHours(), now.getMinutes())) : dayOnly(date))
  }
  const ofWeek = /^(?:the )?(?:weeks (?:of|commencing|beginning|starting)|w\/c) (.+)$/.exec(text)
  const inWeek = ofWeek ? dayIn(ofWeek[1]!, now) : undefined
  return inWeek && dayOnly(weekdayOf(inWeek, 0))
}

/** Words that are a day and no time. */
function dayIn(text: string, now: Date): Date | undefined {
  const found = resolveWhen(text, now)
  return found && !found.hasTime ? parseAbsolute(found.text)?.date : undefined
}

const relative = new RegExp(`^(?:the )?(${durationPattern}|days|weeks) (?:(before|after|from|on) |(?=(?:(?:this|next) )?(?:${weekdays.join('|')})|today|tomorrow))(.+)$`)
const inside = new RegExp(`\\b(?:in|within) (?:(?:just|exactly|about|around|approximately|roughly|over|the|next) )*(${durationPattern})(?: from now)?(?=$| )`)

/** "in 20 minutes", "two weeks from now", "the day before 3 July", "a week on Monday" */
function fromDuration(text: string, now: Date): When | undefined {
  const m = relative.exec(text)
  if (m && /^(?:now|today)\b/.test(m[3]!)) return fromDuration(`in ${m[1]}${m[3]!.replace(/^(?:now|today)/, '')}`, now)
  if (m) {
    const duration = parseDuration(m[1]!) ?? parseDuration(`1 ${m[1]}`)
    const base = resolveWhen(m[3]!, now)
    const from = base && parseAbsolute(base.text)
    // "7h30 tomorrow" is a clock.
    if (!m[2] && duration && duration.minutes > 0) return undefined
    if (!duration || !from || (duration.minutes > 0 && !base.hasTime)) return undefined
    const date = addDuration(from.date, duration, m[2] === 'before' ? -1 : 1)
    return base.hasTime ? timed(date) : dayOnly(date)
  }
  const ahead = inside.exec(text)
  const duration = ahead && parseDuration(ahead[1]!)
  if (!duration) return undefined
  const rest = text.replace(ahead[0], ' ')
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
  const text = normalise(words).replace(leadIn, '').replace(/ (?:long|later|in total)$/, '')
    // What ends on a weekend ends with it.
    .replace(/\b(?:whole )?weekend\b/, 'sunday')
  const split = range(text, from.date)
  if (split) return resolveUntil(split.end, start, now)
  if (/^(?:all|the whole) /.test(text)) return text.endsWith('days') && !from.when.hasTime ? {text: '', hasTime: false} : undefined
  const told = toldFromStart(text, from.date)
  if (told) return told
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

const leadIn = /^(?:(?:until|to|for|and|through|(?:end|finish)(?:ing|s|es)?(?! of)(?: at)?|about|around|roughly) )+/

/** "noon the next day", "the following Friday", "three nights" */
function toldFromStart(text: string, start: Date): When | undefined {
  const ofDay = `(?:days\\b|(?=${dayParts}))`
  const near = text.replace(new RegExp(`\\b(?:the )?(?:next|following) ${ofDay}`), 'tomorrow ')
    .replace(new RegExp(`\\b(?:the )?same ${ofDay}`), 'today ')
    .replace(/\b(?:the )?following /, '')
  if (near !== text) return resolveWhen(near, start)
  const nights = /^(.+) nights?$/.exec(text)?.[1]
  const stay = nights === undefined ? undefined : parseDuration(`${nights} days`)
  return stay && dayOnly(addDuration(start, stay))
}

function firstAfter(start: Date, time: Time): Date {
  const hours = time.isOpen ? [time.hour % 12, time.hour % 12 + 12] : [time.hour]
  const candidates = [0, 1].flatMap(days => hours.map(hour => at(midnight(start, days), hour, time.minute)))
  return candidates.find(c => c > start) ?? at(midnight(start, 1), time.hour, time.minute)
}
