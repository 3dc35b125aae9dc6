// How often the retriever thinks that each tool is needed + the calls so far -> which tool a line probably begins with, or that the plan
// ends there. The planner's own word and this one are multiplied (a product of experts; core/model/llama.ts does it token by token): the
// classifier sees the whole request at once and counts better than a small model that writes.
import type {Chances, RetrievedTool, ToolSpec} from './types.ts'

/** One way in which a line may begin. `weight`: its chance against the others. */
export interface Opening { text: string; weight: number }

/** Those of the tools that were selected. */
export const chancesOf = (selected: RetrievedTool[]): Chances => new Map(selected.flatMap(t => t.calls ? [[t.name, t.calls]] : []))

/** No chance is taken for more certain than this: the classifier has been wrong at any score. */
const doubt = 0.001

/** The chance of one more call after `made` of them. */
function chanceOfMore(chances: readonly number[], made: number): number {
  const at = Math.min(made, chances.length - 1)
  const before = at === 0 ? 1 : chances[at - 1]!
  return Math.min(1 - doubt, Math.max(doubt, before > 0 ? chances[at]! / before : 0))
}

/** [] where the retriever knows nothing of one of the tools: it may do what the request wants. `made`: the tools of the calls so far. */
export function openings(tools: Pick<ToolSpec, 'name'>[], made: string[], chances: Chances | undefined): Opening[] {
  if (!chances || tools.length === 0 || tools.some(t => !chances.has(t.name))) return []
  const more = tools.map(({name}) => ({name, chance: chanceOfMore(chances.get(name)!, made.filter(m => m === name).length)}))
  const end = more.reduce((none, {chance}) => none * (1 - chance), 1)
  const sum = more.reduce((total, {chance}) => total + chance, 0)
  return [...more.map(({name, chance}) => ({text: ` ${name}`, weight: (1 - end) * chance / sum})), {text: ' join', weight: end}]
}
