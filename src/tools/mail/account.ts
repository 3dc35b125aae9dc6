// The user's mail account: servers, their security and the password, and how their failures are told.
import {isIP} from 'node:net'
import type {Config} from '../../core/config.ts'
import {ConfigError, ToolError} from '../../core/errors.ts'
import {clientOf} from '../../core/oauth/client.ts'
import {tokensOf} from '../../core/oauth/tokens.ts'
import {readSecret} from '../../core/secrets.ts'
import {oneLine} from '../../core/text.ts'
import {domainOf, isHostName, knownServers, type FoundServer, type Security} from './providers.ts'

export interface Server { host: string; port: number; user: string; security: Security; /** the secret is an access token (RFC 7628, XOAUTH2) and no password */ isToken?: boolean }
export interface MailAccount {
  address: string
  imap: Server
  smtp: Server
  /** The password, or an access token that is good for a minute. Read once; again after `forgetPassword`. */
  password(signal: AbortSignal): Promise<string>
  forgetPassword(): void
}

/** Of connecting, and of one answer after that; the whole step has the executor's limit. */
export const connectMs = 10_000
export const answerMs = 30_000

/** The account in the config. Throws ConfigError that names the key. */
export function accountOf(config: Config): MailAccount {
  const {user, mail} = config
  if (user.email === '') throw new ConfigError(`${config.file}: user.email: the mail account has no address; \`tinyagent setup mail\` asks for it`)
  const known = knownServers(user.email)
  const servers = {address: user.email, imap: serverOf('imap', config, known?.imap), smtp: serverOf('smtp', config, known?.smtp)}
  if (mail.auth !== 'password') {
    const tokens = tokensOf(clientOf(config, mail.auth, 'mail'), 'mail', config)
    return {...servers, password: signal => tokens.token(signal), forgetPassword: () => tokens.forget()}
  }
  let secret: Promise<string> | undefined
  return {
    ...servers,
    password: signal => secret ??= readSecret('mail', {...config, command: mail.password_command}, signal).catch((error: unknown) => {
      secret = undefined // a password manager that was locked may be open next time
      throw error
    }),
    forgetPassword: () => { secret = undefined },
  }
}

function serverOf(name: 'imap' | 'smtp', {file, user, mail}: Config, known: FoundServer | undefined): Server {
  const set = mail[name]
  const wrong = (key: string, reason: string): ConfigError => new ConfigError(`${file}: mail.${name}.${key}: ${reason}`)
  const host = set.host || known?.host
  if (!host) throw wrong('host', `is not set, and ${domainOf(user.email)} is no provider that tinyagent knows; \`tinyagent setup mail\` looks for it`)
  if (!isHostName(host) && isIP(host) === 0) throw wrong('host', 'expected a host\'s name, e.g. "mail.example.org"')
  const isKnown = host === known?.host
  const standard = name === 'imap' ? {tls: 993, starttls: 143, none: 143} : {tls: 465, starttls: 587, none: 587}
  const port = set.port || (isKnown && set.security === 'auto' ? known.port : standard[set.security === 'auto' ? 'tls' : set.security])
  const security = set.security === 'auto' ? securityOf(host, port, isKnown && port === known.port ? known.security : undefined) : set.security
  if (security === 'none' && !isLoopback(host)) throw wrong('security', `"none" would send the password to ${host} in the open; "tls" or "starttls"`)
  return {host, port, security, user: set.user || user.email, ...(mail.auth !== 'password' && {isToken: true})}
}

/** Ports 993 and 465 speak TLS from the first byte (RFC 8314); on the machine itself nobody listens in. */
const securityOf = (host: string, port: number, known: Security | undefined): Security =>
  known ?? (port === 993 || port === 465 ? 'tls' : isLoopback(host) ? 'none' : 'starttls')

export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

/** Programs on the machine itself (Proton's bridge) sign their own certificates. */
export const tlsOf = ({host}: Server): {rejectUnauthorized: boolean; minVersion: 'TLSv1.2'; servername?: string} =>
  ({rejectUnauthorized: !isLoopback(host), minVersion: 'TLSv1.2', ...(isIP(host) === 0 && {servername: host})})

export const nameOf = ({host, port}: Server): string => `${host}:${port}`

/** The server does not let us in: nothing was done. */
export class LoginRefused extends ToolError {
  constructor(message: string, cause: unknown) { super('unavailable', message, {cause}) }
}

/** Does `work` with the password or an access token. A token that the server refuses (withdrawn, or our clock stood still) is renewed once. */
export async function loggedIn<T>(account: Pick<MailAccount, 'password' | 'forgetPassword'>, {isToken}: Server, signal: AbortSignal, work: (secret: string) => Promise<T>): Promise<T> {
  try {
    return await work(await account.password(signal))
  } catch (error) {
    const isRefused = error instanceof LoginRefused
    if (isRefused || !isToken) account.forgetPassword() // the next try may have a new one
    if (!isRefused || !isToken) throw error
  }
  return work(await account.password(signal))
}

/** A failure in words: which host, what happened, what to do. The password is in none of them, whatever the server says. */
export function serverError(error: unknown, server: Server, secret: string): ToolError {
  if (error instanceof ToolError) return error
  const {code, originalCode, authenticationFailed, responseText, response, message} = describeError(error)
  const said = (text: string): string => oneLine(withoutSecret(text, secret)).slice(0, 200)
  const at = nameOf(server)
  const cause = {cause: withoutSecret(message, secret)}
  if (authenticationFailed || code === 'EAUTH') {
    const words = said(responseText || response)
    if (server.isToken) return new LoginRefused(`${at} does not accept the sign-in of ${oneLine(server.user)}${words && ` (it says: ${words})`}. \`tinyagent setup mail\` signs in again.`, cause.cause)
    return new LoginRefused(`${at} does not accept the password of ${oneLine(server.user)}${words && ` (it says: ${words})`}. Many providers want an app password; \`tinyagent setup mail\` takes a new one.`, cause.cause)
  }
  if (response || responseText) return new ToolError('failed', `${at} refused: ${said(responseText || response)}`, cause)
  const reason = reasons.find(([pattern]) => pattern.test(`${originalCode} ${code} ${message}`))?.[1] ?? `failed (${said(message) || code})`
  return new ToolError('unavailable', `${at} ${reason}.`, cause)
}

const reasons: [RegExp, string][] = [
  [/EOFFLINE/, 'was not asked, since --offline is on'],
  [/CERT_HAS_EXPIRED/, 'has a certificate that is no longer valid, so nothing was sent to it'],
  [/SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|ALTNAME|CERT_/, 'has no certificate that proves its name, so nothing was sent to it'],
  [/ENOTFOUND|EDNS|EAI_AGAIN/, 'was not found: check the name and the connection to the internet'],
  [/ECONNREFUSED/, 'does not take connections: check the port'],
  [/TIMEOUT|ETIMEDOUT|Timeout/, 'did not answer in time'],
  [/ENETUNREACH|EHOSTUNREACH|ENETDOWN/, 'can\'t be reached: check the connection to the internet'],
  [/STARTTLS|ETLS|EPROTO|SSL|wrong version/i, 'does not speak TLS as the config says: check port and security'],
  [/ECONNRESET|EPIPE|ECONNECTION|ESOCKET|NoConnection|EConnectionClosed|ClosedAfter|closed|not available/i, 'closed the connection'],
]

const describeError = (error: unknown) => {
  const field = (name: string): string => typeof error === 'object' && error !== null && name in error ? String((error as Record<string, unknown>)[name] ?? '') : ''
  return {
    code: field('code'), originalCode: field('originalCode'), responseText: field('responseText'),
    authenticationFailed: field('authenticationFailed') === 'true',
    // imapflow's `response` is a tree, nodemailer's a line
    response: typeof error === 'object' && error !== null && 'response' in error && typeof error.response === 'string' ? error.response : '',
    message: error instanceof Error ? error.message : String(error),
  }
}

const withoutSecret = (text: string, secret: string): string =>
  secret === '' ? text : [secret, Buffer.from(secret).toString('base64')].reduce((rest, part) => rest.replaceAll(part, '***'), text)
