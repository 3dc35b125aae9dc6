// Requests to a CalDAV or CardDAV server: the login, time limits, redirects, and errors that say host and reason. The password goes to
// the host of the account and to hosts beside it (caldav.icloud.com, p42-caldav.icloud.com), over TLS or to this machine only.
import {createHash, randomBytes} from 'node:crypto'
import {ToolError, type ToolErrorCode} from '../../core/errors.ts'
import {failureOf, isLoopbackHost, networkReasons} from '../../core/network.ts'
import {oneLine} from '../../core/text.ts'

export interface DavAccount {
  /** of the server, of one's principal, or of a calendar: discovery finds the rest */
  url: string
  user: string
  /** the password, or an access token where there is `renew` */
  password(signal?: AbortSignal): Promise<string>
  /** The login is an access token (RFC 6750), and the server has refused it: the next one is new. */
  renew?(): void
}

/** No answer, or half of one. `mayHaveArrived`: the server may have done what it was asked. */
export class NoAnswer extends ToolError {
  readonly mayHaveArrived: boolean
  constructor(code: ToolErrorCode, message: string, mayHaveArrived: boolean, cause: unknown) {
    super(code, message, {cause})
    this.mayHaveArrived = mayHaveArrived
  }
}

export interface DavRequest { headers?: Record<string, string>; body?: string; signal?: AbortSignal | undefined; timeoutMs?: number }
/** `url` is where redirects led to. */
export interface DavAnswer { status: number; headers: Headers; text: string; url: string }

/** A server that has not answered by then will not help this request any more. */
const defaultMs = 15_000
/** 50,000 events are 50 MB. */
const maxBytes = 100 * 1024 * 1024
const maxRedirects = 5

/** Throws ToolError 'invalid-args' for what is no address of a server that a password may go to. */
export function serverUrl(text: string): URL {
  const wrong = (why: string): ToolError => new ToolError('invalid-args', `"${oneLine(text)}" ${why}. Give an address such as https://dav.example.org.`)
  if (!URL.canParse(text)) throw wrong('is no address of a server')
  const url = new URL(text)
  if (url.username || url.password) throw wrong('holds a login, which would end up in the config')
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))) return url
  throw wrong(url.protocol === 'http:' ? 'is not encrypted (http), and the password would be readable on the way' : 'is no address of a server')
}

/** The part of a host's name that its owner has registered, near enough: "icloud.com", "example.co.uk". */
const site = (host: string): string => {
  const labels = host.split('.')
  return labels.slice((labels.at(-2)?.length ?? 0) <= 3 && labels.length > 2 ? -3 : -2).join('.')
}

/** May the login go there too? Never from TLS to none. */
export const isSameSite = (from: URL, to: URL): boolean =>
  (to.protocol === 'https:' || (to.protocol === from.protocol && isLoopbackHost(to.hostname)))
  && (to.hostname === from.hostname || (!isLoopbackHost(from.hostname) && !/^[\d.]+$|^\[/.test(to.hostname) && site(to.hostname) === site(from.hostname)))

export class DavClient {
  readonly account: DavAccount
  readonly host: string
  readonly #base: URL
  #digest: string | undefined
  #count = 0

  constructor(account: DavAccount) {
    this.account = account
    this.#base = serverUrl(account.url)
    this.host = this.#base.host
  }

  /** An address that the server named, whole. Throws ToolError 'refused' for one that the login must not go to. */
  resolve(href: string, from: string): string {
    const to = new URL(href, from)
    if (isSameSite(this.#base, to)) return to.href
    throw new ToolError('refused', `${this.host} sends us to ${oneLine(to.host)}, which does not get your password. If that is right, set the account's url to https://${oneLine(to.host)}.`)
  }

  /** The server's answer, whatever its status but 401. Throws NoAnswer, ToolError for a refused login, or the signal's reason. */
  async send(method: string, url: string, request: DavRequest = {}): Promise<DavAnswer> {
    let target = this.resolve(url, url)
    for (let hops = 0; ; hops++) {
      const {response, text} = await this.#authorized(method, target, request)
      const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null
      if (location === null || hops === maxRedirects) return {status: response.status, headers: response.headers, text, url: target}
      target = this.resolve(location, target)
    }
  }

  async #authorized(method: string, url: string, request: DavRequest): Promise<{response: Response; text: string}> {
    const first = await this.#once(method, url, request, await this.#login(method, url, request.signal))
    if (first.response.status !== 401) return first
    if (this.account.renew) {
      this.account.renew()
      const again = await this.#once(method, url, request, await this.#login(method, url, request.signal)) // nothing was done: 401
      if (again.response.status !== 401) return again
      throw new ToolError('unavailable', `${new URL(url).host} does not take the sign-in of ${oneLine(this.account.user)}. \`tinyagent setup dav\` signs in again.`)
    }
    const challenge = first.response.headers.get('www-authenticate') ?? ''
    if (/\bDigest\b/i.test(challenge) && !/\bBasic\b/i.test(challenge)) {
      const isNew = challenge !== this.#digest
      this.#digest = challenge
      this.#count = 0
      const second = isNew ? await this.#once(method, url, request, await this.#login(method, url, request.signal)) : first
      if (second.response.status !== 401) return second
    }
    throw new ToolError('unavailable', `${new URL(url).host} does not take the password of ${oneLine(this.account.user)}. \`tinyagent setup dav\` asks for it again; many providers want an app password.`)
  }

  /** RFC 6750 for a token; RFC 7617 for a password, or RFC 7616 with qop=auth once the server has asked for it. */
  async #login(method: string, url: string, signal: AbortSignal | undefined): Promise<string> {
    const {user} = this.account
    const password = await this.account.password(signal)
    if (this.account.renew) return `Bearer ${password}`
    if (this.#digest === undefined) return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    const asked = (name: string): string => new RegExp(`\\b${name}=(?:"([^"]*)"|([^\\s,]+))`, 'i').exec(this.#digest ?? '')?.slice(1).find(v => v !== undefined) ?? ''
    const algorithm = asked('algorithm') || 'MD5'
    const hash = (text: string): string => createHash(/^SHA-256/i.test(algorithm) ? 'sha256' : 'md5').update(text).digest('hex')
    const {pathname, search} = new URL(url)
    const [realm, nonce, uri, cnonce, nc] = [asked('realm'), asked('nonce'), pathname + search, randomBytes(8).toString('hex'), String(++this.#count).padStart(8, '0')]
    const response = hash([hash(`${user}:${realm}:${password}`), nonce, nc, cnonce, 'auth', hash(`${method}:${uri}`)].join(':'))
    const opaque = asked('opaque')
    return `Digest username="${user.replace(/["\\]/g, '\\$&')}", realm="${realm}", nonce="${nonce}", uri="${uri}", algorithm=${algorithm}, qop=auth, nc=${nc}, cnonce="${cnonce}", response="${response}"${opaque ? `, opaque="${opaque}"` : ''}`
  }

  async #once(method: string, url: string, {headers, body, signal, timeoutMs = defaultMs}: DavRequest, authorization: string): Promise<{response: Response; text: string}> {
    signal?.throwIfAborted()
    const limit = AbortSignal.timeout(timeoutMs)
    try {
      const response = await fetch(url, {
        method, redirect: 'manual', signal: signal ? AbortSignal.any([signal, limit]) : limit,
        headers: {...headers, authorization}, ...(body !== undefined && {body}),
      })
      return {response, text: await textOf(response)}
    } catch (cause) {
      if (signal?.aborted) throw cause
      if (cause instanceof ToolError) throw cause
      const {host} = new URL(url)
      if (limit.aborted) throw new NoAnswer('timeout', `${host} did not answer within ${timeoutMs / 1000} seconds`, true, cause)
      const {code, isBefore} = failureOf(cause)
      const reason = networkReasons[code]
      if (reason !== undefined) throw new NoAnswer('unavailable', `${host} cannot be reached: ${reason}`, !isBefore, cause)
      throw new NoAnswer('unavailable', `${host} broke the connection${code ? ` (${code})` : ''}`, !isBefore, cause)
    }
  }
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    const chunk = part as Uint8Array // a fetch's body yields bytes; the type of the stream does not say so
    bytes += chunk.length
    if (bytes > maxBytes) throw new ToolError('failed', `${new URL(response.url).host} sends more than ${maxBytes / 1024 / 1024} MB, so it was stopped.`)
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}
