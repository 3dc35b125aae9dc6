// The scripts themselves, run in Node against Reminders' scripting dictionary. Not on a Mac.
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {openAppleReminders} from '../../src/tools/reminders/apple.ts'
import {remindersTools} from '../../src/tools/reminders/reminders.ts'
import {plainLine, plainText} from '../../src/tools/calendar/ical.ts'
import {failingMac, mac, thingOf} from './apple-apps.ts'
import {remindersContract} from './reminders-contract.ts'
import {contextFor, hostileTexts, tempFolder, toolError} from './vdir-programs.ts'
import {inZone} from './zone.ts'

inZone('America/New_York')

let temp: Awaited<ReturnType<typeof tempFolder>>
beforeEach(async () => { temp = await tempFolder() })
afterEach(() => temp.remove())

remindersContract('the app Reminders', async () => {
  const folder = await tempFolder()
  return {backend: openAppleReminders(folder.path, mac('Reminders')), close: folder.remove}
})

const args = {name: 'Call Ana', due_date: '2026-03-05 10:00:00', notes: 'about the tickets', list_name: '', priority: 1 as const, all_day: false}
const open = (apple = mac('Reminders')) => ({apple, backend: openAppleReminders(temp.path, apple), things: () => apple.worldOf('Reminders').root.elements['reminders']!})

test('a timed reminder rings when it is due, a whole day has no time, and each property is the dictionary\'s', async () => {
  const {backend, things} = open()
  const [create] = remindersTools(backend)
  expect((await create!.run(args, contextFor())).summary).toBe('Added the reminder \'Call Ana\' for Thu 5 Mar 2026, 10:00')
  await create!.run({...args, due_date: '2026-03-06', priority: 0, notes: ''}, contextFor({key: 'b'}))
  const at = new Date('2026-03-05T15:00:00Z') // ten in New York
  expect(things().map(({values: {name, body, priority, dueDate, remindMeDate, alldayDueDate}}) => ({name, body, priority, dueDate, remindMeDate, alldayDueDate}))).toEqual([
    {name: 'Call Ana', body: 'about the tickets', priority: 1, dueDate: at, remindMeDate: at, alldayDueDate: new Date('2026-03-05T05:00:00Z')},
    {name: 'Call Ana', body: undefined, priority: 0, dueDate: new Date('2026-03-06T05:00:00Z'), remindMeDate: undefined, alldayDueDate: new Date('2026-03-06T05:00:00Z')},
  ])
})

test.each([...hostileTexts, '</script><b>', 'x'.repeat(10_000), '-e', '--'])('%j goes in as a value and changes no script', async text => {
  const {apple, backend, things} = open()
  await backend.create({name: text, notes: text, list: text, priority: 0}, 'a', new Date())
  const plain = open(mac('Reminders'))
  await plain.backend.create({name: 'Call', notes: '', list: '', priority: 0}, 'b', new Date())
  expect(new Set(apple.calls.map(c => c.source))).toEqual(new Set(plain.apple.calls.map(c => c.source)))
  expect(things().map(t => [t.values['name'], t.values['body'], t.parent?.values['name']])).toEqual([[plainLine(text), plainText(text), plainLine(text)]])
})

test('"my shopping list" is the list Shopping, and reminders.default the list of those that name none', async () => {
  const {apple, backend} = open()
  await backend.create({name: 'Milk', notes: '', list: 'Shopping', priority: 0}, 'a', new Date())
  expect(await backend.list('my shopping list')).toEqual({name: 'Shopping', exists: true})
  expect(await openAppleReminders(temp.path, {...apple, usual: 'shopping'}).list('')).toEqual({name: 'Shopping', exists: true})
})

test('a reminder that was changed meanwhile is not taken back', async () => {
  const {backend, things} = open()
  const {undo} = await backend.create({name: 'Call', notes: '', list: '', priority: 0}, 'a', new Date())
  things()[0]!.values['completed'] = true
  expect((await toolError(backend.remove(undo))).message).toContain('has changed since')
  expect(things()).toHaveLength(1)
  things()[0]!.values['completed'] = false
  await backend.remove(undo)
  expect(things()).toEqual([])
  expect((await toolError(backend.remove({id: 7}))).code).toBe('refused')
})

describe('a reminder on whose way the program was killed', () => {
  const reminder = {name: 'Call', notes: '', list: '', priority: 0} as const
  /** The change reaches the app, or does not, and nobody hears of it. */
  const killed = async (apple: ReturnType<typeof mac>, isDone: boolean): Promise<void> => {
    const stop = new AbortController()
    const backend = openAppleReminders(temp.path, {...apple, exec: async (...call) => {
      if (!call[1][3]!.includes('isMade = true') || !call[1][3]!.includes('reminders.push')) return apple.exec(...call)
      if (isDone) await apple.exec(...call)
      stop.abort()
      throw stop.signal.reason
    }})
    await expect(backend.create(reminder, 'a', new Date('2020-01-01'), stop.signal)).rejects.toThrow('aborted')
  }
  const {signal} = new AbortController()

  test('is found by its name and time, can be taken back, and is not made again', async () => {
    const {apple, backend, things} = open()
    await killed(apple, true)
    const made = await backend.made('a', signal)
    expect((await toolError(backend.create(reminder, 'a', new Date()))).code).toBe('refused')
    expect(things()).toHaveLength(1)
    await backend.remove(made!.undo)
    expect(things()).toEqual([])
  })

  test('that never reached the app is not there, and may be made then', async () => {
    const {apple, backend, things} = open()
    await killed(apple, false)
    expect(await backend.made('a', signal)).toBeUndefined()
    await backend.create(reminder, 'a', new Date())
    expect(things()).toHaveLength(1)
  })

  test('and whose answer was heard is known', async () => {
    const {backend} = open()
    const {undo} = await backend.create(reminder, 'a', new Date())
    expect(await backend.made('a', signal)).toEqual({undo})
    expect(await backend.made('b', signal)).toBeUndefined()
  })
})

test.each([
  ['execution error: Error: Error: Not authorized to send Apple events to Reminders. (-1743)\n', 'unavailable', 'System Settings > Privacy & Security > Automation'],
  ['execution error: Error: Error: Application can\'t be found. (-2700)\n', 'unavailable', 'Reminders is not on this Mac'],
  ['execution error: Error: Error: Application isn\u2019t running. (-600)\n', 'unavailable', 'Open it, and try again'],
  ['execution error: Error: Error: AppleEvent timed out. (-1712)\n', 'timeout', 'did not answer in time'],
  ['execution error: Error: Error: AppleEvent handler failed. (-10000)\n', 'failed', 'Reminders could not do it: AppleEvent handler failed. (-10000).'],
  ['', 'failed', 'Reminders could not do it.'],
])('osascript that says %j is one line that says what to do', async (stderr, code, said) => {
  const error = await toolError(openAppleReminders(temp.path, failingMac(stderr)).list(''))
  expect([error.code, error.message.split('\n').length]).toEqual([code, 1])
  expect(error.message).toContain(said)
})

test('off macOS nothing is started', async () => {
  const apple = mac('Reminders')
  const error = await toolError(openAppleReminders(temp.path, {...apple, platform: 'linux'}).list(''))
  expect([error.code, error.message, apple.calls]).toEqual(['unavailable', expect.stringContaining('The apple backend needs macOS.'), []])
})

test('what may have been done is unknown, is not made again, and what surely was not may be', async () => {
  const apple = mac('Reminders')
  const answers = (stderr: string, stdout = '', code = 1) => openAppleReminders(temp.path, {...apple, exec: async (...call) => call[1][3]!.includes('reminders.push') ? {code, stdout, stderr} : apple.exec(...call)})
  const reminder = {name: 'Call', notes: '', list: '', priority: 0} as const
  const codes = await Promise.all([
    answers('execution error: AppleEvent timed out. (-1712)').create(reminder, 'a', new Date()), answers('', 'no JSON', 0).create(reminder, 'b', new Date()),
    answers('', '{"madeBut":"Can\'t get object."}', 0).create(reminder, 'c', new Date()), answers('execution error: Not authorized. (-1743)').create(reminder, 'd', new Date()),
  ].map(async call => (await toolError(call)).code))
  expect(codes).toEqual(['unknown', 'unknown', 'unknown', 'unavailable'])
  const again = openAppleReminders(temp.path, apple)
  for (const key of ['a', 'b', 'c']) expect((await toolError(again.create(reminder, key, new Date()))).code).toBe('refused')
  await again.create(reminder, 'd', new Date())
})

test('what the dictionary has not is an error here too', async () => {
  const {apple} = open()
  const app = {wrong: () => thingOf({})}
  expect(app.wrong).toThrow('Can\'t convert types')
  const run = (source: string) => apple.exec('osascript', ['-l', 'JavaScript', '-e', `function run() { ${source} }`, '{}'])
  expect((await run('Application("Reminders").Reminder({title: "x"})')).stderr).toContain('Can\'t get object (Reminder.title)')
  expect((await run('Application("Reminders").Reminder({id: "x"})')).stderr).toContain('Access not allowed (Reminder.id)')
  expect((await run('Application("Reminders").Reminder({priority: "x"})')).stderr).toContain('Can\'t convert types (Reminder.priority)')
})
