// What was said, as a person would have typed it: punctuation said by name, addresses spelled out, times and numbers in figures.
// A sentence that merely mentions such a word ("a comma is missing", "look at example.org") stays as it is.
import {withFigures} from './figures.ts'

/** `text`: what Whisper heard. Ordinary sentences come back unchanged, but for the space round them. */
export function spokenToTyped(text: string): string {
  return withMarks(withFigures(withAddresses(text.replace(/[^\S\n]+/g, ' ').trim())))
}

// --- addresses: "ana dot lopez at example dot org", as Whisper writes them: "Ana.Lopez at Example.org", "ana at example dot org"

/** Enough to tell an address from a sentence. */
const endings = 'com|org|net|edu|gov|info|io|dev|app|ai|co|eu|uk|us|de|fr|es|it|nl|be|ch|at|pt|pl|se|no|dk|fi|ie|in|ca|au|nz|jp|br|mx'
const host = String.raw`[a-z0-9-]+(?:(?: dot |\.)[a-z0-9-]+)*(?: dot |\.)(?:${endings})(?![\p{L}\p{N}-])`
const joiner = String.raw`(?: dot | underscore | hyphen | dash | plus |[._+-])`
/** A name before "at": one word, or words joined by dots and the like. */
const local = String.raw`[\p{L}\p{N}]+(?:${joiner}[\p{L}\p{N}]+)*`
const spokenAddress = new RegExp(String.raw`(?<cue>[\p{L}'-]+[,:]? )?(?<![\p{L}\p{N}._+-])(?<local>${local}) ?(?: at |@) ?(?<host>${host})`, 'giu')
/** What stands before an address when it is one: "email ana at ...", "her address is ana at ...". */
const cue = /^(?:e-?mail|mail|to|cc|bcc|address|is|write|contact|invite|forward|copy|and|or|with|from|for|add)[,:]? $/i
/** Words that stand before "at" in a sentence. */
const noName = /^(?:me|us|you|him|her|it|them|look|page|site|website|address|online|available|order|shop|up|found|is|are|was|be|meet|meeting|account|profile|e-?mail|check|here|there|someone|anyone|everyone|people|team|support desk)$/i
const symbols: Record<string, string> = {dot: '.', underscore: '_', hyphen: '-', dash: '-', plus: '+'}
const joined = (words: string): string => words.replace(/ (dot|underscore|hyphen|dash|plus) /gi, (_, word: string) => symbols[word.toLowerCase()]!)
const spokenHost = new RegExp(String.raw`(?<![\p{L}\p{N}@.-])(?:www(?: dot |\.))?[a-z0-9-]+(?: dot [a-z0-9-]+)* dot (?:${endings})(?![\p{L}\p{N}-])`, 'giu')

function withAddresses(text: string): string {
  return text
    .replace(spokenAddress, (all: string, ...rest: unknown[]) => {
      const groups = rest.at(-1) as {cue?: string; local: string; host: string}
      const isSpelled = /@/.test(all) || new RegExp(` (?:dot|underscore|hyphen|dash|plus) |[._+]`, 'i').test(groups.local)
      const isNamed = cue.test(groups.cue ?? '') || groups.cue === undefined
      if (!isSpelled && (!isNamed || noName.test(groups.local))) return all
      return `${groups.cue ?? ''}${letters(joined(groups.local))}@${joined(groups.host)}`.replace(/\S+@\S+$/, address => address.toLowerCase())
    })
    // "the dot com bubble" is no site.
    .replace(spokenHost, (all: string) => /^(?:the|a|an|this|that|every|each)\b/i.test(all) ? all : joined(all))
}

/** "J-O-N" is spelled; "anna-maria" is a name. */
const letters = (name: string): string => /^\p{L}(?:-\p{L})+$/u.test(name) ? name.replaceAll('-', '') : name

// --- punctuation

interface Mark { said: string; typed: string; /** words after which it is the word itself */ before?: string; /** words before which it is */ after?: string }

const determiner = 'a|an|the|this|that|these|those|my|your|his|her|its|our|their|one|no|any|each|every|another|missing|extra|of|is|with|without|type|add|insert|use|say'
const goesOn = 'is|was|are|were|of|in|on|at|for|ends?|starts?|goes|went|after|before|between|here|there|key|should|must|can|that|which'
const marks: Mark[] = [
  {said: 'new paragraph', typed: '\n\n'},
  {said: 'new line', typed: '\n'},
  {said: 'question mark', typed: '?'},
  {said: 'exclamation (?:mark|point)', typed: '!'},
  {said: 'full stop', typed: '.', before: 'come|comes|came|to'},
  {said: 'semicolon', typed: ';'},
  {said: 'colon', typed: ':', after: 'cancer|screening|cleanse|surgery'},
  {said: 'comma', typed: ',', before: 'oxford|serial|inverted', after: 'splice|separated|and'},
]
const pairs: [said: RegExp, typed: string][] = [
  [/\b(?:open )?quote[,:]? (.+?)[,.]? (?:close quote|unquote|end quote)(?![\p{L}])/giu, '"$1"'],
  [/\bopen (?:parenthesis|bracket)[,:]? (.+?)[,.]? close (?:parenthesis|bracket)(?![\p{L}])/giu, '($1)'],
]

function withMarks(text: string): string {
  let out = pairs.reduce((all, [said, typed]) => all.replace(said, typed), text)
  for (const {said, typed, before, after} of marks) {
    const noWordBefore = `(?<!\\b(?:${[determiner, before].filter(Boolean).join('|')}) )`
    const noWordAfter = `(?! (?:${[goesOn, after].filter(Boolean).join('|')})(?![\\p{L}]))`
    // The pause round a spoken mark is often written as a mark of its own.
    out = out.replace(new RegExp(`(?<=[^ ])[,.;:]? ${noWordBefore}${said}(?![\\p{L}'-])${noWordAfter}[,.;:?!]? ?`, 'giu'), `${typed}${typed.startsWith('\n') ? '' : ' '}`)
  }
  // "Period" is a word of its own right: only where a pause stands on both sides of it.
  out = out.replace(/[,.;]? (?<=[,.;!?] )period(?:[.,!]|$) ?/giu, '. ')
  return out === text ? text : capitalized(out.replace(/ +\n/g, '\n').trim())
}

/** The first letter of a sentence that a spoken mark began. */
const capitalized = (text: string): string => text.replace(/([.?!] |\n)(\p{Ll})/gu, (_, mark: string, letter: string) => mark + letter.toUpperCase())
