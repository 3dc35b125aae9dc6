// A real MCP server over HTTP that wants a token, by the official SDK: it asks the authorization server whose a token is (RFC 7662), and
// takes only those that are for itself (RFC 8707).
import {createServer, type IncomingMessage, type Server} from 'node:http'
import {createMcpHandler, getOAuthProtectedResourceMetadataUrl, McpServer, OAuthError, OAuthErrorCode, requireBearerAuth, requireScopes} from '@modelcontextprotocol/server'
import {z} from 'zod'
import type {AuthorizationServer} from './authorization.ts'

export interface HttpMcpServer {
  url: string
  /** every request: its path, and the token that came with it */
  requests: {path: string; token: string | undefined}[]
  /** what RFC 9728 says of it; a test may make a liar of it */
  metadata: Record<string, unknown>
  /** scopes that a call of its tool needs; none at first */
  needed: string[]
  /** answers requests before the server does, where it gives something */
  before: {handle?: (path: string) => {status: number; headers?: Record<string, string>; body?: string} | undefined}
  stop(): Promise<void>
}

export async function startMcpServer({origin, introspectionUrl}: Pick<AuthorizationServer, 'origin' | 'introspectionUrl'>): Promise<HttpMcpServer> {
  const requests: HttpMcpServer['requests'] = []
  const before: HttpMcpServer['before'] = {}
  const needed: string[] = []
  const mcp = createMcpHandler(() => {
    const server = new McpServer({name: 'remote', version: '1.0.0'})
    server.registerTool('set_lights', {
      description: 'Set the brightness of the lights in a room.', inputSchema: z.object({room: z.string(), level: z.number().int()}),
      scopeChallenge: context => { const [first, ...more] = needed; return first === undefined ? undefined : requireScopes(first, ...more)(context) },
    }, ({room, level}) => ({content: [{type: 'text', text: `The lights of the ${room} are at ${level}%.`}]}))
    return server
  })
  const server: Server = createServer((incoming, outgoing) => {
    void (async () => {
      const request = await requestOf(incoming, url)
      const {pathname} = new URL(request.url)
      requests.push({path: pathname, token: /^Bearer (.*)$/.exec(request.headers.get('authorization') ?? '')?.[1]})
      const own = before.handle?.(pathname)
      if (own) { outgoing.writeHead(own.status, own.headers).end(own.body); return }
      if (pathname === new URL(metadataUrl).pathname) { outgoing.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(metadata)); return }
      if (pathname !== '/mcp') { outgoing.writeHead(404).end(); return }
      const allowed = await bearer(request)
      const response = allowed instanceof Response ? allowed : await mcp.fetch(request, {authInfo: allowed})
      outgoing.writeHead(response.status, Object.fromEntries(response.headers))
      for await (const chunk of response.body ?? []) outgoing.write(chunk)
      outgoing.end()
    })().catch((error: unknown) => { outgoing.writeHead(500).end(String(error)) })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/mcp`
  const metadata: Record<string, unknown> = {resource: url, authorization_servers: [origin], scopes_supported: ['mcp']}
  const metadataUrl = getOAuthProtectedResourceMetadataUrl(new URL(url))
  const bearer = requireBearerAuth({
    resourceMetadataUrl: metadataUrl,
    verifier: {async verifyAccessToken(token) {
      const {username, password, origin: host, pathname} = new URL(introspectionUrl)
      const response = await fetch(`${host}${pathname}`, {method: 'POST', headers: {authorization: `Basic ${btoa(`${username}:${password}`)}`}, body: new URLSearchParams({token})})
      const told = z.object({active: z.boolean(), aud: z.string().optional(), exp: z.number().optional(), client_id: z.string().optional(), scope: z.string().optional()}).parse(await response.json())
      if (!told.active || told.aud !== url) throw new OAuthError(OAuthErrorCode.InvalidToken, 'not a token for this server')
      return {token, clientId: told.client_id ?? '', scopes: told.scope?.split(' ') ?? [], ...(told.exp !== undefined && {expiresAt: told.exp})}
    }},
  })
  return {url, requests, metadata, needed, before, stop: async () => { await mcp.close(); await new Promise(resolve => { server.close(resolve); server.closeAllConnections() }) }}
}

async function requestOf(incoming: IncomingMessage, url: string): Promise<Request> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer) // no encoding is set
  const headers = Object.entries(incoming.headers).flatMap(([key, value]): [string, string][] => value === undefined ? [] : [[key, String(value)]])
  return new Request(new URL(incoming.url ?? '/', url), {method: incoming.method ?? 'GET', headers, ...(chunks.length > 0 && {body: Buffer.concat(chunks)})})
}
