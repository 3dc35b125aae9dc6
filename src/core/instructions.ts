// Standing instructions: `instructions` of the config, TINYAGENT.md beside it, and TINYAGENT.md of the folder of work and of
// those above it, the nearest last. One line for the planner ("Always: ...").
// A folder may come from anybody, so its file counts once the user has allowed what is in it; a change needs a new word.
import {createHash} from 'node:crypto'
import {lstatSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {z} from 'zod'
import {ConfigError, reasonOf} from './errors.ts'
import {makeFolder} from './paths.ts'

export const fileName = 'TINYAGENT.md'
/** Of all together, as of `instructions` in the config: the planner's prompt has room for little. */
export const maxLength = 2000
const maxBytes = 16_000

export interface Source {
  /** a file, or "instructions" of the config */
  where: string
  /** as the planner gets it */
  text: string
  /** false: a folder's file that the user has not allowed, or that has changed since */
  counts: boolean
  hash: string
}

export interface InstructionPlaces {
  /** of the config's own key */
  configured: string
  configFile: string
  configDir: string
  cwd: string
  /** where the allowed files are remembered */
  allowedFile: string
}

/** Markdown to sentences on one line: headings, comments and list marks are for people. */
export function plainLine(markdown: string): string {
  return markdown.replace(/<!--[^]*?-->/g, ' ').split('\n')
    .map(line => line.trim()).filter(line => line !== '' && !/^(?:#|```|---+$|===+$)/.test(line))
    .map(line => line.replace(/^(?:[-*+]|\d+[.)])\s+/, '').replace(/^(?:>\s*)+/, ''))
    .map(line => /[.!?:;,]$/.test(line) ? line : `${line}.`).join(' ').replace(/\s+/g, ' ').trim()
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')
const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EACCES')

/** Throws ConfigError for a file that is no text or too long. */
function read(file: string): string | undefined {
  try {
    const info = lstatSync(file)
    if (!info.isFile()) return undefined // a folder, or a link to somewhere else
    if (info.size > maxBytes) throw new ConfigError(`${file}: is too long for standing instructions (${info.size} bytes): ${maxLength} characters at most`)
    return new TextDecoder('utf-8', {fatal: true}).decode(readFileSync(file))
  } catch (cause) {
    if (isMissing(cause)) return undefined
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError(`${file}: cannot be read: ${cause instanceof TypeError ? 'it is no text in UTF-8' : reasonOf(cause)}`, cause)
  }
}

/** Every source that there is, the most general first. Throws ConfigError. */
export function instructionSources(places: InstructionPlaces): Source[] {
  const {configured, configFile, configDir, cwd, allowedFile} = places
  const allowed = readAllowed(allowedFile)
  const folders: string[] = []
  for (let at = path.resolve(cwd); ; at = path.dirname(at)) {
    if (at !== path.resolve(configDir)) folders.unshift(at)
    if (path.dirname(at) === at) break
  }
  const files = [{file: path.join(configDir, fileName), isOwn: true}, ...folders.map(dir => ({file: path.join(dir, fileName), isOwn: false}))]
  const found = files.flatMap(({file, isOwn}): Source[] => {
    const text = read(file)
    if (text === undefined || plainLine(text) === '') return []
    const hash = hashOf(text)
    return [{where: file, text: plainLine(text), counts: isOwn || allowed[file] === hash, hash}]
  })
  const own = configured.trim() === '' ? [] : [{where: `instructions in ${configFile}`, text: configured.replace(/\s+/g, ' ').trim(), counts: true, hash: hashOf(configured)}]
  return [...own, ...found]
}

/** What the planner gets. Throws ConfigError when it is more than it can read. */
export function joinInstructions(sources: Source[]): string {
  const counting = sources.filter(s => s.counts)
  const text = counting.map(s => s.text).join(' ')
  if (text.length > maxLength) throw new ConfigError(`The standing instructions are too long together (${text.length} characters, ${maxLength} at most): ${counting.map(s => `${s.where} (${s.text.length})`).join(', ')}`)
  return text
}

const allowedSchema = z.record(z.string(), z.string())
function readAllowed(file: string): Record<string, string> {
  try { return allowedSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) } catch { return {} } // none, or damaged: nothing is allowed
}

/** Remembers that these files may speak for the user, as they are now. */
export function allow(sources: Source[], allowedFile: string): void {
  makeFolder(path.dirname(allowedFile))
  const all = {...readAllowed(allowedFile), ...Object.fromEntries(sources.map(s => [s.where, s.hash]))}
  writeFileSync(allowedFile, `${JSON.stringify(all, undefined, 2)}\n`, {mode: 0o600})
}
