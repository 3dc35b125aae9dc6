// The REPL's memory: the last request, its plan and what it did, so that "make it 4 instead" is understood. Kept in memory only.
import {callKeys, type EarlierCall} from '../core/carry-over.ts'
import {followUp} from '../core/follow-up.ts'
import type {RunOutcome} from '../core/run.ts'
import type {Event, Task, Tool} from '../core/types.ts'
import {isTooLong} from './request.ts'
import {runOne, type RunFollowUp, type RunOptions} from './run-one.ts'
import type {Session} from './session.ts'

export interface Conversation {
  /** One run, which may follow up on the one before it. */
  run(text: string, options: RunOptions): Promise<RunOutcome>
  /** The next request stands alone. */
  forget(): void
}

/** A request that was run: as it was understood, all of its plan, and what it and those that it follows up on have done, newest first. */
interface Turn { text: string; tasks: Task[]; calls: EarlierCall[] }

export function openConversation(session: Session): Conversation {
  let last: Turn | undefined

  const understood = (text: string): RunFollowUp | undefined => {
    const found = last && session.config.conversation.follow_ups ? followUp(text, last) : undefined
    if (!last || !found || isTooLong(found.text)) return undefined
    return {as: found.text, isChange: found.isChange, earlier: standing(last.calls, session), carries: new Map()}
  }
  return {
    forget: () => { last = undefined },
    async run(text, options) {
      // A plan that is given (an outbox's message to send) is no request to talk about.
      if (options.plan) return runOne(text, session, options)
      const now = session.now()
      const follow = understood(text)
      const events: Event[] = []
      try {
        return await runOne(text, session, {...options, followUp: follow, emit: async event => { events.push(event); await options.emit(event) }})
      } finally {
        const turn = turnOf(follow?.as ?? text, events, {tools: (await session.tools()).tools, now, follow})
        // A follow-up that came to nothing may be said in other words.
        if (turn.tasks.length > 0 || !follow) last = turn
      }
    },
  }
}

/** Those that /undo has not taken back meanwhile. */
function standing(calls: EarlierCall[], {journal}: Session): EarlierCall[] {
  const undone = new Set(journal.deeds().filter(d => d.state === 'undone').map(d => d.key))
  return calls.filter(c => c.key === undefined || !undone.has(c.key))
}

function turnOf(text: string, events: Event[], {tools, now, follow}: {tools: Tool[]; now: Date; follow: RunFollowUp | undefined}): Turn {
  // Of a run that was planned again only the last plan counts: before it nothing was done.
  const own = events.slice(events.findLastIndex(e => e.type === 'replan') + 1)
  const dropped = new Set(own.flatMap(e => e.type === 'plan-done' ? e.dropped : []))
  const tasks = own.flatMap(e => e.type === 'task-added' && !dropped.has(e.task.id) ? [e.task] : [])
  const keys = callKeys({tasks}, tools, now)
  const calls = tasks.flatMap((task): EarlierCall[] => {
    const started = own.find(e => e.type === 'task-started' && e.id === task.id)
    const ownKeys = keys.get(task.id)
    if (started?.type !== 'task-started' || !ownKeys) return []
    const {effect, key} = started
    // What a note says may be another thing by then.
    if (effect === 'read' && tools.find(t => t.name === task.tool)?.touches) return []
    const call = {task, keys: ownKeys, effect, ...(effect !== 'read' && {key})}
    const done = own.find(e => e.type === 'task-done' && e.id === task.id)
    if (done?.type === 'task-done') return [{...call, result: done.result}]
    // A step that failed was not done, unless nobody knows.
    const failed = own.find(e => e.type === 'task-failed' && e.id === task.id)
    const isInDoubt = effect !== 'read' && (failed?.type !== 'task-failed' || ['unknown', 'timeout', 'cancelled'].includes(failed.error.code))
    return isInDoubt ? [call] : []
  })
  return {text, tasks, calls: [...calls, ...follow?.earlier ?? []]}
}
