// Notes as Markdown files in folders, as Obsidian keeps them: Folder/Name.md. Nothing outside the root is read or written,
// a new note is whole or absent, and what a note held stays in it byte for byte.
import {createHash} from 'node:crypto'
import {mkdir, open, readdir, readFile, realpath, stat, unlink} from 'node:fs/promises'
import path from 'node:path'
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import type {Json} from '../../core/types.ts'
import {createWhole, errno, isMissing, notWritten, syncFolder} from '../files/durable.ts'
import {fileName, isIn, notesNamed, plain} from './match.ts'
import type {Note, NotesBackend} from './notes.ts'

const token = z.discriminatedUnion('type', [
  z.object({type: z.literal('create'), path: z.string(), hash: z.string()}),
  z.object({type: z.literal('append'), path: z.string(), hash: z.string(), /** bytes */ before: z.number().int().min(0)}),
])
const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const maxDepth = 8
const extension = '.md'

const isWithin = (file: string, folder: string): boolean => file === folder || file.startsWith(folder + path.sep)

/** A folder of notes, made when the first note is. */
export function openMarkdownNotes(root: string): NotesBackend {
  interface Tree { notes: Note[]; folders: string[] }
  const walk = async (dir: string, depth: number): Promise<Tree> => {
    const entries = await readdir(dir, {withFileTypes: true}).catch(() => []) // not there yet, or unreadable among good ones
    const folder = path.relative(root, dir).split(path.sep).join('/')
    const trees = await Promise.all(entries.filter(e => !e.name.startsWith('.')).map(async (e): Promise<Tree> => {
      const full = path.join(dir, e.name)
      if (e.isDirectory()) return depth < maxDepth ? walk(full, depth + 1) : {notes: [], folders: []}
      if (!e.isFile() || !e.name.endsWith(extension)) return {notes: [], folders: []}
      return {notes: [{name: e.name.slice(0, -extension.length), folder, path: full}], folders: []}
    }))
    return {notes: trees.flatMap(t => t.notes), folders: [folder, ...trees.flatMap(t => t.folders)].filter(Boolean)}
  }
  const list = async (): Promise<Note[]> => (await walk(root, 0)).notes.sort((a, b) => a.path < b.path ? -1 : 1)

  /** Throws unless the file is really inside the root: a link may lead out of it. Of what is not there yet its folder counts. */
  const inside = async (file: string): Promise<void> => {
    const refused = new ToolError('refused', `${oneLine(file)} is outside the notes folder`)
    let at = path.resolve(file)
    if (!isWithin(at, path.resolve(root))) throw refused
    const base = await realpath(root).catch(() => undefined)
    while (base !== undefined) {
      const real = await realpath(at).catch((cause: unknown) => {
        if (isMissing(cause)) return undefined
        throw notWritten(at, cause)
      })
      if (real !== undefined && !isWithin(real, base)) throw refused
      if (real !== undefined) return
      at = path.dirname(at)
    }
  }

  /** An existing folder is used however its name is capitalised, and also when only its last part is said. */
  const folderFor = async (folder: string): Promise<string> => {
    const wanted = folder.split(/[/\\]/).filter(part => part.trim() !== '').map(part => fileName(part, 'folder')).join('/')
    if (wanted === '') return ''
    const known = (await walk(root, 0)).folders
    const near = known.filter(f => isIn(f, plain(wanted)))
    return known.find(f => f === wanted) ?? known.find(f => plain(f) === plain(wanted)) ?? (near.length === 1 ? near[0]! : wanted)
  }

  return {
    list,
    find: async (name, folder) => notesNamed(await list(), name, folder),
    async read(note) {
      await inside(note.path)
      return (await readFile(note.path, 'utf8').catch((cause: unknown) => { throw notRead(note.path, cause) })).replace(/^\ufeff/, '').trimEnd()
    },
    async create(name, content, folder) {
      const place = await folderFor(folder)
      const dir = path.join(root, place)
      await inside(dir)
      await mkdir(dir, {recursive: true, mode: 0o700}).catch((cause: unknown) => { throw notWritten(dir, cause) })
      const base = fileName(bareExtension(name))
      const file = path.join(dir, `${base}${extension}`)
      const taken = (await list()).find(n => n.folder === place && plain(n.name) === plain(base))
      const text = Buffer.from(withEnd(content))
      if (taken || !await createWhole(file, text)) {
        throw new ToolError('refused', `There is a note "${oneLine(taken?.name ?? base)}" already: add to it, or give the new one another name`)
      }
      return {note: {name: base, folder: place, path: file}, undo: {type: 'create', path: file, hash: hashOf(text)}}
    },
    async append(note, content) {
      await inside(note.path)
      const before = await readFile(note.path).catch((cause: unknown) => { throw notRead(note.path, cause) })
      const added = Buffer.from(addition(before, content))
      await appendWhole(note.path, added, before.length)
      return {undo: {type: 'append', path: note.path, hash: hashOf(Buffer.concat([before, added])), before: before.length}}
    },
    async made(name, content, folder, since) {
      const file = path.join(root, await folderFor(folder), `${fileName(bareExtension(name))}${extension}`)
      await inside(file)
      const found = await writtenSince(file, since)
      const text = Buffer.from(withEnd(content))
      if (!found) return undefined
      if (!found.isSince || !found.bytes.equals(text)) return 'unclear'
      const place = path.relative(root, path.dirname(file)).split(path.sep).join('/')
      return {note: {name: path.basename(file, extension), folder: place, path: file}, undo: {type: 'create', path: file, hash: hashOf(text)}}
    },
    async added({path: file}, content, since) {
      await inside(file)
      const found = await writtenSince(file, since)
      if (!found?.isSince) return undefined
      // With the line end before it where the note had none at its end.
      const text = Buffer.from(found.bytes.includes('\r\n') ? withEnd(content).replace(/\r?\n/g, '\r\n') : withEnd(content))
      if (!found.bytes.subarray(-text.length).equals(text)) return 'unclear'
      return {undo: {type: 'append', path: file, hash: hashOf(found.bytes), before: found.bytes.length - text.length}}
    },
    async undo(json: Json) {
      const parsed = token.safeParse(json)
      if (!parsed.success) throw new ToolError('refused', 'The journal does not say which note to take back.')
      const made = parsed.data
      await inside(made.path)
      const name = `'${oneLine(path.basename(made.path, extension))}'`
      const now = await readFile(made.path).catch(() => undefined)
      if (now === undefined || hashOf(now) !== made.hash) throw new ToolError('refused', `The note ${name} has changed since: ${oneLine(made.path)} is left as it is`)
      try {
        if (made.type === 'create') {
          await unlink(made.path)
          await syncFolder(path.dirname(made.path))
          return `Removed the note ${name}`
        }
        await cut(made.path, made.before)
        return `Took the last lines out of the note ${name}`
      } catch (cause) {
        throw notWritten(made.path, cause)
      }
    },
  }
}

/** The kernel stamps files by a clock that is up to a hundredth of a second behind. */
const stampSlackMs = 50

/** A note's bytes, and whether anybody has written to it since then; undefined: there is none. */
async function writtenSince(file: string, since: Date): Promise<{bytes: Buffer; isSince: boolean} | undefined> {
  try {
    const {mtimeMs} = await stat(file)
    return {bytes: await readFile(file), isSince: mtimeMs >= since.getTime() - stampSlackMs}
  } catch (cause) {
    if (isMissing(cause)) return undefined
    throw notRead(file, cause)
  }
}

const bareExtension = (name: string): string => name.trim().replace(/(?<=\S)\.md$/i, '')

const withEnd = (text: string): string => text === '' || text.endsWith('\n') ? text : `${text}\n`

/** On a line of its own, with the line ends that the note has. */
function addition(before: Buffer, content: string): string {
  const line = before.length > 0 && before.at(-1) !== 0x0a ? '\n' : ''
  const text = `${line}${withEnd(content)}`
  return before.includes('\r\n') ? text.replace(/\r?\n/g, '\r\n') : text
}

/** Added at the end in one go: another program that adds at the same time loses nothing, and on a full disk nothing half stays. */
async function appendWhole(file: string, added: Buffer, before: number): Promise<void> {
  try {
    const handle = await open(file, 'a')
    try {
      await handle.appendFile(added)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (cause) {
    if (errno(cause) === 'ENOSPC' || errno(cause) === 'EDQUOT') await cut(file, before).catch(() => undefined)
    throw notWritten(file, cause)
  }
}

async function cut(file: string, length: number): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.truncate(length)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const notRead = (file: string, cause: unknown): ToolError => isMissing(cause)
  ? new ToolError('not-found', `The note ${oneLine(file)} is gone: /notes lists those that there are`, {cause})
  : new ToolError('failed', `The note ${oneLine(file)} can't be read (${errno(cause) ?? String(cause)}). Check its permissions.`, {cause})
