// How well follow-ups are recognised and planned, with the real models: `npm run evaluate:follow-ups`. Requests of the other row sets,
// which stand alone, are each held against other requests as if they came after them: none may be taken for a follow-up.
import {readFileSync} from 'node:fs'
import {parseRows} from '../src/commands/eval.ts'
import {parseFollowUps, runFollowUps} from '../src/commands/eval-follow-ups.ts'
import type {Share} from '../src/commands/eval-report.ts'
import {followUp} from '../src/core/follow-up.ts'
import {openPlanner} from '../src/core/planner.ts'
import {openRetriever} from '../src/core/retriever.ts'
import {specs} from '../src/tools/specs.ts'

const read = (name: string): string => readFileSync(`training/data/${name}.jsonl`, 'utf8')
const rows = parseFollowUps(read('follow-ups'))
const alone = ['test', 'validation', 'wild'].flatMap(name => parseRows(read(name)))
const turns = alone.filter(row => row.plan.tasks.length > 0)
const laterOnes = [1, 7, 31, 97, 211, 401]
const taken = alone.filter((row, i) => laterOnes.some(step => {
  const last = turns[(i + step) % turns.length]!
  return followUp(row.query, {text: last.query, tasks: last.plan.tasks}) !== undefined
}))

const [retriever, planner] = await Promise.all([openRetriever({dir: 'models/retriever'}), openPlanner({modelPath: 'models/planner/tinyagent-135m-q4_0.gguf'})])
const report = await runFollowUps(rows, {retriever, planner, specs}, new AbortController().signal, done => process.stderr.write(`\r${done} of ${rows.length} ${done === rows.length ? '\n' : ''}`))
await Promise.all([planner.close(), retriever.close()])

const percent = ({rows: all, passed}: Share): string => `${(100 * passed / all).toFixed(1)}%  (${passed} of ${all})`
process.stdout.write(`${[
  `Recognised, precision    ${percent(report.precision)}`,
  `Recognised, recall       ${percent(report.recall)}`,
  `Plan success             ${percent(report.success)}`,
  `With right arguments     ${percent(report.withArguments)}`,
  `And done once            ${percent(report.anew)}`,
  `Requests that stand alone, taken for a follow-up: ${taken.length} of ${alone.length}`,
  ...taken.map(row => `  ${row.query}`),
  ...report.failures.flatMap(f => ['', `${f.id}: ${f.first} / ${f.query}`, `as: ${f.as}`, 'expected', f.expected, 'got', f.got]),
].join('\n')}\n`)
