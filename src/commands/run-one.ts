// One request run in a session, whoever reads its events.
import {carryingPlanner, type Carry, type EarlierCall} from '../core/carry-over.ts'
import {undo} from '../core/journal.ts'
import {fixedPlanner} from '../core/plan-file.ts'
import {runRequest, type RunDeps, type RunOutcome} from '../core/run.ts'
import type {Ask, Confirm, Emit, Event, Plan, Tool} from '../core/types.ts'
import {attach, resourcesIn} from './attach.ts'
import {knownPlan, learn} from './examples.ts'
import {standingInstructions} from './instructions.ts'
import {verdict} from './policy.ts'
import {checkRequest} from './request.ts'
import type {Session} from './session.ts'

/** Everything a reader hands in for one run. */
export interface RunOptions { emit: Emit; confirm?: Confirm; ask?: Ask; signal: AbortSignal; dryRun: boolean; /** runs this plan and no other */ plan?: Plan | undefined; /** by these tools, which the session has not */ tools?: Tool[] | undefined; /** before anybody is asked about an outward step: what the user has to know by then */ beforeCard?: Promise<void> | undefined; /** the request follows up on one that did this; `carries` is filled by its plan */ followUp?: RunFollowUp | undefined }
export interface RunFollowUp { as: string; isChange: boolean; earlier: EarlierCall[]; carries: Map<number, Carry> }

/** One run with its journal. A request that is not one is a UsageError. */
export async function runOne(text: string, session: Session, options: RunOptions): Promise<RunOutcome> {
  const request = checkRequest(text)
  const {journal} = session
  const {followUp} = options
  const write = session.write()
  const tools = options.tools ?? (await session.tools()).tools
  const id = session.runId()
  const record = journal.reader(id)
  // "make it 4" has another plan each time: nothing to know again, and nothing to learn; a file of this session's stands in no other plan.
  const planned = followUp?.as ?? request
  const named = options.plan ? [] : await resourcesIn(planned, session)
  const known = options.plan || followUp || named.length > 0 ? undefined : knownPlan(request, session, tools)
  const events: Event[] = []
  // The journal first: its line is on disk before anybody sees that a side effect begins.
  const emit: Emit = async event => {
    if (event.type === 'confirm-asked') await options.beforeCard
    await record(event)
    events.push(event)
    await options.emit(event.type === 'plan-done' && known ? {...event, example: true} : event)
  }
  const outcome = await runRequest({id, text: request, now: session.now(), dryRun: options.dryRun, ...(followUp && {as: followUp.as})}, {
    tools,
    ...planning(options.plan ?? known, session),
    ...(followUp && {
      planner: async () => carryingPlanner(await session.planner(), followUp.earlier, followUp.isChange, followUp.carries),
      carries: followUp.carries,
      takeBack: key => undo(journal, tools, key, {signal: new AbortController().signal, now: session.now(), ask: async () => undefined, progress: () => undefined, aside: (_args, change) => change()}),
    }),
    ...(named.length > 0 && {attach: () => attach(planned, named, session, options.signal)}),
    instructions: standingInstructions(session),
    signal: options.signal,
    ...(options.confirm && {confirm: options.confirm}),
    ...(options.ask && {ask: options.ask}),
    ...(write && {write}),
    isAllowed: (tool, preview, args) => verdict(tool, preview, args, session),
    bug: error => journal.bug(error),
  }, emit)
  // What was done is done, whether it could be learned from or not.
  if (!options.tools && !followUp && named.length === 0) await learn(request, events, session, tools).catch((error: unknown) => { journal.bug(error) })
  return outcome
}

/** A plan that is there needs no models. */
const planning = (plan: Plan | undefined, {retriever, planner}: Session): Pick<RunDeps, 'retriever' | 'planner' | 'isFixed'> => plan === undefined ? {retriever, planner} : {
  isFixed: true,
  planner: async () => fixedPlanner(plan),
  retriever: async () => ({
    select: async (_request, tools) => tools.filter(t => plan.tasks.some(task => task.tool === t.name)).map(t => ({name: t.name, score: 1})),
    embed: async (texts, signal) => (await retriever()).embed(texts, signal),
  }),
}
