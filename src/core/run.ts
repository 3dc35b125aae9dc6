// The one path (DESIGN.md): request -> tool retriever -> planner -> executor -> joiner -> answer.
// Everything that is seen from outside is an event; the journal and the interfaces are readers of them.
import {PlanError, errorInfo} from './errors.ts'
import {execute, type Execution, type ExecutorDeps, type Report} from './executor.ts'
import {deliveries, join} from './joiner.ts'
import {printPlan} from './plan-parser.ts'
import {chancesOf} from './prior.ts'
import {resolvePlan} from './resolve.ts'
import type {
  Ask, Attached, Chances, Confirm, Emit, Plan, Planner, Retriever, RunStatus, SelectedTool, Task, Timings, Tool, ToolSpec,
} from './types.ts'

export interface Request {
  /** unique over all runs; the keys of side effects are made from it */
  id: string
  text: string
  /** what a follow-up was understood as: this is planned */
  as?: string
  now: Date
  dryRun: boolean
}

/** What planning needs. The models are opened on first use. */
export interface PlanDeps {
  /** what the last request did, where this is a follow-up */
  carries?: ExecutorDeps['carries']
  retriever(): Promise<Retriever>
  planner(): Promise<Planner>
  instructions?: string
  signal: AbortSignal
}

export interface RunDeps extends PlanDeps {
  tools: Tool[]
  confirm?: Confirm
  ask?: Ask
  write?: ExecutorDeps['write']
  /** reads what the request names and does not hold; the text that it gives is planned. Throws ToolError. */
  attach?(): Promise<{text: string; files: Attached[]}>
  isAllowed: ExecutorDeps['isAllowed']
  takeBack?: ExecutorDeps['takeBack']
  /** the plan is the user's: what goes wrong in it is said and not planned again */
  isFixed?: boolean
  bug?(error: unknown): void
}

export interface RunOutcome { status: RunStatus; exitCode: number }

/** A plan being written: `tasks` gives each call as soon as it is whole; the rest is filled in when `tasks` has ended. */
export interface Planning {
  tasks: AsyncGenerator<Task, void>
  dropped: Set<number>
  /** as it is shown and scored: dates absolute, defaults filled */
  resolved: Plan
  text: string
  timings: Timings
}

const maxReplans = 2
const exitCodes: Record<RunStatus, number> = {'done': 0, 'failed': 1, 'needs-confirmation': 3, 'partly': 4, 'cancelled': 130}

/** Runs one request to its answer. Rejects never: what goes wrong is an `error` event and a failed outcome. */
export async function runRequest(request: Request, deps: RunDeps, emit: Emit): Promise<RunOutcome> {
  const start = performance.now()
  const end = async (status: RunStatus, exitCode = exitCodes[status]): Promise<RunOutcome> => {
    await emit({type: 'done', status, exitCode, ms: since(start)})
    return {status, exitCode}
  }
  await emit({type: 'request', id: request.id, request: request.text, now: localTime(request.now), dryRun: request.dryRun, ...(request.as !== undefined && {as: request.as})})
  try {
    deps.signal.throwIfAborted() // while it waited its turn: no model is loaded for it
    const {text, files} = await deps.attach?.() ?? {text: request.as ?? request.text, files: []}
    if (files.length > 0) await emit({type: 'attached', files: files.map(({from, path, bytes, type}) => ({from, path, bytes, type}))})
    const {selected, ...selection} = await selectTools(text, deps.tools, deps)
    await emit({type: 'tools-selected', tools: selected, ms: selection.retrieveMs})
    const execution = await runPlans({...request, text, attached: files}, selection, deps, emit)
    const status = statusOf(execution, deps.signal.aborted)
    await emit({type: 'answer', text: join(execution.reports, status, request.dryRun)})
    return await end(status)
  } catch (error) {
    if (deps.signal.aborted) return end('cancelled')
    const info = errorInfo(error)
    if (info.code === 'bug') deps.bug?.(error)
    await emit({type: 'error', error: info})
    return end('failed', info.code === 'usage' || info.code === 'config' ? 2 : undefined)
  }
}

/**
 * Plans and executes; a plan that cannot be run is planned again, at most twice, with the error in the prompt.
 * Only what a planner can put right is planned again (a broken plan, wrong arguments), and only when no side effect
 * has begun: then nothing is done twice. Later plans get the tools of the first selection, and a failed step after a
 * document was read ends the run, so that what was read cannot choose what is done next.
 */
async function runPlans(request: Omit<Request, 'as'> & {attached: Attached[]}, selection: Omit<Selection<Tool>, 'selected'>, deps: RunDeps, emit: Emit): Promise<Execution> {
  let previous: {plan: string; error: string} | undefined
  for (let attempt = 0; ; attempt++) {
    const planning = await startPlan({request: {text: request.text, now: request.now}, ...selection, attempt, previous}, deps, emit)
    const all = await execute(planning.tasks, {
      // Calls of another plan have the same numbers, and are other calls.
      ...deps, tools: selection.tools, now: request.now, runId: attempt === 0 ? request.id : `${request.id}-${attempt + 1}`, dryRun: request.dryRun, emit, dropped: planning.dropped, attached: request.attached,
    })
    // What repair took out counts for nothing, not even when it had begun and failed.
    const execution = {...all, reports: all.reports.filter(r => !planning.dropped.has(r.task.id))}
    const {reports, error} = execution
    const reason = error === undefined ? fixable(reports) : error instanceof PlanError ? error.message : undefined
    const mayReplan = reason !== undefined && !deps.isFixed && attempt < maxReplans && !deps.signal.aborted && (!request.dryRun || error instanceof PlanError)
      && !reports.some(r => r.touchedWorld || r.reason === 'user' || (r.status === 'done' && r.source === 'document'))
      && planning.text !== previous?.plan
    if (!mayReplan) {
      // Steps that were done before the plan broke are reported as what they are.
      if (error !== undefined && !reports.some(r => r.touchedWorld)) throw error
      if (error !== undefined && !deps.signal.aborted) await emit({type: 'error', error: errorInfo(error)})
      return execution
    }
    previous = {plan: planning.text, error: reason}
    await emit({type: 'replan', attempt: attempt + 1, reason})
  }
}

/** The first failure that another plan could put right. A person or a file that does not exist is not one. */
const fixable = (reports: Report[]): string | undefined => reports.find(r => r.error?.code === 'invalid-args')?.error?.message

function statusOf({reports, isStopped, error}: Execution, isAborted: boolean): RunStatus {
  if (isAborted || isStopped) return 'cancelled'
  const isDone = deliveries(reports).some(r => r.status === 'done' && !r.isEarlier)
  if (error !== undefined || reports.some(r => r.status === 'failed')) return isDone ? 'partly' : 'failed'
  if (reports.some(r => r.reason === 'nobody')) return isDone ? 'partly' : 'needs-confirmation'
  return 'done'
}

export interface Selection<T> { selected: SelectedTool[]; tools: T[]; chances: Chances; retrieveMs: number }

/** Tool RAG: the tools for this request, in the order of the registry. */
export async function selectTools<T extends ToolSpec>(text: string, all: T[], deps: PlanDeps):
    Promise<Selection<T>> {
  // The planner's file is read while the retriever works; a failure to load is met when the plan starts.
  deps.planner().catch(() => undefined)
  const retriever = await deps.retriever()
  const start = performance.now()
  const found = await retriever.select(text, all, deps.signal, deps.instructions)
  const names = new Set(found.map(t => t.name))
  return {selected: found.map(({name, score}) => ({name, score})), tools: all.filter(t => names.has(t.name)), chances: chancesOf(found), retrieveMs: since(start)}
}

export interface PlanStart {
  request: Pick<Request, 'text' | 'now'>
  tools: ToolSpec[]
  chances: Chances
  retrieveMs: number
  attempt: number
  previous: {plan: string; error: string} | undefined
}

/** Starts a plan. Its tasks are pulled by the executor, and each one is announced before it can start. */
export async function startPlan(input: PlanStart, deps: PlanDeps, emit: Emit): Promise<Planning> {
  const planner = await deps.planner()
  const {tools, chances, attempt} = input
  const {text: request, now} = input.request
  const start = performance.now()
  const planning: Planning = {
    tasks: tasks(), dropped: new Set(), resolved: {tasks: []}, text: '',
    timings: {retrieveMs: input.retrieveMs, promptTokens: 0, planMs: 0},
  }
  async function* tasks(): AsyncGenerator<Task, void> {
    const plan = planner.plan({
      request, now, tools, chances, signal: deps.signal,
      ...(deps.instructions && {instructions: deps.instructions}), ...(input.previous && {previous: input.previous}),
    })
    const {timings} = planning
    const needed = new Set<number>()
    for (;;) {
      const {value, done} = await plan.next()
      if (done) {
        timings.planMs = since(start)
        timings.promptTokens = value.promptTokens
        // A look-up written twice is repaired to one, but a call that was streamed may wait for the second: that one stays.
        const dropped = value.dropped.filter(id => !needed.has(id))
        dropped.forEach(id => planning.dropped.add(id))
        planning.resolved = resolvePlan(value.plan, tools, now)
        planning.text = printPlan(planning.resolved)
        await emit({type: 'plan-done', plan: planning.text, timings, repairs: value.repairs, dropped})
        return
      }
      if ('delta' in value) {
        planning.text += value.delta
        await emit({type: 'plan-delta', text: value.delta})
      } else {
        value.task.dependsOn.forEach(id => needed.add(id))
        timings.firstTaskMs ??= since(start) + input.retrieveMs
        const effect = tools.find(t => t.name === value.task.tool)?.effect ?? 'outward'
        const carry = deps.carries?.get(value.task.id)
        const insteadOf = carry && 'insteadOf' in carry ? carry.insteadOf.result?.summary : undefined
        await emit({type: 'task-added', task: value.task, effect, attempt, ...(insteadOf !== undefined && {insteadOf})})
        yield value.task
      }
    }
  }
  return planning
}

/** "2026-03-03T09:15:00": the user's own clock, as in a gold row. */
export function localTime(date: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

const since = (start: number): number => Math.round(performance.now() - start)
