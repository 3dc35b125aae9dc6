// A stand-in for Todoist's API v1 that keeps tasks in memory and checks what it gets against what developer.todoist.com/api/v1 and Todoist's
// own client libraries say of it.
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {z} from 'zod'
import {bodyOf, checkedInto} from './stand-in.ts'

export const todoistToken = 'canary0123456789'

const newTask = z.strictObject({
  content: z.string().min(1).max(500), description: z.string().min(1).max(16_383).optional(), project_id: z.string().min(1), priority: z.number().int().min(1).max(4),
  due_date: z.iso.date().optional(), due_datetime: z.iso.datetime({precision: 0}).optional(), auto_reminder: z.boolean().optional(), auto_parse_labels: z.boolean(),
}).refine(t => t.due_date === undefined || t.due_datetime === undefined, 'one due date')
const newProject = z.strictObject({name: z.string().refine(n => [...n].length >= 1 && [...n].length <= 120)})

export interface Task { id: string; content: string; description: string; project_id: string; priority: number; checked: boolean; is_deleted: boolean; labels: string[]; added_at: string; due: {date: string; timezone: string | null; is_recurring: boolean; string: string; lang: string} | null }
/** `lost`: done, and the line breaks before the answer. `before`: the line breaks, and nothing is done. `gateway`: done, and a gateway answers. A number is a status. */
export type Fault = 'lost' | 'before' | 'gateway' | number

export async function startTodoist() {
  const tasks = new Map<string, Task>()
  const projects = [{id: 'p1', name: 'Inbox', inbox_project: true}, {id: 'p2', name: 'Groceries', inbox_project: false}]
  const problems: string[] = []
  const requests: {line: string; id: string | undefined}[] = []
  let fault: {line: string; how: Fault} | undefined
  const check = checkedInto(problems)
  const checked = <T>(schema: z.ZodType<T>, text: string): T | undefined => check(schema, JSON.parse(text))
  const http = createServer((req, res) => {
    void (async () => {
      const text = await bodyOf(req)
      const json = (status: number, value: unknown, headers: Record<string, string> = {}): void => void res.writeHead(status, {'content-type': 'application/json', ...headers}).end(JSON.stringify(value))
      const failed = (status: number, error: string, extra = {}) => json(status, {error, error_code: 0, error_tag: 'X', error_extra: extra, http_code: status})
      const url = new URL(req.url ?? '', 'http://x')
      const line = `${req.method} ${url.pathname}`
      const given = req.headers['x-request-id']
      requests.push({line, id: typeof given === 'string' ? given : undefined})
      if (req.headers.authorization !== `Bearer ${todoistToken}`) return failed(401, 'Unauthorized')
      const {how} = fault && line.startsWith(fault.line) ? fault : {how: undefined}
      if (how !== undefined) fault = undefined
      if (how === 'before') return void req.socket.destroy()
      if (how === 429) return json(429, {error: 'Too many requests', error_extra: {retry_after: 17}}, {'retry-after': '17'})
      if (typeof how === 'number') return failed(how, `Failed with ${how}`)
      const answer = (value: unknown, status = 200): void => {
        if (how === 'lost') req.socket.destroy()
        else if (how === 'gateway') res.writeHead(502, {'content-type': 'text/html'}).end('<html>Bad gateway</html>')
        else if (status === 204) res.writeHead(204).end()
        else json(status, value)
      }
      if (req.method === 'POST') {
        if (req.headers['content-type'] !== 'application/json') problems.push(`type ${req.headers['content-type']}`)
        if (typeof given !== 'string' || Buffer.byteLength(given) > 36) problems.push(`X-Request-Id ${String(given)}`)
      }
      const paged = (all: object[]): void => {
        const limit = Number(url.searchParams.get('limit'))
        if (!(limit >= 1 && limit <= 200)) problems.push(`limit ${limit}`)
        const from = Number(url.searchParams.get('cursor') ?? 0)
        answer({results: all.slice(from, from + 2), next_cursor: all.length > from + 2 ? String(from + 2) : null})
      }
      const [, , , kind = '', id] = url.pathname.split('/')
      const one = id === undefined ? undefined : tasks.get(id)
      if (line === 'GET /api/v1/projects') return paged(projects)
      if (line === 'GET /api/v1/tasks') return paged([...tasks.values()].filter(t => !t.checked && [null, t.project_id].includes(url.searchParams.get('project_id'))))
      if (line === 'POST /api/v1/projects') {
        const {name} = checked(newProject, text) ?? {name: ''}
        const made = {id: `p${projects.length + 1}`, name, inbox_project: false}
        projects.push(made)
        return answer(made)
      }
      if (line === 'POST /api/v1/tasks') {
        const {due_date: day, due_datetime: time, description = '', ...rest} = checked(newTask, text) ?? {content: '', project_id: '', priority: 1}
        if (!projects.some(p => p.id === rest.project_id)) problems.push(`project ${rest.project_id}`)
        const date = day ?? time?.replace('Z', '.000000Z')
        const made: Task = {
          id: `t${tasks.size + 1}`, content: rest.content, description, project_id: rest.project_id, priority: rest.priority, checked: false, is_deleted: false, labels: [], added_at: new Date().toISOString(),
          due: date === undefined ? null : {date, timezone: time === undefined ? null : 'Europe/Berlin', is_recurring: false, string: date, lang: 'en'},
        }
        tasks.set(made.id, made)
        return answer(made)
      }
      if (kind === 'tasks' && id !== undefined && !one) return failed(404, 'Task not found')
      if (req.method === 'GET' && kind === 'tasks') return answer(one)
      if (req.method === 'DELETE' && kind === 'tasks' && one) {
        tasks.delete(one.id)
        return answer(undefined, 204)
      }
      problems.push(line)
      failed(404, 'Not found')
    })()
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  const {port} = http.address() as AddressInfo // a TCP server's
  return {
    origin: `http://127.0.0.1:${port}`, tasks, projects, problems, requests,
    /** of the next request that begins with this line */
    fail: (line: string, how: Fault): void => { fault = {line, how} },
    close: () => new Promise<void>(resolve => { http.closeAllConnections(); http.close(() => resolve()) }),
  }
}
