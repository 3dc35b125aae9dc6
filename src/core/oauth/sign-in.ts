// Signing in: by a browser on this machine (authorization code with PKCE, RFC 8252 and 7636), or by a code that is typed on any other
// device (RFC 8628). The provider sees the password, we never do.
import {isAbort, ToolError, UsageError} from '../errors.ts'
import {isOffline} from '../offline.ts'
import {oneLine} from '../text.ts'
import {configurationOf, providerError, refusalOf, type OAuthClient} from './client.ts'
import {codeOf, openRedirect} from './redirect.ts'
import type {Tokens} from './tokens.ts'

export interface SignInOptions {
  /** the account that the provider should offer first */
  address?: string
  /** one line for the user */
  say(line: string): void
  /** shows the page; absent where there is no browser to show it */
  open?: ((url: string) => Promise<boolean>) | undefined
  /** Asks for the address at which a browser on another machine ended; undefined when the user leaves. Absent where nobody can be asked. */
  paste?: ((signal: AbortSignal) => Promise<string | undefined>) | undefined
  signal: AbortSignal
  /** of the whole; default 10 minutes */
  timeoutMs?: number
}

const defaultMs = 10 * 60_000

/** Throws ToolError 'refused' (the user said no), 'timeout' or 'unavailable'; UsageError with --offline; or the signal's reason. */
export async function signInByBrowser(client: OAuthClient, options: SignInOptions): Promise<Tokens> {
  const {say, address, signal, timeoutMs = defaultMs} = options
  refuseOffline()
  const {buildAuthorizationUrl, calculatePKCECodeChallenge, genericGrantRequest, randomPKCECodeVerifier, randomState} = await import('openid-client') // loaded when somebody signs in
  const configuration = await configurationOf(client, signal)
  const [verifier, state] = [randomPKCECodeVerifier(), randomState()]
  const redirect = await openRedirect({host: client.redirectHost, port: client.port, state, provider: client.provider, say})
  try {
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: redirect.uri, response_type: 'code', ...(client.scope && {scope: client.scope}), state, ...client.extra, ...(address && {login_hint: address}),
      code_challenge: await calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    }).href
    await showPage(url, 'the provider', redirect.uri, options)
    const code = (await firstAnswer(redirect.answer, client.provider, state, options, timeoutMs)).get('code')
    const answer = await genericGrantRequest(configuration, 'authorization_code', {code: code ?? '', redirect_uri: redirect.uri, code_verifier: verifier})
    return tokensFrom(answer, client)
  } catch (error) {
    throw failure(error, client, signal)
  } finally {
    redirect.close()
  }
}

/** In a browser where there is one, and as an address. `whose`: whose page it is. */
export async function showPage(url: string, whose: string, redirectUri: string, {open, say}: Pick<SignInOptions, 'open' | 'say'>): Promise<void> {
  const isOpen = await open?.(url).catch(() => false)
  say(isOpen ? `Your browser shows a page of ${whose}. If it does not, open this address:` : 'Open this address in a browser:')
  say(`  ${url}`)
  say(`Waiting for the answer at ${redirectUri} (Ctrl-C stops) ...`)
}

/** The answer that comes first, with a `code` of this sign-in: by the browser of this machine, or pasted. Throws as signInByBrowser does. */
export async function firstAnswer(waiting: (signal: AbortSignal) => Promise<URLSearchParams>, provider: string, state: string, {paste, say, signal}: SignInOptions, timeoutMs = defaultMs): Promise<URLSearchParams> {
  const limit = AbortSignal.timeout(timeoutMs)
  const done = new AbortController()
  const until = AbortSignal.any([signal, limit, done.signal])
  const pasted = async (): Promise<URLSearchParams> => {
    for (;;) {
      const text = await paste!(until)
      if (text === undefined) throw new UsageError('the sign-in was left; nothing was changed')
      const answer = URL.canParse(text) ? new URL(text).searchParams : undefined
      if (answer && codeOf(answer, state, provider) !== undefined) return answer
      if (text !== '') say('  That is not the address that this sign-in ends at; it begins with http:// and holds a code.')
    }
  }
  try {
    return await Promise.race([waiting(until), ...(paste ? [pasted()] : [])])
  } catch (error) {
    if (limit.aborted && !signal.aborted) throw new ToolError('timeout', `Nobody has signed in at ${provider} within ${Math.round(timeoutMs / 60_000)} minutes. Nothing was changed.`)
    throw error
  } finally {
    done.abort(new DOMException('answered', 'AbortError'))
  }
}

/** For machines without a browser. Throws as signInByBrowser does. */
export async function signInByDevice(client: OAuthClient, {say, signal}: Pick<SignInOptions, 'say' | 'signal'>): Promise<Tokens> {
  refuseOffline()
  if (client.endpoints.device === '') throw new UsageError(`${client.provider} has no sign-in by a code for this (RFC 8628); leave --device out`)
  const {initiateDeviceAuthorization, pollDeviceAuthorizationGrant} = await import('openid-client') // loaded when somebody signs in
  try {
    const configuration = await configurationOf(client, signal)
    const begun = await initiateDeviceAuthorization(configuration, {scope: client.scope})
    say(`On any device, open ${oneLine(begun.verification_uri)} and type this code: ${oneLine(begun.user_code)}`)
    say(`Waiting, up to ${Math.round(begun.expires_in / 60)} minutes (Ctrl-C stops) ...`)
    const limit = AbortSignal.timeout(begun.expires_in * 1000)
    const answer = await pollDeviceAuthorizationGrant(configuration, begun, {}, {signal: AbortSignal.any([signal, limit])}).catch((error: unknown) => {
      if ((limit.aborted && !signal.aborted) || refusalOf(error)?.error === 'expired_token') throw new ToolError('timeout', `Nobody has typed the code at ${client.provider} in time. Nothing was changed.`)
      throw error
    })
    return tokensFrom(answer, client)
  } catch (error) {
    throw failure(error, client, signal)
  }
}

export function refuseOffline(): void {
  if (isOffline()) throw new UsageError('signing in needs the provider, and --offline is on')
}

function failure(error: unknown, client: OAuthClient, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (error instanceof ToolError || error instanceof UsageError || isAbort(error)) return error
  if (refusalOf(error)?.error === 'access_denied') return new ToolError('refused', `${client.provider} says that you did not allow it. Nothing was changed.`)
  return providerError(error, client)
}

function tokensFrom(answer: {access_token: string; refresh_token?: string; expires_in?: number | undefined; scope?: string}, client: OAuthClient): Tokens {
  const given = answer.scope?.split(' ')
  const missing = given ? client.needed.filter(scope => !given.includes(scope)) : []
  if (missing.length > 0) throw new ToolError('refused', `You did not allow all that is needed at ${client.provider} (${missing.map(oneLine).join(', ')}). ${client.name === 'zoom' ? 'Add that scope to your app there, then sign in again.' : 'Sign in again and tick it.'}`)
  if (answer.refresh_token === undefined) {
    throw new ToolError('unavailable', `${client.provider} gave a sign-in for this hour only (no refresh token)${client.name === 'other' ? '; many want "offline_access" in oauth.other.scope' : ''}. Nothing was changed.`)
  }
  return {access: answer.access_token, refresh: answer.refresh_token, seconds: answer.expires_in ?? 0}
}
