// `tinyagent setup dav`: finds the servers of calendars, reminders and contacts, tries the login, and writes the config only when that
// worked. On a terminal it asks; elsewhere the options say everything and the password comes by standard input or the environment.
import {z} from 'zod'
import {setKey} from '../core/config.ts'
import {ToolError, UsageError} from '../core/errors.ts'
import {writeSecret} from '../core/secrets.ts'
import {oneLine} from '../core/text.ts'
import {checkAccount, type Checked} from '../tools/dav/check.ts'
import {serverUrl, type DavAccount} from '../tools/dav/client.ts'
import {findServers, googleServers, isGoogle, type FoundServers} from '../tools/dav/find-server.ts'
import {writeTemplate} from './config.ts'
import {firstLine, prompt, say} from './prompt.ts'
import type {Session} from './session.ts'
import {signIn, signInOptions, type SignedIn} from './sign-in.ts'

const optionsSchema = z.object({url: z.string().optional(), user: z.string().optional(), address: z.string().optional(), ...signInOptions})

const maxTries = 3

export async function setupDav(session: Session, own: Record<string, unknown>, signal: AbortSignal): Promise<number> {
  const {config, configError} = session
  if (configError) throw configError
  const options = optionsSchema.parse(own)
  const ask = process.stdin.isTTY === true && process.stdout.isTTY === true
    ? async (question: string, preset = ''): Promise<string> => given(await prompt(question, {preset}, signal))
    : undefined
  const {dav} = config.values
  const typed = options.url ?? options.address ?? (ask ? await ask('Your address, or the server\'s URL', dav.url || config.user.email) : dav.url || config.user.email)
  if (!typed) throw new UsageError('setup dav needs --address ana@example.org, or --url https://dav.example.org and --user NAME, where there is no terminal')
  const auth = options.signIn ?? (isGoogle(typed) ? 'google' : 'password')
  if (auth === 'microsoft') throw new UsageError('Microsoft has no CalDAV or CardDAV')
  const servers = auth === 'google' ? googleServers(options.user ?? (isUrl(typed) ? dav.user || config.user.email : typed)) : await serversOf(typed, ask, signal)
  const known = isUrl(typed) ? dav.user || config.user.email : typed
  const user = options.user ?? (ask && auth !== 'google' ? await ask(`User name on ${new URL(servers.caldav).host}`, known) : known)
  if (!user) throw new UsageError('setup dav needs --user NAME where there is no terminal')

  if (auth !== 'password') {
    const signedIn = await signIn(config, {name: auth, purpose: 'dav', address: user, device: options.device ?? false, file: options.client, isTerminal: ask !== undefined, signal})
    say(`Asking ${new URL(servers.caldav).host} ...`)
    const {areas, problem} = await check(servers, {user, password: async () => signedIn.tokens.access, renew: () => undefined}, signal)
    if (auth === 'google') delete areas.reminders // its CalDAV has events only
    if (auth === 'other' && servers.carddav !== servers.caldav) delete areas.contacts // one sign-in goes to one server
    if (problem !== undefined) say(`  ${Object.keys(areas).length > 0 ? 'Left as it is: ' : ''}${problem}`)
    if (Object.keys(areas).length > 0) return save(session, {servers, user, areas, auth, signedIn})
    say('Nothing was changed.')
    return 1
  }
  for (let tries = 1; ; tries++) {
    const given = process.env['TINYAGENT_DAV_PASSWORD']
    const password = given ?? (ask ? await prompt(`Password of ${oneLine(user)}${tries === 1 ? ', an app password where the provider has them' : ', once more'}`, {isHidden: true}, signal) : await firstLine())
    if (!password) throw new UsageError('There is no password: type it, give it on standard input, or in TINYAGENT_DAV_PASSWORD. Nothing was changed')
    say(`Asking ${new URL(servers.caldav).host} ...`)
    const {areas, problem} = await check(servers, {user, password: async () => password}, signal)
    if (Object.keys(areas).length > 0) {
      if (problem !== undefined) say(`  Left as it is: ${problem}`)
      return save(session, {servers, user, areas, auth, ...(given === undefined && {password})})
    }
    say(`  ${problem ?? 'There is nothing for you.'}`)
    if (!ask || tries === maxTries || given !== undefined) {
      say('Nothing was changed.')
      return 1
    }
  }
}

/** Undefined: the user left, and wants nothing changed. */
function given(answer: string | undefined): string {
  if (answer === undefined) throw new UsageError('setup was left; nothing was changed')
  return answer
}

interface Areas { calendar?: Checked; reminders?: Checked; contacts?: Checked }

async function check({caldav, carddav}: FoundServers, login: Omit<DavAccount, 'url'>, signal: AbortSignal): Promise<{areas: Areas; problem?: string}> {
  // One first, so that a wrong password is tried once and not three times: some servers lock the account.
  const first = await attempt(checkAccount({...login, url: caldav}, 'event', signal))
  signal.throwIfAborted()
  if (first.error?.code === 'unavailable' && caldav === carddav) return {areas: {}, problem: first.error.message}
  const [todos, cards] = await Promise.all([attempt(checkAccount({...login, url: caldav}, 'todo', signal)), attempt(checkAccount({...login, url: carddav}, 'card', signal))])
  signal.throwIfAborted()
  const problem = [first, todos, cards].find(a => a.error)?.error?.message
  return {
    areas: {...(first.value && {calendar: first.value}), ...(todos.value && {reminders: todos.value}), ...(cards.value && {contacts: cards.value})},
    ...(problem !== undefined && {problem}),
  }
}

const attempt = async (work: Promise<Checked>): Promise<{value?: Checked; error?: ToolError}> => {
  try {
    return {value: await work}
  } catch (error) {
    if (error instanceof ToolError) return {error}
    throw error
  }
}

interface Settings { servers: FoundServers; user: string; areas: Areas; auth: 'password' | 'google' | 'other'; password?: string; signedIn?: SignedIn }

async function save({config}: Session, {servers, user, areas, auth, password, signedIn}: Settings): Promise<number> {
  const {calendar, reminders, contacts} = areas
  const {caldav, carddav} = servers
  const set = (key: string, value: string): Promise<void> => setKey(config, key, JSON.stringify(value))
  writeTemplate(config)
  const isApart = Boolean(contacts && (calendar || reminders) && carddav !== caldav) // two servers of one provider
  const place = signedIn ? await signedIn.keep(['dav', ...(isApart ? ['contacts'] : [])]) : password === undefined ? undefined : await writeSecret('dav', password, config)
  await set('dav.url', calendar || reminders ? caldav : carddav)
  await set('dav.user', user)
  if (auth !== config.values.dav.auth) await set('dav.auth', auth)
  if (calendar) await set('calendar.backend', 'caldav')
  if (reminders) await set('reminders.backend', 'caldav')
  if (contacts) await set('contacts.backend', 'carddav')
  if (isApart) {
    await set('contacts.url', carddav)
    await set('contacts.user', user)
    if (auth !== config.values.contacts.auth) await set('contacts.auth', auth)
    if (password !== undefined) await writeSecret('contacts', password, config)
  }
  if (calendar) say(`Calendars: ${namesOf(calendar)}${calendar.organizers.length > 0 ? ` (${calendar.host} sends invitations itself)` : ''}`)
  if (reminders) say(`Lists of reminders: ${namesOf(reminders)}`)
  if (contacts) say(`Address books: ${namesOf(contacts)}`)
  if (place) say(place.warning ?? `The ${signedIn ? 'sign-in' : 'password'} is kept in ${place.where}.`)
  if (auth === 'google') say('Google\'s CalDAV has no reminders: they stay where they are.')
  say(`Written: ${config.file}`)
  return 0
}

const namesOf = ({names, host}: Checked): string => names.length > 0 ? names.map(oneLine).join(', ') : `none yet on ${host}; one is made when it is needed`

const isUrl = (text: string): boolean => /^https?:/i.test(text)

async function serversOf(typed: string, ask: ((question: string, preset?: string) => Promise<string>) | undefined, signal: AbortSignal): Promise<FoundServers> {
  if (isUrl(typed)) {
    const {href} = serverUrl(typed)
    return {caldav: href, carddav: href, isElsewhere: false}
  }
  say(`Looking for the server of ${oneLine(typed)} ...`)
  const found = await findServers(typed, {signal, tried: line => say(`  ${line}`)})
  if (!found.isElsewhere) return found
  const hosts = [...new Set([found.caldav, found.carddav].map(url => new URL(url).host))].join(' and ')
  if (!ask) throw new UsageError(`The domain names ${hosts} as its server, which is elsewhere. If that is right, say so with --url ${found.caldav}`)
  if (/^y(es)?$/i.test(await ask(`The domain names ${hosts} as its server. Shall your password go there? yes or no`, 'no'))) return found
  throw new UsageError(`Nothing was sent or written; --url names another server than ${hosts}`)
}
