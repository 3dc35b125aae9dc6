// Which servers an address has: common providers by their domain, others by autoconfig (the format of Mozilla's ISPDB) and
// DNS (RFC 6186, RFC 8314). Each look-up is short, and none of them ever sees a password.
import {resolveMx, resolveSrv} from 'node:dns/promises'
import {isAbort} from '../../core/errors.ts'

export type Security = 'tls' | 'starttls' | 'none'
export interface FoundServer { host: string; port: number; security: Security; user: string }
export interface FoundServers { imap: FoundServer; smtp: FoundServer; /** who says so */ source: string; /** what the user has to know */ advice?: string }

interface Provider { domains: string[]; imap: string; smtp: string; /** the SMTP server has STARTTLS on 587 only */ isStartTls?: boolean; advice?: string }

const appPassword = (where: string): string => `This provider takes no account password here: make an app password (${where}).`

const microsoftOnly = 'Microsoft takes no passwords from mail programs: sign in by browser.'

const providers: Provider[] = [
  {domains: ['gmail.com', 'googlemail.com'], imap: 'imap.gmail.com', smtp: 'smtp.gmail.com', advice: appPassword('myaccount.google.com/apppasswords')},
  {domains: ['icloud.com', 'me.com', 'mac.com'], imap: 'imap.mail.me.com', smtp: 'smtp.mail.me.com', isStartTls: true, advice: appPassword('account.apple.com')},
  {domains: ['yahoo.com', 'ymail.com', 'rocketmail.com', 'yahoo.de', 'yahoo.fr', 'yahoo.co.uk', 'yahoo.it', 'yahoo.es'], imap: 'imap.mail.yahoo.com', smtp: 'smtp.mail.yahoo.com', advice: appPassword('login.yahoo.com/account/security')},
  {domains: ['aol.com'], imap: 'imap.aol.com', smtp: 'smtp.aol.com', advice: appPassword('login.aol.com/account/security')},
  {domains: ['outlook.com', 'hotmail.com', 'live.com', 'msn.com', 'outlook.de', 'hotmail.de', 'hotmail.co.uk', 'hotmail.fr'], imap: 'outlook.office365.com', smtp: 'smtp-mail.outlook.com', isStartTls: true, advice: microsoftOnly},
  // Microsoft 365; its organisations have domains of their own, which their mail exchanger gives away
  {domains: ['onmicrosoft.com'], imap: 'outlook.office365.com', smtp: 'smtp.office365.com', isStartTls: true, advice: microsoftOnly},
  {domains: ['fastmail.com', 'fastmail.fm'], imap: 'imap.fastmail.com', smtp: 'smtp.fastmail.com', advice: appPassword('app.fastmail.com, Settings, Privacy & Security')},
  {domains: ['gmx.net', 'gmx.de', 'gmx.at', 'gmx.ch'], imap: 'imap.gmx.net', smtp: 'mail.gmx.net', advice: 'GMX: allow POP3 and IMAP in the web mail\'s settings first.'},
  {domains: ['gmx.com', 'gmx.us', 'gmx.co.uk'], imap: 'imap.gmx.com', smtp: 'mail.gmx.com', advice: 'GMX: allow POP3 and IMAP in the web mail\'s settings first.'},
  {domains: ['web.de'], imap: 'imap.web.de', smtp: 'smtp.web.de', isStartTls: true, advice: 'WEB.DE: allow POP3 and IMAP in the web mail\'s settings first.'},
  {domains: ['mailbox.org'], imap: 'imap.mailbox.org', smtp: 'smtp.mailbox.org'},
  {domains: ['posteo.de', 'posteo.net', 'posteo.org'], imap: 'posteo.de', smtp: 'posteo.de'},
  {domains: ['zoho.com', 'zohomail.com'], imap: 'imap.zoho.com', smtp: 'smtp.zoho.com', advice: appPassword('accounts.zoho.com, Security')},
  {domains: ['t-online.de'], imap: 'secureimap.t-online.de', smtp: 'securesmtp.t-online.de', advice: 'Telekom: set a password for mail programs in the customer centre first.'},
  {domains: ['yandex.com', 'yandex.ru', 'ya.ru'], imap: 'imap.yandex.com', smtp: 'smtp.yandex.com', advice: appPassword('id.yandex.com, Security')},
]

/** Mail exchangers that give away who runs the mail of a domain of one's own. */
const exchangers: [RegExp, string][] = [
  [/\.google(?:mail)?\.com$/, 'gmail.com'], [/\.protection\.outlook\.com$/, 'onmicrosoft.com'], [/\.messagingengine\.com$/, 'fastmail.com'],
  [/\.mail\.icloud\.com$/, 'icloud.com'], [/\.mailbox\.org$/, 'mailbox.org'], [/\.zoho\.com$/, 'zoho.com'],
]

/** Who signs users in by browser, judged by the servers of their mail: theirs is the only way in, or a better one than a password. */
export const signInOf = (imapHost: string): 'google' | 'microsoft' | undefined =>
  /(?:^|\.)gmail\.com$/i.test(imapHost) ? 'google' : /(?:^|\.)(?:office365|outlook)\.com$/i.test(imapHost) ? 'microsoft' : undefined

export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1).toLowerCase()

/** Without asking anybody. */
export function knownServers(address: string, domain = domainOf(address)): FoundServers | undefined {
  const provider = providers.find(({domains}) => domains.includes(domain))
  if (!provider) return undefined
  return {
    imap: {host: provider.imap, port: 993, security: 'tls', user: address},
    smtp: {host: provider.smtp, user: address, ...(provider.isStartTls ? {port: 587, security: 'starttls'} : {port: 465, security: 'tls'})},
    source: `the list of common providers (${provider.domains[0]})`,
    ...(provider.advice && {advice: provider.advice}),
  }
}

/** Of one look-up. */
const lookUpMs = 5_000
const maxConfigBytes = 256 * 1024

export interface Lookups {
  /** where the configuration of a domain may be, best first */
  urls(domain: string): string[]
  srv(name: string): Promise<{name: string; port: number; priority: number}[]>
  mx(domain: string): Promise<{exchange: string; priority: number}[]>
}

const lookups: Lookups = {
  urls: domain => [
    `https://autoconfig.${domain}/mail/config-v1.1.xml`,
    `https://${domain}/.well-known/autoconfig/mail/config-v1.1.xml`,
    `https://autoconfig.thunderbird.net/v1.1/${domain}`,
  ],
  srv: resolveSrv,
  mx: resolveMx,
}

/** Asks everybody at once and takes the best answer; undefined when nobody knows. Rejects only when `signal` aborts. */
export async function findServers(address: string, signal: AbortSignal, {urls, srv, mx}: Lookups = lookups): Promise<FoundServers | undefined> {
  const domain = domainOf(address)
  const known = knownServers(address)
  if (known) return known
  const quietly = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await Promise.race([work, after(lookUpMs)])
    } catch (error) {
      if (signal.aborted && isAbort(error)) throw error
      return undefined
    }
  }
  const asked = [
    ...urls(domain).map(url => quietly(fetchConfig(url, address, signal))),
    quietly(fromSrv(domain, address, srv)),
    quietly(mx(domain).then(found => fromMx(found, address))),
  ]
  const found = await Promise.all(asked)
  signal.throwIfAborted()
  return found.find(servers => servers !== undefined)
}

const after = (ms: number): Promise<undefined> => new Promise(resolve => { setTimeout(() => resolve(undefined), ms).unref() })

async function fetchConfig(url: string, address: string, signal: AbortSignal): Promise<FoundServers | undefined> {
  const answer = await fetch(url, {signal: AbortSignal.any([signal, AbortSignal.timeout(lookUpMs)]), headers: {accept: 'text/xml, application/xml'}})
  // What came over an open line could name anybody's servers.
  if (!answer.ok || (url.startsWith('https:') && !answer.url.startsWith('https:'))) return undefined
  const text = await limitedText(answer)
  const servers = await readAutoconfig(text, address)
  return servers && {...servers, source: new URL(answer.url).host}
}

async function limitedText(answer: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of answer.body ?? []) {
    bytes += part.length
    if (bytes > maxConfigBytes) throw new Error('too long')
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

interface Listed { kind: string; type: string; fields: Record<string, string>; methods: string[] }

/** The first IMAP and SMTP server with TLS and a password; undefined when there is none. wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat */
export async function readAutoconfig(xml: string, address: string): Promise<Omit<FoundServers, 'source'> | undefined> {
  const {Parser} = await import('htmlparser2') // loaded when an account is set up
  const servers: Listed[] = []
  let open: Listed | undefined
  let text = ''
  const parser = new Parser({
    onopentag: (name, attributes) => {
      text = ''
      if (name === 'incomingServer' || name === 'outgoingServer') open = {kind: name, type: attributes['type'] ?? '', fields: {}, methods: []}
    },
    ontext: part => { text += part },
    onclosetag: name => {
      if (open && name === open.kind) {
        servers.push(open)
        open = undefined
      } else if (open && name === 'authentication') open.methods.push(text.trim())
      else if (open) open.fields[name] ??= text.trim()
      text = ''
    },
  }, {xmlMode: true, decodeEntities: true})
  parser.end(xml)
  const imap = best(servers.filter(s => s.kind === 'incomingServer' && s.type === 'imap'), address)
  const smtp = best(servers.filter(s => s.kind === 'outgoingServer' && s.type === 'smtp'), address)
  return imap && smtp && {imap, smtp}
}

const securities: Record<string, Security> = {SSL: 'tls', STARTTLS: 'starttls'}

function best(servers: Listed[], address: string): FoundServer | undefined {
  const [local = '', domain = ''] = [address.slice(0, address.lastIndexOf('@')), domainOf(address)]
  const fill = (text: string): string => text.replaceAll('%EMAILADDRESS%', address).replaceAll('%EMAILLOCALPART%', local).replaceAll('%EMAILDOMAIN%', domain)
  return servers.flatMap(({fields, methods}): FoundServer[] => {
    const host = fill(fields['hostname'] ?? '').toLowerCase()
    const port = Number(fields['port'])
    const security = securities[fields['socketType'] ?? '']
    const takesPassword = methods.length === 0 || methods.some(m => /^(?:password|plain$)/.test(m))
    if (!isHostName(host) || !Number.isInteger(port) || port < 1 || port > 65535 || !security || !takesPassword) return []
    const user = fill(fields['username'] || '%EMAILADDRESS%')
    return /[\p{Cc}\s]/u.test(user) ? [] : [{host, port, security, user}]
  })[0]
}

export const isHostName = (host: string): boolean => host.length <= 253 && /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(host)

async function fromSrv(domain: string, address: string, srv: Lookups['srv']): Promise<FoundServers | undefined> {
  const first = async (name: string, security: Security): Promise<FoundServer | undefined> => {
    const found = (await srv(`${name}._tcp.${domain}`).catch(() => [])).sort((a, b) => a.priority - b.priority)[0]
    // A target of "." says: not here (RFC 2782).
    return found && isHostName(found.name) ? {host: found.name, port: found.port, security, user: address} : undefined
  }
  const [imaps, imap, submissions, submission] = await Promise.all([
    first('_imaps', 'tls'), first('_imap', 'starttls'), first('_submissions', 'tls'), first('_submission', 'starttls'),
  ])
  const incoming = imaps ?? imap
  const outgoing = submissions ?? submission
  return incoming && outgoing && {imap: incoming, smtp: outgoing, source: `DNS of ${domain}`}
}

function fromMx(found: {exchange: string; priority: number}[], address: string): FoundServers | undefined {
  const {exchange = ''} = [...found].sort((a, b) => a.priority - b.priority)[0] ?? {}
  const [, domain] = exchangers.find(([pattern]) => pattern.test(`.${exchange.toLowerCase()}`)) ?? []
  return domain === undefined ? undefined : knownServers(address, domain)
}
