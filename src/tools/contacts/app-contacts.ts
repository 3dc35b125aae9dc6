// The contacts of an app that gives all of its people at once (Apple's, Outlook).
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneAtATime} from '../../core/one-at-a-time.ts'
import {oneLine} from '../../core/text.ts'
import type {Json} from '../../core/types.ts'
import {removal} from '../app-items.ts'
import {plainLine} from '../calendar/ical.ts'
import {sameness} from './address.ts'
import type {Contact, ContactsBackend, Field} from './contacts.ts'
import {match} from './match.ts'

/** As the app has it; '' is what it lacks. `roles`: job title, company, department. */
export interface AppPerson extends Pick<Contact, 'id' | 'given' | 'family' | 'roles' | 'groups' | 'phones' | 'emails'> { name: string; nickname: string }

export interface ContactsApp {
  app: string
  people(signal?: AbortSignal): Promise<AppPerson[]>
  /** Adds to the card `person`, or makes one where it is null. Gives back what takes it back. */
  save(person: string | null, name: string, field: Field, value: string): Promise<Json>
  /** what `save` gave back */
  token: z.ZodType<{value: string}>
  takeBack(added: unknown): Promise<z.infer<typeof removal>>
}

/** A look-up asks for all of them, and so does each name on a card. */
const keptMs = 15_000

export function appContacts({app, people, save, token, takeBack}: ContactsApp): ContactsBackend {
  const inTurn = oneAtATime()
  let kept: {at: number; contacts: Promise<Contact[]>} | undefined
  const read = async (signal?: AbortSignal): Promise<Contact[]> => (await people(signal)).flatMap(({nickname, ...person}) => {
    const name = person.name || [person.given, person.family].filter(Boolean).join(' ') || person.roles[1] || nickname
    return name ? [{...person, name, nicknames: nickname ? [nickname] : [], roles: person.roles.filter(Boolean), groups: person.groups.filter(Boolean), isGroup: false}] : []
  })
  const all = (): Promise<Contact[]> => {
    if (!kept || performance.now() - kept.at > keptMs) {
      const contacts = read()
      kept = {at: performance.now(), contacts}
      contacts.catch(() => { kept = undefined })
    }
    return kept.contacts
  }
  return {
    all,
    allNow: read,
    find: async name => match(await all(), name),
    nameOf: async value => (await all()).find(c => [...c.emails, ...c.phones].some(channel => sameness(channel.value) === sameness(value)))?.name,
    save: (name, field, value) => inTurn(async (): Promise<Json | undefined> => {
      const wanted = plainLine(name)
      const known = (await read()).filter(c => c.name.toLowerCase() === oneLine(wanted).toLowerCase())
      const person = known.length === 1 ? known[0] : undefined
      if (person?.[field === 'phone' ? 'phones' : 'emails'].some(channel => sameness(channel.value) === sameness(value))) return undefined
      kept = undefined
      return save(person?.id ?? null, wanted, field, value)
    }),
    takeBack: async json => {
      const {data: added} = token.safeParse(json)
      if (!added) throw new ToolError('refused', 'The journal does not say what to take out of the contacts.')
      kept = undefined
      const state = await takeBack(added)
      if (state === 'gone') throw new ToolError('refused', `${oneLine(added.value)} is gone from the contacts already.`)
      if (state === 'changed') throw new ToolError('refused', `The contact has changed since, so it is left alone. Change it in ${app}.`)
    },
  }
}
