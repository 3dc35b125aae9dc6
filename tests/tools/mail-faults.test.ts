// The line to the server is cut after every few bytes of the dialogue, and at each byte where it matters: what the backend says is
// true at the server, no mail goes twice, none is lost, and "unknown" is said only where nobody can know.
import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {ToolError} from '../../src/core/errors.ts'
import type {MailAccount, Server} from '../../src/tools/mail/account.ts'
import type {MailBackend} from '../../src/tools/mail/mail.ts'
import {rawMessage} from '../../src/tools/mail/message.ts'
import {openImapMail} from '../../src/tools/mail/smtp-imap.ts'
import {startFaultProxy, type Fault, type FaultProxy} from '../servers/fault-proxy.ts'
import {canRunMailServers, password, startMailServers, type MailServers} from '../servers/mail-servers.ts'
import {tempFolder} from './vdir-programs.ts'

const canRun = await canRunMailServers()
const user = 'me@example.org'
const envelope = {from: user, to: ['ana@example.org']}

describe.skipIf(!canRun)('a line that is cut', () => {
  let servers: MailServers
  let proxy: FaultProxy
  let imapProxy: FaultProxy
  let temp: Awaited<ReturnType<typeof tempFolder>>
  let backend: MailBackend
  let warnings: string[] = []
  let count = 0
  const at = (port: number): Server => ({host: '127.0.0.1', port, user, security: 'none'})

  beforeAll(async () => {
    servers = await startMailServers()
    proxy = await startFaultProxy(servers.ports.smtp)
    imapProxy = await startFaultProxy(servers.ports.imap)
    temp = await tempFolder()
    const account: MailAccount = {address: user, imap: at(imapProxy.port), smtp: at(proxy.port), password: async () => password, forgetPassword: () => undefined}
    backend = openImapMail(account, {dir: temp.path, warn: message => warnings.push(message)})
  }, 60_000)
  afterAll(async () => {
    await proxy?.close()
    await imapProxy?.close()
    await servers?.stop()
    await temp?.remove()
  })

  const message = async (): Promise<{id: string; raw: Buffer}> => {
    const id = `<fault-${String(++count).padStart(5, '0')}@example.org>` // of one length, so that the bytes of every run are alike
    return {id, raw: await rawMessage({id, from: {address: user}, to: [{address: 'ana@example.org'}], cc: [], subject: 'Cut', text: 'A line.\n.\nAnother.', date: new Date('2026-03-03T09:15:00Z')}, [])}
  }
  const send = async ({id, raw}: {id: string; raw: Buffer}): Promise<string> => {
    try {
      await backend.send(raw, envelope, id, new AbortController().signal)
      return 'sent'
    } catch (error) {
      if (!(error instanceof ToolError)) throw error
      return error.code
    }
  }
  const copies = async (id: string): Promise<number> => (await servers.mails('ana@example.org')).filter(mail => mail.includes(id)).length

  /** One mail over a broken line: the outcome, checked at the server; then again over a good line, as a user would. */
  async function tryOnce(fault: Fault): Promise<string> {
    const mail = await message()
    proxy.set(fault)
    const outcome = await send(mail)
    proxy.set()
    const arrived = await copies(mail.id)
    const at = JSON.stringify(fault)
    if (outcome === 'sent') expect(arrived, at).toBe(1)
    else if (outcome === 'unknown') expect(arrived, at).toBeLessThanOrEqual(1)
    else expect(arrived, `${at}: ${outcome}`).toBe(0)
    const again = await send(mail)
    expect(again, `${at}: ${outcome}, then`).toBe(outcome === 'sent' || outcome === 'unknown' ? 'refused' : 'sent')
    expect(await copies(mail.id), at).toBe(again === 'sent' ? 1 : arrived)
    return outcome
  }

  /** Every `step`-th place, and each one of those in `closely`. */
  const places = (end: number, step: number, closely: [number, number]): number[] =>
    Array.from({length: end + 1}, (_, i) => i).filter(i => i % step === 0 || (i >= closely[0] && i <= closely[1]))

  test('on our side: before the last byte of DATA it did not go, and after it is unknown', async () => {
    await servers.clear()
    proxy.set()
    expect(await send(await message())).toBe('sent')
    const whole = proxy.seen().client
    const dot = whole.lastIndexOf('\r\n.\r\n') + 2 // where the last line begins
    const said = new Map<number, string>()
    for (const cutAfter of places(whole.length, 23, [dot - 3, dot + 5])) {
      said.set(cutAfter, await tryOnce({from: 'client', cutAfter, how: cutAfter % 2 ? 'reset' : 'close'}))
    }
    const where = (outcome: string): number[] => [...said].filter(([, o]) => o === outcome).map(([at]) => at)
    expect(Math.min(...where('unknown'))).toBeGreaterThanOrEqual(dot)
    expect(where('unknown')).toContain(dot + 3) // the server has all of it, and its answer is cut
    expect([...said.values()].filter(o => !['sent', 'unknown', 'unavailable', 'failed'].includes(o))).toEqual([])
  }, 300_000)

  test('on the server\'s side: only the answer to the whole mail leaves a doubt', async () => {
    await servers.clear()
    proxy.set()
    expect(await send(await message())).toBe('sent')
    const whole = proxy.seen().server
    const goAhead = whole.indexOf('\n', whole.lastIndexOf('\r\n354') + 2) + 1
    const answer = whole.indexOf('\n', goAhead) + 1
    const said = new Map<number, string>()
    for (const cutAfter of places(whole.length, 29, [goAhead - 2, goAhead + 2])) {
      said.set(cutAfter, await tryOnce({from: 'server', cutAfter, how: cutAfter % 2 ? 'reset' : 'close'}))
    }
    for (const [at, outcome] of said) {
      // Cut at once after "go ahead", the line shows it before the last byte is written.
      if (at <= goAhead) expect(outcome, String(at)).toMatch(/^(?:unavailable|failed)$/)
      else if (at < answer - 4) expect(outcome, String(at)).toBe('unknown') // the id in the answer may be a little shorter
    }
    expect([...said.values()]).toContain('unknown')
  }, 300_000)

  test('the server that can tell is asked: a mail that is found by its Message-ID went', async () => {
    proxy.set()
    const mail = await message()
    const toMe = {from: user, to: [user]} // its inbox is ours
    await backend.send(mail.raw, toMe, mail.id, new AbortController().signal)
    const dialogue = proxy.seen().server
    const goAhead = dialogue.indexOf('\n', dialogue.lastIndexOf('\r\n354') + 2) + 1
    const other = await message()
    await servers.deliver(user, other.raw) // as it would be by the time that we ask
    proxy.set({from: 'server', cutAfter: goAhead + 3})
    const sent = await backend.send(other.raw, toMe, other.id, new AbortController().signal)
    expect(sent.where).toBe('INBOX on 127.0.0.1')
    proxy.set()
  }, 60_000)

  test('after a cancel before the last byte nothing went; the line that is silent is given up', async () => {
    const mail = await message()
    proxy.set({from: 'server', cutAfter: 20, how: 'silence'})
    const cancel = new AbortController()
    const work = backend.send(mail.raw, envelope, mail.id, cancel.signal)
    work.catch(() => undefined)
    while (proxy.seen().server.length < 20) await new Promise(setImmediate)
    cancel.abort()
    await expect(work).rejects.toMatchObject({name: 'AbortError'})
    proxy.set()
    expect(await copies(mail.id)).toBe(0)
    expect(await send(mail)).toBe('sent')
  }, 60_000)

  test('a cancel while the answer is awaited says that it may have gone, within two seconds', async () => {
    const mail = await message()
    proxy.set()
    await send(await message())
    const dialogue = proxy.seen().server
    const goAhead = dialogue.indexOf('\n', dialogue.lastIndexOf('\r\n354') + 2) + 1
    proxy.set({from: 'server', cutAfter: goAhead + 3, how: 'silence'})
    const cancel = new AbortController()
    const work = backend.send(mail.raw, envelope, mail.id, cancel.signal)
    work.catch(() => undefined)
    while (proxy.seen().server.length < goAhead + 3) await new Promise(setImmediate)
    const started = performance.now()
    cancel.abort()
    await expect(work).rejects.toMatchObject({code: 'unknown', message: expect.stringContaining('never sent again by itself')})
    expect(performance.now() - started).toBeLessThan(2_000)
    proxy.set()
    expect(await send(mail)).toBe('refused')
  }, 60_000)

  test('when the line to the inbox is cut, the mail went all the same, and its copy is in Sent or here', async () => {
    await servers.clear()
    imapProxy.set()
    expect(await send(await message())).toBe('sent')
    const end = imapProxy.seen().client.length
    for (const cutAfter of places(end, 41, [end - 2, end])) {
      const mail = await message()
      warnings = []
      imapProxy.set({from: 'client', cutAfter, how: 'reset'})
      expect(await send(mail), String(cutAfter)).toBe('sent')
      imapProxy.set()
      expect(await copies(mail.id), String(cutAfter)).toBe(1)
      const there = (await servers.mails(user, 'Sent Mail')).filter(raw => raw.includes(mail.id)).length
      const here: string[] = await readdir(join(temp.path, 'sent', 'new')).catch(() => [])
      const isHere = here.some(name => name.includes(mail.id.slice(1, 12)))
      expect(there, String(cutAfter)).toBeLessThanOrEqual(1)
      expect(there === 1 || isHere, String(cutAfter)).toBe(true)
      expect(warnings.length > 0, String(cutAfter)).toBe(isHere)
    }
  }, 300_000)
})
