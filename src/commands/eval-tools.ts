// Which tools a planner leaves out, which it calls too often, and which it takes for which.
import type {Plan} from '../core/types.ts'

/** How the calls of one tool fared, over all rows. */
export interface ToolCalls {
  /** calls in the gold plans, and in the planner's */
  gold: number
  planned: number
  /** rows with fewer of its calls than the gold plan has, and with more */
  missing: number
  extra: number
  /** of the rows where it is missing: in how many each other tool has too many calls, the commonest first */
  instead: {tool: string; rows: number}[]
  /** of the rows where it is missing: in how many no tool has too many calls */
  insteadNothing: number
}

/** The tools that are not ours, of all rows together. */
export const others = 'tools of others'

/** A row with several gold plans is held against the one whose calls are nearest; one without a plan misses all calls. `names`: our tools. */
export function countTools(rows: {golds: Plan[]; plan: Plan | undefined}[], names: string[]): Record<string, ToolCalls> {
  const label = (tool: string): string => names.includes(tool) ? tool : others
  const found = new Map([...names, others].map(name => [name, {gold: 0, planned: 0, missing: 0, extra: 0, insteadNothing: 0, instead: new Map<string, number>()}]))
  for (const {golds, plan} of rows) {
    const planned = countCalls(plan)
    const {gold, differences} = golds.map(g => compare(countCalls(g), planned)).reduce((best, one) => one.distance < best.distance ? one : best)
    for (const [tool, calls] of gold) found.get(label(tool))!.gold += calls
    for (const [tool, calls] of planned) found.get(label(tool))!.planned += calls
    // Two tools of others count once in a row, and one of them may stand for another.
    const missing = new Set(differences.flatMap(([tool, more]) => more < 0 ? [label(tool)] : []))
    const extra = new Set(differences.flatMap(([tool, more]) => more > 0 ? [label(tool)] : []))
    for (const tool of extra) found.get(tool)!.extra++
    for (const tool of missing) {
      const counts = found.get(tool)!
      counts.missing++
      if (extra.size === 0) counts.insteadNothing++
      for (const other of extra) counts.instead.set(other, (counts.instead.get(other) ?? 0) + 1)
    }
  }
  return Object.fromEntries([...found].filter(([name, c]) => name !== others || c.gold + c.planned > 0)
    .map(([name, counts]) => [name, {...counts, instead: [...counts.instead].map(([tool, rows]) => ({tool, rows})).sort((a, b) => b.rows - a.rows)}]))
}

/** In words: what was called in a tool's place, with the rows. */
export function insteadOf({instead: [first], insteadNothing}: Pick<ToolCalls, 'instead' | 'insteadNothing'>): string {
  return [...(first ? [`${first.tool} ${first.rows}`] : []), ...(insteadNothing > 0 ? [`nothing ${insteadNothing}`] : [])].join(', ')
}

type Counts = Map<string, number>

function countCalls(plan: Plan | undefined): Counts {
  const counts: Counts = new Map()
  for (const {tool} of plan?.tasks ?? []) counts.set(tool, (counts.get(tool) ?? 0) + 1)
  return counts
}

/** By tool, how many calls more than the gold plan has; and how many calls differ in all. */
function compare(gold: Counts, planned: Counts): {gold: Counts; differences: [string, number][]; distance: number} {
  const differences = [...new Set([...gold.keys(), ...planned.keys()])].map((tool): [string, number] => [tool, (planned.get(tool) ?? 0) - (gold.get(tool) ?? 0)])
  return {gold, differences, distance: differences.reduce((sum, [, more]) => sum + Math.abs(more), 0)}
}
