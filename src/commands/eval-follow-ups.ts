// Scores follow-ups (training/data/follow-ups.jsonl): is each recognised, does the request that is made of the two get the right plan,
// and is just that done which was not done before? The first request counts as done by the row's own plan of it.
import {z} from 'zod'
import {UsageError} from '../core/errors.ts'
import {callKeys, carryingPlanner, type Carry, type EarlierCall} from '../core/carry-over.ts'
import {followUp} from '../core/follow-up.ts'
import {parsePlan, printPlan} from '../core/plan-parser.ts'
import {sameArgs, samePlan} from '../core/plan-graph.ts'
import {chancesOf} from '../core/prior.ts'
import {resolvePlan} from '../core/resolve.ts'
import type {Plan} from '../core/types.ts'
import type {EvalDeps} from './eval.ts'
import type {Share} from './eval-report.ts'

const plan = z.string().transform(text => parsePlan(text))
const common = {id: z.string(), now: z.string().transform(text => new Date(text)), first: z.string(), firstPlan: plan, query: z.string(), tags: z.array(z.string()).default([])}
const rowSchema = z.union([
  z.strictObject({...common, independent: z.literal(true)}),
  /** `anew`: the calls of `plan` that are made; the others were */
  z.strictObject({...common, independent: z.literal(false).default(false), plan, alts: z.array(plan).default([]), anew: z.array(z.number().int())}),
])
export type FollowUpRow = z.output<typeof rowSchema>

/** JSONL -> rows. Throws UsageError with the line's number. */
export const parseFollowUps = (text: string): FollowUpRow[] => text.trim().split('\n').map((line, index) => {
  try { return rowSchema.parse(JSON.parse(line)) } catch (error) { throw new UsageError(`line ${index + 1} is no row of a follow-up`, error) }
})

export interface FollowUpReport {
  /** of the rows taken for follow-ups, those that are */
  precision: Share
  /** of the follow-ups, those taken for one */
  recall: Share
  /** of all follow-ups: the graph of calls is right, those done before included */
  success: Share
  withArguments: Share
  /** and just the calls that the row names are made */
  anew: Share
  failures: {id: string; first: string; query: string; as: string; expected: string; got: string}[]
}

export async function runFollowUps(rows: FollowUpRow[], {retriever, planner, specs}: EvalDeps, signal: AbortSignal, progress: (done: number) => void = () => undefined): Promise<FollowUpReport> {
  const report: FollowUpReport = {precision: none(), recall: none(), success: none(), withArguments: none(), anew: none(), failures: []}
  for (const [index, row] of rows.entries()) {
    const found = followUp(row.query, {text: row.first, tasks: row.firstPlan.tasks})
    if (found) count(report.precision, !row.independent)
    if (!row.independent) {
      count(report.recall, found !== undefined)
      const request = found?.text ?? row.query
      const selected = await retriever.select(request, specs, signal)
      const tools = specs.filter(s => selected.some(t => t.name === s.name))
      const carries = new Map<number, Carry>()
      const stream = carryingPlanner(planner, doneBy(row, specs), found?.isChange ?? false, carries).plan({request, now: row.now, tools, chances: chancesOf(selected), signal})
      let next = await stream.next()
      while (!next.done) next = await stream.next()
      const written = resolvePlan(next.value.plan, specs, row.now)
      const golds = [row.plan, ...row.alts].map(gold => resolvePlan(gold, specs, row.now))
      const isRight = golds.some(gold => sameArgs(written, gold, specs))
      const isAnew = isRight && sameTools(madeNow(written, carries), row.plan, row.anew)
      count(report.success, golds.some(gold => samePlan(written, gold)))
      count(report.withArguments, isRight)
      count(report.anew, isAnew)
      if (!isAnew) report.failures.push({id: row.id, first: row.first, query: row.query, as: found?.text ?? '(stands alone)', expected: printPlan(golds[0]!), got: `${printPlan(written)}\nmade: ${madeNow(written, carries).join(', ') || 'nothing'}`})
    }
    progress(index + 1)
  }
  return report
}

const none = (): Share => ({rows: 0, passed: 0})
const count = (share: Share, isPassed: boolean): void => { share.rows++; if (isPassed) share.passed++ }

const madeNow = ({tasks}: Plan, carries: Map<number, Carry>): string[] =>
  tasks.filter(t => { const carry = carries.get(t.id); return !carry || !('done' in carry) }).map(t => t.tool)
const sameTools = (made: string[], gold: Plan, anew: number[]): boolean =>
  made.sort().join() === gold.tasks.filter(t => anew.includes(t.id)).map(t => t.tool).sort().join()

/** Everything of the first request was done, as its tools do at most. */
function doneBy({firstPlan, now}: FollowUpRow, specs: EvalDeps['specs']): EarlierCall[] {
  const keys = callKeys(firstPlan, specs, now)
  return firstPlan.tasks.flatMap((task): EarlierCall[] => {
    const spec = specs.find(s => s.name === task.tool)
    return spec ? [{task, keys: keys.get(task.id)!, effect: spec.effect, key: `first-${task.id}`, result: {value: 'x', summary: `Did ${task.tool}`, undo: 'x'}}] : []
  })
}
