// Lengths of time in words: "45 minutes", "an hour and a half", "two weeks".

export interface Duration { minutes: number; days: number; months: number }

const amount = String.raw`(?:\d+(?:[.,]\d+)? and a half|\d+(?:[.,]\d+)?|half an?|(?:a |3 )?quarters?(?: of an?)?|half|(?:a |the )?couple(?: of)?|a few|an?)`
const unit = '(?:seconds|minutes|m|hours|h|days|weeks|fortnight|months|years)\\b'
const part = '(?: and (?:an? half|an? quarter|3 quarters?))?'
const term = `${amount} ?${unit}${part}`

/** Source of a pattern for a whole duration in normalised words; it has no groups. */
export const durationPattern = String.raw`(?:\d{1,2} ?h ?[0-5]\d(?: m(?:inutes)?\b)?|\d:[0-5]\d hours\b|${term}(?:,? (?:and )?${term})*)`

const minutesOf: Record<string, number> = {seconds: 1 / 60, minutes: 1, m: 1, hours: 60, h: 60}
const daysOf: Record<string, number> = {days: 1, weeks: 7, fortnight: 14}

function amountOf(words: string): number {
  const half = /^(\d+) and a half$/.exec(words)
  if (half) return Number(half[1]) + 0.5
  if (/^[\d.,]+$/.test(words)) return Number(words.replace(',', '.'))
  if (words.startsWith('half')) return 0.5
  if (words.includes('quarter')) return words.startsWith('3') ? 0.75 : 0.25
  if (words.includes('couple')) return 2
  if (words === 'a few') return 3
  return 1
}

/** Normalised words that are a duration and nothing else, or undefined. */
export function parseDuration(words: string): Duration | undefined {
  // "hour and a half", "a 2-hour"
  const text = words.trim().replace(/^hours\b/, 'an hours').replace(/^an? (?=\d)/, '')
  if (!new RegExp(`^${durationPattern}$`).test(text)) return undefined
  const clock = /^(\d{1,2})(?: ?h ?|:)([0-5]\d)(?: \w+)?$/.exec(text)
  if (clock) return {minutes: Number(clock[1]) * 60 + Number(clock[2]), days: 0, months: 0}
  const total: Duration = {minutes: 0, days: 0, months: 0}
  for (const [, howMany, name, rest] of text.matchAll(new RegExp(`(${amount}) ?(${unit})(?: and (an? half|an? quarter|3 quarters?))?`, 'g'))) {
    const n = amountOf(howMany!) + (rest ? amountOf(rest.replace(/^an? (?=half)/, '')) : 0)
    if (name! in minutesOf) total.minutes += n * minutesOf[name!]!
    else if (name! in daysOf) addDays(total, n * daysOf[name!]!)
    else if (name === 'months') total.months += Math.round(n)
    else total.months += Math.round(n * 12)
  }
  total.minutes = Math.round(total.minutes)
  return total
}

/** "a day and a half" is a day and twelve hours. */
function addDays(total: Duration, days: number): void {
  total.days += Math.floor(days)
  total.minutes += (days - Math.floor(days)) * 24 * 60
}

/** Local wall-clock arithmetic: a day is a day also where the clocks change, an hour is sixty minutes. */
export function addDuration(start: Date, d: Duration, sign: 1 | -1 = 1): Date {
  const day = new Date(start)
  if (d.months) {
    day.setDate(1)
    day.setMonth(day.getMonth() + sign * d.months)
    // "in a month" from 31 January is 28 February
    day.setDate(Math.min(start.getDate(), new Date(day.getFullYear(), day.getMonth() + 1, 0).getDate()))
  }
  day.setDate(day.getDate() + sign * d.days)
  return new Date(day.getTime() + sign * d.minutes * 60_000)
}
