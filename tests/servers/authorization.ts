// A real authorization server on loopback (oidc-provider, certified by the OpenID Foundation), and a browser that signs in there.
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http'
// @ts-expect-error it has no types of its own
import Provider from 'oidc-provider'

export interface AuthorizationServer {
  origin: string
  /** the endpoints as `[oauth.other]` has them */
  settings: {client_id: string; authorize_url: string; token_url: string; device_url: string; scope: string}
  /** of the client that may ask whose a token is (RFC 7662), for Dovecot */
  introspectionUrl: string
  /** of access tokens from now on, in seconds */
  lifetime: {access: number}
  /** bodies of requests to the token endpoint */
  tokenRequests: URLSearchParams[]
  /** bodies of requests that take a token back (RFC 7009) */
  revocations: URLSearchParams[]
  /** bodies of requests that register a client */
  registrations: unknown[]
  /** What a provider does to sign-ins after a while, or when the user takes them back; 'access': the access tokens alone. */
  endAll(how: 'ended' | 'withdrawn' | 'access'): void
  stop(): Promise<void>
}

export const clientSecret = 'client-secret-canary'

/** `forMcp`: clients may register themselves (RFC 7591), and tokens are for one resource (RFC 8707). */
export async function startAuthorizationServer({isConfidential = false, forMcp = false} = {}): Promise<AuthorizationServer> {
  let handle = (_request: IncomingMessage, response: ServerResponse): void => { response.writeHead(503).end() } // until the provider is made
  const tokenRequests: URLSearchParams[] = []
  const registrations: unknown[] = []
  const revocations: URLSearchParams[] = []
  const server = createServer((request, response) => {
    const forms: Record<string, URLSearchParams[]> = {'/token': tokenRequests, '/token/revocation': revocations}
    const form = forms[request.url ?? '']
    if (form || request.url === '/reg') {
      let body = ''
      request.on('data', (chunk: Buffer) => { body += chunk.toString() })
      request.on('end', () => { if (form) form.push(new URLSearchParams(body)); else registrations.push(JSON.parse(body)) })
    }
    handle(request, response)
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', () => resolve()) })
  const address = server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const lifetime = {access: 3600}
  const store = new Map<string, Record<string, unknown>>()
  /** The storage that oidc-provider asks for, so that a test can take everything away. */
  class Memory {
    constructor(private readonly name: string) {}
    private key(id: string): string { return `${this.name}:${id}` }
    async upsert(id: string, payload: Record<string, unknown>): Promise<void> { store.set(this.key(id), payload) }
    async find(id: string): Promise<unknown> { return store.get(this.key(id)) }
    private async by(field: string, value: string): Promise<unknown> { return [...store].find(([key, p]) => key.startsWith(`${this.name}:`) && p[field] === value)?.[1] }
    findByUid(uid: string): Promise<unknown> { return this.by('uid', uid) }
    findByUserCode(code: string): Promise<unknown> { return this.by('userCode', code) }
    async consume(id: string): Promise<void> { const kept = store.get(this.key(id)); if (kept) kept['consumed'] = 1 }
    async destroy(id: string): Promise<void> { store.delete(this.key(id)) }
    async revokeByGrantId(grant: string): Promise<void> { for (const [key, p] of store) if (p['grantId'] === grant) store.delete(key) }
  }
  const provider = new Provider(origin, {
    adapter: Memory,
    clients: [
      {
        client_id: 'tinyagent', application_type: 'native', redirect_uris: ['http://127.0.0.1'], response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
        ...(isConfidential ? {client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_post'} : {token_endpoint_auth_method: 'none'}),
      },
      {client_id: 'dovecot', client_secret: 'dovecot-secret', redirect_uris: [], response_types: [], grant_types: [], token_endpoint_auth_method: 'client_secret_basic'},
    ],
    scopes: ['mail', 'openid', 'offline_access', ...(forMcp ? ['mcp', 'mcp.write'] : [])],
    features: {devInteractions: {enabled: true}, deviceFlow: {enabled: true}, introspection: {enabled: true, allowedPolicy: () => true}, ...(forMcp && {
      registration: {enabled: true},
      revocation: {enabled: true},
      resourceIndicators: {
        enabled: true, useGrantedResource: () => true,
        getResourceServerInfo: (_: unknown, resource: string) => ({scope: 'mcp mcp.write', audience: resource, accessTokenFormat: 'opaque', accessTokenTTL: lifetime.access}),
      },
    })},
    issueRefreshToken: () => true,
    ttl: {
      AccessToken: () => lifetime.access, RefreshToken: 86_400, AuthorizationCode: 60, DeviceCode: 60, Grant: 86_400, Interaction: 600, Session: 600, IdToken: 600,
    },
    cookies: {keys: ['a key of the test']},
    pkce: {required: () => true},
  })
  handle = provider.callback()
  return {
    origin, lifetime, tokenRequests, revocations, registrations,
    settings: {client_id: 'tinyagent', authorize_url: `${origin}/auth`, token_url: `${origin}/token`, device_url: `${origin}/device/auth`, scope: 'mail offline_access'},
    introspectionUrl: `${origin.replace('http://', 'http://dovecot:dovecot-secret@')}/token/introspection`,
    endAll: how => {
      if (how === 'withdrawn') store.clear()
      for (const [key, payload] of store) if (key.startsWith(how === 'access' ? 'AccessToken:' : 'RefreshToken:')) payload['exp'] = 1
    },
    stop: () => new Promise(resolve => { server.close(() => resolve()); server.closeAllConnections() }),
  }
}

/** A browser with its cookies: opens the address, signs in as `login` and allows everything, or says no. Gives the page it ends at. */
export async function browse(start: string, login: string, answer: 'allow' | 'deny' = 'allow'): Promise<{url: string; text: string; status: number}> {
  const jar = new Map<string, string>()
  let url = start
  let form: URLSearchParams | undefined
  let isDenied = false
  for (let step = 0; step < 30; step++) {
    const response = await fetch(url, {
      redirect: 'manual', headers: {cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ')}, ...(form && {method: 'POST', body: form}),
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      jar.set(name, value)
    }
    form = undefined
    const location = response.headers.get('location')
    if (location !== null) {
      url = new URL(location, url).href
      continue
    }
    const text = await response.text()
    const action = /<form[^>]*action="([^"]+)"/.exec(text)?.[1]
    if (action === undefined || isDenied) return {url, text, status: response.status}
    if (answer === 'deny' && /name="prompt" value="consent"/.test(text)) {
      isDenied = true
      url = new URL(/href="([^"]*\/abort)"/.exec(text)?.[1] ?? '', url).href
      continue
    }
    form = new URLSearchParams([...text.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([input]): [string, string] => [/name="([^"]*)"/.exec(input)?.[1] ?? '', /value="([^"]*)"/.exec(input)?.[1] ?? '']))
    if (/name="login"/.test(text)) { form.set('login', login); form.set('password', 'anything') }
    url = new URL(action.replaceAll('&amp;', '&'), url).href
  }
  throw new Error(`the browser goes in circles at ${url}`)
}
