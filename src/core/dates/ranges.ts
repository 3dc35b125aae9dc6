// "tomorrow 3-4pm", "from 9 till noon", "Monday to Wednesday": the words of the start and those of the end.
import {months} from './words.ts'

export interface Range { start: string; end: string }

const separator = / (?:to|until|through|-) |(?<=\bbetween .*) and |(?<=(?:^|[^\d./:-])\d{1,2}(?:[:.]\d\d)?)-(?=\d{1,2}(?:[:.]\d\d)?(?![\d/-]))|(?<=\b\d{4})-(?=\d{4}\b)/g
const clock = /^(?:the )?(?:half (?:past )?|(?:a )?quarter (?:past|to) )?(?:\d{1,2}(?:th)?(?:[:.]\d\d| [0-5]\d)?|\d{4}|noon|midnight)(?: oclock)?(?: ?(am|pm))?\b/
const M = `(?:${months.join('|')})`
const monthAfter = new RegExp(`^ (?:of )?(?:${M}|this|the|next)\\b`)
const monthBefore = new RegExp(`^(.*\\b${M}(?: the)? )\\d{1,2}(?:th)?$`)
const halfOfDay = /\b(?:am|pm|noon|midnight|morning|afternoon|evening|night|tonight)\b/

/** "ten to four" is a clock; "9 to 5", "from ten to four", "10 to 11:30" and "December 5 to 7" are not. */
const isBeforeHour = (left: string, right: string): boolean => /^(?:\d{1,2}(?![:.\d])|noon|midnight)/.test(right) && /(?:quarter|minutes|(?<!\d|[:.]|\b(?:to|past) )(?:5|10|20|25))$/.test(left) && !monthBefore.test(left)

/** Every way to read normalised words as a range; the caller takes the first whose two sides mean something. */
export function ranges(text: string): Range[] {
  const isSaid = /\b(?:from|between) \S/.test(text)
  const found = [...text.matchAll(separator)]
  // More is no range, and would take long to try.
  if (found.length > 4) return []
  return found.flatMap(m => {
    const left = text.slice(0, m.index).replace(/\b(?:from|between) /, '').trim()
    const right = text.slice(m.index + m[0].length).trim()
    if (left === '' || right === '' || m[0] === ' to ' && !isSaid && isBeforeHour(left, right)) return []
    return [sides(left, right)]
  })
}

/** What stands after the end ("3 to 4 pm tomorrow", "3-5 December") belongs to the start too. */
function sides(left: string, right: string): Range {
  const last = clock.exec(right)
  if (!last) return {start: left, end: right}
  const tail = right.slice(last[0].length)
  const half = last[1] && !halfOfDay.test(left) && /^\d|\d$/.test(left) ? ` ${halfBefore(left, last[0], last[1])}` : ''
  // "December 3-5"
  const month = /^\d{1,2}(?:th)?$/.test(right) && monthBefore.exec(left)?.[1]
  return {start: left + half + tail, end: month ? month + right : monthAfter.test(tail) ? right : last[0]}
}

/** "3-4pm" starts in the afternoon, "11-1pm" in the morning. */
function halfBefore(start: string, end: string, half: string): string {
  const hour = (words: string): number => Number(/(\d{1,2})(?:[:.]\d\d| \d\d)?(?: ?[ap]m)?$/.exec(words)?.[1] ?? 0) % 12
  return hour(start) <= hour(end) ? half : half === 'am' ? 'pm' : 'am'
}
