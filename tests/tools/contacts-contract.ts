// What every ContactsBackend promises; run against each by its own test.
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {ContactsBackend} from '../../src/tools/contacts/contacts.ts'
import {hostileTexts} from './vdir-programs.ts'

export function contactsContract(name: string, open: () => Promise<{backend: ContactsBackend; close(): Promise<void>}>): void {
  describe(`${name} as a contacts backend`, () => {
    let opened: Awaited<ReturnType<typeof open>>
    let backend: ContactsBackend
    beforeEach(async () => {
      opened = await open()
      backend = opened.backend
    })
    afterEach(() => opened.close())

    test('without contacts nobody is found and nothing is made', async () => {
      expect(await backend.all()).toEqual([])
      expect(await backend.find('Ana')).toEqual({contacts: [], isSure: false})
      expect(await backend.nameOf('ana@example.org')).toBeUndefined()
    })

    test('a saved contact is found by its name and by its address', async () => {
      await backend.save('Ana Duarte', 'email', 'ana@example.org')
      const {contacts, isSure} = await backend.find('ana')
      expect(isSure).toBe(true)
      expect(contacts.map(c => [c.name, c.emails.map(e => e.value)])).toEqual([['Ana Duarte', ['ana@example.org']]])
      expect(await backend.nameOf('ANA@example.org')).toBe('Ana Duarte')
    })

    test('a second value goes to the same contact, the same value is kept once', async () => {
      await backend.save('Ana Duarte', 'email', 'ana@example.org')
      await backend.save('ana duarte', 'phone', '+447700900123')
      await backend.save('Ana Duarte', 'phone', '+44 7700 900123')
      expect((await backend.all()).map(c => [c.emails.map(e => e.value), c.phones.map(p => p.value)])).toEqual([[['ana@example.org'], ['+447700900123']]])
    })

    test.each(hostileTexts)('%j as a name makes one contact with one address', async text => {
      await backend.save(text, 'email', 'x@example.org')
      const all = await backend.all()
      expect(all.map(c => [c.emails.map(e => e.value), c.phones])).toEqual([[['x@example.org'], []]])
    })
  })
}
