// Files by name under the user's folders: one walk without a stat a file, ranked by how well the name fits.
import {readFile, readdir} from 'node:fs/promises'
import path from 'node:path'
import Fuse from 'fuse.js'
import ignore from 'ignore'

/** Folders that hold programs' files, not the user's. Hidden ones are passed over as well. */
const never = new Set(['node_modules', '__pycache__', 'venv', 'target', 'dist', 'build'])
const maxFiles = 500_000
const maxDepth = 16
const maxFound = 9

const plain = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
const words = (text: string): string[] => plain(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean)
const stem = (name: string): string => name.slice(0, name.length - path.extname(name).length)

/** Every file under the roots, unreadable folders passed over. A .gitignore or .tinyagentignore holds for its own folder. */
export async function listFiles({roots, exclude, signal}: {roots: string[]; exclude: string[]; signal: AbortSignal}): Promise<string[]> {
  const files: string[] = []
  const always = ignore().add(exclude)
  interface Folder { dir: string; root: string; depth: number; rules: {at: string; rules: ReturnType<typeof ignore>}[] }
  const open: Folder[] = roots.map(root => ({dir: root, root, depth: 0, rules: []}))
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
      const hides = (base: string, r: ReturnType<typeof ignore>): boolean => r.ignores(path.relative(base, full).split(path.sep).join('/') + slash)
      if ((exclude.length > 0 && hides(root, always)) || rules.some(r => hides(r.at, r.rules))) continue
      if (entry.isDirectory()) { if (depth < maxDepth) open.push({...at, dir: full, depth: depth + 1, rules}) } else if (entry.isFile()) files.push(full)
    }
  }
  return [...new Set(files)]
}

/**
 * The files that fit `name` best: the same name, else the same without its ending, else names with all its words, else similar ones.
 * One result is the answer; several are equally good, at most 9, the shortest path first. None is an empty list.
 */
export async function findFiles(name: string, options: {roots: string[]; exclude: string[]; signal: AbortSignal}): Promise<string[]> {
  const wanted = plain(path.basename(name.trim()))
  if (wanted === '') return []
  const files = await listFiles(options)
  const tokens = words(name)
  const best = (fits: (base: string) => boolean): string[] => files.filter(f => fits(path.basename(f)))
  const tests: ((base: string) => boolean)[] = [
    base => base === name.trim(),
    base => plain(base) === wanted,
    base => stem(plain(base)) === wanted || words(base).join(' ') === tokens.join(' ') || words(stem(base)).join(' ') === tokens.join(' '),
    base => { const has = new Set(words(base)); return tokens.length > 0 && tokens.every(t => has.has(t)) },
    base => tokens.length > 0 && tokens.every(t => plain(base).includes(t)),
  ]
  for (const test of tests) {
    const found = best(test)
    if (found.length > 0) return found.sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).slice(0, maxFound)
  }
  // Only close names, and never silently one of several: a typing error, a missing accent.
  const fuse = new Fuse(files.map(f => ({f, base: plain(path.basename(f))})), {keys: ['base'], threshold: 0.25, includeScore: true, ignoreLocation: true})
  return fuse.search(wanted, {limit: maxFound}).map(r => r.item.f)
}
