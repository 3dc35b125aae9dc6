// The day in the user's words (LABELLING.md, "Dates and times"). Every rule takes normalised words.
import {months, weekdays} from './words.ts'

/** Days are local midnights. `later` is meant where `date` is today and its time has gone by. */
export interface Day { date: Date; later?: Date; isToday?: boolean }

export interface Found { day: Day; rest: string }

/** The weekday (0 is Monday) of the week that `d` is in. */
export const weekdayOf = (d: Date, day: number): Date => midnight(mondayOf(d), day)

/** The nearest such weekday after a day, or before it. */
export const weekdayBeside = (d: Date, day: number, side: 'before' | 'after'): Date => {
  const ahead = (day - (d.getDay() + 6) % 7 + 7) % 7
  return midnight(d, side === 'before' ? ahead - 7 : ahead || 7)
}

export const midnight = (d: Date, plusDays = 0): Date => new Date(d.getFullYear(), d.getMonth(), d.getDate() + plusDays)

/** Weeks begin on Monday. */
const mondayOf = (d: Date): Date => midnight(d, -((d.getDay() + 6) % 7))

/** A real calendar day, or undefined: there is no 30 February. */
export function dateOf(year: number, month: number, day: number): Date | undefined {
  const date = new Date(year, month, day)
  return date.getMonth() === month && date.getDate() === day ? date : undefined
}

/** The first date from today on which `make` gives one; `step` 0, 1, 2... is years or months ahead. */
function nextSuch(now: Date, steps: number, make: (step: number) => Date | undefined): Day | undefined {
  const today = midnight(now)
  const hits: Date[] = []
  for (let step = 0; step <= steps && hits.length < 2; step++) {
    const date = make(step)
    if (date && date >= today) hits.push(date)
  }
  const [date, later] = hits
  return date && {date, ...(later && {later})}
}

/** "A day and month with no year is the next such day." Eight years reach the next 29 February. */
const monthDay = (now: Date, month: number, day: number): Day | undefined =>
  nextSuch(now, 8, step => dateOf(now.getFullYear() + step, month, day))

const fixed = (date: Date | undefined): Day | undefined => date && {date}

const yearOf = (digits: string): number => digits.length === 2 ? 2000 + Number(digits) : Number(digits)

/** The nth (1 to 5, or -1 for the last) weekday of a month. */
function nthWeekday(year: number, month: number, n: number, weekday: number): Date | undefined {
  if (n < 0) {
    const last = new Date(year, month + 1, 0)
    return midnight(last, -((last.getDay() + 6 - weekday) % 7))
  }
  const first = new Date(year, month, 1)
  const date = midnight(first, (weekday - (first.getDay() + 6) % 7 + 7) % 7 + 7 * (n - 1))
  return date.getMonth() === month ? date : undefined
}

/** Easter Sunday, by the algorithm of Meeus, Jones and Butcher. */
function easter(year: number): Date {
  const a = year % 19, b = Math.floor(year / 100), c = year % 100
  const d = (19 * a + b - Math.floor(b / 4) - Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3) + 15) % 30
  const e = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - d - c % 4) % 7
  const f = d + e - 7 * Math.floor((a + 11 * d + 22 * e) / 451) + 114
  return new Date(year, Math.floor(f / 31) - 1, f % 31 + 1)
}

/** In the United States. */
const thanksgiving = (year: number): Date => nthWeekday(year, 10, 4, 3)!

const holidays: [RegExp, (year: number) => Date][] = [
  [/\b(?:pancake days|shrove tuesday)\b/, y => midnight(easter(y), -47)],
  [/\bash wednesday\b/, y => midnight(easter(y), -46)],
  [/\bpalm sunday\b/, y => midnight(easter(y), -7)],
  [/\bwhit monday\b/, y => midnight(easter(y), 50)],
  [/\bblack friday\b/, y => midnight(thanksgiving(y), 1)],
  [/\bcyber monday\b/, y => midnight(thanksgiving(y), 4)],
  [/\bthanksgiving(?: days)?\b/, thanksgiving],
  [/\bst\.? patrick(?: days)?\b/, y => new Date(y, 2, 17)],
  [/\bst\.? stephen(?: days)?\b/, y => new Date(y, 11, 26)],
  [/\bgood friday\b/, y => midnight(easter(y), -2)],
  [/\beaster monday\b/, y => midnight(easter(y), 1)],
  [/\beaster(?: sunday)?\b/, easter],
  [/\bchristmas eve\b/, y => new Date(y, 11, 24)],
  [/\bboxing days\b/, y => new Date(y, 11, 26)],
  [/\bchristmas(?: days)?\b/, y => new Date(y, 11, 25)],
  [/\bnew years eve\b/, y => new Date(y, 11, 31)],
  [/\bnew years(?: days)?\b(?! week)/, y => new Date(y, 0, 1)],
  [/\bvalentine(?: days)?\b/, y => new Date(y, 1, 14)],
  [/\bhalloween\b/, y => new Date(y, 9, 31)],
]

const M = `(${months.join('|')})`
const W = `(${weekdays.join('|')})`
const Y = String.raw`(?:,? ((?:19|20)\d\d)\b(?! ?[ap]m))?`
const rule = (source: string): RegExp => new RegExp(source)
const month = (name: string): number => months.indexOf(name)
const weekday = (name: string): number => weekdays.indexOf(name)
const inMonth = (now: Date, name: string, year: string | undefined, make: (year: number, month: number) => Date | undefined): Day | undefined =>
  name === 'the' ? nextSuch(now, 12, step => make(now.getFullYear() + Math.floor((now.getMonth() + step) / 12), (now.getMonth() + step) % 12))
  : name === 'this' ? fixed(make(now.getFullYear(), now.getMonth()))
  : name === 'next' ? fixed(make(now.getFullYear(), now.getMonth() + 1))
  : year ? fixed(make(Number(year), month(name)))
  : nextSuch(now, 8, step => make(now.getFullYear() + step, month(name)))
const M2 = `(?:(this|the|next) months|${M})`

function lastWorkingDay(year: number, month: number): Date {
  const last = new Date(year, month + 1, 0)
  return midnight(last, -Math.max(0, (last.getDay() + 6) % 7 - 4))
}

/** Tried in order; the first that matches takes its words out of the text. */
const rules: [RegExp, (m: RegExpExecArray, now: Date) => Day | undefined][] = [
  [rule(String.raw`\b(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)`), m => fixed(dateOf(Number(m[1]), Number(m[2]) - 1, Number(m[3])))],
  // Day first, as most of the world writes, unless that is no month.
  [rule(String.raw`\b(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d\d)\b`), m => numeric(Number(m[1]), Number(m[2]), (d, mo) => fixed(dateOf(yearOf(m[3]!), mo, d)))],
  [rule(String.raw`\b(2[4-9]|3[01])\.(1[0-2]|0?[1-9])\b`), (m, now) => monthDay(now, Number(m[2]) - 1, Number(m[1]))],
  [rule(String.raw`\b(\d{1,2})/(\d{1,2})\b`), (m, now) => numeric(Number(m[1]), Number(m[2]), (d, mo) => monthDay(now, mo, d))],
  [rule(String.raw`\b(last|[1-5]th) (?:${W}|weekend) (?:of|in) ${M2}${Y}`), (m, now) =>
    inMonth(now, m[3] ?? m[4]!, m[5], (y, mo) => nthWeekday(y, mo, m[1] === 'last' ? -1 : Number.parseInt(m[1]!), m[2] ? weekday(m[2]) : 5))],
  [rule(String.raw`\blast (?:working|business) days (?:of|in) ${M2}${Y}`), (m, now) => inMonth(now, m[1] ?? m[2]!, m[3], lastWorkingDay)],
  [rule(String.raw`\b(?:last(?: days)?|end) (?:of|in) ${M2}${Y}`), (m, now) => inMonth(now, m[1] ?? m[2]!, m[3], (y, mo) => new Date(y, mo + 1, 0))],
  // A third of a month: its first day, the 15th, the 25th.
  [rule(String.raw`\b(mid|middle of|late)(?: in)? (?:months|${M2})${Y}`), (m, now) => inMonth(now, m[2] ?? m[3] ?? 'the', m[4], (y, mo) => new Date(y, mo, m[1] === 'late' ? 25 : 15))],
  [/\bend of (?:(the |this )|(next ))?years\b/, (m, now) => ({date: new Date(now.getFullYear() + (m[2] ? 1 : 0), 11, 31)})],
  [/\bend of (20\d\d)\b/, m => ({date: new Date(Number(m[1]), 11, 31)})],
  [/\bend of (?:the |this )?quarter\b/, (_, now) => ({date: new Date(now.getFullYear(), now.getMonth() - now.getMonth() % 3 + 3, 0)})],
  [rule(String.raw`\b(?:1th days|start|beginning) of ${M2}${Y}`), (m, now) => inMonth(now, m[1] ?? m[2]!, m[3], (y, mo) => new Date(y, mo, 1))],
  [/\b(this|next) months,? (?:on )?(?:the )?(\d{1,2})th\b/, (m, now) => inMonth(now, m[1]!, undefined, (y, mo) => dateOf(y, mo, Number(m[2])))],
  [rule(String.raw`\b(\d{1,2})(?:th)?(?: days)?(?: of)? ${M2}${Y}`), (m, now) =>
    inMonth(now, m[2] ?? m[3]!, m[4], (y, mo) => dateOf(y, mo, Number(m[1])) ?? (mo > 11 ? dateOf(y + 1, 0, Number(m[1])) : undefined))],
  [rule(String.raw`\b${M}(?: the)? (\d{1,2})(?:th)?\b(?![:.h]\d| ?[ap]m)${Y}`), (m, now) =>
    m[3] ? fixed(dateOf(Number(m[3]), month(m[1]!), Number(m[2]))) : monthDay(now, month(m[1]!), Number(m[2]))],
  ...holidays.map(([pattern, make]): [RegExp, (m: RegExpExecArray, now: Date) => Day | undefined] =>
    [pattern, (_, now) => nextSuch(now, 2, step => make(now.getFullYear() + step))]),
  [rule(String.raw`\b${W}?(?: the)? ?\b(\d{1,2})th\b(?! thing)`), (m, now) => dayOfMonth(now, Number(m[2]), m[1])],
  [rule(String.raw`\b${W} (2[5-9]|3[01])\b`), (m, now) => dayOfMonth(now, Number(m[2]), m[1])],
  [/\b(today|tomorrow) (weeks|fortnight)\b/, (m, now) => ({date: midnight(now, (m[1] === 'today' ? 0 : 1) + (m[2] === 'weeks' ? 7 : 14))})],
  [rule(String.raw`\btoday(?: ${W})?|\b${W} today|\bthis (?=morning|afternoon|evening|night)`), (_, now) => ({date: midnight(now), isToday: true})],
  [/\btomorrow\b/, (_, now) => ({date: midnight(now, 1)})],
  [/\byesterday\b/, (_, now) => ({date: midnight(now, -1)})],
  [rule(String.raw`\b(?:${W}(?: of)? )?the weeks after next\b`), (m, now) => ({date: midnight(mondayOf(now), 14 + (m[1] ? weekday(m[1]) : 0))})],
  [/\bweekend after next\b/, (_, now) => ({date: midnight(mondayOf(now), 19)})],
  [rule(String.raw`\b${W} after next\b`), (m, now) => ({date: midnight(mondayOf(now), 14 + weekday(m[1]!))})],
  [rule(String.raw`\b(?:next weeks(?: on)? ${W}|${W}(?: of)? next weeks|next ${W}|${W} next)\b`), (m, now) =>
    ({date: midnight(mondayOf(now), 7 + weekday((m[1] ?? m[2] ?? m[3] ?? m[4])!))})],
  [rule(String.raw`\bthis ${W}(?: coming)?\b|\b${W}(?: of)? this weeks\b`), (m, now) => thisWeekday(now, weekday((m[1] ?? m[2])!))],
  [rule(String.raw`\blast ${W}\b`), (m, now) => ({date: midnight(afterToday(now, weekday(m[1]!)), -7)})],
  [rule(String.raw`\b${W}(?: in a)? (weeks|fortnight)\b`), (m, now) => ({date: midnight(afterToday(now, weekday(m[1]!)), m[2] === 'weeks' ? 7 : 14)})],
  [rule(String.raw`\bin (\d) ${W}\b`), (m, now) => ({date: midnight(afterToday(now, weekday(m[2]!)), 7 * Number(m[1]) - 7)})],
  [rule(String.raw`\b(?:this coming |coming |the coming )?${W}(?: coming)?\b`), (m, now) => ({date: afterToday(now, weekday(m[1]!))})],
  [/\bend of (?:the |this )?weeks\b/, (_, now) => thisWeekday(now, 4)],
  [/\b(?:mid|middle of (?:the|this)) ?weeks?\b/, (_, now) => thisWeekday(now, 2)],
  [/\b(?:end of|later?) next weeks\b/, (_, now) => ({date: midnight(mondayOf(now), 11)})],
  [/\b(?:mid|middle of) next weeks\b/, (_, now) => ({date: midnight(mondayOf(now), 9)})],
  [/\bnext weekend\b/, (_, now) => ({date: midnight(mondayOf(now), 12)})],
  // "this weekend", said on its Sunday, is that day.
  [/\b(?:(this )|the |at the )?(?:coming )?weekend\b/, (m, now) => m[1] && now.getDay() === 0 ? {date: midnight(now)} : thisWeekday(now, 5)],
  // What has begun means its last day, what is to come its first.
  [/\bthis weeks\b/, (_, now) => thisWeekday(now, now.getDay() % 6 === 0 ? 6 : 4)],
  [/\bthis months\b/, (_, now) => ({date: new Date(now.getFullYear(), now.getMonth() + 1, 0)})],
  [/\bthis years\b/, (_, now) => ({date: new Date(now.getFullYear(), 11, 31)})],
  [/\bnext years\b/, (_, now) => ({date: new Date(now.getFullYear() + 1, 0, 1)})],
  [/\b(?:(?:start|beginning) of )?next weeks\b/, (_, now) => ({date: midnight(mondayOf(now), 7)})],
  [/\bnext months\b/, (_, now) => ({date: new Date(now.getFullYear(), now.getMonth() + 1, 1)})],
  [rule(String.raw`\b${M}${Y}`), (m, now) => inMonth(now, m[1]!, m[2], (y, mo) => new Date(y, mo, 1))],
]

/** "A weekday is the next one after today (named on its own day it means seven days later)." */
function afterToday(now: Date, day: number): Date {
  const ahead = (day - (now.getDay() + 6) % 7 + 7) % 7
  return midnight(now, ahead === 0 ? 7 : ahead)
}

/** "this Friday" is that of the current week; one that is over can only mean the coming one. */
function thisWeekday(now: Date, day: number): Day {
  const date = midnight(mondayOf(now), day)
  return date < midnight(now) ? {date: midnight(date, 7)} : {date, isToday: date.getTime() === midnight(now).getTime()}
}

function numeric(first: number, second: number, make: (day: number, month: number) => Day | undefined): Day | undefined {
  return second <= 12 ? make(first, second - 1) : make(second, first - 1)
}

/** "the 31st" is the next month that has one; "Saturday the 21st" one within a year that is a Saturday, if there is any. */
function dayOfMonth(now: Date, day: number, name: string | undefined): Day | undefined {
  const at = (step: number): Date | undefined => dateOf(now.getFullYear() + Math.floor((now.getMonth() + step) / 12), (now.getMonth() + step) % 12, day)
  const fits = (d: Date | undefined): Date | undefined => d && name && (d.getDay() + 6) % 7 !== weekday(name) ? undefined : d
  return (name ? nextSuch(now, 12, step => fits(at(step))) : undefined) ?? nextSuch(now, 12, at)
}

/** The day in normalised words and what is left of them; `undefined` where a day is named that does not exist. */
export function findDay(words: string, now: Date): Found | 'none' | undefined {
  for (const [pattern, make] of rules) {
    const m = pattern.exec(words)
    if (!m) continue
    const day = make(m, now)
    // A weekday beside a date only repeats it: "Friday 17 April", "tomorrow, 17 April".
    const rest = `${words.slice(0, m.index)} ${words.slice(m.index + m[0].length)}`.replace(new RegExp(`\\b(?:${W}|today|tomorrow)\\b`), ' ')
    return day && {day, rest}
  }
  return 'none'
}
