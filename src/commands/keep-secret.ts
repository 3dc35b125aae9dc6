// The end of a setup whose secret is tried first: what is not taken changes nothing; what is goes where passwords are kept, and the config says so.
import {setKey, type Config} from '../core/config.ts'
import {ToolError} from '../core/errors.ts'
import type {SecretPlace} from '../core/secrets.ts'
import {writeTemplate} from './config.ts'
import {say} from './prompt.ts'

interface Kept {
  /** "token": what it is called to the user */
  what: string
  /** puts it where it is kept; absent where the environment has it */
  keep?: (() => Promise<SecretPlace>) | undefined
  /** what the config says from then on, as values of TOML or plain words */
  keys: [key: string, value: string][]
}

interface Tried extends Kept {
  host: string
  /** Throws ToolError where the secret is not taken; else what is there, in a line, or nothing to say. */
  check(signal: AbortSignal): Promise<string | undefined>
}

/** The exit code. */
export async function keepSecret(config: Config, {host, check, ...kept}: Tried, signal: AbortSignal): Promise<number> {
  say(`Asking ${host} ...`)
  try {
    const found = await check(signal)
    if (found !== undefined) say(`  ${found}`)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof ToolError)) throw error
    say(`  ${error.message}`)
    say('Nothing was changed.')
    return 1
  }
  return written(config, kept)
}

/** The same where there is nothing left to try. */
export async function written(config: Config, {what, keep, keys}: Kept): Promise<number> {
  writeTemplate(config)
  const place = await keep?.()
  for (const [key, value] of keys) await setKey(config, key, value)
  if (place) say(place.warning ?? `The ${what} is kept in ${place.where}.`)
  say(`Written: ${config.file}`)
  return 0
}
