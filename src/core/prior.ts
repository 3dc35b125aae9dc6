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

/**
 * Where two tools are both still to be called, how often the one of the earlier stage comes first (training rows): what finds a person or a
 * file; what gives something to pass on; what gives nothing. A look-up that comes too late serves nobody.
 */
const stageOf = ({returns}: Pick<ToolSpec, 'returns'>): number => ['address', 'phone', 'path'].includes(returns) ? 0 : returns === 'none' ? 2 : 1
const isFirst = [
  [0.5, 0.87, 0.91],
  [0.13, 0.5, 0.73],
  [0.09, 0.27, 0.5],
] as const

/** [] where the retriever knows nothing of one of the tools: it may do what the request wants. `made`: the tools of the calls so far. */
export function openings(tools: Pick<ToolSpec, 'name' | 'returns'>[], made: string[], chances: Chances | undefined): Opening[] {
  if (!chances || tools.length === 0 || tools.some(t => !chances.has(t.name))) return []
  const more = tools.map(tool => ({name: tool.name, stage: stageOf(tool), chance: chanceOfMore(chances.get(tool.name)!, made.filter(m => m === tool.name).length)}))
  const end = more.reduce((none, {chance}) => none * (1 - chance), 1)
  const next = more.map(({name, stage, chance}) => ({
    name, weight: more.reduce((weight, other) => other.name === name ? weight : weight * (1 - other.chance + other.chance * isFirst[stage]![other.stage]!), chance),
  }))
  const sum = next.reduce((total, {weight}) => total + weight, 0)
  return [...next.map(({name, weight}) => ({text: ` ${name}`, weight: (1 - end) * weight / sum})), {text: ' join', weight: end}]
}
