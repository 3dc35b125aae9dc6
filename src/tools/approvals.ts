// The user's word on tools that are not tinyagent's own, in tools.json beside the config: what each may do without asking, and
// which tools of which MCP server were read and approved, each pinned by the hash of everything that the server says of it.
import {createHash} from 'node:crypto'
import {existsSync, readFileSync} from 'node:fs'
import path from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import {z} from 'zod'
import {ConfigError, reasonOf} from '../core/errors.ts'
import {makeFolder} from '../core/paths.ts'
import type {Effect, Json} from '../core/types.ts'

const pinSchema = z.object({
  hash: z.string(),
  /** what the server said of the tool when it was approved: shown to the planner, and compared with what it says now */
  definition: z.record(z.string(), z.json()),
  /** it says something else since; not offered until it is approved again */
  changed: z.boolean().default(false),
})
const wordSchema = z.object({
  effects: z.record(z.string(), z.enum(['read', 'local', 'outward'])).default({}),
  servers: z.record(z.string(), z.object({
    /** the hash of the command or address that was shown */
    start: z.string(),
    tools: z.record(z.string(), pinSchema),
  })).default({}),
})
export type Pin = z.infer<typeof pinSchema>
export type Word = z.infer<typeof wordSchema>

export const wordFile = (configDir: string): string => path.join(configDir, 'tools.json')

/** A missing file is no word at all. Throws ConfigError for one that is damaged: nothing in it counts then. */
export function readWord(file: string): Word {
  if (!existsSync(file)) return wordSchema.parse({})
  try {
    return wordSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new ConfigError(`${file} cannot be read (${cause instanceof z.ZodError ? 'it is of another form' : reasonOf(cause)}); remove it, and approve your tools again with \`tinyagent tools approve\``, cause)
  }
}

/** Reads, changes and writes the file whole. */
export async function changeWord(file: string, change: (word: Word) => void): Promise<void> {
  const word = readWord(file)
  change(word)
  makeFolder(path.dirname(file))
  await writeFileAtomic(file, `${JSON.stringify(word, null, 1)}\n`, {mode: 0o600})
}

/** JSON with its keys in order: the same for the same content. */
const canonical = (value: unknown): unknown => Array.isArray(value) ? value.map(canonical)
  : typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined).sort(([a], [b]) => a < b ? -1 : 1).map(([k, v]) => [k, canonical(v)]))
    : value

export const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(canonical(value))).digest('hex')

/** What is pinned of an MCP tool: all that could tell the planner or the user something else. Its arguments keep their order. */
export const definitionOf = (tool: {name: string; [key: string]: unknown}): Record<string, Json> =>
  // It came as JSON.
  Object.fromEntries(['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'].flatMap(key => tool[key] === undefined ? [] : [[key, tool[key] as Json]]))

const ranks: Record<Effect, number> = {read: 0, local: 1, outward: 2}
export const most = (a: Effect, b: Effect): Effect => ranks[a] > ranks[b] ? a : b

const maxLines = 400

/** The lines that went ("- ") and came ("+ "), in order, with those around them. */
export function difference(before: unknown, after: unknown): string[] {
  const [a, b] = [before, after].map(value => JSON.stringify(canonical(value), null, 2).split('\n').slice(0, maxLines)) as [string[], string[]]
  // The longest common lines, from the end.
  const length = Array.from({length: a.length + 1}, () => new Uint16Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--) for (let j = b.length - 1; j >= 0; j--) length[i]![j] = a[i] === b[j] ? length[i + 1]![j + 1]! + 1 : Math.max(length[i + 1]![j]!, length[i]![j + 1]!)
  const lines: string[] = []
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) { i++; j++ }
    else if (j < b.length && (i >= a.length || length[i]![j + 1]! > length[i + 1]![j]!)) lines.push(`+ ${b[j++]}`)
    else lines.push(`- ${a[i++]}`)
  }
  return lines
}
