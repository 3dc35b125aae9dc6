// What the subcommands share: configuration, journal, tools and models, each opened on first use.
import {randomBytes} from 'node:crypto'
import {existsSync} from 'node:fs'
import {readFile, rm} from 'node:fs/promises'
import path from 'node:path'
import {defaultConfig, loadConfig, type Config} from '../core/config.ts'
import {ConfigError, ModelError, UsageError} from '../core/errors.ts'
import {chosenEndpoint, openEndpoint} from '../core/model/endpoints.ts'
import type {Chunk} from '../core/model/replay.ts'
import {chosenWriter, openWriter} from '../core/model/writers.ts'
import {openJournal, type Journal} from '../core/journal.ts'
import {openModels, wholeModelFiles} from '../core/models.ts'
import {expand, pathsOf, type Paths} from '../core/paths.ts'
import {pullableModels} from '../core/pull.ts'
import {makeTempFolder} from '../core/temp-folder.ts'
import {printable} from '../core/text.ts'
import type {Planner, Retriever, Tool, Write} from '../core/types.ts'
import type {Transcriber} from '../core/voice.ts'
import {writeWith, type TextModel} from '../core/writer.ts'
import type {Foreign} from '../tools/foreign.ts'
import type {Backends} from '../tools/index.ts'
import {packageVersion} from '../version.ts'

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
  offline?: boolean
  audio?: string
  voice?: boolean
}

export interface Session {
  options: Options
  config: Config
  /** set where the config is wrong and the command works all the same, with the defaults */
  configError?: ConfigError
  journal: Journal
  /** the clock of a request: --now, or the time it is */
  now(): Date
  /** an id for a run: unique, and in order of time */
  runId(): string
  planner(): Promise<Planner>
  retriever(): Promise<Retriever>
  /** ours, and those of others behind them */
  tools(): Promise<{tools: Tool[]; backends: Backends}>
  /** the sub-agents' model, opened when it is first asked; undefined: there is none, or --yes lets go what nobody has read. Throws for a choice that is none. */
  write(): Write | undefined
  /** speech to text */
  transcriber(): Promise<Transcriber>
  /** a folder of this session alone, for what its requests name; it goes with it */
  folder(): Promise<string>
  /** plug-ins, programs of the config, MCP servers: no server is started */
  foreign(): Promise<Foreign>
  close(): Promise<void>
}

/** Whether the user gets plain lines and not the Ink interface. */
export const isPlain = ({options}: Session): boolean =>
  options.plain || process.env.TERM === 'dumb' || process.env.INK_SCREEN_READER === 'true' || !process.stdout.isTTY || !process.stdin.isTTY

/** `mends`: the command is one of those that put a wrong or missing config right. `isServer`: the models are opened here. */
export function openSession(options: Options, {mends = false, isServer = false} = {}): Session {
  const paths = pathsOf({home: options.home ?? process.env.TINYAGENT_HOME})
  const {config, configError} = readConfig(paths, options.config, mends)
  // The console, since Ink keeps what is written there out of the rows that it redraws; elsewhere it is stderr.
  const said = new Set<string>()
  const warn = (message: string): void => {
    if (said.has(message)) return // a damaged file is met by every look-up
    said.add(message)
    console.error('%s', printable(message))
  }
  const fixed = options.now === undefined ? undefined : parseNow(options.now)
  // Tests of what comes after the planner must not depend on what a model chooses.
  const replay = process.env.TINYAGENT_REPLAY
  const journal = openJournal(path.join(paths.state, 'journal'), {clock: () => new Date(), warn})
  const stamps = path.join(paths.cache, 'models.json')
  const closers: (() => Promise<void>)[] = []
  // Models that `tinyagent serve` has in memory already, where it is the same version with the same model.
  const socket = socketOf(paths.state)
  const warm = once(async () => !isServer && existsSync(socket) && (await import('./warm.ts')).isWarm(socket, identity({options, config})))
  let writer: Promise<TextModel> | undefined
  const session: Session = {
    options, config, journal, ...(configError && {configError}),
    now: () => fixed ?? new Date(),
    runId: () => `${new Date().toISOString().replace(/[-:]|\..*/g, '')}-${randomBytes(3).toString('hex')}`,
    planner: once(async () => {
      // There is nothing to keep warm of a model that is elsewhere.
      const endpoint = replay ? undefined : chosenEndpoint(config, options.model)
      if (endpoint) return openEndpoint(endpoint, config.model.prompt)
      const open = once(async () => {
        const planner = await (replay ? openReplay(replay) : openGguf(config, options.model, stamps))
        closers.push(() => planner.close())
        return planner
      })
      return !replay && await warm() ? (await import('./warm.ts')).warmPlanner(socket, 'serve', open) : open()
    }),
    retriever: once(async () => {
      const open = once(async (): Promise<Retriever> => {
        const [first] = await wholeModelFiles(openModels(), 'retriever', undefined, stamps)
        const {openRetriever} = await import('../core/retriever.ts')
        const retriever = await openRetriever({dir: path.dirname(first!)})
        closers.push(() => retriever.close())
        return retriever
      })
      if (!replay) return await warm() ? (await import('./warm.ts')).warmRetriever(socket, open) : open()
      // What a recorded plan calls is what it needs.
      const plan = (await readChunks(replay)).flat().map(c => typeof c === 'string' ? c : c.text).join('')
      return {
        select: async (_request, tools) => tools.filter(t => plan.includes(`${t.name}(`)).map(t => ({name: t.name, score: 1})),
        embed: async (texts, signal) => (await open()).embed(texts, signal),
      }
    }),
    tools: once(async () => {
      const [{openTools}, foreign] = await Promise.all([import('../tools/index.ts'), session.foreign()])
      foreign.problems.forEach(warn)
      const {tools, backends} = openTools(config, {
        warn,
        embed: async (texts, signal) => (await session.retriever()).embed(texts, signal),
        ...(options.mail !== undefined && {openMail: path.resolve(options.mail)}),
      })
      return {tools: [...tools, ...foreign.tools.map(({tool}) => tool)], backends}
    }),
    folder: once(async () => {
      const dir = await makeTempFolder()
      closers.push(() => rm(dir, {recursive: true, force: true}))
      return dir
    }),
    foreign: once(async () => {
      const {openForeign} = await import('../tools/foreign.ts')
      const foreign = await openForeign(config, packageVersion())
      closers.push(() => foreign.close())
      return foreign
    }),
    write: () => {
      const chosen = options.yes ? undefined : chosenWriter(config)
      return chosen && writeWith(chosen.name, async () => {
        if (!writer) closers.push(async () => { await (await writer?.catch(() => undefined))?.close() })
        return writer ??= openWriter(chosen, config)
      })
    },
    transcriber: once(async () => {
      const {openTranscriber} = await import('../core/voice.ts')
      const model = await whisperFile(config, stamps)
      const transcriber = await openTranscriber({model, ...(config.model.threads > 0 && {threads: config.model.threads})})
      closers.push(() => transcriber.close())
      return transcriber
    }),
    async close() {
      await Promise.all(closers.splice(0).map(close => close()))
    },
  }
  return session
}

/** Where `tinyagent serve` listens. */
export const socketOf = (stateDir: string): string => path.join(stateDir, 'serve.sock')

/** What has to be the same on both sides of it: another version or model would write other plans. */
export const identity = ({options, config}: Pick<Session, 'options' | 'config'>): string => `${packageVersion()} ${options.model ?? config.model.planner}${config.model.prompt === 'auto' ? '' : ` ${config.model.prompt}`}`

/** A recorded token stream (tests/fixtures/sessions) in place of a planner. */
async function openReplay(file: string): Promise<Planner> {
  const {replayPlanner} = await import('../core/model/replay.ts')
  const [first = [], ...later] = await readChunks(file)
  return replayPlanner(first, ...later)
}

async function readChunks(file: string): Promise<Chunk[][]> {
  const {readRecording} = await import('../core/model/replay.ts')
  try {
    return readRecording(await readFile(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`TINYAGENT_REPLAY: ${file} is no recording of a plan`, error)
  }
}

async function openGguf(config: Config, option: string | undefined, stamps: string): Promise<Planner> {
  const modelPath = plannerFile(config, option) ?? (await wholeModelFiles(openModels(), 'planner', option || config.model.planner || undefined, stamps))[0]!
  const {openPlanner} = await import('../core/planner.ts')
  return openPlanner({modelPath, prompt: config.model.prompt, gpu: config.model.gpu, ...(config.model.threads > 0 && {threads: config.model.threads})})
}

/** The Whisper that the user chose, or the one that comes with the program. */
async function whisperFile(config: Config, stamps: string): Promise<string> {
  const name = config.voice.model
  const own = openModels()
  const others = pullableModels(config.paths)
  if (name === '' || own.list.some(m => m.role === 'whisper' && m.name === name)) return (await wholeModelFiles(own, 'whisper', name || undefined, stamps))[0]!
  const chosen = others.list.find(m => m.name === name)
  if (!chosen) {
    const names = [...own.list, ...others.list].filter(m => m.role === 'whisper').map(m => m.name).join(', ')
    throw new ConfigError(`${config.file}: voice.model: there is no "${name}"; one of: ${names}`)
  }
  if (chosen.files.some(f => !existsSync(path.join(others.dir, f.file)))) throw new ModelError(`${name} is not here yet: \`tinyagent models pull ${name}\` fetches it`)
  return (await wholeModelFiles(others, 'whisper', name, stamps))[0]!
}

/**
 * The GGUF file that the user chose; undefined for a model that comes with the program, and for an endpoint. Throws for a choice that is none,
 * and says whether the command line or the config made it.
 */
export function plannerFile(config: Config, option: string | undefined): string | undefined {
  const name = option ?? config.model.planner
  if (name === '' || chosenEndpoint(config, option)) return undefined
  const wrong = (reason: string): Error => option === undefined
    ? new ConfigError(`${config.file}: model.planner: ${reason}`)
    : new UsageError(`--model ${option}: ${reason}`)
  if (name.includes('/') || name.includes('\\') || name.endsWith('.gguf')) {
    // A path on the command line is relative to where the user stands, one in the config to the config.
    const file = expand(name, option === undefined ? path.dirname(config.file) : process.cwd())
    if (!existsSync(file)) throw wrong(`there is no file ${file}`)
    return file
  }
  const names = openModels().list.filter(m => m.role === 'planner').map(m => m.name)
  if (!names.includes(name)) throw wrong(`there is no such model; a GGUF file, or one of: ${[...names, ...Object.keys(config.model.endpoints)].join(', ')}`)
  return undefined
}

/** With `mends` a config that cannot be read is reported beside the defaults, and one that is not there yet is none. */
function readConfig(paths: Paths, option: string | undefined, mends: boolean): {config: Config; configError?: ConfigError} {
  const file = option === undefined ? undefined : path.resolve(option)
  if (file !== undefined && !mends && !existsSync(file)) {
    throw new ConfigError(`--config ${option}: there is no such file; \`tinyagent setup --config ${option}\` writes one`)
  }
  try {
    return {config: loadConfig(paths, file)}
  } catch (error) {
    if (!mends || !(error instanceof ConfigError)) throw error
    return {config: defaultConfig(paths, file), configError: error}
  }
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
