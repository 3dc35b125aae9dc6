// `tinyagent setup dav`: finds the servers of calendars, reminders and contacts, tries the login, and writes the config only when that
// worked. On a terminal it asks; elsewhere the options say everything and the password comes by standard input or the environment.
import {z} from 'zod'
import type {Config, KeyValue} from '../core/config.ts'
import {reasonOf, ToolError, UsageError} from '../core/errors.ts'
import {writeSecret, type SecretPlace} from '../core/secrets.ts'
import {oneLine} from '../core/text.ts'
import type {Prompter} from '../core/types.ts'
import {isAddress} from '../tools/contacts/address.ts'
import {checkAccount, type Checked} from '../tools/dav/check.ts'
import {serverUrl, type DavAccount} from '../tools/dav/client.ts'
import {findServers, googleServers, isGoogle, type FoundServers} from '../tools/dav/find-server.ts'
import {written} from './keep-secret.ts'
import {notEmpty, remedy} from './prompt.ts'
import type {Session} from './session.ts'
import {signIn, signInOptions, type SignedIn} from './sign-in.ts'

const optionsSchema = z.object({url: z.string().optional(), user: z.string().optional(), address: z.string().optional(), ...signInOptions})

export async function setupDav(session: Session, own: Record<string, unknown>, prompter: Prompter, signal: AbortSignal): Promise<number> {
  const {config, configError} = session
  if (configError) throw configError
  const options = optionsSchema.parse(own)
  const {canAsk} = prompter
  const {typed, auth, servers} = await placeFrom(options, config, prompter)
  const {dav} = config.values
  const known = isUrl(typed) ? dav.user || config.user.email : typed
  const {host} = new URL(servers.caldav)
  const user = options.user ?? (canAsk && auth !== 'google' ? await prompter.ask(`User name on ${host}`, {preset: known, check: text => text === '' ? 'It is often your address.' : undefined}) : known)
  if (!user) throw new UsageError('setup dav needs --user NAME where there is no terminal')

  if (auth !== 'password') {
    const signedIn = await signIn(config, {name: auth, purpose: 'dav', address: user, device: options.device ?? false, file: options.client, prompter, signal})
    if (!signedIn) return 1
    const login = {user, password: async () => signedIn.tokens.access, renew: () => undefined}
    for (;;) {
      const {areas, problem} = await check(servers, login, prompter)
      if (auth === 'google') delete areas.reminders // its CalDAV has events only
      if (auth === 'other' && servers.carddav !== servers.caldav) delete areas.contacts // one sign-in goes to one server
      if (tell({areas, problem}, prompter)) return save(session, {servers, user, areas, auth, signedIn}, prompter)
      if (await remedy(prompter, []) === 'leave') return 1
    }
  }
  const given = process.env['TINYAGENT_DAV_PASSWORD']
  const type = async (more: string): Promise<string> => {
    const typed = await prompter.secret(`Password of ${oneLine(user)}, ${more}`, {check: notEmpty('password')})
    if (typed === '') throw new UsageError('There is no password: type it, give it on standard input, or in TINYAGENT_DAV_PASSWORD. Nothing was changed')
    return typed
  }
  let password = given || await type('an app password where the provider has them')
  for (;;) {
    const found = await check(servers, {user, password: async () => password}, prompter)
    if (tell(found, prompter)) return save(session, {servers, user, areas: found.areas, auth, ...(!given && {password})}, prompter)
    const next = await remedy(prompter, given ? [] : [{value: 'type', label: 'Type the password again'}], given ? 'again' : 'type')
    if (next === 'leave') return 1
    if (next === 'type') password = await type('once more')
  }
}

interface Place { typed: string; auth: Settings['auth']; servers: FoundServers }

/** Where the account is, by what the options say or the user types; an address whose server is not found is asked for again. */
async function placeFrom(options: z.infer<typeof optionsSchema>, config: Config, prompter: Prompter): Promise<Place> {
  const {dav} = config.values
  const given = options.url ?? options.address
  const known = dav.url || config.user.email
  if (given !== undefined || !prompter.canAsk) return placeOf(given ?? known, options, config, prompter)
  for (let preset = known; ;) {
    preset = await prompter.ask('Your address, or the server\'s URL', {preset, check: placeProblem})
    try {
      return await placeOf(preset, options, config, prompter)
    } catch (error) {
      if (!(error instanceof ToolError)) throw error
      prompter.say(error.message, 'failed')
    }
  }
}

/** Throws ToolError where no server is found. */
async function placeOf(typed: string, options: z.infer<typeof optionsSchema>, config: Config, prompter: Prompter): Promise<Place> {
  if (!typed) throw new UsageError('setup dav needs --address ana@example.org, or --url https://dav.example.org and --user NAME, where there is no terminal')
  const auth = options.signIn ?? (isGoogle(typed) ? 'google' : 'password')
  if (auth === 'microsoft') throw new UsageError('Microsoft has no CalDAV or CardDAV')
  const {dav} = config.values
  const servers = auth === 'google' ? googleServers(options.user ?? (isUrl(typed) ? dav.user || config.user.email : typed)) : await serversOf(typed, prompter)
  return {typed, auth, servers}
}

/** Says what is wrong; true where there is something to set up all the same. */
function tell({areas, problem}: Found, {say}: Prompter): boolean {
  const isAny = Object.keys(areas).length > 0
  if (!isAny) say(problem ?? 'There is nothing for you.', 'failed')
  else if (problem !== undefined) say(`Left as it is: ${problem}`, 'note')
  return isAny
}

interface Areas { calendar?: Checked; reminders?: Checked; contacts?: Checked }
interface Found { areas: Areas; problem?: string | undefined }

const check = (servers: FoundServers, login: Omit<DavAccount, 'url'>, {progress}: Prompter): Promise<Found> =>
  progress(`Asking ${new URL(servers.caldav).host}`, stop => checkAreas(servers, login, stop))

async function checkAreas({caldav, carddav}: FoundServers, login: Omit<DavAccount, 'url'>, signal: AbortSignal): Promise<Found> {
  // One first, so that a wrong password is tried once and not three times: some servers lock the account.
  const first = await attempt(checkAccount({...login, url: caldav}, 'event', signal))
  signal.throwIfAborted()
  if (first.error?.code === 'unavailable' && caldav === carddav) return {areas: {}, problem: first.error.message}
  const [todos, cards] = await Promise.all([attempt(checkAccount({...login, url: caldav}, 'todo', signal)), attempt(checkAccount({...login, url: carddav}, 'card', signal))])
  signal.throwIfAborted()
  const problem = [first, todos, cards].find(a => a.error)?.error?.message
  return {
    areas: {...(first.value && {calendar: first.value}), ...(todos.value && {reminders: todos.value}), ...(cards.value && {contacts: cards.value})},
    problem,
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

function save({config}: Session, {servers, user, areas, auth, password, signedIn}: Settings, prompter: Prompter): Promise<number> {
  const {say} = prompter
  const {calendar, reminders, contacts} = areas
  const {caldav, carddav} = servers
  const isApart = Boolean(contacts && (calendar || reminders) && carddav !== caldav) // two servers of one provider
  const keys: KeyValue[] = [...signedIn?.keys ?? []]
  const login = (area: 'dav' | 'contacts', url: string): void => {
    keys.push([`${area}.url`, JSON.stringify(url)], [`${area}.user`, JSON.stringify(user)])
    if (auth !== config.values[area].auth) keys.push([`${area}.auth`, auth])
  }
  login('dav', calendar || reminders ? caldav : carddav)
  if (isApart) login('contacts', carddav)
  if (calendar) keys.push(['calendar.backend', 'caldav'])
  if (reminders) keys.push(['reminders.backend', 'caldav'])
  if (contacts) keys.push(['contacts.backend', 'carddav'])
  const accounts = ['dav', ...(isApart ? ['contacts'] : [])]
  const keepPassword = async (secret: string): Promise<SecretPlace> => {
    let place: SecretPlace = {where: ''}
    for (const account of accounts) place = await writeSecret(account, secret, config)
    return place
  }
  if (calendar) say(`Calendars: ${namesOf(calendar)}${calendar.organizers.length > 0 ? ` (${calendar.host} sends invitations itself)` : ''}`, 'done')
  if (reminders) say(`Lists of reminders: ${namesOf(reminders)}`, 'done')
  if (contacts) say(`Address books: ${namesOf(contacts)}`, 'done')
  if (auth === 'google') say('Google\'s CalDAV has no reminders: they stay where they are.')
  return written(config, {
    what: signedIn ? 'sign-in' : 'password', keys,
    keep: signedIn ? () => signedIn.keep(accounts) : password === undefined ? undefined : () => keepPassword(password),
  }, prompter)
}

const namesOf = ({names, host}: Checked): string => names.length > 0 ? names.map(oneLine).join(', ') : `none yet on ${host}; one is made when it is needed`

const isUrl = (text: string): boolean => /^https?:/i.test(text)

/** Why that names no place of a server; undefined where it may. */
function placeProblem(text: string): string | undefined {
  if (isAddress(text)) return undefined
  if (!isUrl(text)) return 'That is neither an address such as ana@example.org nor a URL such as https://dav.example.org.'
  try { serverUrl(text); return undefined } catch (error) { return reasonOf(error) }
}

async function serversOf(typed: string, {canAsk, choose, progress, say}: Prompter): Promise<FoundServers> {
  if (isUrl(typed)) {
    const {href} = serverUrl(typed)
    return {caldav: href, carddav: href, isElsewhere: false}
  }
  const found = await progress(`Looking for the server of ${oneLine(typed)}`, stop => findServers(typed, {signal: stop}))
  const hosts = [...new Set([found.caldav, found.carddav].map(url => new URL(url).host))].join(' and ')
  if (!found.isElsewhere) {
    say(`Found ${hosts}`, 'done')
    return found
  }
  if (!canAsk) throw new UsageError(`The domain names ${hosts} as its server, which is elsewhere. If that is right, say so with --url ${found.caldav}`)
  const choices = [{value: 'no', label: 'No'}, {value: 'yes', label: 'Yes'}] as const
  if (await choose(`The domain names ${hosts} as its server. Shall your password go there?`, [...choices], 'no') === 'yes') return found
  throw new UsageError(`Nothing was sent or written; --url names another server than ${hosts}`)
}
