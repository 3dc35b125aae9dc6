// `tinyagent setup joplin` and `setup todoist`: what is reached with one token. It is tried first; then it goes where passwords are kept, and
// the config says so.
import type {KeyValue} from '../core/config.ts'
import type {Prompter} from '../core/types.ts'
import {keepSecret} from './keep-secret.ts'
import type {Session} from './session.ts'

interface Service {
  name: 'joplin' | 'todoist'
  /** where its user finds the token */
  where: string
  host: string
  /** Throws ToolError where the token is not taken; else what is there, in a line. */
  check(token: string, signal: AbortSignal): Promise<string>
  /** what the config says from then on */
  keys: KeyValue[]
}

export async function setupToken(session: Session, name: Service['name'], prompter: Prompter): Promise<number> {
  const {config, configError} = session
  if (configError) throw configError
  const {where, ...service} = await services[name](session)
  if (prompter.canAsk) prompter.say(where)
  return keepSecret(config, {...service, what: 'token'}, prompter)
}

const services: Record<Service['name'], (session: Session) => Promise<Service>> = {
  joplin: async ({config}) => {
    const {joplinNotebooks} = await import('../tools/notes/joplin.ts')
    const {url} = config.values.notes.joplin
    return {
      name: 'joplin',
      where: 'In Joplin, Options, Web Clipper: switch the service on, and copy the token below "Advanced options" (terminal: `joplin config api.token`, `joplin server start`).',
      host: new URL(url).host,
      check: async (token, signal) => `It has ${(await joplinNotebooks({url, token: async () => token}, signal)).length} notebooks.`,
      keys: [['notes.backend', 'joplin']],
    }
  },
  todoist: async () => {
    const {todoistHost, todoistProjects} = await import('../tools/reminders/todoist.ts')
    return {
      name: 'todoist',
      where: 'In Todoist, Settings, Integrations, Developer: copy the API token. Your reminders then go to Todoist.',
      host: todoistHost,
      check: async (token, signal) => `It has ${(await todoistProjects({token: async () => token}, signal)).length} projects.`,
      keys: [['reminders.backend', 'todoist']],
    }
  },
}
