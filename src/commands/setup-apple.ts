// `tinyagent setup apple`: asks each of the Mac's own apps, and sets the config to those that may be asked. A backend that was chosen before stays.
import {getKey, setKey} from '../core/config.ts'
import {reasonOf, UsageError} from '../core/errors.ts'
import {checkApp} from '../tools/apple/check.ts'
import type {App, Mac} from '../tools/apple/osascript.ts'
import type {Session} from './session.ts'

const keys: [app: App, key: string, unset: string][] = [
  ['Reminders', 'reminders.backend', 'folder'], ['Calendar', 'calendar.backend', 'folder'], ['Notes', 'notes.backend', 'folder'],
  ['Contacts', 'contacts.backend', 'folder'], ['Messages', 'sms.gateway', 'outbox'], ['Mail', 'mail.backend', 'folder'],
]

/** Exit code 1 where an app that the config could name may not be asked. */
export async function setupApple({config, configError}: Pick<Session, 'config' | 'configError'>, signal: AbortSignal, mac: Mac = {}): Promise<number> {
  if (configError) throw configError
  if ((mac.platform ?? process.platform) !== 'darwin') throw new UsageError('setup apple: the Mac\'s own apps are on macOS only')
  let code = 0
  // One after the other: macOS asks the user about each.
  for (const [app, key, unset] of keys) {
    const is = getKey(config, key)
    if (is !== unset) {
      process.stdout.write(`${app}: ${key} stays "${String(is)}"\n`)
      continue
    }
    try {
      const detail = await checkApp(app, signal, mac)
      await setKey(config, key, 'apple')
      process.stdout.write(`${app}: ${detail}; ${key} = "apple"\n`)
    } catch (error) {
      signal.throwIfAborted()
      process.stdout.write(`${app}: ${reasonOf(error)}\n`)
      code = 1
    }
  }
  return code
}
