// Plan text <-> tasks, incrementally: feed(chunk) gives every task as soon as its line is whole.
// The language is LABELLING.md's: `1. tool("a", ["$1"], 5, true)` lines, closed by `join()`.
import {PlanError} from './errors.ts'
import type {Arg, Json, Plan, Ref, Task} from './types.ts'

/** As many calls as a plan may have before its join(). */
export const maxCalls = 16

// "${1}" is never money, so that a digit can follow it.
const reference = /\$(?:\{(\d+)\}|(\d+))/g

/** A text argument with its references found, once; never searched again. Only earlier calls can be meant: "$15" in call 3 is money. */
export function textArg(text: string, id: number): Arg {
  const pieces: (string | Ref)[] = []
  let end = 0
  for (const match of text.matchAll(reference)) {
    const ref = Number(match[1] ?? match[2])
    if (ref < 1 || ref >= id || match[1] === undefined && isAmount(text, match.index + match[0].length)) continue
    if (match.index > end) pieces.push(text.slice(end, match.index))
    pieces.push({ref})
    end = match.index + match[0].length
  }
  if (pieces.length === 0) return text
  if (end < text.length) pieces.push(text.slice(end))
  const [only] = pieces
  return pieces.length === 1 && typeof only === 'object' ? only : {template: pieces}
}

/** "$2.50" and "$2,000" are money. A reference may be followed by a sentence's full stop or comma. */
const isAmount = (text: string, at: number): boolean => /^[.,]\d/.test(text.slice(at))

/** ids of the calls whose results an argument holds, ascending, each once */
export function references(args: Arg[]): number[] {
  const ids = new Set<number>()
  const visit = (a: Arg): void => {
    if (Array.isArray(a)) a.forEach(visit)
    else if (typeof a === 'object' && 'ref' in a) ids.add(a.ref)
    else if (typeof a === 'object') a.template.forEach(p => { if (typeof p === 'object') ids.add(p.ref) })
  }
  args.forEach(visit)
  return [...ids].sort((a, b) => a - b)
}

/** More than any tool has; deeper ones are a model that repeats itself. */
const maxNesting = 16

const lineStart = /^\s*(\d+)\s*\.\s*([A-Za-z_][\w.-]*)\s*\(/

/** One whole line -> its task, or 'join'. Throws PlanError. */
export function parseLine(line: string, expectedId: number): Task | 'join' {
  const fail = (reason: string): never => { throw new PlanError(expectedId, `${reason}: ${line.trim().slice(0, 200)}`) }
  const start = lineStart.exec(line) ?? fail('not a numbered call')
  const id = Number(start[1])
  if (id !== expectedId) fail(`numbered ${id}, expected ${expectedId}`)
  const tool = start[2]!
  let at = start[0].length

  const skip = (): void => { while (/\s/.test(line[at] ?? '')) at++ }
  const value = (depth: number): Arg => {
    skip()
    const c = line[at]
    if (c === '"') {
      const match = /^"(?:[^"\\]|\\.)*"/.exec(line.slice(at)) ?? fail('a string does not end')
      at += match[0].length
      return textArg(parseString(match[0]) ?? fail('a string is not JSON'), id)
    }
    if (c === '[') {
      at++
      return depth < maxNesting ? list(']', depth + 1) : fail('lists are nested too deep')
    }
    const word = /^(?:true|false|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/.exec(line.slice(at)) ?? fail('an argument is not a value')
    at += word[0].length
    if (word[0] === 'true' || word[0] === 'false') return word[0] === 'true'
    const number = Number(word[0])
    // -0 prints as 0
    return Number.isFinite(number) ? number + 0 : fail('a number is too large')
  }
  const list = (close: string, depth: number): Arg[] => {
    const items: Arg[] = []
    skip()
    if (line[at] === close) { at++; return items }
    for (;;) {
      items.push(value(depth))
      skip()
      const c = line[at++]
      if (c === close) return items
      if (c !== ',') fail(`expected "," or "${close}"`)
    }
  }

  const args = list(')', 0)
  if (line.slice(at).trim() !== '') fail('text after the call')
  if (tool === 'join') return args.length === 0 ? 'join' : fail('join takes no arguments')
  return {id, tool, args, dependsOn: references(args)}
}

function parseString(json: string): string | undefined {
  try { return JSON.parse(json) as string } catch { return undefined }
}

/** Gives whole tasks however the text is cut into chunks. */
export class PlanParser {
  private rest = ''
  private nextId = 1
  private ended = false
  private failure: unknown

  /** true once `join()` was read */
  get joined(): boolean { return this.ended }

  /** Throws PlanError on a line that is no call; the tasks before it come first, and the next feed() or end() throws. */
  feed(chunk: string): Task[] {
    if (this.failure !== undefined) throw this.failure
    this.rest += chunk
    const tasks: Task[] = []
    for (let end = this.rest.indexOf('\n'); end >= 0; end = this.rest.indexOf('\n')) {
      const line = this.rest.slice(0, end)
      this.rest = this.rest.slice(end + 1)
      try {
        tasks.push(...this.line(line))
      } catch (error) {
        this.failure = error
        if (tasks.length === 0) throw error
        break
      }
    }
    return tasks
  }

  /** Call when the text has ended: the last line may lack its newline. Throws PlanError without `join()`. */
  end(): Task[] {
    if (this.failure !== undefined) throw this.failure
    const line = this.rest
    this.rest = ''
    const tasks = this.line(line)
    if (!this.ended) throw new PlanError(this.nextId, 'the plan does not end with join()')
    return tasks
  }

  private line(line: string): Task[] {
    if (line.trim() === '' || this.ended) return []
    const parsed = parseLine(line, this.nextId)
    if (parsed === 'join') { this.ended = true; return [] }
    this.nextId++
    return [parsed]
  }
}

/** Whole text -> plan. Throws PlanError. */
export function parsePlan(text: string): Plan {
  const parser = new PlanParser()
  return {tasks: [...parser.feed(text), ...parser.end()]}
}

/** An argument as plan text; `rename` maps ids of calls. */
function printArg(a: Arg, rename: (id: number) => number): string {
  if (Array.isArray(a)) return `[${a.map(i => printArg(i, rename)).join(', ')}]`
  if (typeof a === 'object') {
    const pieces = 'ref' in a ? [a] : a.template
    return JSON.stringify(pieces.map((p, i) => typeof p === 'string' ? p : printRef(rename(p.ref), pieces[i + 1])).join(''))
  }
  return JSON.stringify(a)
}

/** An argument as JSON, its references written as in the plan's text: "$1". */
export const argJson = (arg: Arg): Json => JSON.parse(printArg(arg, id => id)) as Json // what printArg writes is JSON

/** In braces where what follows would make another number or an amount of it. */
const printRef = (ref: number, next: string | Ref | undefined): string =>
  typeof next === 'string' && /^(?:\d|[.,]\d)/.test(next) ? `\${${ref}}` : `$${ref}`

export const printTask = (task: Task, rename: (id: number) => number = id => id): string =>
  `${rename(task.id)}. ${task.tool}(${task.args.map(a => printArg(a, rename)).join(', ')})`

/** Plan -> text, renumbered from 1 without gaps (repair may have dropped calls). */
export function printPlan(plan: Plan): string {
  const numbers = new Map(plan.tasks.map((t, i) => [t.id, i + 1]))
  const rename = (id: number): number => numbers.get(id) ?? id
  return [...plan.tasks.map(t => printTask(t, rename)), `${plan.tasks.length + 1}. join()`].join('\n')
}
