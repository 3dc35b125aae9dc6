// What was kept while there was no account: said at the next start, and sent or deleted by the user's own word.
import {appendFileSync, existsSync, readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest'
import {canRunMailServers, password, startMailServers, type MailServers} from '../servers/mail-servers.ts'
import {keys, open, put, testHome} from './fixtures.ts'
import {recording, runProgram} from './terminal.ts'

vi.setConfig({testTimeout: 300_000}) // the program starts many times, beside real servers
const canRun = await canRunMailServers()
let servers: MailServers
beforeAll(async () => { if (canRun) servers = await startMailServers() })
afterAll(() => servers?.stop())

const noKeyring = {TINYAGENT_NO_KEYRING: '1'}
const kept = (dir: string): string[] => {
  const folder = path.join(dir, 'data/mail/outbox/new')
  return existsSync(folder) ? readdirSync(folder) : []
}

async function withMails(count: number): Promise<string> {
  const dir = testHome()
  put(dir, 'data/contacts/people/ana.vcf', ['BEGIN:VCARD', 'VERSION:3.0', 'UID:9', 'FN:Ana Lima', 'N:Lima;Ana;;;', 'EMAIL:ana@example.org', 'END:VCARD', ''].join('\r\n'))
  for (const other of ['ana-duarte', 'ana-silva']) put(dir, `data/contacts/people/${other}.vcf`, '')
  for (let n = 0; n < count; n++) {
    expect(await runProgram(dir, ['--yes', 'email Ana that the budget is done'], {env: {...noKeyring, ...recording('mail-ana')}})).toMatchObject({code: 0, stdout: expect.stringContaining('in the outbox')})
  }
  expect(kept(dir)).toHaveLength(count)
  return dir
}

describe('the outbox', () => {
  it('is said in one line at the start of the REPL, listed, and deleted from; undo puts it back; nothing of it goes by itself', async () => {
    const dir = await withMails(2)
    await runProgram(dir, ['--yes', 'text'], {env: {...noKeyring, ...recording('sms')}})
    const t = open([], {home: dir, env: noKeyring, columns: 120})
    await t.shows('Unsent in the outbox: 2 mails and 1 text message. /outbox lists them; /outbox send 1 and /outbox delete 1.')
    t.type('/outbox\r')
    await t.shows('1. mail \'Q3 budget\' to ana@example.org')
    await t.shows('3. text message to +12025550143: Running ten minutes late')
    t.type('/outbox send 1\r')
    await t.shows('There is no mail account to send it by')
    t.type('/outbox delete 1\r')
    await t.shows('Took the mail out of the outbox, unsent')
    expect(kept(dir)).toHaveLength(1)
    t.type('/undo\r')
    await t.shows('Put it back into the outbox')
    expect(kept(dir)).toHaveLength(2)
    t.type('/outbox send 9\r')
    await t.shows('Which one? Its number, from 1 to 3')
    t.type(keys.ctrlD)
    expect(await t.exits()).toBe(0)
    const plain = await runProgram(dir, ['outbox'], {env: noKeyring})
    expect(plain.stdout).toMatch(/^1\. mail 'Q3 budget'[^]*^3\. text message/m)
  })

  it.skipIf(!canRun)('once there is an account, a mail of it is sent with its card, and arrives as it was kept', async () => {
    const dir = await withMails(2)
    const [raw] = kept(dir).sort().map(name => readFileSync(path.join(dir, 'data/mail/outbox/new', name)))
    appendFileSync(path.join(dir, 'config/config.toml'), ['[mail]', 'backend = "imap"', '[mail.imap]', 'host = "127.0.0.1"', `port = ${servers.ports.imap}`, 'user = "me@example.org"', '[mail.smtp]', 'host = "127.0.0.1"', `port = ${servers.ports.smtp}`, 'user = "me@example.org"', ''].join('\n'))
    const env = {...noKeyring, TINYAGENT_MAIL_PASSWORD: password}
    const t = open([], {home: dir, env, columns: 120})
    await t.shows('Unsent in the outbox: 2 mails.')
    t.type('/outbox send 1\r')
    await t.shows('[s]end  [e]dit  s[k]ip  [q]uit')
    expect(t.text()).toContain('Mail from the outbox')
    expect(t.text()).toContain('To: ana@example.org')
    t.type('k')
    await t.loses('[s]end')
    expect(kept(dir)).toHaveLength(2)
    expect(await servers.mails('ana@example.org')).toEqual([])
    t.type('/outbox send 1\r')
    await t.shows('[s]end  [e]dit  s[k]ip  [q]uit')
    t.type('s')
    await t.shows("Sent the mail 'Q3 budget' to ana@example.org from the outbox")
    t.type(keys.ctrlD)
    expect(await t.exits()).toBe(0)
    expect(await servers.mails('ana@example.org')).toEqual([raw])
    expect(kept(dir)).toHaveLength(1)

    const unasked = await runProgram(dir, ['outbox', 'send', '1'], {env})
    expect(unasked.code).toBe(3) // nobody there to ask
    expect(await runProgram(dir, ['--yes', 'outbox', 'send', '1'], {env})).toMatchObject({code: 0})
    expect(await servers.mails('ana@example.org')).toHaveLength(2)
    expect((await runProgram(dir, ['outbox'], {env})).stdout).toBe('The outbox is empty.\n')
    expect((await runProgram(dir, ['examples'], {env})).stdout).not.toContain('outbox')
  })
})
