// Reminders as tasks in Todoist (developer.todoist.com/api/v1, its unified API). A list is a project, and what names none goes into the inbox.
//
// At most once: a task is written down before Todoist is asked for it, and asked for in one request with an id of its own (X-Request-Id, by
// which Todoist drops a second one). After a lost answer Todoist's list is looked at; what is not in it may still come, so that is unknown.
import {readFile, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {z} from 'zod'
import {isAbort, ToolError} from '../../core/errors.ts'
import {failureOf, networkReasons} from '../../core/network.ts'
import {oneLine} from '../../core/text.ts'
import type {Json} from '../../core/types.ts'
import {plainLine, plainText} from '../calendar/ical.ts'
import {absolute, atTime, parseWhen} from '../calendar/when.ts'
import {createWhole, damaged, isMissing} from '../files/durable.ts'
import {sha256, uidOf} from '../vdir.ts'
import type {NewReminder, Priority, ReminderEntry, RemindersBackend} from './reminders.ts'
import {bare} from './vdir-reminders.ts'

export interface TodoistOptions {
  token(signal?: AbortSignal): Promise<string>
  /** the project of what names no list; '' is the inbox */
  usual: string
  /** where tasks are written down */
  dir: string
  /** default Todoist's */
  origin?: string
}

export const todoistHost = 'api.todoist.com'

const requestMs = 15_000
/** How far the clocks of two machines may be apart. */
const clocksMs = 60_000
const pageSize = 200
const maxContent = 500
const maxDescription = 16_383
const maxProject = 120

/** Theirs count from 1, normal, to 4, urgent. */
const theirs: Record<Priority, 1 | 2 | 3 | 4> = {0: 1, 9: 2, 5: 3, 1: 4}
const ours = (theirPriority: number): Priority => theirPriority === 4 ? 1 : theirPriority === 3 ? 5 : theirPriority === 2 ? 9 : 0

const task = z.object({
  id: z.string().regex(/^\w+$/), project_id: z.string(), content: z.string(), description: z.string(), priority: z.number(), labels: z.array(z.string()),
  due: z.object({date: z.string(), is_recurring: z.boolean()}).nullable(), checked: z.boolean(), is_deleted: z.boolean().default(false), added_at: z.string().nullable(),
})
type Task = z.infer<typeof task>
const project = z.object({id: z.string(), name: z.string(), inbox_project: z.boolean().default(false)})
type Project = z.infer<typeof project>
const pageOf = <T extends z.ZodType>(item: T) => z.object({results: z.array(item), next_cursor: z.string().nullable()})
const problem = z.object({error: z.string(), error_extra: z.object({retry_after: z.number().optional()}).loose().optional().catch(undefined)})
const newTask = z.object({
  content: z.string(), description: z.string().optional(), project_id: z.string(), priority: z.number(), due_date: z.string().optional(), due_datetime: z.string().optional(),
  auto_reminder: z.boolean().optional(), auto_parse_labels: z.literal(false),
})
type NewTask = z.infer<typeof newTask>
const record = z.object({task: newTask, at: z.string()})
const token = z.object({id: task.shape.id, hash: z.string()})

/** Lost: the answer did not come, or made no sense, and what was asked for may have been done. */
class Lost extends Error {}

/** What people can change of a task. */
const hashOf = ({content, description, priority, labels, due, project_id: at, checked}: Task): string => sha256(JSON.stringify([content, description, priority, labels, due?.date ?? '', at, checked]))
const linkOf = (id: string): string => `https://app.todoist.com/app/task/${id}`
const fold = (name: string): string => plainLine(name).normalize('NFKC').toLowerCase()
/** At most 36 bytes. */
const requestId = (key: string): string => sha256(key).slice(0, 32)

/** A day as it is, a time as UTC or as it is (a floating one is local). */
function dueOf(date: string): string {
  try {
    const at = new Date(date)
    return date.endsWith('Z') ? absolute(atTime(at)) : absolute(parseWhen(date.replace(/\.\d+$/, ''), 'due date'))
  } catch {
    return '' // a form that is not known
  }
}

export function openTodoistReminders(options: TodoistOptions): RemindersBackend {
  const api = todoistApi(options)
  const projects = (signal?: AbortSignal): Promise<Project[]> => api.list('projects', project, {}, signal)

  const listName = (name: string): string => [...plainLine(name) || plainLine(options.usual)].slice(0, maxProject).join('').trim()

  /** The project that a name means; '' is the usual one. */
  const find = (all: Project[], name: string): Project | undefined => {
    const meant = listName(name)
    if (meant === '') return all.find(p => p.inbox_project)
    const named = (wanted: string): Project | undefined => wanted === '' ? undefined : all.find(p => p.name === wanted) ?? all.find(p => fold(p.name) === fold(wanted))
    return named(meant) ?? named(bare(meant))
  }
  const newName = (name: string): string => bare(listName(name)) || listName(name) || 'Inbox'

  const findOrMake = async (name: string, key: string, signal?: AbortSignal): Promise<Project> => {
    const existing = find(await projects(signal), name)
    if (existing) return existing
    const wanted = newName(name)
    try {
      return await api.send('POST', 'projects', project, {body: {name: wanted}, id: requestId(`${key} project`), signal})
    } catch (error) {
      if (!(error instanceof Lost)) throw error
      const made = find(await projects(signal), wanted)
      if (!made) throw new ToolError('failed', `The connection to Todoist broke, and it shows no list "${oneLine(wanted)}" yet. No task was made. Try again.`, {cause: error})
      return made
    }
  }

  /** The task that a request made since then. Its absence proves nothing: the answer may come before the task, and one that is done is not listed. */
  const made = async (body: NewTask, since: number, signal?: AbortSignal): Promise<Task | undefined> => (await api.list('tasks', task, {project_id: body.project_id}, signal)).find(t =>
    t.content === body.content && t.description === (body.description ?? '') && t.priority === body.priority && t.added_at !== null && Date.parse(t.added_at) >= since
    && (t.due ? dueOf(t.due.date) : '') === dueOf(body.due_datetime ?? body.due_date ?? ''))

  const recordOf = (uid: string): string => join(options.dir, `${uidOf(uid)}.json`)

  return {
    async list(name) {
      const found = find(await projects(), name)
      return found ? {name: found.name, exists: true} : {name: newName(name), exists: false}
    },
    async create(reminder, uid, _now, signal) {
      signal?.throwIfAborted()
      const body: NewTask = {...bodyOf(reminder), project_id: ''}
      const where = recordOf(uid)
      const before = new ToolError('refused', `Todoist was asked for this task before (${where}). Look there before you make it again.`)
      if (await readFile(where).then(() => true, isNotMissing)) throw before
      body.project_id = (await findOrMake(reminder.list, uid, signal)).id
      const at = Date.now()
      if (!await createWhole(where, `${JSON.stringify({task: body, at: new Date(at).toISOString()}, undefined, 2)}\n`)) throw before
      try {
        const answer = await api.send('POST', 'tasks', task, {body, id: requestId(uid), signal})
        return {where: linkOf(answer.id), undo: {id: answer.id, hash: hashOf(answer)}}
      } catch (error) {
        if (isAbort(error) && signal?.aborted) throw error
        if (!(error instanceof Lost)) {
          await rm(where, {force: true}) // nothing was made: it may be tried again
          throw error
        }
        const found = await made(body, at - clocksMs, signal).catch((cause: unknown) => { if (isAbort(cause) && signal?.aborted) throw cause })
        if (found) return {where: linkOf(found.id), undo: {id: found.id, hash: hashOf(found)}}
        throw new ToolError('unknown', 'Todoist\'s answer was lost; it is not known whether the task was made. Look at Todoist before you make it again.', {cause: error})
      }
    },
    async made(uid, signal) {
      const text = await readFile(recordOf(uid), 'utf8').catch((error: unknown) => { if (!isMissing(error)) throw error })
      if (text === undefined) return undefined // Todoist was not asked for it
      const {task: body, at} = recordIn(text, recordOf(uid))
      const found = await made(body, Date.parse(at) - clocksMs, signal)
      if (!found) throw new ToolError('unknown', 'Todoist lists no such task, which proves nothing: it may be done already. Look there before you make it again.')
      return {undo: {id: found.id, hash: hashOf(found)}}
    },
    async remove(undo: Json, signal) {
      const parsed = token.safeParse(undo)
      if (!parsed.success) throw new ToolError('refused', 'The journal does not say which task to take back.')
      const {id, hash} = parsed.data
      const now = await api.task(id, signal)
      if (!now) throw new ToolError('refused', `${linkOf(id)} is gone, or done already.`)
      if (hashOf(now) !== hash) throw new ToolError('refused', `The task '${oneLine(now.content)}' has changed since, so it is left alone. Change it in Todoist.`)
      await api.send('DELETE', `tasks/${id}`, z.unknown(), {signal}).catch(async (error: unknown) => {
        if (!(error instanceof Lost) || await api.task(id, signal)) throw error instanceof Lost ? new ToolError('failed', 'The connection to Todoist broke, and the task is still there. Try again.', {cause: error}) : error
      })
    },
    async reminders() {
      const [tasks, all] = await Promise.all([api.list('tasks', task), projects()])
      const names = new Map(all.map(p => [p.id, p.name]))
      const entries = tasks.map((t): ReminderEntry => ({
        uid: t.id, name: t.content, due: t.due ? dueOf(t.due.date) : '', list: names.get(t.project_id) ?? '', priority: ours(t.priority), isDone: t.checked,
      }))
      return entries.sort((a, b) => (a.due || '9999').localeCompare(b.due || '9999') || a.name.localeCompare(b.name))
    },
  }
}

function recordIn(text: string, path: string): z.infer<typeof record> {
  try {
    return record.parse(JSON.parse(text))
  } catch (error) {
    throw damaged(path, error)
  }
}

const isNotMissing = (error: unknown): boolean => {
  if (isMissing(error)) return false
  throw error
}

/** A time goes as UTC, and rings as the account's settings have it; a day has no time to ring at. */
function bodyOf({name, due, notes, priority}: NewReminder): Omit<NewTask, 'project_id'> {
  const content = plainLine(name)
  const description = plainText(notes)
  for (const [what, text, max] of [['title', content, maxContent], ['note', description, maxDescription]] as const) {
    if ([...text].length > max) throw new ToolError('invalid-args', `Todoist takes up to ${max} characters in the ${what} of a task, and this one has ${[...text].length}.`)
  }
  return {
    content, ...(description && {description}), priority: theirs[priority], auto_parse_labels: false,
    ...(due && (due.time ? {due_datetime: due.at.toISOString().replace(/\.\d{3}Z$/, 'Z'), auto_reminder: true} : {due_date: due.day})),
  }
}

/** What `doctor` and `setup` ask: whether Todoist takes the token. The names of the projects. */
export const todoistProjects = async (options: Pick<TodoistOptions, 'token' | 'origin'>, signal: AbortSignal): Promise<string[]> =>
  (await todoistApi(options).list('projects', project, {}, signal)).map(p => p.name)

function todoistApi({token: secret, origin = `https://${todoistHost}`}: Pick<TodoistOptions, 'token' | 'origin'>) {
  /** One request, and never a second one. Throws Lost, or ToolError where nothing was done. */
  const send = async <T extends z.ZodType>(method: 'GET' | 'POST' | 'DELETE', where: string, schema: T, {body, id, query = {}, signal}: {body?: object; id?: string; query?: Record<string, string>; signal?: AbortSignal | undefined} = {}): Promise<z.infer<T>> => {
    const authorization = `Bearer ${await secret(signal)}`
    const search = new URLSearchParams(query).toString()
    let response: Response
    let json: unknown
    try {
      response = await fetch(`${origin}/api/v1/${where}${search && `?${search}`}`, {
        method, redirect: 'error', signal: signal ? AbortSignal.any([signal, AbortSignal.timeout(requestMs)]) : AbortSignal.timeout(requestMs),
        headers: {authorization, ...(body && {'content-type': 'application/json'}), ...(id !== undefined && {'x-request-id': id})}, ...(body && {body: JSON.stringify(body)}),
      })
      const text = await response.text()
      try { json = JSON.parse(text || 'null') } catch { /* no JSON: a gateway's page */ }
    } catch (error) {
      signal?.throwIfAborted()
      const {code, isBefore} = failureOf(error)
      if (!isBefore && method !== 'GET') throw new Lost('', {cause: error})
      throw new ToolError('unavailable', `${new URL(origin).host} cannot be reached: ${networkReasons[code] ?? (code || 'no answer')}. Nothing was changed.`, {cause: error})
    }
    if (!response.ok && (response.status < 500 || method === 'GET')) throw refusal(response, json)
    const parsed = response.ok ? schema.safeParse(json) : undefined
    if (parsed?.success) return parsed.data
    if (method !== 'GET') throw new Lost(`HTTP ${response.status}`, {cause: parsed?.error})
    throw new ToolError('failed', 'Todoist answered with something that is not its API v1. Nothing was changed.', {cause: parsed?.error})
  }
  return {
    send,
    async list<T extends z.ZodType>(kind: 'tasks' | 'projects', item: T, query: Record<string, string> = {}, signal?: AbortSignal): Promise<z.infer<T>[]> {
      const items: z.infer<T>[] = []
      let cursor: string | null = ''
      while (cursor !== null) {
        const page: {results: z.infer<T>[]; next_cursor: string | null} = await send('GET', kind, pageOf(item), {query: {...query, limit: String(pageSize), ...(cursor && {cursor})}, signal})
        items.push(...page.results)
        cursor = page.next_cursor || null
      }
      return items
    },
    /** undefined: it is gone, or done. */
    async task(id: string, signal?: AbortSignal): Promise<Task | undefined> {
      const found: Task | undefined = await send('GET', `tasks/${id}`, task, {signal}).catch((error: unknown) => {
        if (error instanceof ToolError && error.code === 'not-found') return undefined
        throw error
      })
      return found && !found.is_deleted && !found.checked ? found : undefined
    },
  }
}

function refusal(response: Response, json: unknown): ToolError {
  const {status} = response
  const said = problem.safeParse(json)
  const words = said.success ? ` (${status}: ${oneLine(said.data.error).slice(0, 200)})` : ` (HTTP ${status})`
  if (status === 401) return new ToolError('unavailable', 'Todoist does not take the token. Copy it from Settings, Integrations, Developer; `tinyagent setup todoist` asks for it.')
  if (status === 403) return new ToolError('refused', `Todoist does not allow it${words}. Nothing was changed.`)
  if (status === 404) return new ToolError('not-found', `Todoist has no such thing${words}. Nothing was changed.`)
  if (status === 429) {
    const seconds = Number(response.headers.get('retry-after')) || (said.success && said.data.error_extra?.retry_after) || 0
    return new ToolError('failed', `Todoist takes no more requests for now. Nothing was changed. Try again ${seconds > 0 ? `in ${Math.ceil(seconds)} seconds` : 'later'}.`)
  }
  return new ToolError('failed', `Todoist ${status >= 500 ? 'failed' : 'refused it'}${words}. Nothing was changed.`)
}
