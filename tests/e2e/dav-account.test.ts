// A user with a CalDAV and CardDAV account: set up in a terminal, an event confirmed and added, and read by another program.
import {execFileSync} from 'node:child_process'
import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {startRadicale, type DavServer} from '../servers/dav.ts'
import {program} from '../tools/vdir-programs.ts'
import {keys, open, put, testHome} from './fixtures.ts'
import {runProgram} from './terminal.ts'

const canRun = await program('radicale') !== undefined && await program('curl') !== undefined
let server: DavServer
beforeAll(async () => { if (canRun) server = (await startRadicale())! })
afterAll(() => server?.stop())

const noKeyring = {TINYAGENT_NO_KEYRING: '1', TZ: 'America/New_York'}
const card = '[s]end  [e]dit  s[k]ip  [q]uit'

/** All that the program has written down, but for the file that is there to hold the password. */
const written = (home: string): string => readdirSync(home, {recursive: true, withFileTypes: true})
  .filter(e => e.isFile() && !e.parentPath.endsWith(`${path.sep}secrets`)).map(e => readFileSync(path.join(e.parentPath, e.name), 'utf8')).join('\n')

describe.skipIf(!canRun)('a CalDAV and CardDAV account', () => {
  const prepared = async () => {
    const account = await server.newAccount()
    const home = testHome()
    const curl = (...args: string[]): string => execFileSync('curl', ['-sS', '--fail-with-body', '-u', `${account.user}:${account.password}`, ...args], {encoding: 'utf8'})
    const at = (place: string): string => `${server.origin}/${account.user}/${place}`
    curl('-X', 'MKCALENDAR', at('personal/'))
    curl('-X', 'MKCOL', '-H', 'Content-Type: application/xml', '--data', '<d:mkcol xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"><d:set><d:prop><d:resourcetype><d:collection/><c:addressbook/></d:resourcetype></d:prop></d:set></d:mkcol>', at('people/'))
    put(home, 'priya.vcf', ['BEGIN:VCARD', 'VERSION:3.0', 'UID:priya', 'FN:Priya Raman', 'N:Raman;Priya;;;', 'EMAIL:priya@work.example', 'END:VCARD', ''].join('\r\n'))
    curl('-T', path.join(home, 'priya.vcf'), '-H', 'Content-Type: text/vcard', at('people/priya.vcf'))
    return {account, home, curl, at}
  }

  it('is set up on a terminal; an event with an invitee found there is on the server as the card showed it', async () => {
    const {account, home, curl, at} = await prepared()
    const setup = open(['setup', 'dav', '--url', server.origin], {home, env: noKeyring, columns: 160})
    await setup.shows(`User name on ${new URL(server.origin).host}\n❯ sam@example.org`)
    setup.type(`${keys.clear}${account.user}\r`)
    await setup.shows(`Password of ${account.user}, an app password`)
    setup.type('wrong\r')
    await setup.shows(`does not take the password of ${account.user}`)
    await setup.shows('What now?')
    setup.type(keys.enter)
    await setup.shows('once more')
    setup.type(`${account.password}\r`)
    await setup.shows('Written: ')
    expect(await setup.exits()).toBe(0)
    expect(setup.text()).toContain('Calendars: personal')
    expect(setup.text()).toContain('Address books: people')
    expect(setup.raw).not.toContain(account.password)

    const t = open(['--now', '2026-03-03T09:15:00', 'meet Priya Raman on Friday at 3pm about the budget for 45 minutes'], {home, plan: 'event-priya', env: noKeyring, columns: 120})
    await t.shows(card)
    const shown = t.text()
    expect(shown).toContain('Title: Budget with Priya')
    expect(shown).toContain('Start: Fri 6 Mar 2026, 15:00')
    expect(shown).toContain('End: Fri 6 Mar 2026, 15:45')
    expect(shown).toContain('Invitees: priya@work.example')
    expect(shown).toContain('Calendar: personal')
    expect(curl(at('personal/'))).not.toContain('VEVENT')
    t.type('s')
    expect(await t.exits()).toBe(0)

    const stored = curl(at('personal/')).replace(/\r?\n /g, '')
    expect(stored.match(/^BEGIN:VEVENT/gm)).toHaveLength(1)
    const line = (name: string): string => new RegExp(`^${name}[^:\\r\\n]*:(.*?)\\r?$`, 'm').exec(stored)?.[1] ?? ''
    expect([line('SUMMARY'), line('DTSTART'), line('DTEND'), line('ATTENDEE')]).toEqual(['Budget with Priya', '20260306T200000Z', '20260306T204500Z', 'mailto:priya@work.example'])

    const log = (await runProgram(home, ['log'], {env: noKeyring})).stdout
    expect(log).toContain("Added 'Budget with Priya'")
    expect(written(home)).not.toContain(account.password)
  })

  it('is set up without a terminal, checked by the doctor, and an event without invitees is added and taken back', async () => {
    const {account, home, curl, at} = await prepared()
    const setup = await runProgram(home, ['setup', 'dav', '--url', server.origin, '--user', account.user], {stdin: `${account.password}\n`, env: noKeyring})
    expect([setup.code, setup.stderr]).toEqual([0, ''])
    const doctor = (await runProgram(home, ['doctor'], {env: noKeyring})).stdout
    const {host} = new URL(server.origin)
    expect(doctor).toContain(`ok    calendar server: ${host}: personal`)
    expect(doctor).toContain(`ok    contacts server: ${host}: people`)

    const added = await runProgram(home, ['--now', '2026-03-03T09:15:00', 'buy milk'], {env: {...noKeyring, TINYAGENT_REPLAY: path.resolve('tests/fixtures/sessions/two-reminders.json')}})
    expect(added.code).toBe(0)
    expect(curl(at('personal/')).match(/^BEGIN:VTODO/gm)).toHaveLength(2)
    expect((await runProgram(home, ['undo'], {env: noKeyring})).stdout).toContain('Took the reminder off its list')
    expect(curl(at('personal/')).match(/^BEGIN:VTODO/gm)).toHaveLength(1)
  })

  it('a refused password changes nothing', async () => {
    const {account, home} = await prepared()
    const before = readFileSync(path.join(home, 'config/config.toml'), 'utf8')
    const setup = await runProgram(home, ['setup', 'dav', '--url', server.origin, '--user', account.user], {stdin: 'wrong\n', env: noKeyring})
    expect(setup.code).toBe(1)
    expect(setup.stdout).toContain(`does not take the password of ${account.user}`)
    expect(readFileSync(path.join(home, 'config/config.toml'), 'utf8')).toBe(before)
    expect(readdirSync(path.join(home, 'config'))).toEqual(['config.toml'])
  })

  it.each([
    [['--url', 'http://dav.example.org', '--user', 'u'], 'is not encrypted'], [['--url', 'https://me:secret@dav.example.org'], 'holds a login'],
    [['--address', 'ana@gmail.com'], 'oauth.google.client_id: is not set'], [['--url', 'http://127.0.0.1:1', '--user', 'u'], '127.0.0.1:1'],
  ])('setup dav %j says what is wrong', async (args, said) => {
    const home = testHome()
    const {code, stdout, stderr} = await runProgram(home, ['setup', 'dav', ...args], {stdin: 'x\n', env: noKeyring})
    expect(code).not.toBe(0)
    expect(stdout + stderr).toContain(said)
    expect(stdout + stderr).not.toContain('a bug')
  })
})
