// The time of day in the user's words (LABELLING.md, "Dates and times"). Takes normalised words.

export interface Time {
  hour: number
  minute: number
  /** 1 to 12 with neither am nor pm, nor a word that tells */
  isOpen?: boolean
  /** after midnight, but still called by the day before: "midnight", "tonight at 1" */
  isNextDay?: boolean
  /** "tonight": today where no other day is named */
  isToday?: boolean
}

type Part = 'morning' | 'afternoon' | 'evening' | 'night' | 'tonight' | 'in the night'
const partTime: Record<Part, number> = {morning: 9, afternoon: 15, evening: 18, night: 20, tonight: 20, 'in the night': 20}

const meal = (names: string): RegExp => new RegExp(`\\b(?:(?:at|over|during|by|before|until) (?:the )?)?(?:${names})time\\b|\\b(?:at|over|during|by|before|until) (?:${names})\\b|^(?:${names})$`)

/** The hour is the part's own where none is given. A meal that is only named ("dinner at 7") tells the half of the day: hint(). */
const parts: [RegExp, Part, number?][] = [
  [/\bend of (?:the )?days\b/, 'afternoon', 17],
  [/\b1th thing(?:(?:\s|in|on|the)*\bmorning)?\b/, 'morning'],
  [/\bmid morning\b/, 'morning', 10],
  [/\bmid afternoon\b/, 'afternoon'],
  [/\bafter (?:dinner|supper)\b/, 'evening', 20],
  [/\bafter work\b/, 'evening', 18],
  [/\bafter school\b/, 'afternoon'],
  [/\bafter lunch(?:time)?\b|\bafter noon(?! \d)\b/, 'afternoon', 13],
  [/\bafter breakfast\b/, 'morning', 9],
  [/\bbefore (?:work|school)\b/, 'morning', 8],
  [meal('breakfast'), 'morning', 8],
  [meal('lunch'), 'afternoon', 12],
  [meal('tea'), 'afternoon', 17],
  [meal('dinner|supper'), 'evening', 19],
  [meal('bed'), 'night', 22],
  [/(?<!\d |oclock )\bam\b/, 'morning'],
  [/(?<!\d |oclock )\bpm\b/, 'afternoon'],
  [/\blast thing (?:tonight|at night)\b/, 'tonight', 22],
  [/\btonight\b/, 'tonight'],
  [/\b(?:in the|at) night\b/, 'in the night'],
  [/\b(?:this |in the |at |the )?(morning|afternoon|evening|night)\b/, 'morning'],
  [/\bbright and early\b/, 'morning'],
]

interface Clock { hour: number; minute: number; half?: 'am' | 'pm'; is24: boolean }

const half = (s: string | undefined): Pick<Clock, 'half'> => s === 'am' || s === 'pm' ? {half: s} : {}
const minutesWord = (s: string): number => s === 'half' ? 30 : s.endsWith('quarter') ? 15 : Number.parseInt(s)
const AP = '(?: ?(am|pm))?'
const clocks: [RegExp, (m: RegExpExecArray) => Clock][] = [
  [new RegExp(String.raw`\b(\d{1,2})(?:[:.]| ?h ?)([0-5]\d)(?::[0-5]\d)?(?: ?h(?:ours)?\b)?${AP}\b`), m =>
    ({hour: Number(m[1]), minute: Number(m[2]), ...half(m[3]), is24: m[1]!.startsWith('0') || Number(m[1]) > 12})],
  [new RegExp(String.raw`\b(half|(?:a )?quarter|\d?[05]|\d{1,2} minutes|\d{1,2}(?= (?:past|after)))(?: minutes)? (past|after|to|before|of|until) (\d{1,2})(?: oclock)?${AP}\b`), m => {
    const back = /^(?:to|before|of|until)$/.test(m[2]!)
    const minute = minutesWord(m[1]!)
    return {hour: back ? Number(m[3]) - 1 || 12 : Number(m[3]), minute: back ? 60 - minute : minute, ...half(m[4]), is24: Number(m[3]) > 12}
  }],
  [new RegExp(String.raw`\bhalf (\d{1,2})${AP}\b`), m => ({hour: Number(m[1]), minute: 30, ...half(m[2]), is24: false})],
  [new RegExp(String.raw`\b([01]\d|2[0-3])([0-5]\d)(?: ?h(?:ours|rs)?)?\b`), m => ({hour: Number(m[1]), minute: Number(m[2]), is24: m[1]!.startsWith('0') || Number(m[1]) > 12})],
  [new RegExp(String.raw`\b(\d)([0-5]\d)${AP}\b`), m => ({hour: Number(m[1]), minute: Number(m[2]), ...half(m[3]), is24: false})],
  [new RegExp(String.raw`\b(\d{1,2}) (?:(?:oh|o) (\d)|([0-5]\d))${AP}\b`), m => ({hour: Number(m[1]), minute: Number(m[2] ?? m[3]), ...half(m[4]), is24: Number(m[1]) > 12})],
  [new RegExp(String.raw`\b(\d{1,2}(?= ?h\b)|1[3-9]|2[0-3]) ?h(?:ours)?\b`), m => ({hour: Number(m[1]), minute: 0, is24: true})],
  [new RegExp(String.raw`\b(\d{1,2})(?: oclock)?(?: ?(am|pm))?\b`), m => ({hour: Number(m[1]), minute: 0, ...half(m[2]), is24: m[1]!.startsWith('0') || Number(m[1]) > 12})],
]

/** The time in normalised words and what is left of them; `undefined` where it is no time ("25:10"). */
export function findTime(text: string): {time: Time; rest: string} | 'none' | undefined {
  // "quarter to noon" counts from twelve.
  const words = text.replace(/\b(past|after|to|before|of) (noon|midnight)\b/, (_, side: string, noon: string) => `${side} 12${noon === 'noon' ? '' : ' night'}`)
  const noon = /\b(?:at )?(?:12 )?(noon|midnight)\b/.exec(words)
  if (noon) {
    const isToday = /\btonight\b/.test(words)
    return {time: noon[1] === 'noon' ? {hour: 12, minute: 0} : {hour: 0, minute: 0, isNextDay: true, isToday}, rest: cut(words, noon).replace(/\btonight\b/, ' ')}
  }
  const {part, at, rest: withoutPart} = findPart(words)
  for (const [pattern, make] of clocks) {
    const m = pattern.exec(withoutPart)
    if (!m) continue
    const clock = make(m)
    if (clock.hour > 24 || clock.half && (clock.hour > 12 && clock.hour !== 24 || clock.hour === 0)) return undefined
    return {time: settle(clock, part ?? hint(words)), rest: cut(withoutPart, m)}
  }
  if (!part) return 'none'
  return {time: {hour: at, minute: 0, ...(part === 'tonight' && {isToday: true})}, rest: withoutPart}
}

function findPart(words: string): {part?: Part; at: number; rest: string} {
  for (const [pattern, part, hour] of parts) {
    const m = pattern.exec(words)
    if (!m) continue
    const named = (m[1] ?? part) as Part
    return {part: named, at: hour ?? partTime[named], rest: cut(words, m)}
  }
  return {at: 0, rest: words}
}

const hint = (words: string): Part | undefined =>
  /\b(?:early|breakfast|sunrise|dawn)\b/.test(words) ? 'morning' : /\b(?:dinner|supper|sunset|late)\b/.test(words) ? 'evening' : undefined

const cut = (words: string, m: RegExpExecArray): string => `${words.slice(0, m.index)} ${words.slice(m.index + m[0].length)}`

/** am or pm: said, told by the part of the day, or open. */
function settle(clock: Clock, part: Part | undefined): Time {
  const {minute} = clock
  const small = (hour: number): boolean => hour < 6
  const nightly = part === 'tonight' || part === 'night'
  const today = part === 'tonight' ? {isToday: true} : {}
  if (clock.half || clock.is24 || clock.hour === 0 || clock.hour > 12) {
    const hour = clock.half ? clock.hour % 12 + (clock.half === 'pm' ? 12 : 0) : clock.hour % 24
    const isNextDay = clock.hour === 24 || nightly && small(hour)
    return {hour, minute, ...(isNextDay && {isNextDay}), ...today}
  }
  const hour = clock.hour
  switch (part) {
    case undefined: return {hour, minute, isOpen: true}
    case 'morning': return {hour: hour % 12, minute}
    case 'afternoon': return {hour: hour % 12 + 12, minute}
    case 'evening': return {hour: hour === 12 ? 0 : hour + 12, minute, ...(hour === 12 && {isNextDay: true})}
    default: {
      const night = hour === 12 ? 0 : hour
      return small(night) ? {hour: night, minute, ...(nightly && {isNextDay: true}), ...today} : {hour: night + 12, minute, ...today}
    }
  }
}

/** "at 3" is the one between 07:00 and 18:59. */
export const daytimeHour = (hour: number): number => hour === 12 ? 12 : hour < 7 ? hour + 12 : hour
