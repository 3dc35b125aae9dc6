// A planner that replays a recorded token stream, chunk by chunk and at its own pace: for tests and for playing a session again.
import {setTimeout as pause} from 'node:timers/promises'
import {z} from 'zod'
import {PlanParser} from '../plan-parser.ts'
import {repairPlan} from '../repair.ts'
import type {PlanInput, PlanPiece, Planner, PlanSummary, Task} from '../types.ts'

/** What the model wrote at once; `afterMs`: how long it was silent before. */
const chunkSchema = z.union([z.string(), z.strictObject({afterMs: z.number().nonnegative(), text: z.string()})])
export type Chunk = z.infer<typeof chunkSchema>

/** The text of a recording: a JSON list of chunks, or a list of such lists, one a request, or plan text, one chunk a line. Throws for other lists. */
export function readRecording(text: string): Chunk[][] {
  if (!text.trimStart().startsWith('[')) return [text.split(/(?<=\n)/)]
  const json: unknown = JSON.parse(text)
  const isOne = Array.isArray(json) && !json.some(item => Array.isArray(item))
  return z.array(z.array(chunkSchema)).min(1).parse(isOne ? [json] : json)
}

/** Every request gets the same stream, or the next of several; the last one stays. */
export function replayPlanner(chunks: readonly Chunk[], ...later: (readonly Chunk[])[]): Planner {
  const streams = [chunks, ...later]
  return {
    name: 'replay',
    close: () => Promise.resolve(),
    async *plan(input: PlanInput): AsyncGenerator<PlanPiece, PlanSummary> {
      const {signal} = input
      const parser = new PlanParser()
      const tasks: Task[] = []
      const parsed = function* (found: Task[]): Generator<PlanPiece> {
        for (const task of found) { tasks.push(task); yield {task} }
      }
      const stream = streams.length > 1 ? streams.shift()! : streams[0]!
      for (const chunk of stream) {
        if (typeof chunk !== 'string') await pause(chunk.afterMs, undefined, {signal})
        signal.throwIfAborted()
        const delta = typeof chunk === 'string' ? chunk : chunk.text
        yield {delta}
        yield* parsed(parser.feed(delta))
      }
      yield* parsed(parser.end())
      return {...repairPlan({tasks}, input.request), promptTokens: 0, generatedTokens: stream.length}
    },
  }
}
