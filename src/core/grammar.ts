// Tools + request + what is planned so far -> GBNF for the next line of the plan: only selected tools, the right number and
// types of arguments, references only to earlier results that fit, names and places only as the request has them.
// An invented tool, person or address cannot be written at all (DESIGN: "Constrained decoding, line by line").
import {paramsOf} from './params.ts'
import type {Kind, Param, ResultKind, Task, ToolSpec} from './types.ts'

export interface LineState {
  /** number of the next line, from 1 */
  id: number
  tools: ToolSpec[]
  /** the request and the standing instructions: what may be copied */
  text: string
  /** the calls so far */
  tasks: Task[]
  /** a general model may put texts for tools of others in its own words, reckon, and write seconds; the embedded one would invent */
  mayRephrase?: boolean
}

const literal = (text: string): string => JSON.stringify(text).replace(/[\u007f-\u009f]/g, c => `\\x${c.charCodeAt(0).toString(16)}`)
/** A text as it stands inside a JSON string of the plan. */
const quoted = (text: string): string => literal(JSON.stringify(text).slice(1, -1))

const calendarWords = `monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun january february march april may june july
august september october november december today tomorrow tonight yesterday morning noon afternoon evening night midnight next this last week weekend month
day days weeks months hour hours minute minutes half quarter past to until at on in the of from after before end early late a an and am pm o'clock by
one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty first second third`.split(/\s+/)

interface Word { core: string; lead: string; trail: string }
const wordsOf = (text: string): Word[] => text.split(/\s+/).filter(raw => raw !== '').map(raw => {
  const match = /^([^\p{L}\p{N}/~+@]*)(.*?)([^\p{L}\p{N}/)]*)$/su.exec(raw)
  // A dash between spaces is a word: "Offer Letter – Kaito Mori.pdf".
  if (!match?.[2]) return {core: raw, lead: '', trail: ''}
  const [, lead = '', core, trail = ''] = match
  // Of "(crew.pdf)" and "(my team)" the bracket may be left out.
  const closing = /\)+$/.exec(core)?.[0] ?? ''
  return closing && !core.includes('(') ? {core: core.slice(0, -closing.length), lead, trail: closing + trail} : {core, lead, trail}
})

/** Each mark may follow the one before it, or none does. */
const marks = (trail: string): string => [...trail].reverse().reduce((rest, mark) => ` (${quoted(mark)}${rest})?`, '')

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)
const isNumber = (word: string): boolean => /^[\d\s()+./-]+$/.test(word)
const isPath = (word: string): boolean => /^(?:\/|~\/|[A-Za-z]:\\)./.test(word)
/** "mortgage_offer.pdf", no person's name; "Dr.", "St. John" and "J.R." are none. */
const isFileName = (word: string): boolean => /[\p{L}\p{N}_-]{2,}\.(?=[a-z\d]*[a-z])[a-z\d]{2,4}$/u.test(word)
/** No name begins with one (LABELLING, "People": "the", "my", "our" is dropped); "The Ritz" and "A. Popescu" may. */
const isParticle = (word: string): boolean => /^(?:the|an?|my|our|your|his|her|their|its|and|or|to|with|at|on|in|for|of|from|by|about|me|him|us|them|it|i|that|this|is)$/.test(word)

/**
 * Alternatives as a tree: as a flat list, each of them is a path that llama.cpp walks for every token of the vocabulary
 * whenever the token that the model wants does not fit.
 */
function oneOf(texts: Iterable<string>): string {
  const branches = new Map<string, Set<string>>()
  let mayEnd = false
  for (const text of texts) {
    const [first] = text
    if (first === undefined) mayEnd = true
    else branches.set(first, (branches.get(first) ?? new Set()).add(text.slice(first.length)))
  }
  const options = [...branches].map(([first, rests]) => {
    const [only] = rests
    return rests.size === 1 && only !== undefined ? quoted(first + only) : `${quoted(first)} ${oneOf(rests)}`
  })
  return options.length === 0 ? '""' : `(${options.join(' | ')})${mayEnd ? '?' : ''}`
}

const bothCases = (words: string[]): string[] => words.flatMap(w => [w, capital(w)])
const calendar = oneOf(bothCases(calendarWords))

/** What "tell them that I'm late and she's welcome" may turn the request's own words into. */
const turned = oneOf(bothCases('i you he she we they me him her us them my your his our their is am are was were it that there here to'.split(' ')))

/**
 * Spans of the words, linear in their number: s_i ::= word_i (" " s_i+1)?. `name` begins the rules' names; a span begins at
 * a word that `mayStart` and goes on over those that are `usable`. `asWritten`: each
 * may begin with a small letter and keep its signs ("A+", "--dry-run").
 */
function spans(name: string, words: Word[], usable: (word: string) => boolean, mayStart: (word: string) => boolean = usable, asWritten = false): string[] {
  const rules = words.flatMap((w, i) => {
    if (!usable(w.core)) return []
    // "Ana's" is "Ana", "a/b" is either.
    const bare = w.core.replace(/['’]s?$/, '')
    const said = bothCases([w.core, bare, ...(isPath(w.core) ? [] : w.core.split(/[/&→–]/))]).filter(form => form !== '')
    const forms = asWritten ? [...said, ...said.map(form => form.charAt(0).toLowerCase() + form.slice(1)), `${w.lead}${w.core}${w.trail}`.replace(/^["'“‘(]+|[.,!?;:"'”’)]+$/g, '') || w.core] : said
    const trail = w.trail.replace(/[^.,!?;:)&'’-]/g, '')
    const next = words[i + 1]
    const on = next && usable(next.core) ? ` (" " ${next.lead ? `${quoted(next.lead)}? ` : ''}${name}${i + 1})?` : ''
    return [`${name}${i} ::= ${oneOf(forms)}${marks(trail)}${on}`]
  })
  const starts = startsOf(name, words, w => usable(w) && mayStart(w))
  return [...rules, `${name} ::= ${starts.length > 0 ? starts.join(' | ') : '"?"'}`]
}

const startsOf = (name: string, words: Word[], mayStart: (word: string) => boolean): string[] =>
  words.flatMap((w, i) => mayStart(w.core) ? [`${name}${i}`] : [])

const emails = (text: string): string[] => text.match(/[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu) ?? []
const phones = (text: string): string[] => (text.match(/[+(]?\d[\d\s()./-]{3,}\d/g) ?? []).map(p => p.trim())

/** kinds of result that may stand where `kind` is wanted */
export const resultFor = (kind: Kind): ResultKind | undefined =>
  kind === 'address' || kind === 'phone' || kind === 'path' ? kind : undefined

function refs(state: LineState, wanted: ResultKind | 'every'): number[] {
  const byName = new Map(state.tools.map(t => [t.name, t.returns]))
  return state.tasks.filter(t => {
    const returns = byName.get(t.tool) ?? 'none'
    return returns !== 'none' && (wanted === 'every' || returns === wanted || returns === 'any')
  }).map(t => t.id)
}

/** Words that say a number, some of them in a unit ("a quarter of an hour"). */
const numberWords: Record<string, number[]> = {
  a: [1], an: [1], once: [1], first: [1], next: [1], one: [1], two: [2], twice: [2], both: [2], couple: [2], pair: [2], second: [2], three: [3], third: [3], four: [4], five: [5],
  six: [6], seven: [7], eight: [8], nine: [9], ten: [10], eleven: [11], twelve: [12], dozen: [12], fifteen: [15], twenty: [20], thirty: [30], forty: [40], fifty: [50],
  sixty: [60], hundred: [100], thousand: [1000], half: [30, 0.5, 1.5], quarter: [15, 0.25, 3], day: [1], week: [7], fortnight: [14], month: [30], year: [365, 12], hour: [60],
}
/** Factors between units that people use for one thing: minutes and seconds, days and weeks, kilometres and metres. */
const unitFactors = [1, 60, 24, 7, 1000, 3600]

/** The words and the items between commas of a description may be values: "kind (annual, sick, unpaid)". */
function listedIn(description: string): string {
  const items = new Set([...description.split(/[\s,;:|/()'"“”]+/), ...description.split(/[,;:|()]|\bor\b/)].map(item => item.trim().replace(/\.$/, '')).filter(item => item !== '' && !item.includes('$')))
  return items.size === 0 ? '' : ` | "\\"" ${oneOf(items)} "\\""`
}

/** Texts for tools of others: the request's words in any order, with results between them. */
const copying = (words: Word[], money: string, hasRefs: boolean): string[] => [
  'copy ::= "\\"" (piece (" " piece)*)? "\\""',
  `piece ::= [#(']? (word | ${turned}${money}${hasRefs ? ' | ref' : ''}) [.,!?:;)']?`,
  ...spans('word', words, () => true, () => true, true),
]

/** What a number of the request may be as an argument, in any unit, and 0 for "not said". Never invented: "top_n" stays 0 where nothing counts. */
function numbersIn(text: string, isInteger: boolean): Set<string> {
  const words = text.toLowerCase().match(/\d[\d,.]*\d|\d|\p{L}+/gu) ?? []
  const said = words.flatMap(word => /\d/.test(word) ? [Number(word.replaceAll(',', '')), Number(word.replaceAll('.', '').replace(',', '.'))] : Object.hasOwn(numberWords, word) ? numberWords[word]! : [])
  const all = [0, ...said.filter(n => Number.isFinite(n)).flatMap(n => unitFactors.map(factor => n * factor))]
  return new Set(all.filter(n => n < 1e12 && (!isInteger || Number.isInteger(n))).map(n => String(Math.round(n * 1e6) / 1e6)).filter(n => !n.includes('e')))
}

/** What an argument that is not free text may be; "" when nothing fits yet. */
function typed(kind: Kind, state: LineState): string {
  const wanted = resultFor(kind)
  if (!wanted) return ''
  const {text} = state
  const spelled = kind === 'address' ? emails(text) : kind === 'phone' ? phones(text) : []
  const options = [...refs(state, wanted).map(id => `$${id}`), ...new Set(spelled)].map(s => literal(JSON.stringify(s)))
  // A path may hold spaces: it goes on as a span does.
  if (kind === 'path') options.push(...startsOf('span', wordsOf(text), isPath).map(start => `"\\"" ${start} "\\""`))
  // Spoken: "billing at northgate dot com", "oh seven double seven".
  if (kind === 'address' && /\b(at|@)\b.*\bdot\b/i.test(text)) options.push('"\\"" [a-zA-Z0-9._+-]{1,40} "@" [a-zA-Z0-9.-]{3,60} "\\""')
  if (kind === 'phone' && /\b(oh|zero|one|two|three|four|five|six|seven|eight|nine|double|plus)\b.*\b(zero|one|two|three|four|five|six|seven|eight|nine)\b/i.test(text)) options.push('"\\"" [0-9+] [0-9 ()-]{3,20} "\\""')
  return options.join(' | ')
}

function value(p: Param, state: LineState): string {
  switch (p.kind) {
    case 'person': return '"\\"" name "\\""'
    case 'file': return '"\\"" file "\\""'
    case 'place': case 'label': return '"\\"" span? "\\""'
    case 'when': case 'until': return '"\\"" when? "\\""'
    case 'address': case 'phone': case 'path': return typed(p.kind, state)
    case 'title': return 'title'
    case 'text': return 'text'
    case 'any': return state.mayRephrase ? 'text' : `copy${listedIn(p.description ?? '')}`
    case 'choice': return (p.values ?? []).map(v => literal(JSON.stringify(v))).join(' | ')
    case 'minutes': return '[0-9] [0-9]? [0-9]? [0-9]?'
    case 'integer': case 'number':
      if (p.optional && !state.mayRephrase) return oneOf(numbersIn(state.text, p.kind === 'integer'))
      return `"-"? [0-9]{1,12}${p.kind === 'integer' ? '' : ' ("." [0-9]{1,6})?'}`
    case 'boolean': case 'all-day': return '"true" | "false"'
  }
}

/** The largest lists of the seeds have six items. */
const maxItems = 15

/** The call of one tool, or undefined while one of its arguments cannot be had yet (no recipient was looked up). */
function call(spec: ToolSpec, index: number, state: LineState): string[] | undefined {
  const rules: string[] = []
  const names: string[] = []
  for (const [i, p] of paramsOf(spec).entries()) {
    const name = `t${index}a${i}`
    const item = value(p, state)
    const needed = !p.list || p.name === 'recipients'
    if (item === '' && needed) return undefined
    const list = item === '' ? '"[]"' : `"[" ${needed ? '' : '('}${name}i (", " ${name}i){0,${maxItems}}${needed ? '' : ')?'} "]"`
    if (p.list && item !== '') rules.push(`${name}i ::= ${item}`)
    rules.push(`${name} ::= ${p.list ? list : item}`)
    names.push(name)
  }
  rules.push(`t${index} ::= ${literal(`${spec.name}(`)} ${names.join(' ", " ')} ")"`)
  return rules
}

/** GBNF for what follows the next line's number: " tool(...)" or " join()". */
export function lineGrammar(state: LineState): string {
  const calls = state.tools.flatMap((spec, i) => {
    const rules = call(spec, i, state)
    return rules ? [{name: `t${i}`, rules}] : []
  })
  const words = wordsOf(state.text)
  const money = [...new Set(state.text.match(/\$\s?\d[\d.,]*/g))].map(m => ` | ${quoted(m.replace(/[.,]+$/, ''))}`).join('')
  const every = refs(state, 'every')
  return [
    `root ::= " " (${[...calls.map(c => c.name), '"join()"'].join(' | ')})`,
    ...calls.flatMap(c => c.rules),
    ...spans('span', words, () => true),
    ...spans('file', words, w => !emails(w).includes(w)),
    // "Year 4" is a name, "4" and a phone number are none.
    ...spans('name', words, w => !w.includes('@') && !isFileName(w) && (!isNumber(w) || /^\d{1,2}$/.test(w)), w => !isParticle(w) && !isNumber(w)),
    'when ::= wpiece (" " wpiece)*',
    `wpiece ::= clock | span | ${calendar}`,
    `clock ::= [0-9] [0-9]? ([:.h] [0-9] [0-9]${state.mayRephrase ? ' (":" [0-9] [0-9])?' : ''})? (" "? ("am" | "pm") | "h")? | [0-9] [0-9] [0-9] [0-9] "-" [0-9] [0-9] "-" [0-9] [0-9] | [0-9] [0-9]? ("st" | "nd" | "rd" | "th")`,
    `char ::= [^"\\\\$\\x00-\\x1f] | "\\\\" ["\\\\/nt]${money}`,
    'title ::= "\\"" char{0,120} "\\""',
    `text ::= "\\"" (char${every.length > 0 ? ' | ref' : ''})* "\\""`,
    ...(!state.mayRephrase && state.tools.some(t => paramsOf(t).some(p => p.kind === 'any')) ? copying(words, money, every.length > 0) : []),
    ...(every.length > 0 ? [`ref ::= ${every.map(id => literal(`$${id}`)).join(' | ')}`] : []),
  ].join('\n') + '\n'
}
