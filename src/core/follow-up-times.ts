// Times within a request, as far as a follow-up changes them: which words are a day, a time of day or a duration, and others in
// their place. What they mean is core/dates.ts's.

export interface Times { day?: string; clock?: string; duration?: string }

const count = 'an?|half an|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|ninety'
const hour = String.raw`(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)`
const weekday = '(?:mon|tues|wednes|thurs|fri|satur|sun)day'
const month = '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)'
const dated = String.raw`\d{4}-\d\d-\d\d|(?:the )?\d{1,2}(?:st|nd|rd|th)?(?: of)? ${month}|${month} (?:the )?\d{1,2}(?:st|nd|rd|th)?|the \d{1,2}(?:st|nd|rd|th)|\d{1,2}(?:st|nd|rd|th)`
const dayWords = String.raw`the day after tomorrow|tomorrow|today|tonight|next (?:week|month)|the weekend|(?:this |next |coming )?(?:${weekday}|mon|tue|wed|thu|fri)(?: week)?|${dated}|(?:in )?(?:\d{1,2}|${count}) (?:days?|weeks?)(?: from now)?`
const halfDay = String.raw`(?:in the |this )?(?:morning|afternoon|evening)|noon|midday|midnight`
const clockWords = String.raw`(?:half|quarter|ten|twenty|five) (?:past|to) ${hour}|half ${hour}|\d{1,2}[:.h]\d\d ?(?:[ap]\.?m\b\.?)?|${hour} ?(?:[ap]\.?m\b\.?)|${hour} o'?clock|${halfDay}`
const durationWords = String.raw`(?:\d+|${count})(?: ?-? ?)(?:minutes?|mins?|hours?|hrs?|h)(?: and a half)?`

const whole = (pattern: string): RegExp => new RegExp(String.raw`(?<![\p{L}\p{N}$€£.:])(?:${pattern})(?![\p{L}\p{N}%]|[.:]\d)`, 'giu')
const days = whole(String.raw`(?:on |by )?(?:${dayWords})`)
const clocks = whole(String.raw`(?:(?:at|by|around|about|before|until) )(?:${clockWords}|${hour})(?! (?:people|persons|tickets|percent|places|seats))|${clockWords}`)
const durations = whole(String.raw`for (?:${durationWords})`)
const bareDuration = whole(durationWords)

/** "the 23rd of September at quarter past eleven for one and a half hours" */
const longest = 70

/** What a text says of time, if it says nothing else; undefined for any other text. */
export function timesIn(text: string): Times | undefined {
  if (text.length > longest) return undefined
  const times: Times = {}
  let rest = text
  const take = (name: keyof Times, pattern: RegExp): boolean => {
    const all = [...rest.matchAll(pattern)]
    if (all.length > 1 || (all.length === 1 && times[name] !== undefined)) return false
    if (all[0]) { times[name] = all[0][0].trim(); rest = `${rest.slice(0, all[0].index)} ${rest.slice(all[0].index + all[0][0].length)}` }
    return true
  }
  // A duration first, since "two hours" holds an hour, and a day before that: "in two days", "the 5th".
  if (!take('day', days) || !take('duration', bareDuration) || !take('clock', clocks)) return undefined
  rest = rest.trim()
  if (new RegExp(`^(?:at |by )?${hour}$`, 'i').test(rest) && times.clock === undefined) { times.clock = rest; rest = '' }
  const isAll = rest.replace(/\b(?:on|at|by|the|in|around|about|for|long|please|then)\b|[,.\s]/gi, '') === ''
  return isAll && Object.keys(times).length > 0 ? times : undefined
}

/**
 * The request at other times. A time that it does not have is added where `mayAdd`; undefined where it is not clear which of several
 * is meant, or nothing could be changed.
 */
export function retimed(text: string, times: Times, mayAdd: boolean): string | undefined {
  let result: string | undefined = text
  if (times.day !== undefined) result = placed(result, days, times.day, {beside: clocks, preposition: isNumbered(times.day) ? 'on' : '', mayAdd, isDay: true})
  if (result !== undefined && times.clock !== undefined) result = placed(result, clocks, times.clock, {beside: days, preposition: 'at', mayAdd, keepsHalf: times.day === undefined})
  if (result !== undefined && times.duration !== undefined) result = placed(result, durations, times.duration, {beside: clocks, preposition: 'for', mayAdd})
  return result === text ? undefined : result
}

const isNumbered = (day: string): boolean => /^(?:the )?\d|\d(?:st|nd|rd|th)?$|day$/i.test(day) && !/^(?:in|on|by|next|this|today|tomorrow|the day)\b/i.test(day)

interface Place { /** what it comes after where it is new */ beside: RegExp; preposition: string; mayAdd: boolean; isDay?: boolean; keepsHalf?: boolean }

function placed(text: string, pattern: RegExp, value: string, {beside, preposition, mayAdd, isDay = false, keepsHalf = false}: Place): string | undefined {
  const bare = value.replace(/^(?:on|at|for) /i, '')
  const standsAlone = /^(?:in|by|around|about|before|until|next|this|tomorrow|today|tonight|morning|afternoon|evening)\b/i.test(bare)
  const all = [...text.matchAll(pattern)].map(m => m[0])
  // "Friday at 7 ... on Friday at 6": one day, said twice.
  const isOneDay = isDay && new Set(all.map(m => m.replace(/^(?:on|by) /i, '').toLowerCase())).size === 1
  if (all.length > 1 && !isOneDay) return undefined
  if (all.length > 0) return text.replace(pattern, old => {
    const before = /^(?:on|by|at|around|about|before|until|for)(?= )/i.exec(old)?.[0] ?? (preposition !== 'at' || /^(?:\d|noon|mid)/i.test(old) ? '' : 'at')
    // "3pm", and now "4": in the afternoon as before.
    const half = keepsHalf && /^\d{1,2}(?:[:.]\d\d)?$/.test(bare) ? / ?[ap]\.?m\b\.?$/i.exec(old)?.[0] ?? '' : ''
    return standsAlone ? bare : `${before} ${bare}${half}`.trim()
  })
  if (!mayAdd) return undefined
  const said = standsAlone || preposition === '' ? bare : `${preposition} ${bare}`
  const near = [...text.matchAll(beside)]
  const end = near.length === 1 ? near[0]!.index + near[0]![0].length : text.replace(/[.!?\s]+$/, '').length
  return `${text.slice(0, end)} ${said}${text.slice(end)}`
}
