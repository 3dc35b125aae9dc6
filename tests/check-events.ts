// What every stream of events of a run must hold; run over the events of every test (STYLE: Events).
import type {Event} from '../src/core/types.ts'

type Of<T extends Event['type']> = Extract<Event, {type: T}>
const ends = ['task-done', 'task-failed', 'task-skipped']

/** Throws with what is wrong. `isWhole`: the stream of runRequest, from request to done; otherwise of an executor alone. */
export function checkEvents(events: Event[], {isWhole = true} = {}): void {
  const fail = (what: string): never => { throw new Error(`${what}\n${events.map(e => JSON.stringify(e)).join('\n')}`) }
  if (JSON.stringify(events) !== JSON.stringify(JSON.parse(JSON.stringify(events)))) fail('an event is not plain JSON')
  for (const event of events) if (Object.values(event).includes(undefined)) fail(`${event.type} holds undefined`)
  if (isWhole) {
    if (events[0]?.type !== 'request' || events.filter(e => e.type === 'request').length !== 1) fail('one request comes first')
    if (events.at(-1)?.type !== 'done' || events.filter(e => e.type === 'done').length !== 1) fail('one done comes last')
  }
  // Each plan of a run has its own numbers.
  const cuts = events.flatMap((e, i) => e.type === 'replan' ? [i] : [])
  for (const [i, start] of [0, ...cuts].entries()) checkPlan(events.slice(start, cuts[i] ?? events.length), isWhole, fail)
}

function checkPlan(events: Event[], isWhole: boolean, fail: (what: string) => never): void {
  const at = (type: Event['type'], id: number): number => events.findIndex(e => e.type === type && 'id' in e && e.id === id)
  const added = events.filter((e): e is Of<'task-added'> => e.type === 'task-added').map(e => e.task)
  const written = events.findIndex(e => e.type === 'plan-done')
  for (const task of added) {
    const own = events.filter(e => ends.includes(e.type) && 'id' in e && e.id === task.id)
    if (own.length !== 1) fail(`task ${task.id} has ${own.length} ends`)
    const start = at('task-started', task.id)
    if (start < 0) continue
    if (start > events.indexOf(own[0]!)) fail(`task ${task.id} starts after its end`)
    for (const id of task.dependsOn) {
      const done = at('task-done', id)
      if (done < 0 || done > start) fail(`task ${task.id} starts before ${id} is done`)
    }
    const {effect} = events[start] as Of<'task-started'>
    if (effect !== 'outward') continue
    const word = events.findLastIndex((e, i) => i < start && e.type === 'confirm-answered' && e.id === task.id)
    if (word < 0 || (events[word] as Of<'confirm-answered'>).answer !== 'yes') fail(`outward task ${task.id} starts without a yes`)
    if (isWhole && (written < 0 || at('confirm-asked', task.id) < written)) fail(`task ${task.id} is asked about before the plan is written`)
  }
  // One dialog at a time: nothing is asked while something else is.
  let open: string | undefined
  for (const event of events) {
    if (event.type === 'confirm-asked' || event.type === 'question-asked') {
      if (open !== undefined) fail(`a dialog for ${event.id} opens while ${open} is open`)
      open = `${event.type} ${event.id}`
    } else if (event.type === 'confirm-answered' || event.type === 'question-answered') open = undefined
  }
}
