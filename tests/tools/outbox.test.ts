// What was kept unsent: listed, sent once with its card, put aside and put back.
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {ToolError} from '../../src/core/errors.ts'
import {openMaildir} from '../../src/tools/mail/maildir.ts'
import type {MailBackend} from '../../src/tools/mail/mail.ts'
import {rawMessage, type Message} from '../../src/tools/mail/message.ts'
import {deleteKept, keptItems, outboxTools, purgeSetAside, sendKept, type OutboxDeps} from '../../src/tools/outbox/outbox.ts'
import {oneByOne} from '../../src/tools/sms/one-by-one.ts'
import {openSmsOutbox} from '../../src/tools/sms/outbox.ts'
import {contextFor, toolError} from './vdir-programs.ts'

let home: string
let places: {mailDir: string; smsDir: string}
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'outbox-'))
  places = {mailDir: path.join(home, 'mail'), smsDir: path.join(home, 'sms')}
})
afterEach(() => rmSync(home, {recursive: true, force: true}))

const signal = new AbortController().signal
const message = (change: Partial<Message> = {}): Message => ({
  id: '<20260303T091500-1@tinyagent.invalid>', to: [{address: 'ana@example.org'}], cc: [{address: 'bruno@example.org'}], subject: 'Lunch é', text: 'At one?\n', date: new Date('2026-03-03T09:15:00Z'), ...change,
})
async function keep(change: Partial<Message> = {}): Promise<Buffer> {
  const raw = await rawMessage(message(change), [{name: 'menu.txt', type: 'text/plain', content: Buffer.from('soup')}])
  await openMaildir(places.mailDir).send(raw, {from: '', to: []}, message(change).id, signal)
  return raw
}
const keepSms = (to: string[], text: string, key = 'run-1-task-1') => openSmsOutbox(places.smsDir).send(to, text, key, signal)

/** An account that takes what it is given, once for a Message-ID, as the real one does (smtp-imap.ts). */
function account(fail?: ToolError): MailBackend & {sent: {raw: Buffer; to: string[]; from: string; id: string}[]} {
  const sent: {raw: Buffer; to: string[]; from: string; id: string}[] = []
  return {
    ...openMaildir(path.join(home, 'account')), sent,
    send: async (raw, {from, to}, id) => {
      if (fail) throw fail
      if (sent.some(s => s.id === id)) throw new ToolError('refused', `The mail ${id} was sent already. Nothing was done twice.`)
      sent.push({raw, to, from, id})
      return {id, where: 'Sent', isQueued: false}
    },
  }
}
const me = {address: 'me@example.org', name: 'Jo Öl'}
const named = (deps: Partial<OutboxDeps>, name: string) => outboxTools({...places, ...deps}).find(t => t.name === name) ?? expect.fail(name)
const first = async (): Promise<string> => (await keptItems(places))[0]!.path

describe('the outbox', () => {
  test('lists mails and text messages by what they are; an empty one is empty', async () => {
    expect(await keptItems(places)).toEqual([])
    await keep()
    await keepSms(['+351 912 345 678'], 'Late\nby ten')
    expect((await keptItems(places)).map(k => k.title)).toEqual(['mail \'Lunch é\' to ana@example.org, bruno@example.org', expect.stringMatching(/^text message to \+351 912 345 678: Late.*by ten$/)])
  })

  test('a file that is no mail is listed as such, can be put aside, and is not sent', async () => {
    await keep()
    writeFileSync(path.join(places.mailDir, 'outbox/new/a-stray'), '')
    expect((await keptItems(places)).find(k => k.path.endsWith('a-stray'))?.title).toMatch(/^mail that can't be read/)
    expect(await toolError(named({mail: account(), from: me}, 'send_kept').preview({file: path.join(places.mailDir, 'outbox/new/a-stray')}, contextFor()))).toMatchObject({code: 'invalid-args'})
  })

  test('a mail goes as the card showed it, byte for byte, with the From it lacked; then the outbox is empty', async () => {
    const raw = await keep()
    const mail = account()
    const tool = named({mail, from: me}, 'send_kept')
    const file = await first()
    const card = await tool.preview({file}, contextFor())
    expect(card).toMatchObject({
      effect: 'outward', body: {text: expect.stringContaining('At one?')}, attachments: [{name: 'menu.txt', bytes: 4}],
      fields: [{label: 'From', value: 'Jo Öl <me@example.org>'}, {label: 'To', value: ['ana@example.org', 'bruno@example.org']}, {label: 'Subject', value: 'Lunch é'}, {label: 'Written'}],
    })
    writeFileSync(file, 'From: x@example.org\nTo: eve@example.org\nMessage-ID: <x@y>\nSubject: other\n\nother') // after the card
    expect((await tool.run({file}, contextFor())).summary).toBe('Sent the mail \'Lunch é\' to ana@example.org, bruno@example.org from the outbox')
    expect(mail.sent).toHaveLength(1)
    expect(mail.sent[0]).toMatchObject({to: ['ana@example.org', 'bruno@example.org'], from: 'me@example.org', id: message().id})
    expect(mail.sent[0]!.raw.toString()).toBe(`From: =?UTF-8?Q?Jo_=C3=96l?= <me@example.org>\n${raw.toString()}`)
    expect(await keptItems(places)).toEqual([])
  })

  test.each([
    ['hidden recipients', 'To: a@example.org\nBcc: eve@example.org', /Bcc/], ['nobody who gets it', 'Subject: x', /says nobody who gets it/], ['an address that is none', 'To: "a\\r\\nb" <not an address>', /./],
  ])('a mail of another program with %s is not sent', async (_, head, message) => {
    await keep()
    writeFileSync(await first(), `Message-ID: <x@example.org>\n${head}\n\nText\n`)
    expect(await toolError(named({mail: account(), from: me}, 'send_kept').preview({file: await first()}, contextFor()))).toMatchObject({code: 'invalid-args', message: expect.stringMatching(message)})
  })

  test('a mail of another program with a part that is not shown says so', async () => {
    await keep()
    writeFileSync(await first(), 'Message-ID: <x@example.org>\nTo: a@example.org\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<p>other</p>\n--b--\n')
    expect((await named({mail: account(), from: me}, 'send_kept').preview({file: await first()}, contextFor())).notice).toContain('HTML')
  })

  test.each(['unavailable', 'unknown'] as const)('a mail that did not go for sure (%s) stays', async code => {
    await keep({from: me})
    const tool = named({mail: account(new ToolError(code, 'no')), from: me}, 'send_kept')
    expect(await toolError(tool.run({file: await first()}, contextFor()))).toMatchObject({code})
    expect(await keptItems(places)).toHaveLength(1)
  })

  test('a mail that is there again after it went is refused by its Message-ID', async () => {
    await keep({from: me})
    const mail = account()
    await named({mail, from: me}, 'send_kept').run({file: await first()}, contextFor())
    await keep({from: me})
    expect(await toolError(named({mail, from: me}, 'send_kept').run({file: await first()}, contextFor()))).toMatchObject({code: 'refused'})
    expect(mail.sent).toHaveLength(1)
  })

  test('a text message goes by the gateway once, also when its file comes back', async () => {
    const sent: string[] = []
    const sms = oneByOne(places.smsDir, 'The gateway', async (to, text) => { sent.push(`${to}: ${text}`); return 'id' })
    const tool = named({sms}, 'send_kept')
    await keepSms(['+351 912 345 678', '+351 912 345 679'], 'Late')
    const file = await first()
    const text = readFileSync(file)
    expect(await tool.preview({file}, contextFor())).toMatchObject({effect: 'outward', fields: [{value: ['+351 912 345 678', '+351 912 345 679']}], body: {text: 'Late'}, notice: expect.stringContaining('Each of the 2')})
    await tool.run({file}, contextFor())
    expect(sent).toEqual(['+351 912 345 678: Late', '+351 912 345 679: Late'])
    expect(existsSync(file)).toBe(false)
    writeFileSync(file, text)
    expect(await toolError(tool.run({file}, contextFor()))).toMatchObject({code: 'refused'})
    expect(sent).toHaveLength(2)
  })

  test.each([
    ['done', {state: 'done', note: 'it is in Sent'}, 'done', 0], ['failed', {state: 'failed', note: ''}, 'failed', 1], ['unknown', {state: 'unknown', note: 'Look at Sent.'}, 'unknown', 1],
  ] as const)('a mail that was cut off on its way is asked of the account: %s', async (_, fate, state, left) => {
    await keep({from: me})
    const asked: unknown[] = []
    const mail: MailBackend = {...account(), settle: async (id, _signal, settling) => { asked.push([id, settling]); return fate }}
    const tool = named({mail, from: me}, 'send_kept')
    const file = await first()
    expect(await tool.settle!({file}, {key: 'k', at: new Date(), signal})).toMatchObject({state, summary: expect.stringContaining('Lunch é')})
    expect(asked).toEqual([[message().id, {isKept: true}]]) // no draft of what waits here
    expect(await keptItems(places)).toHaveLength(left)
    if (left === 0) expect(await tool.settle!({file}, {key: 'k', at: new Date(), signal})).toMatchObject({state: 'done'})
  })

  test('a text message that was cut off is asked of the gateway\'s own record, and may be tried again where nothing went', async () => {
    await keepSms(['+351 912 345 678'], 'Late')
    const file = await first()
    const sms = oneByOne(places.smsDir, 'The gateway', async () => 'id')
    const tool = named({sms}, 'send_kept')
    expect(await tool.settle!({file}, {key: 'k', at: new Date(), signal})).toEqual({state: 'failed', summary: 'Did not send the text message to +351 912 345 678. It is still in the outbox.'})
    await sms.send(['+351 912 345 678'], 'Late', 'outbox-run-1-task-1', signal) // killed before it was taken out
    expect(await tool.settle!({file}, {key: 'k', at: new Date(), signal})).toMatchObject({state: 'done'})
    expect(await keptItems(places)).toEqual([])
  })

  test('what was put aside is removed for good after 90 days, and not before', async () => {
    await keep()
    await named({}, 'delete_kept').run({file: await first()}, contextFor())
    const aside = (): string[] => readdirSync(path.join(places.mailDir, 'deleted'))
    const days = (n: number): Date => new Date(Date.now() + n * 86_400_000)
    await purgeSetAside(places, days(89))
    expect(aside()).toHaveLength(1)
    await purgeSetAside(places, days(91))
    expect(aside()).toEqual([])
  })

  test('a deletion that was cut off is done where the file is aside, and can be taken back', async () => {
    await keep()
    const tool = named({}, 'delete_kept')
    const file = await first()
    expect(await tool.settle!({file}, {key: 'k', at: new Date(), signal})).toMatchObject({state: 'failed', summary: expect.stringContaining('still in the outbox')})
    await tool.run({file}, contextFor())
    const settled = await tool.settle!({file}, {key: 'k', at: new Date(), signal})
    expect(settled).toMatchObject({state: 'done', summary: expect.stringContaining('unsent')})
    await tool.undo!(settled.undo!, contextFor())
    expect(await keptItems(places)).toHaveLength(1)
  })

  test('without an account or a gateway the card says what to set up', async () => {
    await keep()
    expect(await toolError(named({}, 'send_kept').preview({file: await first()}, contextFor()))).toMatchObject({message: expect.stringContaining('tinyagent setup mail')})
    rmSync(places.mailDir, {recursive: true})
    await keepSms(['+351 912 345 678'], 'Late')
    expect(await toolError(named({}, 'send_kept').preview({file: await first()}, contextFor()))).toMatchObject({message: expect.stringContaining('sms.gateway')})
  })

  test('what is deleted is put aside, and undo puts it back as it was', async () => {
    const raw = await keep()
    await keepSms(['+351 912 345 678'], 'Late')
    const tool = named({}, 'delete_kept')
    for (const {path: file} of await keptItems(places)) {
      expect((await tool.preview({file}, contextFor())).effect).toBe('local')
      const {undo} = await tool.run({file}, contextFor())
      expect(existsSync(file)).toBe(false)
      await tool.undo!(undo!, contextFor())
      expect(existsSync(file)).toBe(true)
      await tool.run({file}, contextFor())
    }
    expect(await keptItems(places)).toEqual([])
    expect(readFileSync(path.join(places.mailDir, 'deleted', readdirSync(path.join(places.mailDir, 'deleted'))[0]!))).toEqual(raw)
  })

  test.each([sendKept.name, deleteKept.name])('%s takes no file from elsewhere', async name => {
    const outside = path.join(home, 'letter.json')
    writeFileSync(outside, '{}')
    for (const file of [outside, path.join(places.mailDir, 'outbox/new/../../../letter.json'), '/etc/passwd']) {
      expect(await toolError(named({mail: account(), from: me}, name).run({file}, contextFor()))).toMatchObject({code: 'refused'})
    }
    expect(existsSync(outside)).toBe(true)
  })
})
