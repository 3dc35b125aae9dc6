// The plan of a follow-up beside what the last request has done: the same call is not made again, and its result is used; a call
// that differs stands in the place of the one that it corrects. So a follow-up can be planned as a whole request.
import {paramsOf} from './params.ts'
import {references} from './plan-parser.ts'
import {resolveTask} from './resolve.ts'
import type {Arg, Effect, Kind, Param, Plan, PlanInput, PlanPiece, Planner, PlanSummary, Result, Task, ToolSpec} from './types.ts'

/** A call that was done by the last requests, or may have been (`result` absent: it was begun, and nobody knows how it ended). */
export interface EarlierCall {
  task: Task
  keys: CallKeys
  effect: Effect
  /** the journal's, of a side effect */
  key?: string
  result?: Result
}

/** What a call is, whatever plan it stands in: a reference is the call that it refers to. */
export interface CallKeys {
  /** in the words of the plan: "in 20 minutes" was another time then */
  words: string
  /** with absolute dates */
  resolved: string
  /** the items of each argument; one, where it is no list */
  args: string[][]
}

/** What an earlier request means for a call of the new plan. `done`: it is that call. `insteadOf`: it corrects it. `besides`: some of its recipients have it. */
export type Carry = {done: EarlierCall} | {insteadOf: EarlierCall} | {besides: EarlierCall}

export const earlierCall = (carry: Carry): EarlierCall => 'done' in carry ? carry.done : 'insteadOf' in carry ? carry.insteadOf : carry.besides

/** By the ids of the plan; calls of tools that are not in `specs` have none. */
export function callKeys({tasks}: Plan, specs: ToolSpec[], now: Date): Map<number, CallKeys> {
  const keys = new Map<number, CallKeys>()
  for (const task of tasks) {
    const spec = specs.find(s => s.name === task.tool)
    if (!spec) continue
    const keyed = (args: Arg[], name: (keys: CallKeys | undefined) => string): string[][] => args.map(arg => [arg].flat().map(item => keyOf(item, id => name(keys.get(id)))))
    const args = keyed(resolveTask(task, spec, now).args, k => k?.resolved ?? '')
    const whole = (items: string[][]): string => `${task.tool}(${items.map(i => i.join('|')).join(', ')})`
    keys.set(task.id, {args, resolved: whole(args), words: whole(keyed(task.args, k => k?.words ?? ''))})
  }
  return keys
}

/** Letters and digits only: the model spells a text now with a stop and now without. */
function keyOf(arg: Arg, callOf: (id: number) => string): string {
  if (Array.isArray(arg)) return arg.map(a => keyOf(a, callOf)).join('|')
  if (typeof arg !== 'object') return String(arg).normalize('NFKC').toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
  return 'ref' in arg ? `$${callOf(arg.ref)}` : arg.template.map(p => keyOf(p, callOf)).join('')
}

/**
 * Matches a whole plan with the earlier calls, newest first. `isChange`: calls of the same tool that share something with one of those
 * stand in its place. Who has got the same message already is no recipient of it any more.
 */
export function carryOver(plan: Plan, earlier: EarlierCall[], {specs, now, isChange}: {specs: ToolSpec[]; now: Date; isChange: boolean}): {tasks: Task[]; carries: Map<number, Carry>} {
  const carries = new Map<number, Carry>()
  const free = new Set(earlier)
  const keys = callKeys(plan, specs, now)
  const tasks = plan.tasks.map(task => {
    const own = keys.get(task.id)
    const spec = specs.find(s => s.name === task.tool)
    if (!own || !spec) return task
    const same = earlier.find(e => (free.has(e) || e.effect === 'read') && (e.keys.words === own.words || e.keys.resolved === own.resolved))
    if (same) {
      free.delete(same)
      // One whose end nobody knows is never repeated unseen.
      carries.set(task.id, same.result ? {done: same} : {insteadOf: same})
      return task
    }
    const sent = earlier.find(e => e.effect === 'outward' && e.result && e.task.tool === task.tool && isSameMessage(own, e.keys, spec))
    const rest = sent ? withoutRecipients(task, own, sent.keys, spec) : task
    if (!sent || rest === task) return task
    free.delete(sent)
    carries.set(task.id, rest ? {besides: sent} : {done: sent})
    return rest ?? task
  })
  if (isChange) for (const {id, tool} of tasks) {
    const own = keys.get(id)
    const spec = specs.find(s => s.name === tool)
    if (!own || !spec || spec.effect === 'read' || carries.has(id)) continue
    const telling = paramsOf(spec).flatMap((p, i) => tells.has(p.kind) && own.args[i]?.some(item => item !== '') ? [i] : [])
    const likeness = (e: EarlierCall): number => telling.filter(i => own.args[i]!.join('|') === e.keys.args[i]?.join('|')).length
    const [closest] = [...free].filter(e => e.task.tool === tool && likeness(e) > 0).sort((a, b) => likeness(b) - likeness(a))
    if (!closest) continue
    free.delete(closest)
    carries.set(id, {insteadOf: closest})
  }
  return {tasks, carries}
}

/** Arguments that tell one call from another; the others are often alike. */
const tells: ReadonlySet<Kind> = new Set(['title', 'text', 'when', 'file', 'place', 'address', 'phone', 'any'])

const isWho = (p: Param): boolean => p.name === 'recipients' || p.name === 'cc'
/** A subject is only a summary, and the model may find another one. */
const isSameMessage = (a: CallKeys, b: CallKeys, spec: ToolSpec): boolean => paramsOf(spec).some(p => p.name === 'recipients') &&
  paramsOf(spec).every((p, i) => isWho(p) || p.kind === 'title' || a.args[i]?.join('|') === b.args[i]?.join('|'))

/** undefined: everybody has it; the task itself: nobody has. Whoever only gets a copy is written to when nobody else is left. */
function withoutRecipients(task: Task, own: CallKeys, sent: CallKeys, spec: ToolSpec): Task | undefined {
  const params = paramsOf(spec)
  const have = new Set(params.flatMap((p, i) => isWho(p) ? sent.args[i] ?? [] : []))
  const left = task.args.map((arg, i): Arg => isWho(params[i]!) && Array.isArray(arg) ? arg.filter((_, item) => !have.has(own.args[i]![item]!)) : arg)
  const [to, cc] = ['recipients', 'cc'].map(name => params.findIndex(p => p.name === name)) as [number, number]
  const size = (args: Arg[], i: number): number => { const list = args[i]; return Array.isArray(list) ? list.length : 0 }
  if (size(left, to) === size(task.args, to) && size(left, cc) === size(task.args, cc)) return task
  if (size(left, to) + size(left, cc) === 0) return undefined
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
