// A plan in the user's words -> the plan that runs: absolute dates, defaults filled (LABELLING.md, "Dates and times").
// Never throws: words that mean no time stay, and the tool that gets them says 'invalid-args'.
import {parseAbsolute, resolveUntil, resolveWhen} from './dates.ts'
import {paramsOf} from './params.ts'
import type {Arg, Kind, Plan, Task, ToolSpec} from './types.ts'

/** True for "YYYY-MM-DD" and "YYYY-MM-DD HH:MM:SS" of a day that exists: what a resolved `when` or `until` looks like. */
export const isAbsolute = (text: string): boolean => parseAbsolute(text)?.when.text === text

/** Arguments that hold references, and those of tools that are not ours, are left alone. */
export function resolveTask(task: Task, spec: ToolSpec, now: Date): Task {
  if (spec.foreign) return task
  const kinds = paramsOf(spec).map(p => p.kind)
  const args = [...task.args]
  // In plan order: an `until` and an `all-day` follow the `when` that they belong to.
  let start: Arg = ''
  for (const [i, kind] of kinds.entries()) {
    const value = args[i]
    if (value === undefined) break
    args[i] = resolveArg(kind, value, start, now)
    if (kind === 'when') start = args[i]
  }
  return {...task, args}
}

function resolveArg(kind: Kind, value: Arg, start: Arg, now: Date): Arg {
  switch (kind) {
    case 'when': return typeof value === 'string' && value.trim() !== '' ? resolveWhen(value, now)?.text ?? value : value
    case 'until': return typeof value === 'string' && typeof start === 'string' ? end(value, start, now) : value
    // "No end and no duration: an event and a Zoom meeting last 60 minutes."
    case 'minutes': return value === 0 ? 60 : value
    case 'all-day': return typeof start !== 'string' ? value : start.trim() === '' ? false : isAbsolute(start) ? !hasTime(start) : value
    default: return value
  }
}

const hasTime = (absolute: string): boolean => absolute.includes(' ')

function end(words: string, start: string, now: Date): string {
  const isTimed = isAbsolute(start) && hasTime(start)
  return resolveUntil(words.trim() === '' && isTimed ? '60 minutes' : words, start, now)?.text ?? words
}

/** Calls of tools that are not in `specs` stay as they are. */
export function resolvePlan(plan: Plan, specs: ToolSpec[], now: Date): Plan {
  const byName = new Map(specs.map(s => [s.name, s]))
  return {tasks: plan.tasks.map(task => {
    const spec = byName.get(task.tool)
    return spec ? resolveTask(task, spec, now) : task
  })}
}
