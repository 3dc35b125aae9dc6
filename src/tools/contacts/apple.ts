// People in the Mac's own Contacts.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneAtATime} from '../../core/one-at-a-time.ts'
import {oneLine} from '../../core/text.ts'
import type {Json} from '../../core/types.ts'
import {osascript, type Mac, type Script} from '../apple/osascript.ts'
import {plainLine} from '../calendar/ical.ts'
import {bare, isAddress, isNumber, sameness} from './address.ts'
import type {Channel, Contact, ContactsBackend} from './contacts.ts'
import {match} from './match.ts'

/** Missing values are null. */
const text = z.string().nullable().transform(value => oneLine(value ?? ''))
const channels = z.array(z.tuple([z.string().nullable(), z.string().nullable()]))
const people = z.array(z.object({
  id: z.string(), name: text, given: text, family: text, nickname: text, roles: z.array(text), groups: z.array(text), phones: channels, emails: channels,
}))
/** Property by property, since each question costs an Apple event, and some people have a thousand contacts. */
const list: Script = {app: 'Contacts', source: String.raw`
function main() {
  const app = Application('Contacts')
  const {people} = app
  const groups = app.groups().map(group => ({name: group.name(), ids: new Set(group.people.id())}))
  const [names, given, family, nicknames] = [people.name(), people.firstName(), people.lastName(), people.nickname()]
  const roles = [people.jobTitle(), people.organization(), people.department()]
  const [phones, phoneLabels, emails, emailLabels] = [people.phones.value(), people.phones.label(), people.emails.value(), people.emails.label()]
  return people.id().map((id, i) => ({
    id, name: names[i], given: given[i], family: family[i], nickname: nicknames[i], roles: roles.map(r => r[i]),
    groups: groups.filter(g => g.ids.has(id)).map(g => g.name),
    phones: phones[i].map((value, n) => [value, phoneLabels[i][n]]), emails: emails[i].map((value, n) => [value, emailLabels[i][n]]),
  }))
}
`}

const token = z.object({person: z.string(), field: z.enum(['phone', 'email']), value: z.string(), isNew: z.boolean()})
const saved = z.object({person: z.string(), isNew: z.boolean()})
const save: Script = {app: 'Contacts', isChange: true, source: String.raw`
function main({person, name, given, family, field, value}) {
  const app = Application('Contacts')
  let into = person === null ? undefined : app.people.byId(person)
  if (!into) {
    into = app.Person(family ? {firstName: given, lastName: family} : {firstName: given})
    app.people.push(into)
  }
  if (field === 'phone') into.phones.push(app.Phone({label: 'mobile', value}))
  else into.emails.push(app.Email({label: 'home', value}))
  app.save()
  made()
  return {person: into.id(), isNew: person === null}
}
`}

const removed = z.enum(['removed', 'gone', 'changed'])
const takeBack: Script = {app: 'Contacts', isChange: true, source: String.raw`
function main({person, field, value, isNew}) {
  const app = Application('Contacts')
  const from = app.people.byId(person)
  if (!from.exists()) return 'gone'
  const all = field === 'phone' ? from.phones() : from.emails()
  const added = all.find(c => c.value() === value)
  if (!added) return 'gone'
  // A card that we made and somebody has written to since stays, without what we wrote.
  if (isNew && from.phones.length + from.emails.length > 1) return 'changed'
  app.delete(isNew ? from : added)
  app.save()
  return 'removed'
}
`}

/** A look-up asks for all of them, and so does each name on a card. */
const keptMs = 15_000

export function openAppleContacts(mac: Mac = {}): ContactsBackend {
  const ask = osascript(mac)
  const inTurn = oneAtATime()
  let kept: {at: number; contacts: Promise<Contact[]>} | undefined
  const read = async (signal?: AbortSignal): Promise<Contact[]> => people.parse(await ask(list, {}, signal)).flatMap(person => {
    const name = person.name || [person.given, person.family].filter(Boolean).join(' ') || person.roles[1] || person.nickname
    if (!name) return []
    const {id, given, family, nickname, roles, groups} = person
    return [{
      id, name, given, family, nicknames: nickname ? [nickname] : [], roles: roles.filter(Boolean), groups: groups.filter(Boolean),
      phones: channelsOf(person.phones, isNumber), emails: channelsOf(person.emails, isAddress), isGroup: false,
    }]
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
      const [given = '', ...family] = wanted.split(' ')
      kept = undefined
      const done = saved.parse(await ask(save, {person: person?.id ?? null, name: wanted, given, family: family.join(' '), field, value}))
      return {...done, field, value}
    }),
    takeBack: async json => {
      const {data: added} = token.safeParse(json)
      if (!added) throw new ToolError('refused', 'The journal does not say what to take out of the contacts.')
      kept = undefined
      const what = removed.parse(await ask(takeBack, added))
      if (what === 'gone') throw new ToolError('refused', `${oneLine(added.value)} is gone from the contacts already.`)
      if (what === 'changed') throw new ToolError('refused', 'The contact has changed since, so it is left alone. Change it in Contacts.')
    },
  }
}

/** A channel that is no address or number at all is left out, as in vCards. Labels are "mobile", or "_$!<Mobile>!$_" as they are stored. */
const channelsOf = (found: z.infer<typeof channels>, isValid: (value: string) => boolean): Channel[] => found.flatMap(([written, label]) => {
  const value = bare(written ?? '')
  const kind = (label ?? '').replace(/^_\$!<(.*)>!\$_$/, '$1').toLowerCase()
  return isValid(value) ? [{value, kinds: kind ? kind.split(/\s+/).map(k => k === 'mobile' ? 'cell' : k) : [], isPreferred: false}] : []
})
