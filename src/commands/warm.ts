// The other side of `tinyagent serve`: a retriever and a planner that are asked for over its socket, where it is there and the same.
import {lstatSync} from 'node:fs'
import {connect} from 'node:net'
import {createInterface} from 'node:readline'
import {z} from 'zod'
import {ModelError, PlanError, UsageError} from '../core/errors.ts'
import {references} from '../core/plan-parser.ts'
import type {Arg, PlanInput, PlanPiece, Planner, PlanSummary, Retriever, ToolSpec} from '../core/types.ts'
import {specs} from '../tools/specs.ts'
import type {ServeQuestion} from './serve.ts'

const ref = z.strictObject({ref: z.number().int()})
const arg: z.ZodType<Arg> = z.lazy(() => z.union([z.string(), z.number(), z.boolean(), ref, z.strictObject({template: z.array(z.union([z.string(), ref]))}), z.array(arg)]))
const task = z.object({id: z.number().int(), tool: z.string(), args: z.array(arg)}).transform(t => ({...t, dependsOn: references(t.args)}))
const piece = z.union([z.strictObject({delta: z.string()}), z.strictObject({task})])
const summary = z.object({
  plan: z.object({tasks: z.array(task)}), repairs: z.array(z.string()), dropped: z.array(z.number()), promptTokens: z.number(), generatedTokens: z.number(),
})
const retrieved = z.object({name: z.string(), score: z.number(), calls: z.array(z.number()).exactOptional()})
const line = z.union([
  z.object({hello: z.string()}), z.object({piece}), z.object({done: z.unknown()}),
  z.object({error: z.object({code: z.string(), message: z.string(), line: z.number().optional()})}),
])

const gone = (cause?: unknown): ModelError => new ModelError('`tinyagent serve` ended while it was asked; try again', cause)

/** The lines of an answer after the greeting, the last one with `done`. Throws what the other side has thrown. */
async function* lines(file: string, question: ServeQuestion | undefined, signal: AbortSignal): AsyncGenerator<z.infer<typeof line>> {
  signal.throwIfAborted()
  const socket = connect(file)
  let failure: unknown
  const stop = (): void => { socket.destroy() }
  signal.addEventListener('abort', stop, {once: true})
  socket.on('error', error => { failure = error })
  try {
    if (question) socket.write(`${JSON.stringify(question)}\n`)
    for await (const text of createInterface({input: socket})) {
      const parsed = line.parse(JSON.parse(text))
      if ('error' in parsed) {
        const {code, message, line: at} = parsed.error
        throw code === 'plan' ? new PlanError(at ?? 0, message.replace(/^line \d+: /, '')) : code === 'usage' ? new UsageError(message) : new ModelError(message)
      }
      yield parsed
      if ('done' in parsed) return
    }
    signal.throwIfAborted()
    throw gone(failure)
  } finally {
    signal.removeEventListener('abort', stop)
    socket.destroy()
  }
}

/** Whether a server of ours, with this version and model, answers on the socket. */
export async function isWarm(file: string, identity: string): Promise<boolean> {
  try {
    const info = lstatSync(file)
    if (!info.isSocket() || info.uid !== process.getuid?.()) return false
    for await (const first of lines(file, undefined, AbortSignal.timeout(1_000))) return 'hello' in first && first.hello === identity
  } catch { /* nobody is there */ }
  return false
}

const names = (tools: ToolSpec[]): string[] => tools.map(t => t.name)
const areOurs = (tools: ToolSpec[]): boolean => tools.every(t => specs.some(s => s.name === t.name))

/** `local`: for tools that the server does not know. */
export function warmRetriever(file: string, local: () => Promise<Retriever>): Retriever {
  const ask = async <T>(question: ServeQuestion, schema: z.ZodType<T>, signal: AbortSignal): Promise<T> => {
    for await (const said of lines(file, question, signal)) if ('done' in said) return schema.parse(said.done)
    throw gone()
  }
  return {
    select: async (request, tools, signal, instructions) => areOurs(tools)
      ? ask({ask: 'select', request, tools: names(tools), ...(instructions !== undefined && {instructions})}, z.array(retrieved), signal)
      : (await local()).select(request, tools, signal, instructions),
    embed: async (texts, signal) => (await ask({ask: 'embed', texts}, z.array(z.array(z.number())), signal)).map(v => Float32Array.from(v)),
  }
}

export function warmPlanner(file: string, name: string, local: () => Promise<Planner>): Planner {
  return {
    name,
    close: () => Promise.resolve(),
    async *plan(input: PlanInput): AsyncGenerator<PlanPiece, PlanSummary> {
      const {request, now, tools, chances, instructions, previous, signal} = input
      if (!areOurs(tools)) return yield* (await local()).plan(input)
      const question: ServeQuestion = {ask: 'plan', request, now: now.toISOString(), tools: names(tools), ...(chances && {chances: Object.fromEntries([...chances].map(([name, calls]) => [name, [...calls]]))}), ...(instructions !== undefined && {instructions}), ...(previous && {previous})}
      for await (const said of lines(file, question, signal)) {
        if ('piece' in said) yield said.piece
        if ('done' in said) return summary.parse(said.done)
      }
      throw gone()
    },
  }
}
