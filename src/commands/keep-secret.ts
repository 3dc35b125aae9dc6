// The end of a setup whose secret is tried first: what is not taken changes nothing; what is goes where passwords are kept, and the config says so.
import {setKey, type Config} from '../core/config.ts'
import {ToolError} from '../core/errors.ts'
import {writeSecret} from '../core/secrets.ts'
import {writeTemplate} from './config.ts'
import {say} from './prompt.ts'

interface Tried {
  /** under which it is kept */
  name: string
  /** "token": what it is called to the user */
  what: string
  secret: string
  /** it is in the environment, and not kept */
  isGiven: boolean
  host: string
  /** Throws ToolError where the secret is not taken; else what is there, in a line, or nothing to say. */
  check(signal: AbortSignal): Promise<string | undefined>
  /** what the config says from then on, as values of TOML or plain words */
  keys: [key: string, value: string][]
}

/** The exit code. */
export async function keepSecret(config: Config, {name, what, secret, isGiven, host, check, keys}: Tried, signal: AbortSignal): Promise<number> {
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
  writeTemplate(config)
  const place = isGiven ? undefined : await writeSecret(name, secret, config)
  for (const [key, value] of keys) await setKey(config, key, value)
  if (place) say(place.warning ?? `The ${what} is kept in ${place.where}.`)
  say(`Written: ${config.file}`)
  return 0
}
