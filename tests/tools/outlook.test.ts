// Outlook's backends: the scripts themselves, by as much of PowerShell as they use, against Outlook's object model. Not on Windows.
import {chmod, mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {ToolError} from '../../src/core/errors.ts'
import {windowsOwn} from '../../src/core/exec.ts'
import {calendarTools} from '../../src/tools/calendar/calendar.ts'
import {openOutlookCalendar} from '../../src/tools/calendar/outlook.ts'
import {contactsTools} from '../../src/tools/contacts/contacts.ts'
import {openOutlookContacts} from '../../src/tools/contacts/outlook.ts'
import {openOutlookNotes} from '../../src/tools/notes/outlook.ts'
import {openOutlookReminders} from '../../src/tools/reminders/outlook.ts'
import {remindersTools} from '../../src/tools/reminders/reminders.ts'
import {plainText} from '../../src/tools/calendar/ical.ts'
import {parseWhen} from '../../src/tools/calendar/when.ts'
import {askOutlook, programOf} from '../../src/tools/outlook/powershell.ts'
import {calendarContract} from './calendar-contract.ts'
import {contactsContract} from './contacts-contract.ts'
import {notesContract} from './notes-contract.ts'
import {windowsWith, type Item} from './outlook-app.ts'
import {remindersContract} from './reminders-contract.ts'
import {contextFor, hostileTexts, tempFolder, toolError} from './vdir-programs.ts'
import {inZone} from './zone.ts'

inZone('America/New_York')

let temp: Awaited<ReturnType<typeof tempFolder>>
beforeEach(async () => { temp = await tempFolder() })
afterEach(() => temp.remove())

calendarContract('Outlook', async () => ({backend: openOutlookCalendar(temp.path, windowsWith()), close: async () => undefined}))
remindersContract('Outlook', async () => ({backend: openOutlookReminders(temp.path, windowsWith()), close: async () => undefined}), {priority: p => p === 5 ? 0 : p})
notesContract('Outlook', async () => ({backend: openOutlookNotes(windowsWith()), close: async () => undefined}), {kept: plainText})
contactsContract('Outlook', async () => ({backend: openOutlookContacts(windowsWith()), close: async () => undefined}))

const event = {title: 'Dentist', start: parseWhen('2026-03-04 08:40:00', 'start'), end: parseWhen('2026-03-04 09:40:00', 'end'), location: '', notes: '', invitees: [], calendar: ''}
const args = {title: 'Dentist', start_date: '2026-03-04 08:40:00', end_date: '', location: 'Main St 1', invitees: [] as string[], notes: 'bring\nthe card', calendar: ''}
const me = {address: 'me@example.org', name: 'Mia'}
const {signal} = new AbortController()
const values = (items: Item[], ...names: string[]) => items.map(item => names.map(name => item.values[name]))

/** The same Windows, whose answer to a script with these words is lost; whether the script was run before that. */
const losing = (windows: ReturnType<typeof windowsWith>, words: string, isRun: boolean) => ({...windows, exec: async (...call: Parameters<typeof windows.exec>) => {
  if (!Buffer.from(call[1][5]!, 'base64').toString('utf16le').includes(words)) return windows.exec(...call)
  if (isRun) await windows.exec(...call)
  throw new DOMException('stopped', 'AbortError')
}})

describe('an event in Outlook', () => {
  const open = (windows = windowsWith()) => ({windows, backend: openOutlookCalendar(temp.path, windows), items: () => windows.world.folder(9).items})

  test('has what was shown; a whole day ends with the beginning of the next', async () => {
    const {backend, items} = open()
    const [create] = calendarTools(backend)
    await create!.run(args, contextFor())
    await create!.run({...args, title: 'Fair', start_date: '2026-03-10', end_date: '2026-03-11', location: '', notes: ''}, contextFor({key: 'b'}))
    expect(values(items(), 'Subject', 'Start', 'End', 'AllDayEvent', 'Location', 'Body', 'MeetingStatus')).toEqual([
      ['Dentist', new Date('2026-03-04T13:40:00Z'), new Date('2026-03-04T14:40:00Z'), false, 'Main St 1', 'bring\r\nthe card', 0],
      ['Fair', new Date('2026-03-10T04:00:00Z'), new Date('2026-03-12T04:00:00Z'), true, '', '', 0],
    ])
  })

  test('with guests is a meeting request of Outlook\'s, which the card says, and goes to exactly those', async () => {
    const {windows, backend, items} = open()
    const invitations = {send: async () => { throw new Error('by mail as well') }}
    const [create] = calendarTools(backend, {organizer: me, invitations})
    const invited = {...args, invitees: ['ana@example.org', 'ben@example.org']}
    const preview = await create!.preview(invited, contextFor())
    expect([preview.effect, preview.notice]).toEqual(['outward', 'Outlook sends the invitations, in words of its own.'])
    expect(windows.world.meetings).toEqual([])
    const {summary, undo} = await create!.run(invited, contextFor())
    expect([summary, undo]).toEqual([expect.stringContaining('Outlook invites ana@example.org, ben@example.org'), undefined])
    expect(windows.world.meetings).toEqual([{from: 'me@example.org', guests: ['ana@example.org', 'ben@example.org'], title: 'Dentist'}])
    expect((await toolError(create!.run(invited, contextFor()))).code).toBe('refused')
    expect(items()).toHaveLength(1)
  })

  test('is not made where Outlook does not know the guests', async () => {
    const {windows, backend, items} = open(windowsWith({unknown: ['ana@example.org']}))
    const error = await toolError(calendarTools(backend, {organizer: me})[0]!.run({...args, invitees: ['ana@example.org']}, contextFor()))
    expect(error.message).toBe('Outlook would have changed the guests, so nothing was made and nobody was invited.')
    expect([items(), windows.world.meetings]).toEqual([[], []])
  })

  test('is not made where Outlook would invite by another account', async () => {
    const {windows, backend, items} = open(windowsWith({accounts: ['other@example.org', 'me@example.org'], keepsSender: true}))
    const error = await toolError(calendarTools(backend, {organizer: me})[0]!.run({...args, invitees: ['ana@example.org']}, contextFor()))
    expect(error.message).toBe('Outlook would have changed the sender, so nothing was made and nobody was invited.')
    expect([items(), windows.world.meetings]).toEqual([[], []])
  })

  test('of somebody whom Outlook has no account of is not invited to by Outlook', async () => {
    const {backend, items} = open(windowsWith({accounts: ['other@example.org']}))
    const sent: string[][] = []
    const [create] = calendarTools(backend, {organizer: me, invitations: {send: async ({to}) => { sent.push(to); return {isQueued: false} }}})
    await create!.run({...args, notes: '', invitees: ['ana@example.org']}, contextFor())
    expect([sent, values(items(), 'Body', 'MeetingStatus')]).toEqual([[['ana@example.org']], [['Invited: ana@example.org', 0]]])
  })

  test('that was changed or deleted meanwhile is not taken back', async () => {
    const {windows, backend, items} = open()
    const {undo} = await backend.create(event, 'a', new Date())
    items()[0]!.values['Location'] = 'elsewhere'
    expect((await toolError(backend.remove(undo))).message).toContain('has changed since')
    items()[0]!.values['Location'] = ''
    await backend.remove(undo)
    expect([items(), windows.world.folder(3).items.length]).toEqual([[], 1])
    expect((await toolError(backend.remove(undo))).message).toContain('gone already')
    expect((await toolError(backend.remove({id: 7}))).code).toBe('refused')
  })

  test.each([true, false])('on whose way the program was killed is found by its mark, whatever its name is now; it was made: %s', async isDone => {
    const {windows, backend, items} = open()
    await expect(openOutlookCalendar(temp.path, losing(windows, 'AllDayEvent = $true', isDone)).create(event, 'a', new Date(), {signal})).rejects.toThrow('stopped')
    expect((await toolError(openOutlookCalendar(temp.path, windows).create(event, 'a', new Date()))).code).toBe('refused')
    for (const item of items()) item.values['Subject'] = 'Renamed'
    await backend.create({...event, title: 'Another'}, 'b', new Date())
    const made = await backend.made('a', signal)
    expect(Boolean(made)).toBe(isDone)
    if (made) await backend.remove(made.undo)
    expect(values(items(), 'Subject')).toEqual([['Another']])
  })

  test.each([[true, 'done'], [false, 'unknown']])('with guests, on whose way the program was killed, says whether the request went: %s', async (isSent, state) => {
    const {windows, backend, items} = open()
    const invited = {...args, invitees: ['ana@example.org']}
    await expect(calendarTools(openOutlookCalendar(temp.path, losing(windows, 'AllDayEvent = $true', true)), {organizer: me})[0]!.run(invited, contextFor())).rejects.toThrow('stopped')
    if (!isSent) items()[0]!.tags = {}
    const settled = await calendarTools(backend, {organizer: me})[0]!.settle!(invited, {...contextFor(), at: new Date()}).then(s => s.state, (error: unknown) => error instanceof ToolError ? error.code : error)
    expect(settled).toBe(state)
  })
})

describe('a task in Outlook', () => {
  const open = (windows = windowsWith(), usual?: string) => ({windows, backend: openOutlookReminders(temp.path, {...windows, ...(usual !== undefined && {usual})}), items: () => windows.world.folder(13).items})
  const reminder = {name: 'Call', notes: '', list: '', priority: 0} as const

  test('rings at its time, and is due that day', async () => {
    const {backend, items} = open()
    const at = parseWhen('2026-03-05 23:30:00', 'due')
    await backend.create({...reminder, due: at, priority: 1, notes: 'x'}, 'a', new Date())
    await backend.create({...reminder, due: parseWhen('2026-03-06', 'due'), priority: 9}, 'b', new Date())
    expect(values(items(), 'DueDate', 'ReminderSet', 'ReminderTime', 'Importance', 'Body')).toEqual([
      [new Date('2026-03-05T05:00:00Z'), true, at.at, 2, 'x'], [new Date('2026-03-06T05:00:00Z'), false, new Date(4501, 0, 1), 0, ''],
    ])
    items()[0]!.values['Complete'] = true
    expect((await backend.reminders()).map(r => r.due)).toEqual(['2026-03-06'])
  })

  test('goes to the list that is meant, in capitals or not', async () => {
    const {windows, backend} = open()
    await backend.create({...reminder, list: 'Shopping'}, 'a', new Date())
    await backend.create({...reminder, list: 'my shopping list'}, 'b', new Date())
    expect(windows.world.folder(13).folders.map(f => [f.name, f.items.length])).toEqual([['Shopping', 2]])
    expect(await open(windows, 'shopping').backend.list('')).toEqual({name: 'Shopping', exists: true})
  })

  test.each([true, false])('on whose way the program was killed is found by its mark; it was made: %s', async isDone => {
    const {windows, backend, items} = open()
    await expect(openOutlookReminders(temp.path, losing(windows, 'Items.Add(3)', isDone)).create(reminder, 'a', new Date(), signal)).rejects.toThrow('stopped')
    const made = await backend.made('a', signal)
    expect(Boolean(made)).toBe(isDone)
    if (made) await backend.remove(made.undo)
    else await backend.create(reminder, 'a', new Date())
    expect(items()).toHaveLength(isDone ? 0 : 1)
  })
})

test('people, companies, jobs and categories are found, and groups and addresses of Exchange\'s own are passed over', async () => {
  const windows = windowsWith()
  windows.world.add(10, 2, {FullName: 'Ana Duarte', FirstName: 'Ana', LastName: 'Duarte', NickName: 'Annie', JobTitle: 'Plumber', Categories: 'Design, Friends', HomeTelephoneNumber: '+1 202 555 0100', MobileTelephoneNumber: '+1 (202) 555-0101', Email1Address: '/o=Org/cn=ana', Email2Address: 'ana@example.org'})
  windows.world.add(10, 2, {CompanyName: 'Acme', BusinessTelephoneNumber: '555 0102'})
  const backend = openOutlookContacts(windows)
  const [phone, email] = contactsTools(backend, {country: 'US'})
  expect((await phone!.run({name: 'Annie'}, contextFor())).value).toBe('+1 (202) 555-0101')
  expect((await phone!.run({name: 'the plumber'}, contextFor())).value).toBe('+1 (202) 555-0101')
  expect((await phone!.run({name: 'Acme'}, contextFor())).value).toBe('555 0102')
  expect((await email!.run({name: 'Design'}, contextFor())).value).toBe('ana@example.org')
  expect(windows.calls).toHaveLength(1)
})

test('a saved address takes the first free place, can be taken back, and is refused where none is free', async () => {
  const windows = windowsWith()
  const card = windows.world.add(10, 2, {FullName: 'Ben', Email1Address: 'ben@example.org'})
  const backend = openOutlookContacts(windows)
  const undo = await backend.save('ben', 'email', 'b@example.org')
  expect(values([card], 'Email1Address', 'Email2Address')).toEqual([['ben@example.org', 'b@example.org']])
  await backend.save('ben', 'email', 'c@example.org')
  expect((await toolError(backend.save('ben', 'email', 'd@example.org'))).message).toContain('no free place for another address')
  await backend.takeBack(undo!)
  expect(values([card], 'Email2Address', 'Email3Address')).toEqual([['', 'c@example.org']])
  expect((await toolError(backend.takeBack(undo!))).code).toBe('refused')
  const made = await backend.save('Cleo', 'phone', '+12025550101')
  const cleo = windows.world.folder(10).items.find(i => i.values['FullName'] === 'Cleo')!
  cleo.values['Email1Address'] = 'cleo@example.org'
  expect((await toolError(backend.takeBack(made!))).message).toContain('has changed since')
  cleo.values['Email1Address'] = ''
  await backend.takeBack(made!)
  expect(windows.world.folder(10).items).toEqual([card])
})

test('a note\'s first line is its title; after a crash it is known by name, time and text, and an addition is unclear', async () => {
  const windows = windowsWith()
  const backend = openOutlookNotes(windows)
  const before = new Date(Date.now() - 1_000)
  const {undo} = await backend.create('Shopping', 'milk\neggs', '')
  expect(values(windows.world.folder(12).items, 'Body')).toEqual([['Shopping\r\nmilk\r\neggs']])
  expect(await backend.made('shopping', 'milk\neggs', '', before)).toMatchObject({undo})
  expect(await backend.made('shopping', 'bread', '', before)).toBe('unclear')
  expect(await backend.made('Other', 'milk', '', before)).toBeUndefined()
  const [note] = await backend.find('Shopping', '')
  expect(await backend.added(note!, 'x', before)).toBe('unclear')
  expect(await backend.added(note!, 'x', new Date(Date.now() + 60_000))).toBeUndefined()
  await backend.undo(undo)
  expect([windows.world.folder(12).items, windows.world.folder(3).items.length]).toEqual([[], 1])
  expect((await toolError(backend.undo(undo))).code).toBe('refused')
})

describe.each(hostileTexts.map(text => [text]))('%j', text => {
  test('changes no script', async () => {
    const use = async (words: string) => {
      const windows = windowsWith()
      const folder = await tempFolder()
      await openOutlookCalendar(folder.path, windows).create({...event, title: words, notes: words, location: words, calendar: words}, 'a', new Date())
      await openOutlookReminders(folder.path, windows).create({name: words, notes: words, list: words, priority: 0}, 'b', new Date())
      const {note} = await openOutlookNotes(windows).create(words, words, words)
      await openOutlookNotes(windows).append(note, words)
      await openOutlookContacts(windows).save(words, 'email', 'x@example.org')
      await folder.remove()
      return new Set(windows.calls.map(c => c.source))
    }
    expect(await use(text)).toEqual(await use('Shopping'))
  })
})

test.each([
  ['80040154', 'unavailable', 'Classic Outlook is not on this machine'], ['80080005', 'unavailable', 'neither as administrator'],
  ['80004004', 'refused', 'Trust Center'], ['80010001', 'unavailable', 'a window that waits for you'], ['800706BA', 'timeout', 'has ended while it was asked'],
  ['80004005', 'failed', 'Outlook could not do it: Retrieving the COM class factory failed.'],
])('COM\'s error %s is one line that says what to do', async (missing, code, said) => {
  const error = await toolError(openOutlookNotes(windowsWith({missing})).list())
  expect([error.code, error.message.includes('\n')]).toEqual([code, false])
  expect(error.message).toContain(said)
})

test('PowerShell is Windows\' own, and none that lies in the current folder', () => {
  expect(windowsOwn('WindowsPowerShell\\v1.0\\powershell.exe', {SystemRoot: 'C:\\Windows'})).toBe('C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe')
})

test('off Windows nothing is started', async () => {
  const windows = windowsWith()
  const error = await toolError(openOutlookNotes({...windows, platform: 'linux'}).list())
  expect([error.code, error.message, windows.calls]).toEqual(['unavailable', expect.stringContaining('The outlook backend needs Windows.'), []])
})

test('what may have been done is unknown, is not made again, and what surely was not may be', async () => {
  const windows = windowsWith()
  const reminder = {name: 'Call', notes: '', list: '', priority: 0} as const
  const answering = (stdout: string) => openOutlookReminders(temp.path, {...windows, exec: async (...call) => Buffer.from(call[1][5]!, 'base64').toString('utf16le').includes('Items.Add(3)') ? {code: 0, stdout, stderr: ''} : windows.exec(...call)})
  const codes = await Promise.all([
    answering('').create(reminder, 'a', new Date()), answering('{"failed":"x","code":"800706BE","isMade":false}').create(reminder, 'b', new Date()),
    answering('{"failed":"x","code":"80004005","isMade":true}').create(reminder, 'c', new Date()), answering('{"failed":"x","code":"80040154","isMade":false}').create(reminder, 'd', new Date()),
    answering('{"value":{"id":7}}').create(reminder, 'e', new Date()),
  ].map(async call => (await toolError(call)).code))
  expect(codes).toEqual(['unknown', 'unknown', 'unknown', 'unavailable', 'unknown'])
  for (const key of ['a', 'b', 'c', 'e']) expect((await toolError(openOutlookReminders(temp.path, windows).create(reminder, key, new Date()))).code).toBe('refused')
  await openOutlookReminders(temp.path, windows).create(reminder, 'd', new Date())
  expect(windows.world.folder(13).items).toHaveLength(1)
})

test.each([['a.json', ''], ['a.json', '{"na'], ['a.done.json', '\0\0']])('what was handed over is not taken for never made where %s is damaged (%j), and is not made again', async (file, text) => {
  const windows = windowsWith()
  const [create] = remindersTools(openOutlookReminders(temp.path, windows))
  const call = {name: 'Call', due_date: '', notes: '', list_name: '', priority: 0, all_day: false}
  await create!.run(call, contextFor({key: 'a'}))
  windows.world.folder(13).items.pop() // the user has done it since
  await writeFile(join(temp.path, file), text)
  expect(await create!.settle!(call, {key: 'a', at: new Date(), signal})).toMatchObject({state: 'unknown', summary: expect.stringContaining(`${file} is damaged`)})
  expect((await toolError(create!.run(call, contextFor({key: 'a'})))).code).toBe('refused')
})

test('a program powershell.exe gets the script as one argument and the values on its standard input alone, and its answer is read', async () => {
  const bin = join(temp.path, 'bin')
  await mkdir(bin)
  // What it answers is in the file `answer`; it writes down what it got.
  await writeFile(join(bin, 'powershell.exe'), `#!${process.execPath}
const fs = require('fs'), dir = ${JSON.stringify(temp.path)}
const stdin = fs.readFileSync(0)
fs.writeFileSync(dir + '/argv', JSON.stringify(process.argv.slice(2)))
fs.writeFileSync(dir + '/stdin', stdin)
process.stdout.write(fs.readFileSync(dir + '/answer'))
`)
  await chmod(join(bin, 'powershell.exe'), 0o700)
  const text = '"; calc.exe \' $(calc) `calc` %PATH% \ud83d \u{1f389}\n\0é'
  await writeFile(join(temp.path, 'answer'), '{"value":{"text":"\\u00e9 \\ud83c\\udf89"}}')
  const pathBefore = process.env['PATH']
  process.env['PATH'] = bin
  try {
    const script = {source: 'function Main($asked) { return @{ text = $asked.text } }'}
    expect(await askOutlook({platform: 'win32'})(script, {text})).toEqual({text: 'é 🎉'})
    const argv = JSON.parse(await readFile(join(temp.path, 'argv'), 'utf8')) as string[]
    expect(argv.slice(0, 5)).toEqual(['-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-EncodedCommand'])
    expect([argv.length, Buffer.from(argv[5]!, 'base64').toString('utf16le')]).toEqual([6, programOf(script)])
    const stdin = await readFile(join(temp.path, 'stdin'))
    expect([stdin.every(byte => byte >= 0x20 && byte <= 0x7e), JSON.parse(stdin.toString())]).toEqual([true, {text}])
    // The script itself gives back what it got, by the same bytes.
    const windows = windowsWith()
    expect(await askOutlook(windows)(script, {text})).toEqual({text})
  } finally {
    process.env['PATH'] = pathBefore
  }
})
