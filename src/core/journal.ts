// The journal: a reader of the events that keeps what was done. One NDJSON file a day, one write a line (O_APPEND), so
// that several instances can write at once. The line of a side effect is on disk before the effect begins.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import {z} from 'zod'
import {reasonOf, ToolError, type ToolErrorCode} from './errors.ts'
import {makeFolder} from './paths.ts'
import {isThere, startTicks} from './processes.ts'
import {oneLine} from './text.ts'
import type {Effect, Emit, Event, Json, Settled, Tool, ToolContext} from './types.ts'

const effects = z.enum(['read', 'local', 'outward'])
const result = z.object({value: z.string(), summary: z.string(), undo: z.json().optional(), where: z.string().optional()})

/** What a line can hold. Lines of kinds that this version does not know are left alone. */
const entrySchema = z.object({
  at: z.iso.datetime({offset: true}),
  run: z.string().default(''),
  pid: z.number().int().default(0),
}).and(z.discriminatedUnion('type', [
  z.object({type: z.literal('request'), request: z.string()}),
  z.object({type: z.literal('confirm-answered'), id: z.number(), answer: z.string(), by: z.string()}),
  z.object({type: z.literal('task-started'), key: z.string(), tool: z.string(), effect: effects, args: z.record(z.string(), z.json())}),
  z.object({type: z.literal('task-done'), key: z.string(), result}),
  z.object({type: z.literal('task-failed'), key: z.string(), error: z.object({code: z.string(), message: z.string()})}),
  z.object({type: z.literal('answer'), text: z.string()}),
  z.object({type: z.literal('error'), error: z.object({code: z.string(), message: z.string()})}),
  z.object({type: z.literal('done'), status: z.string(), exitCode: z.number()}),
  z.object({type: z.literal('undone'), key: z.string(), summary: z.string()}),
  z.object({type: z.literal('acknowledged'), keys: z.array(z.string())}),
  z.object({type: z.literal('settled'), key: z.string(), state: z.enum(['done', 'failed', 'unknown']), summary: z.string(), undo: z.json().optional(), again: z.boolean().optional()}),
  z.object({type: z.literal('bug'), stack: z.string()}),
]))
export type Entry = z.infer<typeof entrySchema>

/** A side effect as the journal knows it. `pending`: begun and never ended, since the program was killed in between; `unknown`: and nobody could tell. */
export interface Deed {
  key: string
  at: Date
  tool: string
  effect: Effect
  args: Record<string, Json>
  state: 'done' | 'failed' | 'pending' | 'unknown' | 'running' | 'undone'
  summary: string
  undo?: Json
  /** `unknown`, and the user was told; whoever can tell may be asked once more */
  again?: boolean
}

export interface Journal {
  /** The reader for one run. Throws only before a side effect, when its line cannot be written: then it must not begin. */
  reader(run: string): Emit
  bug(error: unknown): void
  entries(): Entry[]
  deeds(): Deed[]
  /** Side effects that a killed run left in doubt, and those that could not be asked about when there was a look; none is ever repeated. */
  inDoubt(): Deed[]
  settle(deed: Deed, settled: Settled): void
  undone(deed: Deed, summary: string): void
}

export interface JournalDeps {
  clock(): Date
  /** one line to the user when something that is already done could not be written down */
  warn(message: string): void
  /** Is the process that had this id at that time alive? Its unfinished effects are running, not in doubt. */
  isAlive?(pid: number, at: Date): boolean
}

export function openJournal(dir: string, deps: JournalDeps): Journal {
  const isAlive = deps.isAlive ?? processIsAlive
  const isRecent = (at: Date): boolean => deps.clock().getTime() - at.getTime() < askAgainMs
  const ownRuns = new Set<string>()
  // A process id comes round again (in a container always): a run under our own id that is not ours is dead, and so is
  // one from before the machine started.
  const isRunning = (run: string, pid: number, at: Date): boolean =>
    ownRuns.has(run) || (pid !== process.pid && at.getTime() > deps.clock().getTime() - os.uptime() * 1000 && isAlive(pid, at))
  const append = (line: Record<string, unknown>, durable: boolean): void => {
    const at = deps.clock()
    makeFolder(dir)
    const file = fs.openSync(path.join(dir, `${at.toISOString().slice(0, 10)}.ndjson`), 'a+', 0o600)
    try {
      const isNew = fs.fstatSync(file).size === 0
      // A line that was cut off by a crash or a full disk must not swallow this one.
      const glue = endsLine(file) ? '' : '\n'
      const text = Buffer.from(`${glue}${JSON.stringify({at: at.toISOString(), pid: process.pid, ...line})}\n`)
      if (fs.writeSync(file, text) < text.length) throw new Error('the disk is full') // only a part of it went in
      if (durable) fs.fsyncSync(file)
      if (durable && isNew) syncName(dir)
    } finally {
      fs.closeSync(file)
    }
  }
  const note = (line: Record<string, unknown>): void => {
    try { append(line, true) } catch (error) { deps.warn(`The journal in ${dir} could not be written: ${reasonOf(error)}; what is done now is not in the log`) }
  }

  const entries = (): Entry[] => days(dir).flatMap(day => lines(path.join(dir, day)))
  const deeds = (): Deed[] => readDeeds(entries(), isRunning)
  return {
    reader(run) {
      ownRuns.add(run)
      const keys = new Map<number, string>() // of the side effects of this run, by task id
      return event => {
        const line = lineOf(event, keys)
        if (!line) return
        if (event.type !== 'task-started' && event.type !== 'aside-started') return note({run, ...line})
        try {
          append({run, ...line}, true)
        } catch (error) {
          if (event.type === 'task-started') keys.delete(event.id)
          throw new ToolError('unavailable', `The journal in ${dir} cannot be written (${reasonOf(error)}), so nothing was begun; make room there, or choose another folder with --home`, {cause: error})
        }
      }
    },
    bug: error => note({type: 'bug', stack: error instanceof Error ? error.stack ?? error.message : String(error)}),
    entries,
    deeds,
    inDoubt: () => deeds().filter(d => d.state === 'pending' || (d.state === 'unknown' && d.again && isRecent(d.at))),
    settle: ({key}, {state, summary, undo, again}) => note({type: 'settled', key, state, summary, ...(undo !== undefined && {undo}), ...(again && {again})}),
    undone: (deed, summary) => note({type: 'undone', key: deed.key, summary}),
  }
}

/** A server that could not be asked for two weeks is asked no more. */
const askAgainMs = 14 * 24 * 3_600_000

/** What of an event is kept: side effects whole, reads not at all (what they return may be private), and the frame around them. */
function lineOf(event: Event, keys: Map<number, string>): Record<string, unknown> | undefined {
  switch (event.type) {
    case 'request': return event.dryRun ? undefined : {type: 'request', request: event.request}
    case 'confirm-answered': case 'answer': case 'error': case 'done': return event
    case 'task-started':
      if (event.effect === 'read') return undefined
      keys.set(event.id, event.key)
      return event
    case 'task-done': case 'task-failed': {
      const key = keys.get(event.id)
      return key === undefined ? undefined : {...event, key}
    }
    // In the journal one deed is like another.
    case 'aside-started': return {...event, type: 'task-started', effect: 'local'}
    case 'aside-done': return {...event, type: 'task-done'}
    case 'aside-failed': return {...event, type: 'task-failed'}
    default: return undefined
  }
}

function readDeeds(entries: Entry[], isRunning: (run: string, pid: number, at: Date) => boolean): Deed[] {
  const deeds = new Map<string, Deed>()
  for (const entry of entries) {
    if (entry.type === 'task-started') {
      const {key, tool, effect, args} = entry
      const state = isRunning(entry.run, entry.pid, new Date(entry.at)) ? 'running' : 'pending'
      deeds.set(key, {key, at: new Date(entry.at), tool, effect, args, state, summary: intention(tool, args)})
    } else if (entry.type === 'acknowledged') {
      for (const key of entry.keys) Object.assign(deeds.get(key) ?? {}, {state: 'unknown', summary: 'was cut off; it may have been done all the same'})
    } else if (entry.type === 'settled') {
      const {key, state, summary, undo, again = false} = entry
      Object.assign(deeds.get(key) ?? {}, {state, summary, undo, again})
    } else if (entry.type === 'task-done') {
      Object.assign(deeds.get(entry.key) ?? {}, {state: 'done', summary: entry.result.summary, undo: entry.result.undo})
    } else if (entry.type === 'task-failed') {
      Object.assign(deeds.get(entry.key) ?? {}, {state: 'failed', summary: entry.error.message})
    } else if (entry.type === 'undone') {
      Object.assign(deeds.get(entry.key) ?? {}, {state: 'undone'})
    }
  }
  return [...deeds.values()]
}

/** A step that has no summary of its own yet: "create reminder: Call the dentist, 2026-03-04 15:00:00". */
export const intention = (tool: string, args: Record<string, Json>): string =>
  [tool.replaceAll('_', ' '), Object.values(args).flat().filter(v => typeof v === 'string' && v !== '').join(', ')].filter(Boolean).join(': ')

/** Takes back a local effect: the last one, or the one whose key ends with `id`. Returns a line for people that says which it was. Throws ToolError. */
export async function undo(journal: Journal, tools: Tool[], id: string | undefined, context: Omit<ToolContext, 'key'>): Promise<string> {
  const deeds = journal.deeds()
  const deed = id === undefined
    ? deeds.findLast(d => d.effect === 'local' && d.state === 'done' && d.undo !== undefined)
    : onlyOne(deeds.filter(d => d.key === id || d.key.endsWith(`-${id}`)), id)
  if (!deed) throw new ToolError('not-found', 'There is nothing to undo')
  const {tool: name, key} = deed
  if (deed.effect !== 'local') throw new ToolError('refused', `This cannot be taken back: ${deed.summary}`)
  if (deed.state === 'undone') throw new ToolError('refused', `This is undone already: ${deed.summary}`)
  const tool = tools.find(t => t.name === name)
  if (deed.state !== 'done' || deed.undo === undefined || !tool?.undo) throw new ToolError('refused', `There is nothing to take back of: ${deed.summary}`)
  const summary = await tool.undo(deed.undo, {...context, key}).catch((error: unknown) => {
    // Else the last step would stand in the way of those before it.
    if (id !== undefined || !(error instanceof ToolError)) throw error
    throw new ToolError(error.code as ToolErrorCode, `${error.message} \`tinyagent log\` shows the steps, \`tinyagent undo ID\` takes back an earlier one.`, {cause: error})
  })
  journal.undone(deed, summary)
  return `${summary}: ${oneLine(deed.summary)}`
}

function onlyOne(deeds: Deed[], id: string): Deed {
  if (deeds.length === 1) return deeds[0]!
  if (deeds.length === 0) throw new ToolError('not-found', `No step has the id "${id}"; \`tinyagent log\` shows them`)
  throw new ToolError('ambiguous', `Several steps end with "${id}": ${deeds.map(d => d.key).join(', ')}`)
}

const states: Record<Deed['state'], string> = {
  done: '', failed: 'failed: ', pending: 'cut off, may have been done: ', unknown: 'cut off, may have been done: ', running: 'running: ', undone: 'undone: ',
}

/** Local time: "2026-03-03 09:15". */
export function minuteOf(at: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`
}

/** One line for people: "2026-03-03 09:15  20260303T091500-3f9a2c-1  Added 'Dentist' on ..." */
export function describe(deed: Deed): string {
  const {at} = deed
  const time = minuteOf(at)
  const mark = deed.effect === 'outward' && deed.state === 'done' ? ' (cannot be undone)' : ''
  return `${time}  ${deed.key}  ${states[deed.state]}${oneLine(deed.summary)}${mark}`
}

function days(dir: string): string[] {
  try {
    return fs.readdirSync(dir).filter(name => /^\d{4}-\d\d-\d\d\.ndjson$/.test(name)).sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** Every whole line of a known kind; a torn or damaged one is passed over, since the others still count. */
function lines(file: string): Entry[] {
  return fs.readFileSync(file, 'utf8').split('\n').flatMap(line => {
    try {
      const entry = entrySchema.safeParse(JSON.parse(line))
      return entry.success ? [entry.data] : []
    } catch {
      return []
    }
  })
}

function endsLine(file: number): boolean {
  const {size} = fs.fstatSync(file)
  if (size === 0) return true
  const last = Buffer.alloc(1)
  fs.readSync(file, last, 0, 1, size - 1)
  return last[0] === 0x0a
}

/** The name of a new file lasts too. Windows and some network disks have no such call. */
function syncName(dir: string): void {
  try {
    const folder = fs.openSync(dir, 'r')
    try { fs.fsyncSync(folder) } finally { fs.closeSync(folder) }
  } catch { /* the lines themselves are on disk */ }
}

function processIsAlive(pid: number, at: Date): boolean {
  if (!isThere(pid)) return false
  const begun = beginningOf(pid)
  return begun === undefined || begun <= at.getTime() + clockSlackMs
}

/** Between the kernel's clock and ours; a process that begins that soon after another has ended hardly gets its id. */
const clockSlackMs = 2_000

/** When a process began, by ours, in ms. */
function beginningOf(pid: number): number | undefined {
  try {
    const ticks = startTicks(pid)
    if (ticks === undefined) return undefined
    const uptime = Number(fs.readFileSync('/proc/uptime', 'utf8').split(' ')[0])
    const begun = Date.now() - (uptime - ticks / 100) * 1000
    return Number.isFinite(begun) ? begun : undefined
  } catch {
    return undefined // another system: the process counts as the one that it was
  }
}
