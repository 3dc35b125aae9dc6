// People in the Mac's own Contacts.
import {z} from 'zod'
import {oneLine} from '../../core/text.ts'
import {osascript, type Mac, type Script} from '../apple/osascript.ts'
import {removal} from '../app-items.ts'
import {bare, isAddress, isNumber} from './address.ts'
import {appContacts} from './app-contacts.ts'
import type {Channel, ContactsBackend} from './contacts.ts'

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

export function openAppleContacts(mac: Mac = {}): ContactsBackend {
  const ask = osascript(mac)
  return appContacts({
    app: 'Contacts',
    token,
    people: async signal => people.parse(await ask(list, {}, signal)).map(({phones, emails, ...person}) =>
      ({...person, phones: channelsOf(phones, isNumber), emails: channelsOf(emails, isAddress)})),
    save: async (person, name, field, value) => {
      const [given = '', ...family] = name.split(' ')
      return {...saved.parse(await ask(save, {person, name, given, family: family.join(' '), field, value})), field, value}
    },
    takeBack: async added => removal.parse(await ask(takeBack, token.parse(added))),
  })
}

/** A channel that is no address or number at all is left out, as in vCards. Labels are "mobile", or "_$!<Mobile>!$_" as they are stored. */
const channelsOf = (found: z.infer<typeof channels>, isValid: (value: string) => boolean): Channel[] => found.flatMap(([written, label]) => {
  const value = bare(written ?? '')
  const kind = (label ?? '').replace(/^_\$!<(.*)>!\$_$/, '$1').toLowerCase()
  return isValid(value) ? [{value, kinds: kind ? kind.split(/\s+/).map(k => k === 'mobile' ? 'cell' : k) : [], isPreferred: false}] : []
})
