// Calendars and contacts by access tokens: Radicale behind a proxy that asks a real authorization server whose a token is.
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi} from 'vitest'
import {configSchema, defaultConfig, type Config} from '../../src/core/config.ts'
import {clientOf} from '../../src/core/oauth/client.ts'
import {signInByBrowser} from '../../src/core/oauth/sign-in.ts'
import {keepRefreshToken} from '../../src/core/oauth/tokens.ts'
import {pathsOf} from '../../src/core/paths.ts'
import {contactsOf} from '../../src/commands/network.ts'
import {parseWhen} from '../../src/tools/calendar/when.ts'
import {davOptions} from '../../src/tools/dav/account.ts'
import {openDavCalendar, openDavContacts, openDavReminders} from '../../src/tools/dav/open.ts'
import {browse, startAuthorizationServer, type AuthorizationServer} from '../servers/authorization.ts'
import {startRadicaleWithTokens, type TokenDav} from '../servers/bearer-proxy.ts'
import {program} from './vdir-programs.ts'

vi.setConfig({testTimeout: 60_000, hookTimeout: 120_000}) // real servers on a busy machine
const canRun = await program('radicale') !== undefined
let provider: AuthorizationServer
let dav: TokenDav
let home: string
beforeAll(async () => {
  if (!canRun) return
  provider = await startAuthorizationServer()
  dav = (await startRadicaleWithTokens(provider.introspectionUrl))!
})
afterAll(async () => { await dav?.stop(); await provider?.stop() })
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'dav-oauth-'))
  vi.stubEnv('TINYAGENT_NO_KEYRING', '1')
})
afterEach(() => { rmSync(home, {recursive: true, force: true}); vi.unstubAllEnvs() })

const signal = new AbortController().signal
const now = new Date('2026-03-03T09:15:00Z')

async function signedIn(login: string): Promise<Config> {
  const config = defaultConfig(pathsOf({home}))
  const values = configSchema.parse({
    oauth: {other: provider.settings}, dav: {url: dav.url, user: login, auth: 'other'}, calendar: {backend: 'caldav'}, reminders: {backend: 'caldav'}, contacts: {backend: 'carddav'},
  })
  const whole = {...config, ...values, values, dirs: config.dirs, files: config.files}
  const {refresh} = await signInByBrowser(clientOf(whole, 'other', 'dav'), {signal, say: line => { if (line.startsWith('  http')) void browse(line.trim(), login) }})
  await keepRefreshToken('dav', refresh, whole)
  provider.tokenRequests.length = 0
  return whole
}

describe.skipIf(!canRun)('a CalDAV and CardDAV account that is signed in by browser', () => {
  const event = {title: 'Dentist', start: parseWhen('2026-03-04 08:40:00', 'start'), end: parseWhen('2026-03-04 09:40:00', 'end'), location: '', notes: '', invitees: [], calendar: ''}
  const day = [new Date('2026-03-04T00:00:00Z'), new Date('2026-03-06T00:00:00Z')] as const

  test('keeps events, reminders and cards with one access token for all three', async () => {
    const config = await signedIn('ana')
    const calendar = openDavCalendar(davOptions(config, 'calendar'))
    const contacts = openDavContacts(davOptions(config, 'contacts'))
    const reminders = openDavReminders(davOptions(config, 'reminders'))
    expect(await Promise.all([calendar.events(...day), contacts.all(), reminders.reminders()])).toEqual([[], [], []])
    await calendar.create(event, 'one@tinyagent', now)
    await contacts.save('Ana Lima', 'email', 'ana@example.org')
    expect((await calendar.events(...day)).map(e => e.title)).toEqual(['Dentist'])
    expect(await contacts.nameOf('ana@example.org')).toBe('Ana Lima')
    expect(provider.tokenRequests.map(r => r.get('grant_type'))).toEqual(['refresh_token'])
  })

  test('a token that the server no longer takes is renewed at the 401, and the event is there once', async () => {
    const config = await signedIn('bruno')
    const calendar = openDavCalendar(davOptions(config, 'calendar'))
    await calendar.events(...day)
    provider.endAll('access')
    dav.statuses.length = 0
    await calendar.create(event, 'two@tinyagent', now)
    expect(dav.statuses.filter(status => status === 401)).toHaveLength(1)
    expect(dav.statuses.filter(status => status === 201).length).toBeGreaterThanOrEqual(1)
    expect((await calendar.events(...day)).map(e => e.title)).toEqual(['Dentist'])
  })

  test('a sign-in that was withdrawn says how to sign in again', async () => {
    const config = await signedIn('carla')
    provider.endAll('withdrawn')
    await expect(openDavCalendar(davOptions(config, 'calendar')).create(event, 'three@tinyagent', now)).rejects.toMatchObject({code: 'unavailable', message: expect.stringContaining('`tinyagent setup dav` signs in again')})
  })

  test('the host that renews it is listed, and not asked', async () => {
    const config = await signedIn('dora')
    expect(await contactsOf(config)).toContainEqual({host: new URL(provider.origin).host, why: 'renews your sign-in for calendars and contacts'})
    expect(provider.tokenRequests).toEqual([])
  })
})
