// What an evaluation found, as data and for people.
import {printable} from '../core/text.ts'
import {insteadOf, type ToolCalls} from './eval-tools.ts'

export interface Share { rows: number; passed: number }

export interface Failure { id: string; query: string; expected: string; got: string; error?: string }

export interface EvalReport {
  model: string
  rows: number
  /** the graph of calls is right */
  success: Share
  /** the graph and every argument */
  withArguments: Share
  upToThreeTools: Share
  /** by the number of calls of the gold plan */
  byCalls: Record<string, Share>
  /** by the number of different tools of the gold plan */
  byTools: Record<string, Share>
  byTag: Record<string, Share>
  /** by our tools' names in their order, and of all others together */
  toolCalls: Record<string, ToolCalls>
  /** rows all of whose needed tools were selected */
  toolRecall: Share
  meanTools: number
  meanPromptTokens: number
  firstTaskMs: Percentiles
  planMs: Percentiles
  /** plans that the planner could not write */
  errors: number
  failures: Failure[]
}
export interface Percentiles { p50: number; p95: number }

/** The report for people. */
export function formatReport(report: EvalReport): string {
  const percent = ({rows, passed}: Share): string => rows === 0 ? 'no rows' : `${(100 * passed / rows).toFixed(1)}%  (${passed} of ${rows})`
  const line = (label: string, value: string): string => `${printable(label).padEnd(26)}${value}`
  const group = (shares: Record<string, Share>): string[] => Object.entries(shares).map(([name, s]) => line(`  ${name}`, percent(s)))
  const ms = (p: Percentiles): string => `${Math.round(p.p50)} ms median, ${Math.round(p.p95)} ms at 95%`
  const wrong = Object.entries(report.toolCalls).filter(([, calls]) => calls.missing + calls.extra > 0)
  const calls = ([tool, {gold, planned, missing, extra, ...rest}]: [string, ToolCalls]): string[] => [
    line(`  ${tool}`, `${planned} calls for ${gold}; missing in ${missing} rows, too many in ${extra}`),
    ...(missing > 0 ? [line('', `instead of it: ${insteadOf(rest)}`)] : []),
  ]
  return [
    line('Model', printable(report.model)),
    line('Plan success', percent(report.success)),
    line('  up to three tools', percent(report.upToThreeTools)),
    line('With right arguments', percent(report.withArguments)),
    'Plan success by calls', ...group(report.byCalls),
    'Plan success by tools', ...group(report.byTools),
    ...(Object.keys(report.byTag).length > 0 ? ['Plan success by tag', ...group(report.byTag)] : []),
    ...(wrong.length > 0 ? ['Tools called too rarely or too often', ...wrong.flatMap(calls)] : []),
    line('Tool recall', percent(report.toolRecall)),
    line('Tools selected', `${report.meanTools} a request`),
    line('Prompt', `${report.meanPromptTokens} tokens`),
    line('First task', ms(report.firstTaskMs)),
    line('Whole plan', ms(report.planMs)),
    ...(report.errors > 0 ? [line('No plan', `${report.errors} rows`)] : []),
    ...report.failures.flatMap(f => ['', `${printable(f.id)}: ${printable(f.query)}`, 'expected', indent(f.expected), 'got', indent(f.error ?? f.got)]),
  ].join('\n')
}

const indent = (text: string): string => text.split('\n').map(l => `  ${printable(l)}`).join('\n')
