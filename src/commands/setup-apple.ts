// `tinyagent setup apple`: asks each of the Mac's own apps, and sets the config to those that may be asked. A backend that was chosen before stays.
import {getKey, setKey} from '../core/config.ts'
import {isAbort, reasonOf, UsageError} from '../core/errors.ts'
import type {Prompter} from '../core/types.ts'
import {checkApp} from '../tools/apple/check.ts'
import type {App, Mac} from '../tools/apple/osascript.ts'
import type {Session} from './session.ts'

const keys: [app: App, key: string, unset: string][] = [
  ['Reminders', 'reminders.backend', 'folder'], ['Calendar', 'calendar.backend', 'folder'], ['Notes', 'notes.backend', 'folder'],
  ['Contacts', 'contacts.backend', 'folder'], ['Messages', 'sms.gateway', 'outbox'], ['Mail', 'mail.backend', 'folder'],
]

/** Exit code 1 where an app that the config could name may not be asked. */
export async function setupApple({config, configError}: Pick<Session, 'config' | 'configError'>, {progress, say}: Prompter, mac: Mac = {}): Promise<number> {
  if (configError) throw configError
  if ((mac.platform ?? process.platform) !== 'darwin') throw new UsageError('setup apple: the Mac\'s own apps are on macOS only')
  let code = 0
  const allowed: string[] = []
  // One after the other: macOS asks the user about each. Nothing is written before the last.
  for (const [app, key, unset] of keys) {
    const is = getKey(config, key)
    if (is !== unset) {
      say(`${app}: ${key} stays "${String(is)}"`, 'note')
      continue
    }
    try {
      const detail = await progress(`Asking ${app}`, stop => checkApp(app, stop, mac))
      say(`${app}: ${detail}; ${key} = "apple"`, 'done')
      allowed.push(key)
    } catch (error) {
      if (error instanceof UsageError || isAbort(error)) throw error
      say(`${app}: ${reasonOf(error)}`, 'failed')
      code = 1
    }
  }
  for (const key of allowed) await setKey(config, key, 'apple')
  return code
}
