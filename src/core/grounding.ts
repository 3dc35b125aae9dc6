// Whether a text says only what somebody gave: its numbers, dates, names, addresses and links have to stand in what it was written from. Closed by
// default: what cannot be told (a language other than English, a script without capitals) counts as not given. It reads no meaning: a "not" that
// is left out, or two given names that are exchanged, passes.
import {printable} from './text.ts'

/** Words that begin a sentence without being a name, and stand in any English text. */
const ordinary = new Set((
  "a an the and or but nor so yet if then than as at by for from in into of off on onto out over to up with within without about after before since until while during between through under " +
  "i you he she it we they me him her us them my your his its our their mine yours ours theirs this that these those here there who whom whose which what when where why how " +
  "am is are was were be been being do does did done have has had having will would can could shall should may might must need not no yes ok okay please thanks thank " +
  "hi hello hey dear regards best kind cheers sincerely sorry apologies unfortunately however also just only still again soon later now once all any both each every some more most much many other another such too very well " +
  "let looking look see hope hoping feel know tell ask asking writing wanted want like get got go going come coming make take bring keep give send sending sent call meet because although though instead otherwise as regarding attached enclosed everything nothing something someone everyone anyone").split(' '))

/** Units and parts of time: with one that nobody gave, a text says something new of when or how long. */
const timeWords = new Set(('today tonight tomorrow yesterday morning noon midday afternoon evening night midnight weekend weekday weekly daily monthly yearly annual hourly fortnight ' +
  'second minute hour week month quarter year decade monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun ' +
  'january february march april june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec christmas easter').split(' '))

const numberWords: Record<string, string> = Object.fromEntries(['zero', '', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve', 'thirteen',
  'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen', 'twenty'].flatMap((word, n) => word === '' ? [] : [[word, String(n)]]))
/** "second" is a time word, "first" and "one" are in any text. */
const amounts = new Set(('thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen half twice double triple third fourth fifth sixth seventh eighth ninth tenth ' +
  'percent dollar euro pound cent').split(' '))

const linkPattern = /[a-z][a-z0-9+.-]*:\/\/\S+|\S+@\S+|(?:[\p{L}\p{N}_-]+\.)+\p{L}{2,}(?:\/\S*)?/giu
/** "10:30", "1,500", "2026-03-03", "3pm", "12a" */
const numberPattern = /\p{N}(?:[\p{L}\p{N}]|[.,:/'’-](?=\p{N}))*/gu
const wordPattern = /\p{L}[\p{L}\p{M}'’]*/gu

const links = (text: string): string[] => (text.match(linkPattern) ?? []).map(link => link.replace(/[.,;:!?)\]}>"'’”]+$/, '').replace(/^[(<["'“]+/, '').toLowerCase())
const numbers = (text: string): string[] => (text.match(numberPattern) ?? []).map(number => number.toLowerCase().replace(/[,'’](?=\p{N}{3}(?!\p{N}))/gu, ''))
/** "Ana's" is "ana". */
const wordOf = (word: string): string => word.toLowerCase().replaceAll('’', "'").replace(/'s?$/, '')
const wordsOf = (text: string): string[] => (text.match(wordPattern) ?? []).map(wordOf)
const singular = (word: string): string => word.replace(/s$/, '')
/** "3 pm", "3 p.m." and "3PM" are one. */
const oneTime = (text: string): string => text.replace(/(\p{N})\s*([ap])\.?\s?m\b\.?/giu, '$1$2m')

/** A quarter of the words are the frequent ones of English; other languages share a few of them. */
const isEnglish = (words: string[]): boolean => words.filter(word => ordinary.has(word.replace(/'.*$/, ''))).length >= words.length / 4

/** The first thing in `text` that is not in `given`, in words for people ("the number 14"); undefined: it says nothing new that can be told. */
export function ungrounded(text: string, given: string): string | undefined {
  if (printable(text) !== text) return 'characters that cannot be seen'
  const [said, from] = [oneTime(text), oneTime(given)]
  const fromWords = wordsOf(from)
  const known = new Set(fromWords)
  // A list of what was given is one in any language.
  if (!isEnglish(wordsOf(said)) && wordsOf(said).some(word => !known.has(word))) return 'another language than English, of which names and dates cannot be told'
  const missing = (found: string[], known: Iterable<string>): string | undefined => { const all = new Set(known); return found.find(one => !all.has(one)) }

  const link = missing(links(said), links(from))
  if (link !== undefined) return `the address ${link}`
  const spelled = fromWords.flatMap(word => numberWords[word] ?? [])
  const number = missing(numbers(said), [...numbers(from), ...spelled])
  if (number !== undefined) return `the number ${number}`
  const sign = missing(said.match(/\p{Sc}|%/gu) ?? [], from)
  if (sign !== undefined) return `the sign ${sign}`
  const gap = /\[[^\]\n]*\]|<[^>\n]*>|_{3,}/.exec(said)?.[0]
  if (gap !== undefined && !from.includes(gap)) return `a gap to fill in, ${gap}`

  const stems = new Set(fromWords.map(singular))
  const givenNumbers = new Set(numbers(from))
  for (const word of wordsOf(said)) {
    const digits = numberWords[word]
    if (digits !== undefined ? !known.has(word) && !givenNumbers.has(digits) : (amounts.has(singular(word)) || timeWords.has(singular(word))) && !stems.has(singular(word))) return `"${word}"`
  }
  // "15 minutes" is not "15 euros".
  for (const [, counted = ''] of said.matchAll(/\p{N}\s+(\p{L}[\p{L}'’]*)/gu)) if (!known.has(wordOf(counted)) && !ordinary.has(wordOf(counted))) return `"${counted}" after a number`
  const other = (said.match(/\p{Lo}+/gu) ?? []).find(run => !from.includes(run))
  return other === undefined ? nameNotIn(said, from, known) : `"${other}"`
}

/** A capitalized word, or several in a row, that nobody gave. What begins a sentence may be an ordinary word. */
function nameNotIn(text: string, given: string, known: ReadonlySet<string>): string | undefined {
  const inOrder = ` ${wordsOf(given).join(' ')} `
  const isGiven = (names: string[]): boolean => names.length === 0 || inOrder.includes(` ${names.map(wordOf).join(' ')} `)
  for (const {0: run, index} of text.matchAll(/\p{Lu}[\p{L}\p{M}'’]*(?:[ -]\p{Lu}[\p{L}\p{M}'’]*)*/gu)) {
    const isFirst = /(?:^|[.!?:\n"“(-])\s*$/u.test(text.slice(0, index))
    const names = (run.match(wordPattern) ?? []).filter((word, i) => !/^I(?:['’]\p{L}+)?$/u.test(word) && !(i === 0 && isFirst && ordinary.has(wordOf(word).replace(/'.*$/, ''))))
    // The first word of a sentence has a capital whatever it is.
    if (isGiven(names) || (isFirst && names.length > 1 && known.has(wordOf(names[0]!)) && isGiven(names.slice(1)))) continue
    return `"${names.join(' ')}"`
  }
  return undefined
}
