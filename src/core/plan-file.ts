// A plan as a file: what `tinyagent plan --json` writes and `tinyagent run` reads, after an edit too. It is checked as a
// model's plan is, and as a whole before anything of it runs.
import {z} from 'zod'
import {errorInfo, UsageError} from './errors.ts'
import {checkTask} from './executor.ts'
import {resultFor} from './grammar.ts'
import {paramsOf} from './params.ts'
import {argJson, parseLine, parsePlan, printPlan} from './plan-parser.ts'
import type {Arg, Json, Param, Plan, PlanInput, PlanPiece, Planner, PlanSummary, Task, ToolSpec} from './types.ts'

const taskSchema = z.object({id: z.number().int().min(1).max(9999), tool: z.string(), args: z.record(z.string(), z.json()).default({})})

/** What is read; other keys (the model's name, timings) are for people. */
const fileSchema = z.object({
  request: z.string().default(''),
  plan: z.string().optional(),
  tasks: z.array(taskSchema).max(64).optional(),
  mail: z.string().optional(),
})

export interface PlanFile {
  request: string
  plan: Plan
  /** the mail that was open when the plan was made */
  mail?: string
}

/** A task as the file has it: arguments by name, references as "$1", as in the plan's text. */
export function taskJson(task: Task, spec: ToolSpec | undefined): Json {
  const names = spec ? paramsOf(spec).map(p => p.name) : []
  return {
    id: task.id,
    tool: task.tool,
    args: Object.fromEntries(task.args.map((arg, i) => [names[i] ?? String(i), argJson(arg)])),
    dependsOn: task.dependsOn,
    effect: spec?.effect ?? 'outward',
  }
}

/**
 * Reads the text of a plan file: `tasks`, or the plan's own text under `plan`. Throws UsageError with the step and what would be right.
 * Dates in words are those of `now`. `name` stands in messages.
 */
export function readPlanFile(text: string, name: string, {specs, now}: {specs: ToolSpec[]; now: Date}): PlanFile {
  const fail = (reason: string, cause?: unknown): never => { throw new UsageError(`${name}: ${reason}`, cause) }
  const parsed = fileSchema.safeParse(json(text, fail))
  if (!parsed.success) return fail(`is no plan: ${z.prettifyError(parsed.error).replace(/\s+/g, ' ')}; \`tinyagent plan --json "..."\` writes one`, parsed.error)
  const {request, plan: planText, tasks: list, mail} = parsed.data
  if (planText === undefined && list === undefined) return fail('has neither "tasks" nor "plan"; `tinyagent plan --json "..."` writes both')
  const byName = new Map(specs.map(s => [s.name, s]))
  const written = planText === undefined ? undefined : attempt(() => parsePlan(planText), 'plan', fail)
  const listed = list && {tasks: list.map(task => attempt(() => readTask(task, byName), `step ${task.id}`, fail))}
  // Which of the two was edited cannot be known, and only one of them is what the user approved.
  if (written && listed && printPlan(written) !== printPlan(listed)) return fail('"plan" and "tasks" are not the same plan any more: keep the one that you edited and delete the other')
  const plan = listed ?? written!
  for (const [i, task] of plan.tasks.entries()) {
    attempt(() => checkCall(task, plan.tasks.slice(0, i), byName, now), `step ${task.id}`, fail)
  }
  return {request: request.trim() || `run ${name}`, plan, ...(mail !== undefined && {mail})}
}

function json(text: string, fail: (reason: string, cause?: unknown) => never): unknown {
  try { return JSON.parse(text) } catch (cause) { return fail(`is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause) }
}

function attempt<T>(make: () => T, where: string, fail: (reason: string, cause?: unknown) => never): T {
  try { return make() } catch (cause) { return fail(`${where}: ${errorInfo(cause).message}`, cause) }
}

/** Through the plan's own language, so that a file says nothing that a plan could not. */
function readTask({id, tool, args}: z.infer<typeof taskSchema>, specs: Map<string, ToolSpec>): Task {
  const spec = toolOf(tool, specs)
  const params = paramsOf(spec)
  const unknown = Object.keys(args).find(name => !params.some(p => p.name === name))
  if (unknown !== undefined) throw new UsageError(`${tool} has no argument "${unknown}"; it has: ${params.map(p => p.name).join(', ')}`)
  const task = parseLine(`${id}. ${tool}(${params.map(p => JSON.stringify(args[p.name] ?? nothing(p))).join(', ')})`, id)
  if (task === 'join') throw new UsageError('join() is no step: the plan ends by itself')
  return task
}

function toolOf(name: string, specs: Map<string, ToolSpec>): ToolSpec {
  const spec = specs.get(name)
  if (!spec) throw new UsageError(`there is no tool "${name}"; \`tinyagent tools\` lists them`)
  return spec
}

/** What a plan writes of an argument that the request does not speak of. */
export function nothing({list, kind, values}: Param): Json {
  if (list) return []
  if (kind === 'choice') return values?.[0] ?? ''
  if (kind === 'minutes' || kind === 'integer' || kind === 'number') return 0
  return kind === 'boolean' || kind === 'all-day' ? false : ''
}

/** Throws for what no planner could have written: a tool, an argument or a reference that does not fit. */
export function checkCall(task: Task, earlier: Task[], specs: Map<string, ToolSpec>, now: Date): void {
  const spec = toolOf(task.tool, specs)
  if (earlier.some(t => t.id >= task.id)) throw new UsageError('the numbers of the steps have to rise')
  const missing = task.dependsOn.find(id => !earlier.some(t => t.id === id))
  if (missing !== undefined) throw new UsageError(`it uses the result of step ${missing}, which is not there`)
  for (const [i, param] of paramsOf(spec).entries()) {
    const wanted = resultFor(param.kind)
    for (const id of whole(task.args[i])) {
      const from = specs.get(earlier.find(t => t.id === id)?.tool ?? '')
      if (from?.returns === 'none' || (wanted && from && from.returns !== wanted && from.returns !== 'any')) {
        throw new UsageError(`${param.name} takes no result of ${from.name} (step ${id})`)
      }
    }
  }
  checkTask(spec, task, now)
}

/** References that stand for themselves, not within a text. */
const whole = (arg: Arg | undefined): number[] =>
  Array.isArray(arg) ? arg.flatMap(whole) : typeof arg === 'object' && 'ref' in arg ? [arg.ref] : []

/** A planner that has its plan already, for every request. */
export function fixedPlanner({tasks}: Plan): Planner {
  return {
    name: 'plan',
    close: () => Promise.resolve(),
    async *plan(_input: PlanInput): AsyncGenerator<PlanPiece, PlanSummary> {
      for (const task of tasks) yield {task}
      return {plan: {tasks}, repairs: [], dropped: [], promptTokens: 0, generatedTokens: 0}
    },
  }
}
