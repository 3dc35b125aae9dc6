// `tinyagent eval ROWS.jsonl`: scores the planner against gold rows (LABELLING.md, "Rows").
import {readFile} from 'node:fs/promises'
import writeFileAtomic from 'write-file-atomic'
import {z} from 'zod'
import {errorInfo, PlanError, reasonOf, UsageError} from '../core/errors.ts'
import {foreignSpec, foreignTool} from '../core/params.ts'
import {parsePlan, printPlan} from '../core/plan-parser.ts'
import {sameArgs, samePlan} from '../core/plan-graph.ts'
import {chancesOf} from '../core/prior.ts'
import {resolvePlan} from '../core/resolve.ts'
import {printable} from '../core/text.ts'
import type {Plan, Planner, Retriever, ToolSpec} from '../core/types.ts'
import {formatReport} from './eval-report.ts'
import type {EvalReport, Percentiles, Share} from './eval-report.ts'
import {countTools} from './eval-tools.ts'

/** Seed rows have no clock; their words are resolved on both sides with this one, a Tuesday. */
const seedNow = '2026-03-03T09:15:00'

const planText = z.string().transform((text, context) => {
  try { return parsePlan(text) } catch (error) {
    if (!(error instanceof PlanError)) throw error
    context.addIssue({code: 'custom', message: error.message})
    return z.NEVER
  }
})

const rowSchema = z.object({
  id: z.union([z.string(), z.number()]).transform(String).optional(),
  now: z.string().refine(text => !Number.isNaN(Date.parse(text)), 'not a date').default(seedNow).transform(text => new Date(text)),
  query: z.string().min(1),
  plan: planText,
  alts: z.array(planText).default([]),
  tags: z.array(z.string()).default([]),
  instructions: z.string().optional(),
  tools: z.array(foreignTool).default([]),
})

/** A gold row; `id` is the line number where the row has none. */
export type EvalRow = z.output<typeof rowSchema> & {id: string}

/** JSONL -> rows. Throws UsageError with the line's number. */
export function parseRows(text: string): EvalRow[] {
  const rows = text.split('\n').flatMap((line, index): EvalRow[] => {
    if (line.trim() === '') return []
    let json: unknown
    try { json = JSON.parse(line) } catch (error) { throw new UsageError(`line ${index + 1} is not JSON`, error) }
    const row = rowSchema.safeParse(json)
    if (!row.success) throw new UsageError(`line ${index + 1} is not a gold row: ${printable(z.prettifyError(row.error)).replace(/\s+/g, ' ')}`)
    return [{...row.data, id: row.data.id ?? String(index + 1)}]
  })
  if (rows.length === 0) throw new UsageError('there are no rows to score')
  return rows
}

export interface EvalDeps {
  retriever: Retriever
  planner: Planner
  /** More planners of the same model: each row goes to one that is free. The times of a report then say little. */
  besides?: Planner[]
  specs: ToolSpec[]
}

/** A line of `--predictions` (DESIGN.md, "The command line"); what is scored is read from it. */
export interface Prediction {
  id: string
  /** resolved plan text; "" where the planner gave no plan */
  plan: string
  tools: string[]
  promptTokens: number
  /** null where the plan has no task */
  firstTaskMs: number | null
  planMs: number
  error?: string
}

export interface EvalOptions {
  signal: AbortSignal
  /** how many failures to list; default 0 */
  failures?: number
  /** what was planned before, by the row's id: scored and not planned again */
  known?: ReadonlyMap<string, Prediction>
  progress?(done: number, total: number, passed: number): void
}

/** Plans every row that is not known and scores it; `emitLine` gets each new prediction as one line of JSON as soon as it is there. */
export async function runEval(rows: EvalRow[], deps: EvalDeps, options: EvalOptions, emitLine: (line: string) => void): Promise<EvalReport> {
  const scored: Scored[] = []
  let done = 0
  let passed = 0
  await eachOnFree(rows, [deps.planner, ...deps.besides ?? []], async (row, planner, index) => {
    options.signal.throwIfAborted()
    const specs = specsOf(row, deps.specs)
    const known = options.known?.get(row.id)
    const prediction = known ?? await predict(row, specs, {...deps, planner}, options.signal)
    const one = scoreRow(row, prediction, specs)
    scored[index] = one
    if (one.success) passed++
    if (!known) emitLine(JSON.stringify(prediction))
    options.progress?.(++done, rows.length, passed)
  })
  return summarize(scored, deps, options.failures ?? 0)
}

/** Each item is taken, in order, by the next worker that is free. After an error no more are taken; it is thrown when all workers are done, so that they can be closed. */
export async function eachOnFree<T, W>(items: T[], workers: W[], work: (item: T, worker: W, index: number) => Promise<void>): Promise<void> {
  const waiting = items.entries()
  let hasFailed = false
  const ends = await Promise.allSettled(workers.map(async worker => {
    for (const [index, item] of waiting) {
      if (hasFailed) return
      try { await work(item, worker, index) } catch (error) { hasFailed = true; throw error }
    }
  }))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

interface Scored { row: EvalRow; prediction: Prediction; plan: Plan | undefined; golds: Plan[]; success: boolean; withArguments: boolean; recalled: boolean }

const specsOf = (row: EvalRow, specs: ToolSpec[]): ToolSpec[] => [...specs, ...row.tools.filter(t => !specs.some(s => s.name === t.name)).map(foreignSpec)]

function scoreRow(row: EvalRow, prediction: Prediction, specs: ToolSpec[]): Scored {
  const plan = prediction.error === undefined ? parsePlan(prediction.plan) : undefined
  const golds = [row.plan, ...row.alts].map(gold => resolvePlan(gold, specs, row.now))
  const selected = new Set(prediction.tools)
  return {
    row, prediction, plan, golds,
    success: plan !== undefined && golds.some(gold => samePlan(plan, gold)),
    withArguments: plan !== undefined && golds.some(gold => sameArgs(plan, gold, specs)),
    recalled: golds.some(gold => gold.tasks.every(t => selected.has(t.tool))),
  }
}

async function predict(row: EvalRow, specs: ToolSpec[], deps: EvalDeps, signal: AbortSignal): Promise<Prediction> {
  const start = performance.now()
  const sinceStart = (): number => Math.round((performance.now() - start) * 10) / 10
  const selected = await deps.retriever.select(row.query, specs, signal, row.instructions)
  const names = new Set(selected.map(t => t.name))
  const tools = specs.filter(s => names.has(s.name))
  const base = {id: row.id, tools: tools.map(t => t.name)}
  let firstTaskMs: number | null = null
  try {
    const stream = deps.planner.plan({
      request: row.query, now: row.now, tools, chances: chancesOf(selected), signal, ...(row.instructions !== undefined && {instructions: row.instructions}),
    })
    let next = await stream.next()
    for (; !next.done; next = await stream.next()) if ('task' in next.value) firstTaskMs ??= sinceStart()
    const planMs = sinceStart()
    return {...base, plan: printPlan(resolvePlan(next.value.plan, specs, row.now)), promptTokens: next.value.promptTokens, firstTaskMs, planMs}
  } catch (error) {
    // A plan that cannot be written is a failed row; a broken model or an interruption ends the evaluation.
    if (!(error instanceof PlanError)) throw error
    return {...base, plan: '', promptTokens: 0, firstTaskMs, planMs: sinceStart(), error: errorInfo(error).message}
  }
}

function summarize(scored: Scored[], {planner, specs}: EvalDeps, failures: number): EvalReport {
  const share = (some: Scored[], test: (s: Scored) => boolean = s => s.success): Share => ({rows: some.length, passed: some.filter(test).length})
  const by = (keys: (s: Scored) => string[]): Record<string, Share> => {
    const names = [...new Set(scored.flatMap(keys))].sort((a, b) => a.localeCompare(b, 'en', {numeric: true}))
    return Object.fromEntries(names.map(name => [name, share(scored.filter(s => keys(s).includes(name)))]))
  }
  const written = scored.filter(s => s.prediction.error === undefined)
  return {
    model: planner.name,
    rows: scored.length,
    success: share(scored),
    withArguments: share(scored, s => s.withArguments),
    upToThreeTools: share(scored.filter(s => toolCount(s.row) <= 3)),
    byCalls: by(s => [String(s.row.plan.tasks.length)]),
    byTools: by(s => [String(toolCount(s.row))]),
    byTag: by(s => s.row.tags),
    toolCalls: countTools(scored, specs.map(s => s.name)),
    toolRecall: share(scored, s => s.recalled),
    meanTools: mean(scored.map(s => s.prediction.tools.length)),
    meanPromptTokens: mean(written.map(s => s.prediction.promptTokens)),
    firstTaskMs: percentiles(written.flatMap(s => s.prediction.firstTaskMs ?? [])),
    planMs: percentiles(written.map(s => s.prediction.planMs)),
    errors: scored.length - written.length,
    failures: scored.filter(s => !s.success).slice(0, failures).map(({row, prediction}) => ({
      id: row.id, query: row.query, expected: printPlan(row.plan), got: prediction.plan, ...(prediction.error !== undefined && {error: prediction.error}),
    })),
  }
}

const toolCount = (row: EvalRow): number => new Set(row.plan.tasks.map(t => t.tool)).size

const mean = (values: number[]): number => values.length === 0 ? 0 : Math.round(values.reduce((a, b) => a + b, 0) / values.length * 100) / 100

/** Nearest rank. */
function percentiles(values: number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (p: number): number => sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? 0
  return {p50: at(0.5), p95: at(0.95)}
}

export interface EvalCommandOptions { predictions?: string; json?: boolean; failures?: number }

/** The command, with one model load for all rows: report on stdout, progress on stderr where that is a terminal. Predictions made before an interruption are kept. */
export async function evalCommand(
  file: string, options: EvalCommandOptions, open: () => Promise<EvalDeps>,
  io: {stdout: NodeJS.WritableStream; stderr: NodeJS.WritableStream & {isTTY?: boolean}; signal: AbortSignal},
): Promise<EvalReport> {
  // A wrong file is said before the model is opened.
  const rows = await readRows(file)
  const deps = await open()
  const lines: string[] = []
  const progress = (done: number, total: number, passed: number): void => {
    io.stderr.write(`\r${done} of ${total} rows, ${(100 * passed / done).toFixed(1)}% right${done === total ? '\n' : ''}`)
  }
  try {
    const report = await runEval(rows, deps, {
      signal: io.signal, failures: options.failures ?? 0, ...(io.stderr.isTTY && {progress}),
    }, line => lines.push(line))
    io.stdout.write(`${options.json ? JSON.stringify(report) : formatReport(report)}\n`)
    return report
  } finally {
    if (options.predictions !== undefined) await writeFileAtomic(options.predictions, lines.map(l => `${l}\n`).join(''), {mode: 0o600})
    await deps.planner.close()
  }
}

/** Throws UsageError. */
async function readRows(file: string): Promise<EvalRow[]> {
  let text: string
  try { text = await readFile(file, 'utf8') } catch (error) { throw new UsageError(`${file} cannot be read: ${reasonOf(error)}`, error) }
  return parseRows(text)
}
