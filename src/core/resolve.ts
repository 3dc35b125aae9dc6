// A plan in the user's words -> the plan that runs: absolute dates, defaults filled (LABELLING.md, "Dates and times").
// Never throws: words that mean no time stay, and the tool that gets them says 'invalid-args'.
import {endOf, parseAbsolute, resolveUntil, resolveWhen} from './dates.ts'
import {paramsOf} from './params.ts'
import type {Arg, Kind, Plan, Task, ToolSpec} from './types.ts'

/** True for "YYYY-MM-DD" and "YYYY-MM-DD HH:MM:SS" of a day that exists: what a resolved `when` or `until` looks like. */
export const isAbsolute = (text: string): boolean => parseAbsolute(text)?.when.text === text

/** Arguments that hold references are left alone, and so is every kind that means no time. */
export function resolveTask(task: Task, spec: ToolSpec, now: Date): Task {
  const kinds = paramsOf(spec).map(p => p.kind)
  const args = [...task.args]
  // In plan order: an `until` and an `all-day` follow the `when` that they belong to.
  let words: Arg = ''
  let start: Arg = ''
  for (const [i, kind] of kinds.entries()) {
    const value = args[i]
    if (value === undefined) break
    if (kind === 'when') words = value
    args[i] = resolveArg(kind, value, {words, start}, now)
    if (kind === 'when') start = args[i]
  }
  return {...task, args}
}

/** `words` are those of the start: "3-4pm" tells the end as well. */
function resolveArg(kind: Kind, value: Arg, {words, start}: {words: Arg; start: Arg}, now: Date): Arg {
  switch (kind) {
    case 'when': return typeof value === 'string' && value.trim() !== '' ? resolveWhen(value, now)?.text ?? value : value
    case 'until': return typeof value === 'string' && typeof start === 'string' ? end(value, String(words), start, now) : value
    // "No end and no duration: an event and a Zoom meeting last 60 minutes."
    case 'minutes': return value === 0 ? minutesOf(String(words), String(start), now) ?? 60 : value
    case 'all-day': return typeof start !== 'string' ? value : start.trim() === '' ? false : isAbsolute(start) ? !hasTime(start) : value
    default: return value
  }
}

const hasTime = (absolute: string): boolean => absolute.includes(' ')

function minutesOf(words: string, start: string, now: Date): number | undefined {
  const [from, to] = [start, endOf(words, now)?.text ?? ''].map(text => parseAbsolute(text)?.date.getTime())
  return from !== undefined && to !== undefined && to > from ? Math.round((to - from) / 60_000) : undefined
}

function end(words: string, startWords: string, start: string, now: Date): string {
  const told = words.trim() === '' ? endOf(startWords, now) : undefined
  if (told) return told.text
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
