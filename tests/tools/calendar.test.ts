import {mkdir, readFile, readdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import fc from 'fast-check'
import ICAL from 'ical.js'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {ToolError} from '../../src/core/errors.ts'
import type {Json, Tool} from '../../src/core/types.ts'
import {calendarTools, type CalendarBackend, type Invitation} from '../../src/tools/calendar/calendar.ts'
import {plainLine, plainText} from '../../src/tools/calendar/ical.ts'
import {openVdirCalendar} from '../../src/tools/calendar/vdir-calendar.ts'
import {calendarContract} from './calendar-contract.ts'
import {contextFor, hostileTexts, program, runProgram, tempFolder, toolError} from './vdir-programs.ts'
import {inZone} from './zone.ts'

// A zone with summer time, so that a mistake with zones shows.
const timeZone = 'America/New_York'
inZone(timeZone)

let temp: Awaited<ReturnType<typeof tempFolder>>
let warnings: string[]
let dir: string
let backend: CalendarBackend
beforeEach(async () => {
  temp = await tempFolder()
  dir = join(temp.path, 'calendars')
  warnings = []
  backend = openVdirCalendar(dir, message => warnings.push(message))
})
afterEach(() => temp.remove())

const dentist = {title: 'Dentist', start_date: '2026-03-04 08:40:00', end_date: '2026-03-04 09:40:00', location: '', invitees: [] as string[], notes: '', calendar: ''}
const only = (tools: Tool[]): Tool => tools[0] ?? expect.fail('no tool')
const march = [new Date('2026-03-01T00:00:00'), new Date('2026-04-01T00:00:00')] as const
const files = async (): Promise<string[]> => {
  const names = await readdir(dir, {recursive: true}).catch(() => [])
  return names.filter(name => name.endsWith('.ics'))
}
const eventIn = async (where: string | undefined): Promise<ICAL.Component> => {
  const calendar = new ICAL.Component(ICAL.parse(await readFile(where ?? '', 'utf8')) as unknown[])
  expect(calendar.getAllSubcomponents()).toHaveLength(1)
  return calendar.getFirstSubcomponent('vevent') ?? expect.fail('no event')
}

calendarContract('a vdir', async () => {
  const {path, remove} = await tempFolder()
  return {backend: openVdirCalendar(join(path, 'vdir')), close: remove}
})

describe('create_calendar_event', () => {
  test('an event is stored at its local time and said with its weekday', async () => {
    const result = await only(calendarTools(backend)).run(dentist, contextFor())
    expect(result.summary).toBe("Added 'Dentist' on Wed 4 Mar 2026, 08:40 to 09:40")
    expect(await backend.events(...march)).toEqual([
      {uid: 'run-1-task-1', title: 'Dentist', start: '2026-03-04 08:40:00', end: '2026-03-04 09:40:00', location: '', calendar: 'personal'},
    ])
    expect((await eventIn(result.where)).getFirstPropertyValue('dtstart')?.toString()).toBe('2026-03-04T13:40:00Z')
  })

  test('an event without an end lasts an hour, and one without a time the whole day', async () => {
    const create = only(calendarTools(backend))
    await create.run({...dentist, end_date: ''}, contextFor({key: 'a'}))
    const result = await create.run({...dentist, title: 'Fair', start_date: '2026-03-07', end_date: ''}, contextFor({key: 'b'}))
    expect(result.summary).toBe("Added 'Fair' on Sat 7 Mar 2026")
    const event = await eventIn(result.where)
    expect(event.getFirstProperty('dtend')?.toICALString()).toBe('DTEND;VALUE=DATE:20260308')
    expect((await backend.events(...march)).map(e => [e.start, e.end])).toEqual([
      ['2026-03-04 08:40:00', '2026-03-04 09:40:00'], ['2026-03-07', '2026-03-07'],
    ])
  })

  test('the last day of an event of several days is part of it, over a change of the clocks too', async () => {
    const result = await only(calendarTools(backend)).run({...dentist, title: 'Trip', start_date: '2026-03-07', end_date: '2026-03-09'}, contextFor())
    expect(result.summary).toBe("Added 'Trip' from Sat 7 Mar 2026 to Mon 9 Mar 2026")
    expect((await eventIn(result.where)).getFirstProperty('dtend')?.toICALString()).toBe('DTEND;VALUE=DATE:20260310')
    expect((await backend.events(...march)).map(e => [e.start, e.end])).toEqual([['2026-03-07', '2026-03-09']])
  })

  test.each([
    [{start_date: 'next Tuesday'}, 'next Tuesday'],
    [{start_date: '2026-02-30 10:00:00'}, '2026-02-30'],
    [{start_date: '2026-03-04 25:00:00'}, '25:00'],
    [{start_date: ''}, 'start'],
    [{end_date: 'soon'}, 'soon'],
    [{end_date: '2026-03-04 08:00:00'}, 'before it starts'],
    [{end_date: '2026-03-05'}, 'Say both'],
    [{title: ' \n'}, 'no title'],
    [{invitees: ['ana']}, '"ana" is not an e-mail address'],
    [{invitees: ['a@b.org\r\nATTENDEE:x']}, 'is not an e-mail address'],
  ])('%j is refused with a message that says what is wrong, and nothing is written', async (change, said) => {
    const create = only(calendarTools(backend))
    const error = await toolError(create.run({...dentist, ...change}, contextFor()))
    expect(error.code).toBe('invalid-args')
    expect(error.message).toContain(said)
    expect((await toolError(create.preview({...dentist, ...change}, contextFor()))).code).toBe('invalid-args')
    expect(await files()).toEqual([])
  })

  test('a calendar is found whatever its case, and a new one is announced before it is made', async () => {
    const create = only(calendarTools(backend))
    const preview = await create.preview({...dentist, calendar: 'Work'}, contextFor())
    expect(preview.notice).toBe('The calendar "Work" is new: it will be made.')
    expect(await files()).toEqual([])
    expect((await create.run({...dentist, calendar: 'Work'}, contextFor({key: 'a'}))).summary).toContain('to the new calendar Work on')
    expect((await create.preview({...dentist, calendar: 'my WORK calendar'}, contextFor())).notice).toBeUndefined()
    const result = await create.run({...dentist, calendar: 'my WORK calendar'}, contextFor({key: 'b'}))
    expect(result.summary).toBe("Added 'Dentist' to Work on Wed 4 Mar 2026, 08:40 to 09:40")
    expect(await files()).toEqual(['work/a.ics', 'work/b.ics'])
  })

  test('without a name the only calendar that there is gets the event', async () => {
    await mkdir(join(dir, 'home'), {recursive: true})
    await only(calendarTools(backend)).run(dentist, contextFor({key: 'a'}))
    expect(await files()).toEqual(['home/a.ics'])
  })

  test('start and end are shown as fields whose values are understood again', async () => {
    const create = only(calendarTools(backend))
    const {fields} = await create.preview(dentist, contextFor())
    const shown = Object.fromEntries(fields.map(f => [f.arg, f.value]))
    expect(shown).toMatchObject({start_date: 'Wed 4 Mar 2026, 08:40', end_date: 'Wed 4 Mar 2026, 09:40'})
    expect((await create.preview({...dentist, ...shown}, contextFor())).fields).toEqual(fields)
  })

  test('the same call made twice writes one event', async () => {
    const create = only(calendarTools(backend))
    await create.run(dentist, contextFor())
    expect((await toolError(create.run(dentist, contextFor()))).code).toBe('refused')
    expect(await files()).toHaveLength(1)
  })

  test('an aborted call writes nothing', async () => {
    await expect(only(calendarTools(backend)).run(dentist, contextFor({signal: AbortSignal.abort()}))).rejects.toThrow()
    expect(await files()).toEqual([])
  })

  test('undo takes the event out, and leaves one that was changed since', async () => {
    const create = only(calendarTools(backend))
    const first = await create.run(dentist, contextFor({key: 'a'}))
    const second = await create.run(dentist, contextFor({key: 'b'}))
    expect(await create.undo?.(first.undo as Json, contextFor())).toBe('Took the event out of the calendar')
    await writeFile(second.where ?? '', 'changed')
    expect((await toolError(create.undo?.(second.undo as Json, contextFor()) ?? Promise.resolve())).code).toBe('refused')
    expect(await files()).toEqual(['personal/b.ics'])
  })
})

describe('invitations', () => {
  const withPeople = {...dentist, title: 'Plan, review; "Q3"', invitees: ['ana@example.org', 'bo@example.org, cy@example.org'], notes: 'Bring\nthe plan', location: 'Room 2'}

  test('an event with invitees is outward, one without is local', async () => {
    const create = only(calendarTools(backend))
    expect((await create.preview(dentist, contextFor())).effect).toBe('local')
    expect((await create.preview(withPeople, contextFor())).effect).toBe('outward')
  })

  test('what is sent is what the preview showed, with the event as METHOD:REQUEST', async () => {
    const sent: Invitation[] = []
    const create = only(calendarTools(backend, {invitations: {send: async message => { sent.push(message); return {isQueued: false} }}, organizer: {address: 'me@example.org', name: 'Me "M", X'}}))
    const preview = await create.preview(withPeople, contextFor())
    const result = await create.run(withPeople, contextFor())
    expect(sent).toHaveLength(1)
    expect(sent[0]).toMatchObject({to: ['ana@example.org', 'bo@example.org', 'cy@example.org'], subject: 'Invitation: Plan, review; "Q3"', text: preview.body?.text})
    expect(preview.fields.find(f => f.label === 'From')?.value).toBe('Me "M", X <me@example.org>')
    expect(preview.fields.find(f => f.label === 'Invitees')?.value).toEqual(sent[0]?.to)
    const calendar = new ICAL.Component(ICAL.parse(sent[0]?.ics ?? '') as unknown[])
    expect(calendar.getFirstPropertyValue('method')).toBe('REQUEST')
    const event = calendar.getFirstSubcomponent('vevent')
    expect(event?.getFirstPropertyValue('uid')).toBe((await eventIn(result.where)).getFirstPropertyValue('uid'))
    expect(event?.getFirstPropertyValue('organizer')).toBe('mailto:me@example.org')
    expect(event?.getAllProperties('attendee').map(p => p.getFirstValue())).toEqual(['mailto:ana@example.org', 'mailto:bo@example.org', 'mailto:cy@example.org'])
    expect(preview.body?.text).toBe(`You are invited: Plan, review; "Q3"\nWhen: Wed 4 Mar 2026, 08:40 to 09:40 (${timeZone})\nWhere: Room 2\n\nBring\nthe plan`)
    expect(result.undo).toBeUndefined()
  })

  test('without a mail account the invitees are only recorded, and the preview says so', async () => {
    const create = only(calendarTools(backend))
    expect((await create.preview(withPeople, contextFor())).notice).toContain('nothing is sent')
    const result = await create.run(withPeople, contextFor())
    expect((await eventIn(result.where)).getAllProperties('attendee')).toHaveLength(3)
    expect(result.undo).toBeDefined()
  })

  test('when the invitation surely did not leave, the event is not kept either', async () => {
    const create = only(calendarTools(backend, {invitations: {send: async () => { throw new Error('no route') }}}))
    const error = await toolError(create.run(withPeople, contextFor()))
    expect(error.message).toContain('was not added: no route')
    expect(await files()).toEqual([])
  })

  test('when the event cannot be taken back either, both are said', async () => {
    const stuck: CalendarBackend = {...backend, remove: async () => { throw new ToolError('refused', 'it has changed since') }}
    const create = only(calendarTools(stuck, {invitations: {send: async () => { throw new Error('no route') }}}))
    const error = await toolError(create.run(withPeople, contextFor()))
    expect(error.message).toMatch(/invitation could not be sent: no route.* is in the calendar all the same: it has changed since/)
    expect(await files()).toHaveLength(1)
  })

  test('an invitation that waits in the outbox is not said to be sent, and the preview tells it before', async () => {
    const create = only(calendarTools(backend, {invitations: {notice: 'No mail account is configured: the mail goes to the outbox.', send: async () => ({isQueued: true})}}))
    expect((await create.preview(withPeople, contextFor())).notice).toContain('goes to the outbox')
    expect((await create.preview(dentist, contextFor())).notice).not.toContain('outbox')
    const {summary} = await create.run(withPeople, contextFor())
    expect(summary).toMatch(/, and put the invitation to ana@example.org, bo@example.org, cy@example.org in the outbox$/)
  })
})

describe('hostile text', () => {
  test.each(hostileTexts)('%j comes back as it was, on lines of its own kind', async text => {
    const result = await only(calendarTools(backend)).run({...dentist, title: text, location: text, notes: text}, contextFor())
    const event = await eventIn(result.where)
    expect(event.getFirstPropertyValue('summary')).toBe(plainLine(text))
    expect(event.getFirstPropertyValue('location')).toBe(plainLine(text))
    expect(event.getFirstPropertyValue('description')).toBe(plainText(text))
    expect((await readFile(result.where ?? '', 'utf8')).match(/^BEGIN:VEVENT/gm)).toHaveLength(1)
  })

  test('any text at all makes one event with that text', async () => {
    let n = 0
    await fc.assert(fc.asyncProperty(fc.string({unit: 'binary', minLength: 1, maxLength: 200}).filter(s => plainLine(s) !== ''), async text => {
      const result = await only(calendarTools(backend)).run({...dentist, title: `t${text}`, notes: text}, contextFor({key: `k${n++}`}))
      const event = await eventIn(result.where)
      expect(event.getFirstPropertyValue('summary')).toBe(plainLine(`t${text}`))
      expect(event.getFirstPropertyValue('description')).toBe(plainText(text))
    }), {numRuns: 100})
  })
})

describe('reading', () => {
  test('a damaged file among good ones is skipped with a warning', async () => {
    await only(calendarTools(backend)).run(dentist, contextFor())
    await writeFile(join(dir, 'personal', 'bad.ics'), 'BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:nonsense')
    await writeFile(join(dir, 'personal', 'binary.ics'), Buffer.from([0, 255, 254, 1]))
    await writeFile(join(dir, 'personal', 'empty.ics'), '')
    expect((await backend.events(...march)).map(e => e.title)).toEqual(['Dentist'])
    expect(warnings.filter(w => /bad|binary|empty/.test(w))).toHaveLength(3)
  })

  test.each(['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', 'FREQ=SECONDLY', 'FREQ=DAILY;INTERVAL=0', 'FREQ=MONTHLY;BYDAY=9MO', 'FREQ=SOMETIMES'])('an absurd rule (%s) does not keep the other events from being read', async rule => {
    await only(calendarTools(backend)).run(dentist, contextFor())
    await writeFile(join(dir, 'personal', 'x.ics'), ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:x', 'BEGIN:VEVENT', 'UID:x', 'DTSTAMP:20250101T000000Z', 'DTSTART:20200101T000000',
      'DURATION:PT1S', `RRULE:${rule}`, 'SUMMARY:Absurd', 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n'))
    expect((await backend.events(...march)).map(e => e.title)).toContain('Dentist')
  })

  test('a repeating event of another program is spelled out, without its exceptions', async () => {
    await mkdir(join(dir, 'club'), {recursive: true})
    await writeFile(join(dir, 'club', 'x.ics'), [
      'BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:x', 'BEGIN:VEVENT', 'UID:x', 'DTSTAMP:20250101T000000Z', 'DTSTART:20260303T180000',
      'DTEND:20260303T190000', 'RRULE:FREQ=WEEKLY', 'EXDATE:20260310T180000', 'SUMMARY:Choir', 'END:VEVENT', 'BEGIN:VEVENT', 'UID:x',
      'DTSTAMP:20250101T000000Z', 'RECURRENCE-ID:20260317T180000', 'DTSTART:20260318T200000', 'DTEND:20260318T210000', 'SUMMARY:Choir moved',
      'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n'))
    expect((await backend.events(...march)).map(e => [e.start, e.title])).toEqual([
      ['2026-03-03 18:00:00', 'Choir'], ['2026-03-18 20:00:00', 'Choir moved'], ['2026-03-24 18:00:00', 'Choir'], ['2026-03-31 18:00:00', 'Choir'],
    ])
  })
})

describe('khal', async () => {
  const khal = await program('khal')
  test.skipIf(!khal)('lists what was written, at the local time, in its calendar', async () => {
    const create = only(calendarTools(backend))
    await create.run({...dentist, location: 'High St 3', notes: 'Bring the card'}, contextFor({key: 'a'}))
    await create.run({...dentist, title: 'Summer, "party"; x', start_date: '2026-07-01 18:00:00', end_date: '', calendar: 'Work'}, contextFor({key: 'b'}))
    await create.run({...dentist, title: 'Trip', start_date: '2026-03-07', end_date: '2026-03-09'}, contextFor({key: 'c'}))
    await create.run({...dentist, title: 'With Ana', start_date: '2026-03-05 10:00:00', end_date: '', invitees: ['ana@example.org']}, contextFor({key: 'd'}))
    const config = [
      '[calendars]', '[[all]]', `path = ${dir}/*`, 'type = discover', '[locale]', 'timeformat = %H:%M', 'dateformat = %Y-%m-%d', 'longdateformat = %Y-%m-%d',
      'datetimeformat = %Y-%m-%d %H:%M', 'longdatetimeformat = %Y-%m-%d %H:%M', `local_timezone = ${timeZone}`, `default_timezone = ${timeZone}`,
      '[sqlite]', `path = ${join(temp.path, 'khal.db')}`, ''].join('\n')
    const list = await runProgram(khal ?? '', ['list', '--format', '{start-date} {start-time}-{end-time} {title} @{location} [{calendar}]', '--day-format', '', '2026-03-01', '150d'],
      temp.path, {'.config/khal/config': config}, timeZone)
    const lines = list.split('\n').map(line => line.trim()).filter(Boolean)
    expect(lines).toContain('2026-03-04 08:40-09:40 Dentist @High St 3 [personal]')
    expect(lines).toContain('2026-07-01 18:00-19:00 Summer, "party"; x @ [Work]')
    expect(lines).toContain('2026-03-05 10:00-11:00 With Ana @ [personal]')
    expect(lines.filter(line => line.includes('Trip'))).toHaveLength(3)
  })
})
