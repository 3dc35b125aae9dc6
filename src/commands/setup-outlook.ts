// `tinyagent setup outlook`: asks classic Outlook, and sets the config to what it may be asked for. A backend that was chosen before stays.
import {UsageError} from '../core/errors.ts'
import type {Prompter} from '../core/types.ts'
import {checkOutlook, outlookAreas} from '../tools/outlook/check.ts'
import type {Windows} from '../tools/outlook/powershell.ts'
import type {Session} from './session.ts'
import {setupApps} from './setup-apps.ts'

/** Exit code 1 where something may not be asked for. */
export async function setupOutlook(session: Pick<Session, 'config' | 'configError'>, prompter: Prompter, windows: Windows = {}): Promise<number> {
  if (session.configError) throw session.configError
  if ((windows.platform ?? process.platform) !== 'win32') throw new UsageError('setup outlook: classic Outlook is on Windows only')
  prompter.say('Nobody has run this on a real Windows yet: what Outlook is asked was tested against a stand-in.', 'note')
  return setupApps(session.config, prompter, 'outlook', outlookAreas.map(area =>
    ({name: `Outlook's ${area}`, key: `${area}.backend`, unset: 'folder', check: stop => checkOutlook(area, stop, windows)})))
}
