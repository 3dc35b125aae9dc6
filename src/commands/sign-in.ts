// The part of `setup mail`, `dav`, `zoom` and `meet` that signs in by browser: the user's own client at the provider, the sign-in, and what is
// kept of both. Nothing is written before `keep`.
import {readFileSync} from 'node:fs'
import {z} from 'zod'
import type {Config, KeyValue} from '../core/config.ts'
import {reasonOf, UsageError} from '../core/errors.ts'
import {systemOpener} from '../core/exec.ts'
import {clientOf, idVariable, secretName, type OAuthClient, type ProviderName, type Purpose} from '../core/oauth/client.ts'
import {signInByBrowser, signInByDevice, type SignInOptions} from '../core/oauth/sign-in.ts'
import {keepRefreshToken, type Tokens} from '../core/oauth/tokens.ts'
import {writeSecret, type SecretPlace} from '../core/secrets.ts'
import {oneLine} from '../core/text.ts'
import type {Prompter} from '../core/types.ts'
import {tried} from './prompt.ts'

export const providerNames = ['google', 'microsoft', 'other'] as const
/** Of the command line. */
export const signInOptions = {signIn: z.enum(providerNames, 'expected google, microsoft or other').optional(), device: z.boolean().optional(), client: z.string().optional()}

export interface SignInChoice { name: ProviderName; purpose: Purpose; /** the account that is meant */ address?: string | undefined; device: boolean; /** --client-id */ id?: string | undefined; /** --client */ file?: string | undefined; prompter: Prompter; signal: AbortSignal }

export interface SignedIn {
  /** with the client in it */
  config: Config
  tokens: Tokens
  /** what the config says of the client */
  keys: KeyValue[]
  /** Keeps the client's secret, and the refresh token under each of the accounts ("mail"). The last place is that of the tokens. */
  keep(accounts: string[]): Promise<SecretPlace>
}

interface Credentials { id: string; secret?: string }

/** Undefined where it failed, and the user leaves it. Throws UsageError or ConfigError. */
export async function signIn(config: Config, choice: SignInChoice): Promise<SignedIn | undefined> {
  const {name, purpose, address, prompter} = choice
  const {say} = prompter
  const given = choice.file !== undefined ? fromFile(choice.file) : choice.id !== undefined ? {id: choice.id} : await askedFor(config, choice)
  const own: Config = given ? {...config, oauth: {...config.oauth, [name]: {...config.oauth[name], client_id: given.id}}} : config
  const known = clientOf(own, name, purpose)
  const client: OAuthClient = given?.secret === undefined ? known : {...known, secret: async () => given.secret}
  const tokens = await tried(prompter, () => prompter.progress(`Signing in at ${client.provider}`, signal => choice.device || isDeviceBetter(client)
    ? signInByDevice(client, {say, signal})
    : signInByBrowser(client, {...byBrowser(prompter, signal), ...(address !== undefined && {address})})))
  if (!tokens) return undefined
  say(`Signed in at ${client.provider}.`, 'done')
  return {
    config: own, tokens,
    keys: given && !process.env[idVariable(name)] ? [[`oauth.${name}.client_id`, JSON.stringify(given.id)]] : [],
    keep: async accounts => {
      if (given?.secret !== undefined) await writeSecret(secretName(name), given.secret, config)
      let place: SecretPlace = {where: ''}
      for (const account of accounts) place = await keepRefreshToken(account, tokens.refresh, config)
      return place
    },
  }
}

/** How a sign-in by browser meets the user on the command line. */
export const byBrowser = ({canAsk, ask, say}: Prompter, signal: AbortSignal): SignInOptions => ({
  say, signal, open: systemOpener(),
  ...(canAsk && {paste: until => ask('If that browser is on another machine, paste the address it ends at', {signal: until})}),
})

/** Nobody would see a page of this machine (SSH, no display), and the provider has the other way. */
const isDeviceBetter = ({endpoints}: OAuthClient): boolean => endpoints.device !== '' && systemOpener() === undefined

/** What Google's console gives to download; of a client of the kind "Desktop app". */
const clientFile = z.object({installed: z.object({client_id: z.string().min(1), client_secret: z.string().min(1).optional()})})

function fromFile(file: string): Credentials {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    // A parser's message quotes the file, and that holds a secret.
    throw new UsageError(`--client ${oneLine(file)}: ${error instanceof SyntaxError ? 'is no JSON file' : reasonOf(error)}`)
  }
  const read = clientFile.safeParse(json)
  if (!read.success) throw new UsageError(`--client ${oneLine(file)}: is not the file of a client of the kind "Desktop app" (it has no "installed" part)`)
  const {client_id: id, client_secret: secret} = read.data.installed
  return {id, ...(secret !== undefined && {secret})}
}

/** Undefined where the config or the environment have a client, and its secret is kept; Google gives its clients one always. */
async function askedFor(config: Config, {name, purpose, prompter: {canAsk, ask, say, secret: askSecret}, signal}: SignInChoice): Promise<Credentials | undefined> {
  if (!canAsk) return undefined // clientOf says what is missing
  const known = config.oauth[name].client_id || process.env[idVariable(name)]
  if (known && (name !== 'google' || await clientOf(config, name, purpose).secret(signal) !== undefined)) return undefined
  if (!known) say('tinyagent has no client of its own there. Make one (README, "Signing in by browser"), then give its id.')
  const id = known || await ask('Client id', {check: text => text === '' ? 'Without a client there is no sign-in.' : undefined})
  const secret = name === 'microsoft' || name === 'zoom' ? '' : await askSecret('Client secret, empty where it has none')
  return {id, ...(secret !== '' && {secret})}
}
