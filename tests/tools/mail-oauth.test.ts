// Mail by access tokens: Dovecot asks a real authorization server whose a token is (RFC 7662), Postfix asks Dovecot.
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi} from 'vitest'
import {configSchema, defaultConfig, type Config} from '../../src/core/config.ts'
import {clientOf} from '../../src/core/oauth/client.ts'
import {signInByBrowser} from '../../src/core/oauth/sign-in.ts'
import {keepRefreshToken} from '../../src/core/oauth/tokens.ts'
import {pathsOf} from '../../src/core/paths.ts'
import {accountOf, loggedIn, type MailAccount} from '../../src/tools/mail/account.ts'
import {withImap} from '../../src/tools/mail/imap.ts'
import {rawMessage} from '../../src/tools/mail/message.ts'
import {checkSmtp} from '../../src/tools/mail/smtp.ts'
import {openImapMail} from '../../src/tools/mail/smtp-imap.ts'
import {browse, startAuthorizationServer, type AuthorizationServer} from '../servers/authorization.ts'
import {canRunMailServers, startMailServers, type MailServers} from '../servers/mail-servers.ts'

vi.setConfig({testTimeout: 180_000, hookTimeout: 120_000}) // real servers on a busy machine
const canRun = await canRunMailServers()
let provider: AuthorizationServer
let servers: MailServers
let home: string
beforeAll(async () => {
  if (!canRun) return
  provider = await startAuthorizationServer()
  // As Gmail and Microsoft have it; with OAUTHBEARER beside it that one is taken (tests/e2e/oauth.test.ts).
  servers = await startMailServers({introspectionUrl: provider.introspectionUrl, mechanisms: 'xoauth2'})
})
afterAll(async () => { await servers?.stop(); await provider?.stop() })
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'mail-oauth-'))
  vi.stubEnv('TINYAGENT_NO_KEYRING', '1')
})
afterEach(() => { rmSync(home, {recursive: true, force: true}); vi.unstubAllEnvs() })

const user = 'me@example.org'
const signal = new AbortController().signal

const configOf = (): Config => {
  const config = defaultConfig(pathsOf({home}))
  const server = (port: number) => ({host: '127.0.0.1', port})
  const values = configSchema.parse({user: {email: user}, oauth: {other: provider.settings}, mail: {backend: 'imap', auth: 'other', imap: server(servers.ports.imap), smtp: server(servers.ports.smtp)}})
  return {...config, ...values, values, dirs: config.dirs, files: config.files}
}

async function signedIn(login = user): Promise<MailAccount> {
  const config = configOf()
  const {refresh} = await signInByBrowser(clientOf(config, 'other', 'mail'), {signal, say: line => { if (line.startsWith('  http')) void browse(line.trim(), login) }})
  await keepRefreshToken('mail', refresh, config)
  provider.tokenRequests.length = 0
  return accountOf(config)
}

const message = (id: string) => rawMessage({id, from: {address: user, name: 'Jo'}, to: [{address: 'ana@example.org'}], cc: [], subject: 'Lunch', text: 'At one?\n', date: new Date('2026-03-03T09:15:00Z')}, [])
const envelope = {from: user, to: ['ana@example.org']}

describe.skipIf(!canRun)('an account that is signed in by browser', () => {
  test('sends by XOAUTH2 and keeps a copy by IMAP, with one access token for both', async () => {
    const account = await signedIn()
    const raw = await message('<t1@example.org>')
    expect(await openImapMail(account, {dir: home}).send(raw, envelope, '<t1@example.org>', signal)).toMatchObject({isQueued: false, where: 'Sent Mail on 127.0.0.1'})
    expect(await servers.mails('ana@example.org')).toEqual([raw])
    expect(await servers.mails(user, 'Sent Mail')).toEqual([raw])
    expect(provider.tokenRequests.map(r => r.get('grant_type'))).toEqual(['refresh_token'])
  })

  test('a token that the server no longer takes is renewed once, and the mail goes once', async () => {
    await servers.clear()
    const account = await signedIn()
    const stale = await account.password(signal)
    const isFresh: boolean[] = []
    provider.endAll('access') // by our clock it is well in time
    const raw = await message('<t2@example.org>')
    const counted: MailAccount = {...account, password: async s => { const token = await account.password(s); isFresh.push(token !== stale); return token }}
    await openImapMail(counted, {dir: home}).send(raw, envelope, '<t2@example.org>', signal)
    expect(isFresh.slice(0, 2)).toEqual([false, true])
    expect(await servers.mails('ana@example.org')).toEqual([raw])
  })

  test('a sign-in of somebody else is refused by both servers after one renewal, and no token is in what is said', async () => {
    const account = await signedIn('bruno@example.org')
    const error: unknown = await openImapMail(account, {dir: home}).list().catch((e: unknown) => e)
    expect(error).toMatchObject({code: 'unavailable', message: expect.stringMatching(/does not accept the sign-in of me@example\.org.*`tinyagent setup mail` signs in again/)})
    await expect(openImapMail(account, {dir: home}).send(await message('<t3@example.org>'), envelope, '<t3@example.org>', signal)).rejects.toMatchObject({message: expect.stringContaining('does not accept the sign-in of me@example.org')})
    expect(provider.tokenRequests.length).toBe(3) // the first, and one for each refusal
    const token = await account.password(signal)
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(token)
  })

  test('a sign-in that has ended says how to sign in again, and the mail may be tried again', async () => {
    const account = await signedIn()
    provider.endAll('ended')
    const backend = openImapMail(account, {dir: home})
    const raw = await message('<t4@example.org>')
    await expect(backend.send(raw, envelope, '<t4@example.org>', signal)).rejects.toMatchObject({code: 'unavailable', message: expect.stringContaining('`tinyagent setup mail` signs in again')})
    expect(readdirSync(path.join(home, 'sending'))).toEqual([])
  })

  test('a token is no password, and is in nothing that is written', async () => {
    const account = await signedIn()
    const token = await account.password(signal)
    await expect(withImap({...account.imap, isToken: false}, token, signal, async () => undefined)).rejects.toMatchObject({code: 'unavailable'})
    await loggedIn(account, account.imap, signal, secret => withImap(account.imap, secret, signal, async () => undefined))
    await loggedIn(account, account.smtp, signal, secret => checkSmtp(account.smtp, secret, signal))
    const written = readdirSync(home, {recursive: true, withFileTypes: true}).filter(e => e.isFile() && !e.parentPath.endsWith('secrets')).map(e => readFileSync(path.join(e.parentPath, e.name), 'utf8')).join('\n')
    expect(written).not.toContain(token)
  })
})
