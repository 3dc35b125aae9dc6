// A planner that replays a recorded token stream, chunk by chunk: for tests and for playing a session again.
import {PlanParser} from '../plan-parser.ts'
import {repairPlan} from '../repair.ts'
import type {PlanInput, PlanPiece, Planner, PlanSummary, Task} from '../types.ts'

/** Every request gets the same stream. */
export function replayPlanner(chunks: string[]): Planner {
  return {
    name: 'replay',
    close: () => Promise.resolve(),
    async *plan(input: PlanInput): AsyncGenerator<PlanPiece, PlanSummary> {
      const parser = new PlanParser()
      const tasks: Task[] = []
      const parsed = function* (found: Task[]): Generator<PlanPiece> {
        for (const task of found) { tasks.push(task); yield {task} }
      }
      for (const delta of chunks) {
        input.signal.throwIfAborted()
        yield {delta}
        yield* parsed(parser.feed(delta))
      }
      yield* parsed(parser.end())
      return {...repairPlan({tasks}, input.request), promptTokens: 0, generatedTokens: chunks.length}
    },
  }
}
