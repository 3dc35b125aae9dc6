// `tinyagent setup`: writes a commented config and makes the folders; nothing that is there is changed. On a terminal it then shows the parts that
// can be set up, each with its present state; `setup mail` and the like set up that one.
import {ConfigError, ModelError, reasonOf, ToolError, UsageError} from '../core/errors.ts'
import {loadConfig, type Config} from '../core/config.ts'
import {makeFolder} from '../core/paths.ts'
import type {Prompter} from '../core/types.ts'
import {whisperBuild} from '../core/voice/whisper.ts'
import {davAreas, isDav} from '../tools/dav/account.ts'
import {outlookAreas, outlookAreasOf} from '../tools/outlook/check.ts'
import {writeTemplate} from './config.ts'
import {Left} from './prompt.ts'
import type {Session} from './session.ts'
import {withTalk, type Talk} from './wizard.ts'

interface Part {
  name: string
  label: string
  /** what the config has now, shortly */
  state(config: Config): string
  /** The exit code. */
  run(session: Session, own: Record<string, unknown>, prompter: Prompter, signal: AbortSignal): Promise<number>
  /** only there it is offered */
  platform?: NodeJS.Platform
}

const parts: Part[] = [
  {
    name: 'mail', label: 'Mail', state: ({mail, user}) => ({folder: 'outbox on this machine', imap: user.email, apple: 'the Mac\'s Mail', outlook: 'Outlook'})[mail.backend],
    run: async (session, own, prompter, signal) => (await import('./setup-mail.ts')).setupMail(session, own, prompter, signal),
  },
  {
    name: 'dav', label: 'Calendar, contacts', state: davState,
    run: async (session, own, prompter, signal) => (await import('./setup-dav.ts')).setupDav(session, own, prompter, signal),
  },
  {
    name: 'joplin', label: 'Notes in Joplin', state: ({values: {notes}}) => ({folder: 'no, Markdown files', joplin: 'yes', apple: 'no, the Mac\'s Notes', outlook: 'no, Outlook\'s notes'})[notes.backend],
    run: async (session, _own, prompter) => (await import('./setup-token.ts')).setupToken(session, 'joplin', prompter),
  },
  {
    name: 'todoist', label: 'Todoist', state: ({values: {reminders}}) => reminders.backend === 'todoist' ? 'keeps your reminders' : 'not used',
    run: async (session, _own, prompter) => (await import('./setup-token.ts')).setupToken(session, 'todoist', prompter),
  },
  {
    name: 'zoom', label: 'Zoom', state: ({meetings}) => ({none: 'not set up', zoom: 'makes your meetings', jitsi: 'not used, Jitsi is', meet: 'not used, Google Meet is'})[meetings.provider],
    run: async (session, own, prompter, signal) => (await import('./setup-zoom.ts')).setupZoom(session, own, prompter, signal),
  },
  {
    name: 'meet', label: 'Google Meet', state: ({meetings}) => meetings.provider === 'meet' ? 'makes your meetings' : 'not used',
    run: async (session, own, prompter, signal) => (await import('./setup-meet.ts')).setupMeet(session, own, prompter, signal),
  },
  {
    name: 'model', label: 'Model on a server', state: ({model}) => Object.keys(model.endpoints).map(name => `${name}${name === model.planner ? ' (plans)' : ''}`).join(', ') || 'none',
    run: async (session, own, prompter, signal) => (await import('./setup-model.ts')).setupModel(session, own, prompter, signal),
  },
  {
    name: 'apple', label: 'The Mac\'s apps', platform: 'darwin', state: ({values: v}) => `${[v.reminders, v.calendar, v.notes, v.contacts, v.mail].filter(area => area.backend === 'apple').length} of 5 used`,
    run: async (session, _own, prompter) => (await import('./setup-apple.ts')).setupApple(session, prompter),
  },
  {
    name: 'outlook', label: 'Outlook', platform: 'win32', state: config => `${outlookAreasOf(config).length} of ${outlookAreas.length} used`,
    run: async (session, _own, prompter) => (await import('./setup-outlook.ts')).setupOutlook(session, prompter),
  },
  {
    name: 'voice', label: 'Voice', state: () => ({absent: 'not installed', 'not-built': 'not compiled yet', built: 'compiled'})[whisperBuild()],
    run: async (_session, _own, prompter) => (await import('./setup-voice.ts')).setupVoice(prompter),
  },
]

function davState(config: Config): string {
  const areas = davAreas.filter(area => isDav(config, area))
  const {dav, [areas[0] ?? 'calendar']: own} = config.values
  const url = own.url || dav.url
  return areas.length === 0 ? 'on this machine' : `${URL.canParse(url) ? new URL(url).host : 'on a server'}${areas.length < davAreas.length ? ` (${areas.join(', ')})` : ''}`
}

export async function setupCommand(session: Session, name: string | undefined, own: Record<string, unknown>, signal: AbortSignal): Promise<number> {
  const part = parts.find(p => p.name === name)
  if (name !== undefined && !part) throw new UsageError(`setup ${name}: there is \`setup\` alone, or with ${parts.map(p => p.name).join(', ')}`)
  if (session.configError) throw session.configError
  return withTalk(session, signal, talk => part ? talk.part(prompter => part.run(session, own, prompter, signal)) : setupAll(session, talk, signal))
}

async function setupAll(session: Session, talk: Talk, signal: AbortSignal): Promise<number> {
  const {config} = session
  const {canAsk, say} = talk.prompter
  const isNew = await writeTemplate(config)
  for (const dir of [config.paths.state, ...Object.values(config.dirs)]) makeFolder(dir)
  say(`${isNew ? 'Written' : 'Kept'}: ${config.file}`)
  if (canAsk) await menu(session, talk, signal)
  else for (const [area, dir] of Object.entries(config.dirs)) say(`${area}: ${dir}`)
  say('Try: tinyagent "remind me to call the dentist tomorrow at 3pm"')
  return 0
}

/** Until the user has enough. What goes wrong in a part is said, and the other parts are still there. */
async function menu(session: Session, {prompter, part: runPart}: Talk, signal: AbortSignal): Promise<void> {
  const offered = parts.filter(p => p.platform === undefined || p.platform === process.platform)
  for (let next = offered[0]!.name; ;) {
    prompter.say('')
    // A part writes into the file.
    const config = loadConfig(session.config.paths, session.config.file)
    const choices = [...offered.map(p => ({value: p.name, label: p.label, detail: p.state(config)})), {value: 'done', label: 'Done'}]
    const name = await unlessLeft(prompter.choose('What shall be set up?', choices, next))
    const part = offered.find(p => p.name === name)
    if (!part) return
    try {
      const code = await unlessLeft(runPart(own => part.run({...session, config}, {}, own, signal)))
      if (code === undefined) prompter.say('Nothing was changed.', 'note')
      next = code === 0 ? 'done' : part.name
    } catch (error) {
      if (![ConfigError, ModelError, ToolError, UsageError].some(kind => error instanceof kind)) throw error
      prompter.say(reasonOf(error), 'failed')
      next = part.name
    }
  }
}

/** Undefined where the user left. */
const unlessLeft = <T>(answer: Promise<T>): Promise<T | undefined> => answer.catch((error: unknown) => {
  if (error instanceof Left) return undefined
  throw error
})
