// Signing in at an MCP server by browser, as the MCP specification has it: protected resource metadata (RFC 9728) names the
// authorization server, its metadata (RFC 8414) the endpoints; a client is registered there (RFC 7591) and gets its code by PKCE
// (RFC 7636) for this server alone (RFC 8707). The official SDK does the protocol; what may be contacted, shown and kept is decided here.
import {randomBytes} from 'node:crypto'
import {auth, OAuthClientFlowError, extractWWWAuthenticateParams, RegistrationRejectedError, type OAuthClientProvider, type OAuthDiscoveryState, type StoredOAuthClientInformation, type StoredOAuthTokens} from '@modelcontextprotocol/client'
import {isAbort, ToolError, UsageError} from '../../core/errors.ts'
import {openRedirect} from '../../core/oauth/redirect.ts'
import {firstAnswer, refuseOffline, showPage, type SignInOptions} from '../../core/oauth/sign-in.ts'
import {oneLine} from '../../core/text.ts'
import {scopesOf, type SignIn} from './sign-ins.ts'
import {authError, authFetch, isSafe, withTokens, type HttpServer} from './tokens.ts'

export interface McpSignInOptions extends SignInOptions {
  /** where the browser comes back to; 0: any free port */
  port: number
  /** of the user's own client, where it has one */
  clientSecret?: string
  /** to ask for besides what the server wants of everybody: what was allowed before, and what it has said is missing */
  scopes?: string[]
  clock?: () => number
}

/** `server` with its variables filled in. Nothing is written down. Throws ToolError, UsageError or the signal's reason. */
export async function signInAt(server: HttpServer, options: McpSignInOptions): Promise<SignIn> {
  const {say, signal, port, clientSecret, scopes = [], clock = () => Date.now()} = options
  refuseOffline()
  let refused: ToolError | undefined
  const fetchFn = authFetch(server, signal, error => { refused ??= error })
  const host = new URL(server.url).host
  const state = randomBytes(24).toString('base64url')
  const redirect = await openRedirect({host: '127.0.0.1', port, state, provider: host, say})
  let provider = host
  try {
    const {scope: ofAll, resourceMetadataUrl} = await challengeOf(server, fetchFn)
    const scope = scopesOf(ofAll, ...scopes).join(' ')
    let found: OAuthDiscoveryState | undefined
    let client: StoredOAuthClientInformation | undefined
    let tokens: StoredOAuthTokens | undefined
    let verifier = ''
    let page: URL | undefined
    let resource: string | undefined
    const own: OAuthClientProvider = {
      redirectUrl: redirect.uri,
      clientMetadata: {client_name: 'tinyagent', redirect_uris: [redirect.uri], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none', application_type: 'native'},
      state: () => state,
      clientInformation: context => {
        // The user says whose client it is by naming it for this server.
        if (server.clientId !== undefined) client ??= {client_id: server.clientId, ...(clientSecret !== undefined && {client_secret: clientSecret}), ...(context && {issuer: context.issuer})}
        return client
      },
      saveClientInformation: information => { client = information },
      tokens: () => tokens,
      saveTokens: given => { tokens = given },
      saveCodeVerifier: text => { verifier = text },
      codeVerifier: () => verifier,
      redirectToAuthorization: url => { page = url },
      saveResourceUrl: url => { resource = url },
      discoveryState: () => found,
      saveDiscoveryState: given => {
        found = given
        const {authorizationServerMetadata: metadata, authorizationServerUrl} = given
        if (!metadata) throw refused ?? new ToolError('unavailable', `The MCP server ${server.name} names nobody to sign in at (RFC 9728, RFC 8414). Where it has tokens to copy, put one into its "headers" in mcp.json, as "Authorization": "Bearer \${NAME}"`)
        provider = new URL(metadata.issuer ?? authorizationServerUrl).host
        if (server.clientId === undefined && !metadata.registration_endpoint) throw new UsageError(`${provider}, where ${server.name} has its sign-ins, registers no clients by itself. Make one there (a native app${port === 0 ? '; set oauth.port first' : ''}, sent back to ${port === 0 ? 'http://127.0.0.1:PORT' : redirect.uri}), and put its id into mcp.json: "oauth": {"clientId": "..."}`)
      },
    }
    const request = {serverUrl: server.url, fetchFn, ...(scope !== '' && {scope}), ...(resourceMetadataUrl && {resourceMetadataUrl})}
    await auth(own, request)
    if (!page || !isSafe(page, server)) throw new ToolError('refused', `The MCP server ${server.name} wants to show you ${oneLine(page?.href ?? 'nothing').slice(0, 200)} for a sign-in; that is no https page, so it was not opened.`)
    say(`${host} has its sign-ins at ${page.host}.`)
    await showPage(page.href, 'it', redirect.uri, options)
    const answer = await firstAnswer(redirect.answer, provider, state, options, options.timeoutMs)
    const iss = answer.get('iss')
    await auth(own, {...request, authorizationCode: answer.get('code') ?? '', ...(iss !== null && {iss})}) // RFC 9207
    const asked = page.searchParams.get('scope')
    return withTokens({...keptOf(server, found, client, resource), ...(asked !== null && {scope: asked})}, given(tokens), clock)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error instanceof ToolError || error instanceof UsageError) throw error
    throw refused ?? (isTold(error) ? new ToolError('unavailable', `The sign-in at ${provider} did not work: ${oneLine(error.message).slice(0, 300)}`) : authError(error, provider))
  } finally {
    redirect.close()
  }
}

/** Checks of the SDK: their message says what was wrong, and holds no token. */
const isTold = (error: unknown): error is Error => error instanceof RegistrationRejectedError || error instanceof OAuthClientFlowError || (error instanceof Error && !isAbort(error) && error.constructor === Error && !('code' in error))

function given(tokens: StoredOAuthTokens | undefined): StoredOAuthTokens {
  if (!tokens) throw new ToolError('unavailable', 'The sign-in ended without a token.')
  return tokens
}

function keptOf(server: HttpServer, found: OAuthDiscoveryState | undefined, client: StoredOAuthClientInformation | undefined, resource: string | undefined): Omit<SignIn, 'access'> {
  const metadata = found?.authorizationServerMetadata
  if (!metadata || !client) throw new ToolError('unavailable', 'The sign-in ended too early.') // auth() has found both
  const {client_id, client_secret} = client
  const revokeUrl = 'revocation_endpoint' in metadata ? metadata.revocation_endpoint : undefined
  const method = 'token_endpoint_auth_method' in client && typeof client.token_endpoint_auth_method === 'string' ? client.token_endpoint_auth_method : undefined
  return {
    url: server.url, issuer: metadata.issuer, tokenUrl: metadata.token_endpoint, methods: metadata.token_endpoint_auth_methods_supported ?? [],
    ...(revokeUrl !== undefined && isSafe(new URL(revokeUrl), server) && {revokeUrl}),
    ...(resource !== undefined && {resource}),
    client: {client_id, ...(client_secret !== undefined && {client_secret}), ...(method !== undefined && {token_endpoint_auth_method: method})},
  }
}

/** What the server says to somebody without a token (RFC 9728, 5.1; RFC 6750, 3). */
async function challengeOf(server: HttpServer, fetchFn: ReturnType<typeof authFetch>): Promise<{scope?: string; resourceMetadataUrl?: URL}> {
  if (!isSafe(new URL(server.url), server)) throw new ToolError('refused', `The MCP server ${server.name} is reached without encryption: others on the way could take a sign-in, so there is none.`)
  const response = await fetchFn(server.url, {
    method: 'POST', redirect: 'manual', headers: {...server.headers, 'content-type': 'application/json', accept: 'application/json, text/event-stream'},
    body: JSON.stringify({jsonrpc: '2.0', id: 1, method: 'ping'}),
  })
  const {scope, resourceMetadataUrl} = extractWWWAuthenticateParams(response)
  return {...(scope !== '' && {scope}), ...(resourceMetadataUrl && {resourceMetadataUrl})}
}
