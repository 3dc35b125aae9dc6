// Notes as Markdown files in folders, as Obsidian keeps them: Folder/Name.md. Nothing outside the root is read or written.
import {createHash} from 'node:crypto'
import {mkdir, open, readdir, readFile, realpath, stat, unlink} from 'node:fs/promises'
import path from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import type {Json} from '../../core/types.ts'
import type {Note, NotesBackend} from './notes.ts'

const token = z.discriminatedUnion('type', [
  z.object({type: z.literal('create'), path: z.string(), hash: z.string()}),
  z.object({type: z.literal('append'), path: z.string(), hash: z.string(), before: z.number().int().min(0)}),
])
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')
const plain = (text: string): string => text.normalize('NFC').trim().toLowerCase()
const maxDepth = 8

/** A name that is readable and safe on every file system: what cannot stand in a file name becomes a dash. */
export function fileName(name: string): string {
  const safe = name.normalize('NFC').replace(/[\u0000-\u001f\u007f<>:"/\\|?*]+/g, '-').replace(/^[.\s-]+|[.\s]+$/g, '')
  if (safe === '') throw new ToolError('invalid-args', 'The note has no name: say how it is called')
  return [...safe].slice(0, 60).join('')
}

/** A folder of notes, made when the first note is. */
export function openMarkdownNotes(root: string): NotesBackend {
  const walk = async (dir: string, depth: number): Promise<Note[]> => {
    const entries = await readdir(dir, {withFileTypes: true}).catch(() => [])
    const found = await Promise.all(entries.filter(e => !e.name.startsWith('.')).map(async (e): Promise<Note[]> => {
      const full = path.join(dir, e.name)
      if (e.isDirectory()) return depth < maxDepth ? walk(full, depth + 1) : []
      if (!e.isFile() || !e.name.endsWith('.md')) return []
      return [{name: e.name.slice(0, -3), folder: path.relative(root, dir).split(path.sep).join('/'), path: full}]
    }))
    return found.flat()
  }
  const list = async (): Promise<Note[]> => (await walk(root, 0)).sort((a, b) => a.path < b.path ? -1 : 1)

  /** Throws unless the file is really inside the root: a link may lead out of it. */
  const inside = async (file: string): Promise<void> => {
    const [base, real] = await Promise.all([realpath(root), realpath(file)])
    if (real !== base && !real.startsWith(base + path.sep)) throw new ToolError('refused', `${file} is outside the notes folder`)
  }
  const sync = async (dir: string): Promise<void> => {
    const handle = await open(dir, 'r')
    try { await handle.sync() } finally { await handle.close() }
  }
  const withEnd = (text: string): string => text === '' || text.endsWith('\n') ? text : `${text}\n`

  return {
    list,
    async find(name, folder) {
      const wanted = plain(name), within = plain(folder)
      const all = (await list()).filter(n => within === '' || plain(n.folder) === within || plain(path.posix.basename(n.folder)) === within)
      const exact = all.filter(n => plain(n.name) === wanted || plain(n.name) === plain(safeOr(name)))
      if (exact.length > 0) return exact
      // A longer name that holds all the words ("my packing note" for "Packing list" does not).
      const words = wanted.split(/\s+/)
      return wanted === '' ? [] : all.filter(n => { const has = plain(n.name).split(/[\s_-]+/); return words.every(w => has.includes(w)) })
    },
    async read(note) {
      await inside(note.path)
      return (await readFile(note.path, 'utf8')).trimEnd()
    },
    async create(name, content, folder) {
      const known = (await list()).map(n => n.folder)
      const parts = folder.split('/').filter(p => p.trim() !== '').map(fileName)
      // An existing folder is used however its name is capitalised.
      const wanted = parts.join('/')
      const place = known.find(f => plain(f) === plain(wanted)) ?? wanted
      const dir = path.join(root, place)
      await mkdir(dir, {recursive: true, mode: 0o700})
      await inside(dir)
      const file = path.join(dir, `${fileName(name)}.md`)
      const text = withEnd(content)
      const handle = await open(file, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === 'EEXIST') throw new ToolError('refused', `There is a note "${oneLine(name)}" already: add to it, or give the new one another name`, {cause})
        throw cause
      })
      try {
        await handle.writeFile(text)
        await handle.sync()
      } catch (error) {
        await unlink(file).catch(() => undefined)
        throw error
      } finally { await handle.close() }
      await sync(dir)
      return {note: {name: path.basename(file, '.md'), folder: place, path: file}, undo: {type: 'create', path: file, hash: hashOf(text)}}
    },
    async append(note, content) {
      await inside(note.path)
      const old = await readFile(note.path, 'utf8')
      const text = withEnd(withEnd(old) + content)
      const {mode} = await stat(note.path)
      await writeFileAtomic(note.path, text, {mode: mode & 0o777})
      return {undo: {type: 'append', path: note.path, hash: hashOf(text), before: old.length}}
    },
    async undo(json: Json) {
      const made = token.parse(json)
      const now = await readFile(made.path, 'utf8').catch(() => undefined)
      const name = `'${oneLine(path.basename(made.path, '.md'))}'`
      if (now === undefined || hashOf(now) !== made.hash) throw new ToolError('refused', `The note ${name} has changed since: ${made.path} is left as it is`)
      if (made.type === 'create') { await unlink(made.path); return `Removed the note ${name}` }
      await writeFileAtomic(made.path, now.slice(0, made.before), {mode: 0o600})
      return `Took the last lines out of the note ${name}`
    },
  }
}

const safeOr = (name: string): string => { try { return fileName(name) } catch { return name } }
