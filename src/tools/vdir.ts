// A vdir: one item a file (UID.ics, UID.vcf), a sub-folder a collection, as khal, todoman, khard and vdirsyncer read it
// (vdirsyncer.pimutils.org, "The Vdir Storage Format"). A damaged or unreadable file is skipped with a warning, never fatal;
// what is written is whole or absent, fsynced, and readable by its owner only.
import {createHash, randomUUID} from 'node:crypto'
import {constants, copyFile, link, mkdir, readFile, readdir, stat, unlink, writeFile} from 'node:fs/promises'
import {basename, dirname, join, resolve, sep} from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import {z} from 'zod'
import {reasonOf, ToolError} from '../core/errors.ts'
import {makeFolder} from '../core/paths.ts'
import {oneLine} from '../core/text.ts'
import type {Json} from '../core/types.ts'
import type {ItemStore} from './item-store.ts'
import {syncFolder} from './files/durable.ts'

/** Called with one line about a file that was skipped. */
export type Warn = (message: string) => void

/** A sub-folder of the vdir. `name` is what people call it: its `displayname` file, else the folder's own name. */
export interface Collection { name: string; folder: string }

export interface VdirItem { path: string; text: string; /** the collection's name; '' for a file in the root folder */ collection: string }

/** What `undo` needs of a file that was made: it is only taken back while its content is still this one. */
export interface Made { path: string; hash: string }
const made = z.object({path: z.string(), hash: z.string()})

const maxItemBytes = 5_000_000

/** File systems end at 255 bytes, and a temporary name is longer. */
const maxNameBytes = 160

/** A file or folder name made of a foreign text: letters, digits and dashes, so it can't leave its folder or hide in it. */
export function safeName(text: string): string {
  let name = ''
  for (const character of text.normalize('NFC').replace(/[^\p{L}\p{M}\p{N}._@]+/gu, '-').replace(/^[-.]+/, '')) {
    if (Buffer.byteLength(name + character) > maxNameBytes) break
    name += character
  }
  return name.replace(/[-.]+$/, '') || 'item'
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A UID or file name for the journal's `key`: the same for the same key. */
export const uidOf = (key: string): string => {
  const name = safeName(key)
  return name === key ? name : `${safeName([...name].slice(0, 30).join(''))}-${sha256(key).slice(0, 12)}`
}

const isMissing = (error: unknown): boolean => errno(error) === 'ENOENT'
const errno = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** Two names of a collection that people would take for one: case, blanks and the kind of Unicode composition aside. */
const fold = (name: string): string => name.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()

/** A vdir at `root`, which need not exist yet. `extension` with its dot: ".ics". */
export class Vdir implements ItemStore {
  readonly root: string
  readonly #extension: string
  readonly #warn: Warn

  constructor(root: string, extension: '.ics' | '.vcf', warn: Warn = () => {}) {
    this.root = resolve(root)
    this.#extension = extension
    this.#warn = warn
  }

  /** Every collection, by folder name. */
  async collections(): Promise<Collection[]> {
    const found: Collection[] = []
    for (const entry of await this.#entries(this.root)) {
      const folder = join(this.root, entry)
      // stat, not the entry's type: people link their calendars from elsewhere.
      if (!(await stat(folder).catch(() => undefined))?.isDirectory()) continue
      const displayName = await readFile(join(folder, 'displayname'), 'utf8').catch(() => '')
      found.push({name: oneLine(displayName) || entry, folder})
    }
    return found
  }

  /** The collection that `name` means: by folder, else by display name, upper and lower case alike. */
  async find(name: string): Promise<Collection | undefined> {
    const all = await this.collections()
    return all.find(c => fold(basename(c.folder)) === fold(name)) ?? all.find(c => fold(c.name) === fold(name))
  }

  /** As `find`; makes the collection when there is none. */
  async findOrMake(name: string): Promise<Collection> {
    make(this.root)
    const display = oneLine(name)
    const base = safeName(display).toLowerCase()
    for (let n = 1; ; n++) {
      const existing = await this.find(display)
      if (existing) return existing
      const folder = join(this.root, n === 1 ? base : `${base}-${n}`)
      try {
        await mkdir(folder, {mode: 0o700})
      } catch (error) {
        // Another instance has made it just now, or was killed before it could write the display name: there is still only one.
        if (errno(error) === 'EEXIST' && await isUnnamed(folder)) return {name: display, folder}
        if (errno(error) === 'EEXIST' && n < 100) continue // of another display name
        throw notWritten(folder, error)
      }
      if (basename(folder) !== display) await this.#write(join(folder, 'displayname'), `${display}\n`)
      await syncFolder(this.root)
      return {name: display, folder}
    }
  }

  /** Every readable item, of the root folder and of all collections. */
  async *items(): AsyncGenerator<VdirItem> {
    const folders = [{name: '', folder: this.root}, ...await this.collections()]
    for (const {name, folder} of folders) {
      for (const entry of await this.#entries(folder)) {
        if (!entry.toLowerCase().endsWith(this.#extension)) continue
        const path = join(folder, entry)
        const text = await this.#read(path)
        if (text !== undefined) yield {path, text, collection: name}
      }
    }
  }

  /** Says that an item's content is damaged and was skipped. */
  warn(path: string, error: unknown): void {
    this.#warn(oneLine(`Skipped ${path}: ${reasonOf(error).slice(0, 200)} (repair it or move it away)`))
  }

  /** A new item. Throws 'refused' when there is one of that UID: nothing is ever written over. */
  async create(folder: string, uid: string, text: string): Promise<Made> {
    make(folder)
    const path = join(folder, `${safeName(uid)}${this.#extension}`)
    const temporary = join(folder, `.${randomUUID()}.tmp`)
    try {
      await writeFile(temporary, text, {mode: 0o600, flush: true})
      await linkNew(temporary, path)
      await syncFolder(folder)
    } catch (error) {
      if (errno(error) === 'EEXIST') throw new ToolError('refused', `${path} is there already. Nothing was changed.`, {cause: error})
      throw notWritten(path, error)
    } finally {
      await unlink(temporary).catch(() => {}) // hidden, so no program takes a left one for an item
    }
    return {path, hash: sha256(text)}
  }

  /** Puts `text` in the place of `before`. Throws 'refused' when another program has changed the file meanwhile. */
  async replace(path: string, before: string, text: string): Promise<void> {
    if (await readFile(path, 'utf8') !== before) throw new ToolError('refused', `${path} was changed by another program just now. Try again.`)
    await this.#write(path, text)
  }

  /** Takes back a file that `create` made; `token` comes from the journal. Throws 'refused' when it was changed since. */
  async takeBack(token: Json): Promise<void> {
    const parsed = made.safeParse(token)
    if (!parsed.success) throw new ToolError('refused', 'The journal does not say which file to take back.')
    const {path, hash} = parsed.data
    if (!resolve(path).startsWith(this.root + sep) || !path.endsWith(this.#extension)) {
      throw new ToolError('refused', `${oneLine(path)} is outside ${this.root}, so it is left alone.`)
    }
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (isMissing(error)) throw new ToolError('refused', `${path} is gone already.`, {cause: error})
      throw error
    })
    if (sha256(text) !== hash) throw new ToolError('refused', `${path} has changed since, so it is left alone. Change it by hand.`)
    await unlink(path)
    await syncFolder(dirname(path))
  }

  async #write(path: string, text: string): Promise<void> {
    try {
      await writeFileAtomic(path, text, {mode: 0o600, fsync: true})
      await syncFolder(dirname(path))
    } catch (error) {
      throw notWritten(path, error)
    }
  }

  async #read(path: string): Promise<string | undefined> {
    try {
      const {size} = await stat(path)
      if (size > maxItemBytes) throw new Error(`larger than ${maxItemBytes} bytes`)
      return await readFile(path, 'utf8')
    } catch (error) {
      if (!isMissing(error)) this.warn(path, error)
      return undefined
    }
  }

  /** Names in a folder in a stable order, without hidden ones and other programs' half-written ones. */
  async #entries(folder: string): Promise<string[]> {
    const names = await readdir(folder).catch((error: unknown) => {
      if (!isMissing(error)) this.warn(folder, error)
      return []
    })
    return names.filter(name => !name.startsWith('.') && !name.endsWith('.tmp')).sort()
  }
}

const isUnnamed = async (folder: string): Promise<boolean> => (await readdir(folder).catch(() => undefined))?.includes('displayname') === false

const notWritten = (path: string, error: unknown): ToolError =>
  new ToolError('failed', `${path} could not be written: ${reasonOf(error)}. Nothing was changed; make room there or set its permissions, then try again.`, {cause: error})

function make(folder: string): void {
  try { makeFolder(folder) } catch (error) { throw notWritten(folder, error) }
}

/** A whole file under its name, or EEXIST: of two instances one gets the name. Some file systems have no links; there a copy that is as exclusive. */
const linkNew = (from: string, to: string): Promise<void> => link(from, to).catch((error: unknown) => {
  if (errno(error) === 'EEXIST') throw error
  return copyFile(from, to, constants.COPYFILE_EXCL)
})
