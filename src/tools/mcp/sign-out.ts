// Taking a sign-in at an MCP server back where it was given (RFC 7009), so that a copy of its tokens is worth nothing either.
import {selectClientAuthMethod} from '@modelcontextprotocol/client'
import {ToolError} from '../../core/errors.ts'
import {isLoopbackHost} from '../../core/network.ts'
import {refusalOf} from '../../core/oauth/client.ts'
import {oneLine} from '../../core/text.ts'
import type {SignIn} from './sign-ins.ts'
import {authError, authFetch} from './tokens.ts'

/** `name`: of the server. Throws ToolError where it is not sure that all of it is taken back, or the signal's reason. */
export async function revokeSignIn(name: string, {url, issuer, tokenUrl, revokeUrl, methods, client, access, refresh}: SignIn, signal: AbortSignal): Promise<void> {
  const {host, hostname} = new URL(issuer)
  if (revokeUrl === undefined) throw new ToolError('unavailable', `${host} has no way to take a sign-in back.`)
  const openid = await import('openid-client') // loaded when somebody signs out
  const {client_id: id, client_secret: secret = ''} = client
  const method = selectClientAuthMethod(client, methods)
  const proof = method === 'client_secret_basic' ? openid.ClientSecretBasic(secret) : method === 'client_secret_post' ? openid.ClientSecretPost(secret) : openid.None()
  const configuration = new openid.Configuration({issuer, token_endpoint: tokenUrl, revocation_endpoint: revokeUrl}, id, {}, proof)
  if (isLoopbackHost(hostname)) openid.allowInsecureRequests(configuration) // authFetch looks
  let refused: ToolError | undefined // the library wraps it
  const fetchFn = authFetch({name, type: 'http', url, headers: {}}, signal, error => { refused = error })
  configuration[openid.customFetch] = (target, {body, ...options}) => fetchFn(target, {...options, body: body as NonNullable<RequestInit['body']>}) // the library's type of a body is wider than what it sends
  try {
    // The one that lasts first.
    if (refresh !== undefined) await openid.tokenRevocation(configuration, refresh, {token_type_hint: 'refresh_token'})
    await openid.tokenRevocation(configuration, access, {token_type_hint: 'access_token'}).catch((error: unknown) => {
      // Some take refresh tokens only; an access token ends by itself (RFC 7009, 2).
      if (refresh === undefined || refusalOf(error)?.error !== 'unsupported_token_type') throw error
    })
  } catch (error) {
    if (signal.aborted) throw signal.reason
    const refusal = refusalOf(error)
    if (refusal) throw new ToolError('unavailable', `${host} did not take the sign-in back (${oneLine(`${refusal.error}${refusal.description && `: ${refusal.description}`}`).slice(0, 300)}).`)
    throw refused ?? authError(error, host)
  }
}
