// Files by name under the user's folders: one walk without a stat a file, ranked by how well the name fits.
import {readFile, readdir, stat} from 'node:fs/promises'
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

/** Every file under the roots, unreadable folders passed over. A .gitignore or .tinyagentignore holds for its own folder. */
export async function listFiles({roots, exclude, signal}: {roots: string[]; exclude: string[]; signal: AbortSignal}): Promise<string[]> {
  const files: string[] = []
  const always = ignore().add(exclude)
  interface Folder { dir: string; root: string; depth: number; rules: {at: string; rules: ReturnType<typeof ignore>}[] }
  const open: Folder[] = roots.map(root => path.resolve(root)).map(root => ({dir: root, root, depth: 0, rules: []}))
  for (let at = open.pop(); at && files.length < maxFiles; at = open.pop()) {
    signal.throwIfAborted()
    const {dir, root, depth} = at
    const entries = await readdir(dir, {withFileTypes: true}).catch(() => [])
    let rules = at.rules
    for (const name of ['.gitignore', '.tinyagentignore']) {
      if (entries.some(e => e.name === name && e.isFile())) {
        const text = await readFile(path.join(dir, name), 'utf8').catch(() => '')
        rules = [...rules, {at: dir, rules: ignore().add(text)}]
      }
    }
    for (const entry of entries) {
      if (entry.name.startsWith('.') || never.has(entry.name)) continue
      const full = path.join(dir, entry.name)
      const slash = entry.isDirectory() ? '/' : ''
      const hides = (base: string, r: ReturnType<typeof ignore>): boolean => r.ignores(full.slice(base.endsWith(path.sep) ? base.length : base.length + 1).replaceAll(path.sep, '/') + slash)
      if ((exclude.length > 0 && hides(root, always)) || rules.some(r => hides(r.at, r.rules))) continue
      if (entry.isDirectory()) { if (depth < maxDepth) open.push({...at, dir: full, depth: depth + 1, rules}) } else if (entry.isFile()) files.push(full)
    }
  }
  return [...new Set(files)]
}

const best = (found: string[]): string[] => found.sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).slice(0, maxFound)

/**
 * The files that fit `name` best: the same name, else the same without its ending, else names with all its words, else similar ones.
 * A name with folders ("taxes/2025/return.pdf") is the end of a path; a whole path is that file. One result is the answer; several
 * are equally good, at most 9, the shortest path first. None is an empty list.
 */
export async function findFiles(name: string, options: {roots: string[]; exclude: string[]; signal: AbortSignal}): Promise<string[]> {
  const said = name.trim().replace(/^(?:~|\.)[/\\]/, '')
  const wanted = plain(said)
  if (wanted === '') return []
  if (path.isAbsolute(said)) return await stat(said).then(info => info.isFile(), () => false) ? [path.normalize(said)] : []
  const files = await listFiles(options)
  if (/[/\\]/.test(said)) {
    const end = `/${wanted.replaceAll('\\', '/')}`
    const below = files.filter(f => plain(f).replaceAll(path.sep, '/').endsWith(end))
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
    const found = names.filter(test)
    if (found.length > 0) return best(found.map(n => n.file))
  }
  // Only close names, and never silently one of several: a typing error, a missing accent.
  const near = names.filter(n => isNear(n.base, wanted))
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
