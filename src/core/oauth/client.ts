// Whom the user signs in with by browser (OAuth 2.0), and by which client. tinyagent brings none: the user makes one at the provider
// (README), its id stands in the config or the environment, its secret (core/secrets.ts) nowhere else.
import type {Configuration} from 'openid-client'
import type {Config} from '../config.ts'
import {ConfigError, ToolError} from '../errors.ts'
import {failureOf, isLoopbackHost, networkReasons} from '../network.ts'
import {readSecret} from '../secrets.ts'
import {oneLine} from '../text.ts'

export type ProviderName = 'google' | 'microsoft' | 'zoom' | 'other'
/** What a sign-in is for: each asks for what it needs and no more. */
export type Purpose = 'mail' | 'dav' | 'meetings'

interface Endpoints { authorize: string; token: string; /** RFC 8628; '' where the provider has it not, or not for this purpose */ device: string }

export interface OAuthClient {
  /** for people: "Google" */
  provider: string
  name: ProviderName
  id: string
  endpoints: Endpoints
  /** '' where what is asked for stands with the client at the provider */
  scope: string
  /** scopes that the user can leave out on the consent page, and that must not be left out */
  needed: string[]
  /** parameters that this provider wants before it gives a lasting sign-in */
  extra: Record<string, string>
  /** the host that the provider sends the browser back to (RFC 8252, 7.3) */
  redirectHost: '127.0.0.1' | 'localhost'
  /** where the browser comes back to; 0: any free port */
  port: number
  /** read when it is needed; undefined for a client without one */
  secret(signal?: AbortSignal): Promise<string | undefined>
}

const titles: Record<ProviderName, string> = {google: 'Google', microsoft: 'Microsoft', zoom: 'Zoom', other: 'the provider'}

/**
 * What the providers document: developers.google.com/identity/protocols/oauth2/native-app (the device flow takes no mail and calendar
 * scopes there), developers.google.com/workspace/meet/api "spaces.create", learn.microsoft.com "Authenticate an IMAP, POP or SMTP connection
 * using OAuth", developers.zoom.us/docs/integrations/PKCE (its device flow is for apps with the Meeting SDK).
 */
const scopes: Record<Exclude<ProviderName, 'other'>, Partial<Record<Purpose, string[]>>> = {
  google: {
    mail: ['https://mail.google.com/'],
    dav: ['https://www.googleapis.com/auth/calendar', 'https://www.googleapis.com/auth/carddav'],
    meetings: ['https://www.googleapis.com/auth/meetings.space.created'],
  },
  microsoft: {mail: ['https://outlook.office.com/IMAP.AccessAsUser.All', 'https://outlook.office.com/SMTP.Send', 'offline_access']},
  zoom: {meetings: ['meeting:write:meeting']},
}

/** The environment's name of a client's id, for those who set up by it. */
export const idVariable = (name: ProviderName): string => `TINYAGENT_${name.toUpperCase()}_CLIENT_ID`
/** Of core/secrets.ts: TINYAGENT_GOOGLE_CLIENT_PASSWORD, the keyring, or the file. */
export const secretName = (name: ProviderName): string => `${name}-client`

/** Throws ConfigError that names the key. Nobody is contacted. */
export function clientOf(config: Config, name: ProviderName, purpose: Purpose, env: NodeJS.ProcessEnv = process.env): OAuthClient {
  const wrong = (key: string, reason: string): ConfigError => new ConfigError(`${config.file}: oauth.${name}.${key}: ${reason}`)
  if (name === 'microsoft' && purpose === 'dav') throw new ConfigError(`${config.file}: dav.auth: Microsoft has no CalDAV or CardDAV`)
  const id = config.oauth[name].client_id || env[idVariable(name)]
  if (!id) throw wrong('client_id', `is not set (nor ${idVariable(name)}): tinyagent has no client of its own at ${titles[name]}; the README says how to make one ("Signing in by browser")`)
  const endpoints = endpointsOf(config, name)
  for (const [key, url] of [['authorize_url', endpoints.authorize], ['token_url', endpoints.token], ['device_url', endpoints.device]] as const) {
    if (url === '' && key === 'device_url') continue
    if (!isSafe(url)) throw wrong(key, url === '' ? 'is not set' : 'expected an address that begins with https://')
  }
  const wanted = name === 'other' ? [] : scopes[name][purpose] ?? []
  return {
    provider: name === 'other' ? new URL(endpoints.authorize).host : titles[name],
    name, id, endpoints,
    // At Zoom an app has its scopes, and those that it has and that are not named would not be given.
    scope: name === 'other' ? config.oauth.other.scope : name === 'zoom' ? '' : wanted.join(' '),
    needed: name === 'google' || name === 'zoom' ? wanted : [],
    extra: name === 'google' ? {access_type: 'offline', prompt: 'consent'} : name === 'other' ? {prompt: 'consent'} : {},
    redirectHost: name === 'microsoft' ? 'localhost' : '127.0.0.1',
    port: config.oauth.port,
    secret: signal => readSecret(secretName(name), {...config, env}, signal).catch((error: unknown) => {
      if (error instanceof ToolError && error.code === 'unavailable') return undefined
      throw error
    }),
  }
}

function endpointsOf({oauth}: Config, name: ProviderName): Endpoints {
  if (name === 'other') return {authorize: oauth.other.authorize_url, token: oauth.other.token_url, device: oauth.other.device_url}
  if (name === 'google') return {authorize: 'https://accounts.google.com/o/oauth2/v2/auth', token: 'https://oauth2.googleapis.com/token', device: ''}
  if (name === 'zoom') return {authorize: 'https://zoom.us/oauth/authorize', token: 'https://zoom.us/oauth/token', device: ''}
  const tenant = `https://login.microsoftonline.com/${encodeURIComponent(oauth.microsoft.tenant)}/oauth2/v2.0`
  return {authorize: `${tenant}/authorize`, token: `${tenant}/token`, device: `${tenant}/devicecode`}
}

const isSafe = (url: string): boolean => {
  if (!URL.canParse(url)) return false
  const {protocol, hostname, username, password} = new URL(url)
  return username === '' && password === '' && (protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname)))
}

/** Hosts that a sign-in of this client, or a renewal of it, may reach; for `doctor --network`. The browser's own are the provider's. */
export const hostsOf = ({endpoints}: OAuthClient): string[] => [new URL(endpoints.token).host]

/** Of one request to the provider. */
export const requestMs = 15_000

/** The library's view of a client, for one piece of work. */
export async function configurationOf(client: OAuthClient, signal?: AbortSignal): Promise<Configuration> {
  const openid = await import('openid-client') // loaded when somebody signs in
  const {authorize, token, device} = client.endpoints
  const secret = await client.secret(signal)
  const configuration = new openid.Configuration(
    {issuer: new URL(authorize).origin, authorization_endpoint: authorize, token_endpoint: token, ...(device && {device_authorization_endpoint: device})},
    client.id, {}, secret === undefined ? openid.None() : openid.ClientSecretPost(secret),
  )
  configuration.timeout = requestMs / 1000
  if (token.startsWith('http:')) openid.allowInsecureRequests(configuration) // this machine only: clientOf has looked
  configuration[openid.customFetch] = (url, options) => fetch(url, {
    ...options, body: options.body as NonNullable<RequestInit['body']>, redirect: 'error', // the library's type of a body is wider than what it sends
    ...(signal && {signal: options.signal ? AbortSignal.any([signal, options.signal]) : signal}),
  })
  return configuration
}

/** The provider's own word on a request that it did not grant (RFC 6749, 5.2); undefined for any other failure. */
export function refusalOf(error: unknown): {error: string; description: string} | undefined {
  if (!(error instanceof Error) || !('error' in error) || typeof error.error !== 'string') return undefined
  return {error: error.error, description: 'error_description' in error && typeof error.error_description === 'string' ? error.error_description : ''}
}

/** A failure in words. The library's error is not kept as the cause: the answer in it may hold tokens. */
export function providerError(error: unknown, client: Pick<OAuthClient, 'provider' | 'endpoints'> & {name?: ProviderName}): ToolError {
  if (error instanceof ToolError) return error
  const refusal = refusalOf(error)
  if (refusal) {
    const said = oneLine(`${refusal.error}${refusal.description && `: ${refusal.description}`}`).slice(0, 300)
    const advice = client.name && /^(?:invalid_client|unauthorized_client)$/.test(refusal.error)
      ? ` Look at oauth.${client.name}.client_id and the client's secret.`
      : ''
    return new ToolError('unavailable', `${client.provider} did not let tinyagent in (${said}).${advice}`)
  }
  const {host} = new URL(client.endpoints.token)
  const {code} = failureOf(error)
  const reason = networkReasons[code]
  if (reason !== undefined) return new ToolError('unavailable', `${host} cannot be reached: ${reason}.`)
  const isLate = error instanceof Error && ('code' in error && error.code === 'OAUTH_TIMEOUT')
  return new ToolError(isLate ? 'timeout' : 'unavailable', isLate ? `${host} did not answer within ${requestMs / 1000} seconds.` : `${host} gave no answer that makes sense${code && ` (${code})`}.`)
}
