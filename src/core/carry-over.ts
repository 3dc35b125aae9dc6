// The plan of a follow-up beside what the last request has done: the same call is not made again, and its result is used; a call
// that differs stands in the place of the one that it corrects. So a follow-up can be planned as a whole request.
import {paramsOf} from './params.ts'
import {references} from './plan-parser.ts'
import {resolveTask} from './resolve.ts'
import type {Arg, Effect, Param, Plan, PlanInput, PlanPiece, Planner, PlanSummary, Result, Task, ToolSpec} from './types.ts'

/** A call of the last request that was done, or that may have been (`result` absent: it was begun, and nobody knows how it ended). */
export interface EarlierCall {
  task: Task
  /** `task` with absolute dates, by the clock of its own request */
  resolved: Task
  effect: Effect
  /** the journal's, of a side effect */
  key?: string
  result?: Result
}

/** What the last request means for a call of the new plan. `done`: it is that call. `insteadOf`: it corrects it. `besides`: some of its recipients have it. */
export type Carry = {done: EarlierCall} | {insteadOf: EarlierCall} | {besides: EarlierCall}

/** What it is about, in a line for people. */
export const earlierCall = (carry: Carry): EarlierCall => 'done' in carry ? carry.done : 'insteadOf' in carry ? carry.insteadOf : carry.besides

interface Match { tasks: Task[]; carries: Map<number, Carry> }

/**
 * Matches a whole plan. `isChange`: calls of the same tool that share something with one of the last request stand in its place. Who has
 * got the same message already is no recipient of it any more.
 */
export function carryOver(plan: Plan, earlier: EarlierCall[], {specs, now, isChange}: {specs: ToolSpec[]; now: Date; isChange: boolean}): Match {
  const carries = new Map<number, Carry>()
  const known = new Map<number, number>() // id of a call -> id of the earlier call that it is
  const free = new Set(earlier)
  const specOf = (task: Task): ToolSpec | undefined => specs.find(s => s.name === task.tool)
  const tasks = plan.tasks.map(written => {
    const spec = specOf(written)
    if (!spec) return written
    const keys = keysOf(written, spec, now, known)
    const same = earlier.find(e => e.task.tool === written.tool && (free.has(e) || e.effect === 'read') && earlierKeys(e).some(k => keys.includes(k)))
    if (same) {
      free.delete(same)
      known.set(written.id, same.task.id)
      // One whose end nobody knows is never repeated unseen.
      carries.set(written.id, same.result ? {done: same} : {insteadOf: same})
      return written
    }
    const sent = earlier.find(e => e.effect === 'outward' && e.task.tool === written.tool && isSameMessage(written, e.task, spec, known))
    if (!sent) return written
    const rest = withoutRecipients(written, sent.task, spec, known)
    if (rest === written) return written
    carries.set(written.id, rest ? {besides: sent} : {done: sent})
    free.delete(sent)
    return rest ?? written
  })
  if (isChange) for (const task of tasks) {
    const spec = specOf(task)
    if (!spec || spec.effect === 'read' || carries.has(task.id)) continue
    const resolved = resolveTask(task, spec, now)
    const likeness = (e: EarlierCall): number => paramsOf(spec).filter((p, i) => tells(resolved.args[i], p) && keyOf(resolved.args[i]!, known) === keyOf(e.resolved.args[i] ?? '')).length
    const [closest] = [...free].filter(e => e.task.tool === task.tool && e.effect !== 'read' && likeness(e) > 0).sort((a, b) => likeness(b) - likeness(a))
    if (!closest) continue
    free.delete(closest)
    carries.set(task.id, {insteadOf: closest})
  }
  return {tasks, carries}
}

/** Letters and digits only: the model spells a text now with a stop and now without. References are those to earlier calls. */
const keyOf = (arg: Arg | Arg[], known?: ReadonlyMap<number, number>): string => {
  if (Array.isArray(arg)) return `[${arg.map(a => keyOf(a, known)).join('|')}]`
  if (typeof arg !== 'object') return String(arg).normalize('NFKC').toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
  if ('ref' in arg) return known ? known.has(arg.ref) ? `$${known.get(arg.ref)}` : `$new${arg.ref}` : `$${arg.ref}`
  return arg.template.map(p => keyOf(p, known)).join('')
}

/** In the words of the plan, and with absolute dates: "in 20 minutes" was another time then. */
const keysOf = (task: Task, spec: ToolSpec, now: Date, known: ReadonlyMap<number, number>): string[] =>
  [keyOf(task.args, known), keyOf(resolveTask(task, spec, now).args, known)]
const earlierKeys = (e: EarlierCall): string[] => [keyOf(e.task.args), keyOf(e.resolved.args)]

/** Whether the argument says anything of its call: a default is alike in all of them. */
const tells = (arg: Arg | undefined, {kind}: Param): boolean => ['title', 'text', 'when', 'file', 'place', 'address', 'phone', 'any'].includes(kind) &&
  arg !== undefined && arg !== '' && !(Array.isArray(arg) && arg.length === 0)

const isWho = (p: Param): boolean => p.name === 'recipients' || p.name === 'cc'
const isSameMessage = (a: Task, sent: Task, spec: ToolSpec, known: ReadonlyMap<number, number>): boolean => paramsOf(spec).some(p => p.name === 'recipients') &&
  paramsOf(spec).every((p, i) => isWho(p) || keyOf(a.args[i] ?? '', known) === keyOf(sent.args[i] ?? ''))

/** undefined: everybody has it; the task itself: nobody has. Whoever only gets a copy is written to when nobody else is left. */
function withoutRecipients(task: Task, sent: Task, spec: ToolSpec, known: ReadonlyMap<number, number>): Task | undefined {
  const params = paramsOf(spec)
  const have = new Set(params.flatMap((p, i) => isWho(p) ? [sent.args[i] ?? []].flat().map(a => keyOf(a)) : []))
  const left = params.map((p, i): Arg => isWho(p) && Array.isArray(task.args[i]) ? task.args[i].filter(a => !have.has(keyOf(a, known))) : task.args[i] ?? '')
  const to = params.findIndex(p => p.name === 'recipients')
  const cc = params.findIndex(p => p.name === 'cc')
  const size = (args: Arg[], i: number): number => { const list = args[i]; return Array.isArray(list) ? list.length : 0 }
  if (size(left, to) === size(task.args, to) && size(left, cc) === size(task.args, cc)) return task
  if (size(left, to) === 0 && size(left, cc) === 0) return undefined
  const args = size(left, to) > 0 ? left : left.map((a, i) => i === to ? left[cc]! : i === cc ? [] : a)
  return {...task, args, dependsOn: references(args)}
}

/**
 * Writes what the planner writes, and gives the calls out when the plan is whole: only then is it known what each is to the last request.
 * Fills `carries` before the first of them.
 */
export function carryingPlanner(planner: Planner, earlier: EarlierCall[], isChange: boolean, carries: Map<number, Carry>): Planner {
  return {
    name: planner.name,
    close: () => planner.close(),
    async *plan(input: PlanInput): AsyncGenerator<PlanPiece, PlanSummary> {
      const plan = planner.plan(input)
      let next = await plan.next()
      for (; !next.done; next = await plan.next()) if ('delta' in next.value) yield next.value
      const summary = next.value
      const match = carryOver(summary.plan, earlier, {specs: input.tools, now: input.now, isChange})
      carries.clear()
      match.carries.forEach((carry, id) => carries.set(id, carry))
      for (const task of match.tasks) yield {task}
      return {...summary, plan: {tasks: match.tasks}, dropped: []}
    },
  }
}
