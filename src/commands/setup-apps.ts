// What `setup apple` and `setup outlook` share: each app is asked, and the config set to those that may be.
import {getKey, setKeys, type Config} from '../core/config.ts'
import {isAbort, reasonOf, UsageError} from '../core/errors.ts'
import type {Prompter} from '../core/types.ts'

/** `check` says what the app has, and throws where it may not be asked; `unset` is the key's value where nothing was chosen. */
export interface OfferedApp { name: string; key: string; unset: string; check(signal: AbortSignal): Promise<string> }

/** Exit code 1 where an app may not be asked. */
export async function setupApps(config: Config, {progress, say}: Prompter, backend: string, apps: OfferedApp[]): Promise<number> {
  let code = 0
  const allowed: string[] = []
  // One after the other: the system asks the user about each. Nothing is written before the last.
  for (const {name, key, unset, check} of apps) {
    const is = getKey(config, key)
    if (is !== unset) {
      say(`${name}: ${key} stays "${String(is)}"`, 'note')
      continue
    }
    try {
      const detail = await progress(`Asking ${name}`, check)
      say(`${name}: ${detail}; ${key} = "${backend}"`, 'done')
      allowed.push(key)
    } catch (error) {
      if (error instanceof UsageError || isAbort(error)) throw error
      say(`${name}: ${reasonOf(error)}`, 'failed')
      code = 1
    }
  }
  if (allowed.length > 0) await setKeys(config, allowed.map(key => [key, backend]))
  return code
}
