// What every NotesBackend promises; run against each by its own test.
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {NotesBackend} from '../../src/tools/notes/notes.ts'
import {hostileTexts, toolError} from './vdir-programs.ts'

export function notesContract(name: string, open: () => Promise<{backend: NotesBackend; close(): Promise<void>}>, {kept = text => text}: {/** what the app makes of a text */ kept?(text: string): string} = {}): void {
  describe(`${name} as a notes backend`, () => {
    let opened: Awaited<ReturnType<typeof open>>
    let backend: NotesBackend
    beforeEach(async () => {
      opened = await open()
      backend = opened.backend
    })
    afterEach(() => opened.close())

    const found = async (note: string, folder = ''): Promise<string[]> => (await backend.find(note, folder)).map(n => n.folder ? `${n.folder}/${n.name}` : n.name)
    const textOf = async (note: string, folder = ''): Promise<string | undefined> => {
      const [first] = await backend.find(note, folder)
      return first && backend.read(first)
    }

    test('without notes none is found and looking makes none', async () => {
      expect(await backend.list()).toEqual([])
      expect(await backend.find('Shopping', '')).toEqual([])
    })

    test('a note is found by its name, whatever its capitals, in its folder', async () => {
      await backend.create('Packing list', 'socks', 'Trips')
      await backend.create('Shopping', 'milk', '')
      expect(await found('packing LIST')).toEqual(['Trips/Packing list'])
      expect(await found('packing list', 'trips')).toEqual(['Trips/Packing list'])
      expect(await found('Packing list', 'Work')).toEqual([])
      expect(await textOf('shopping')).toBe('milk')
      expect((await backend.list()).map(n => n.name).sort()).toEqual(['Packing list', 'Shopping'])
    })

    test('exact names come before names that hold the words', async () => {
      await backend.create('Ideas', 'a', '')
      await backend.create('Ideas for Berlin', 'b', '')
      expect(await found('ideas')).toEqual(['Ideas'])
      expect(await found('berlin ideas')).toEqual(['Ideas for Berlin'])
      expect(await found('idea')).toEqual([])
    })

    test('a second note of one name in one folder is refused and the first stays', async () => {
      await backend.create('Shopping', 'milk', '')
      expect((await toolError(backend.create('shopping', 'bread', ''))).code).toBe('refused')
      await backend.create('Shopping', 'nails', 'House')
      expect(await textOf('Shopping', 'House')).toBe('nails')
      expect((await backend.list()).length).toBe(2)
    })

    test('what is added comes on a line of its own after what is there', async () => {
      const {note} = await backend.create('Shopping', 'milk', '')
      await backend.append(note, 'bread')
      await backend.append(note, 'eggs\nsalt')
      expect(await backend.read(note)).toBe('milk\nbread\neggs\nsalt')
    })

    test('of many additions made at the same time none is lost', async () => {
      const {note} = await backend.create('Log', 'start', '')
      await Promise.all(Array.from({length: 20}, (_, n) => backend.append(note, `line ${n}`)))
      expect((await backend.read(note)).split('\n').sort()).toEqual([...Array.from({length: 20}, (_, n) => `line ${n}`), 'start'].sort())
    })

    test('what was made can be taken back once, in reverse', async () => {
      const {note, undo: made} = await backend.create('Shopping', 'milk', '')
      const {undo: added} = await backend.append(note, 'bread')
      expect((await toolError(backend.undo(made))).code).toBe('refused')
      const fromJournal: unknown = JSON.parse(JSON.stringify(added))
      await backend.undo(fromJournal as typeof added) // what a journal keeps is JSON again
      expect(await backend.read(note)).toBe('milk')
      expect((await toolError(backend.undo(added))).code).toBe('refused')
      await backend.undo(made)
      expect(await backend.list()).toEqual([])
      expect((await toolError(backend.undo(made))).code).toBe('refused')
    })

    test.each(hostileTexts)('%j as name, text and folder is one note that is found again', async text => {
      const whole = Buffer.from(text).toString()
      const {note} = await backend.create(text, text, text)
      expect(await backend.read(note)).toBe(kept(whole).trimEnd())
      await backend.append(note, text)
      expect((await backend.find(text, note.folder)).map(n => n.path)).toEqual([note.path])
      expect(await backend.list()).toHaveLength(1)
      expect(note.name + note.folder).not.toMatch(/[\p{Cc}\u2028\u202e]/u)
    })
  })
}
