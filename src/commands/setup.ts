// `tinyagent setup`: writes a commented config and makes the folders. Nothing that is there is changed. With an account's name it
// sets that up.
import {UsageError} from '../core/errors.ts'
import {makeFolder} from '../core/paths.ts'
import type {Session} from './session.ts'
import {writeTemplate} from './config.ts'
import type {SetupDavOptions} from './setup-dav.ts'

export async function setupCommand(session: Session, account: string | undefined, options: SetupDavOptions, signal: AbortSignal): Promise<number> {
  if (account === 'dav') return (await import('./setup-dav.ts')).setupDav(session, options, signal)
  if (account !== undefined) throw new UsageError(`There is no account "${account}" to set up; dav: calendars, reminders and contacts on a server`)
  const {config, configError} = session
  if (configError) throw configError
  const isNew = writeTemplate(config)
  for (const dir of [config.paths.state, ...Object.values(config.dirs)]) makeFolder(dir)
  process.stdout.write([
    `${isNew ? 'Written' : 'Kept'}: ${config.file}`,
    ...Object.entries(config.dirs).map(([area, dir]) => `${area}: ${dir}`),
    'Try: tinyagent "remind me to call the dentist tomorrow at 3pm"', '',
  ].join('\n'))
  return 0
}
