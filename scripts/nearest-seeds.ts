// In-context examples for the planner's prompt: the training seeds whose requests are nearest to a request.
import type {Example} from '../src/core/examples.ts'
import {parsePlan, printPlan} from '../src/core/plan-parser.ts'
import type {Planner, Retriever} from '../src/core/types.ts'
import {side, type Seed} from '../training/build-data.ts'

type Shown = Pick<Example, 'request' | 'plan'>

/** Examples for a request, the nearest last, whose plans call none but these tools. */
export type Nearest = (request: string, tools: string[], count: number, signal: AbortSignal) => Promise<Shown[]>

/** From the training seeds among `seeds`, by the retriever's embedding; seeds with standing instructions are left out, since their plans follow from those. */
export async function openNearest(seeds: Seed[], retriever: Pick<Retriever, 'embed'>, signal: AbortSignal): Promise<Nearest> {
  const training = seeds.filter(seed => side(seed) === 'train' && !seed.instructions)
  // By length: what is embedded together is padded to the longest.
  const examples = training.toSorted((a, b) => a.query.length - b.query.length).map(seed => {
    const plan = parsePlan(seed.plan)
    return {shown: {request: seed.query, plan: printPlan(plan)}, tools: new Set(plan.tasks.map(t => t.tool))}
  })
  const vectors = await retriever.embed(examples.map(e => e.shown.request), signal)
  return async (request, tools, count, stop) => {
    const [asked] = await retriever.embed([request], stop)
    const fitting = examples.flatMap(({shown, tools: called}, i) => [...called].every(tool => tools.includes(tool)) ? [{shown, likeness: dot(asked!, vectors[i]!)}] : [])
    return fitting.sort((a, b) => b.likeness - a.likeness).slice(0, count).map(f => f.shown).reverse()
  }
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0)

/** The planner with so many examples in its prompt, of the tools that it is offered. */
export const withExamples = (planner: Planner, nearest: Nearest, count: number): Planner => ({
  ...planner,
  async *plan(input) {
    return yield* planner.plan({...input, examples: await nearest(input.request, input.tools.map(t => t.name), count, input.signal)})
  },
})
