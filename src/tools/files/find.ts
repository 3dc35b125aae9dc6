// Files by name under the user's folders: one walk without a stat a file, ranked by how well the name fits.
import {lstat, readFile, readdir, stat} from 'node:fs/promises'
import path from 'node:path'
import Fuse from 'fuse.js'
import ignore from 'ignore'

/** Folders that hold programs' files, not the user's. Hidden ones are passed over as well. */
const never = new Set(['node_modules', '__pycache__', 'venv'])
const maxFiles = 500_000
const maxDepth = 16
const maxFound = 9

/** Without accents and capitals. Most names are ASCII, and a walk has many of them. */
const plain = (text: string): string => (/[^\0-\x7f]/.test(text) ? text.normalize('NFKD').replace(/\p{M}/gu, '') : text).toLowerCase()
const words = (text: string): string[] => plain(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean)
const stem = (name: string): string => name.slice(0, name.length - path.extname(name).length)

/** Ignore files and the folders that they hold for, from the root down. */
type Rules = {at: string; rules: ReturnType<typeof ignore>}[]
const ignoreFiles = ['.gitignore', '.tinyagentignore']

const withIgnoreFile = async (rules: Rules, dir: string, name: string): Promise<Rules> =>
  [...rules, {at: dir, rules: ignore().add(await readFile(path.join(dir, name), 'utf8').catch(() => ''))}]

/** Whether an entry of a folder with these rules is none of the user's files, by its name and where it stands. */
function passedOver(exclude: string[]): (full: string, name: string, isFolder: boolean, root: string, rules: Rules) => boolean {
  const always = exclude.length > 0 ? [ignore().add(exclude)] : []
  return (full, name, isFolder, root, rules) => {
    if (name.startsWith('.') || never.has(name)) return true
    const hides = (base: string, r: ReturnType<typeof ignore>): boolean =>
      r.ignores(full.slice(base.endsWith(path.sep) ? base.length : base.length + 1).replaceAll(path.sep, '/') + (isFolder ? '/' : ''))
    return always.some(r => hides(root, r)) || rules.some(r => hides(r.at, r.rules))
  }
}

/** Every file under the roots, unreadable folders passed over. A .gitignore or .tinyagentignore holds for its own folder. */
export async function listFiles({roots, exclude, signal}: {roots: string[]; exclude: string[]; signal: AbortSignal}): Promise<string[]> {
  const files: string[] = []
  const isPassedOver = passedOver(exclude)
  interface Folder { dir: string; root: string; depth: number; rules: Rules }
  const open: Folder[] = roots.map(root => path.resolve(root)).map(root => ({dir: root, root, depth: 0, rules: []}))
  for (let at = open.pop(); at && files.length < maxFiles; at = open.pop()) {
    signal.throwIfAborted()
    const {dir, root, depth} = at
    const entries = await readdir(dir, {withFileTypes: true}).catch(() => [])
    let rules = at.rules
    for (const name of ignoreFiles) if (entries.some(e => e.name === name && e.isFile())) rules = await withIgnoreFile(rules, dir, name)
    for (const entry of entries) {
      const full = path.join(dir, entry.name)
      if (isPassedOver(full, entry.name, entry.isDirectory(), root, rules)) continue
      if (entry.isDirectory()) { if (depth < maxDepth) open.push({...at, dir: full, depth: depth + 1, rules}) } else if (entry.isFile()) files.push(full)
    }
  }
  return [...new Set(files)]
}

/** What an index knows below a root, as paths that begin with it; undefined where it cannot say. May be out of date. */
export type FileIndex = (root: string, signal: AbortSignal) => Promise<string[] | undefined>

/** A file itself, and no link to one. */
const isFile = (file: string): Promise<boolean> => lstat(file).then(i => i.isFile(), () => false)

/** Whether the walk would list this path: a file that is there, below a root, through no link, and not passed over. */
function listable({roots, exclude}: {roots: string[]; exclude: string[]}): (file: string) => Promise<boolean> {
  const isPassedOver = passedOver(exclude)
  const folders = new Map<string, Promise<Rules | undefined>>()
  const folder = (root: string, dir: string): Promise<Rules | undefined> => {
    const key = `${root}\0${dir}`
    const known = folders.get(key) ?? (async (): Promise<Rules | undefined> => {
      let rules: Rules = []
      if (dir !== root) {
        const above = await folder(root, path.dirname(dir))
        if (!above || isPassedOver(dir, path.basename(dir), true, root, above) || !await lstat(dir).then(i => i.isDirectory(), () => false)) return undefined
        rules = above
      }
      for (const name of ignoreFiles) if (await isFile(path.join(dir, name))) rules = await withIgnoreFile(rules, dir, name)
      return rules
    })()
    folders.set(key, known)
    return known
  }
  return async file => {
    for (const root of roots.map(r => path.resolve(r))) {
      const rest = path.relative(root, file)
      if (rest === '' || rest.startsWith('..') || path.isAbsolute(rest) || rest.split(path.sep).length > maxDepth + 1) continue
      const rules = await folder(root, path.dirname(file))
      if (rules && !isPassedOver(file, path.basename(file), false, root, rules) && await isFile(file)) return true
    }
    return false
  }
}

const best = (found: string[]): string[] => found.sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).slice(0, maxFound)

/**
 * The files that fit `name` best: the same name, else the same without its ending, else names with all its words, else similar ones.
 * A name with folders ("taxes/2025/return.pdf") is the end of a path; a whole path is that file. One result is the answer; several
 * are equally good, at most 9, the shortest path first. None is an empty list. An `index` saves the walk where it knows a file that
 * fits and is still there; a file made since it was renewed may be missed when another one fits.
 */
export async function findFiles(name: string, options: {roots: string[]; exclude: string[]; signal: AbortSignal; index?: FileIndex}): Promise<string[]> {
  const said = name.trim().replace(/^(?:~|\.)[/\\]/, '')
  if (plain(said) === '') return []
  if (path.isAbsolute(said)) return await stat(said).then(info => info.isFile(), () => false) ? [path.normalize(said)] : []
  const {roots, index, signal} = options
  if (index) {
    const lists = await Promise.all(roots.map(root => index(path.resolve(root), signal)))
    // An index that does not know every root, or nothing that fits, says nothing about what is there.
    if (lists.every(list => list !== undefined)) {
      const found = await ranked(said, [...new Set(lists.flat())], listable(options), signal)
      if (found.length > 0) return found
    }
  }
  return ranked(said, await listFiles(options), async () => true, signal)
}

async function ranked(said: string, files: string[], isListable: (file: string) => Promise<boolean>, signal: AbortSignal): Promise<string[]> {
  const wanted = plain(said)
  const real = async <T>(items: T[], fileOf: (item: T) => string): Promise<T[]> => {
    const kept: T[] = []
    for (const item of items) {
      signal.throwIfAborted()
      if (await isListable(fileOf(item))) kept.push(item)
    }
    return kept
  }
  if (/[/\\]/.test(said)) {
    const end = `/${wanted.replaceAll('\\', '/')}`
    const below = await real(files.filter(f => plain(f).replaceAll(path.sep, '/').endsWith(end)), f => f)
    if (below.length > 0) return best(below)
  }
  const tokens = words(said)
  const spaced = tokens.join(' ')
  const names = files.map(file => ({file, base: plain(path.basename(file))}))
  const tests: ((name: {file: string; base: string}) => boolean)[] = [
    n => n.base === wanted && path.basename(n.file) === said,
    n => n.base === wanted,
    n => stem(n.base) === wanted || (holds(n.base, tokens) && (words(n.base).join(' ') === spaced || words(stem(n.base)).join(' ') === spaced)),
    n => holds(n.base, tokens) && isSubset(tokens, words(n.base)),
    n => holds(n.base, tokens),
  ]
  for (const test of tests) {
    const found = await real(names.filter(test), n => n.file)
    if (found.length > 0) return best(found.map(n => n.file))
  }
  // Only close names, and never silently one of several: a typing error, a missing accent.
  const near = await real(names.filter(n => isNear(n.base, wanted)), n => n.file)
  const fuse = new Fuse(near, {keys: ['base'], threshold, ignoreLocation: true})
  return fuse.search(wanted, {limit: maxFound}).map(r => r.item.file)
}

const holds = (base: string, tokens: string[]): boolean => tokens.length > 0 && tokens.every(t => base.includes(t))
const isSubset = (tokens: string[], of: string[]): boolean => tokens.every(t => of.includes(t))

/** The part of a name that may be wrong. */
const threshold = 0.25

/** A wrong letter spoils two pairs of letters, so half of the pairs have to be there; Fuse would take seconds for 100,000 names. */
function isNear(base: string, wanted: string): boolean {
  let shared = 0
  for (let i = 0; i < wanted.length - 1; i++) if (base.includes(wanted.slice(i, i + 2))) shared++
  return shared >= (wanted.length - 1) * (1 - 2 * threshold) - 1
}
