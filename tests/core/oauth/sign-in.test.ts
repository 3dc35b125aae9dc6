// Signing in at a real authorization server on loopback (oidc-provider), by its own pages.
import {createServer} from 'node:net'
import {mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi} from 'vitest'
import {configSchema, defaultConfig, type Config} from '../../../src/core/config.ts'
import {clientOf, hostsOf, type OAuthClient} from '../../../src/core/oauth/client.ts'
import {signInByBrowser, signInByDevice, type SignInOptions} from '../../../src/core/oauth/sign-in.ts'
import {keepRefreshToken, openSource} from '../../../src/core/oauth/tokens.ts'
import {pathsOf} from '../../../src/core/paths.ts'
import {readSecret} from '../../../src/core/secrets.ts'
import {browse, clientSecret, startAuthorizationServer, type AuthorizationServer} from '../../servers/authorization.ts'
import {freePort} from '../../servers/process.ts'

vi.setConfig({testTimeout: 60_000, hookTimeout: 60_000}) // real servers on a busy machine

let server: AuthorizationServer
let home: string
beforeAll(async () => { server = await startAuthorizationServer() })
afterAll(() => server.stop())
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'oauth-'))
  server.tokenRequests.length = 0
})
afterEach(() => rmSync(home, {recursive: true, force: true}))

const env = {TINYAGENT_NO_KEYRING: '1'}
const configWith = (oauth: unknown): Config => {
  const config = defaultConfig(pathsOf({home}))
  const values = configSchema.parse({oauth})
  return {...config, values, oauth: values.oauth}
}
const client = (change: Record<string, unknown> = {}, port = 0): OAuthClient => clientOf(configWith({port, other: {...server.settings, ...change}}), 'other', 'mail', env)

/** A user who opens what is printed. */
function user(act: (url: string, lines: string[]) => Promise<unknown>, change: Partial<SignInOptions> = {}): SignInOptions & {lines: string[]; acted: Promise<unknown>} {
  const lines: string[] = []
  let start: (work: Promise<unknown>) => void = () => undefined
  const acted = new Promise<unknown>(resolve => { start = resolve })
  return {
    lines, acted, signal: new AbortController().signal, ...change,
    say: line => {
      lines.push(line)
      if (line.startsWith('  http')) start(act(line.trim(), lines))
    },
  }
}
const redirectIn = (url: string): string => new URL(url).searchParams.get('redirect_uri') ?? ''

describe('by browser', () => {
  test('the user signs in and allows it, and there is a lasting sign-in; the code goes with its PKCE verifier', async () => {
    const asked: string[] = []
    const options = user(url => { asked.push(url); return browse(url, 'me@example.org') }, {address: 'me@example.org'})
    const tokens = await signInByBrowser(client(), options)
    expect(tokens).toMatchObject({access: expect.stringMatching(/\S{20,}/), refresh: expect.stringMatching(/\S{20,}/), seconds: 3600})
    expect(await options.acted).toMatchObject({status: 200, text: expect.stringContaining('Go back to the terminal')})
    const {searchParams} = new URL(asked[0]!)
    expect(Object.fromEntries(searchParams)).toMatchObject({response_type: 'code', code_challenge_method: 'S256', scope: 'mail offline_access', login_hint: 'me@example.org', redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/)})
    expect(searchParams.get('state')!.length).toBeGreaterThanOrEqual(32)
    expect(server.tokenRequests.map(r => [r.get('grant_type'), r.get('code_verifier')!.length >= 43, r.get('client_id')])).toEqual([['authorization_code', true, 'tinyagent']])
    expect(options.lines.join('\n')).not.toContain(tokens.access)
  })

  test('a user who says no is told so, and nobody asks for a token', async () => {
    await expect(signInByBrowser(client(), user(url => browse(url, 'me@example.org', 'deny')))).rejects.toMatchObject({code: 'refused', message: expect.stringContaining('you did not allow it')})
    expect(server.tokenRequests).toEqual([])
  })

  test('an answer with another state, with none or with two is not taken; the right one after it is', async () => {
    const options = user(async url => {
      const at = redirectIn(url)
      for (const query of ['code=stolen&state=other', 'code=stolen', `code=stolen&state=${new URL(url).searchParams.get('state')}&state=x`]) expect((await fetch(`${at}/?${query}`)).status).toBe(400)
      expect((await fetch(`${at}/favicon.ico`)).status).toBe(404)
      expect((await fetch(`${at}/?code=x`, {method: 'POST'})).status).toBe(404)
      return browse(url, 'me@example.org')
    })
    expect((await signInByBrowser(client(), options)).access).not.toBe('')
    expect(options.lines.filter(line => line.includes('was not taken'))).toHaveLength(3)
    expect(server.tokenRequests.map(r => r.get('code'))).not.toContain('stolen')
  })

  test('a page of another name that leads here (DNS rebinding) finds nothing', async () => {
    const {request} = await import('node:http')
    const options = user(async url => {
      const {port} = new URL(redirectIn(url))
      const status = await new Promise<number | undefined>((resolve, reject) => {
        request({host: '127.0.0.1', port, path: `/?code=x&state=${new URL(url).searchParams.get('state')}`, headers: {host: 'evil.example'}}, answer => { answer.resume(); resolve(answer.statusCode) }).on('error', reject).end()
      })
      expect(status).toBe(404)
      return browse(url, 'me@example.org')
    })
    await signInByBrowser(client(), options)
    await options.acted
  })

  test('a port that is in use is named, and nothing is opened', async () => {
    const taken = createServer()
    const port = await freePort()
    await new Promise<void>(resolve => { taken.listen(port, '127.0.0.1', () => resolve()) })
    try {
      const open = vi.fn(async () => true)
      await expect(signInByBrowser(client({}, port), user(async () => undefined, {open}))).rejects.toMatchObject({code: 'unavailable', message: `Another program uses port ${port} of this machine (oauth.port); 0 takes any that is free.`})
      expect(open).not.toHaveBeenCalled()
    } finally {
      taken.close()
    }
  })

  test('the port of the config is the one that the provider sends back to', async () => {
    const port = await freePort()
    const options = user(async url => { expect(redirectIn(url)).toBe(`http://127.0.0.1:${port}`); return browse(url, 'me@example.org') })
    await signInByBrowser(client({}, port), options)
    await options.acted
  })

  test.each([['cannot be started', async () => { throw new Error('no browser') }], ['fails', async () => false]])('a browser that %s leaves the address on the screen', async (_, open) => {
    const options = user(url => browse(url, 'me@example.org'), {open})
    await signInByBrowser(client(), options)
    expect(options.lines[0]).toBe('Open this address in a browser:')
  })

  test('a browser on another machine ends nowhere: its address is pasted, a wrong one is asked for again', async () => {
    const typed: (string | undefined)[] = []
    let opened: (url: string) => void = () => undefined
    const shown = new Promise<string>(resolve => { opened = resolve })
    const options = user(async url => opened(url), {
      paste: async () => {
        if (typed.length === 0) {
          const end = await browseElsewhere(await shown)
          typed.push('hello', `${end.origin}/?code=stolen&state=other`, end.href)
        }
        return typed.shift()
      },
    })
    expect((await signInByBrowser(client(), options)).refresh).not.toBe('')
    expect(options.lines.filter(line => line.includes('not the address that this sign-in ends at'))).toHaveLength(2)
  })

  test('Ctrl-C ends it at once, and the port is free again', async () => {
    const cancel = new AbortController()
    let at = ''
    const options = user(async url => { at = redirectIn(url); cancel.abort() }, {signal: cancel.signal})
    await expect(signInByBrowser(client(), options)).rejects.toMatchObject({name: 'AbortError'})
    await expect(fetch(at)).rejects.toThrow()
  })

  test('nobody who comes in time is told', async () => {
    await expect(signInByBrowser(client(), user(async () => undefined, {timeoutMs: 50}))).rejects.toMatchObject({code: 'timeout', message: expect.stringContaining('Nobody has signed in')})
  })

  test('a provider that does not know the client, or is out of reach, is told with what to change', async () => {
    await expect(signInByBrowser(client({client_id: 'somebody-else', token_url: `${server.origin}/token`}), {
      ...user(async url => fetch(`${redirectIn(url)}/?code=x&state=${new URL(url).searchParams.get('state')}`)),
    })).rejects.toMatchObject({code: 'unavailable', message: expect.stringMatching(/invalid_client.*oauth\.other\.client_id/)})
    const port = await freePort()
    await expect(signInByBrowser(client({token_url: `http://127.0.0.1:${port}/token`}), user(url => browse(url, 'me@example.org')))).rejects.toMatchObject({message: `127.0.0.1:${port} cannot be reached: nothing answers at that address.`})
  })

  test('a client with a secret sends it to the token endpoint and nowhere else', async () => {
    const confidential = await startAuthorizationServer({isConfidential: true})
    try {
      const config = configWith({other: confidential.settings})
      const options = user(url => browse(url, 'me@example.org'))
      await expect(signInByBrowser(clientOf(config, 'other', 'mail', env), options)).rejects.toMatchObject({message: expect.stringContaining('secret')})
      const again = user(url => { expect(url).not.toContain(clientSecret); return browse(url, 'me@example.org') })
      await signInByBrowser(clientOf(config, 'other', 'mail', {...env, TINYAGENT_OTHER_CLIENT_PASSWORD: clientSecret}), again)
      await again.acted
      expect(confidential.tokenRequests.at(-1)?.get('client_secret')).toBe(clientSecret)
    } finally {
      await confidential.stop()
    }
  })
})

/** As `browse`, but what the provider sends the browser to is out of reach. */
async function browseElsewhere(url: string): Promise<URL> {
  const away = new URL(url)
  const state = away.searchParams.get('state')!
  const end = new Promise<URL>((resolve, reject) => {
    const original = globalThis.fetch
    const spy = vi.spyOn(globalThis, 'fetch').mockImplementation(async (target, init) => {
      const to = new URL(target instanceof Request ? target.url : target)
      if (to.searchParams.get('state') === state && to.searchParams.has('code')) {
        spy.mockRestore()
        resolve(to)
        return new Response('out of reach')
      }
      return original(target, init)
    })
    browse(url, 'me@example.org').catch(reject)
  })
  return end
}

describe('by a code on another device', () => {
  test('the code is shown, and typing it elsewhere signs in', async () => {
    const lines: string[] = []
    const signing = signInByDevice(client(), {signal: new AbortController().signal, say: line => {
      lines.push(line)
      const [, page, code] = /open (\S+) and type this code: (\S+)/.exec(line) ?? []
      if (page && code) void browse(`${page}?user_code=${code}`, 'me@example.org')
    }})
    expect(await signing).toMatchObject({access: expect.stringMatching(/\S{20,}/), refresh: expect.stringMatching(/\S{20,}/)})
    expect(lines[0]).toContain(`${server.origin}/device`)
  })

  test('a user who says no is told so; Ctrl-C ends the waiting', async () => {
    await expect(signInByDevice(client(), {signal: new AbortController().signal, say: line => {
      const [, page, code] = /open (\S+) and type this code: (\S+)/.exec(line) ?? []
      if (page && code) void browse(`${page}?user_code=${code}`, 'me@example.org', 'deny')
    }})).rejects.toMatchObject({code: 'refused', message: expect.stringContaining('you did not allow it')})
    const cancel = new AbortController()
    await expect(signInByDevice(client(), {signal: cancel.signal, say: () => cancel.abort()})).rejects.toMatchObject({name: 'AbortError'})
  })

  test('a provider without it says so', async () => {
    await expect(signInByDevice(client({device_url: ''}), {signal: new AbortController().signal, say: () => undefined})).rejects.toMatchObject({code: 'usage'})
  })
})

describe('access tokens', () => {
  const config = (): {paths: {config: string}; env: NodeJS.ProcessEnv} => ({paths: {config: home}, env})
  const signedIn = async (): Promise<void> => {
    const {refresh} = await signInByBrowser(client(), user(url => browse(url, 'me@example.org')))
    await keepRefreshToken('mail', refresh, config())
    server.tokenRequests.length = 0
  }

  test('are asked for once by all who need one, kept in memory, and renewed a minute before they end', async () => {
    await signedIn()
    let now = 0
    const source = openSource(client(), 'mail', config(), () => now)
    const [one, two] = await Promise.all([source.token(), source.token()])
    expect(one).toBe(two)
    now = 3_539_000
    expect(await source.token()).toBe(one)
    now = 3_541_000
    expect(await source.token()).not.toBe(one)
    expect(server.tokenRequests.map(r => r.get('grant_type'))).toEqual(['refresh_token', 'refresh_token'])
    expect(readdirSync(path.join(home, 'secrets'))).toEqual(['mail-oauth'])
  })

  test('a refresh token that the provider replaces is kept in its place, and used next', async () => {
    await signedIn()
    const before = await readSecret('mail-oauth', config())
    await openSource(client(), 'mail', config()).token()
    const after = await readSecret('mail-oauth', config())
    expect(after).not.toBe(before)
    await openSource(client(), 'mail', config()).token()
    expect(server.tokenRequests.map(r => r.get('refresh_token'))).toEqual([before, after])
  })

  test('after `forget` the next one is new', async () => {
    await signedIn()
    const source = openSource(client(), 'mail', config())
    const first = await source.token()
    source.forget()
    expect(await source.token()).not.toBe(first)
  })

  test.each(['ended', 'withdrawn'] as const)('a sign-in that was %s says how to sign in again, and no token', async how => {
    await signedIn()
    const kept = await readSecret('mail-oauth', config())
    server.endAll(how)
    const error: unknown = await openSource(client(), 'mail', config()).token().catch((e: unknown) => e)
    expect(error).toMatchObject({code: 'unavailable', message: expect.stringMatching(/does not take this sign-in any more.*`tinyagent setup mail` signs in again/)})
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(kept)
  })

  test('without a sign-in, or with a provider out of reach, it is said', async () => {
    await expect(openSource(client(), 'mail', config()).token()).rejects.toMatchObject({message: expect.stringMatching(/There is no sign-in at .* on this machine: `tinyagent setup mail`/)})
    await keepRefreshToken('mail', 'canary', config())
    const port = await freePort()
    await expect(openSource(client({token_url: `http://127.0.0.1:${port}/token`}), 'mail', config()).token()).rejects.toMatchObject({message: `127.0.0.1:${port} cannot be reached: nothing answers at that address.`})
    expect(readFileSync(path.join(home, 'secrets/mail-oauth'), 'utf8')).toBe('canary')
  })

  test('two programs that renew at once both get a token, and the sign-in stays', async () => {
    await signedIn()
    const [one, two] = [openSource(client(), 'mail', config()), openSource(client(), 'mail', config())]
    const tokens = await Promise.all([one.token(), two.token()])
    expect(new Set(tokens).size).toBe(2)
    const used = server.tokenRequests.map(r => r.get('refresh_token'))
    expect(new Set(used).size).toBe(2)
    expect(await openSource(client(), 'mail', config()).token()).not.toBe('')
    expect(readdirSync(path.join(home, 'secrets'))).toEqual(['mail-oauth'])
  })

  test('a lock that a killed program left is no obstacle for ever', async () => {
    await signedIn()
    const lock = path.join(home, 'secrets/mail-oauth.lock')
    writeFileSync(lock, '')
    utimesSync(lock, new Date(0), new Date(0))
    expect(await openSource(client(), 'mail', config()).token()).not.toBe('')
  })

  test('one who stops waiting does not stop the others', async () => {
    await signedIn()
    const source = openSource(client(), 'mail', config())
    const cancel = new AbortController()
    const [left, stays] = [source.token(cancel.signal), source.token()]
    cancel.abort()
    await expect(left).rejects.toMatchObject({name: 'AbortError'})
    expect(await stays).not.toBe('')
  })
})

describe('the client in the config', () => {
  test.each([
    [{}, 'google', /oauth\.google\.client_id: is not set \(nor TINYAGENT_GOOGLE_CLIENT_ID\).*README/],
    [{other: {client_id: 'x'}}, 'other', /oauth\.other\.authorize_url: is not set/],
    [{other: {client_id: 'x', authorize_url: 'https://a.example/auth', token_url: 'http://a.example/token'}}, 'other', /oauth\.other\.token_url: expected an address that begins with https/],
    [{other: {client_id: 'x', authorize_url: 'https://a.example/auth', token_url: 'https://me:pw@a.example/token'}}, 'other', /token_url/],
  ] as const)('%j for %s is an error that names the key', (oauth, name, message) => {
    expect(() => clientOf(configWith(oauth), name, 'mail', {})).toThrow(expect.objectContaining({code: 'config', message: expect.stringMatching(message)}))
  })

  test('of Google and Microsoft has their documented addresses and asks for what it needs', () => {
    const google = clientOf(configWith({}), 'google', 'dav', {TINYAGENT_GOOGLE_CLIENT_ID: 'id'})
    expect(google).toMatchObject({id: 'id', redirectHost: '127.0.0.1', extra: {access_type: 'offline', prompt: 'consent'}, scope: 'https://www.googleapis.com/auth/calendar https://www.googleapis.com/auth/carddav'})
    expect(hostsOf(google)).toEqual(['oauth2.googleapis.com'])
    const microsoft = clientOf(configWith({microsoft: {client_id: 'id', tenant: 'contoso'}}), 'microsoft', 'mail', {})
    expect(microsoft).toMatchObject({redirectHost: 'localhost', endpoints: {device: 'https://login.microsoftonline.com/contoso/oauth2/v2.0/devicecode'}, scope: expect.stringContaining('offline_access')})
    expect(hostsOf(microsoft)).toEqual(['login.microsoftonline.com'])
  })
})
