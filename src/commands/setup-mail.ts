// `tinyagent setup mail`: asks for an address, finds its servers, tries to log in, and writes the config only when that worked.
// On a terminal it asks; elsewhere the options say everything and the password comes by standard input or the environment. Where the
// provider signs in by browser, there is no password (sign-in.ts).
import {z} from 'zod'
import type {Config, KeyValue} from '../core/config.ts'
import {reasonOf, ToolError, UsageError} from '../core/errors.ts'
import {readSecret, writeSecret} from '../core/secrets.ts'
import {oneLine} from '../core/text.ts'
import type {Prompter} from '../core/types.ts'
import {isAddress} from '../tools/contacts/address.ts'
import {accountOf, LoginRefused, nameOf, type MailAccount, type Server} from '../tools/mail/account.ts'
import {withImap} from '../tools/mail/imap.ts'
import {domainOf, findServers, isHostName, signInOf, type FoundServers} from '../tools/mail/providers.ts'
import {checkSmtp} from '../tools/mail/smtp.ts'
import {written} from './keep-secret.ts'
import {notEmpty, remedy} from './prompt.ts'
import type {Session} from './session.ts'
import {signIn, signInOptions, type SignedIn} from './sign-in.ts'

const optionsSchema = z.object({address: z.string().optional(), imap: z.string().optional(), smtp: z.string().optional(), user: z.string().optional(), ...signInOptions})
type SetupMailOptions = z.infer<typeof optionsSchema>

type ServerKeys = Config['mail']['imap']
interface Servers { imap: ServerKeys; smtp: ServerKeys }

/** Of one login. */
const checkMs = 15_000

export async function setupMail({config, configError}: Session, options: Record<string, unknown>, prompter: Prompter, signal: AbortSignal): Promise<number> {
  if (configError) throw configError
  const own = optionsSchema.parse(options)
  const {canAsk, say} = prompter
  const email = await addressFrom(own.address, config, prompter)
  const name = config.user.name || (canAsk ? await prompter.ask('Your name, as those you write to see it') : '')
  let servers = await serversFor(email, own, prompter)
  const auth = await authFor(servers, own, config, prompter)
  const signedIn = auth === 'password' ? undefined
    : await signIn(config, {name: auth, purpose: 'mail', address: email, device: own.device ?? false, file: own.client, prompter, signal})
  if (auth !== 'password' && !signedIn) return 1
  let secret = signedIn
    ? {value: signedIn.tokens.access, isTyped: false}
    : await passwordFrom(config, `Password for ${email}`, prompter)
  const chosen = {...(signedIn?.config ?? config), mail: {...config.mail, auth}}
  for (;;) {
    const problem = await check(withValues(chosen, email, servers), secret.value, prompter)
    if (!problem) break
    say(problem.message, 'failed')
    const next = await remedy(prompter, [
      ...(secret.isTyped ? [{value: 'password', label: 'Type the password again'} as const] : []), {value: 'servers', label: 'Change the servers'},
    ], problem.isPassword && secret.isTyped ? 'password' : 'servers')
    if (next === 'leave') return 1
    if (next === 'password') secret = await passwordFrom(config, 'Password, once more', prompter)
    if (next === 'servers') servers = await askServers(servers, prompter)
  }
  return save(config, {email, name, servers, auth, ...(signedIn && {signedIn}), ...(secret.isTyped && {secret: secret.value})}, prompter)
}

async function addressFrom(option: string | undefined, config: Config, {canAsk, ask}: Prompter): Promise<string> {
  if (option === undefined && canAsk) {
    return ask('Your mail address', {preset: config.user.email, check: text => isAddress(text) ? undefined : 'That is not an address; one looks like ana@example.org.'})
  }
  const address = option ?? config.user.email
  if (isAddress(address)) return address
  throw new UsageError(address === '' ? 'setup mail needs --address ana@example.org where there is no terminal' : `--address ${oneLine(address)} is not an e-mail address`)
}

async function serversFor(email: string, own: SetupMailOptions, prompter: Prompter): Promise<Servers> {
  const {canAsk, say} = prompter
  const user = own.user ?? ''
  if (own.imap !== undefined && own.smtp !== undefined) return {imap: serverKeys('--imap', own.imap, user), smtp: serverKeys('--smtp', own.smtp, user)}
  const found = await prompter.progress(`Looking for the servers of ${domainOf(email)}`, stop => findServers(email, stop))
  if (found) {
    say(`IMAP ${told(found.imap)}, SMTP ${told(found.smtp)}: says ${found.source}`, 'done')
    if (found.advice && !own.signIn) say(found.advice, 'note')
    const keys = keysOf(found, email, own)
    // The password goes there next.
    const choices = [{value: 'yes', label: 'Yes'}, {value: 'no', label: 'No, I name them'}] as const
    return !canAsk || await prompter.choose('Use these servers?', [...choices], 'yes') === 'yes' ? keys : askServers(keys, prompter)
  }
  if (!canAsk) throw new UsageError(`The servers of ${domainOf(email)} were not found; name them: --imap HOST[:PORT] --smtp HOST[:PORT]`)
  say(`No servers of ${domainOf(email)} were found. Your provider's help pages name them.`, 'failed')
  const guess = {host: `mail.${domainOf(email)}`, port: 0, user, security: 'auto'} as const
  return askServers({imap: guess, smtp: guess}, prompter)
}

type Auth = Config['mail']['auth']

/** A password, or who is signed in with: as the option or the config says, else what the provider takes. */
async function authFor({imap}: Servers, {signIn: option}: SetupMailOptions, config: Config, {canAsk, choose}: Prompter): Promise<Auth> {
  if (option) return option
  const provider = signInOf(imap.host)
  if (provider === 'microsoft') return provider // it takes no password
  const before = config.mail.auth // perhaps of another account
  if (provider === undefined) return before === 'other' ? before : 'password'
  if (!canAsk) return before === provider ? before : 'password'
  return choose<Auth>('How do you sign in there?', [
    {value: 'password', label: 'With an app password'}, {value: provider, label: 'By browser', detail: 'needs a client of your own, see README'},
  ], before === provider || config.oauth[provider].client_id ? provider : 'password')
}

const told = ({host, port, security}: {host: string; port: number; security: string}): string => `${host}:${port} (${security})`

function keysOf(found: FoundServers, email: string, own: SetupMailOptions): Servers {
  const keys = ({host, port, security, user}: FoundServers['imap']): ServerKeys => ({host, port, security, user: own.user ?? (user === email ? '' : user)})
  return {
    imap: own.imap === undefined ? keys(found.imap) : serverKeys('--imap', own.imap, own.user ?? ''),
    smtp: own.smtp === undefined ? keys(found.smtp) : serverKeys('--smtp', own.smtp, own.user ?? ''),
  }
}

async function askServers(before: Servers, {ask}: Prompter): Promise<Servers> {
  const one = async (name: 'imap' | 'smtp'): Promise<ServerKeys> => {
    const {host, port, user} = before[name]
    const check = (text: string): string | undefined => {
      try { serverKeys(name, text, user); return undefined } catch (error) { return reasonOf(error) }
    }
    const keys = serverKeys(name, await ask(`${name.toUpperCase()} server, host or host:port`, {preset: port ? `${host}:${port}` : host, check}), user)
    return keys.host === host && keys.port === port ? before[name] : keys
  }
  const imap = await one('imap')
  const smtp = await one('smtp')
  const user = await ask('User name there, if it is not the address', {preset: imap.user})
  return {imap: {...imap, user}, smtp: {...smtp, user}}
}

function serverKeys(what: string, text: string, user: string): ServerKeys {
  const [, host = '', port = '0'] = /^([^:\s]+)(?::(\d{1,5}))?$/.exec(text) ?? []
  if (!isHostName(host) || Number(port) > 65535) throw new UsageError(`${what} ${oneLine(text)}: expected a host such as mail.example.org, or mail.example.org:993`)
  return {host, port: Number(port), user, security: 'auto'}
}

/** A typed password is kept where the system keeps passwords; the environment's and the command's stay where they are. */
async function passwordFrom(config: Config, question: string, {secret}: Prompter): Promise<{value: string; isTyped: boolean}> {
  if (process.env['TINYAGENT_MAIL_PASSWORD'] || config.mail.password_command.length > 0) {
    return {value: await readSecret('mail', {...config, command: config.mail.password_command}), isTyped: false}
  }
  const value = await secret(question, {check: notEmpty('password')})
  if (value === '') throw new UsageError('no password was given (standard input or TINYAGENT_MAIL_PASSWORD); nothing was changed')
  return {value, isTyped: true}
}

const withValues = (config: Config, email: string, {imap, smtp}: Servers): Config =>
  ({...config, user: {...config.user, email}, mail: {...config.mail, imap, smtp}})

interface Problem { message: string; isPassword: boolean }

/** Logs in to both. Undefined when both let us in. */
async function check(config: Config, password: string, prompter: Prompter): Promise<Problem | undefined> {
  let account: MailAccount
  try {
    account = accountOf(config)
  } catch (error) {
    return {message: reasonOf(error), isPassword: false}
  }
  const {imap, smtp} = account
  return await checkOne('IMAP', imap, prompter, limit => withImap(imap, password, limit, async () => undefined))
    ?? await checkOne('SMTP', smtp, prompter, limit => checkSmtp(smtp, password, limit))
}

async function checkOne(name: string, server: Server, {progress, say}: Prompter, login: (limit: AbortSignal) => Promise<void>): Promise<Problem | undefined> {
  const problem = await progress(`${name} ${nameOf(server)}`, async (signal): Promise<Problem | undefined> => {
    const limit = AbortSignal.timeout(checkMs)
    try {
      await login(AbortSignal.any([signal, limit]))
      return undefined
    } catch (error) {
      signal.throwIfAborted()
      if (limit.aborted) return {message: `${nameOf(server)} did not answer within ${checkMs / 1000} seconds.`, isPassword: false}
      if (!(error instanceof ToolError)) throw error
      return {message: error.message, isPassword: error instanceof LoginRefused}
    }
  })
  if (!problem) say(`${name} ${nameOf(server)} lets you in`, 'done')
  return problem
}

interface Settings { email: string; name: string; servers: Servers; auth: Auth; signedIn?: SignedIn; secret?: string }

async function save(config: Config, {email, name, servers, auth, signedIn, secret}: Settings, prompter: Prompter): Promise<number> {
  const keys: KeyValue[] = [...signedIn?.keys ?? [], ['user.email', email]]
  if (name !== '') keys.push(['user.name', JSON.stringify(name)])
  for (const part of ['imap', 'smtp'] as const) {
    for (const [key, value] of Object.entries(servers[part])) keys.push([`mail.${part}.${key}`, JSON.stringify(value)])
  }
  if (auth !== config.mail.auth) keys.push(['mail.auth', auth])
  keys.push(['mail.backend', 'imap'])
  const code = await written(config, {
    what: signedIn ? 'sign-in' : 'password', keys,
    keep: signedIn ? () => signedIn.keep(['mail']) : secret === undefined ? undefined : () => writeSecret('mail', secret, config),
  }, prompter)
  prompter.say('Mail goes by this account from now on. Try: tinyagent --dry-run "mail Ana that I am late"')
  return code
}
