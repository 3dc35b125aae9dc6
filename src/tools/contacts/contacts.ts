// Contacts: names become addresses and numbers.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {arg} from '../../core/params.ts'
import {oneLine} from '../../core/text.ts'
import {tool, type Candidate, type CutOff, type Json, type Question, type Result, type Settled, type Tool, type ToolContext, type ToolSpec} from '../../core/types.ts'
import {isAddress, readNumber} from './address.ts'
import type {Found} from './match.ts'

export interface Contact {
  /** unique in its backend */
  id: string
  name: string
  given: string
  family: string
  nicknames: string[]
  /** titles, roles and organisations with their units: "Plumber", "Acme", "Marketing" */
  roles: string[]
  /** categories: "Design team" */
  groups: string[]
  phones: Channel[]
  emails: Channel[]
  /** a card that stands for a group, whose channels are its own or else its members' */
  isGroup: boolean
}

/** One number or address, as stored. `kinds` in lower case: cell, home, work, fax. */
export interface Channel { value: string; kinds: string[]; isPreferred: boolean }

export type Field = 'phone' | 'email'

export interface ContactsBackend {
  all(): Promise<Contact[]>
  /** ... as they are now, and not in a copy from before. Throws ToolError where that can't be known. */
  allNow(signal: AbortSignal): Promise<Contact[]>
  find(name: string): Promise<Found>
  /** The name on the card that has this address or number. */
  nameOf(addressOrNumber: string): Promise<string | undefined>
  /**
   * Adds to the one card of exactly that name, or makes a card. `value` has been checked. Gives back what `takeBack` needs;
   * undefined where it was there already.
   */
  save(name: string, field: Field, value: string): Promise<Json | undefined>
  /** Undoes a `save`. Throws ToolError 'refused' where the card has changed since. */
  takeBack(token: Json): Promise<void>
}

export interface ContactsDeps {
  /** ISO code ("GB") of the country that numbers without "+" belong to */
  country?: string
}

export const getPhoneNumber = {
  name: 'get_phone_number',
  description: "Look up a person's phone number.",
  args: z.object({name: arg.person()}),
  effect: 'read',
  returns: 'phone',
} satisfies ToolSpec

export const getEmailAddress = {
  name: 'get_email_address',
  description: "Look up a person's email address.",
  args: z.object({name: arg.person()}),
  effect: 'read',
  returns: 'address',
} satisfies ToolSpec

/** The value of a look-up is the bare number or address; of a group without one of its own, those of its members with ", " between them. */
export const contactsTools = (backend: ContactsBackend, deps: ContactsDeps = {}): Tool[] => [
  tool({...getPhoneNumber, preview: async ({name}) => preview(name, 'phone'), run: ({name}, context) => lookUp({backend, deps, context, field: 'phone'}, name), settle: settleSave(backend), undo: token => takeBack(backend, token)}),
  tool({...getEmailAddress, preview: async ({name}) => preview(name, 'email'), run: ({name}, context) => lookUp({backend, deps, context, field: 'email'}, name), settle: settleSave(backend), undo: token => takeBack(backend, token)}),
]

/** What can be cut off of a look-up is the keeping of an answer; its journal names the person and what was typed. */
const settleSave = (backend: ContactsBackend) => async (args: {name: string; phone?: unknown; email?: unknown}, {signal}: CutOff): Promise<Settled> => {
  const value = String(args.phone ?? args.email ?? '')
  const contacts = await backend.allNow(signal)
  const isKept = contacts.some(c => c.name.toLowerCase() === oneLine(args.name).toLowerCase() && [...c.phones, ...c.emails].some(channel => channel.value === value))
  return isKept ? {state: 'done', summary: `Saved ${oneLine(value)} to the contacts as ${oneLine(args.name)}'s`} : {state: 'failed', summary: `${oneLine(value)} is not in ${oneLine(args.name)}'s contact.`}
}

/** A look-up changes nothing; what can be taken back is an answer that it kept. */
async function takeBack(backend: ContactsBackend, token: Json): Promise<string> {
  await backend.takeBack(token)
  return 'Took it out of the contacts'
}

const label: Record<Field, string> = {phone: 'phone number', email: 'email address'}
const short: Record<Field, string> = {phone: 'number', email: 'address'}

const preview = async (name: string, field: Field) =>
  ({effect: 'read' as const, title: `Look up a${field === 'email' ? 'n' : ''} ${label[field]}`, fields: [{label: 'Name', value: name, arg: 'name'}]})

interface LookUp { backend: ContactsBackend; deps: ContactsDeps; context: ToolContext; field: Field }

async function lookUp(look: LookUp, name: string): Promise<Result> {
  look.context.signal.throwIfAborted()
  const {contacts, isSure} = await look.backend.find(name)
  const [first, ...others] = contacts
  const unknown = `There is no "${oneLine(name)}" in your contacts.`
  if (!first) return askFor(look, name, unknown)
  const having = contacts.filter(contact => channels(contact, look.field).length > 0)
  if (isSure && others.length === 0) {
    return having.length > 0 ? oneContact(look, first) : askFor(look, first.name, `${oneLine(first.name)} has no ${label[look.field]} in your contacts.`)
  }
  if (having.length === 0 && !isSure) return askFor(look, name, unknown)
  if (having.length === 0) {
    throw new ToolError('not-found', `None of ${contacts.map(c => oneLine(c.name)).join(', ')} has a${look.field === 'email' ? 'n' : ''} ${label[look.field]} in your contacts. Say it in the request, or add it to the right card.`)
  }
  if (isSure && isOnePerson(contacts, look.field)) return oneContact(look, first)
  const candidates = [...everyone(name, having, look.field), ...having.flatMap(contact => candidatesOf(contact, look.field))]
  if (isSure) return pick(look, `Which "${oneLine(name)}" is meant?`, candidates)
  return pick(look, `${unknown} Who is meant?`, candidates, () => askFor(look, name, unknown))
}

/** Several cards of one name with one and the same value: a copy, as imports leave them. */
const isOnePerson = (contacts: Contact[], field: Field): boolean =>
  new Set(contacts.map(c => c.name.toLowerCase())).size === 1 && new Set(contacts.map(c => channels(c, field).map(({value}) => value).join(' '))).size === 1

/** Usable and each once; a fax answers neither calls nor messages. */
function channels(contact: Contact, field: Field): Channel[] {
  const all = field === 'email' ? contact.emails : contact.phones.filter(phone => !phone.kinds.some(kind => kind === 'fax' || kind === 'pager'))
  return [...new Map(all.toReversed().map(channel => [channel.value, channel])).values()].reverse()
}

async function oneContact(look: LookUp, contact: Contact): Promise<Result> {
  const all = channels(contact, look.field)
  if (contact.isGroup) return found(look, contact.name, all.map(c => c.value).join(', '))
  const chosen = best(all)
  if (chosen) return found(look, contact.name, chosen.value)
  return pick(look, `Which ${label[look.field]} of ${oneLine(contact.name)}?`, candidatesOf(contact, look.field))
}

/** The only one, the only mobile, the only preferred one, the only preferred mobile; else the user has to say. */
function best(all: Channel[]): Channel | undefined {
  const mobile = all.filter(c => c.kinds.includes('cell') || c.kinds.includes('mobile') || c.kinds.includes('iphone'))
  const preferred = all.filter(c => c.isPreferred)
  return [all, mobile, preferred, mobile.filter(c => c.isPreferred)].find(some => some.length === 1)?.[0]
}

const candidatesOf = (contact: Contact, field: Field): Candidate[] => channels(contact, field).map(({value, kinds}) => {
  const about = [...kinds, ...contact.roles].map(oneLine).filter(Boolean).join(', ')
  return {value, label: `${oneLine(contact.name)}: ${oneLine(value)}`, ...(about && {detail: about})}
})

/** All of a category in one answer, when the name was that of a category. */
function everyone(name: string, contacts: Contact[], field: Field): Candidate[] {
  const group = contacts[0]?.groups.find(g => contacts.length > 1 && contacts.every(c => c.groups.includes(g)) && g.toLowerCase().includes(name.trim().toLowerCase()))
  if (group === undefined) return []
  const values = contacts.map(contact => (best(channels(contact, field)) ?? channels(contact, field)[0])?.value).filter(value => value !== undefined)
  return [{value: [...new Set(values)].join(', '), label: `Everyone in ${oneLine(group)} (${contacts.length})`, detail: values.map(oneLine).join(', ')}]
}

/** `otherwise`: what follows when it is none of them, where that is an answer. */
async function pick(look: LookUp, title: string, candidates: Candidate[], otherwise?: () => Promise<Result>): Promise<Result> {
  const unique = [...new Map(candidates.toReversed().map(c => [c.value, c])).values()].reverse()
  const answer = await look.context.ask({type: 'pick', title, candidates: [...unique, ...otherwise ? [{value: '', label: 'Someone else'}] : []]})
  if (otherwise && answer?.value === '') return otherwise()
  const chosen = unique.find(candidate => candidate.value === answer?.value)
  if (!chosen) {
    throw new ToolError('ambiguous', `${title} ${unique.map(c => c.label).join('; ')}. Say the full name, or the ${short[look.field]} itself.`, {candidates: unique})
  }
  return {value: chosen.value, summary: `Chose ${chosen.label}`}
}

const maxTries = 3

async function askFor(look: LookUp, name: string, problem: string): Promise<Result> {
  const {field, context, backend, deps} = look
  const placeholder = field === 'email' ? 'name@example.org' : '+44 7700 900123'
  const question = {type: 'input', placeholder, save: {name, field}} as const
  let title = `${problem} What is the ${label[field]}?`
  for (let n = 0; n < maxTries; n++) {
    const answer = await context.ask({...question, title} satisfies Question)
    if (!answer?.value.trim()) break
    const typed = answer.value.trim()
    const value = field === 'phone' ? await readNumber(typed, deps.country) : isAddress(typed) ? typed : undefined
    if (value === undefined) {
      title = `"${oneLine(typed)}" is not a${field === 'email' ? 'n' : ''} ${label[field]}. What is ${oneLine(name)}'s ${label[field]}?`
      continue
    }
    context.signal.throwIfAborted()
    if (answer.save) await context.aside({name, [field]: value}, async () => {
      const undo = await backend.save(name, field, value)
      return {value, summary: `Saved ${value} to the contacts as ${oneLine(name)}'s ${short[field]}`, ...(undo !== undefined && {undo})}
    })
    return {value, summary: `Took ${value} for ${oneLine(name)}${answer.save ? ' and saved it to the contacts' : ''}`}
  }
  throw new ToolError('not-found', `${problem} Say the ${label[field]} in the request, or add it to your contacts.`)
}

const found = (look: LookUp, name: string, value: string): Result => ({value, summary: `Found ${oneLine(name)}'s ${short[look.field]}: ${oneLine(value)}`})

export const contactsSpecs: ToolSpec[] = [getPhoneNumber, getEmailAddress]
