// Which contacts a name means: the best kind of match that there is, and whether it is sure. Guesses (a beginning of a name,
// a typo) come last and are sure only where one contact stands out.
import Fuse from 'fuse.js'
import type {Contact} from './contacts.ts'

export interface Found {
  contacts: Contact[]
  /** false: ask, even when there is only one */
  isSure: boolean
}

/** Letters that Unicode does not take apart into a base letter and a mark. */
const plain: Record<string, string> = {ø: 'o', ł: 'l', đ: 'd', ß: 'ss', æ: 'ae', œ: 'oe', ı: 'i', þ: 'th', ð: 'd'}

/** Lower case, words only: "Dr. O'Neil-Díaz" -> "dr oneil díaz". */
const words = (text: string): string =>
  text.normalize('NFC').toLowerCase().replace(/['’ʼ]s\b(?=\s*$)/u, '').replace(/['’ʼ]/gu, '').replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ').trim()

/** As `words`, without accents. */
export const folded = (text: string): string =>
  words(text).normalize('NFD').replace(/\p{M}+/gu, '').replace(/[øłđßæœıþð]/gu, letter => plain[letter] ?? letter)

const articles = /^(?:the|my|our|his|her|their) /
const titles = /^(?:(?:dr|doctor|mr|mrs|ms|miss|mx|prof|professor|sir|madam|uncle|aunt|auntie|aunty|cousin|coach|father|sister|brother|captain) )+/

const names = (c: Contact): string[] => [c.name, `${c.given} ${c.family}`, `${c.family} ${c.given}`, ...c.nicknames]
const nameWords = (c: Contact): string => [c.name, c.given, c.family, ...c.nicknames].join(' ')

/** All words of `query` are words of `text`. */
const holds = (text: string, query: string): boolean => {
  const all = new Set(text.split(' '))
  return query.split(' ').every(word => all.has(word))
}

/** Every word of `query` begins a word of `text`; "Dan" for Daniel. */
const begins = (text: string, query: string): boolean => {
  const all = text.split(' ')
  return query.length >= 3 && query.split(' ').every(word => all.some(other => other.startsWith(word)))
}

/** From the surest to the least sure; `fold` brings text and query to one form. */
type Fold = (text: string) => string
const rules: ((contact: Contact, query: string, fold: Fold) => boolean)[] = [
  (c, query, fold) => names(c).some(name => fold(name) === query),
  (c, query, fold) => holds(fold(nameWords(c)), query),
  (c, query, fold) => [...c.roles, ...c.groups].some(role => fold(role) === query),
  (c, query, fold) => [...c.roles, ...c.groups].some(role => holds(fold(role), query)),
]

/** The contacts that `name` means; exact before partial, as written before without accents, names before roles and groups. */
export function match(contacts: Contact[], name: string): Found {
  for (const fold of [words, folded]) {
    const query = fold(name)
    if (!query) return {contacts: [], isSure: true}
    for (const form of new Set([query, query.replace(articles, ''), query.replace(articles, '').replace(titles, '')])) {
      for (const rule of form ? rules : []) {
        const found = contacts.filter(contact => rule(contact, form, fold))
        if (found.length > 0) return {contacts: found, isSure: true}
      }
    }
  }
  return guess(contacts, folded(name).replace(articles, '').replace(titles, ''))
}

/** How many guesses are worth showing. */
const maxGuesses = 5

function guess(contacts: Contact[], query: string): Found {
  const shortened = contacts.filter(contact => begins(folded(nameWords(contact)), query))
  if (shortened.length > 0) return {contacts: shortened.slice(0, maxGuesses), isSure: false}
  const forms = contacts.flatMap(contact => [...names(contact), contact.given, contact.family].map(name => ({contact, form: folded(name)})))
  // Sure: one slip in a whole, long name, and no other name so near. "Anna" for Ana is asked about: it may be another person.
  const slips = new Set(forms.filter(({form}) => isOneSlip(form, query)).map(({contact}) => contact))
  const [only] = slips
  if (only && slips.size === 1 && query.includes(' ') && query.length >= 8) return {contacts: [only], isSure: true}
  // 0.34: one wrong letter in three; beyond that the suggestions look like nonsense.
  const fuse = new Fuse(forms.filter(({form}) => form.length > 2), {keys: ['form'], threshold: 0.34})
  const near = fuse.search(query).filter(({item}) => Math.abs(item.form.length - query.length) <= 3)
  return {contacts: [...new Set(near.map(hit => hit.item.contact))].slice(0, maxGuesses), isSure: false}
}

/** One letter too many, too few or wrong, or two neighbours swapped. */
function isOneSlip(a: string, b: string): boolean {
  const shorter = Math.min(a.length, b.length)
  let start = 0
  while (start < shorter && a[start] === b[start]) start++
  let end = 0
  while (end < shorter - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const [x, y] = [a.slice(start, a.length - end), b.slice(start, b.length - end)]
  return (x.length <= 1 && y.length <= 1) || (x.length === 2 && y.length === 2 && x[0] === y[1] && x[1] === y[0])
}
