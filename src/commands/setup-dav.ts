// `tinyagent setup dav`: finds the servers of calendars, reminders and contacts, tries the login, and writes the config. Asks on a
// terminal; everything can be given by options. Nothing is written before the login has worked.
import {setKey} from '../core/config.ts'
import {ToolError, UsageError} from '../core/errors.ts'
import {writeSecret} from '../core/secrets.ts'
import {oneLine, printable} from '../core/text.ts'
import {checkAccount, type Checked} from '../tools/dav/check.ts'
import {serverUrl} from '../tools/dav/client.ts'
import {findServers, type FoundServers} from '../tools/dav/find-server.ts'
import {ask, askSecret, isAskable} from './prompt.ts'
import type {Session} from './session.ts'

export interface SetupDavOptions {
  url?: string
  user?: string
  /** the password is the first line of standard input */
  passwordStdin?: boolean
}

const say = (line: string): void => { process.stdout.write(`${printable(line)}\n`) }

export async function setupDav(session: Session, options: SetupDavOptions, signal: AbortSignal): Promise<number> {
  const {config, configError} = session
  if (configError) throw configError
  const isThere = isAskable() && !options.passwordStdin
  const {dav} = config.values
  const typed = options.url ?? options.user ?? (isThere ? await ask('Your address, or the server\'s URL', dav.url || config.user.email, signal) : dav.url || config.user.email)
  if (!typed) throw new UsageError('Say whose calendars: tinyagent setup dav --user ana@example.org, or --url https://dav.example.org --user ana')
  const servers = await serversOf(typed, isThere, signal)
  const known = options.user ?? (typed.includes('@') && !URL.canParse(typed) ? typed : dav.user || config.user.email)
  const user = options.user ?? (isThere ? await ask('User name there', known, signal) : known)
  if (!user) throw new UsageError(`Say the user name on ${servers.caldav}: --user NAME`)
  const password = await passwordFor(user, servers, options, isThere, signal)

  const login = {user, password: async () => password}
  say(`Asking ${new URL(servers.caldav).host} ...`)
  const checks = await Promise.allSettled([
    checkAccount({...login, url: servers.caldav}, 'event', signal),
    checkAccount({...login, url: servers.caldav}, 'todo', signal),
    checkAccount({...login, url: servers.carddav}, 'card', signal),
  ])
  signal.throwIfAborted()
  const [events, todos, cards] = checks.map(c => c.status === 'fulfilled' ? c.value : undefined)
  if (!events && !cards) throw checks[0].status === 'rejected' ? checks[0].reason : new ToolError('unavailable', 'The server did not answer.')
  const failure = checks.find(c => c.status === 'rejected')?.reason as unknown // a ToolError, said below
  if (failure instanceof Error) say(`Left as it is: ${failure.message}`)

  const {where, warning} = await writeSecret('dav', password, config)
  await setKey(config, 'dav.url', JSON.stringify(events ? servers.caldav : servers.carddav))
  await setKey(config, 'dav.user', JSON.stringify(user))
  if (events) await setKey(config, 'calendar.backend', '"caldav"')
  if (todos) await setKey(config, 'reminders.backend', '"caldav"')
  if (cards) await setKey(config, 'contacts.backend', '"carddav"')
  if (events && cards && servers.carddav !== servers.caldav) {
    await setKey(config, 'contacts.url', JSON.stringify(servers.carddav))
    await setKey(config, 'contacts.user', JSON.stringify(user))
    await writeSecret('contacts', password, config)
  }
  if (events) say(`Calendars: ${namesOf(events)}${events.organizers.length > 0 ? ` (${events.host} sends invitations itself)` : ''}`)
  if (todos) say(`Lists of reminders: ${namesOf(todos)}`)
  if (cards) say(`Address books: ${namesOf(cards)}`)
  say(warning ?? `The password is in ${where}.`)
  say(`Written: ${config.file}`)
  return 0
}

const namesOf = ({names, host}: Checked): string => names.length > 0 ? names.map(oneLine).join(', ') : `none yet on ${host}; one is made when it is needed`

async function serversOf(typed: string, isThere: boolean, signal: AbortSignal): Promise<FoundServers> {
  if (/^https?:/i.test(typed)) {
    const {href} = serverUrl(typed)
    return {caldav: href, carddav: href, isElsewhere: false}
  }
  say(`Looking for the server of ${oneLine(typed)} ...`)
  const found = await findServers(typed, {signal, tried: line => say(`  ${line}`)})
  if (!found.isElsewhere) return found
  const hosts = [...new Set([found.caldav, found.carddav].map(url => new URL(url).host))].join(' and ')
  const sure = `--url ${found.caldav}`
  if (!isThere) throw new UsageError(`The domain names ${hosts} as its server, which is elsewhere. If that is right, say so with ${sure}`)
  const answer = await ask(`The domain names ${hosts} as its server. Shall your password go there? (yes or no)`, 'no', signal)
  if (/^y(es)?$/i.test(answer)) return found
  throw new ToolError('refused', `Nothing was sent or written. ${sure} gives another server.`)
}

async function passwordFor(user: string, {caldav}: FoundServers, {passwordStdin}: SetupDavOptions, isThere: boolean, signal: AbortSignal): Promise<string> {
  const {host} = new URL(caldav)
  const given = process.env['TINYAGENT_DAV_PASSWORD']
  const password = passwordStdin ? await firstLine() : given ?? (isThere ? await askSecret(`Password of ${oneLine(user)} on ${host}; an app password where the provider has them`, signal) : '')
  if (password === '') throw new UsageError(`There is no password for ${host}: give it on standard input with --password-stdin, or in TINYAGENT_DAV_PASSWORD`)
  return password
}

async function firstLine(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += String(chunk)
    if (text.includes('\n') || text.length > 10_000) break
  }
  return text.split(/\r?\n/)[0] ?? ''
}
