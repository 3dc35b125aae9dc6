// Task stream -> reports: each task starts as soon as its inputs are there, while later lines of the plan are still
// being written. Outward steps and questions wait until the whole plan is written, so that nobody is asked about half a plan.
import {z} from 'zod'
import {namesAny, withOrigins, withPaths, withTexts} from './attached.ts'
import {earlierCall, type Carry, type EarlierCall} from './carry-over.ts'
import {errorInfo, isAbort, reasonOf, ToolError} from './errors.ts'
import {resultFor} from './grammar.ts'
import {oneAtATime} from './one-at-a-time.ts'
import {paramsOf} from './params.ts'
import {resolveTask} from './resolve.ts'
import {timeLimit, type TimeLimit} from './time-limit.ts'
import type {
  Arg, Ask, Attached, Confirm, Effect, Emit, ErrorInfo, Json, Outcome, Param, Preview, Question, Answer, Ref, Source, Task, Tool, ToolContext, ToolSpec, Touch, Verdict, Write,
} from './types.ts'

export type SkipReason = 'dependency' | 'user' | 'dropped' | 'cancelled' | 'nobody' | 'dry-run'

/** What became of one task; the joiner and the exit code follow from these. */
export interface Report extends Outcome {
  task: Task
  tool: Tool | undefined
  /** what this call did or would have done; the tool's own effect when it never came to a preview */
  effect: Effect
  /** where its result comes from: the most foreign of its tool and of its arguments */
  source: Source
  /** true when the run of a local or outward call began: it must not be repeated */
  touchedWorld: boolean
  reason?: SkipReason
  /** what was kept of a step that the user skipped, in a line for people */
  kept?: string
  /** done by the last request, and not again */
  isEarlier?: boolean
  /** of the call that this one stands in the place of: that it was taken back, or why it stays */
  tookBack?: string
}

export interface ExecutorDeps {
  /** the selected tools: a plan that names another one fails there */
  tools: Tool[]
  now: Date
  runId: string
  dryRun: boolean
  emit: Emit
  signal: AbortSignal
  /** absent: nobody is there, and the answer is no */
  confirm?: Confirm
  ask?: Ask
  /** the user's writing model, where they have one */
  write?: Write
  /** true: the user's policy or --yes has already said yes to this call */
  isAllowed(tool: Tool, preview: Preview, args: Args): boolean | Verdict | Promise<boolean | Verdict>
  /** ids that repair took out of the plan; filled before the task stream ends */
  dropped: ReadonlySet<number>
  /** what the last request did, by the ids of this plan's calls; filled before each task is streamed */
  carries?: ReadonlyMap<number, Carry>
  /** files that the request names and that are somebody else's */
  attached?: readonly Attached[]
  /** takes back an earlier local call by its key in the journal; returns a line for people. Throws ToolError. */
  takeBack?(key: string): Promise<string>
  /** told of an error that is nobody's but ours, with its stack */
  bug?(error: unknown): void
  /** of one preview or run; the time that a person thinks does not count */
  limitMs?: number
  /** how long a cancelled side effect may take to finish or give up before it is reported as unknown */
  graceMs?: number
}

type Args = Record<string, Json>

interface Run extends ExecutorDeps {
  /** settles when the task stream has ended: rejects when it failed */
  planWritten: Promise<void>
  /** one dialog at a time */
  dialog<T>(show: () => Promise<T>): Promise<T>
  /** ends the run: what has not started is skipped */
  stop(): void
}

export interface Execution {
  /** one for each task, in plan order */
  reports: Report[]
  /** a person ended the run in a dialog */
  isStopped: boolean
  /** of the task stream, if it failed */
  error?: unknown
}

/** Runs the tasks. Never rejects. */
export async function execute(tasks: AsyncIterable<Task>, deps: ExecutorDeps): Promise<Execution> {
  const stopped = new AbortController()
  let isStopped = false
  let opened = (): void => undefined
  let failed = (_cause: unknown): void => undefined
  const planWritten = new Promise<void>((resolve, reject) => { opened = resolve; failed = reject })
  planWritten.catch(() => undefined) // its owners are the tasks that wait for it, perhaps none
  const run: Run = {
    ...deps,
    signal: AbortSignal.any([deps.signal, stopped.signal]),
    planWritten,
    dialog: oneAtATime(),
    stop: () => { isStopped = true; stopped.abort() },
  }
  const reports = new Map<number, Promise<Report>>()
  const touched: {id: number; touches: Touch[]}[] = []
  let error: unknown
  try {
    for await (const planned of tasks) {
      const tool = deps.tools.find(t => t.name === planned.tool)
      const task = tool ? withPaths(planned, tool, deps.attached) : planned
      const touches = tool ? touchesOf(tool, task, deps.now) : []
      // Data references come from the plan; order comes from the world: the same note, file or mail, one of the two writing.
      const earlier = Promise.all(touched.filter(t => conflict(t.touches, touches)).map(t => reports.get(t.id)!))
      const inputs = Promise.all(task.dependsOn.map(id => reports.get(id)!))
      touched.push({id: task.id, touches})
      // In a dry run previews come in the plan's order, since nothing takes time.
      const before = deps.dryRun ? Promise.all(reports.values()) : earlier
      reports.set(task.id, before.then(() => inputs).then(inputs => runTask(task, tool, inputs, run)))
    }
    opened()
  } catch (cause) {
    error = cause
    stopped.abort()
    failed(cause)
  }
  const all = await Promise.all(reports.values())
  return {reports: all, isStopped, ...(error !== undefined && {error})}
}

/** One task from its inputs to its end. Never rejects: a failure is a report. */
async function runTask(task: Task, tool: Tool | undefined, inputs: Report[], run: Run): Promise<Report> {
  const start = performance.now()
  const report: Report = {status: 'failed', task, tool, effect: tool?.effect ?? 'outward', source: 'user', touchedWorld: false}
  const limit = timeLimit(run.limitMs ?? 60_000, run.graceMs ?? 2_000, run.signal)
  const skip = async (reason: SkipReason, kept?: string): Promise<Report> => {
    await run.emit({type: 'task-skipped', id: task.id, reason, ...(kept !== undefined && {kept})})
    return {...report, status: 'skipped', reason, ...(kept !== undefined && {kept})}
  }
  try {
    if (run.dropped.has(task.id)) return await skip('dropped')
    if (run.signal.aborted) return await skip('cancelled')
    const carry = run.carries?.get(task.id)
    if (carry && 'done' in carry && carry.done.result) {
      const {result, effect} = carry.done
      if (tool) report.source = worst([tool.source ?? 'lookup', ...Object.values(sourcesOf(task, tool, inputs, run.attached))])
      await run.emit({type: 'task-done', id: task.id, result, ms: 0, isEarlier: true})
      return {...report, status: 'done', effect, result, isEarlier: true}
    }
    if (!run.dryRun && inputs.some(i => i.status !== 'done')) return await skip('dependency')
    if (!tool) throw new ToolError('invalid-args', `There is no tool "${task.tool}" among the selected ones`)

    let sources = sourcesOf(task, tool, inputs, run.attached)
    const spoken = withTexts(task, tool, inputs, run.attached)
    report.source = worst([tool.source ?? 'lookup', ...Object.values(sources)])
    const context = contextFor(task, run, limit)
    if (run.dryRun) {
      const preview = withOrigins(await dryPreview(spoken, tool, sources, {run, context, limit}), run.attached)
      await run.emit({type: 'preview', id: task.id, preview: withNotice(preview, carry && carryNotice(carry))})
      return await skip('dry-run')
    }

    // What was read already is not looked for, nor opened on the desktop: it is a stranger's.
    const file = tool.returns === 'path' ? run.attached?.find(f => task.args.length === 1 && task.args[0] === f.path) : undefined
    if (file) {
      const result = {value: file.path, summary: `Read ${file.from}`, where: file.path}
      await run.emit({type: 'task-done', id: task.id, result, ms: 0})
      return {...report, status: 'done', effect: 'read', result}
    }

    let args = resolveArgs(spoken, tool, inputs, run.now)
    let written: InWriting | undefined
    if (tool.effect !== 'read') {
      written = await putInWriting(task, tool, {args, sources}, {run, context, limit});
      ({args, sources} = written ?? {args, sources})
      const checked = await approve(task, tool, args, sources, {run, context, limit, written})
      report.effect = checked.effect
      if ('reason' in checked) return await skip(checked.reason, checked.kept)
      args = checked.args
    }
    if (run.dropped.has(task.id)) return await skip('dropped')
    if (run.signal.aborted) return await skip('cancelled')
    await run.emit({type: 'task-started', id: task.id, tool: tool.name, args, effect: report.effect, key: context.key})
    report.touchedWorld = report.effect !== 'read'
    limit.renew() // the preview has had its own
    const old = carry && 'insteadOf' in carry && canTakeBack(carry.insteadOf) ? carry.insteadOf : undefined
    // The new one first, so that nothing is lost when it fails; but one note can't hold both.
    if (old && conflict(touchesOf(tool, task, run.now), touchesOf(tool, old.task, run.now))) {
      report.tookBack = await limit.race(takeBack(old, run), true)
      limit.renew()
    }
    const done = await limit.race(tool.run(args, context), report.touchedWorld)
    // What no card has told.
    const result = written && report.effect === 'local' && sources[written.arg] !== 'model' ? {...done, summary: `${strip(done.summary)}. ${written.notice}`} : done
    if (old && report.tookBack === undefined) report.tookBack = await takeBack(old, run).catch((cause: unknown) => `${strip(old.result!.summary)} stays as well: ${reasonOf(cause)}`)
    await run.emit({type: 'task-done', id: task.id, result, ms: since(start), ...(report.tookBack !== undefined && {tookBack: report.tookBack})})
    return {...report, status: 'done', result}
  } catch (cause) {
    if (run.signal.aborted && !report.touchedWorld) return await skip('cancelled')
    const error = failure(cause, report.touchedWorld, run)
    if (error.code === 'bug') run.bug?.(cause)
    if (report.tookBack !== undefined) error.message += `; the earlier one is gone: ${report.tookBack}`
    await run.emit({type: 'task-failed', id: task.id, error, ms: since(start)})
    return {...report, status: 'failed', error}
  } finally {
    limit.end()
  }
}

function failure(cause: unknown, touchedWorld: boolean, run: Run): ErrorInfo {
  if (!isAbort(cause)) return errorInfo(cause)
  const doubt = touchedWorld ? '; it may have been done all the same, please check' : ''
  if (run.signal.aborted) return {code: 'cancelled', message: `Stopped while it ran${doubt}`}
  return {code: 'timeout', message: `No answer within ${Math.round((run.limitMs ?? 60_000) / 1000)} seconds${doubt}`}
}

interface Approval { run: Run; context: ToolContext; limit: TimeLimit; written: InWriting | undefined }

/** A call with its text put in writing: `arg` is the argument, `notice` a line for people. */
interface InWriting { args: Args; sources: Record<string, Source>; arg: string; notice: string }

/**
 * The call with its text by the user's writing model, or with the text as it was and a line that says why. undefined: there is nothing to write. A text of a
 * document stays what it is, and nothing is written that no person will read before it is used.
 */
async function putInWriting(task: Task, tool: Tool, {args, sources}: Pick<InWriting, 'args' | 'sources'>, {run, context, limit}: Pick<Approval, 'run' | 'context' | 'limit'>): Promise<InWriting | undefined> {
  if (!tool.writes || !run.confirm || !context.write) return undefined
  await limit.pause(run.planWritten) // nothing is written, nor goes to a server, for half a plan
  if (run.dropped.has(task.id) || run.signal.aborted) return undefined
  const asked = await tool.writes(args, context)
  // In a dry run a looked-up text is not there yet.
  if (!asked || sources[asked.arg] === 'document' || (run.dryRun && sources[asked.arg] !== 'user')) return undefined
  const {arg, ...writing} = asked
  const written = await context.write(writing)
  if (!written) return undefined
  const {text, notice} = written
  return {arg, notice, ...(text === undefined ? {args, sources} : {args: {...args, [arg]: text}, sources: {...sources, [arg]: 'model' as const}})}
}

const canTakeBack = ({effect, result, key}: EarlierCall): boolean => effect === 'local' && result?.undo !== undefined && key !== undefined

/** Its journal line says so too. */
async function takeBack({key}: EarlierCall, run: Run): Promise<string> {
  if (!run.takeBack || key === undefined) throw new ToolError('refused', 'nobody here can take it back')
  return run.takeBack(key)
}

const strip = (text: string): string => text.trim().replace(/[.!]$/, '')

/** One line of truth on a card of a follow-up. */
function carryNotice(carry: Carry): string | undefined {
  const earlier = earlierCall(carry)
  const {result} = earlier
  if (!result) return 'It was begun by the last request and may have been done all the same.'
  const summary = strip(result.summary)
  if ('besides' in carry) return `Sent before: ${summary}. This one goes to the others only.`
  return canTakeBack(earlier) ? `A change: ${summary} is taken back for it.` : `${summary}: that cannot be taken back, and stays beside this one.`
}

const withNotice = (preview: Preview, notice: string | undefined): Preview =>
  notice === undefined ? preview : {...preview, notice: [notice, preview.notice].filter(Boolean).join(' ')}

/**
 * Previews a call and, when it is outward, gets a person's or the policy's word on it. Edited arguments are checked and shown
 * again, and only a person's word ends that: a step that someone has begun to edit does not go by itself. A text that a model wrote
 * is shown whatever the call is.
 */
async function approve(task: Task, tool: Tool, first: Args, firstSources: Record<string, Source>, {run, context, limit, written}: Approval):
    Promise<{effect: Effect; args: Args} | {effect: Effect; reason: SkipReason; kept?: string}> {
  let args = first
  let sources = firstSources
  let before: {args: Args; sources: Record<string, Source>} | undefined // of the card that was edited
  let problem: string | undefined // of the last edit
  const isModels = Object.values(firstSources).includes('model')
  let notice = written?.notice
  for (let isEdited = false; ; isEdited = true) {
    let made: Preview
    limit.renew()
    try {
      made = await limit.race(tool.preview(args, context), false)
    } catch (cause) {
      // What a person mistyped costs the edit, not the step.
      if (!before || !(cause instanceof ToolError)) throw cause
      problem = `Not changed: ${errorInfo(cause).message}`;
      ({args, sources} = before)
      before = undefined
      continue
    }
    // A tool of others that only looks up tells its server what it is asked: text of a document needs a person's word.
    const leaks = tool.foreign && made.effect === 'read' && Object.values(sources).includes('document')
    const carry = run.carries?.get(task.id)
    const preview = withNotice(withNotice({...withOrigins(made, run.attached), ...(leaks && {effect: 'outward' as const}), sources: {...sources}}, carry && carryNotice(carry)),
      notice)
    if (problem !== undefined) preview.notice = [problem, preview.notice].filter(Boolean).join(' ')
    const {effect} = preview
    if (effect === 'outward' && tool.effect !== 'outward') throw new ToolError('refused', `${tool.name} would do more than it declares`)
    // What may have been done already is not begun again unseen, whatever it is.
    const isInDoubt = carry && !earlierCall(carry).result
    if (effect !== 'outward' && !isEdited && !isInDoubt && !isModels) return {effect, args}

    await limit.pause(run.planWritten)
    if (run.dropped.has(task.id)) return {effect, reason: 'dropped'}
    const {allowed, rule}: Verdict = isEdited || isInDoubt || (carry && earlierCall(carry).effect === 'outward') ? {allowed: false} : verdictOf(await run.isAllowed(tool, preview, args))
    if (rule !== undefined) preview.notice = [preview.notice, `${allowed ? 'Allowed by' : 'Asked because of'} ${rule}`].filter(Boolean).join(' ')
    const answer = await limit.pause(run.dialog(async () => {
      if (run.signal.aborted) return 'cancelled'
      await run.emit({type: 'confirm-asked', id: task.id, preview})
      const word = allowed ? 'yes' : run.confirm ? await limit.race(run.confirm(preview, run.signal), false) : 'skip'
      const by = allowed ? 'policy' : run.confirm ? 'user' : 'nobody'
      await run.emit({type: 'confirm-answered', id: task.id, answer: typeof word === 'object' ? 'edit' : word, by, ...(allowed && rule !== undefined && {rule})})
      if (word === 'stop') run.stop()
      return by === 'nobody' ? 'nobody' : word
    }))
    if (answer === 'yes') return {effect, args}
    if (answer === 'cancelled' || answer === 'nobody') return {effect, reason: answer}
    if (answer === 'skip' || answer === 'stop') {
      // Quitting a wrong plan leaves nothing behind, unless the user has worked on it.
      const kept = tool.keep && (answer === 'skip' || isEdited) ? await keptOf(tool, args, context, {run, limit}) : undefined
      return {effect, reason: 'user', ...(kept !== undefined && {kept})}
    }
    try {
      const changed = edited(task, tool, args, answer.edit, run.now)
      before = {args, sources}
      args = changed
      if (written && written.arg in answer.edit) notice = undefined
      sources = {...sources, ...Object.fromEntries(Object.keys(answer.edit).map(name => [name, 'user' as const]))}
      problem = undefined
    } catch (cause) {
      before = undefined
      problem = `Not changed: ${errorInfo(cause).message}`
    }
  }
}

const verdictOf = (word: boolean | Verdict): Verdict => typeof word === 'object' ? word : {allowed: word}

/** A line on what was kept, or on why it was not: what is skipped stays skipped. */
async function keptOf(tool: Tool, args: Args, context: ToolContext, {run, limit}: Pick<Approval, 'run' | 'limit'>): Promise<string | undefined> {
  limit.renew()
  try {
    return (await tool.keep?.(args, context))?.summary
  } catch (cause) {
    const error = failure(cause, true, run)
    if (error.code === 'bug') run.bug?.(cause)
    return `not kept: ${error.message}`
  }
}

function contextFor(task: Task, run: Run, limit: TimeLimit): ToolContext {
  const key = `${run.runId}-${task.id}`
  const {write} = run
  // A progress line that nobody could take is no reason to fail the call.
  const progress: ToolContext['progress'] = (message, fraction) => {
    void Promise.resolve(run.emit({type: 'task-progress', id: task.id, message, ...(fraction !== undefined && {fraction})})).catch(() => undefined)
  }
  return {
    signal: limit.signal,
    now: run.now,
    key,
    aside: async (args, change) => {
      const aside = `${key}a`
      await run.emit({type: 'aside-started', id: task.id, tool: task.tool, args, key: aside})
      try {
        const result = await change()
        await run.emit({type: 'aside-done', key: aside, result})
        return result
      } catch (cause) {
        await run.emit({type: 'aside-failed', key: aside, error: errorInfo(cause)})
        throw cause
      }
    },
    ask: (question: Question) => limit.pause(limit.race(answerTo(task.id, question, run), false)),
    progress,
    ...(write && {write: writing => limit.pause(write(writing, {signal: limit.signal, progress}))}),
  }
}

async function answerTo(id: number, question: Question, run: Run): Promise<Answer> {
  const {ask} = run
  if (!ask || run.dryRun) return undefined
  await run.planWritten
  if (run.dropped.has(id)) return undefined
  return run.dialog(async () => {
    run.signal.throwIfAborted()
    await run.emit({type: 'question-asked', id, question})
    const answer = await ask(question, run.signal)
    await run.emit({type: 'question-answered', id, answered: answer !== undefined})
    return answer
  })
}

/** What the step would do; where a preview needs a result that does not exist yet, its arguments as they stand. */
async function dryPreview(task: Task, tool: Tool, sources: Record<string, Source>, approval: Pick<Approval, 'run' | 'context' | 'limit'>): Promise<Preview> {
  const args = nameArgs(tool, task, ref => [`result of step ${ref.ref}`], approval.run.now)
  try {
    const parsed = parseArgs(tool, args)
    const written = await putInWriting(task, tool, {args: parsed, sources}, approval)
    return withNotice({...await tool.preview(written?.args ?? parsed, approval.context), sources: written?.sources ?? sources}, written?.notice)
  } catch (cause) {
    if (task.dependsOn.length === 0) throw cause
    const fields = Object.entries(args).map(([arg, value]) =>
      ({label: arg, arg, value: Array.isArray(value) ? value.map(String) : String(value)}))
    return {effect: tool.effect, title: tool.description, fields, sources}
  }
}

/** Arguments by name: references replaced by results, words by dates, checked against the schema. Throws ToolError. */
function resolveArgs(task: Task, tool: Tool, inputs: Report[], now: Date): Args {
  const byId = new Map(inputs.map(i => [i.task.id, i]))
  return parseArgs(tool, nameArgs(tool, task, (ref, param) => {
    const input = byId.get(ref.ref)
    // The grammar writes no such plan; whatever else may have written it, a note's text is nobody's address and no file to send.
    const wanted = resultFor(param.kind)
    if (wanted && input?.tool && input.tool.returns !== wanted && input.tool.returns !== 'any') {
      throw new ToolError('invalid-args', `${tool.name}: ${param.name} takes no result of ${input.tool.name} (step ${ref.ref})`)
    }
    const value = input?.result?.value ?? ''
    // Several addresses or numbers of one look-up (a group) are one reference.
    const isMany = param.list && (param.kind === 'address' || param.kind === 'phone')
    return isMany ? value.split(/[,;\n]/).map(v => v.trim()).filter(v => v !== '') : [value]
  }, now))
}

/** Whether the call's own words fit its tool, with what it takes from other steps left open. Throws ToolError 'invalid-args'. */
export function checkTask(tool: ToolSpec, task: Task, now: Date): void {
  parseArgs(tool, nameArgs(tool, task, ref => [`$${ref.ref}`], now))
}

/** A person's edit goes the same way as the plan's own words: "tomorrow 4pm" is a date here too. */
function edited(task: Task, tool: Tool, args: Args, edit: Args, now: Date): Args {
  const values = {...args, ...edit}
  // Json holds null and objects besides what an Arg can be; parseArgs refuses those.
  return parseArgs(tool, nameArgs(tool, {...task, args: paramsOf(tool).map(p => values[p.name] as Arg)}, () => [], now))
}

function nameArgs(tool: ToolSpec, task: Task, valuesOf: (ref: Ref, param: Param) => string[], now: Date): Args {
  const params = paramsOf(tool)
  if (task.args.length !== params.length) {
    throw new ToolError('invalid-args', `${tool.name} takes ${params.length} arguments, the plan gives ${task.args.length}`)
  }
  const fill = (arg: Arg, param: Param): Arg[] => {
    if (Array.isArray(arg)) return arg.flatMap(a => fill(a, param))
    if (typeof arg !== 'object') return [arg]
    if ('ref' in arg) return valuesOf(arg, param)
    return [arg.template.map(piece => typeof piece === 'string' ? piece : valuesOf(piece, param).join(', ')).join('')]
  }
  const filled = params.map((param, i): Arg => {
    const values = fill(task.args[i]!, param)
    return param.list ? values : values[0] ?? ''
  })
  const {args} = resolveTask({...task, args: filled, dependsOn: []}, tool, now)
  // No Ref or Template is left: `fill` has replaced each one by text.
  return Object.fromEntries(params.map((param, i) => [param.name, args[i] as Json]))
}

function parseArgs(tool: ToolSpec, args: Args): Args {
  const parsed = tool.args.safeParse(args)
  if (!parsed.success) throw new ToolError('invalid-args', `${tool.name}: ${z.prettifyError(parsed.error)}`, {cause: parsed.error})
  return parsed.data as Args // the schemas are made of arg.*(): strings, numbers, booleans and lists of them
}

/** What a task reads and writes, from its own words: names of things hold no references. A task that cannot be parsed touches nothing and fails later. */
function touchesOf(tool: Tool, task: Task, now: Date): Touch[] {
  if (!tool.touches) return []
  try {
    return tool.touches(parseArgs(tool, nameArgs(tool, task, ref => [`$${ref.ref}`], now)))
  } catch {
    return []
  }
}

const conflict = (a: Touch[], b: Touch[]): boolean => a.some(x => b.some(y => x.thing === y.thing && (x.writes || y.writes)))

const rank: Record<Source, number> = {user: 0, lookup: 1, model: 2, document: 3}
const worst = (sources: Source[]): Source => sources.reduce((a, b) => rank[b] > rank[a] ? b : a, 'user')

/** Arguments that the request left to their defaults have no source: nobody typed them. */
function sourcesOf(task: Task, tool: Tool, inputs: Report[], attached: readonly Attached[] = []): Record<string, Source> {
  const sourceOf = (arg: Arg): Source => {
    if (Array.isArray(arg)) return worst(arg.map(sourceOf))
    if (typeof arg !== 'object') return namesAny(arg, attached) ? 'document' : 'user'
    if ('template' in arg && arg.template.some(piece => typeof piece === 'string' && namesAny(piece, attached))) return 'document'
    const refs = 'ref' in arg ? [arg] : arg.template.filter(p => typeof p === 'object')
    // A dry run has no inputs' results, but their sources are known all the same.
    return worst(refs.map(r => inputs.find(i => i.task.id === r.ref)?.source ?? 'lookup'))
  }
  return Object.fromEntries(paramsOf(tool).flatMap((p, i) => isDefault(p, task.args[i]) ? [] : [[p.name, sourceOf(task.args[i]!)]]))
}

/** Whether a plan writes this when the request says nothing of the argument (LABELLING: "The plan text", "The sixteen tools"). */
function isDefault({kind, values}: Param, arg: Arg | undefined): boolean {
  if (arg === undefined || arg === '' || arg === false || (Array.isArray(arg) && arg.length === 0)) return true
  if (kind === 'minutes') return arg === 0 || arg === 60
  if (kind === 'choice') return arg === values?.[0]
  return kind === 'all-day' // follows from the day
}

const since = (start: number): number => Math.round(performance.now() - start)
