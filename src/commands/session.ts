// What the subcommands share: configuration, journal, tools and models, each opened on first use.
import {randomBytes} from 'node:crypto'
import {readFile} from 'node:fs/promises'
import path from 'node:path'
import {z} from 'zod'
import {loadConfig, type Config} from '../core/config.ts'
import {ConfigError, UsageError} from '../core/errors.ts'
import {openJournal, type Journal} from '../core/journal.ts'
import {modelFiles, openModels} from '../core/models.ts'
import {expand, pathsOf} from '../core/paths.ts'
import {printable} from '../core/text.ts'
import type {Planner, Retriever, Tool} from '../core/types.ts'
import type {Backends} from '../tools/index.ts'

/** The options that every subcommand takes. */
export interface Options {
  json?: boolean
  plain?: boolean
  dryRun?: boolean
  yes?: boolean
  now?: string
  model?: string
  config?: string
  home?: string
  mail?: string
  audio?: string
  voice?: boolean
}

export interface Session {
  options: Options
  config: Config
  journal: Journal
  /** the clock of a request: --now, or the time it is */
  now(): Date
  /** an id for a run: unique, and in order of time */
  runId(): string
  planner(): Promise<Planner>
  retriever(): Promise<Retriever>
  tools(): Promise<{tools: Tool[]; backends: Backends}>
  close(): Promise<void>
}

export function openSession(options: Options): Session {
  const paths = pathsOf({home: options.home ?? process.env.TINYAGENT_HOME})
  const config = loadConfig(paths, options.config === undefined ? undefined : path.resolve(options.config))
  const warn = (message: string): void => { process.stderr.write(`${printable(message)}\n`) }
  const fixed = options.now === undefined ? undefined : parseNow(options.now)
  const replay = process.env.TINYAGENT_REPLAY
  const journal = openJournal(path.join(paths.state, 'journal'), {clock: () => new Date(), warn})
  const closers: (() => Promise<void>)[] = []
  const session: Session = {
    options, config, journal,
    now: () => fixed ?? new Date(),
    runId: () => `${new Date().toISOString().replace(/[-:]|\..*/g, '')}-${randomBytes(3).toString('hex')}`,
    planner: once(async () => {
      const planner = await (replay ? openReplay(replay) : openGguf(config, options.model))
      closers.push(() => planner.close())
      return planner
    }),
    retriever: once(async () => {
      const open = once(async (): Promise<Retriever> => {
        const [first] = modelFiles(openModels(), 'retriever')
        const {openRetriever} = await import('../core/retriever.ts')
        const retriever = await openRetriever({dir: path.dirname(first!)})
        closers.push(() => retriever.close())
        return retriever
      })
      if (!replay) return open()
      // A recorded plan may call any tool, so all are selected.
      return {
        select: async (_request, tools) => tools.map(t => ({name: t.name, score: 1})),
        embed: async (texts, signal) => (await open()).embed(texts, signal),
      }
    }),
    tools: once(async () => {
      const {openTools} = await import('../tools/index.ts')
      return openTools(config, {
        warn,
        embed: async (texts, signal) => (await session.retriever()).embed(texts, signal),
        ...(options.mail !== undefined && {openMail: path.resolve(options.mail)}),
      })
    }),
    async close() {
      await Promise.all(closers.splice(0).map(close => close()))
    },
  }
  return session
}

/** A recorded token stream (tests/fixtures/sessions): a JSON list of chunks, or plan text, one chunk a line. */
async function openReplay(file: string): Promise<Planner> {
  const {replayPlanner} = await import('../core/model/replay.ts')
  const text = await readFile(file, 'utf8')
  return replayPlanner(file.endsWith('.json') ? z.array(z.string()).parse(JSON.parse(text)) : text.split(/(?<=\n)/))
}

async function openGguf(config: Config, option: string | undefined): Promise<Planner> {
  const name = option ?? config.model.planner
  const isFile = name.includes('/') || name.includes('\\') || name.endsWith('.gguf')
  // A path on the command line is relative to where the user stands, one in the config to the config.
  const modelPath = isFile
    ? expand(name, option === undefined ? path.dirname(config.file) : process.cwd())
    : modelFiles(openModels(), 'planner', name || undefined)[0]!
  const {openPlanner} = await import('../core/planner.ts')
  return openPlanner({modelPath, ...(config.model.threads > 0 && {threads: config.model.threads})})
}

function parseNow(text: string): Date {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) throw new UsageError(`--now ${text}: not a date; e.g. --now 2026-03-03T09:15:00`)
  return date
}

/** Calls `make` at most once, also when it fails: every caller gets the same promise. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => made ??= make()
}

/** Makes the folder errors of a first run readable: one line, and what to do. */
export function folderError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || !('path' in error)) return error
  const reasons: Record<string, string> = {
    EACCES: 'no permission', EROFS: 'the disk is read-only', ENOSPC: 'the disk is full', ENOTDIR: 'a part of the path is a file', EEXIST: 'there is a file of that name',
  }
  const reason = reasons[String(error.code)]
  return reason === undefined ? error : new ConfigError(`${String(error.path)} cannot be written: ${reason}; --home DIR or the config names another folder`, error)
}
