// Passwords and tokens: an environment variable, the user's own command, the system's keyring, or a file that only its
// owner reads, in this order. A secret is in no argument, log, journal or error; errors name places only.
import {lstatSync, readFileSync, rmSync} from 'node:fs'
import path from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import {reasonOf, ToolError} from './errors.ts'
import {exec} from './exec.ts'
import {makeFolder} from './paths.ts'

/** Where secrets are; a `Config` will do. */
export interface SecretConfig {
  /** `paths.config`: the folder of the file, and what tells two installations apart in one keyring */
  paths: {config: string}
  /** what asks for it; default `tinyagent setup NAME` */
  setup?: string
  /** prints the secret on its first line, e.g. ["pass", "mail/ana"]; as *_command stands in the config */
  command?: string[] | undefined
  env?: NodeJS.ProcessEnv
  /** default the system's; `undefined` where there is none */
  keyring?: () => Promise<Keyring | undefined>
}

export interface Keyring {
  read(account: string, signal: AbortSignal): Promise<string | undefined>
  write(account: string, secret: string, signal: AbortSignal): Promise<void>
  remove(account: string, signal: AbortSignal): Promise<void>
}

/** Where a secret was put: for a line to the user. `warning`: it is less safe than the keyring. */
export interface SecretPlace { where: string; warning?: string }

/** A locked keyring waits for a person, or for nobody (over SSH). */
const keyringMs = 3_000
/** A password manager may ask for its own password first. */
const commandMs = 60_000

/**
 * The secret `name` ("mail", "caldav"): TINYAGENT_<NAME>_PASSWORD, else the command, else the keyring, else the file.
 * Throws ToolError 'unavailable' when there is none, 'refused' for a file that others can read.
 */
export async function readSecret(name: string, config: SecretConfig, signal?: AbortSignal): Promise<string> {
  const {env = process.env} = config
  const given = env[variableOf(name)]
  if (given) return given
  if (config.command?.length) return fromCommand(name, config.command, signal)
  const kept = await fromKeyring(name, config) ?? fromFile(name, config)
  if (kept === undefined) {
    throw new ToolError('unavailable', `There is no password for ${name}: \`${config.setup ?? `tinyagent setup ${name}`}\` asks for it, and the variable ${variableOf(name)} can hold it.`)
  }
  return kept
}

/** Keeps the secret in the keyring, or in the file where the keyring can't be used. Throws when neither can. */
export async function writeSecret(name: string, secret: string, config: SecretConfig): Promise<SecretPlace> {
  if (secret === '') throw new ToolError('invalid-args', `The password for ${name} is empty.`)
  const file = fileOf(name, config)
  const reason = await intoKeyring(name, secret, config)
  if (reason === undefined) {
    rmSync(file, {force: true}) // an older one would only lie about
    return {where: 'the system\'s keyring'}
  }
  try {
    makeFolder(path.dirname(file))
    await writeFileAtomic(file, secret, {mode: 0o600})
  } catch (cause) {
    throw new ToolError('failed', `${reason}, and ${file} cannot be written: ${reasonOf(cause)}. The password is not kept.`, {cause})
  }
  return {where: file, warning: `${reason}, so the password is kept in ${file}, which only you can read and which is not encrypted.`}
}

/** Forgets the secret wherever we keep it; what the environment or a command gives stays. */
export async function deleteSecret(name: string, config: SecretConfig): Promise<void> {
  rmSync(fileOf(name, config), {force: true})
  const keyring = await openKeyring(config)
  await limited(signal => keyring?.remove(accountOf(name, config), signal) ?? Promise.resolve()).catch(() => undefined) // none there
}

/** The environment's variable that can hold it. */
export const variableOf = (name: string): string => `TINYAGENT_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}_PASSWORD`

const fileOf = (name: string, {paths}: SecretConfig): string => path.join(paths.config, 'secrets', name.replace(/[^\w-]/g, '_'))

/** Two installations (--home) are two accounts. */
const accountOf = (name: string, {paths}: SecretConfig): string => `${name} (${paths.config})`

async function fromCommand(name: string, [program, ...args]: string[], signal?: AbortSignal): Promise<string> {
  const {code, stdout} = await exec(program!, args, {timeoutMs: commandMs, ...(signal && {signal})})
  // What it printed is not repeated: it may be the secret.
  const secret = stdout.split(/\r?\n/)[0]!
  if (code !== 0) throw new ToolError('unavailable', `${program}, which gives the password for ${name}, ended with exit code ${code ?? 'none'}. Run it by hand to see why.`)
  if (secret === '') throw new ToolError('unavailable', `${program}, which gives the password for ${name}, printed nothing. Its first line has to be the password.`)
  return secret
}

async function fromKeyring(name: string, config: SecretConfig): Promise<string | undefined> {
  try {
    const keyring = await openKeyring(config)
    return keyring && await limited(signal => keyring.read(accountOf(name, config), signal))
  } catch {
    return undefined // locked, or no service: the file may have it
  }
}

/** Undefined when the keyring has it, else why not. What can't be read again is not kept. */
async function intoKeyring(name: string, secret: string, config: SecretConfig): Promise<string | undefined> {
  try {
    const keyring = await openKeyring(config)
    if (!keyring) return 'There is no keyring'
    const account = accountOf(name, config)
    await limited(signal => keyring.write(account, secret, signal))
    return await limited(signal => keyring.read(account, signal)) === secret ? undefined : 'The keyring does not give back what it is given'
  } catch {
    return 'The keyring can\'t be used (locked, or no service for it)'
  }
}

function fromFile(name: string, config: SecretConfig): string | undefined {
  const file = fileOf(name, config)
  const info = lstatSync(file, {throwIfNoEntry: false})
  if (!info) return undefined
  if (!info.isFile()) throw new ToolError('refused', `${file} is not a file.`)
  if (process.platform !== 'win32' && (info.mode & 0o077) !== 0) throw new ToolError('refused', `Others can read the password in ${file}. Change the password, then: chmod 600 ${file}`)
  return readFileSync(file, 'utf8').replace(/\r?\n$/, '') || undefined
}

async function limited<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(keyringMs)
  return Promise.race([
    work(signal),
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('no answer')), {once: true})),
  ])
}

const openKeyring = ({keyring, env = process.env}: SecretConfig): Promise<Keyring | undefined> =>
  env['TINYAGENT_NO_KEYRING'] ? Promise.resolve(undefined) : (keyring ?? systemKeyring)()

/** Absent where the package has no build for the machine. */
async function systemKeyring(): Promise<Keyring | undefined> {
  try {
    const {AsyncEntry} = await import('@napi-rs/keyring')
    // The kernel's keyring forgets at log-out, so it is not taken in its place.
    const entry = (account: string) => new AsyncEntry('tinyagent', account, {linux: {store: 'secret-service'}})
    return {
      read: async (account, signal) => await entry(account).getPassword(signal) ?? undefined,
      write: (account, secret, signal) => entry(account).setPassword(secret, signal),
      remove: async (account, signal) => { await entry(account).deletePassword(signal) },
    }
  } catch {
    return undefined
  }
}
