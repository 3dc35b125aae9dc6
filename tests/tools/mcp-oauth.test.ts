// MCP servers that want a sign-in: a real MCP server (the official SDK) behind a real authorization server (oidc-provider), and a browser.
import {existsSync, mkdtempSync, readdirSync, rmSync, statSync} from 'node:fs'
import {createServer} from 'node:http'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test} from 'vitest'
import type {SecretConfig} from '../../src/core/secrets.ts'
import {openConnection, type Connection} from '../../src/tools/mcp/connection.ts'
import {signInAt} from '../../src/tools/mcp/sign-in.ts'
import {revokeSignIn} from '../../src/tools/mcp/sign-out.ts'
import {deleteSignIn, readSignIn, scopesOf, writeSignIn, type SignIn} from '../../src/tools/mcp/sign-ins.ts'
import {tokensFor, type HttpServer} from '../../src/tools/mcp/tokens.ts'
import {browse, startAuthorizationServer, type AuthorizationServer} from '../servers/authorization.ts'
import {freePort} from '../servers/process.ts'
import {startMcpServer, type HttpMcpServer} from '../servers/mcp-http.ts'

let provider: AuthorizationServer
let remote: HttpMcpServer
beforeAll(async () => {
  provider = await startAuthorizationServer({forMcp: true})
  remote = await startMcpServer(provider)
})
afterAll(async () => { await remote?.stop(); await provider?.stop() })
beforeEach(() => { provider.lifetime.access = 3600; remote.requests.length = 0; remote.needed.length = 0; provider.revocations.length = 0; provider.tokenRequests.length = 0; provider.registrations.length = 0; delete remote.before.handle })

function secrets(): SecretConfig & {dir: string; kept: string} {
  const dir = mkdtempSync(path.join(tmpdir(), 'tinyagent-mcp-oauth-'))
  onTestFinished(() => rmSync(dir, {recursive: true, force: true}))
  return {paths: {config: dir}, env: {TINYAGENT_NO_KEYRING: '1'}, dir, kept: path.join(dir, 'secrets/mcp-oauth-remote')}
}
const serverAt = (url = remote.url, extra: Partial<HttpServer> = {}): HttpServer => ({name: 'remote', type: 'http', url, headers: {}, ...extra})
const signal = (): AbortSignal => new AbortController().signal

function connect(at: SecretConfig, server = serverAt()): Connection {
  const connection = openConnection(server, {version: '1.2.3', secrets: at, onChanged: () => undefined})
  onTestFinished(() => connection.close())
  return connection
}

/** A browser that opens the page and ends where the provider sends it; `answer`: what its user says there. */
function browser(answer: 'allow' | 'deny' = 'allow'): {open: (url: string) => Promise<boolean>; pages: URL[]} {
  const pages: URL[] = []
  return {pages, open: async url => { pages.push(new URL(url)); browse(url, 'me@example.org', answer).catch(() => undefined); return true }}
}

async function signedIn(at: SecretConfig, options: {clock?: () => number; scopes?: string[]} = {}): Promise<SignIn> {
  const signIn = await signInAt(serverAt(), {say: () => undefined, open: browser().open, port: 0, signal: signal(), timeoutMs: 20_000, ...options})
  await writeSignIn(serverAt(), signIn, at)
  return signIn
}
const said = async (lines: string[], options: {server?: HttpServer; answer?: 'allow' | 'deny'; open?: (url: string) => Promise<boolean>} = {}): Promise<SignIn> =>
  signInAt(options.server ?? serverAt(), {say: line => lines.push(line), open: options.open ?? browser(options.answer).open, port: 0, signal: signal(), timeoutMs: 20_000})

describe('a server that wants a sign-in', () => {
  test('says how, where there is none; nobody is registered and nothing is sent for it', async () => {
    await expect(connect(secrets()).tools(signal())).rejects.toMatchObject({code: 'unavailable', message: expect.stringMatching(/^The MCP server remote wants you to sign in: `tinyagent tools sign-in remote` does that by browser\./) as string})
    expect(provider.registrations).toEqual([])
    expect(remote.requests.every(r => r.path === '/mcp' && r.token === undefined)).toBe(true)
  })

  test('lets in who has signed in: discovered, registered, PKCE, for this server alone, kept where only the user reads it', async () => {
    const at = secrets()
    const {open, pages} = browser()
    const lines: string[] = []
    const signIn = await said(lines, {open})
    expect(lines[0]).toBe(`${new URL(remote.url).host} has its sign-ins at ${new URL(provider.origin).host}.`)
    const [page] = pages
    const redirect = page!.searchParams.get('redirect_uri')!
    expect(redirect).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(Object.fromEntries(page!.searchParams)).toMatchObject({response_type: 'code', code_challenge_method: 'S256', resource: remote.url, state: expect.stringMatching(/^.{32}$/) as string})
    expect(provider.registrations).toEqual([expect.objectContaining({client_name: 'tinyagent', redirect_uris: [redirect], token_endpoint_auth_method: 'none', application_type: 'native'})])
    expect(Object.fromEntries(provider.tokenRequests[0]!)).toMatchObject({grant_type: 'authorization_code', resource: remote.url, code_verifier: expect.stringMatching(/^.{43,}$/) as string})

    const place = await writeSignIn(serverAt(), signIn, at)
    expect(place.where).toBe(at.kept)
    expect(statSync(at.kept).mode & 0o777).toBe(0o600)
    const connection = connect(at)
    expect((await connection.tools(signal())).map(t => t.name)).toEqual(['set_lights'])
    expect(await connection.call('set_lights', {room: 'hall', level: 3}, {signal: signal(), progress: () => undefined})).toMatchObject({content: [{text: 'The lights of the hall are at 3%.'}]})
    expect(lines.join('\n')).not.toContain(signIn.access)
    expect(signIn.refresh).toBeTypeOf('string')
  })

  test('a token that has ended is renewed before it is sent, and the new refresh token takes the place of the old one', async () => {
    const at = secrets()
    let now = Date.now()
    const first = await signedIn(at, {clock: () => now - 3600_000}) // as if an hour ago
    now = Date.now()
    expect(await connect(at).tools(signal())).toHaveLength(1)
    const second = (await readSignIn(serverAt(), at))!
    expect(second.access).not.toBe(first.access)
    expect(remote.requests.map(r => r.token)).not.toContain(first.access)
    expect(Object.fromEntries(provider.tokenRequests.at(-1)!)).toMatchObject({grant_type: 'refresh_token', refresh_token: first.refresh, resource: remote.url})
  })

  test('a token that the server does not take any more is renewed once, also by two programs at a time', async () => {
    const at = secrets()
    await signedIn(at)
    provider.endAll('access')
    const before = provider.tokenRequests.length
    const [a, b] = [connect(at), connect(at)]
    expect((await Promise.all([a.tools(signal()), b.tools(signal())])).map(t => t.length)).toEqual([1, 1])
    expect(provider.tokenRequests.slice(before).filter(r => r.get('grant_type') === 'refresh_token')).toHaveLength(1)
  })

  test.each(['withdrawn', 'ended'] as const)('a sign-in that was %s says that it has to be done again', async how => {
    const at = secrets()
    await signedIn(at)
    provider.endAll('access')
    provider.endAll(how)
    await expect(connect(at).tools(signal())).rejects.toMatchObject({code: 'unavailable', message: expect.stringContaining('does not take your sign-in any more: `tinyagent tools sign-in remote`') as string})
  })

  test('that lets strangers in and refuses their calls takes the sign-in that was made meanwhile', async () => {
    const at = secrets()
    const tokens = tokensFor(serverAt(), at)
    expect(await tokens.token()).toBeUndefined()
    const {access} = await signedIn(at)
    await tokens.onUnauthorized?.({response: new Response(null, {status: 401}), serverUrl: new URL(remote.url), fetchFn: fetch})
    expect(await tokens.token()).toBe(access)
  })

  test('after sign-out nothing is left', async () => {
    const at = secrets()
    await signedIn(at)
    await deleteSignIn('remote', at)
    expect(readdirSync(path.dirname(at.kept))).toEqual([])
    await expect(connect(at).tools(signal())).rejects.toMatchObject({message: expect.stringContaining('wants you to sign in') as string})
  })

  test('a token of the user\'s own in "headers" is used instead', async () => {
    const at = secrets()
    const {access} = await signedIn(at)
    await deleteSignIn('remote', at)
    expect(await connect(at, serverAt(remote.url, {headers: {authorization: `Bearer ${access}`}})).tools(signal())).toHaveLength(1)
    await expect(connect(at, serverAt(remote.url, {headers: {Authorization: 'Bearer wrong'}})).tools(signal())).rejects.toMatchObject({code: 'unavailable', message: expect.stringContaining('does not take the login that it is given') as string})
  })
})

describe('a call that needs more than the sign-in allows', () => {
  const lights = (connection: Connection): Promise<unknown> => connection.call('set_lights', {room: 'hall', level: 3}, {signal: signal(), progress: () => undefined})

  test('is not done, asks for one new sign-in and makes none; the sign-in asks for what was missing besides what was there, and the same connection goes on with it', async () => {
    const at = secrets()
    expect((await signedIn(at)).scope).toBe('mcp')
    const connection = connect(at)
    remote.needed.push('mcp', 'mcp.write')
    await expect(lights(connection)).rejects.toMatchObject({code: 'refused', message: 'The MCP server remote does not allow this with your sign-in, so nothing was done: it wants mcp.write besides. If you want to allow that, `tinyagent tools sign-in remote` asks its sign-in page for it.'})
    expect([provider.tokenRequests.length, provider.registrations.length]).toEqual([1, 1]) // of the first sign-in

    const {scope, wanted} = (await readSignIn(serverAt(), at))!
    expect([scope, wanted]).toEqual(['mcp', 'mcp.write'])
    const again = await signedIn(at, {scopes: scopesOf(scope, wanted)})
    expect([again.scope, again.wanted]).toEqual(['mcp mcp.write', undefined])
    expect(await lights(connection)).toMatchObject({content: [{text: 'The lights of the hall are at 3%.'}]})
  })

  test('and for which the sign-in has all that is asked for says that the account may lack the right', async () => {
    const at = secrets()
    await signedIn(at)
    const challenge = 'Bearer error="insufficient_scope", scope="mcp"'
    remote.before.handle = requested => requested === '/mcp' ? {status: 403, headers: {'www-authenticate': challenge}} : undefined
    const reason = {code: 'refused', message: expect.stringContaining('The sign-in has what it asks for (mcp): your account there may not have the right.') as string}
    await expect(connect(at).tools(signal())).rejects.toMatchObject(reason)
    expect((await readSignIn(serverAt(), at))!.wanted).toBeUndefined()
  })

  test.each([
    ['says nothing of what is missing', 'Bearer error="insufficient_scope"', /It does not say what is missing/],
    ['writes nonsense', `Bearer error="insufficient_scope", scope="\u00e9 ${'x'.repeat(300)} \\ ok"`, /it wants ok besides/],
  ])('at a server that %s is told in words', async (_, challenge, message) => {
    const at = secrets()
    await signedIn(at)
    remote.before.handle = requested => requested === '/mcp' ? {status: 403, headers: {'www-authenticate': challenge}} : undefined
    await expect(connect(at).tools(signal())).rejects.toMatchObject({code: 'refused', message: expect.stringMatching(message) as string})
  })

  test('with a token of the user\'s own says nothing of a sign-in that would not be used', async () => {
    const at = secrets()
    const {access} = await signedIn(at)
    const connection = connect(at, serverAt(remote.url, {headers: {Authorization: `Bearer ${access}`}}))
    remote.needed.push('mcp.write')
    await expect(lights(connection)).rejects.toMatchObject({code: 'refused', message: expect.stringMatching(/does not allow this with the token in its "headers" in mcp\.json.*mcp\.write/) as string})
  })
})

describe('signing out', () => {
  test('takes the sign-in back at its authorization server: neither of its tokens is good for anything afterwards', async () => {
    const at = secrets()
    const signIn = await signedIn(at)
    await revokeSignIn('remote', signIn, signal())
    expect(provider.revocations.map(r => [r.get('token'), r.get('token_type_hint'), r.get('client_id')])).toEqual([
      [signIn.refresh, 'refresh_token', signIn.client.client_id], [signIn.access, 'access_token', signIn.client.client_id],
    ])
    await expect(connect(at).tools(signal())).rejects.toMatchObject({message: expect.stringContaining('does not take your sign-in any more') as string})
  })

  let free = 0
  beforeAll(async () => { free = await freePort() })
  test.each([
    ['that has no such place', (kept: SignIn) => { delete kept.revokeUrl }, /has no way to take a sign-in back/],
    ['that says no', (kept: SignIn) => { kept.client.client_id = 'nobody' }, /did not take the sign-in back \(invalid_client/],
    ['that is not there', (kept: SignIn) => { kept.revokeUrl = `http://127.0.0.1:${free}/` }, /cannot be reached: nothing answers/],
    ['that would get it unencrypted', (kept: SignIn) => { kept.revokeUrl = 'http://evil.example/' }, /not https or not where it may lead/],
  ])('at an authorization server %s says so', async (_, change, message) => {
    const kept = await signedIn(secrets())
    change(kept)
    await expect(revokeSignIn('remote', kept, signal())).rejects.toMatchObject({message: expect.stringMatching(message) as string})
  })
})

describe('a token', () => {
  test('goes to no other address: not to a server that has taken the name, nor where its server sends on to', async () => {
    const at = secrets()
    const seen: (string | undefined)[] = []
    const other = createServer((request, response) => { seen.push(request.headers.authorization); response.writeHead(401, {'www-authenticate': 'Bearer'}).end() })
    await new Promise<void>(resolve => { other.listen(0, '127.0.0.1', resolve) })
    onTestFinished(() => { other.close(); other.closeAllConnections() })
    const address = other.address()
    const elsewhere = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/mcp`
    await signedIn(at)

    await expect(connect(at, serverAt(elsewhere)).tools(signal())).rejects.toMatchObject({message: expect.stringContaining('wants you to sign in') as string})
    expect(seen.length).toBeGreaterThan(0)
    seen.length = 0
    remote.before.handle = requested => requested === '/mcp' ? {status: 307, headers: {location: elsewhere}} : undefined
    await expect(connect(at).tools(signal())).rejects.toMatchObject({code: 'failed'})
    expect(seen).toEqual([])
  })

  test('is renewed where the user signed in, whatever the server says later', async () => {
    const at = secrets()
    await signedIn(at)
    provider.endAll('access')
    const asked: string[] = []
    remote.before.handle = requested => { asked.push(requested); return undefined }
    remote.metadata['authorization_servers'] = ['https://evil.example']
    onTestFinished(() => { remote.metadata['authorization_servers'] = [provider.origin] })
    expect(await connect(at).tools(signal())).toHaveLength(1)
    expect(new Set(asked)).toEqual(new Set(['/mcp']))
  })
})

describe('a sign-in', () => {
  const nothingKept = (at: {dir: string}): boolean => !existsSync(path.join(at.dir, 'secrets'))

  test('that the user refuses says so', async () => {
    const at = secrets()
    await expect(said([], {answer: 'deny'})).rejects.toMatchObject({code: 'refused', message: expect.stringContaining('you did not allow it') as string})
    expect(nothingKept(at)).toBe(true)
  })

  test('that the user leaves ends at once', async () => {
    const stop = new AbortController()
    await expect(signInAt(serverAt(), {say: () => undefined, open: async () => { stop.abort(); return true }, port: 0, signal: stop.signal})).rejects.toMatchObject({name: 'AbortError'})
  })

  test('by a browser on another machine: the address that it ends at is pasted', async () => {
    let ended = ''
    const signIn = await signInAt(serverAt(), {
      say: line => { if (/^ {2}http/.test(line)) ended = line.trim() }, port: 0, signal: signal(), timeoutMs: 20_000,
      paste: async () => { while (ended === '') await new Promise(resolve => setImmediate(resolve)); return stoppedAt(ended) },
    })
    expect(signIn.url).toBe(remote.url)
  })

  test('with an answer in the name of another authorization server is refused (RFC 9207)', async () => {
    let page = ''
    await expect(signInAt(serverAt(), {
      say: line => { if (/^ {2}http/.test(line)) page = line.trim() }, port: 0, signal: signal(), timeoutMs: 20_000,
      paste: async () => { while (page === '') await new Promise(resolve => setImmediate(resolve)); const url = new URL(await stoppedAt(page)); url.searchParams.set('iss', 'https://evil.example'); return url.href },
    })).rejects.toMatchObject({code: 'unavailable'})
    expect(provider.tokenRequests).toEqual([])
  })

  test.each([
    ['a page that is not https', {authorization_servers: ['http://evil.example']}, /sends your sign-in to http:\/\/evil\.example.*not followed/],
    ['a resource that is another server\'s', {resource: 'https://other.example/mcp'}, /does not match/],
    ['nobody', {authorization_servers: []}, /names nobody to sign in at/],
  ])('at a server that names %s is not begun', async (_, lie, message) => {
    const before = {...remote.metadata}
    Object.assign(remote.metadata, lie)
    onTestFinished(() => { Object.assign(remote.metadata, before) })
    const opened: string[] = []
    await expect(said([], {open: async url => { opened.push(url); return true }})).rejects.toMatchObject({message: expect.stringMatching(message) as string})
    expect([opened, provider.registrations]).toEqual([[], []])
  })

  test.each([
    ['registers nobody', {}, {}, /registers no clients by itself.*"oauth": \{"clientId"/],
    ['shows a page without encryption', {authorization_endpoint: 'http://evil.example/auth'}, {clientId: 'mine'}, /wants to show you http:\/\/evil\.example\/auth.*not opened/],
    ['shows a page that is a program text', {authorization_endpoint: 'javascript:alert(1)'}, {clientId: 'mine'}, /gave no answer that makes sense/],
    ['has no PKCE by SHA-256', {code_challenge_methods_supported: ['plain']}, {clientId: 'mine'}, /does not support code challenge method S256/],
    ['calls itself something else', {issuer: 'https://other.example'}, {clientId: 'mine'}, /issuer/i],
  ])('at an authorization server that %s is not begun', async (_, lie, extra, message) => {
    const {origin} = new URL(remote.url)
    const metadata = {issuer: origin, authorization_endpoint: `${origin}/auth`, token_endpoint: `${origin}/token`, response_types_supported: ['code'], code_challenge_methods_supported: ['S256'], ...lie}
    remote.before.handle = requested => requested === '/.well-known/oauth-authorization-server' ? {status: 200, headers: {'content-type': 'application/json'}, body: JSON.stringify(metadata)} : undefined
    remote.metadata['authorization_servers'] = [origin]
    onTestFinished(() => { remote.metadata['authorization_servers'] = [provider.origin] })
    const opened: string[] = []
    await expect(said([], {server: serverAt(remote.url, extra), open: async url => { opened.push(url); return true }})).rejects.toMatchObject({message: expect.stringMatching(message) as string})
    expect(opened).toEqual([])
  })

  test('without encryption is not begun', async () => {
    await expect(said([], {server: serverAt('http://mcp.example.org/mcp')})).rejects.toMatchObject({code: 'refused', message: expect.stringContaining('without encryption') as string})
  })

  test('with a client that the user has made there registers none', async () => {
    await expect(said([], {server: serverAt(remote.url, {clientId: 'tinyagent'})})).resolves.toMatchObject({client: {client_id: 'tinyagent'}})
    expect(provider.registrations).toEqual([])
  })
})

/** Where a browser without a way to this machine's ports ends. */
async function stoppedAt(page: string): Promise<string> {
  const redirect = new URL(page).searchParams.get('redirect_uri')!
  const real = globalThis.fetch
  let last = ''
  globalThis.fetch = (async (input: string, init?: RequestInit) => {
    if (!String(input).startsWith(redirect)) return real(input, init)
    last = String(input)
    return new Response('')
  }) as typeof fetch
  try { await browse(page, 'me@example.org') } finally { globalThis.fetch = real }
  return last
}
