// What each part of the planner is worth, on the test rows and on the wild set: `npm run evaluate` writes docs/evaluation.md.
//     npm run evaluate -- --rows 60      every n-th row only, for a quick look; nothing is written
import {execFileSync} from 'node:child_process'
import {readFileSync, statSync, writeFileSync} from 'node:fs'
import {cpus} from 'node:os'
import {parseArgs} from 'node:util'
import {parseRows, runEval, type EvalRow} from '../src/commands/eval.ts'
import type {EvalReport, Share} from '../src/commands/eval-report.ts'
import {openPlanner, type PlannerParts} from '../src/core/planner.ts'
import {openRetriever} from '../src/core/retriever.ts'
import type {Retriever} from '../src/core/types.ts'
import {specs} from '../src/tools/specs.ts'

const {values: options} = parseArgs({options: {rows: {type: 'string'}, model: {type: 'string', default: 'models/planner/tinyagent-135m-q4_0.gguf'}}})
const signal = new AbortController().signal
const sets = {test: 'training/data/test.jsonl', wild: 'training/data/wild.jsonl'}

const everyNth = (rows: EvalRow[]): EvalRow[] => {
  const step = options.rows === undefined ? 1 : Math.max(1, Math.floor(rows.length / Number(options.rows)))
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
const variants: {name: string; retriever: Retriever; parts: PlannerParts}[] = [
  {name: 'fine-tuned, all tools in the prompt', retriever: everything, parts: {grammar: false, repair: false}},
  {name: '+ Tool RAG', retriever: rag, parts: {grammar: false, repair: false}},
  {name: '+ grammar with spans and typed references', retriever: rag, parts: {grammar: true, repair: false}},
  {name: shippedName, retriever: rag, parts: {}},
  {name: 'the same, told the right tools and how often each is called', retriever: told, parts: {}},
]

interface Result { name: string; reports: Record<string, EvalReport> }
const results: Result[] = []
for (const {name, retriever, parts} of variants) {
  const planner = await openPlanner({modelPath: options.model, ...parts})
  const reports: Record<string, EvalReport> = {}
  for (const [set, file] of Object.entries(sets)) {
    const progress = (done: number, total: number, passed: number): void => { process.stderr.write(`\r${name}, ${set}: ${done} of ${total}, ${(100 * passed / done).toFixed(1)}%  ${done === total ? '\n' : ''}`) }
    reports[set] = await runEval(everyNth(parseRows(readFileSync(file, 'utf8'))), {retriever, planner, specs}, {signal, progress, failures: name === shippedName && set === 'test' ? 20 : 0}, () => undefined)
  }
  await planner.close()
  results.push({name, reports})
}

const percent = ({rows, passed}: Share): string => rows === 0 ? '' : `${(100 * passed / rows).toFixed(1)}`
const ms = ({p50, p95}: {p50: number; p95: number}): string => `${Math.round(p50)} / ${Math.round(p95)}`
const columns = (r: EvalReport): string => `${percent(r.success)} | ${percent(r.withArguments)}`
const shipped = results.find(r => r.name === shippedName)!.reports
const keys = (pick: (r: EvalReport) => Record<string, Share>): string[] => [...new Set(Object.values(shipped).flatMap(r => Object.keys(pick(r))))].sort((a, b) => a.localeCompare(b, 'en', {numeric: true}))
const shares = (title: string, pick: (r: EvalReport) => Record<string, Share>): string => [
  `| ${title} | test | rows | wild | rows |`, '| --- | --- | --- | --- | --- |',
  ...keys(pick).map(key => `| ${key} | ${Object.keys(sets).map(set => { const s = pick(shipped[set]!)[key]; return s ? `${percent(s)} | ${s.rows}` : ' | ' }).join(' | ')} |`),
].join('\n')
const git = (...args: string[]): string => execFileSync('git', args, {encoding: 'utf8'}).trim()

const text = `# Evaluation

Made by \`npm run evaluate\` at commit ${git('rev-parse', '--short', 'HEAD')} on ${new Date().toISOString().slice(0, 10)}, on ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), with
\`${options.model}\` (${(statSync(options.model).size / 1e6).toFixed(1)} MB). Plan success is isomorphism of the graphs of calls, as in the TinyAgent paper
(arXiv 2409.00608); with arguments, every argument agrees as well (src/core/plan-graph.ts). **test**: ${shipped['test']!.rows} hand-written requests kept apart from the
training seeds before they were expanded. **wild**: ${shipped['wild']!.rows} requests written by others who had not seen the seeds. Nothing was trained or tuned on either.

| | test: plan | with arguments | wild: plan | with arguments | tools | prompt tokens | first task ms, p50 / p95 | plan ms, p50 / p95 |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${results.map(({name, reports}) => `| ${name} | ${Object.keys(sets).map(set => columns(reports[set]!)).join(' | ')} | ${reports['wild']!.meanTools} | ${reports['wild']!.meanPromptTokens} | ${ms(reports['wild']!.firstTaskMs)} | ${ms(reports['wild']!.planMs)} |`).join('\n')}

Up to three tools, as it ships: test ${percent(shipped['test']!.upToThreeTools)}% of ${shipped['test']!.upToThreeTools.rows}, wild ${percent(shipped['wild']!.upToThreeTools)}% of ${shipped['wild']!.upToThreeTools.rows}.
Tool recall (every needed tool selected): test ${percent(shipped['test']!.toolRecall)}% at ${shipped['test']!.meanTools} tools, wild ${percent(shipped['wild']!.toolRecall)}% at ${shipped['wild']!.meanTools}; the paper's is 99.8% at 3.97.

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

${shipped['test']!.failures.map(f => `**${f.id}** ${f.query}\n\n\`\`\`\nexpected\n${f.expected}\ngot\n${f.error ?? f.got}\n\`\`\``).join('\n\n')}
`
if (options.rows === undefined) writeFileSync('docs/evaluation.md', text)
else process.stdout.write(text)
await rag.close()
