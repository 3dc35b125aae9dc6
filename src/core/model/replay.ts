// A planner that replays a recorded token stream, chunk by chunk and at its own pace: for tests and for playing a session again.
import {setTimeout as pause} from 'node:timers/promises'
import {z} from 'zod'
import {PlanParser} from '../plan-parser.ts'
import {repairPlan} from '../repair.ts'
import type {PlanInput, PlanPiece, Planner, PlanSummary, Task} from '../types.ts'

/** What the model wrote at once; `afterMs`: how long it was silent before. */
const chunkSchema = z.union([z.string(), z.strictObject({afterMs: z.number().nonnegative(), text: z.string()})])
export type Chunk = z.infer<typeof chunkSchema>

/** The text of a recording: a JSON list of chunks, or plan text, one chunk a line. Throws where a list is not one of chunks. */
export const readRecording = (text: string): Chunk[] =>
  text.trimStart().startsWith('[') ? z.array(chunkSchema).parse(JSON.parse(text)) : text.split(/(?<=\n)/)

/** Every request gets the same stream. */
export function replayPlanner(chunks: readonly Chunk[]): Planner {
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
      for (const chunk of chunks) {
        if (typeof chunk !== 'string') await pause(chunk.afterMs, undefined, {signal})
        signal.throwIfAborted()
        const delta = typeof chunk === 'string' ? chunk : chunk.text
        yield {delta}
        yield* parsed(parser.feed(delta))
      }
      yield* parsed(parser.end())
      return {...repairPlan({tasks}, input.request), promptTokens: 0, generatedTokens: chunks.length}
    },
  }
}
