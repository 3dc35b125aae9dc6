// `tinyagent setup apple`: asks each of the Mac's own apps, and sets the config to those that may be asked. A backend that was chosen before stays.
import {UsageError} from '../core/errors.ts'
import type {Prompter} from '../core/types.ts'
import {checkApp} from '../tools/apple/check.ts'
import type {App, Mac} from '../tools/apple/osascript.ts'
import type {Session} from './session.ts'
import {setupApps} from './setup-apps.ts'

const keys: [app: App, key: string, unset: string][] = [
  ['Reminders', 'reminders.backend', 'folder'], ['Calendar', 'calendar.backend', 'folder'], ['Notes', 'notes.backend', 'folder'],
  ['Contacts', 'contacts.backend', 'folder'], ['Messages', 'sms.gateway', 'outbox'], ['Mail', 'mail.backend', 'folder'],
]

/** Exit code 1 where an app that the config could name may not be asked. */
export async function setupApple({config, configError}: Pick<Session, 'config' | 'configError'>, prompter: Prompter, mac: Mac = {}): Promise<number> {
  if (configError) throw configError
  if ((mac.platform ?? process.platform) !== 'darwin') throw new UsageError('setup apple: the Mac\'s own apps are on macOS only')
  return setupApps(config, prompter, 'apple', keys.map(([name, key, unset]) => ({name, key, unset, check: stop => checkApp(name, stop, mac)})))
}
