// Contacts as vCards in a vdir, in any folder of .vcf files (khard, vdirsyncer and phones' exports), or on a CardDAV server. Cards are read one by
// one, so a damaged one costs only itself; what is added goes in as one line, and the rest of the card stays as it was.
import {createHash} from 'node:crypto'
import {basename, dirname} from 'node:path'
import ICAL from 'ical.js'
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import type {Json} from '../../core/types.ts'
import {plainLine} from '../calendar/ical.ts'
import type {ItemStore} from '../item-store.ts'
import {sha256, Vdir, type Warn} from '../vdir.ts'
import {bare, isAddress, isNumber, sameness} from './address.ts'
import type {Channel, Contact, ContactsBackend, Field} from './contacts.ts'
import {match} from './match.ts'
import {splitCards, unfold} from './vcard-text.ts'

interface Card { contact: Contact; uid: string; members: string[]; path: string; /** the whole file */ file: string; start: number; end: number }

const defaultCollection = 'personal'

/** What `takeBack` needs of a line that was added to a card; of a card that was made it is the vdir's own token. */
const addedLine = z.object({path: z.string(), hash: z.string(), at: z.number().int().min(0), line: z.string()})

/** The contacts in `dir`: its own .vcf files and those of its sub-folders. */
export const openVdirContacts = (dir: string, warn?: Warn): ContactsBackend => openStoredContacts(new Vdir(dir, '.vcf', warn))

export function openStoredContacts(vdir: ItemStore): ContactsBackend {
  const cards = async (): Promise<Card[]> => {
    const found: Card[] = []
    for await (const {path, text} of vdir.items()) {
      const parts = splitCards(text)
      if (parts.length === 0) vdir.warn(path, 'no vCard in it')
      for (const {start, end} of parts) {
        try {
          found.push({...readCard(text.slice(start, end), `${path}#${start}`), path, file: text, start, end})
        } catch (error) {
          vdir.warn(path, error)
        }
      }
    }
    return withMembers(found)
  }
  const all = async () => (await cards()).map(card => card.contact)
  return {
    all,
    allNow: async signal => {
      await vdir.news?.(signal)
      return all()
    },
    find: async name => match(await all(), name),
    nameOf: async value => {
      const wanted = sameness(value)
      return (await all()).find(c => !c.isGroup && [...c.emails, ...c.phones].some(channel => sameness(channel.value) === wanted))?.name
    },
    save: async (name, field, value): Promise<Json | undefined> => {
      const wanted = plainLine(name)
      const known = (await cards()).filter(card => card.contact.name.toLowerCase() === wanted.toLowerCase())
      const [card] = known
      if (card && known.length === 1) {
        if (card.contact[field === 'phone' ? 'phones' : 'emails'].some(channel => sameness(channel.value) === sameness(value))) return undefined
        const line = lineFor(card, field, value)
        const file = card.file.slice(0, card.end) + line + card.file.slice(card.end)
        await vdir.replace(card.path, card.file, file)
        return {path: card.path, hash: sha256(file), at: card.end, line}
      }
      const uid = createHash('sha256').update(`${wanted}\n${field}\n${value}`).digest('hex').slice(0, 32)
      return {...await vdir.create(await folderForNew(vdir), uid, newCard(wanted, field, value, uid))}
    },
    takeBack: async token => {
      const {data: added} = addedLine.safeParse(token)
      if (!added) return vdir.takeBack(token)
      const {path, hash, at, line} = added
      const file = (await cards()).find(card => card.path === path)?.file // only a file of this vdir
      if (file === undefined) throw new ToolError('refused', `${oneLine(path)} is gone already.`)
      if (sha256(file) !== hash) throw new ToolError('refused', `${oneLine(path)} has changed since, so it is left alone. Change it by hand.`)
      return vdir.replace(path, file, file.slice(0, at) + file.slice(at + line.length))
    },
  }
}

/** Where the user keeps cards already: the root folder, "personal", the only sub-folder; else "personal" is made. */
async function folderForNew(vdir: ItemStore): Promise<string> {
  const usual = await vdir.usual?.()
  if (usual) return usual.folder
  for await (const {path, collection} of vdir.items()) {
    if (collection === '') return dirname(path)
    break // the root folder's come first
  }
  const all = await vdir.collections()
  const existing = all.find(c => basename(c.folder) === defaultCollection) ?? (all.length === 1 ? all[0] : undefined)
  return (existing ?? await vdir.findOrMake(defaultCollection)).folder
}

function property(field: Field, value: string): ICAL.Property {
  const made = new ICAL.Property(field === 'phone' ? 'tel' : 'email')
  made.setValue(value)
  made.setParameter('type', field === 'phone' ? 'CELL' : 'INTERNET')
  return made
}

/** The new line, with the line end that the file has; `end` is where the card's END:VCARD begins. */
function lineFor(card: Card, field: Field, value: string): string {
  return `${property(field, value).toICALString()}${card.file.includes('\r\n') ? '\r\n' : '\n'}`
}

/** vCard 3.0, which khard, phones and Google read alike. */
function newCard(name: string, field: Field, value: string, uid: string): string {
  const card = new ICAL.Component('vcard')
  const [given = '', ...family] = name.split(' ')
  card.addPropertyWithValue('version', '3.0')
  card.addPropertyWithValue('uid', uid)
  card.addPropertyWithValue('fn', name)
  card.addPropertyWithValue('n', [family.join(' '), given, '', '', ''])
  card.addProperty(property(field, value))
  return `${card.toString()}\r\n`
}

function readCard(text: string, id: string): Pick<Card, 'contact' | 'uid' | 'members'> {
  const card = new ICAL.Component(ICAL.parse(`${unfold(text)}END:VCARD\r\n`) as unknown[]) // one card is one jCard array
  const [family = '', given = ''] = structured(card.getFirstProperty('n'))
  const organisation = card.getAllProperties('org').flatMap(structured)
  const name = first(card, 'fn') || [given, family].filter(Boolean).join(' ') || organisation[0] || first(card, 'nickname')
  if (!name) throw new Error('a card without a name')
  return {
    uid: first(card, 'uid').replace(/^urn:uuid:/i, ''),
    members: [...values(card, 'member'), ...values(card, 'x-addressbookserver-member')].map(member => member.replace(/^urn:uuid:/i, '')),
    contact: {
      id, name: oneLine(name), given: oneLine(given), family: oneLine(family),
      nicknames: list(card, 'nickname'),
      roles: [...values(card, 'title'), ...values(card, 'role'), ...organisation].map(oneLine).filter(Boolean),
      groups: list(card, 'categories'),
      phones: channelsOf(card, 'tel', /^tel:/i, isNumber),
      emails: channelsOf(card, 'email', /^mailto:/i, isAddress),
      isGroup: [first(card, 'kind'), first(card, 'x-addressbookserver-kind')].some(kind => kind.toLowerCase() === 'group'),
    },
  }
}

/** A group without numbers or addresses of its own has its members'. */
function withMembers(cards: Card[]): Card[] {
  const byUid = new Map(cards.filter(card => card.uid).map(card => [card.uid, card.contact]))
  return cards.map(card => {
    if (!card.contact.isGroup || card.members.length === 0) return card
    const members = card.members.map(uid => byUid.get(uid)).filter(member => member !== undefined)
    const written = card.members.filter(member => /^mailto:/i.test(member)).map(member => member.slice(7)).filter(isAddress)
      .map(value => ({value, kinds: [], isPreferred: false}))
    const {phones, emails} = card.contact
    return {...card, contact: {
      ...card.contact,
      phones: phones.length > 0 ? phones : members.flatMap(member => firstOf(member.phones)),
      emails: emails.length > 0 ? emails : [...members.flatMap(member => firstOf(member.emails)), ...written],
    }}
  })
}

/** One channel a member, so that nobody gets a message twice. */
const firstOf = (channels: Channel[]): Channel[] => {
  const one = channels.find(c => c.isPreferred) ?? channels.find(c => c.kinds.includes('cell')) ?? channels[0]
  return one ? [one] : []
}

/** A channel that is no address or number at all is left out: it could not be used, and may be an attempt to smuggle something in. */
function channelsOf(card: ICAL.Component, name: string, scheme: RegExp, isValid: (value: string) => boolean): Channel[] {
  return card.getAllProperties(name).flatMap(found => {
    const value = bare(String(found.getFirstValue()).replace(scheme, ''))
    if (!isValid(value)) return []
    const kinds = [found.getParameter('type') ?? []].flat().flatMap(kind => kind.split(',')).map(kind => kind.toLowerCase())
    const isPreferred = kinds.includes('pref') || found.getParameter('pref') !== undefined
    return [{value, kinds: kinds.filter(kind => kind !== 'pref' && kind !== 'internet' && kind !== 'voice'), isPreferred}]
  })
}

/** N and ORG: parts, each perhaps a list. */
const structured = (found: ICAL.Property | null): string[] =>
  found ? [found.getFirstValue() as unknown].flat().map(part => [part].flat().map(String).join(' ').trim()) : []

const values = (card: ICAL.Component, name: string): string[] => card.getAllProperties(name).flatMap(found => found.getValues().map(String))
const list = (card: ICAL.Component, name: string): string[] => values(card, name).map(oneLine).filter(Boolean)
const first = (card: ICAL.Component, name: string): string => values(card, name)[0] ?? ''
