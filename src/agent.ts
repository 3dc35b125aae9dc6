// The embeddable API: `import {createAgent} from 'tinyagent'` (docs/embedding.md). The same session and the same one path as the
// command line, with its config, journal and rules; events come by async iteration, confirmations are asked of a callback.
import {z} from 'zod'
import {tellCutOff} from './commands/cut-off.ts'
import {planOf} from './commands/plan.ts'
import {checkRequest} from './commands/request.ts'
import {runOne} from './commands/run-one.ts'
import {openSession, type Session} from './commands/session.ts'
import {ToolError, UsageError} from './core/errors.ts'
import {oneAtATime} from './core/one-at-a-time.ts'
import {arg, paramsOf} from './core/params.ts'
import {tool, type Ask, type Confirm, type Event, type Json, type RunStatus, type Tool} from './core/types.ts'

export {arg, tool, z, ToolError}
export type {Answer, Ask, Confirm, ConfirmAnswer, Event, Json, Preview, Question, Result, RunStatus, Task, Tool, ToolContext} from './core/types.ts'

export interface AgentOptions {
  /** everything lives under this folder; default TINYAGENT_HOME, else the user's own folders */
  home?: string
  /** the config file; default the one of `home` */
  config?: string
  /** as --model */
  model?: string
  /** tools of the caller, beside those of tinyagent; their word on their effect is believed, as they are the program's own */
  tools?: Tool[]
  /**
   * A line that the user has to read, once: what became of a step in which an earlier run was cut off (the program was killed). It is
   * looked into when the first run begins, and the first confirmation waits for it. Default: standard error, as on the command line.
   */
  tell?: (line: string) => void
}

export interface RunAgentOptions {
  /** asked before each outward step; without it nothing outward is done, but for what a rule of the user's config allows */
  confirm?: Confirm
  /** asked where a step needs to know more ("which Ana?"); without it the step fails */
  ask?: Ask
  signal?: AbortSignal
  /** shows what would be done; nothing is */
  dryRun?: boolean
  /** the clock of the request; default the time it is */
  now?: Date
}

/** A run, begun already. To leave its loop early aborts it. It can be iterated once. */
export interface AgentRun extends AsyncIterable<Event> {
  /** rejects with a UsageError (`code` 'usage') where the text is no request; what goes wrong later is an event and a status */
  readonly outcome: Promise<{status: RunStatus; exitCode: number}>
  abort(): void
}

export interface AgentPlan { request: string; now: string; model: string; plan: string; tools: {name: string; score: number}[]; tasks: Json[] }

export interface Agent {
  /** Runs a request. One at a time: a later one waits for those before it. */
  run(request: string, options?: RunAgentOptions): AgentRun
  /** The plan of a request; nothing runs. */
  plan(request: string, options?: {signal?: AbortSignal; now?: Date}): Promise<AgentPlan>
  /** Aborts what runs and what waits its turn (their status is 'cancelled'), waits for it, and frees the models. */
  close(): Promise<void>
}

/** Opens the config (throws a ConfigError, `code` 'config'); models and tools are opened on first use. */
export function createAgent({home, config, model, tools: own = [], tell = line => { console.error('%s', line) }}: AgentOptions = {}): Agent {
  for (const one of own) paramsOf(one) // a schema that is not made of `arg` is said now
  const opened = openSession({...(home !== undefined && {home}), ...(config !== undefined && {config}), ...(model !== undefined && {model})})
  const closing = new AbortController()
  const inTurn = oneAtATime()
  const next = <T>(make: () => Promise<T>): Promise<T> => closing.signal.aborted ? Promise.reject(new UsageError('This agent is closed')) : inTurn(make)
  const sessionAt = (now: Date | undefined): Session => ({
    ...opened,
    ...(now && {now: () => now}),
    tools: async () => {
      const {tools, backends} = await opened.tools()
      const taken = own.find((o, i) => tools.some(t => t.name === o.name) || own.findIndex(other => other.name === o.name) !== i)
      if (taken) throw new UsageError(`There is a tool ${taken.name} already: give yours another name`)
      return {tools: [...tools, ...own.map(o => Object.assign(Object.create(o) as Tool, {foreign: true}))], backends}
    },
  })
  let told: Promise<void> | undefined
  const beforeCard = (): Promise<void> => told ??= tellCutOff(sessionAt(undefined), tell, closing.signal).told
  return {
    run(request, {confirm, ask, signal, dryRun = false, now} = {}) {
      const stop = new AbortController()
      const all = AbortSignal.any([stop.signal, closing.signal, ...(signal ? [signal] : [])])
      const events: Event[] = []
      let wake = (): void => undefined
      let isEnded = false
      const outcome = next(() => runOne(request, sessionAt(now), {
        emit: event => { events.push(event); wake() }, signal: all, dryRun, beforeCard: beforeCard(), ...(confirm && {confirm}), ...(ask && {ask}),
      })).finally(() => { isEnded = true; wake() })
      outcome.catch(() => undefined) // whoever iterates or awaits it gets the error
      return {
        outcome,
        abort: () => stop.abort(),
        async *[Symbol.asyncIterator]() {
          try {
            for (;;) {
              while (events.length > 0) yield events.shift()!
              if (isEnded) break
              await new Promise<void>(resolve => { wake = resolve })
            }
            await outcome
          } finally {
            if (!isEnded) stop.abort()
          }
        },
      }
    },
    plan: (request, {signal, now} = {}) => next(() => planOf(checkRequest(request), sessionAt(now), signal ? AbortSignal.any([closing.signal, signal]) : closing.signal)),
    async close() {
      closing.abort()
      await inTurn(async () => { await told; await opened.close() })
    },
  }
}
