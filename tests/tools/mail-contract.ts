// What every MailBackend promises; run against each by its own test.
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {MailBackend} from '../../src/tools/mail/mail.ts'
import {fieldText, rawMessage, type Message} from '../../src/tools/mail/message.ts'
import {hostileTexts, toolError} from './vdir-programs.ts'

/** `deliver` puts a mail into the inbox, as a mail server would; `outgoing` are the mails that `send` took, oldest first. */
export interface OpenedMail { backend: MailBackend; deliver(raw: Buffer): Promise<void>; outgoing(): Promise<Buffer[]>; close(): Promise<void> }

export function mailContract(name: string, open: () => Promise<OpenedMail>): void {
  describe(`${name} as a mail backend`, () => {
    let opened: OpenedMail
    let backend: MailBackend
    beforeEach(async () => {
      opened = await open()
      backend = opened.backend
    })
    afterEach(() => opened.close())

    const message = (change: Partial<Message> = {}): Message => ({
      id: '<m1@example.org>', from: {address: 'ana@example.org', name: 'Ana'}, to: [{address: 'me@example.org'}], cc: [],
      subject: 'Lunch', text: 'At one?', date: new Date('2026-03-03T09:15:00Z'), ...change,
    })
    const raw = (change: Partial<Message> = {}): Promise<Buffer> => rawMessage(message(change), [])
    const envelope = {from: 'me@example.org', to: ['ana@example.org']}
    const {signal} = new AbortController()

    test('without mails none is open, and looking makes none', async () => {
      expect(await backend.list()).toEqual([])
      expect(await backend.openMail()).toBeUndefined()
      expect(await opened.outgoing()).toEqual([])
    })

    test('the open mail is the newest that came in, until another is opened', async () => {
      await opened.deliver(await raw({id: '<old@example.org>', subject: 'Old'}))
      await opened.deliver(await raw({id: '<new@example.org>', subject: 'New', date: new Date('2020-01-01T00:00:00Z')}))
      expect((await backend.list()).map(m => [m.subject, m.from])).toEqual([['New', 'Ana'], ['Old', 'Ana']])
      expect((await backend.openMail())?.messageId).toBe('<new@example.org>')
      const [, old] = await backend.list()
      expect((await backend.open(old?.id ?? '')).subject).toBe('Old')
      expect((await backend.openMail())?.messageId).toBe('<old@example.org>')
    })

    test('opening what is not there is an error, and the open mail stays', async () => {
      await opened.deliver(await raw())
      expect((await toolError(backend.open('/nowhere/mail.eml'))).code).toBe('not-found')
      expect((await backend.openMail())?.subject).toBe('Lunch')
    })

    test('what is sent leaves byte for byte, once', async () => {
      const bytes = await raw()
      const {id} = await backend.send(bytes, envelope, '<m1@example.org>', signal)
      expect(id).toBe('<m1@example.org>')
      expect(await opened.outgoing()).toEqual([bytes])
      expect((await toolError(backend.send(await raw({text: 'Other'}), envelope, '<m1@example.org>', signal))).code).toBe('refused')
      expect(await opened.outgoing()).toEqual([bytes])
    })

    test('of one mail sent many times at once, one goes', async () => {
      const bytes = await raw()
      const sent = await Promise.allSettled(Array.from({length: 10}, () => backend.send(bytes, envelope, '<m1@example.org>', signal)))
      expect(sent.filter(s => s.status === 'fulfilled')).toHaveLength(1)
      expect(await opened.outgoing()).toHaveLength(1)
    })

    test('nothing goes once the request is cancelled', async () => {
      await expect(backend.send(await raw(), envelope, '<m1@example.org>', AbortSignal.abort())).rejects.toThrow()
      expect(await opened.outgoing()).toEqual([])
    })

    test('a draft is kept and is not sent', async () => {
      const draft = await raw({id: '<d1@example.org>'})
      const {where} = await backend.saveDraft(draft, '<d1@example.org>')
      expect(where).not.toBe('')
      expect((await toolError(backend.saveDraft(draft, '<d1@example.org>'))).code).toBe('refused')
      expect(await opened.outgoing()).toEqual([])
      expect(await backend.list()).toEqual([])
    })

    test.each(hostileTexts)('%j in an incoming mail is text of its field', async text => {
      await opened.deliver(await raw({subject: fieldText(text), from: {address: 'ana@example.org', name: fieldText(text)}, text}))
      const mail = await backend.openMail()
      const whole = (s: string): string => Buffer.from(s).toString()
      expect(mail?.subject).toBe(whole(fieldText(text)))
      expect(mail?.from).toEqual([{address: 'ana@example.org', name: whole(fieldText(text))}])
      expect(mail?.text.trimEnd()).toBe(whole(text).replace(/\r\n?/g, '\n').trimEnd())
      expect((await backend.list()).map(m => m.subject)).toEqual([whole(fieldText(text))])
    })
  })
}
