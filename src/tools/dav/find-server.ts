// From an address such as ana@example.org to the servers of its calendars and contacts: providers that are known, the domain's SRV records
// (RFC 6764), and the usual names. Nothing here sends a password.
import type {SrvRecord} from 'node:dns'
import {resolveSrv} from 'node:dns/promises'
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import {isSameSite, serverUrl} from './client.ts'

export interface FoundServers {
  /** of calendars and reminders */
  caldav: string
  /** of contacts; the same where one server has both */
  carddav: string
  /** the domain's DNS names a host elsewhere, and DNS can be forged: ask before the password goes there */
  isElsewhere: boolean
}

/** What a provider documents, where it can't be found by its domain. */
const providers: {domains: string[]; caldav: string; carddav: string}[] = [
  {domains: ['icloud.com', 'me.com', 'mac.com'], caldav: 'https://caldav.icloud.com', carddav: 'https://contacts.icloud.com'},
  {domains: ['fastmail.com', 'fastmail.fm', 'messagingengine.com'], caldav: 'https://caldav.fastmail.com', carddav: 'https://carddav.fastmail.com'},
  {domains: ['mailbox.org'], caldav: 'https://dav.mailbox.org', carddav: 'https://dav.mailbox.org'},
  {domains: ['posteo.de', 'posteo.net'], caldav: 'https://posteo.de:8443', carddav: 'https://posteo.de:8443'},
  {domains: ['gmx.net', 'gmx.de', 'gmx.at', 'gmx.ch'], caldav: 'https://caldav.gmx.net', carddav: 'https://carddav.gmx.net'},
  {domains: ['web.de'], caldav: 'https://caldav.web.de', carddav: 'https://carddav.web.de'},
  {domains: ['yahoo.com'], caldav: 'https://caldav.calendar.yahoo.com', carddav: 'https://carddav.address.yahoo.com'},
]

/** Domains without a way in, and what their users can do. */
const closed: {domains: string[]; why: string}[] = [
  {domains: ['gmail.com', 'googlemail.com'], why: 'Google lets only programs in that are signed in by browser: --sign-in google.'},
  {domains: ['outlook.com', 'hotmail.com', 'live.com', 'msn.com'], why: 'Microsoft has no CalDAV or CardDAV.'},
]

/** Google takes no password here, only a sign-in by browser. */
export const isGoogle = (address: string): boolean => /@(?:gmail|googlemail)\.com$/i.test(address.trim())

/** developers.google.com/workspace/calendar/caldav/v2/guide, developers.google.com/people/carddav */
export const googleServers = (address: string): FoundServers => ({
  caldav: `https://apidata.googleusercontent.com/caldav/v2/${encodeURIComponent(address)}/user`,
  carddav: 'https://www.googleapis.com/',
  isElsewhere: false,
})

export interface Finding {
  signal: AbortSignal
  lookUp?(name: string): Promise<SrvRecord[]>
  /** of one look-up or one try */
  timeoutMs?: number
}

/** Throws ToolError 'not-found' that lists what was tried. */
export async function findServers(address: string, finding: Finding): Promise<FoundServers> {
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase().trim()
  if (!/^[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+$/u.test(domain)) throw new ToolError('invalid-args', `"${oneLine(address)}" is neither an address such as ana@example.org nor a server's such as https://dav.example.org.`)
  const none = closed.find(c => c.domains.includes(domain))
  if (none) throw new ToolError('refused', none.why)
  const known = providers.find(p => p.domains.includes(domain))
  if (known) return {caldav: known.caldav, carddav: known.carddav, isElsewhere: false}

  const lines: string[] = []
  const tried = (line: string): void => void lines.push(line)
  const [caldav, carddav] = await Promise.all([fromDns('caldavs', domain, finding), fromDns('carddavs', domain, finding)])
  if (caldav ?? carddav) {
    const both = {caldav: (caldav ?? carddav)!, carddav: (carddav ?? caldav)!}
    const home = new URL(`https://${domain}`)
    return {...both, isElsewhere: [both.caldav, both.carddav].some(url => !isSameSite(home, new URL(url)))}
  }
  for (const host of [domain, `dav.${domain}`, `caldav.${domain}`, `cloud.${domain}`]) {
    finding.signal.throwIfAborted()
    if (await isDav(`https://${host}`, finding, tried)) return {caldav: `https://${host}`, carddav: `https://${host}`, isElsewhere: false}
  }
  throw new ToolError('not-found', `No calendar server was found for ${oneLine(domain)}: ${lines.join('; ')}. Look the CalDAV address (https://...) up at your provider and give that instead, by --url on the command line.`)
}

async function fromDns(service: string, domain: string, {lookUp = resolveSrv, timeoutMs = 4_000}: Finding): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<SrvRecord[]>(resolve => { timer = setTimeout(() => resolve([]), timeoutMs) })
  const records = await Promise.race([lookUp(`_${service}._tcp.${domain}`).catch(() => []), late])
  clearTimeout(timer)
  const [first] = records.filter(r => r.name !== '' && r.name !== '.').sort((a, b) => a.priority - b.priority || b.weight - a.weight)
  if (!first) return undefined
  const url = `https://${first.name.replace(/\.$/, '')}${first.port === 443 ? '' : `:${first.port}`}`
  return URL.canParse(url) ? url : undefined
}

/** A server that wants a login at the well-known address, or answers as WebDAV does. */
async function isDav(origin: string, {signal, timeoutMs = 4_000}: Finding, tried: (line: string) => void): Promise<boolean> {
  const {host} = serverUrl(origin)
  try {
    const {status} = await fetch(`${origin}/.well-known/caldav`, {method: 'PROPFIND', redirect: 'manual', headers: {depth: '0'}, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])})
    if (status === 401 || status === 207 || (status >= 300 && status < 400)) return true
    tried(`${host} has none (HTTP ${status})`)
  } catch (error) {
    signal.throwIfAborted()
    tried(`${host} ${error instanceof Error && error.name === 'TimeoutError' ? `did not answer within ${timeoutMs / 1000} seconds` : 'cannot be reached'}`)
  }
  return false
}
