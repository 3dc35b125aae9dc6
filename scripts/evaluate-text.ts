// Reports of an evaluation -> the tables of docs/evaluation.md.
import type {EvalReport, Share} from '../src/commands/eval-report.ts'
import {insteadOf} from '../src/commands/eval-tools.ts'
import {UsageError} from '../src/core/errors.ts'

/** One report for each set of rows, in the order of the columns. */
export type Reports = Record<string, EvalReport>

export const table = (head: string[], rows: string[][]): string => [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')

const percent = ({rows, passed}: Share): string => rows === 0 ? '' : (100 * passed / rows).toFixed(1)
const mean = (reports: Reports, pick: (r: EvalReport) => number, weigh: (r: EvalReport) => number): string => {
  const all = Object.values(reports)
  const weight = all.reduce((sum, r) => sum + weigh(r), 0)
  return weight === 0 ? '' : (all.reduce((sum, r) => sum + pick(r) * weigh(r), 0) / weight).toFixed(1)
}

/** What ships on all rows. */
export function summary(reports: Reports): string {
  const line = (name: string, value: (r: EvalReport) => string): string[] => [name, ...Object.values(reports).map(value)]
  const share = (name: string, pick: (r: EvalReport) => Share): string[] => line(name, r => `${percent(pick(r))} of ${pick(r).rows}`)
  return table(['as it ships', ...Object.keys(reports)], [
    share('plan right', r => r.success), share('plan and arguments right', r => r.withArguments), share('plan right, up to three tools', r => r.upToThreeTools),
    share('every needed tool offered', r => r.toolRecall), line('tools offered', r => String(r.meanTools)), line('prompt tokens', r => String(r.meanPromptTokens)),
  ])
}

/** A line for each variant; tools and prompt tokens are means over the rows of all sets. */
export const comparison = (variants: {name: string; reports: Reports}[]): string => table(
  ['', 'rows', ...Object.keys(variants[0]!.reports).flatMap(set => [`${set}: plan`, 'with arguments']), 'tools', 'prompt tokens'],
  variants.map(({name, reports}) => [
    name, Object.values(reports).map(r => r.rows).join(' + '), ...Object.values(reports).flatMap(r => [percent(r.success), percent(r.withArguments)]),
    mean(reports, r => r.meanTools, r => r.rows), mean(reports, r => r.meanPromptTokens, r => r.rows - r.errors),
  ]))

/** Milliseconds. */
export const times = (reports: Reports): string => table(
  ['ms', ...Object.keys(reports).flatMap(set => [`${set}: p50`, 'p95'])],
  ([['first task', 'firstTaskMs'], ['whole plan', 'planMs']] as const).map(([name, key]) => [name, ...Object.values(reports).flatMap(r => [r[key].p50, r[key].p95].map(ms => ms.toFixed(0)))]))

/** Plan success by what the rows have in common. */
export function shares(title: string, reports: Reports, pick: (r: EvalReport) => Record<string, Share>): string {
  const keys = [...new Set(Object.values(reports).flatMap(r => Object.keys(pick(r))))].sort((a, b) => a.localeCompare(b, 'en', {numeric: true}))
  return table([title, ...Object.keys(reports).flatMap(set => [set, 'rows'])],
    keys.map(key => [key, ...Object.values(reports).flatMap(r => { const s = pick(r)[key]; return s ? [percent(s), String(s.rows)] : ['', ''] })]))
}

/** Which tools are left out, which are called too often, and which are taken for which. */
export const toolCalls = (report: EvalReport): string => table(
  ['tool', 'calls, gold', 'calls, planner', 'rows where it is missing', 'instead of it (rows)', 'rows with too many'],
  Object.entries(report.toolCalls).map(([tool, c]) => [tool, String(c.gold), String(c.planned), String(c.missing), insteadOf(c), String(c.extra)]))

export const failures = (report: EvalReport): string =>
  report.failures.map(f => `**${f.id}** ${f.query}\n\n\`\`\`\nexpected\n${f.expected}\ngot\n${f.error ?? f.got}\n\`\`\``).join('\n\n')

/** The part of a model's README that says what its training cost: between `<!-- cost -->` and `<!-- /cost -->`. Throws UsageError where there is none. */
export function trainingCost(readme: string, file: string): string {
  const part = /<!-- cost -->\n([^]*?)\n<!-- \/cost -->/.exec(readme)?.[1]
  if (part === undefined) throw new UsageError(`${file} has no <!-- cost --> ... <!-- /cost --> around what its training cost`)
  return part
}
