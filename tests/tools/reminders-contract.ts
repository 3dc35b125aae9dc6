// What every RemindersBackend promises; run against each by its own test.
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {plainLine} from '../../src/tools/calendar/ical.ts'
import {parseWhen} from '../../src/tools/calendar/when.ts'
import type {NewReminder, RemindersBackend} from '../../src/tools/reminders/reminders.ts'
import {hostileTexts, toolError} from './vdir-programs.ts'

export function remindersContract(name: string, open: () => Promise<{backend: RemindersBackend; close(): Promise<void>}>, {kept = text => text, priority = p => p}: {/** what the server makes of a line of text */ kept?(text: string): string; /** ... and of a priority */ priority?(p: number): number} = {}): void {
  describe(`${name} as a reminders backend`, () => {
    let opened: Awaited<ReturnType<typeof open>>
    let backend: RemindersBackend
    beforeEach(async () => {
      opened = await open()
      backend = opened.backend
    })
    afterEach(() => opened.close())

    const now = new Date('2026-03-03T09:15:00Z')
    const reminder = (change: Partial<NewReminder> = {}): NewReminder => ({name: 'Call', notes: '', list: '', priority: 0, ...change})

    test('asking for a list makes none', async () => {
      expect(await backend.list('Shopping')).toEqual({name: 'Shopping', exists: false})
      expect(await backend.reminders()).toEqual([])
    })

    test('reminders come back with what they were made of, those with a date first', async () => {
      await backend.create(reminder({name: 'Some day', list: 'Shopping', priority: 9}), 'a', now)
      await backend.create(reminder({name: 'A time', due: parseWhen('2026-03-05 10:00:00', 'due'), priority: 1}), 'b', now)
      await backend.create(reminder({name: 'A day', due: parseWhen('2026-03-04', 'due'), priority: 5}), 'c', now)
      expect((await backend.reminders()).map(r => [r.name, r.due, r.list, r.priority, r.isDone])).toEqual([
        ['A day', '2026-03-04', (await backend.list('')).name, priority(5), false],
        ['A time', '2026-03-05 10:00:00', (await backend.list('')).name, 1, false],
        ['Some day', '', 'Shopping', 9, false],
      ])
    })

    test('a second reminder of one UID is refused', async () => {
      await backend.create(reminder(), 'same', now)
      expect((await toolError(backend.create(reminder({name: 'Other'}), 'same', now))).code).toBe('refused')
      expect((await backend.reminders()).map(r => r.name)).toEqual(['Call'])
    })

    test('what was made can be taken back once', async () => {
      const {undo} = await backend.create(reminder(), 'a', now)
      await backend.create(reminder({name: 'Stays'}), 'b', now)
      await backend.remove(undo)
      expect((await backend.reminders()).map(r => r.name)).toEqual(['Stays'])
      expect((await toolError(backend.remove(undo))).code).toBe('refused')
    })

    test.each(hostileTexts)('%j stays text everywhere', async text => {
      await backend.create(reminder({name: text, notes: text, list: text}), text, now)
      expect((await backend.reminders()).map(r => r.name)).toEqual([kept(plainLine(text))])
    })
  })
}
