// The mail account against real servers: Postfix takes what is sent, Dovecot delivers it and is read from.
import {join} from 'node:path'
import {inspect} from 'node:util'
import {simpleParser} from 'mailparser'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest'
import type {MailAccount, Server} from '../../src/tools/mail/account.ts'
import type {Tool} from '../../src/core/types.ts'
import {createWhole} from '../../src/tools/files/durable.ts'
import {mailTools, type MailBackend} from '../../src/tools/mail/mail.ts'
import {rawMessage, type Message} from '../../src/tools/mail/message.ts'
import {doubtfulMails, openImapMail} from '../../src/tools/mail/smtp-imap.ts'
import {uidOf} from '../../src/tools/vdir.ts'
import {canRunMailServers, password, startMailServers, type MailServers} from '../servers/mail-servers.ts'
import {freePort} from '../servers/process.ts'
import {mailContract} from './mail-contract.ts'
import {contextFor, tempFolder, toolError} from './vdir-programs.ts'

const canRun = await canRunMailServers()
let servers: MailServers
beforeAll(async () => { if (canRun) servers = await startMailServers() }, 60_000)
afterAll(() => servers?.stop())

const user = 'me@example.org'
const at = (port: number, security: Server['security'] = 'none'): Server => ({host: '127.0.0.1', port, user, security})
const account = (change: Partial<MailAccount> = {}): MailAccount => ({
  address: user, imap: at(servers.ports.imap), smtp: at(servers.ports.smtp), password: async () => password, forgetPassword: () => undefined, ...change,
})

if (canRun) mailContract('an account with SMTP and IMAP', async () => {
  await servers.clear()
  const {path, remove} = await tempFolder()
  return {
    backend: openImapMail(account(), {dir: path}),
    deliver: raw => servers.deliver(user, raw),
    outgoing: () => servers.mails('ana@example.org'),
    close: remove,
  }
})

describe.skipIf(!canRun)('an account on real servers', () => {
  let temp: Awaited<ReturnType<typeof tempFolder>>
  let warnings: string[]
  beforeEach(async () => {
    await servers.clear()
    temp = await tempFolder()
    warnings = []
  })
  afterEach(() => temp.remove())

  const {signal} = new AbortController()
  const open = (change: Partial<MailAccount> = {}): MailBackend => openImapMail(account(change), {dir: temp.path, warn: message => warnings.push(message)})
  const message = (change: Partial<Message> = {}): Message => ({
    id: '<m1@example.org>', from: {address: user, name: 'Jo'}, to: [{address: 'ana@example.org'}], cc: [],
    subject: 'Lunch', text: 'At one?\n.\n..dots at the start of lines stay\n', date: new Date('2026-03-03T09:15:00Z'), ...change,
  })
  const envelope = {from: user, to: ['ana@example.org']}
  const toolNamed = (backend: MailBackend, name: string): Tool =>
    mailTools(backend, {from: {address: user, name: 'Jo'}, userName: 'Jo'}).find(t => t.name === name) ?? expect.fail(name)

  test('what is sent is in Sent once, byte for byte', async () => {
    const raw = await rawMessage(message(), [])
    expect(await open().send(raw, envelope, '<m1@example.org>', signal)).toMatchObject({isQueued: false, where: 'Sent Mail on 127.0.0.1'})
    expect(await servers.mails('ana@example.org')).toEqual([raw])
    expect(await servers.mails(user, 'Sent Mail')).toEqual([raw])
    expect(warnings).toEqual([])
  })

  test.each([['tls', 'imaps', 'smtps'], ['starttls', 'imap', 'smtp']] as const)('with %s it is sent and read', async (security, imap, smtp) => {
    const backend = open({imap: at(servers.ports[imap], security), smtp: at(servers.ports[smtp], security)})
    const raw = await rawMessage(message({to: [{address: user}]}), [])
    await backend.send(raw, {from: user, to: [user]}, '<m1@example.org>', signal)
    await servers.mails(user)
    expect((await backend.openMail())?.messageId).toBe('<m1@example.org>')
  })

  test('a reply threads with the mail of the inbox that it answers, and quotes it', async () => {
    await servers.deliver(user, await rawMessage(message({
      id: '<q2@example.org>', from: {address: 'ana@example.org', name: 'Ana'}, to: [{address: user}], subject: 'Budget', text: 'Can you check?', inReplyTo: '<q1@example.org>', references: ['<q1@example.org>'],
    }), []))
    const reply = toolNamed(open(), 'reply_to_email')
    const context = contextFor({key: 'run-7'})
    const args = {cc: [], context: 'it is right', attachments: []}
    const shown = await reply.preview(args, context)
    await reply.run(args, context)
    const [got] = await servers.mails('ana@example.org')
    const read = await simpleParser(got!)
    expect(read.subject).toBe('Re: Budget')
    expect(read.inReplyTo).toBe('<q2@example.org>')
    expect(read.references).toEqual(['<q1@example.org>', '<q2@example.org>'])
    expect(read.text?.trimEnd()).toBe(shown.body?.text.trimEnd())
    expect(read.text).toContain('> Can you check?')
  })

  test('a forwarded mail takes the attachments of the chosen mail along', async () => {
    const pdf = Buffer.from([0, 1, 2, 255, 10, 13])
    await servers.deliver(user, await rawMessage(message({id: '<f1@example.org>', subject: 'Plans'}), [{name: 'plan “A”.pdf', type: 'application/pdf', content: pdf}]))
    await servers.deliver(user, await rawMessage(message({id: '<f2@example.org>', subject: 'Newer'}), []))
    const backend = open()
    const list = await backend.list()
    expect(list.map(m => m.subject)).toEqual(['Newer', 'Plans'])
    await backend.open(list[1]!.id)
    const forward = toolNamed(backend, 'forward_email')
    await forward.run({recipients: ['bruno@example.org'], cc: [], context: '', attachments: []}, contextFor({key: 'run-8'}))
    const read = await simpleParser((await servers.mails('bruno@example.org'))[0]!)
    expect(read.subject).toBe('Fwd: Plans')
    expect(read.attachments.map(a => [a.filename, a.contentType, a.content])).toEqual([['plan “A”.pdf', 'application/pdf', pdf]])
  })

  test('a mail of 10 MB arrives whole', async () => {
    const content = Buffer.alloc(10 * 1024 * 1024, 'abcdefg\n')
    await open().send(await rawMessage(message(), [{name: 'big.bin', type: 'application/octet-stream', content}]), envelope, '<m1@example.org>', signal)
    const read = await simpleParser((await servers.mails('ana@example.org'))[0]!)
    expect(read.attachments[0]?.content.equals(content)).toBe(true)
  }, 60_000)

  test('one of two recipients that the server refuses is said, and the other has the mail', async () => {
    const compose = toolNamed(open(), 'compose_new_email')
    const {summary} = await compose.run({recipients: ['ana@example.org', 'nobody@example.org'], cc: [], subject: 'Hi', context: 'hello', attachments: []}, contextFor({key: 'run-9'}))
    expect(summary).toMatch(/^Sent the mail 'Hi' to ana@example\.org; not to nobody@example\.org, which the server refused: 550/)
    expect(await servers.mails('ana@example.org')).toHaveLength(1)
  })

  test('what the server refuses did not go, is kept in the drafts of the server, and may be tried again', async () => {
    const compose = toolNamed(open(), 'compose_new_email')
    const args = {recipients: ['nobody@example.org'], cc: [], subject: 'Hi', context: 'hello', attachments: []}
    const error = await toolError(compose.run(args, contextFor({key: 'run-10'})))
    expect(error).toMatchObject({code: 'failed', message: expect.stringMatching(/127\.0\.0\.1:\d+ refused: .*550.*kept in the drafts: Drafts on 127\.0\.0\.1/)})
    expect(await servers.mails(user, 'Drafts')).toHaveLength(1)
    expect(await doubtfulMails(temp.path)).toEqual([])
  })

  test('a wrong password is told by host and user, is in no error, and nothing goes', async () => {
    const backend = open({password: async () => 'canary-wrong'})
    const raw = await rawMessage(message(), [])
    for (const work of [() => backend.send(raw, envelope, '<m1@example.org>', signal), () => backend.list()]) {
      const error = await toolError(work())
      expect(error).toMatchObject({code: 'unavailable', message: expect.stringMatching(/^127\.0\.0\.1:\d+ does not accept the password of me@example\.org.*app password/)})
      expect(inspect(error, {depth: 9})).not.toMatch(/canary|Y2FuYXJ5/)
    }
    expect(await servers.mails('ana@example.org')).toEqual([])
  })

  test('a host that is not there is named at once, and the draft is kept here', async () => {
    const closed = at(await freePort())
    const backend = open({imap: closed, smtp: closed})
    const raw = await rawMessage(message(), [])
    expect(await toolError(backend.send(raw, envelope, '<m1@example.org>', signal))).toMatchObject({code: 'unavailable', message: `127.0.0.1:${closed.port} does not take connections: check the port.`})
    expect((await backend.saveDraft(raw, '<m1@example.org>')).where).toContain(temp.path)
  })

  test('a mail that a killed run had begun is not sent again, also by another start', async () => {
    await createWhole(join(temp.path, 'sending', `${uidOf('m1@example.org')}.eml`), 'half')
    expect(await toolError(open().send(await rawMessage(message(), []), envelope, '<m1@example.org>', signal))).toMatchObject({code: 'refused', message: expect.stringContaining('may have gone')})
    expect(await doubtfulMails(temp.path)).toHaveLength(1)
    expect(await servers.mails('ana@example.org')).toEqual([])
  })
})
