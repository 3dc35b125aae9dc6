// Checks labelled rows, seeds and gold plans alike, against what code can check of LABELLING.md:
//     npx tsx training/check-data.ts FILE.jsonl ...
// One line a problem, `file:line: what is wrong`; exit 1 when there is one. A row with "now" is a gold row: its dates are absolute.
import {readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {getLlama, LlamaGrammar, LlamaLogLevel, type Llama} from 'node-llama-cpp'
import {z} from 'zod'
import {resolveUntil, resolveWhen} from '../src/core/dates.ts'
import {lineGrammar} from '../src/core/grammar.ts'
import {foreignSpec, foreignTool, paramsOf} from '../src/core/params.ts'
import {parsePlan, printPlan, printTask, references} from '../src/core/plan-parser.ts'
import {repairPlan} from '../src/core/repair.ts'
import {isAbsolute} from '../src/core/resolve.ts'
import type {Arg, Param, Plan, Task, ToolSpec} from '../src/core/types.ts'
import {specs} from '../src/tools/specs.ts'

const rowSchema = z.object({
  query: z.string().min(1),
  plan: z.string(),
  alts: z.array(z.string()).default([]),
  now: z.string().optional(),
  instructions: z.string().optional(),
  tools: z.array(foreignTool).default([]),
  slots: z.record(z.string(), z.string()).default({}),
})
export type CheckedRow = z.infer<typeof rowSchema>

/** The clock for the words of seeds, a Tuesday; any would do. */
const seedNow = new Date('2026-03-03T09:15:00')

const strings = (arg: Arg): string[] => typeof arg === 'string' ? [arg] : Array.isArray(arg) ? arg.flatMap(strings) : []

/** `start` is undefined where it is a reference: the end is told when the plan runs. */
function checkDates(p: Param, arg: Arg, start: string | undefined, now: Date, isGold: boolean): string | undefined {
  if (typeof arg !== 'string' || arg === '' || (p.kind !== 'when' && p.kind !== 'until')) return undefined
  if (isGold) return isAbsolute(arg) ? undefined : `${p.name} "${arg}" is not absolute`
  if (p.kind === 'until' && start === undefined) return undefined
  const resolved = p.kind === 'when' ? resolveWhen(arg, now) : resolveUntil(arg, start ?? '', now)
  return resolved ? undefined : `${p.name} "${arg}" means no time to the program`
}

const kindsOfSlot = new Set(['person', 'file', 'place', 'address', 'phone'])

function checkTask(task: Task, spec: ToolSpec, row: CheckedRow, now: Date): string[] {
  const params = paramsOf(spec)
  if (params.length !== task.args.length) return [`${task.tool} takes ${params.length} arguments, not ${task.args.length}`]
  const text = `${row.query} ${row.instructions ?? ''}`.toLowerCase()
  let start: string | undefined = ''
  return params.flatMap((p, i) => {
    const arg = task.args[i]!
    if (p.list !== Array.isArray(arg)) return [`${task.tool}.${p.name}: a list where none belongs, or none where one does`]
    const problems: string[] = []
    const date = checkDates(p, arg, start, now, row.now !== undefined)
    if (date) problems.push(date)
    if (p.kind === 'when') start = typeof arg !== 'string' ? undefined : row.now === undefined ? resolveWhen(arg, now)?.text ?? '' : arg
    if (!spec.foreign && kindsOfSlot.has(p.kind)) for (const s of strings(arg)) {
      const isSpoken = (p.kind === 'address' || p.kind === 'phone') && /\b(dot|at|oh|zero|double|plus|two|three)\b/.test(text)
      if (s !== '' && !isSpoken && !text.includes(s.toLowerCase())) problems.push(`${task.tool}.${p.name} "${s}" is not in the request`)
    }
    return problems
  })
}

const family: Partial<Record<string, string[]>> = {address: ['get_email_address'], phone: ['get_phone_number'], path: ['open_and_get_file_path']}

function checkReferences(plan: Plan, byName: Map<string, ToolSpec>): string[] {
  const toolOf = new Map(plan.tasks.map(t => [t.id, t.tool]))
  return plan.tasks.flatMap(task => paramsOf(byName.get(task.tool)!).flatMap((p, i) => {
    const wanted = family[p.kind]
    if (!wanted || byName.get(task.tool)!.foreign) return []
    return references([task.args[i]!]).flatMap(id => wanted.includes(toolOf.get(id)!) || byName.get(toolOf.get(id)!)?.foreign ? [] : [`${task.tool}.${p.name} refers to ${toolOf.get(id)}`])
  }))
}

/** What is wrong with one plan of a row; none: nothing that code can see. */
export function checkPlan(planText: string, row: CheckedRow, llama: Llama): string[] {
  let plan: Plan
  try { plan = parsePlan(planText) } catch (error) { return [`the plan does not parse: ${error instanceof Error ? error.message : String(error)}`] }
  if (printPlan(plan) !== planText.trim()) return [`the plan is not in its printed form:\n${printPlan(plan)}`]
  const all = [...specs, ...row.tools.map(foreignSpec)]
  const byName = new Map(all.map(s => [s.name, s]))
  const unknown = plan.tasks.find(t => !byName.has(t.tool))
  if (unknown) return [`there is no tool ${unknown.tool}`]
  const now = row.now === undefined ? seedNow : new Date(row.now)
  const problems = [...plan.tasks.flatMap(t => checkTask(t, byName.get(t.tool)!, row, now)), ...checkReferences(plan, byName)]
  const repairs = repairPlan(plan, row.query).repairs
  if (repairs.length > 0) problems.push(`repair would change it: ${repairs.join(', ')}`)
  return problems.length > 0 || row.now !== undefined ? problems : notWritable(plan, row, all, llama)
}

/** Lines that the planner's grammar cannot write: dates are in the user's words there, so this is for seeds only. */
function notWritable(plan: Plan, row: CheckedRow, all: ToolSpec[], llama: Llama): string[] {
  const named = new Set(plan.tasks.map(t => t.tool))
  const tools = all.filter(s => named.has(s.name))
  return plan.tasks.flatMap((task, i) => {
    const grammar = lineGrammar({id: task.id, tools, tasks: plan.tasks.slice(0, i), text: `${row.query} ${row.instructions ?? ''}`})
    const tester = new LlamaGrammar(llama, {grammar}) as unknown as {_testText(text: string): boolean} // what its own tests use
    return tester._testText(printTask(task).replace(/^\d+\./, '')) ? [] : [`the grammar cannot write ${printTask(task)}`]
  })
}

async function main(files: string[]): Promise<void> {
  const llama = await getLlama({gpu: false, build: 'never', logLevel: LlamaLogLevel.disabled})
  let rows = 0, bad = 0
  const seen = new Map<string, string>()
  for (const file of files) {
    readFileSync(file, 'utf8').trim().split('\n').forEach((line, i) => {
      const where = `${file}:${i + 1}`
      const say = (what: string): void => { bad++; process.stdout.write(`${where}: ${what}\n`) }
      rows++
      let json: unknown
      try { json = JSON.parse(line) } catch { say('not JSON'); return }
      const row = rowSchema.safeParse(json)
      if (!row.success) { say(z.prettifyError(row.error).replace(/\s+/g, ' ')); return }
      const key = row.data.query.toLowerCase().replace(/\W+/g, ' ')
      const twin = seen.get(key)
      if (twin) say(`the same request as ${twin}`)
      seen.set(key, where)
      for (const plan of [row.data.plan, ...row.data.alts]) for (const problem of checkPlan(plan, row.data, llama)) say(problem)
      for (const slot of Object.keys(row.data.slots)) if (!row.data.query.includes(slot)) say(`slot "${slot}" is not in the request`)
    })
  }
  process.stdout.write(`${rows} rows, ${bad} problems\n`)
  await llama.dispose()
  process.exitCode = bad > 0 ? 1 : 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2))
