// A user with an account: set up in a terminal, a mail confirmed and sent, and read by another program.
import {execFileSync} from 'node:child_process'
import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest'
import {doubtfulMails} from '../../src/tools/mail/smtp-imap.ts'
import {startFaultProxy} from '../servers/fault-proxy.ts'
import {canRunMailServers, password, startMailServers, type MailServers} from '../servers/mail-servers.ts'
import {keys, open, put, testHome} from './fixtures.ts'
import {recording, runProgram} from './terminal.ts'

vi.setConfig({testTimeout: 300_000}) // the program starts many times, beside real servers
const canRun = await canRunMailServers()
let servers: MailServers
beforeAll(async () => { if (canRun) servers = await startMailServers() })
afterAll(() => servers?.stop())

/** A mailbox as Python's imaplib and email modules have it. */
const readByImap = (user: string, box: string): {from: string; to: string; subject: string; text: string; id: string}[] => JSON.parse(execFileSync('python3', ['-c', `
import email, email.policy, imaplib, json, sys
box = imaplib.IMAP4('127.0.0.1', int(sys.argv[1]))
box.authenticate('PLAIN', lambda _: ('\\0' + sys.argv[2] + '\\0' + sys.argv[3]).encode())
box.select('"' + sys.argv[4] + '"')
found = []
for n in box.search(None, 'ALL')[1][0].split():
    m = email.message_from_bytes(box.fetch(n, '(RFC822)')[1][0][1], policy=email.policy.default)
    found.append({'from': str(m['From']), 'to': str(m['To']), 'subject': str(m['Subject']), 'text': m.get_content(), 'id': str(m['Message-ID'])})
print(json.dumps(found))
`, String(servers.ports.imap), user, password, box], {encoding: 'utf8'})) as {from: string; to: string; subject: string; text: string; id: string}[] // the script's shape

/** All that the program has written down, but for the file that is there to hold the password. */
const written = (home: string): string => readdirSync(home, {recursive: true, withFileTypes: true})
  .filter(e => e.isFile() && !e.parentPath.endsWith(`${path.sep}secrets`)).map(e => readFileSync(path.join(e.parentPath, e.name), 'utf8')).join('\n')

const noKeyring = {TINYAGENT_NO_KEYRING: '1'}
const host = (port: number): string => `127.0.0.1:${port}`

describe.skipIf(!canRun)('a mail account', () => {
  const home = (): string => {
    const dir = testHome()
    put(dir, 'data/contacts/people/ana.vcf', ['BEGIN:VCARD', 'VERSION:3.0', 'UID:9', 'FN:Ana Lima', 'N:Lima;Ana;;;', 'EMAIL:ana@example.org', 'END:VCARD', ''].join('\r\n'))
    for (const other of ['ana-duarte', 'ana-silva']) put(dir, `data/contacts/people/${other}.vcf`, '')
    put(dir, 'config/config.toml', '')
    return dir
  }

  it('is set up on a terminal, sends what the card showed, and keeps the password out of all that is written', async () => {
    const dir = home()
    const setup = open(['setup', 'mail', '--imap', host(servers.ports.imap), '--smtp', host(servers.ports.smtp)], {home: dir, env: noKeyring, columns: 200})
    await setup.shows('Your mail address')
    setup.type('me at example.org\r')
    await setup.shows('That is not an address')
    setup.type(`${keys.clear}me@example.org\r`)
    await setup.shows('Your name')
    setup.type('Jo Okafor\r')
    await setup.shows('Password for me@example.org')
    setup.type('wrong\r')
    await setup.shows('does not accept the password')
    await setup.shows('What now?')
    setup.type(keys.enter)
    await setup.shows('Password, once more')
    setup.type(`${password}\r`)
    await setup.shows('Written: ')
    expect(await setup.exits()).toBe(0)
    expect(setup.text()).toMatch(/kept in .*secrets.*not encrypted/)
    expect(setup.text()).toMatch(/SMTP 127\.0\.0\.1:\d+ lets you in/)
    expect(setup.raw).not.toContain(password)

    const t = open(['email Ana that the budget is done'], {home: dir, plan: 'mail-ana', env: noKeyring, columns: 100})
    await t.shows('[s]end  [e]dit  s[k]ip  [q]uit')
    const card = t.text()
    expect(card).toContain('From: Jo Okafor <me@example.org>')
    expect(card).toContain('To: ana@example.org')
    expect(card).toContain('Subject: Q3 budget')
    expect(card).not.toContain('outbox')
    t.type('s')
    expect(await t.exits()).toBe(0)
    expect(t.text()).toContain("Sent the mail 'Q3 budget' to ana@example.org")

    await servers.mails('ana@example.org') // nothing is on its way any more
    const [got, ...more] = readByImap('ana@example.org', 'INBOX')
    expect(more).toEqual([])
    expect(got).toMatchObject({from: 'Jo Okafor <me@example.org>', to: 'ana@example.org', subject: 'Q3 budget'})
    const shown = card.split('\n').filter(line => line.startsWith('│')).map(line => line.replace(/^│ ?/, '')).join('\n')
    expect(got!.text.replaceAll('\r\n', '\n').trimEnd()).toBe(shown)
    expect(readByImap('me@example.org', 'Sent Mail').map(m => m.id)).toEqual([got!.id])
    expect(written(dir)).toContain('compose_new_email') // the journal is among it
    expect(written(dir)).not.toContain(password)
  })

  it('is set up without a terminal by options and standard input; doctor then checks it', async () => {
    const dir = home()
    const options = ['setup', 'mail', '--address', 'me@example.org', '--imap', host(servers.ports.imap), '--smtp', host(servers.ports.smtp)]
    const wrong = await runProgram(dir, options, {stdin: 'wrong\n', env: noKeyring})
    expect(wrong.code).toBe(1)
    expect(wrong.stdout).toMatch(/does not accept the password of me@example\.org[^]*Nothing was changed/)
    expect(readFileSync(path.join(dir, 'config/config.toml'), 'utf8')).toBe('')

    const right = await runProgram(dir, options, {stdin: `${password}\n`, env: noKeyring})
    expect(right).toMatchObject({code: 0, stderr: ''})
    const doctor = await runProgram(dir, ['doctor'], {env: noKeyring})
    expect(doctor.stdout).toMatch(/^ok +mail, IMAP: 127\.0\.0\.1:\d+ lets me@example\.org in; \d+ mails in the inbox$/m)
    expect(doctor.stdout).toMatch(/^ok +mail, SMTP: 127\.0\.0\.1:\d+ lets me@example\.org in$/m)
    expect(doctor.stdout + right.stdout).not.toContain(password)
  })

  it('with a wrong port says which host it was, and changes nothing', async () => {
    const dir = home()
    const {code, stdout} = await runProgram(dir, ['setup', 'mail', '--address', 'me@example.org', '--imap', host(servers.ports.imap), '--smtp', host(1)], {env: {...noKeyring, TINYAGENT_MAIL_PASSWORD: password}})
    expect(code).toBe(1)
    expect(stdout).toContain('127.0.0.1:1 does not take connections: check the port.')
    expect(readFileSync(path.join(dir, 'config/config.toml'), 'utf8')).toBe('')
  })

  it('is left by Ctrl-C in the middle of the password, and the terminal echoes again', async () => {
    const dir = home()
    const t = open(['setup', 'mail', '--address', 'me@example.org', '--imap', host(servers.ports.imap), '--smtp', host(servers.ports.smtp)], {home: dir, env: noKeyring})
    await t.shows('Your name')
    t.type('\r')
    await t.shows('Password for')
    t.type(`canary${keys.ctrlC}`)
    expect(await t.exits()).toBe(130)
    expect(t.raw).not.toContain('canary')
    expect(readFileSync(path.join(dir, 'config/config.toml'), 'utf8')).toBe('')
  })

  it('makes no connection with --offline, keeps the mail as a draft, and lists its hosts without asking them', async () => {
    const dir = home()
    const proxies = [await startFaultProxy(servers.ports.imap), await startFaultProxy(servers.ports.smtp)] as const
    try {
      await runProgram(dir, ['setup', 'mail', '--address', 'me@example.org', '--imap', host(proxies[0].port), '--smtp', host(proxies[1].port)], {stdin: `${password}\n`, env: noKeyring})
      for (const proxy of proxies) proxy.set()
      const {code, stdout} = await runProgram(dir, ['--offline', '--yes', 'email Ana that the budget is done'], {env: {...noKeyring, ...recording('mail-ana')}})
      expect(code).toBe(1)
      expect(stdout).toMatch(new RegExp(`127\\.0\\.0\\.1:${proxies[1].port} was not asked, since --offline is on.*kept in the drafts: ${dir}`))
      const network = await runProgram(dir, ['doctor', '--network'], {env: noKeyring})
      expect(network.stdout).toContain(`${host(proxies[0].port)}  reads your inbox`)
      expect(network.stdout).toContain(`${host(proxies[1].port)}  sends`)
      for (const proxy of proxies) expect(proxy.connections()).toBe(0)
    } finally {
      for (const proxy of proxies) await proxy.close()
    }
  })

  it('is killed after the last byte of a mail: the next start says so, and that mail is never sent again', async () => {
    const dir = home()
    await servers.clear()
    const proxy = await startFaultProxy(servers.ports.smtp)
    try {
      await runProgram(dir, ['setup', 'mail', '--address', 'me@example.org', '--imap', host(servers.ports.imap), '--smtp', host(proxy.port)], {stdin: `${password}\n`, env: noKeyring})
      proxy.set({from: 'client', match: '\r\n.\r\n', how: 'silence'})
      const t = open(['--yes', 'email Ana that the budget is done'], {home: dir, plan: 'mail-ana', env: noKeyring})
      await proxy.cut()
      t.signal('SIGKILL')
      await t.exits()
      proxy.set()
      const again = await runProgram(dir, ['--yes', 'email Ana that the budget is done'], {env: {...noKeyring, ...recording('note')}})
      expect(again.stderr).toMatch(/^tinyagent was cut off in a step at .*It is not known whether this was done: the mail 'Q3 budget' to ana@example\.org\. 127\.0\.0\.1 has no copy of it, which proves nothing\. Look at Sent, or ask the recipients/m)
      expect((await servers.mails('ana@example.org')).length).toBe(1)
      expect(await doubtfulMails(path.join(dir, 'data/mail'))).toHaveLength(1) // for doctor, which asks the server
    } finally {
      await proxy.close()
    }
  })

  it('shows the inbox in the REPL by /mail, newest first, and opens another', async () => {
    const dir = home()
    await servers.clear()
    await runProgram(dir, ['setup', 'mail', '--address', 'me@example.org', '--imap', host(servers.ports.imap), '--smtp', host(servers.ports.smtp)], {stdin: `${password}\n`, env: noKeyring})
    for (const subject of ['First', 'Second']) await servers.deliver('me@example.org', Buffer.from(`From: Ana <ana@example.org>\r\nTo: me@example.org\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@example.org>\r\n\r\nText\r\n`))
    const t = open([], {home: dir, env: noKeyring})
    await t.shows('What shall I do?')
    t.type('/mail\r')
    await t.shows('Open now: Second, from Ana')
    expect(t.text()).toMatch(/2 {2}Ana: Second\n1 {2}Ana: First/)
    t.type('/mail 1\r')
    await t.shows('Open now: First, from Ana')
    t.type(keys.ctrlD)
    expect(await t.exits()).toBe(0)
  })
})
