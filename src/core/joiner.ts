// Reports -> the answer, in code: what was done (the tools' own summaries carry absolute dates and people), what was
// not and why. No model, so no invented word.
import type {Report, SkipReason} from './executor.ts'
import type {RunStatus} from './types.ts'

/** Steps that the user asked for: side effects, and reads whose result no other step takes. */
export function deliveries(reports: Report[]): Report[] {
  const used = new Set(reports.flatMap(r => r.task.dependsOn))
  return reports.filter(r => r.effect !== 'read' || !used.has(r.task.id))
}

/** The answer, one or two sentences. */
export function join(reports: Report[], status: RunStatus, isDryRun: boolean): string {
  if (reports.length === 0) return 'None of the tools here can do that.'
  if (isDryRun) return 'Dry run: nothing was done.'
  const all = deliveries(reports).filter(r => r.status === 'done')
  // Of a follow-up only what it did, unless that is nothing.
  const isDoneAlready = reports.every(r => r.isEarlier)
  const done = all.filter(r => isDoneAlready || !r.isEarlier).map(r => r.result?.summary ?? '')
  const failed = reports.filter(r => r.status === 'failed').map(r =>
    r.error?.code === 'unknown' ? strip(r.error.message) : `Could not ${intent(r)}: ${strip(r.error?.message ?? '')}`)
  const sentences = [
    ...(isDoneAlready ? ['That is done already'] : []),
    ...(done.length > 0 ? [list(done.map((s, i) => i === 0 ? strip(s) : lower(strip(s))), '; ')] : []),
    ...reports.flatMap(r => r.status === 'done' && r.tookBack !== undefined ? [r.tookBack] : []),
    ...failed,
    ...(['dependency', 'nobody', 'user', 'cancelled'] as const).flatMap(reason => skipped(reports, reason)),
    ...reports.flatMap(r => r.kept === undefined ? [] : [r.kept]),
  ]
  if (sentences.length === 0) return status === 'cancelled' ? 'Stopped; nothing was done.' : 'Nothing was left to do.'
  return sentences.map(s => /[.!?…]$/.test(s) ? s : `${s}.`).join(' ')
}

const words: Record<Exclude<SkipReason, 'dropped' | 'dry-run'>, (steps: string) => string> = {
  dependency: steps => `So this was not done: ${steps}`,
  nobody: steps => `Nobody was there to confirm, so this was not done: ${steps} (--yes or confirm.policy would allow it)`,
  user: steps => `Skipped as you wished: ${steps}`,
  cancelled: steps => `Stopped before this was done: ${steps}`,
}

function skipped(reports: Report[], reason: keyof typeof words): string[] {
  const steps = deliveries(reports).filter(r => r.status === 'skipped' && r.reason === reason).map(intent)
  return steps.length > 0 ? [words[reason](list([...new Set(steps)], ', '))] : []
}

/** What a step is for, in the words of its tool: "Find and open a file, get its path." -> "find and open a file" */
const intent = (report: Report): string =>
  lower((report.tool?.description ?? report.task.tool).split(/[,.]/)[0]!.trim())

const strip = (text: string): string => text.trim().replace(/\.$/, '')
const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)
const list = (items: string[], separator: string): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(separator)}${separator === '; ' ? '; and ' : ' and '}${items.at(-1)}`
