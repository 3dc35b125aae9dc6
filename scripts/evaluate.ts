// What each part of the planner is worth, on the test rows and on the wild set: `npm run evaluate` writes docs/evaluation.md.
// What ships is run on all rows, the other variants on about 100 of each set. Two planners share the rows, so times are for `npm run bench`.
//     npm run evaluate -- --rows 60      about so many rows of each set for all, for a quick look; nothing is written
//     npm run evaluate -- --base SMOLLM2.gguf --beside "16 bit=F16.gguf" --beside "Q8_0=Q8.gguf"     the model before fine-tuning too, and other files
import {execFileSync} from 'node:child_process'
import {readFileSync, statSync, writeFileSync} from 'node:fs'
import {availableParallelism, cpus} from 'node:os'
import {parseArgs} from 'node:util'
import {parseRows, runEval, type EvalRow} from '../src/commands/eval.ts'
import type {EvalReport, Share} from '../src/commands/eval-report.ts'
import {UsageError} from '../src/core/errors.ts'
import {openPlanner, type PlannerParts} from '../src/core/planner.ts'
import {openRetriever} from '../src/core/retriever.ts'
import type {Planner, Retriever} from '../src/core/types.ts'
import {specs} from '../src/tools/specs.ts'

const {values: options} = parseArgs({options: {
  rows: {type: 'string'},
  model: {type: 'string', default: 'models/planner/tinyagent-135m-q4_0.gguf'},
  base: {type: 'string'},
  beside: {type: 'string', multiple: true, default: []},
}})
const signal = new AbortController().signal
const sets = {test: 'training/data/test.jsonl', wild: 'training/data/wild.jsonl'}

const comparedRows = Number(options.rows ?? 100)
const everyNth = (rows: EvalRow[]): EvalRow[] => {
  const step = Math.max(1, Math.floor(rows.length / comparedRows))
  return rows.filter((_, i) => i % step === 0)
}

const rag = await openRetriever({dir: 'models/retriever'})
const everything: Retriever = {select: async (_request, tools) => tools.map(t => ({name: t.name, score: 1})), embed: (texts, stop) => rag.embed(texts, stop)}
/** What a retriever without a fault would say: the bound of what better retrieval can give. */
const golds = new Map(Object.values(sets).flatMap(file => parseRows(readFileSync(file, 'utf8'))).map(row => [row.query, row.plan.tasks.map(t => t.tool)]))
const told: Retriever = {
  select: async (request, tools) => tools.flatMap(({name}) => {
    const count = golds.get(request)!.filter(tool => tool === name).length
    return count === 0 ? [] : [{name, score: 1, calls: Array.from({length: count + 1}, (_, rank) => rank < count ? 1 : 0)}]
  }),
  embed: (texts, stop) => rag.embed(texts, stop),
}

const shippedName = '+ repair (as it ships)'
interface Variant { name: string; retriever: Retriever; parts: PlannerParts; model?: string; /** every so many of the compared rows only: its prompts and plans are long */ every?: number }
const variants: Variant[] = [
  ...options.base === undefined ? [] : [
    {name: 'SmolLM2-135M-Instruct before fine-tuning, all tools in the prompt', retriever: everything, parts: {grammar: false, repair: false}, model: options.base, every: 5},
    {name: 'the same with all that ships', retriever: rag, parts: {}, model: options.base, every: 5},
  ],
  {name: 'fine-tuned, all tools in the prompt', retriever: everything, parts: {grammar: false, repair: false}},
  {name: '+ Tool RAG', retriever: rag, parts: {grammar: false, repair: false}},
  {name: '+ grammar with spans and typed references', retriever: rag, parts: {grammar: true, repair: false}},
  {name: shippedName, retriever: rag, parts: {}},
  {name: 'the same, told the right tools and how often each is called', retriever: told, parts: {}},
  ...options.beside.map(text => {
    const [name, model] = text.split('=')
    if (!name || !model) throw new UsageError(`--beside wants NAME=FILE, not ${text}`)
    return {name: `${name} (${(statSync(model).size / 1e6).toFixed(0)} MB), as it ships otherwise`, retriever: rag, parts: {}, model}
  }),
]

type Reports = Record<keyof typeof sets, EvalReport>
async function run({name, retriever, parts, model}: Variant, pick: (rows: EvalRow[]) => EvalRow[]): Promise<Reports> {
  const open = (): Promise<Planner> => openPlanner({modelPath: model ?? options.model, threads: 1, ...parts})
  const planner = await open()
  const besides = await Promise.all(Array.from({length: Math.max(0, availableParallelism() - 1)}, open))
  const report = async (set: keyof typeof sets): Promise<EvalReport> => {
    const progress = (done: number, total: number, passed: number): void => { process.stderr.write(`\r${name}, ${set}: ${done} of ${total}, ${(100 * passed / done).toFixed(1)}%  ${done === total ? '\n' : ''}`) }
    return runEval(pick(parseRows(readFileSync(sets[set], 'utf8'))), {retriever, planner, besides, specs}, {signal, progress, failures: set === 'test' ? 20 : 0}, () => undefined)
  }
  const reports = {test: await report('test'), wild: await report('wild')}
  await Promise.all([planner, ...besides].map(p => p.close()))
  return reports
}

const all = options.rows === undefined ? await run({name: 'all rows', retriever: rag, parts: {}}, rows => rows) : undefined
const compared: {name: string; reports: Reports}[] = []
for (const variant of variants) compared.push({name: variant.name, reports: await run(variant, rows => everyNth(rows).filter((_, i) => i % (variant.every ?? 1) === 0))})
const shipped = all ?? compared.find(c => c.name === shippedName)!.reports

const percent = ({rows, passed}: Share): string => rows === 0 ? '' : `${(100 * passed / rows).toFixed(1)}`
const both = (pick: (r: EvalReport) => Share): string => `${percent(pick(shipped.test))} of ${pick(shipped.test).rows} | ${percent(pick(shipped.wild))} of ${pick(shipped.wild).rows}`
const columns = (r: EvalReport): string => `${percent(r.success)} | ${percent(r.withArguments)}`
const keys = (pick: (r: EvalReport) => Record<string, Share>): string[] => [...new Set(Object.values(shipped).flatMap(r => Object.keys(pick(r))))].sort((a, b) => a.localeCompare(b, 'en', {numeric: true}))
const shares = (title: string, pick: (r: EvalReport) => Record<string, Share>): string => [
  `| ${title} | test | rows | wild | rows |`, '| --- | --- | --- | --- | --- |',
  ...keys(pick).map(key => `| ${key} | ${[shipped.test, shipped.wild].map(r => { const s = pick(r)[key]; return s ? `${percent(s)} | ${s.rows}` : ' | ' }).join(' | ')} |`),
].join('\n')
const git = (...args: string[]): string => execFileSync('git', args, {encoding: 'utf8'}).trim()

const text = `# Evaluation

Made by \`npm run evaluate\` at commit ${git('rev-parse', '--short', 'HEAD')} on ${new Date().toISOString().slice(0, 10)}, on ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), with
\`${options.model}\` (${(statSync(options.model).size / 1e6).toFixed(1)} MB). Plan success is isomorphism of the graphs of calls, as in the TinyAgent paper
(arXiv 2409.00608); with arguments, every argument agrees as well (src/core/plan-graph.ts). **test**: ${shipped.test.rows} hand-written requests kept apart from the
training seeds before they were expanded. **wild**: ${shipped.wild.rows} requests written by others who had not seen the seeds. Nothing was trained or tuned on either.

| all rows, as it ships | test | wild |
| --- | --- | --- |
| plan right | ${both(r => r.success)} |
| plan and arguments right | ${both(r => r.withArguments)} |
| plan right, up to three tools | ${both(r => r.upToThreeTools)} |
| every needed tool offered | ${both(r => r.toolRecall)} |
| tools offered | ${shipped.test.meanTools} | ${shipped.wild.meanTools} |
| prompt tokens | ${shipped.test.meanPromptTokens} | ${shipped.wild.meanPromptTokens} |

The paper's Tool RAG recalls 99.8% of the needed tools at 3.97 offered. Times are in the README (\`npm run bench\`).

## What each part is worth

On every n-th row of both sets:

| | rows | test: plan | with arguments | wild: plan | with arguments | tools | prompt tokens |
| --- | --- | --- | --- | --- | --- | --- | --- |
${compared.map(({name, reports: {test, wild}}) => `| ${name} | ${test.rows} + ${wild.rows} | ${columns(test)} | ${columns(wild)} | ${wild.meanTools} | ${wild.meanPromptTokens} |`).join('\n')}

## Beside the paper

The paper's figures are on its own test set, which comes from the generator of its training data: GPT-4-Turbo 79.08, GPT-3.5 65.04, TinyLlama-1.1B 12.71
before and 78.89 to 80.06 after fine-tuning, WizardLM-2-7B 41.25 and 83.09 to 84.95. The metric is the same; the requests, the tools' arguments and the
writers are not, so a difference of a few points between its figures and ours means nothing. Gorilla and ToolFormer train models to write calls of many APIs,
one at a time; Octopus gives each function a token of its own, so that a new function needs training; here a plan of several calls is written at once, and
tools are read from the prompt.

## By number of calls

${shares('calls', r => r.byCalls)}

## By tag

${shares('tag', r => r.byTag)}

## Twenty failures on the test rows

${shipped.test.failures.map(f => `**${f.id}** ${f.query}\n\n\`\`\`\nexpected\n${f.expected}\ngot\n${f.error ?? f.got}\n\`\`\``).join('\n\n')}
`
if (options.rows === undefined) writeFileSync('docs/evaluation.md', text)
else process.stdout.write(text)
await rag.close()
