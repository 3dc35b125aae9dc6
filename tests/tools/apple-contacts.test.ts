// The scripts themselves, run in Node against Contacts' scripting dictionary. Not on a Mac.
import {expect, test} from 'vitest'
import {openAppleContacts} from '../../src/tools/contacts/apple.ts'
import {contactsTools} from '../../src/tools/contacts/contacts.ts'
import {mac} from './apple-apps.ts'
import {contactsContract} from './contacts-contract.ts'
import {contextFor, hostileTexts, toolError} from './vdir-programs.ts'

contactsContract('the app Contacts', async () => ({backend: openAppleContacts(mac('Contacts')), close: async () => undefined}))

function open() {
  const apple = mac('Contacts')
  const world = apple.worldOf('Contacts')
  const add = (values: object, phones: [string, string][] = [], emails: [string, string][] = []) => {
    const person = world.put(world.root, 'people', world.make('Person', {...values}))
    for (const [label, value] of phones) world.put(person, 'phones', world.make('Phone', {label, value}))
    for (const [label, value] of emails) world.put(person, 'emails', world.make('Email', {label, value}))
    return person
  }
  return {apple, world, add, backend: openAppleContacts(apple), people: () => world.root.elements['people']!}
}

test('people, companies, jobs and groups are found, and the mobile number goes before others', async () => {
  const {world, add, backend} = open()
  const ana = add({firstName: 'Ana', lastName: 'Duarte', nickname: 'Annie', jobTitle: 'Plumber'}, [['_$!<Home>!$_', '+1 202 555 0100'], ['_$!<Mobile>!$_', '+1 (202) 555-0101'], ['_$!<HomeFAX>!$_', '1']], [['home', 'ana@example.org'], ['work', 'not an address']])
  add({organization: 'Acme'}, [['main', '555 0102']])
  world.put(world.root, 'groups', world.make('Group', {name: 'Design'})).elements['people']!.push(ana)
  const [phone, email] = contactsTools(backend, {country: 'US'})
  expect((await phone!.run({name: 'Annie'}, contextFor())).value).toBe('+1 (202) 555-0101')
  expect((await phone!.run({name: 'the plumber'}, contextFor())).value).toBe('+1 (202) 555-0101')
  expect((await phone!.run({name: 'Acme'}, contextFor())).value).toBe('555 0102')
  expect((await email!.run({name: 'Design'}, contextFor())).value).toBe('ana@example.org')
  expect(await backend.nameOf('+12025550101')).toBe('Ana Duarte')
})

test('all look-ups at one time ask the app once', async () => {
  const {apple, add, backend} = open()
  add({firstName: 'Ana'}, [['mobile', '+12025550101']])
  await Promise.all([backend.find('Ana'), backend.find('Ben'), backend.nameOf('+12025550101'), backend.all()])
  expect(apple.calls).toHaveLength(1)
})

test('a saved answer can be taken back: its card, or its line of a card that was there', async () => {
  const {world, add, backend, people} = open()
  const undo = await backend.save('Ana Duarte', 'phone', '+12025550101')
  expect([people().map(p => p.values['name']), world.root.values['unsaved']]).toEqual([['Ana Duarte'], false])
  await backend.takeBack(undo!)
  expect(people()).toEqual([])
  expect((await toolError(backend.takeBack(undo!))).code).toBe('refused')
  const ben = add({firstName: 'Ben'}, [['home', '5550100']])
  const line = await backend.save('Ben', 'phone', '+12025550102')
  await backend.takeBack(line!)
  expect(ben.elements['phones']!.map(p => p.values['value'])).toEqual(['5550100'])
})

test('a card that somebody has written to since stays', async () => {
  const {world, backend, people} = open()
  const undo = await backend.save('Ana', 'phone', '+12025550101')
  world.put(people()[0]!, 'emails', world.make('Email', {value: 'ana@example.org'}))
  expect((await toolError(backend.takeBack(undo!))).message).toContain('has changed since')
  expect(people()).toHaveLength(1)
})

test.each([...hostileTexts, '--', 'x'.repeat(10_000)])('%j as a name changes no script', async text => {
  const {apple, backend} = open()
  const plain = open()
  await backend.save(text, 'email', 'x@example.org')
  await plain.backend.save('Ana Duarte', 'email', 'x@example.org')
  expect(new Set(apple.calls.map(c => c.source))).toEqual(new Set(plain.apple.calls.map(c => c.source)))
})
