// Plans that the user has approved or corrected, used again for the same request. The embedded planner was trained without examples
// in its prompt, so they are not shown to it; the same words get the same plan, and what is not surely the same request is planned.
// (Filling in other names and times by code was tried: docs/decisions.md.)
import {readFileSync} from 'node:fs'
import path from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import {z} from 'zod'
import {makeFolder} from './paths.ts'
import {paramsOf} from './params.ts'
import {parsePlan, printPlan} from './plan-parser.ts'
import {isAbsolute} from './resolve.ts'
import type {Event, Plan, Task, ToolSpec} from './types.ts'

const exampleSchema = z.object({request: z.string(), plan: z.string(), instructions: z.string().default('')})
/** `plan` has its times in the words of the request, so that they are those of the day on which it runs. */
export type Example = z.infer<typeof exampleSchema>

const maxExamples = 200

/** One form for what people would call the same words. */
const clean = (text: string): string => text.normalize('NFC').replace(/[’‘]/g, "'").replace(/\s+/g, ' ').trim().replace(/[.!]+$/, '').toLowerCase()

/** The file's examples, oldest first; none where it is missing or damaged. */
export function readExamples(file: string): Example[] {
  try { return z.array(exampleSchema).parse(JSON.parse(readFileSync(file, 'utf8'))) } catch { return [] }
}

export async function writeExamples(file: string, examples: Example[]): Promise<void> {
  makeFolder(path.dirname(file))
  await writeFileAtomic(file, `${JSON.stringify(examples.slice(-maxExamples), undefined, 2)}\n`, {mode: 0o600})
}

/** The list with this one at its end, in the place of one of the same request. */
export const withExample = (examples: Example[], example: Example): Example[] =>
  [...examples.filter(e => clean(e.request) !== clean(example.request)), example]

/** The plan of the same request under the same instructions; undefined where there is none, or where a tool of it is gone or has changed. */
export function exampleFor(examples: Example[], {request, instructions}: Omit<Example, 'plan'>, specs: ToolSpec[]): Plan | undefined {
  const found = examples.findLast(e => clean(e.request) === clean(request) && e.instructions === instructions)
  if (!found) return undefined
  try {
    const plan = parsePlan(found.plan)
    const fits = (task: Task): boolean => { const spec = specs.find(s => s.name === task.tool); return spec !== undefined && paramsOf(spec).length === task.args.length }
    return plan.tasks.length > 0 && plan.tasks.every(fits) ? plan : undefined
  } catch {
    return undefined
  }
}

/**
 * What a run has shown to be right: every outward step was sent by a person's own word with nothing edited, all of it was done, and no time in it is
 * that of one day only. undefined otherwise: nobody has looked at a plan that asks nothing.
 */
export function approvedPlan(events: Event[], specs: ToolSpec[]): string | undefined {
  const words = events.filter(e => e.type === 'confirm-answered')
  const isApproved = words.length > 0 && words.every(w => w.by === 'user' && w.answer === 'yes')
  const isDone = events.some(e => e.type === 'done' && e.status === 'done') && !events.some(e => e.type === 'replan')
  if (!isApproved || !isDone) return undefined
  const dropped = new Set(events.flatMap(e => e.type === 'plan-done' ? e.dropped : []))
  const tasks = events.flatMap(e => e.type === 'task-added' && !dropped.has(e.task.id) ? [e.task] : [])
  const isOfOneDay = (task: Task): boolean => paramsOf(specs.find(s => s.name === task.tool)!).some((p, i) => {
    const value = task.args[i]
    return (p.kind === 'when' || p.kind === 'until') && typeof value === 'string' && isAbsolute(value)
  })
  if (tasks.some(t => !specs.some(s => s.name === t.tool) || isOfOneDay(t))) return undefined
  return printPlan({tasks})
}
