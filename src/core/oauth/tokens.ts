// Access tokens of an account: renewed before they end, kept in memory only. The refresh token is kept by core/secrets.ts and is read
// anew for each renewal; where the provider gives a new one (RFC 6749, 6), that one takes its place.
import path from 'node:path'
import {ToolError} from '../errors.ts'
import {readSecret, writeSecret, type SecretConfig, type SecretPlace} from '../secrets.ts'
import {untilAborted} from '../time-limit.ts'
import {alone} from './alone.ts'
import {configurationOf, providerError, refusalOf, type OAuthClient} from './client.ts'

export interface TokenSource {
  /** An access token that is good for a minute or more. Throws ToolError 'unavailable' or 'timeout', or the signal's reason. */
  token(signal?: AbortSignal): Promise<string>
  /** The server did not take it: the next one is new. */
  forget(): void
}

/** What a sign-in gives. Seconds. */
export interface Tokens { access: string; refresh: string; seconds: number }

/** A token that ends on its way to the server is of no use. */
const spareSeconds = 60
/** Where the provider does not say how long a token is good (RFC 6749, 5.1: expires_in is only recommended). */
const usualSeconds = 300

/** Of core/secrets.ts; `account` is what has the login: "mail", "dav", "contacts", "zoom", "meet". */
export const refreshName = (account: string): string => `${account}-oauth`

export const keepRefreshToken = (account: string, refresh: string, config: SecretConfig): Promise<SecretPlace> =>
  writeSecret(refreshName(account), refresh, {paths: config.paths, ...(config.env && {env: config.env}), ...(config.keyring && {keyring: config.keyring})})

/** One an account and process: calendars, reminders and contacts share a sign-in, and providers that rotate refresh tokens take an older one for a theft. */
const sources = new Map<string, TokenSource>()

export function tokensOf(client: OAuthClient, account: string, config: SecretConfig): TokenSource {
  const key = [config.paths.config, account, client.id, client.endpoints.token].join('\n')
  const known = sources.get(key)
  if (known) return known
  const made = openSource(client, account, config)
  sources.set(key, made)
  return made
}

export function openSource(client: OAuthClient, account: string, {paths, env, keyring}: SecretConfig, clock?: () => number): TokenSource {
  const config: SecretConfig = {paths, ...(env && {env}), ...(keyring && {keyring})} // a *_command gives a password, not this
  return cachedToken(() => alone(path.join(paths.config, 'secrets', `${refreshName(account)}.lock`), () => refresh(client, account, config)), clock)
}

/** One token for all who ask, until a minute before its end. `fetchToken` is called by one at a time. */
export function cachedToken(fetchToken: () => Promise<Pick<Tokens, 'access' | 'seconds'>>, clock: () => number = () => Date.now()): TokenSource {
  let current: {access: string; goodUntil: number} | undefined
  let renewal: Promise<string> | undefined
  const renew = async (): Promise<string> => {
    const tokens = await fetchToken()
    current = {access: tokens.access, goodUntil: clock() + (tokens.seconds - spareSeconds) * 1000}
    return tokens.access
  }
  return {
    token: async signal => {
      signal?.throwIfAborted()
      if (current && clock() < current.goodUntil) return current.access
      // Shared by all that wait, so that none of them can end it for the others.
      renewal ??= renew().finally(() => { renewal = undefined })
      return signal ? untilAborted(renewal, signal) : renewal
    },
    forget: () => { current = undefined },
  }
}

/** Accounts with a setup of their own; the others are of `setup dav`. */
const setups = new Set(['mail', 'zoom', 'meet'])

async function refresh(client: OAuthClient, account: string, config: SecretConfig): Promise<Tokens> {
  const again = `\`tinyagent setup ${setups.has(account) ? account : 'dav'}\` signs in again.`
  const read = (): Promise<string> => readSecret(refreshName(account), config).catch((error: unknown) => {
    if (error instanceof ToolError && error.code === 'unavailable') throw new ToolError('unavailable', `There is no sign-in at ${client.provider} on this machine: ${again}`)
    throw error
  })
  const {refreshTokenGrant} = await import('openid-client')
  const configuration = await configurationOf(client)
  /** Undefined: the token is not taken. */
  const grant = (token: string) => refreshTokenGrant(configuration, token).catch((error: unknown) => {
    if (refusalOf(error)?.error !== 'invalid_grant') throw providerError(error, client)
    return undefined
  })
  let used = await read()
  let answer = await grant(used)
  const kept = answer ? used : await read()
  if (!answer && kept !== used) { // another tinyagent has renewed it all the same
    used = kept
    answer = await grant(used)
  }
  if (!answer) throw new ToolError('unavailable', `${client.provider} does not take this sign-in any more (it ended, or was withdrawn): ${again}`)
  const next = answer.refresh_token ?? used
  if (next !== used) await writeSecret(refreshName(account), next, config)
  return {access: answer.access_token, refresh: next, seconds: answer.expires_in ?? usualSeconds}
}
