// Tokens of MCP servers that want a sign-in (OAuth 2.1 as the MCP specification has it). They are kept by core/secrets.ts with the
// address that they are for, go to that address alone, and are renewed at the token endpoint that the user signed in at: what a
// server says of its authorization later on changes nothing.
import path from 'node:path'
import {OAuthError, refreshAuthorization, type AuthProvider, type FetchLike} from '@modelcontextprotocol/client'
import {z} from 'zod'
import {isAbort, ToolError} from '../../core/errors.ts'
import {failureOf, isLoopbackHost, networkReasons} from '../../core/network.ts'
import {alone} from '../../core/oauth/alone.ts'
import {requestMs} from '../../core/oauth/client.ts'
import {oneLine} from '../../core/text.ts'
import {readSignIn, scopesOf, writeSignIn, type SignIn} from './sign-ins.ts'
import type {SecretConfig} from '../../core/secrets.ts'
import type {McpServer} from './servers.ts'

export type HttpServer = McpServer & {type: 'http'}

/** A token that ends on its way to the server is of no use. */
const spareMs = 60_000
/** of one answer of an authorization server */
const maxAnswer = 1024 * 1024

export const signInNeeded = ({name}: HttpServer, why = 'wants you to sign in'): ToolError => new ToolError('unavailable',
  `The MCP server ${name} ${why}: \`tinyagent tools sign-in ${name}\` does that by browser. Where it has tokens to copy instead, put one into its "headers" in mcp.json, as "Authorization": "Bearer \${NAME}"`)

export interface Tokens extends AuthProvider {
  /**
   * The server says that the sign-in allows too little (RFC 6750, 3.1: insufficient_scope). What is missing is written down for the
   * next sign-in, which is the user's to make; resolves with what to tell them.
   */
  tooNarrow(scope: string | undefined): Promise<ToolError>
}

/** For the SDK's transport: the token for each request, and a new one where the server does not take it. Both throw ToolError. */
export function tokensFor(server: HttpServer, secrets: SecretConfig, clock: () => number = () => Date.now()): Tokens {
  let current: SignIn | undefined
  let isRead = false
  let renewal: Promise<SignIn> | undefined
  const load = async (): Promise<SignIn | undefined> => {
    if (!isRead) current = await readSignIn(server, secrets)
    isRead = true
    return current
  }
  const isGood = ({goodUntil}: SignIn): boolean => goodUntil === undefined || clock() < goodUntil - spareMs
  /** Shared by all that wait. `stale` is what must not be given again. */
  const renew = (stale: string): Promise<SignIn> => renewal ??= alone(lockOf(server, secrets), async () => {
    // Another tinyagent may have renewed it: a refresh token that is used twice may be taken for a theft.
    const kept = await readSignIn(server, secrets)
    if (!kept) throw signInNeeded(server)
    if (kept.access !== stale && isGood(kept)) return current = kept
    if (kept.refresh === undefined) throw signInNeeded(server, 'does not take your sign-in any more')
    current = await refreshed(server, kept, kept.refresh, clock)
    await writeSignIn(server, current, secrets)
    return current
  }).finally(() => { renewal = undefined })
  return {
    async token() {
      const now = await load()
      return now && (isGood(now) ? now : await renew(now.access)).access
    },
    async onUnauthorized() {
      const now = await load()
      if (now) { await renew(now.access); return }
      isRead = false // the user may have signed in meanwhile
      if (!await load()) throw signInNeeded(server)
    },
    tooNarrow: scope => alone(lockOf(server, secrets), async () => {
      const used = current
      isRead = false // the next request takes the sign-in that the user has made by then
      const kept = await readSignIn(server, secrets)
      if (!kept) return signInNeeded(server)
      if (kept.access !== used?.access) return new ToolError('refused', `You have signed in at ${server.name} again meanwhile. Nothing was done; the same again goes with the new sign-in.`)
      const asked = scopesOf(scope)
      const missing = asked.filter(one => !scopesOf(kept.scope).includes(one))
      const reason = `The MCP server ${server.name} does not allow this with your sign-in, so nothing was done`
      if (missing.length === 0) return new ToolError('refused', `${reason}. ${asked.length === 0 ? 'It does not say what is missing' : `The sign-in has what it asks for (${asked.join(', ')})`}: your account there may not have the right.`)
      await writeSignIn(server, {...kept, wanted: scopesOf(kept.wanted, ...missing).join(' ')}, secrets)
      return new ToolError('refused', `${reason}: it wants ${missing.join(', ')} besides. If you want to allow that, \`tinyagent tools sign-in ${server.name}\` asks its sign-in page for it.`)
    }),
  }
}

/** Held while a sign-in is renewed, changed or ended. */
export const lockOf = ({name}: Pick<HttpServer, 'name'>, {paths}: SecretConfig): string => path.join(paths.config, 'secrets', `mcp-oauth-${name}.lock`)

async function refreshed(server: HttpServer, kept: SignIn, refresh: string, clock: () => number): Promise<SignIn> {
  try {
    const tokens = await refreshAuthorization(kept.issuer, {
      metadata: {issuer: kept.issuer, token_endpoint: kept.tokenUrl, authorization_endpoint: kept.tokenUrl, response_types_supported: ['code'], token_endpoint_auth_methods_supported: kept.methods},
      clientInformation: kept.client, refreshToken: refresh, fetchFn: authFetch(server),
      ...(kept.resource !== undefined && {resource: kept.resource}),
    })
    return withTokens(kept, tokens, clock)
  } catch (error) {
    if (error instanceof OAuthError && /^(?:invalid_grant|invalid_client|unauthorized_client)$/.test(error.code)) throw signInNeeded(server, 'does not take your sign-in any more')
    throw authError(error, new URL(kept.tokenUrl).host)
  }
}

/** What was kept, with these tokens in it. Seconds. */
export function withTokens(signIn: Omit<SignIn, 'access'>, tokens: {access_token: string; token_type: string; refresh_token?: string | undefined; expires_in?: number | undefined; scope?: string | undefined}, clock: () => number): SignIn {
  if (!/^bearer$/i.test(tokens.token_type)) throw new ToolError('unavailable', `${new URL(signIn.tokenUrl).host} gave a token of the kind ${oneLine(tokens.token_type).slice(0, 40)}; tinyagent knows Bearer only`)
  const {goodUntil: _, ...rest} = signIn
  return {
    ...rest, access: tokens.access_token,
    ...(tokens.refresh_token !== undefined && {refresh: tokens.refresh_token}),
    ...(tokens.scope !== undefined && {scope: tokens.scope}), // left out where it is what was asked for (RFC 6749, 5.1)
    ...(tokens.expires_in !== undefined && {goodUntil: clock() + tokens.expires_in * 1000}),
  }
}

/**
 * For requests to whatever a server names as its authorization server: encrypted, or on this machine where the server itself is; with
 * a time limit, and a limit on size. `refused` is told why a request was not made, since the SDK takes a failed look-up for none.
 */
export function authFetch(server: HttpServer, signal?: AbortSignal, refused: (error: ToolError) => void = () => undefined): FetchLike {
  return async (target, init) => {
    const url = new URL(target)
    if (!isSafe(url, server)) {
      const error = new ToolError('refused', `The MCP server ${server.name} sends your sign-in to ${oneLine(url.href).slice(0, 200)}, which is not https or not where it may lead, so it was not followed.`)
      refused(error)
      throw error
    }
    const limit = AbortSignal.timeout(requestMs)
    const response = await fetch(url, {...init, signal: AbortSignal.any([limit, ...(signal ? [signal] : []), ...(init?.signal ? [init.signal] : [])])})
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk as Uint8Array) // a body's chunks are bytes
      size += (chunk as Uint8Array).length
      if (size > maxAnswer) throw new ToolError('unavailable', `${url.host} answered with more than ${maxAnswer / 1024 ** 2} MB.`)
    }
    return new Response(size === 0 ? null : Buffer.concat(chunks), {status: response.status, statusText: response.statusText, headers: response.headers})
  }
}

/** A server elsewhere has no business with this machine's own ports. */
export function isSafe(url: URL, server: HttpServer): boolean {
  if (url.username !== '' || url.password !== '') return false
  if (isLoopbackHost(url.hostname)) return isLoopbackHost(new URL(server.url).hostname) && /^https?:$/.test(url.protocol)
  return url.protocol === 'https:'
}

const refusal = z.object({code: z.string(), message: z.string()})

/** In words. The SDK's error is not kept as the cause: an answer in it may hold tokens. */
export function authError(error: unknown, host: string): Error {
  if (error instanceof ToolError) return error
  if (error instanceof OAuthError) {
    const {code, message} = refusal.parse({code: String(error.code), message: error.message})
    return new ToolError('unavailable', `${host} did not let tinyagent in (${oneLine(message === '' || message === code ? code : `${code}: ${message}`).slice(0, 300)}).`)
  }
  const {code} = failureOf(error)
  if (networkReasons[code] !== undefined) return new ToolError('unavailable', `${host} cannot be reached: ${networkReasons[code]}.`)
  if (isAbort(error)) return new ToolError('timeout', `${host} did not answer within ${requestMs / 1000} seconds.`)
  return new ToolError('unavailable', `${host} gave no answer that makes sense${code && ` (${code})`}.`)
}
