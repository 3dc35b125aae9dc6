// What ships and what each part of it is worth, on the test rows and on the wild set: `npm run evaluate` writes docs/evaluation.md.
// What ships is run on all rows, the variants on about 70 of each set, shared among one planner a core; times are taken with one planner alone.
//     npm run evaluate -- --keep FILE    what is planned is kept in FILE too: after an interruption the same command goes on from there
//     npm run evaluate -- --base SMOLLM2.gguf --beside "16 bit=F16.gguf" --beside "Q8_0=Q8.gguf"     the model before fine-tuning too, and other files
// For a quick look, nothing is written, and the page or part is printed:
//     npm run evaluate -- --only PART    rows, times, variants, examples or training; also several times
//     npm run evaluate -- --rows 60      about so many rows of each set for all
//     npm run evaluate -- --set validation=training/data/validation.jsonl      other rows than those of the two sets
import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {readFileSync, statSync, writeFileSync} from 'node:fs'
import {availableParallelism, cpus} from 'node:os'
import {parseArgs} from 'node:util'
import {parseRows, runEval, type EvalRow} from '../src/commands/eval.ts'
import type {EvalReport} from '../src/commands/eval-report.ts'
import {UsageError} from '../src/core/errors.ts'
import {openPlanner, type PlannerParts} from '../src/core/planner.ts'
import {openRetriever} from '../src/core/retriever.ts'
import type {Planner, Retriever} from '../src/core/types.ts'
import {specs} from '../src/tools/specs.ts'
import {readSeeds} from '../training/build-data.ts'
import {openKept} from './evaluate-keep.ts'
import {comparison, failures, shares, summary, times, toolCalls, trainingCost, type Reports} from './evaluate-text.ts'
import {openNearest, withExamples, type Nearest} from './nearest-seeds.ts'

const {values: options} = parseArgs({options: {
  only: {type: 'string', multiple: true},
  rows: {type: 'string'},
  set: {type: 'string', multiple: true},
  keep: {type: 'string'},
  model: {type: 'string', default: 'models/planner/tinyagent-135m-q4_0.gguf'},
  base: {type: 'string'},
  beside: {type: 'string', multiple: true, default: []},
}})

/** "NAME=FILE" of an option. */
function named(option: string, text: string): [name: string, file: string] {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1) throw new UsageError(`--${option} wants NAME=FILE, not ${text}`)
  return [text.slice(0, at), text.slice(at + 1)]
}

const theSets = {test: 'training/data/test.jsonl', wild: 'training/data/wild.jsonl'}
const aboutSets: Record<string, string> = {
  [theSets.test]: 'hand-written requests kept apart from the\ntraining seeds before they were expanded',
  [theSets.wild]: 'requests written by others who had not seen the seeds',
}
const files = options.set ? options.set.map(text => named('set', text)) : Object.entries(theSets)
const sets = new Map(files.map(([set, file]) => [set, parseRows(readFileSync(file, 'utf8'))]))
if (options.rows !== undefined && !(Number(options.rows) >= 1)) throw new UsageError(`--rows wants a number of rows, not ${options.rows}`)

type Pick = (rows: EvalRow[]) => EvalRow[]
/** About so many of them, evenly. */
const everyNth = (about: number): Pick => rows => rows.filter((_, i) => i % Math.max(1, Math.floor(rows.length / about)) === 0)
const all: Pick = options.rows === undefined ? rows => rows : everyNth(Number(options.rows))
const compared = everyNth(Number(options.rows ?? 70))
const timed = everyNth(Number(options.rows ?? 60))

const interruption = new AbortController()
const {signal} = interruption
process.on('SIGINT', () => interruption.abort(new Error('interrupted')))

const rag = await openRetriever({dir: 'models/retriever'})
const everything: Retriever = {select: async (_request, tools) => tools.map(t => ({name: t.name, score: 1})), embed: (texts, stop) => rag.embed(texts, stop)}
/** What a retriever without a fault would say: the bound of what better retrieval can give. */
const golds = new Map([...sets.values()].flat().map(row => [row.query, row.plan.tasks.map(t => t.tool)]))
const told: Retriever = {
  select: async (request, tools) => tools.flatMap(({name}) => {
    const count = golds.get(request)!.filter(tool => tool === name).length
    return count === 0 ? [] : [{name, score: 1, calls: Array.from({length: count + 1}, (_, rank) => rank < count ? 1 : 0)}]
  }),
  embed: (texts, stop) => rag.embed(texts, stop),
}

interface Variant { name: string; retriever: Retriever; parts: PlannerParts; model?: string; /** of the compared rows every so many only: its prompts and plans are long */ every?: number; /** in-context examples */ examples?: number }
const shipped: Variant = {name: '+ repair (as it ships)', retriever: rag, parts: {}}
const variants: Variant[] = [
  ...options.base === undefined ? [] : [
    {name: 'SmolLM2-135M-Instruct before fine-tuning, all tools in the prompt', retriever: everything, parts: {grammar: false, repair: false}, model: options.base, every: 5},
    {name: 'the same with all that ships', retriever: rag, parts: {}, model: options.base, every: 5},
  ],
  {name: 'fine-tuned, all tools in the prompt', retriever: everything, parts: {grammar: false, repair: false}},
  {name: '+ Tool RAG', retriever: rag, parts: {grammar: false, repair: false}},
  {name: '+ grammar with spans and typed references', retriever: rag, parts: {grammar: true, repair: false}},
  shipped,
  {name: 'the same, told the right tools and how often each is called', retriever: told, parts: {}},
  ...options.beside.map(text => {
    const [name, model] = named('beside', text)
    return {name: `${name} (${megabytes(model, 0)}), as it ships otherwise`, retriever: rag, parts: {}, model}
  }),
]
const exampleVariants: Variant[] = [1, 3].map(examples => ({name: `${examples} in the prompt`, retriever: rag, parts: {}, examples}))

const git = (...args: string[]): string => execFileSync('git', args, {encoding: 'utf8', maxBuffer: 1e9}).trim()
const sha = (...parts: (string | Buffer)[]): string => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex').slice(0, 16)
function megabytes(file: string, digits: number): string { return `${(statSync(file).size / 1e6).toFixed(digits)} MB` }
/** Of the code, the models and the seeds, what is not committed among them too. */
const parts = ['src', 'scripts', 'models', 'training/seeds', 'package-lock.json']
const state = sha(...parts.map(part => git('rev-parse', `HEAD:${part}`)), git('diff', 'HEAD', '--', ...parts), ...files.map(([, file]) => readFileSync(file)))
const kept = openKept(options.keep, state)
const modelShas = new Map([options.model, options.base, ...options.beside.map(text => named('beside', text)[1])].flatMap(file => file === undefined ? [] : [[file, sha(readFileSync(file))]]))

/** One line of standard error, written again as the rows are done; without a terminal, once. */
function progressLine(name: string): {show(set: string, done: number, total: number, passed: number): void; end(): void} {
  const counts = new Map<string, string>()
  const text = (): string => [...counts.values(), name].join(', ')
  return {
    show(set, done, total, passed) {
      counts.set(set, `${set} ${done}/${total} ${(100 * passed / done).toFixed(1)}%`)
      const width = (process.stderr.columns ?? 80) - 1
      if (process.stderr.isTTY) process.stderr.write(`\r${text().slice(0, width).padEnd(width)}`)
    },
    end: () => { process.stderr.write(process.stderr.isTTY ? '\n' : `${text()}\n`) },
  }
}

/** Plans the picked rows of all sets and scores them. What was planned for `key` before is not planned again. */
async function evaluate(name: string, key: string, planners: [Planner, ...Planner[]], retriever: Retriever, pick: Pick): Promise<Reports> {
  const line = progressLine(name)
  const [planner, ...besides] = planners
  const reports: [string, EvalReport][] = []
  try {
    for (const [set, rows] of sets) {
      const progress = (done: number, total: number, passed: number): void => line.show(set, done, total, passed)
      const report = await runEval(pick(rows), {retriever, planner, besides, specs}, {signal, progress, failures: 20, known: kept.of(key, set)}, prediction => kept.add(key, set, prediction))
      reports.push([set, report])
    }
  } finally { line.end() }
  return Object.fromEntries(reports)
}

/** With one planner a core, each with one thread. */
async function measure(variant: Variant, pick: Pick = compared, nearest?: Nearest): Promise<Reports> {
  const {name, retriever, parts, model = options.model, every = 1, examples} = variant
  const open = async (): Promise<Planner> => {
    const planner = await openPlanner({modelPath: model, threads: 1, ...parts})
    return nearest && examples !== undefined ? withExamples(planner, nearest, examples) : planner
  }
  const planners: [Planner, ...Planner[]] = [await open(), ...await Promise.all(Array.from({length: availableParallelism() - 1}, open))]
  try {
    return await evaluate(name, `${name} ${modelShas.get(model)}`, planners, retriever, rows => pick(rows).filter((_, i) => i % every === 0))
  } finally { await Promise.all(planners.map(p => p.close())) }
}

const nth = `On every n-th row of ${sets.size === 1 ? 'the set' : sets.size === 2 ? 'both sets' : 'all sets'}`

/** What ships on all rows: the head of the page, and the tables of all rows. */
async function rowsPart(): Promise<{head: string; tables: string}> {
  const reports = await measure(shipped, all)
  const [set, first] = Object.entries(reports)[0]!
  return {
    head: `${summary(reports)}

The paper's Tool RAG recalls 99.8% of the needed tools at 3.97 offered.`,
    tables: `## By number of calls

${shares('calls', reports, r => r.byCalls)}

## By tool

How often each tool is called in the gold plans and in the planner's, in how many rows it has fewer or more calls than in the gold plan, and what has too many
calls in the rows where it is missing: the commonest, and how often nothing has. A row with several gold plans is held against the nearest.

${Object.entries(reports).map(([name, report]) => `**${name}**\n\n${toolCalls(report)}`).join('\n\n')}

## By tag

${shares('tag', reports, r => r.byTag)}

## Twenty failures on the ${set} rows

${failures(first)}`,
  }
}

async function timesPart(): Promise<string> {
  const planner = await openPlanner({modelPath: options.model})
  try {
    // The first plan is slower than the others: it loads what is needed only once.
    await runEval([...sets.values()][0]!.slice(0, 1), {retriever: rag, planner, specs}, {signal}, () => undefined)
    const reports = await evaluate('times as it ships', `times ${modelShas.get(options.model)}`, [planner], rag, timed)
    return `## Latency

${nth} (${Object.values(reports).map(r => r.rows).join(' + ')}), as it ships: one planner, loaded, on as many threads as cores are free; retrieval included.

${times(reports)}

The variants below share their rows among one planner a core, so they have no times. \`npm run bench\` measures start-up and loading too.`
  } finally { await planner.close() }
}

async function variantsPart(): Promise<string> {
  const lines: {name: string; reports: Reports}[] = []
  for (const variant of variants) lines.push({name: variant.name, reports: await measure(variant)})
  return `## What each part is worth

${nth}:

${comparison(lines)}`
}

async function examplesPart(): Promise<string> {
  const nearest = await openNearest(readSeeds(), rag, signal)
  const lines = [{name: 'none (as it ships)', reports: await measure(shipped)}]
  for (const variant of exampleVariants) lines.push({name: variant.name, reports: await measure(variant, compared, nearest)})
  return `## In-context examples

${nth}, as it ships, and with the training seeds in the prompt that are nearest to the request by the retriever's embedding, each as a request and its plan
in the prompt's own form, the nearest last: only seeds whose tools are all offered for the row, and none with standing instructions. The planner
was not trained with examples in its prompt, so this says what they do to this file, and not what they would be worth to a planner that was.

${comparison(lines)}`
}

const readmes = {'the planner': 'models/planner/README.md', 'the retriever': 'models/retriever/README.md'}
const trainingPart = (): string => `## What training cost

${Object.entries(readmes).map(([what, file]) => `Of ${what} ([${file}](../${file})):\n\n${trainingCost(readFileSync(file, 'utf8'), file)}`).join('\n\n')}

![Loss over tokens](training.svg)`

const beside = `## Beside the paper

The paper's figures are on its own test set, which comes from the generator of its training data: GPT-4-Turbo 79.08, GPT-3.5 65.04, TinyLlama-1.1B 12.71
before and 78.89 to 80.06 after fine-tuning, WizardLM-2-7B 41.25 and 83.09 to 84.95. The metric is the same; the requests, the tools' arguments and the
writers are not, so a difference of a few points between its figures and ours means nothing. Gorilla and ToolFormer train models to write calls of many APIs,
one at a time; Octopus gives each function a token of its own, so that a new function needs training; here a plan of several calls is written at once, and
tools are read from the prompt.`

const title = `# Evaluation

Made by \`npm run evaluate\` at commit ${git('rev-parse', '--short', 'HEAD')} on ${new Date().toISOString().slice(0, 10)}, on ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), with
\`${options.model}\` (${megabytes(options.model, 1)}). Plan success is isomorphism of the graphs of calls, as in the TinyAgent paper
(arXiv 2409.00608); with arguments, every argument agrees as well (src/core/plan-graph.ts). ${files.map(([set, file]) => `**${set}**: ${sets.get(set)!.length} ${aboutSets[file] ?? `rows of ${file}`}.`).join(' ')} Nothing was trained or tuned on ${options.set ? 'the test rows and the wild set' : 'either'}.`

/** In the order in which they are measured, which is not quite that of the page. */
const partNames = ['training', 'times', 'rows', 'variants', 'examples'] as const
const wanted: readonly string[] = options.only ?? partNames
const unknown = wanted.find(name => !partNames.some(part => part === name))
if (unknown !== undefined) throw new UsageError(`--only ${unknown}: there are ${partNames.join(', ')}`)

const made: Partial<Record<typeof partNames[number] | 'tables', string>> = {}
const page = (): string => [
  title, made.rows, made.times, made.variants, made.examples, made.training, ...options.only ? [] : [beside], made.tables,
].filter(part => part !== undefined).join('\n\n') + '\n'
try {
  if (wanted.includes('training')) made.training = trainingPart()
  if (wanted.includes('times')) made.times = await timesPart()
  if (wanted.includes('rows')) { const {head, tables} = await rowsPart(); made.rows = head; made.tables = tables }
  if (wanted.includes('variants')) made.variants = await variantsPart()
  if (wanted.includes('examples')) made.examples = await examplesPart()
  if (options.only ?? options.rows ?? options.set) process.stdout.write(page())
  else writeFileSync('docs/evaluation.md', page())
} catch (error) {
  if (!signal.aborted) throw error
  // What is whole is shown, docs/evaluation.md stays as it is.
  process.stdout.write(page())
  process.stderr.write(`Interrupted; nothing is written.${options.keep === undefined ? ' With --keep FILE what is planned is kept.' : ` The same command goes on from what is in ${options.keep}.`}\n`)
  process.exitCode = 130
} finally { await rag.close() }
