// Names of contacts that were heard but spelled otherwise, put right: "Jeffrey Lee" is Geoffrey Leigh where only he sounds so.
// Strict, since a wrong person is worse than an unknown one: what two contacts are near to stays, and so do ordinary words,
// what is quoted, and addresses. The limits were set on other names than those of docs/evaluation-voice.md.
import {doubleMetaphone} from 'double-metaphone'

export interface Correction { heard: string; written: string }

/** How far a name may be from what was heard: 0 sounds and looks the same, 1 has nothing in common. */
const limits = {
  /** a whole name, nothing of which is spelled right */
  whole: 0.25,
  /** ... in one word ("UKTanaka") */
  oneWord: 0.1,
  /** the rest of a name whose first or last word is spelled right ("Fatima Bernali") */
  rest: 0.3,
  /** that rest in words that were taken for ordinary ones ("Chidi Oku for") */
  ordinaryRest: 0.2,
  /** a first or last name alone */
  part: 0.07,
  /** a whole name that ran together with the verb before it ("Telling Grit Solberg" for "Tell Ingrid Solberg"); right ones had 0.04 to 0.25, wrong ones 0.31 or more */
  afterVerb: 0.2,
}
/** Other people have to be that much farther from what was heard. */
const margin = 0.12
/** What is heard of a name has up to so many words more than it ("Oluo soon a Demi"). */
const extraWords = 3
/** Of the longer one's letters, at most that share more. */
const lengthShare = 0.3
/** A name of fewer sounds (consonants, and a vowel at the start) is too short to be known by them; after a verb the first name: "Callan" is nobody's "call Ann". */
const fewestSounds = {whole: 3, ordinaryRest: 3, part: 2, afterVerb: 3}

interface Sound { letters: string; codes: string[] }
interface Word { at: number; end: number; letters: string; isCapital: boolean; isFixed: boolean; isFree: boolean }
interface Person { name: string; parts: string[]; whole: Sound; afterFirst: Sound; beforeLast: Sound }
interface Candidate { from: number; to: number; /** whose name it may be: several share a first name */ names: string[]; written: string; distance: number; limit: number; /** that stands before the name in `written` */ verb?: string }

/**
 * `people`: the names of all contacts. Gives the text with their spelling, and what was changed, in the order of the text.
 * A name that is spelled right stays as it is.
 */
export function withContacts(text: string, people: string[]): {text: string; corrections: Correction[]} {
  const persons = [...new Set(people.map(name => name.normalize('NFC').replace(/\s+/g, ' ').trim()))].flatMap(personOf)
  const words = wordsOf(text)
  const near = [...candidatesIn(text, words, persons), ...joinedIn(text, words, persons)].sort(byRank)
  const chosen: Candidate[] = []
  for (const best of near) {
    const isOther = (c: Candidate): boolean => !c.names.some(name => best.names.includes(name)) || (c.verb ?? best.verb) !== (best.verb ?? c.verb)
    const others = near.filter(c => c.from < best.to && best.from < c.to && isOther(c))
    if (best.distance > best.limit || best.names.length !== 1 || others.some(c => c.distance < best.distance + margin)) continue
    if (chosen.every(c => c.to <= best.from || best.to <= c.from)) chosen.push(best)
  }
  const corrections: Correction[] = []
  let out = ''
  let at = 0
  for (const {from, to, written} of chosen.sort((a, b) => a.from - b.from)) {
    const {at: start} = words[from]!
    const {end} = words[to - 1]!
    const heard = text.slice(start, end)
    if (heard.normalize('NFC') === written) continue
    out += `${text.slice(at, start)}${written}`
    at = end
    corrections.push({heard, written})
  }
  return {text: out + text.slice(at), corrections}
}

// --- what was heard

/** English writes these with a capital, and they are no names of people here. */
const noNames = new Set(('i monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december ' +
  'christmas easter english german french spanish italian chinese japanese zoom google').split(' '))

const fixedText = /"[^"]*"|“[^”]*”|\S*(?:[@/\\_\d]|\p{L}\.\p{L})\S*/gu
const wordPattern = /(?<![\p{L}\p{M}]['’])[\p{L}\p{M}]+(?:['’](?!s(?![\p{L}\p{M}]))[\p{L}\p{M}]+)*/gu
const sentenceStart = /(?:^|[.?!:]["”)]?\s+|\n\s*)$/u

/** Words that a name may be in: a capital at the start of a sentence says nothing, and what is quoted or an address is not free. */
function wordsOf(text: string): Word[] {
  const fixed = [...text.matchAll(fixedText)].map(m => [m.index, m.index + m[0].length] as const)
  return [...text.matchAll(wordPattern)].map(({0: word, index: at}) => {
    const end = at + word.length
    const isFixed = fixed.some(([from, to]) => at < to && from < end)
    return {
      at, end, letters: lettersOf(word), isCapital: /^\p{Lu}/u.test(word) && !noNames.has(word.toLowerCase()),
      isFixed, isFree: !isFixed && !sentenceStart.test(text.slice(0, at)),
    }
  })
}

/** The nearest first; a whole name before a part of it, and what is spelled right before all others. Those beyond their limit are there to be in the way of others. */
function candidatesIn(text: string, words: Word[], persons: Person[]): Candidate[] {
  const parts = new Map<string, {sound: Sound; written: Set<string>; names: Set<string>}>()
  for (const {name, parts: own} of persons) {
    for (const part of own) {
      const known = parts.get(lettersOf(part)) ?? {sound: soundOf(part), written: new Set(), names: new Set()}
      parts.set(lettersOf(part), {...known, written: known.written.add(part), names: known.names.add(name)})
    }
  }
  const isKnown = (word: Word): boolean => parts.has(word.letters)
  const found: Candidate[] = []
  const mostWords = Math.max(0, ...persons.map(p => p.parts.length)) + extraWords
  for (const [from, first] of words.entries()) {
    for (let to = from + 1; to <= Math.min(words.length, from + mostWords); to++) {
      const span = words.slice(from, to)
      const last = span.at(-1)!
      if (!last.isFree || (to - from > 1 && !/^[ -]$/.test(text.slice(span.at(-2)!.end, last.at)))) break
      if (!first.isFree || text[first.at - 1] === '-') break
      if (text[last.end] === '-') continue
      const soundIn = sounds(span)
      for (const person of persons) {
        if (span.length > person.parts.length + extraWords) continue
        // Words that are all spelled as somebody's name are people that this book has not together.
        const distance = soundIn.all.letters === person.whole.letters ? {distance: 0, limit: limits.whole}
          : span.every(isKnown) ? undefined : wholeDistance(span, person, soundIn)
        if (distance) found.push({from, to, names: [person.name], written: person.name, ...distance})
      }
      // A word beside it with a capital makes it the name of somebody else.
      const beside = [words[from - 1], words[to]].some((w, i) => w?.isCapital && w.isFree && /^[ -]$/.test(i === 0 ? text.slice(w.end, first.at) : text.slice(last.end, w.at)))
      if (beside || !first.isCapital || !last.isCapital || span.length > 2 || span.some(isKnown)) continue
      for (const {sound, written, names} of parts.values()) {
        const distance = soundIn.all.codes.every(c => c.length >= fewestSounds.part) ? distanceOf(soundIn.all, sound, limits.part) : undefined
        if (distance !== undefined && endsAlike(soundIn.all.letters, sound.letters)) {
          found.push({from, to, names: [...names], written: [...written][0]!, distance, limit: limits.part})
        }
      }
    }
  }
  return found
}

const rank = (c: Candidate): number => (c.distance === 0 && c.verb === undefined ? 0 : c.written.includes(' ') ? 1 : 2)
const byRank = (a: Candidate, b: Candidate): number => rank(a) - rank(b) || a.distance / a.limit - b.distance / b.limit || (a.to - a.from) - (b.to - b.from)

// --- names that ran together with the verb before them

/** A request begins with these, and a name follows. */
const verbs = ['call', 'text', 'email', 'tell', 'ask', 'invite', 'message', 'remind', 'let']
const opening = /(?:^|[.?!]\s+|\n\s*|(?:^|\s)(?:please,? |(?:can|could|will|would) you |(?:remind me|forget|have|need|want) to ))$/iu
/** What goes on so after a name is a request: in "Colandra Reed moved" she is no "call Andra Reed". The end says nothing, a name alone may be an answer. */
const goingOn = /^,?\s+(?:about|after|again|at|back|before|by|for|from|how|if|in|into|know|now|of|on|once|over|please|that|the|this|to|today|tomorrow|tonight|what|when|where|whether|who|why|with)(?![\p{L}\p{M}'’-])/iu

/** Whole names only: "Calendar for tomorrow" sounds like "Call Lander for tomorrow". */
function joinedIn(text: string, words: Word[], persons: Person[]): Candidate[] {
  const found: Candidate[] = []
  const known = new Set(persons.flatMap(({parts}) => parts.map(lettersOf)))
  for (const [from, first] of words.entries()) {
    if (first.isFixed || !first.isCapital || verbs.includes(first.letters) || known.has(first.letters) || !opening.test(text.slice(0, first.at))) continue
    const isStart = sentenceStart.test(text.slice(0, first.at))
    for (let to = from + 1; to <= words.length; to++) {
      const span = words.slice(from, to)
      const last = span.at(-1)!
      if (last.isFixed || (to - from > 1 && !/^[ -]$/.test(text.slice(span.at(-2)!.end, last.at)))) break
      if (!last.isCapital || !goingOn.test(text.slice(last.end))) continue
      const heard = sounds(span)
      const alikeVerbs = verbs.filter(verb => soundOf(verb).codes.some(code => heard.all.codes.some(own => own[0] === code[0])))
      for (const {name, parts, whole} of persons) {
        if (parts.length < 2 || span.length > parts.length + extraWords) continue
        // Only in the way of others: a name at the start of a sentence may be misspelled, and it is no verb's.
        const withoutVerb = distanceOf(heard.all, whole, limits.whole)
        if (withoutVerb !== undefined) found.push({from, to, names: [name], written: name, distance: withoutVerb, limit: -1})
        if (soundOf(parts[0]!).codes.some(c => c.length < fewestSounds.afterVerb)) continue
        const isLastRight = span.length > 1 && last.letters === lettersOf(parts.at(-1)!)
        for (const verb of alikeVerbs) {
          if (verb === 'let' && !/^ know\b/i.test(text.slice(last.end))) continue
          const theirs = soundOf(verb + (isLastRight ? parts.slice(0, -1) : parts).join(''))
          const distance = distanceOf(isLastRight ? heard.beforeLast : heard.all, theirs, limits.afterVerb)
          if (distance === undefined) continue
          // The verb's letters bring a name no nearer.
          const ofName = distance * theirs.letters.length / (theirs.letters.length - verb.length)
          const written = `${isStart ? verb[0]!.toUpperCase() : verb[0]!}${verb.slice(1)} ${name}`
          found.push({from, to, names: [name], written, distance: ofName, limit: limits.afterVerb, verb})
        }
      }
    }
  }
  return found
}

interface SpanSounds { all: Sound; afterFirst: Sound; beforeLast: Sound }
const sounds = (span: Word[]): SpanSounds => {
  const letters = span.map(w => w.letters)
  return {all: soundOf(letters.join('')), afterFirst: soundOf(letters.slice(1).join('')), beforeLast: soundOf(letters.slice(0, -1).join(''))}
}

/** How far a whole name is from words of a text; undefined: too far, or they are ordinary words. */
function wholeDistance(span: Word[], {parts, whole, afterFirst, beforeLast}: Person, heard: SpanSounds): {distance: number; limit: number} | undefined {
  if (parts.length < 2) return undefined
  for (const [isSame, rest, own, theirs] of [
    [span[0]!.letters === lettersOf(parts[0]!), span.slice(1), heard.afterFirst, afterFirst],
    [span.at(-1)!.letters === lettersOf(parts.at(-1)!), span.slice(0, -1), heard.beforeLast, beforeLast],
  ] as const) {
    if (!isSame || rest.length === 0) continue
    const isName = rest[0]!.isCapital
    if (!isName && theirs.codes.some(c => c.length < fewestSounds.ordinaryRest)) return undefined
    const limit = isName ? limits.rest : limits.ordinaryRest
    const distance = distanceOf(own, theirs, limit)
    return distance === undefined ? undefined : {distance, limit}
  }
  if (!span[0]!.isCapital || !span.at(-1)!.isCapital || whole.codes.some(c => c.length < fewestSounds.whole)) return undefined
  const limit = span.length === 1 ? limits.oneWord : limits.whole
  const distance = distanceOf(heard.all, whole, limit)
  return distance === undefined ? undefined : {distance, limit}
}

// --- how alike names are

function personOf(name: string): Person[] {
  const parts = name.split(/[\s-]+/).filter(part => lettersOf(part) !== '')
  if (parts.length === 0) return []
  return [{name, parts, whole: soundOf(parts.join('')), afterFirst: soundOf(parts.slice(1).join('')), beforeLast: soundOf(parts.slice(0, -1).join(''))}]
}

/** Letters that Unicode does not take apart into a base letter and a mark. */
const plain: Record<string, string> = {ø: 'o', ł: 'l', đ: 'd', ß: 'ss', æ: 'ae', œ: 'oe', ı: 'i', þ: 'th', ð: 'd'}
const lettersOf = (text: string): string =>
  text.toLowerCase().normalize('NFD').replace(/[^\p{L}]+/gu, '').replace(/[øłđßæœıþð]/gu, letter => plain[letter]!)

function soundOf(text: string): Sound {
  const letters = lettersOf(text)
  return {letters, codes: [...new Set(doubleMetaphone(letters))]}
}

/** The mean of how far the sounds are apart (at best, of two pronunciations each) and the letters; undefined where it says nothing, beyond `limit` and the margin. */
function distanceOf(a: Sound, b: Sound, limit: number): number | undefined {
  const longest = Math.max(a.letters.length, b.letters.length)
  if (a.letters === '' || b.letters === '' || Math.abs(a.letters.length - b.letters.length) > lengthShare * longest) return undefined
  const letters = edits(a.letters, b.letters, letterCosts) / longest
  if (letters / 2 > limit + margin) return undefined
  const codes = Math.min(...a.codes.flatMap(x => b.codes.map(y => edits(x, y, soundCosts) / Math.max(x.length, y.length, 1))))
  const distance = (letters + codes) / 2
  return distance <= limit + margin ? distance : undefined
}

/** "Maria" is not Mario, and "Paul" not Paula. */
const endsAlike = (a: string, b: string): boolean => {
  const end = (letters: string): string => /[ao]$/.exec(letters)?.[0] ?? ''
  return end(a) === end(b)
}

interface Costs { change: (a: string, b: string) => number; drop: (letter: string, before: string | undefined) => number }

const vowels = 'aeiouy'
const letterCosts: Costs = {
  change: (a, b) => vowels.includes(a) && vowels.includes(b) ? 0.4 : 1,
  // A doubled letter and an h are often silent.
  drop: (letter, before) => letter === before || letter === 'h' ? 0.2 : vowels.includes(letter) ? 0.5 : 1,
}
/** Sounds that are easily taken for each other, in double metaphone's letters: X is "sh", 0 "th", A a vowel at the start. */
const alike = ['PF', 'SX', 'XJ', 'SJ', 'T0', 'F0', 'MN', 'LR', 'KH', 'AH', 'KX', 'TX', 'TJ', 'AF', 'AJ']
const soundCosts: Costs = {
  change: (a, b) => alike.some(pair => pair.includes(a) && pair.includes(b)) ? 0.5 : 1,
  drop: letter => letter === 'A' || letter === 'H' ? 0.4 : 1,
}

/** The cheapest edits that make `b` of `a`. */
function edits(a: string, b: string, {change, drop}: Costs): number {
  let row = [0]
  for (let j = 0; j < b.length; j++) row.push(row[j]! + drop(b[j]!, b[j - 1]))
  for (let i = 0; i < a.length; i++) {
    const next = [row[0]! + drop(a[i]!, a[i - 1])]
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j]! + (a[i] === b[j] ? 0 : change(a[i]!, b[j]!)), row[j + 1]! + drop(a[i]!, a[i - 1]), next[j]! + drop(b[j]!, b[j - 1])))
    }
    row = next
  }
  return row.at(-1)!
}
