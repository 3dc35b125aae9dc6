// The wizard of `tinyagent setup` on a terminal: the menu, going back, leaving, narrow windows, plain lines; with a real mail server.
import {existsSync, readFileSync} from 'node:fs'
import path from 'node:path'
import stringWidth from 'string-width'
import {afterAll, beforeAll, describe, expect, it, onTestFinished} from 'vitest'
import {startFaultProxy} from '../servers/fault-proxy.ts'
import {joplinToken, startJoplinStandIn} from '../servers/joplin.ts'
import {canRunMailServers, password, startMailServers, type MailServers} from '../servers/mail-servers.ts'
import {keys, open, put, testHome} from './fixtures.ts'
import type {Terminal} from './terminal.ts'

const env = {TINYAGENT_NO_KEYRING: '1'}
const configOf = (home: string): string => readFileSync(path.join(home, 'config/config.toml'), 'utf8')
const answer = async (t: Terminal, question: string, text: string): Promise<void> => {
  await t.shows(question)
  t.type(`${keys.clear}${text}\r`)
}

describe('the menu', () => {
  it.each([40, 80])('shows each part with its state at %i columns, and leaves the config as it was', async columns => {
    const home = testHome()
    put(home, 'config/config.toml', '[meetings]\nprovider = "jitsi"\n')
    const before = configOf(home)
    const t = open(['setup'], {home, env, columns})
    await t.shows('9 Done')
    expect(t.text()).toContain('1 Mail  outbox on this machine')
    expect(t.text()).toContain('2 Calendar, contacts  on this machine')
    expect(t.text()).toContain('5 Zoom  not used, Jitsi is')
    for (const row of t.text().split('\n')) expect(stringWidth(row)).toBeLessThanOrEqual(columns)
    t.type('1')
    await t.shows('Your mail address')
    t.type(keys.escape)
    await t.shows(/Nothing was changed\.[^]*What shall be set up\?/)
    t.type(keys.escape)
    expect(await t.exits()).toBe(0)
    expect(t.modes()).toEqual({bracketedPaste: false, isCursorHidden: false})
    expect(configOf(home)).toBe(before)
  })

  it('comes again after a part, with its new state', async () => {
    const server = await startJoplinStandIn()
    onTestFinished(() => server.stop())
    const home = testHome()
    put(home, 'config/config.toml', `[notes.joplin]\nurl = "${server.url}"\n`)
    const t = open(['setup'], {home, env})
    await t.shows('3 Notes in Joplin  no, Markdown files')
    t.type('3')
    await answer(t, 'Token', 'wrong-canary')
    await t.shows(/✗ Joplin does not take the token[^]*What now\?/)
    t.type(keys.enter)
    await answer(t, 'Token, once more', joplinToken)
    await t.shows('✓ It has 0 notebooks.')
    await t.shows('3 Notes in Joplin  yes')
    t.type('9')
    expect(await t.exits()).toBe(0)
    expect(configOf(home)).toContain('backend = "joplin"')
    for (const secret of ['canary', joplinToken]) expect(t.raw).not.toContain(secret)
  })

  it('a part that fails asks what now; Esc goes back, and Ctrl-C leaves the config as it was', async () => {
    const server = await startFaultProxy(1)
    onTestFinished(() => server.close())
    const home = testHome()
    const t = open(['setup'], {home, env, columns: 100})
    await t.shows('9 Done')
    t.type('2')
    await answer(t, 'Your address, or the server\'s URL', 'http://dav.example.org')
    await t.shows('is not encrypted')
    await answer(t, 'Your address, or the server\'s URL', `http://127.0.0.1:${server.port}`)
    await answer(t, 'User name on 127.0.0.1', 'jo')
    await answer(t, 'Password of jo', 'canary')
    await t.shows(/✗ 127\.0\.0\.1:\d+ .*\nWhat now\?/)
    t.type(keys.escape)
    await t.shows(/✗ [^]*Password of jo[^]*❯ +not shown/)
    t.type(keys.escape)
    await t.shows(/User name on 127\.0\.0\.1:\d+\n❯ jo/)
    t.type(keys.ctrlC)
    expect(await t.exits()).toBe(130)
    expect(t.modes()).toEqual({bracketedPaste: false, isCursorHidden: false})
    expect(t.raw).not.toContain('canary')
    expect(configOf(home)).not.toContain('caldav')
  })

  it.each([['TERM', 'dumb'], ['INK_SCREEN_READER', 'true']])('is a numbered list with %s=%s', async (name, value) => {
    const home = testHome()
    const t = open(['setup'], {home, env: {...env, [name]: value}})
    await t.shows(/9 Done\nNumber \[1\]:/)
    t.type('99\r')
    await t.shows('Type a number from 1 to 9.')
    t.type('mail\r')
    await t.shows('Your mail address [sam@example.org]:')
    t.type(keys.ctrlD)
    await t.shows(/Nothing was changed\.[^]*Number \[1\]:/)
    t.type('9\r')
    expect(await t.exits()).toBe(0)
    expect(t.text()).toContain('Try: tinyagent')
  })

  it('obeys NO_COLOR, and marks without colour', async () => {
    const t = open(['setup', 'mail'], {env: {...env, NO_COLOR: '1'}})
    await answer(t, 'Your mail address', 'jo@nowhere.invalid')
    await t.shows('✓ Your mail address: jo@nowhere.invalid')
    await t.shows('✗ No servers of nowhere.invalid were found')
    t.type(keys.ctrlC)
    expect(await t.exits()).toBe(130)
    expect(t.raw).not.toMatch(/\u001b\[[34]\dm/)
  })
})

describe.skipIf(!await canRunMailServers())('setting up mail with a server', () => {
  let servers: MailServers
  beforeAll(async () => { servers = await startMailServers() })
  afterAll(() => servers.stop())
  const proxies = async () => {
    const [imap, smtp] = [await startFaultProxy(servers.ports.imap), await startFaultProxy(servers.ports.smtp)]
    onTestFinished(async () => { await imap.close(); await smtp.close() })
    imap.set()
    return {imap, args: ['setup', 'mail', '--imap', `127.0.0.1:${imap.port}`, '--smtp', `127.0.0.1:${smtp.port}`]}
  }

  it('Esc goes back a question and keeps what was answered; no login is tried twice for it; the part is whole at 40 columns', async () => {
    const {imap, args} = await proxies()
    const home = testHome()
    put(home, 'config/config.toml', '')
    const t = open(args, {home, env, columns: 40})
    await answer(t, 'Your mail address', 'mee@example.org')
    await t.shows('Your name')
    t.type(keys.escape)
    await t.shows('Your mail address\n❯ mee@example.org')
    await answer(t, 'Your mail address', 'me@example.org')
    await answer(t, 'Your name', 'Jo')
    await answer(t, 'Password for', 'wrong')
    await t.shows('What now?')
    expect(imap.connections()).toBe(1)
    t.type(keys.escape)
    await t.shows(/✗ [^]*Password for me@example\.org\n❯ +not shown/)
    expect(imap.connections()).toBe(1)
    expect(configOf(home)).toBe('')
    t.type(`\u001b[200~${password}\n\u001b[201~`)
    await t.shows('typed, not shown')
    t.type(keys.enter)
    expect(await t.exits()).toBe(0)
    expect(imap.connections()).toBe(2)
    expect(configOf(home)).toContain('email = "me@example.org"')
    expect(t.raw).not.toContain(password)
    expect(readFileSync(path.join(home, 'config/secrets/mail'), 'utf8').trim()).toContain(password)
  })

  it('Esc while a server is silent stops the login and goes back; the host and the reason are said where the time is over', async () => {
    const {imap, args} = await proxies()
    imap.set({from: 'server', cutAfter: 0, how: 'silence'})
    const home = testHome()
    const before = configOf(home)
    const t = open([...args, '--address', 'me@example.org'], {home, env})
    await answer(t, 'Password for', password)
    await t.shows(/. IMAP 127\.0\.0\.1:\d+ [2-9] s\nEsc goes back, Ctrl-C leaves/)
    t.type(keys.escape)
    await t.shows('❯   not shown')
    t.type(`${password}\r`)
    await t.shows(/✗ 127\.0\.0\.1:\d+ (?:did not answer|.*15 seconds)/)
    await t.shows('Change the servers')
    t.type(keys.ctrlC)
    expect(await t.exits()).toBe(130)
    expect(configOf(home)).toBe(before)
    expect(existsSync(path.join(home, 'config/secrets'))).toBe(false)
  })
})
