// Notes in Joplin, by its data API (joplinapp.org/help/api/references/rest_api) on this machine. Joplin 3.0 or newer, which has a trash.
//
// The API changes a note as a whole and takes no condition, so whoever writes between our reading and our writing would be lost: we do both
// at once, one process of ours at a time, and read again afterwards. Titles come from lists: Joplin's search is some seconds behind.
import {createHash, randomUUID} from 'node:crypto'
import path from 'node:path'
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {failureOf, networkReasons} from '../../core/network.ts'
import {alone} from '../../core/oauth/alone.ts'
import {oneAtATime} from '../../core/one-at-a-time.ts'
import {oneLine} from '../../core/text.ts'
import type {Json} from '../../core/types.ts'
import {isIn, notesNamed, plain} from './match.ts'
import type {Note, NotesBackend} from './notes.ts'

export interface JoplinOptions {
  /** "http://127.0.0.1:41184" */
  url: string
  /** the notebook of what names no folder */
  notebook: string
  token(): Promise<string>
  /** a folder for the file that keeps two processes apart */
  dir: string
}

const requestMs = 10_000
const id = z.string().regex(/^[0-9a-f]{32}$/)
const page = <T extends z.ZodType>(item: T) => z.object({items: z.array(item), has_more: z.boolean().default(false)})
const folderSchema = z.object({id, title: z.string(), parent_id: z.string()})
const listedSchema = folderSchema.extend({encryption_applied: z.number()})
const noteSchema = folderSchema.extend({
  body: z.string(), created_time: z.number(), updated_time: z.number(), deleted_time: z.number(),
  /** 1 is Markdown, 2 HTML */
  markup_language: z.number(), encryption_applied: z.number(),
})
type Whole = z.infer<typeof noteSchema>
const problem = z.object({error: z.string()})
const token = z.discriminatedUnion('type', [
  z.object({type: z.literal('create'), id, hash: z.string()}),
  z.object({type: z.literal('append'), id, hash: z.string(), /** UTF-16 units */ before: z.number().int().min(0)}),
])

/** Lost: the connection broke, and what was asked for may have been done. */
class Lost extends Error {}

const hashOf = ({title, body}: {title: string; body: string}): string => createHash('sha256').update(JSON.stringify([title, body])).digest('hex')
const newId = (): string => randomUUID().replaceAll('-', '')
const linkOf = (noteId: string): string => `joplin://x-callback-url/openNote?id=${noteId}`
const idOf = (note: Note): string => id.parse(note.path.slice(-32))
const gone = (name: string): ToolError => new ToolError('not-found', `The note '${oneLine(name)}' is gone: /notes lists those that there are`)

/** On one line, with nothing in it that hides or reorders text. */
function title(name: string, what = 'note'): string {
  const line = Buffer.from(name).toString().normalize('NFC').replace(/[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '').replace(/[\p{Cc}\s]+/gu, ' ').trim()
  if (line === '') throw new ToolError('invalid-args', `The ${what} has no name: say how it is called`)
  return line
}
const titleOr = (name: string): string => { try { return title(name) } catch { return name } }
const partsOf = (folder: string): string[] => folder.split('/').filter(part => part.trim() !== '').map(part => title(part, 'folder'))

export function openJoplinNotes(options: JoplinOptions): NotesBackend {
  const api = joplinApi(options)
  const inTurn = oneAtATime()
  const exclusively = <T>(work: () => Promise<T>): Promise<T> => inTurn(() => alone(path.join(options.dir, 'joplin.lock'), work))
  const usual = partsOf(options.notebook).join('/')
  const shown = (place: string): string => place === usual ? '' : place

  /** Every note with its notebook's path. */
  const all = async (): Promise<{note: Note; place: string}[]> => {
    const [notes, folders] = await Promise.all([api.list('notes', listedSchema), api.folders()])
    return notes.filter(n => n.encryption_applied === 0).map(n => {
      const place = folders.get(n.parent_id) ?? ''
      return {note: {name: n.title, folder: shown(place), path: linkOf(n.id)}, place}
    }).sort((a, b) => a.place.localeCompare(b.place) || a.note.name.localeCompare(b.note.name) || (a.note.path < b.note.path ? -1 : 1))
  }

  /** An existing notebook is used however its name is capitalised, and also when only its last part is said. */
  const placeFor = async (folder: string): Promise<string> => {
    const meant = partsOf(folder).join('/') || usual
    const known = [...(await api.folders()).values()]
    const near = known.filter(place => isIn(place, plain(meant)))
    return known.find(place => place === meant) ?? known.find(place => plain(place) === plain(meant)) ?? (near.length === 1 ? near[0]! : meant)
  }

  /** The notebook's id; it is made, with those around it, where it is missing. */
  const makePlace = async (place: string): Promise<string> => {
    const known = new Map([...await api.folders()].map(([folderId, at]) => [at, folderId]))
    const existing = known.get(place)
    if (existing !== undefined) return existing
    let parent = ''
    let at = ''
    for (const part of place.split('/')) {
      at = at === '' ? part : `${at}/${part}`
      const madeId = known.get(at) ?? newId()
      if (!known.has(at)) {
        await api.send('POST', 'folders', {id: madeId, title: part, parent_id: parent}).catch(async (error: unknown) => {
          if (!(error instanceof Lost) || !(await api.folders()).has(madeId)) throw notDone(error)
        })
      }
      parent = madeId
    }
    return parent
  }

  /** There is no note yet that anybody could have changed. */
  const makeNote = async (made: {id: string; title: string; body: string; parent_id: string}): Promise<void> => {
    // Of a new note Joplin fetches the pictures, wherever they are, and puts links to its copies in their place; of a changed one it does not.
    const isInert = !/[[<]/.test(made.body)
    try {
      await api.send('POST', 'notes', {...made, body: isInert ? made.body : ''})
      if (!isInert) await api.send('PUT', `notes/${made.id}`, {body: made.body})
    } catch (error) {
      const now = await api.note(made.id).catch(() => { throw unknown(made.title) })
      if (now?.body === made.body) return
      if (now?.body === '') await api.send('DELETE', `notes/${made.id}`).catch(() => { throw unknown(made.title) })
      throw notDone(error)
    }
  }

  const wanted = async (name: string, folder: string) => ({name: title(name), place: await placeFor(folder)})
  const wholeIn = async (name: string, place: string): Promise<Whole | undefined> => {
    const found = (await all()).find(n => n.place === place && plain(n.note.name) === plain(name))
    return found && api.note(idOf(found.note))
  }
  const asMade = (whole: Whole, place: string) => ({
    note: {name: whole.title, folder: shown(place), path: linkOf(whole.id)}, undo: {type: 'create', id: whole.id, hash: hashOf(whole)},
  })

  return {
    list: async () => (await all()).map(n => n.note),
    async find(name, folder) {
      const found = notesNamed((await all()).map(n => ({...n.note, folder: n.place})), titleOr(name), partsOf(folder).join('/'))
      return found.map(n => ({...n, folder: shown(n.folder)}))
    },
    async read(note) {
      const whole = await api.note(idOf(note))
      if (!whole) throw gone(note.name)
      return whole.body.trimEnd()
    },
    create: (name, content, folder) => exclusively(async () => {
      const {name: named, place} = await wanted(name, folder)
      const taken = (await all()).find(n => n.place === place && plain(n.note.name) === plain(named))
      if (taken) throw new ToolError('refused', `There is a note "${oneLine(taken.note.name)}" already: add to it, or give the new one another name`)
      const made = {id: newId(), title: named, body: Buffer.from(content).toString(), parent_id: await makePlace(place)}
      await makeNote(made)
      return {note: {name: named, folder: shown(place), path: linkOf(made.id)}, undo: {type: 'create', id: made.id, hash: hashOf(made)}}
    }),
    append: (note, content) => exclusively(async () => {
      const added = Buffer.from(content).toString()
      for (let tries = 0; tries < 3; tries++) {
        const before = await api.note(idOf(note))
        if (!before) throw gone(note.name)
        if (before.markup_language !== 1) throw new ToolError('refused', `The note '${oneLine(note.name)}' is kept as HTML: convert it to Markdown in Joplin, then text can be added`)
        const body = `${before.body}${before.body === '' || before.body.endsWith('\n') ? '' : '\n'}${added}`
        // The same change again changes nothing, so a lost answer is no danger: what is there now decides.
        await api.send('PUT', `notes/${before.id}`, {body}).catch((error: unknown) => { if (!(error instanceof Lost)) throw error })
        const now = await api.note(before.id).catch(() => { throw unknown(note.name) })
        if (now && (now.body === body || count(now.body, added) > count(before.body, added))) {
          return {undo: {type: 'append', id: before.id, hash: hashOf({title: now.title, body}), before: before.body.length}}
        }
      }
      throw new ToolError('failed', `Another program keeps writing to the note '${oneLine(note.name)}', and nothing was added. Try again when it is done.`)
    }),
    async made(name, content, folder, since) {
      const {name: named, place} = await wanted(name, folder)
      const found = await wholeIn(named, place)
      if (!found) return undefined
      return found.created_time >= since.getTime() && found.body === Buffer.from(content).toString() ? asMade(found, place) : 'unclear'
    },
    async added(note, content, since) {
      const found = await api.note(idOf(note))
      if (!found || found.updated_time < since.getTime()) return undefined
      const text = Buffer.from(content).toString()
      if (!found.body.endsWith(text)) return 'unclear'
      const before = found.body.length - text.length
      // A line end before it may be the note's own or ours: it stays.
      return {undo: {type: 'append', id: found.id, hash: hashOf(found), before}}
    },
    undo: (json: Json) => exclusively(async () => {
      const parsed = token.safeParse(json)
      if (!parsed.success) throw new ToolError('refused', 'The journal does not say which note to take back.')
      const made = parsed.data
      const now = await api.note(made.id)
      if (!now || hashOf(now) !== made.hash) throw new ToolError('refused', `The note ${now ? `'${oneLine(now.title)}' has changed since: it` : 'is gone, or'} is left as it is in Joplin`)
      const isDone = (later: Whole | undefined): boolean => made.type === 'create' ? !later : later?.body.length === made.before
      await (made.type === 'create' ? api.send('DELETE', `notes/${made.id}`) : api.send('PUT', `notes/${made.id}`, {body: now.body.slice(0, made.before)})).catch((error: unknown) => { if (!(error instanceof Lost)) throw error })
      if (!isDone(await api.note(made.id))) throw new ToolError('failed', `Joplin broke the connection, and the note '${oneLine(now.title)}' is as it was. Try again.`)
      return made.type === 'create' ? `Moved the note '${oneLine(now.title)}' to Joplin's trash` : `Took the last lines out of the note '${oneLine(now.title)}'`
    }),
  }
}

const count = (text: string, part: string): number => text.split(part).length - 1

const unknown = (name: string): ToolError => new ToolError('unknown', `Joplin broke the connection, and it is not known what became of the note '${oneLine(name)}'. Look there before you do it again.`)
const notDone = (error: unknown): unknown => error instanceof Lost ? new ToolError('failed', 'Joplin broke the connection, and nothing was made. Try again.') : error

/** What `doctor` and `setup` ask: whether Joplin is there and takes the token. Its notebooks' paths. */
export const joplinNotebooks = async (options: Pick<JoplinOptions, 'url' | 'token'>, signal?: AbortSignal): Promise<string[]> => [...(await joplinApi(options, signal).folders()).values()].sort()

function joplinApi({url, token: secret}: Pick<JoplinOptions, 'url' | 'token'>, signal?: AbortSignal) {
  const {host} = new URL(url)

  /** Throws Lost, or ToolError where nothing was done. The token stands in the address, as the API has it: no message holds one. */
  const send = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', where: string, body?: object, query: Record<string, string> = {}): Promise<{status: number; json: unknown}> => {
    const own = await secret()
    const limit = AbortSignal.timeout(requestMs)
    let response: Response
    let text: string
    try {
      response = await fetch(`${url.replace(/\/$/, '')}/${where}?${new URLSearchParams({...query, token: own})}`, {
        method, redirect: 'error', signal: signal ? AbortSignal.any([signal, limit]) : limit, ...(body && {body: JSON.stringify(body), headers: {'content-type': 'application/json'}}),
      })
      text = await response.text()
    } catch (error) {
      signal?.throwIfAborted()
      const {code, isBefore} = failureOf(error)
      if (!isBefore && method !== 'GET') throw new Lost('', {cause: error})
      throw new ToolError('unavailable', `Joplin does not answer at ${host} (${networkReasons[code] ?? (limit.aborted ? 'no answer in time' : code || 'the connection broke')}). Start it and its web clipper service (Options, Web Clipper), or \`joplin server start\`.`, {cause: error})
    }
    let json: unknown
    try { json = JSON.parse(text || 'null') } catch { /* no JSON: another program's answer */ }
    if (response.ok || (response.status === 404 && method !== 'POST')) return {status: response.status, json}
    if (response.status === 403) throw new ToolError('unavailable', 'Joplin does not take the token. Copy it from its options (Web Clipper, Advanced options); `tinyagent setup joplin` asks for it.')
    const said = problem.safeParse(json)
    const why = said.success ? oneLine(said.data.error.split('\n')[0]!.replaceAll(own, '...')).slice(0, 200) : ''
    throw new ToolError('failed', `Joplin refused it (HTTP ${response.status}${why && `: ${why}`}).`)
  }
  const understood = <T extends z.ZodType>(schema: T, json: unknown): z.infer<T> => {
    const parsed = schema.safeParse(json)
    if (!parsed.success) throw new ToolError('failed', `What answers at ${host} does not speak as Joplin 3 does. \`tinyagent config get notes.joplin.url\` shows the address.`, {cause: parsed.error})
    return parsed.data
  }
  const fieldsOf = (schema: z.ZodObject): string => Object.keys(schema.shape).join(',')

  const list = async <T extends z.ZodObject>(kind: 'notes' | 'folders', schema: T): Promise<z.infer<T>[]> => {
    const items: z.infer<T>[] = []
    // In the order in which they were made, so that one that is changed meanwhile is not missed.
    for (let n = 1; ; n++) {
      const {json} = await send('GET', kind, undefined, {fields: fieldsOf(schema), order_by: 'created_time', order_dir: 'ASC', limit: '100', page: String(n)})
      const got = understood(page(schema), json)
      items.push(...got.items as z.infer<T>[]) // zod's type of a generic page is not resolved
      if (!got.has_more) return items
    }
  }
  return {
    send,
    list,
    /** What is in the trash is not there. */
    async note(noteId: string): Promise<Whole | undefined> {
      const {status, json} = await send('GET', `notes/${noteId}`, undefined, {fields: fieldsOf(noteSchema)})
      const whole = status === 404 ? undefined : understood(noteSchema, json)
      return whole?.deleted_time === 0 ? whole : undefined
    },
    /** Each notebook's path ("Trips/Berlin") by its id. */
    async folders(): Promise<Map<string, string>> {
      const byId = new Map((await list('folders', folderSchema)).map(f => [f.id, f]))
      const pathOf = (folder: z.infer<typeof folderSchema>, depth = 0): string => {
        const parent = depth < 50 ? byId.get(folder.parent_id) : undefined
        return parent ? `${pathOf(parent, depth + 1)}/${folder.title}` : folder.title
      }
      return new Map([...byId].map(([folderId, folder]) => [folderId, pathOf(folder)]))
    },
  }
}
