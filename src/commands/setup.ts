// `tinyagent setup`: writes a commented config and makes the folders. Nothing that is there is changed. `setup mail` and the
// like set up an account each.
import {UsageError} from '../core/errors.ts'
import {makeFolder} from '../core/paths.ts'
import type {Session} from './session.ts'
import {writeTemplate} from './config.ts'

export async function setupCommand(session: Session, part: string | undefined, own: Record<string, unknown>, signal: AbortSignal): Promise<number> {
  if (part === 'mail') return (await import('./setup-mail.ts')).setupMail(session, own, signal)
  if (part === 'voice') return (await import('./setup-voice.ts')).setupVoice(signal)
  if (part === 'dav') return (await import('./setup-dav.ts')).setupDav(session, own, signal)
  if (part === 'zoom') return (await import('./setup-zoom.ts')).setupZoom(session, own, signal)
  if (part === 'meet') return (await import('./setup-meet.ts')).setupMeet(session, own, signal)
  if (part === 'model') return (await import('./setup-model.ts')).setupModel(session, own, signal)
  if (part === 'apple') return (await import('./setup-apple.ts')).setupApple(session, signal)
  if (part === 'joplin' || part === 'todoist') return (await import('./setup-token.ts')).setupToken(session, part, signal)
  if (part !== undefined) throw new UsageError(`setup ${part}: there is \`setup\` alone, or with mail, dav, joplin, todoist, zoom, meet, model, apple or voice`)
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
