// Tools that nobody here has written: single-turn categories of the Berkeley Function Calling Leaderboard, planned by what ships.
//     pip install --no-deps bfcl-eval
//     npm run evaluate:bfcl -- --from .../site-packages/bfcl_eval/data      writes docs/evaluation-bfcl.md
//     ... --rows 20                                                         about so many rows of each category; nothing is written
// Only the functions of a row are offered, as in the benchmark, read as those of an MCP server are. A call is right by the rules of the
// benchmark's checker for syntax trees: the name, every required argument, no other argument, each value one of those listed, strings
// without regard to case, spaces and ,./-_*^ (https://github.com/ShishirPatil/gorilla, berkeley-function-call-leaderboard, Apache-2.0).
import {execFileSync} from 'node:child_process'
import {readFileSync, writeFileSync} from 'node:fs'
import {availableParallelism} from 'node:os'
import path from 'node:path'
import {parseArgs} from 'node:util'
import {z} from 'zod'
import {eachOnFree} from '../src/commands/eval.ts'
import {PlanError, ToolError, UsageError} from '../src/core/errors.ts'
import {paramsOf} from '../src/core/params.ts'
import {openPlanner} from '../src/core/planner.ts'
import {chancesOf} from '../src/core/prior.ts'
import {resolvePlan} from '../src/core/resolve.ts'
import {openRetriever} from '../src/core/retriever.ts'
import type {Json, Planner, ToolSpec} from '../src/core/types.ts'
import {shapeOf, shortDescription} from '../src/tools/mcp/mcp.ts'
import type {CallShape} from '../src/tools/mcp/schema.ts'

const {values: options} = parseArgs({options: {from: {type: 'string'}, rows: {type: 'string'}}})
if (options.from === undefined) throw new UsageError('--from DIR: the data folder of the Python package bfcl-eval')
const data = options.from
const signal = new AbortController().signal
const now = new Date('2026-03-03T09:15:00')

/** The benchmark's names, and what they hold. */
const categories = {
  simple_python: 'one function, one call',
  multiple: 'two to four functions, one call',
  parallel: 'one function, several calls',
  parallel_multiple: 'several functions, several calls',
  live_simple: 'written by users: one function, one call',
  live_multiple: 'written by users: several functions, one call',
  irrelevance: 'a function that does not serve: no call',
} satisfies Record<string, string>

const jsonLines = (file: string): unknown[] => readFileSync(path.join(data, file), 'utf8').split('\n').filter(line => line.trim() !== '').map(line => JSON.parse(line) as unknown)

const questionSchema = z.object({
  id: z.string(),
  question: z.array(z.array(z.object({role: z.string(), content: z.string()}))),
  function: z.array(z.object({name: z.string(), description: z.string().default(''), parameters: z.record(z.string(), z.unknown())})),
})
const answerSchema = z.object({id: z.string(), ground_truth: z.array(z.record(z.string(), z.record(z.string(), z.array(z.unknown()))))})

interface Row { request: string; functions: z.output<typeof questionSchema>['function']; golds: Gold[] }
interface Gold { name: string; args: Record<string, unknown[]> }

function rowsOf(category: string): Row[] {
  const answers = new Map(category === 'irrelevance' ? [] : jsonLines(`possible_answer/BFCL_v4_${category}.json`).map(line => answerSchema.parse(line)).map(a => [a.id, a.ground_truth]))
  const questions = jsonLines(`BFCL_v4_${category}.json`).map(line => questionSchema.parse(line))
  const step = Math.max(1, Math.floor(questions.length / Number(options.rows ?? 100)))
  return questions.filter((_, i) => i % step === 0).map(q => ({
    request: q.question.flat().filter(m => m.role === 'user').map(m => m.content).join(' '),
    functions: q.function,
    golds: (answers.get(q.id) ?? []).flatMap(one => Object.entries(one).map(([name, args]) => ({name, args}))),
  }))
}

const jsonTypes: Record<string, string> = {dict: 'object', float: 'number', tuple: 'array', any: 'string'}
/** The benchmark's schemas name the types of Python. */
const asJsonSchema = (node: unknown): unknown => Array.isArray(node) ? node.map(asJsonSchema)
  : typeof node !== 'object' || node === null ? node
  : Object.fromEntries(Object.entries(node).map(([key, value]) => [key, key === 'type' && typeof value === 'string' ? jsonTypes[value] ?? value : asJsonSchema(value)]))

interface Offered { spec: ToolSpec; shape: CallShape; name: string }
function offer({name, description, parameters}: Row['functions'][number]): Offered | undefined {
  const definition = {name, description, inputSchema: asJsonSchema(parameters) as Json} // parsed from JSON
  const shape = shapeOf(definition)
  if ('problem' in shape) return undefined
  const known = name.replace(/[^\w.-]+/g, '_').slice(0, 64)
  return {name, shape, spec: {name: known, description: shortDescription(definition), args: shape.args, effect: 'outward', returns: 'any', source: 'document', foreign: true}}
}

const bare = (text: string): string => text.replace(/[ ,./\-_*^]/g, '').toLowerCase().replaceAll('\'', '"')

function same(value: unknown, gold: unknown): boolean {
  if (typeof value === 'string' && typeof gold === 'string') return bare(value) === bare(gold)
  if (Array.isArray(value) && Array.isArray(gold)) return value.length === gold.length && value.every((v, i) => same(v, gold[i]))
  if (isObject(value) && isObject(gold)) return sameArguments(value, gold)
  return value === gold
}
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const sameArguments = (args: Record<string, unknown>, gold: Record<string, unknown>): boolean =>
  Object.entries(args).every(([key, value]) => { const listed = gold[key]; return Array.isArray(listed) && listed.some(one => same(value, one)) })
  && Object.entries(gold).every(([key, listed]) => key in args || (Array.isArray(listed) && listed.includes('')))

interface Call { name: string; args: Record<string, unknown> }
/** Each gold call takes the first call left that is right. */
function allRight(calls: Call[], golds: Gold[]): boolean {
  const left = [...calls]
  return calls.length === golds.length && golds.every(gold => {
    const at = left.findIndex(call => call.name === gold.name && sameArguments(call.args, gold.args))
    if (at !== -1) left.splice(at, 1)
    return at !== -1
  })
}

const rag = await openRetriever({dir: 'models/retriever'})
const open = (): Promise<Planner> => openPlanner({modelPath: 'models/planner/tinyagent-135m-q4_0.gguf', threads: 1})
const planners = await Promise.all(Array.from({length: availableParallelism()}, open))

interface Counts { rows: number; offered: number; names: number; right: number; unwritable: number }

async function score(row: Row, planner: Planner): Promise<Omit<Counts, 'rows'>> {
  const made = row.functions.map(offer)
  const offered = made.filter(o => o !== undefined)
  const unwritable = row.golds.some(gold => !offered.some(o => o.name === gold.name))
  const specs = offered.map(o => o.spec)
  const selected = await rag.select(row.request, specs, signal)
  const names = new Set(selected.map(t => t.name))
  const tools = specs.filter(s => names.has(s.name))
  const recalled = row.golds.every(gold => offered.some(o => o.name === gold.name && names.has(o.spec.name)))
  let calls: Call[] | undefined
  try {
    const stream = planner.plan({request: row.request, now, tools, chances: chancesOf(selected), signal})
    let next = await stream.next()
    while (!next.done) next = await stream.next()
    calls = resolvePlan(next.value.plan, specs, now).tasks.map(task => {
      const {name, shape, spec} = offered.find(o => o.spec.name === task.tool)!
      // A reference to another call's result is none of the values that are listed.
      const args = Object.fromEntries(paramsOf(spec).map((p, i) => [p.name, task.args[i] as Json]))
      return {name, args: shape.toCall(args)}
    })
  } catch (error) {
    // No plan, or one that the tool would refuse.
    if (!(error instanceof PlanError) && !(error instanceof ToolError)) throw error
  }
  const sorted = (list: {name: string}[]): string => list.map(c => c.name).sort().join('\n')
  return {
    offered: Number(recalled), unwritable: Number(unwritable),
    names: Number(calls !== undefined && sorted(calls) === sorted(row.golds)),
    right: Number(calls !== undefined && allRight(calls, row.golds)),
  }
}

const results: Record<string, Counts> = {}
for (const category of Object.keys(categories)) {
  const rows = rowsOf(category)
  const counts: Counts = {rows: rows.length, offered: 0, names: 0, right: 0, unwritable: 0}
  let done = 0
  await eachOnFree(rows, planners, async (row, planner) => {
    const one = await score(row, planner)
    for (const key of ['offered', 'names', 'right', 'unwritable'] as const) counts[key] += one[key]
    process.stderr.write(`\r${category}: ${++done} of ${rows.length}, ${counts.right} right  ${done === rows.length ? '\n' : ''}`)
  })
  results[category] = counts
}
await Promise.all(planners.map(p => p.close()))
await rag.close()

const percent = (part: number, all: number): string => (100 * part / all).toFixed(1)
const git = (...args: string[]): string => execFileSync('git', args, {encoding: 'utf8'}).trim()
const text = `# Tools that the models never saw: BFCL

Made by \`npm run evaluate:bfcl\` at commit ${git('rev-parse', '--short', 'HEAD')} on ${new Date().toISOString().slice(0, 10)}. Every n-th row of seven categories of the
[Berkeley Function Calling Leaderboard](https://gorilla.cs.berkeley.edu/leaderboard.html) (data of the Python package bfcl-eval, Apache-2.0),
planned by the embedded model with only the functions of the row, as in the benchmark. Nothing was trained on them; some forty
other rows were read when optional arguments got their rules (docs/decisions.md).

| category | what it holds | rows | needed functions offered | right functions, each as often | with right arguments |
| --- | --- | --- | --- | --- | --- |
${Object.entries(categories).map(([category, holds]) => { const c = results[category]!; return `| ${category} | ${holds} | ${c.rows} | ${percent(c.offered, c.rows)} | ${percent(c.names, c.rows)} | ${percent(c.right, c.rows)} |` }).join('\n')}

Right arguments are the benchmark's measure: every value has to be one of those listed. ${Object.values(results).reduce((sum, c) => sum + c.unwritable, 0)} rows need a function whose arguments a plan
cannot write at all (lists of objects, deep objects); they count as wrong. The planner copies text from the request and does not compute or rewrite it,
which the benchmark often wants ("March 8th, 2023" as 2023-03-08, a host's address as a whole URL).
`
if (options.rows === undefined) writeFileSync('docs/evaluation-bfcl.md', text)
else process.stdout.write(text)
