// People in classic Outlook's contacts, which have a fixed number of places for numbers and addresses.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import {removed} from '../outlook/items.ts'
import {askOutlook, type Script, type Windows} from '../outlook/powershell.ts'
import {bare, isAddress, isNumber} from './address.ts'
import {appContacts} from './app-contacts.ts'
import type {Channel, ContactsBackend} from './contacts.ts'

/** Outlook's places, in the order in which a new value takes a free one. */
const places = {
  phone: {
    MobileTelephoneNumber: 'cell', PrimaryTelephoneNumber: '', HomeTelephoneNumber: 'home', BusinessTelephoneNumber: 'work', Home2TelephoneNumber: 'home',
    Business2TelephoneNumber: 'work', OtherTelephoneNumber: '', CompanyMainTelephoneNumber: 'work',
  },
  email: {Email1Address: '', Email2Address: '', Email3Address: ''},
} as const

const text = z.string().transform(oneLine)
const channels = z.array(z.object({place: z.string(), value: z.string()}))
const listed = z.object({people: z.array(z.object({
  id: z.string(), name: text, given: text, family: text, nickname: text, roles: z.array(text), categories: z.string(), phones: channels, emails: channels,
}))})
/** A class of 40 is a contact; groups (69) have no address of their own. */
const list: Script = {source: String.raw`
function Channels($item, $places) {
  foreach ($place in $places) {
    $value = [string]$item.$place
    if ($value -ne '') { @{ place = $place; value = $value } }
  }
}
function Main($asked) {
  return @{ people = @(foreach ($folder in (FoldersOf 10 2)) {
    foreach ($item in $folder.Items) {
      if ($item.Class -ne 40) { continue }
      @{
        id = [string]$item.EntryID; name = [string]$item.FullName; given = [string]$item.FirstName; family = [string]$item.LastName; nickname = [string]$item.NickName
        roles = @([string]$item.JobTitle, [string]$item.CompanyName, [string]$item.Department); categories = [string]$item.Categories
        phones = @(Channels $item $asked.phone); emails = @(Channels $item $asked.email)
      }
    }
  }) }
}
`}

const token = z.object({person: z.string(), place: z.string(), value: z.string(), isNew: z.boolean()})
const saved = z.union([z.object({person: z.string(), place: z.string(), isNew: z.boolean()}), z.object({not: z.literal('full')})])
const save: Script = {isChange: true, source: String.raw`
function Main($asked) {
  $item = $null
  if ($null -ne $asked.person) { $item = ItemOf $asked.person }
  $isNew = $null -eq $item
  if ($isNew) {
    $item = $session.GetDefaultFolder(10).Items.Add(2)
    $item.FullName = $asked.name
  }
  foreach ($place in $asked.places) {
    if ([string]$item.$place -ne '') { continue }
    $item.$place = $asked.value
    Made
    [void]$item.Save()
    return @{ person = [string]$item.EntryID; place = $place; isNew = $isNew }
  }
  return @{ not = 'full' }
}
`}

const takeBack: Script = {isChange: true, source: String.raw`
function Main($asked) {
  $item = ItemOf $asked.person
  if ($null -eq $item) { return @{ state = 'gone' } }
  $place = $asked.place
  if ([string]$item.$place -cne $asked.value) { return @{ state = 'gone' } }
  if ($asked.isNew) {
    # A card that we made and somebody has written to since stays.
    foreach ($other in $asked.places) { if ($other -ne $place -and [string]$item.$other -ne '') { return @{ state = 'changed' } } }
    [void]$item.Delete()
  } else {
    $item.$place = ''
    [void]$item.Save()
  }
  return @{ state = 'removed' }
}
`}

const placesOf = (field: 'phone' | 'email'): string[] => Object.keys(places[field])

export function openOutlookContacts(windows: Windows = {}): ContactsBackend {
  const ask = askOutlook(windows)
  return appContacts({
    app: 'Outlook',
    token,
    people: async signal => {
      const {people} = listed.parse(await ask(list, {phone: placesOf('phone'), email: placesOf('email')}, signal))
      return people.map(({categories, phones, emails, ...person}) => ({
        ...person, groups: categories.split(/[,;]/).map(oneLine), phones: channelsOf(phones, places.phone, isNumber), emails: channelsOf(emails, places.email, isAddress),
      }))
    },
    save: async (person, name, field, value) => {
      const done = saved.parse(await ask(save, {person, name, places: placesOf(field), value}))
      if ('not' in done) throw new ToolError('refused', `The contact '${oneLine(name)}' has no free place for another ${field === 'phone' ? 'number' : 'address'} in Outlook. Replace one there.`)
      return {...done, value}
    },
    takeBack: async added => removed.parse(await ask(takeBack, {...token.parse(added), places: [...placesOf('phone'), ...placesOf('email')]})).state,
  })
}

/** What is no address or number at all is left out, as in vCards: Exchange's own people have addresses that no mail program knows. */
const channelsOf = (found: z.infer<typeof channels>, kinds: {[place: string]: string}, isValid: (value: string) => boolean): Channel[] => found.flatMap(({place, value: written}) => {
  const value = bare(written)
  const kind = kinds[place]
  return isValid(value) ? [{value, kinds: kind ? [kind] : [], isPreferred: place === 'PrimaryTelephoneNumber'}] : []
})
