// A stand-in for Joplin's data API that keeps notes in memory and checks what it gets against the published one
// (joplinapp.org/help/api/references/rest_api), and the real program, where TINYAGENT_TEST_JOPLIN names it.
import {writeFile} from 'node:fs/promises'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {z} from 'zod'
import {tempFolder} from '../tools/vdir-programs.ts'
import {freePort, startServer} from './process.ts'
import {bodyOf} from './stand-in.ts'

export const joplinToken = 'canary0123456789'

export interface JoplinServer {
  url: string
  /** Takes everything out. */
  empty(): Promise<void>
  stop(): Promise<void>
}

const id = z.string().regex(/^[0-9a-f]{32}$/)
const newFolder = z.strictObject({id, title: z.string().min(1), parent_id: z.union([z.literal(''), id])})
const newNote = z.strictObject({id, title: z.string().min(1), body: z.string(), parent_id: id})
const changedNote = z.strictObject({body: z.string()})
const noteFields = ['id', 'parent_id', 'title', 'body', 'created_time', 'updated_time', 'deleted_time', 'markup_language', 'encryption_applied']
const folderFields = ['id', 'parent_id', 'title', 'created_time', 'updated_time', 'deleted_time', 'encryption_applied']
type Item = Record<string, string | number> & {id: string; title: string; deleted_time: number}

export interface StandIn extends JoplinServer {
  notes: Map<string, Item>
  folders: Map<string, Item>
  /** what was not as published */
  problems: string[]
  requests: string[]
  /** Of the next request of this method the answer is lost, or it does not arrive, or it is refused. */
  fail(method: string, how: 'lost' | 'before' | 'refused', times?: number): void
  /** Runs once, when the next note was changed and before that is answered: somebody else writes. */
  afterChange(work: () => void): void
}

/** `pageSize`: how many are in one page, so that a test needs no hundred. */
export async function startJoplinStandIn(pageSize = 100): Promise<StandIn> {
  const notes = new Map<string, Item>()
  const folders = new Map<string, Item>()
  const problems: string[] = []
  const requests: string[] = []
  let fault: {method: string; how: string; times: number} | undefined
  let after: (() => void) | undefined
  const checked = <T>(schema: z.ZodType<T>, what: string, text: string): T | undefined => {
    const parsed = schema.safeParse(JSON.parse(text))
    if (!parsed.success) problems.push(`${what}: ${z.prettifyError(parsed.error)}`)
    return parsed.data
  }
  const http = createServer((req, res) => {
    void (async () => {
      const text = await bodyOf(req)
      const json = (status: number, value: unknown): void => void res.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(value))
      const url = new URL(req.url ?? '', 'http://x')
      const method = req.method ?? ''
      const [, kind = '', itemId, more] = url.pathname.split('/')
      requests.push(`${method} ${url.pathname}`)
      const query = url.searchParams
      if (query.get('token') !== joplinToken) return json(403, {error: `Invalid "token" parameter: ${query.get('token')}\n\nError: at Api.checkToken_`})
      const isFailing = fault?.method === method && fault.times-- > 0
      if (isFailing && fault?.how === 'before') return void req.socket.destroy()
      if (isFailing && fault?.how === 'refused') return json(500, {error: `Internal Server Error: The disk of ${joplinToken} is full: \n\nError: at save`})
      const items = kind === 'notes' ? notes : kind === 'folders' ? folders : undefined
      const known = kind === 'notes' ? noteFields : folderFields
      if (!items || more !== undefined) { problems.push(`${method} ${url.pathname}`); return json(404, {error: 'Not Found'}) }
      const fields = (query.get('fields') ?? '').split(',')
      if (method === 'GET' && fields.some(f => !known.includes(f))) { problems.push(`fields ${fields.join()}`); return json(500, {error: 'SQLITE_ERROR: no such column'}) }
      const shown = (item: Item): object => Object.fromEntries(fields.map(f => [f, item[f]]))
      const item = itemId === undefined ? undefined : items.get(itemId)
      if (itemId !== undefined && !item) return json(404, {error: 'Not Found: \n\nError: Not Found'})
      if (method === 'GET' && item) return json(200, shown(item))
      if (method === 'GET') {
        const limit = Math.min(Number(query.get('limit')), pageSize)
        if (!(Number(query.get('limit')) <= 100)) problems.push(`limit ${query.get('limit')}`)
        const from = (Number(query.get('page')) - 1) * limit
        const there = [...items.values()].filter(i => i.deleted_time === 0)
        return json(200, {items: there.slice(from, from + limit).map(shown), has_more: there.length > from + limit})
      }
      if (method === 'POST' && !item) {
        const made = checked<{id: string; title: string}>(kind === 'notes' ? newNote : newFolder, kind, text)
        if (made && items.has(made.id)) return json(500, {error: 'Internal Server Error: Error: SQLITE_CONSTRAINT: UNIQUE constraint failed'})
        if (made) items.set(made.id, {...made, created_time: Date.now(), updated_time: Date.now(), deleted_time: 0, markup_language: 1, encryption_applied: 0})
      } else if (method === 'PUT' && item && kind === 'notes') {
        Object.assign(item, checked(changedNote, 'change', text), {updated_time: Date.now()})
        const work = after
        after = undefined
        work?.()
      } else if (method === 'DELETE' && item) {
        item.deleted_time = Date.now()
      } else problems.push(`${method} ${url.pathname}`)
      if (isFailing) return void req.socket.destroy()
      json(200, {})
    })()
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  const {port} = http.address() as AddressInfo // a TCP server's
  return {
    url: `http://127.0.0.1:${port}`, notes, folders, problems, requests,
    fail: (method, how, times = 1) => { fault = {method, how, times} },
    afterChange: work => { after = work },
    empty: async () => { notes.clear(); folders.clear() },
    stop: () => new Promise<void>(resolve => { http.closeAllConnections(); http.close(() => resolve()) }),
  }
}

/** The terminal application (npm's package joplin) with a profile of its own. */
export async function startJoplin(program: string): Promise<JoplinServer> {
  const {path: folder, remove} = await tempFolder()
  const port = await freePort()
  await writeFile(join(folder, 'settings.json'), JSON.stringify({'api.token': joplinToken, 'api.port': port}))
  const server = await startServer(program, ['--profile', folder, 'server', 'start'], [port], async () => '')
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    empty: async () => {
      for (const kind of ['notes', 'folders']) {
        const {items} = z.object({items: z.array(z.object({id}))}).parse(await (await fetch(`${url}/${kind}?token=${joplinToken}&include_deleted=1`)).json())
        for (const item of items) await fetch(`${url}/${kind}/${item.id}?token=${joplinToken}&permanent=1`, {method: 'DELETE'})
      }
    },
    stop: async () => { await server.stop(); await remove() },
  }
}
