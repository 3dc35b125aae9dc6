// What every CalendarBackend promises; run against each by its own test.
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {CalendarBackend, NewEvent} from '../../src/tools/calendar/calendar.ts'
import {plainLine} from '../../src/tools/calendar/ical.ts'
import {parseWhen} from '../../src/tools/calendar/when.ts'
import {hostileTexts, toolError} from './vdir-programs.ts'

export function calendarContract(name: string, open: () => Promise<{backend: CalendarBackend; close(): Promise<void>}>, {kept = text => text}: {/** what the server makes of a line of text */ kept?(text: string): string} = {}): void {
  describe(`${name} as a calendar backend`, () => {
    let opened: Awaited<ReturnType<typeof open>>
    let backend: CalendarBackend
    beforeEach(async () => {
      opened = await open()
      backend = opened.backend
    })
    afterEach(() => opened.close())

    const now = new Date('2026-03-03T09:15:00Z')
    const event = (change: Partial<NewEvent> & {from?: string; to?: string} = {}): NewEvent => {
      const {from = '2026-03-04 08:40:00', to = '2026-03-04 09:40:00', ...rest} = change
      return {title: 'Dentist', start: parseWhen(from, 'start'), end: parseWhen(to, 'end'), location: '', notes: '', invitees: [], calendar: '', ...rest}
    }
    const march = [new Date('2026-03-01T00:00:00'), new Date('2026-04-01T00:00:00')] as const

    test('asking for a calendar makes none', async () => {
      expect(await backend.calendar('Work')).toEqual({name: 'Work', exists: false})
      expect(await backend.calendar('Work')).toEqual({name: 'Work', exists: false})
    })

    test('an event is found in its time and its calendar, in order, and nowhere else', async () => {
      await backend.create(event({title: 'Later', from: '2026-03-05 10:00:00', to: '2026-03-06 11:00:00', calendar: 'Work', location: 'Room 2'}), 'b', now)
      await backend.create(event(), 'a', now)
      await backend.create(event({title: 'Days', from: '2026-03-10', to: '2026-03-11'}), 'c', now)
      expect((await backend.events(...march)).map(({start, end, title, location, calendar}) => [start, end, title, location, calendar])).toEqual([
        ['2026-03-04 08:40:00', '2026-03-04 09:40:00', 'Dentist', '', (await backend.calendar('')).name],
        ['2026-03-05 10:00:00', '2026-03-06 11:00:00', 'Later', 'Room 2', 'Work'],
        ['2026-03-10', '2026-03-11', 'Days', '', (await backend.calendar('')).name],
      ])
      const between = (from: string, to: string) => backend.events(new Date(from), new Date(to)).then(found => found.map(e => e.title))
      expect(await between('2026-03-04T09:40:00', '2026-03-05T10:00:00')).toEqual([])
      expect(await between('2026-03-06T10:59:00', '2026-03-06T12:00:00')).toEqual(['Later'])
      expect(await between('2026-03-11T23:00:00', '2026-03-12T00:00:00')).toEqual(['Days'])
      expect(await between('2026-03-12T00:00:00', '2026-03-13T00:00:00')).toEqual([])
    })

    test('a second event of one UID is refused', async () => {
      await backend.create(event(), 'same', now)
      expect((await toolError(backend.create(event({title: 'Other'}), 'same', now))).code).toBe('refused')
      expect((await backend.events(...march)).map(e => e.title)).toEqual(['Dentist'])
    })

    test('what was made can be taken back once', async () => {
      const {undo} = await backend.create(event(), 'a', now)
      await backend.create(event({title: 'Stays'}), 'b', now)
      const fromJournal: unknown = JSON.parse(JSON.stringify(undo))
      await backend.remove(fromJournal as typeof undo) // what a journal keeps is JSON again
      expect((await backend.events(...march)).map(e => e.title)).toEqual(['Stays'])
      expect((await toolError(backend.remove(undo))).code).toBe('refused')
    })

    test('many events made at the same time, in calendars not made yet, are all there', async () => {
      await Promise.all(Array.from({length: 20}, (_, n) => backend.create(event({title: `e${n}`, calendar: n % 2 ? 'One' : 'Two'}), `k${n}`, now)))
      const found = await backend.events(...march)
      expect(found).toHaveLength(20)
      expect(new Set(found.map(e => e.calendar))).toEqual(new Set(['One', 'Two']))
    })

    test.each(hostileTexts)('%j stays text everywhere', async text => {
      await backend.create(event({title: text, location: text, notes: text, calendar: text}), text, now)
      expect((await backend.events(...march)).map(e => [e.title, e.location])).toEqual([[kept(plainLine(text)), kept(plainLine(text))]])
    })
  })
}
