// The scripts themselves, run in Node against Calendar's scripting dictionary. Not on a Mac.
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {openAppleCalendar} from '../../src/tools/calendar/apple.ts'
import {calendarTools} from '../../src/tools/calendar/calendar.ts'
import {plainLine, plainText} from '../../src/tools/calendar/ical.ts'
import {parseWhen} from '../../src/tools/calendar/when.ts'
import {calendarContract} from './calendar-contract.ts'
import {mac} from './apple-apps.ts'
import {contextFor, hostileTexts, tempFolder, toolError} from './vdir-programs.ts'
import {inZone} from './zone.ts'

inZone('America/New_York')

let temp: Awaited<ReturnType<typeof tempFolder>>
beforeEach(async () => { temp = await tempFolder() })
afterEach(() => temp.remove())

calendarContract('the app Calendar', async () => {
  const folder = await tempFolder()
  return {backend: openAppleCalendar(folder.path, mac('Calendar')), close: folder.remove}
})

const open = (apple = mac('Calendar'), usual?: string) => ({
  apple, backend: openAppleCalendar(temp.path, {...apple, ...(usual !== undefined && {usual})}),
  things: () => apple.worldOf('Calendar').root.elements['calendars']!.flatMap(c => c.elements['events']!),
})
const event = {title: 'Dentist', start: parseWhen('2026-03-04 08:40:00', 'start'), end: parseWhen('2026-03-04 09:40:00', 'end'), location: '', notes: '', invitees: [], calendar: ''}
const args = {title: 'Dentist', start_date: '2026-03-04 08:40:00', end_date: '', location: 'Main St 1', invitees: [], notes: 'bring the card', calendar: ''}

test('an event has the dictionary\'s properties, and whole days end in their last day', async () => {
  const {backend, things} = open()
  const [create] = calendarTools(backend)
  await create!.run(args, contextFor())
  await create!.run({...args, title: 'Fair', start_date: '2026-03-10', end_date: '2026-03-11', location: '', notes: ''}, contextFor({key: 'b'}))
  expect(things().map(({values: {summary, startDate, endDate, alldayEvent, location, description}, parent}) => ({summary, startDate, endDate, alldayEvent, location, description, calendar: parent?.values['name']}))).toEqual([
    {summary: 'Dentist', startDate: new Date('2026-03-04T13:40:00Z'), endDate: new Date('2026-03-04T14:40:00Z'), alldayEvent: false, location: 'Main St 1', description: 'bring the card', calendar: 'Home'},
    {summary: 'Fair', startDate: new Date('2026-03-10T04:00:00Z'), endDate: new Date('2026-03-12T03:59:59Z'), alldayEvent: true, location: undefined, description: undefined, calendar: 'Home'},
  ])
})

test('invitees get a mail, and stand in the notes and not among the attendees, whom a server might invite again', async () => {
  const {backend, things} = open()
  const sent: string[][] = []
  const [create] = calendarTools(backend, {invitations: {send: async ({to}) => { sent.push(to); return {isQueued: false} }}})
  const invited = {...args, invitees: ['ana@example.org, ben@example.org']}
  expect((await create!.preview(invited, contextFor())).effect).toBe('outward')
  await create!.run(invited, contextFor())
  expect(sent).toEqual([['ana@example.org', 'ben@example.org']])
  expect(things().map(e => [e.values['description'], e.elements['attendees']])).toEqual([['bring the card\n\nInvited: ana@example.org, ben@example.org', []]])
})

test('where the invitation cannot be sent the event is taken out again', async () => {
  const {backend, things} = open()
  const [create] = calendarTools(backend, {invitations: {send: async () => { throw new Error('no network') }}})
  expect((await toolError(create!.run({...args, invitees: ['ana@example.org']}, contextFor()))).message).toContain('was not added')
  expect(things()).toEqual([])
})

test('what names no calendar goes to calendar.default, else to the first that can be written', async () => {
  expect(await open().backend.calendar('')).toEqual({name: 'Home', exists: true})
  expect(await open(mac('Calendar'), 'Work').backend.calendar('')).toEqual({name: 'Work', exists: false})
  expect(await open().backend.calendar('my home calendar')).toEqual({name: 'Home', exists: true})
  const {apple, backend} = open()
  for (const c of apple.worldOf('Calendar').root.elements['calendars']!) c.values['writable'] = false
  expect((await toolError(backend.calendar(''))).message).toContain('no calendar that can be written')
})

test.each([...hostileTexts, 'x'.repeat(10_000), '--', '</x>'])('%j goes in as a value and changes no script', async text => {
  const {apple, backend, things} = open()
  await backend.create({...event, title: text, notes: text, location: text, calendar: text}, 'a', new Date())
  const plain = open(mac('Calendar'))
  await plain.backend.create(event, 'b', new Date())
  expect(new Set(apple.calls.map(c => c.source))).toEqual(new Set(plain.apple.calls.map(c => c.source)))
  expect(things().map(t => [t.values['summary'], t.values['description'], t.values['location'], t.parent?.values['name']])).toEqual([[plainLine(text), plainText(text), plainLine(text), plainLine(text)]])
})

test('an event that was changed meanwhile is not taken back', async () => {
  const {backend, things} = open()
  const {undo} = await backend.create(event, 'a', new Date())
  things()[0]!.values['location'] = 'elsewhere'
  expect((await toolError(backend.remove(undo))).message).toContain('has changed since')
  expect(things()).toHaveLength(1)
  expect((await toolError(backend.remove('x'))).code).toBe('refused')
})

describe('an event on whose way the program was killed', () => {
  const {signal} = new AbortController()
  test.each([true, false])('is looked for in the app; it was made: %s', async isDone => {
    const {apple, backend, things} = open()
    const stop = new AbortController()
    const dying = openAppleCalendar(temp.path, {...apple, exec: async (...call) => {
      if (!call[1][3]!.includes('events.push')) return apple.exec(...call)
      if (isDone) await apple.exec(...call)
      stop.abort()
      throw stop.signal.reason
    }})
    await expect(dying.create(event, 'a', new Date(), {signal: stop.signal})).rejects.toThrow('aborted')
    const made = await backend.made('a', signal)
    expect(Boolean(made)).toBe(isDone)
    if (made) await backend.remove(made.undo)
    expect(things()).toEqual([])
  })

  test('is unknown where two look like it', async () => {
    const {apple, backend} = open()
    await openAppleCalendar(temp.path, {...apple, exec: async (...call) => call[1][3]!.includes('events.push') ? {code: 1, stdout: '', stderr: '(-1712)'} : apple.exec(...call)}).create(event, 'a', new Date()).catch(() => undefined)
    for (const key of ['b', 'c']) await backend.create(event, key, new Date())
    expect((await toolError(backend.made('a', signal))).code).toBe('unknown')
  })
})
