// One request run in a session, whoever reads its events.
import {runRequest, type RunOutcome} from '../core/run.ts'
import type {Ask, Confirm, Emit} from '../core/types.ts'
import {checkRequest} from './request.ts'
import type {Session} from './session.ts'

/** Everything a reader hands in for one run. */
export interface RunOptions { emit: Emit; confirm?: Confirm; ask?: Ask; signal: AbortSignal; dryRun: boolean }

/** One run with its journal. A request that is not one is a UsageError. */
export async function runOne(text: string, session: Session, options: RunOptions): Promise<RunOutcome> {
  const request = checkRequest(text)
  const {config, journal} = session
  const {tools} = await session.tools()
  const id = session.runId()
  const record = journal.reader(id)
  // The journal first: its line is on disk before anybody sees that a side effect begins.
  const emit: Emit = async event => {
    await record(event)
    await options.emit(event)
  }
  return runRequest({id, text: request, now: session.now(), dryRun: options.dryRun}, {
    tools,
    retriever: session.retriever,
    planner: session.planner,
    instructions: config.instructions,
    signal: options.signal,
    ...(options.confirm && {confirm: options.confirm}),
    ...(options.ask && {ask: options.ask}),
    // --yes is a word on this request. A standing policy is not a word on text that somebody else wrote.
    isAllowed: (tool, preview) => session.options.yes === true ||
      (config.confirm.policy[tool.name] === 'allow' && !Object.values(preview.sources ?? {}).includes('document')),
    bug: error => journal.bug(error),
  }, emit)
}
