// A user whose provider takes no password: signed in by a browser from `tinyagent setup mail`, then a mail sent, with real servers.
import {spawn} from 'node:child_process'
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest'
import {browse, startAuthorizationServer, type AuthorizationServer} from '../servers/authorization.ts'
import {startRadicaleWithTokens} from '../servers/bearer-proxy.ts'
import {canRunMailServers, startMailServers, type MailServers} from '../servers/mail-servers.ts'
import {desktop, keys, open, put, testHome} from './fixtures.ts'
import {program, recording, runProgram} from './terminal.ts'

vi.setConfig({testTimeout: 300_000}) // the program starts many times, beside real servers
const canRun = await canRunMailServers()
let provider: AuthorizationServer
let servers: MailServers
beforeAll(async () => {
  if (!canRun) return
  provider = await startAuthorizationServer()
  servers = await startMailServers({introspectionUrl: provider.introspectionUrl})
})
afterAll(async () => { await servers?.stop(); await provider?.stop() })

const noKeyring = {TINYAGENT_NO_KEYRING: '1'}
const user = 'me@example.org'

function home(): string {
  const dir = testHome()
  put(dir, 'data/contacts/people/ana.vcf', ['BEGIN:VCARD', 'VERSION:3.0', 'UID:9', 'FN:Ana Lima', 'N:Lima;Ana;;;', 'EMAIL:ana@example.org', 'END:VCARD', ''].join('\r\n'))
  for (const other of ['ana-duarte', 'ana-silva']) put(dir, `data/contacts/people/${other}.vcf`, '')
  put(dir, 'config/config.toml', `[user]\nname = "Jo"\n\n[oauth.other]\n${Object.entries(provider.settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`).join('')}`)
  return dir
}
const setup = (): string[] => ['setup', 'mail', '--address', user, '--imap', `127.0.0.1:${servers.ports.imap}`, '--smtp', `127.0.0.1:${servers.ports.smtp}`, '--sign-in', 'other']

/** The file that holds the refresh token. */
const kept = (dir: string): string => readFileSync(path.join(dir, 'config/secrets/mail-oauth'), 'utf8')
const written = (dir: string): string => readdirSync(dir, {recursive: true, withFileTypes: true})
  .filter(e => e.isFile() && !e.parentPath.endsWith(`${path.sep}secrets`)).map(e => readFileSync(path.join(e.parentPath, e.name), 'utf8')).join('\n')

describe('a CalDAV account without a password', () => {
  it('is signed in by the browser that opens; an event goes there by the token, and doctor checks it', async () => {
    const own = await startAuthorizationServer()
    const dav = await startRadicaleWithTokens(own.introspectionUrl)
    try {
      if (!dav) return // in CI it has to be there
      const dir = testHome()
      put(dir, 'config/config.toml', `[user]\nname = "Jo"\n\n[oauth.other]\n${Object.entries(own.settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`).join('')}`)
      const {env, opened} = desktop(dir)
      const t = open(['setup', 'dav', '--url', dav.url, '--user', 'jo', '--sign-in', 'other'], {home: dir, env, columns: 400})
      await browse(await opened(), 'jo')
      await t.shows('Written: ')
      expect(await t.exits()).toBe(0)
      expect(t.text()).toContain('Signed in at ')
      expect(readFileSync(path.join(dir, 'config/secrets/dav-oauth'), 'utf8')).not.toBe('')
      const plan = path.join(dir, 'plan.json')
      put(dir, 'plan.json', JSON.stringify({tasks: [{id: 1, tool: 'create_calendar_event', args: {title: 'Dentist', start_date: '2026-03-04 15:00:00', end_date: '2026-03-04 16:00:00', location: '', invitees: [], notes: '', calendar: ''}}]}))
      expect(await runProgram(dir, ['run', plan], {env: noKeyring})).toMatchObject({code: 0, stdout: expect.stringContaining('Dentist')})
      const doctor = await runProgram(dir, ['doctor'], {env: noKeyring})
      expect(doctor.stdout).toMatch(/^ok +calendar server: 127\.0\.0\.1:\d+: personal/m)
      own.endAll('withdrawn')
      expect((await runProgram(dir, ['doctor'], {env: noKeyring})).stdout).toMatch(/^bad +calendar server: .*`tinyagent setup dav` signs in again/m)
    } finally {
      await dav?.stop()
      await own.stop()
    }
  })
})

describe.skipIf(!canRun)('a mail account without a password', () => {
  it('is signed in by the browser that opens, sends a mail, and is checked by doctor; no token is in what is written or shown', async () => {
    const dir = home()
    const {env, opened} = desktop(dir)
    const t = open(setup(), {home: dir, env, columns: 400})
    await t.shows('Waiting for the answer at http://127.0.0.1:')
    const url = await opened()
    expect(t.text()).toContain('Your browser shows a page of the provider')
    expect(t.text()).toContain(url)
    expect((await browse(url, user)).text).toContain('Go back to the terminal')
    await t.shows('Written: ')
    expect(await t.exits()).toBe(0)
    expect(t.text()).toMatch(/IMAP 127\.0\.0\.1:\d+ lets you in/)
    expect(t.text()).toMatch(/SMTP 127\.0\.0\.1:\d+ lets you in/)
    expect(t.raw).not.toContain(kept(dir))
    expect(readFileSync(path.join(dir, 'config/config.toml'), 'utf8')).toContain('auth = "other"')

    await servers.clear()
    const sent = await runProgram(dir, ['--yes', 'email Ana that the budget is done'], {env: {...noKeyring, ...recording('mail-ana')}})
    expect(sent).toMatchObject({code: 0})
    expect(await servers.mails('ana@example.org')).toHaveLength(1)
    const doctor = await runProgram(dir, ['doctor'], {env: noKeyring})
    expect(doctor.stdout).toMatch(/^ok +mail, IMAP: 127\.0\.0\.1:\d+ lets me@example\.org in/m)
    expect(doctor.stdout).toMatch(/^ok +mail, SMTP: 127\.0\.0\.1:\d+ lets me@example\.org in$/m)
    const network = await runProgram(dir, ['doctor', '--network'], {env: noKeyring})
    expect(network.stdout).toContain(`${new URL(provider.origin).host}  renews your sign-in for mail`)
    const asked = provider.tokenRequests.length
    const offline = await runProgram(dir, ['--offline', '--yes', 'email Ana that the budget is done'], {env: {...noKeyring, ...recording('mail-ana')}})
    expect(offline).toMatchObject({code: 1, stdout: expect.stringMatching(/cannot be reached: --offline\..*kept in the drafts/)})
    expect(provider.tokenRequests.length).toBe(asked)
    const tokens = provider.tokenRequests.flatMap(r => [r.get('refresh_token'), r.get('code'), r.get('code_verifier')]).filter(token => token !== null)
    expect(tokens.length).toBeGreaterThan(3)
    const all = written(dir) + sent.stdout + sent.stderr + doctor.stdout
    for (const token of [...tokens, kept(dir)]) expect(all).not.toContain(token)

    provider.endAll('ended')
    const ended = await runProgram(dir, ['doctor'], {env: noKeyring})
    expect(ended.stdout).toMatch(/^bad +mail, IMAP: .*does not take this sign-in any more.*`tinyagent setup mail` signs in again\.$/m)
  })

  it('without a browser and a terminal takes a code on another device', async () => {
    const dir = home()
    const child = spawn(process.execPath, [program, ...setup()], {env: {...noKeyring, PATH: process.env['PATH'], HOME: dir, TINYAGENT_HOME: dir}, stdio: ['ignore', 'pipe', 'inherit']})
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const [, page, code] = /open (\S+) and type this code: (\S+)\n/.exec(chunk.toString()) ?? []
      if (page && code) void browse(`${page}?user_code=${code}`, user)
    })
    expect(await new Promise(resolve => { child.on('close', resolve) })).toBe(0)
    expect(text).toContain('Written: ')
    expect(kept(dir)).not.toBe('')
  })

  it('a "no" on the provider\'s page changes nothing', async () => {
    const dir = home()
    const before = readFileSync(path.join(dir, 'config/config.toml'), 'utf8')
    const {env, opened} = desktop(dir)
    const t = open(setup(), {home: dir, env, columns: 400})
    const url = await opened()
    expect((await browse(url, user, 'deny')).text).toContain('Nothing was allowed')
    await t.shows('says that you did not allow it. Nothing was changed.')
    await t.shows('2 Leave it')
    t.type('2')
    expect(await t.exits()).toBe(1)
    expect(readFileSync(path.join(dir, 'config/config.toml'), 'utf8')).toBe(before)
    expect(existsSync(path.join(dir, 'config/secrets'))).toBe(false)
  })

  it('is left by Ctrl-C while it waits; the address of a browser elsewhere can be pasted', async () => {
    const dir = home()
    const {env} = desktop(dir)
    const left = open(setup(), {home: dir, env, columns: 400})
    await left.shows('paste the address it ends at')
    left.type(keys.ctrlC)
    expect(await left.exits()).toBe(130)
    expect(existsSync(path.join(dir, 'config/secrets'))).toBe(false)

    const t = open(setup(), {home: dir, env, columns: 400})
    await t.shows('paste the address it ends at')
    t.type('http://127.0.0.1:1/?code=stolen&state=other\r')
    await t.shows('That is not the address that this sign-in ends at')
    t.type(keys.ctrlC)
    expect(await t.exits()).toBe(130)
  })

  it('at Google shows the client of the JSON file in the address and its secret nowhere; Ctrl-C leaves everything as it was', async () => {
    const dir = home()
    const {env} = desktop(dir)
    put(dir, 'client.json', '{"installed": {"client_id": "my-id.apps.googleusercontent.com", "client_secret": "secret-canary", "redirect_uris": ["http://localhost"]}}')
    const before = readFileSync(path.join(dir, 'config/config.toml'), 'utf8')
    for (const [part, scope] of [['mail', 'https://mail.google.com/'], ['dav', 'https://www.googleapis.com/auth/calendar https://www.googleapis.com/auth/carddav'], ['meet', 'https://www.googleapis.com/auth/meetings.space.created']] as const) {
      const t = open(['setup', part, '--address', 'me@gmail.com', '--sign-in', 'google', '--client', path.join(dir, 'client.json')], {home: dir, env, columns: 700})
      if (part === 'mail') {
        await t.shows('Use these servers?')
        t.type('\r')
      }
      await t.shows('Waiting for the answer at http://127.0.0.1:')
      const url = new URL(/https:\/\/accounts\.google\.com\/\S+/.exec(t.text())![0])
      expect(Object.fromEntries(url.searchParams)).toMatchObject({client_id: 'my-id.apps.googleusercontent.com', scope, access_type: 'offline', prompt: 'consent', login_hint: 'me@gmail.com', code_challenge_method: 'S256'})
      t.type(keys.ctrlC)
      expect(await t.exits()).toBe(130)
      expect(t.raw).not.toContain('secret-canary')
    }
    expect(readFileSync(path.join(dir, 'config/config.toml'), 'utf8')).toBe(before)
    expect(existsSync(path.join(dir, 'config/secrets'))).toBe(false)
  })

  it('at Zoom is chosen by its kind, asks for the public id alone, and shows Zoom\'s page; Ctrl-C leaves everything as it was', async () => {
    const dir = home()
    const {env} = desktop(dir)
    const before = readFileSync(path.join(dir, 'config/config.toml'), 'utf8')
    const t = open(['setup', 'zoom'], {home: dir, env, columns: 700})
    await t.shows('Which kind of app?')
    t.type('2')
    await t.shows('Use Public Client OAuth')
    await t.shows('Client id')
    t.type('public-id\r')
    await t.shows('Waiting for the answer at http://127.0.0.1:')
    const url = new URL(/https:\/\/zoom\.us\/\S+/.exec(t.text())![0])
    expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'code_challenge', 'code_challenge_method', 'redirect_uri', 'response_type', 'state'])
    expect(url.searchParams.get('client_id')).toBe('public-id')
    t.type(keys.ctrlC)
    expect(await t.exits()).toBe(130)
    expect(readFileSync(path.join(dir, 'config/config.toml'), 'utf8')).toBe(before)
    expect(existsSync(path.join(dir, 'config/secrets'))).toBe(false)
  })

  it('with --offline refuses before anybody is asked, and without a client says how to make one', async () => {
    const dir = home()
    const offline = await runProgram(dir, ['--offline', ...setup()], {env: noKeyring})
    expect(offline).toMatchObject({code: 2, stderr: expect.stringContaining('signing in needs the provider, and --offline is on')})
    put(dir, 'config/config.toml', '')
    const none = await runProgram(dir, ['setup', 'mail', '--address', 'me@gmail.com', '--sign-in', 'google'], {env: noKeyring})
    expect(none).toMatchObject({code: 2, stderr: expect.stringMatching(/oauth\.google\.client_id: is not set.*README/)})
    put(dir, 'client.json', '{"web": {"client_id": "x", "client_secret": "secret-canary"}}')
    const web = await runProgram(dir, ['setup', 'mail', '--address', 'me@gmail.com', '--sign-in', 'google', '--client', path.join(dir, 'client.json')], {env: noKeyring})
    expect(web).toMatchObject({code: 2, stderr: expect.stringContaining('not the file of a client of the kind "Desktop app"')})
    expect(web.stderr).not.toContain('secret-canary')
  })
})
