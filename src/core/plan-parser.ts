// Plan text <-> tasks, incrementally: feed(chunk) gives every task as soon as its line is whole.
// The language is LABELLING.md's: `1. tool("a", ["$1"], 5, true)` lines, closed by `join()`.
import {PlanError} from './errors.ts'
import type {Arg, Plan, Ref, Task} from './types.ts'

const reference = /\$(?:\{(\d+)\}|(\d+))/g

/** A text argument with its references found, once; never searched again. Only earlier calls can be meant: "$15" in call 3 is money. */
export function textArg(text: string, id: number): Arg {
  const pieces: (string | Ref)[] = []
  let end = 0
  for (const match of text.matchAll(reference)) {
    const ref = Number(match[1] ?? match[2])
    if (ref < 1 || ref >= id || isAmount(text, match.index + match[0].length)) continue
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
  const value = (): Arg => {
    skip()
    const c = line[at]
    if (c === '"') {
      const match = /^"(?:[^"\\]|\\.)*"/.exec(line.slice(at)) ?? fail('a string does not end')
      at += match[0].length
      return textArg(parseString(match[0]) ?? fail('a string is not JSON'), id)
    }
    if (c === '[') {
      at++
      const items = list(']')
      return items
    }
    const word = /^(?:true|false|-?\d+(?:\.\d+)?)/.exec(line.slice(at)) ?? fail('an argument is not a value')
    at += word[0].length
    return word[0] === 'true' ? true : word[0] === 'false' ? false : Number(word[0])
  }
  const list = (close: string): Arg[] => {
    const items: Arg[] = []
    skip()
    if (line[at] === close) { at++; return items }
    for (;;) {
      items.push(value())
      skip()
      const c = line[at++]
      if (c === close) return items
      if (c !== ',') fail(`expected "," or "${close}"`)
    }
  }

  const args = list(')')
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

  /** true once `join()` was read */
  get joined(): boolean { return this.ended }

  feed(chunk: string): Task[] {
    this.rest += chunk
    const tasks: Task[] = []
    for (let end = this.rest.indexOf('\n'); end >= 0; end = this.rest.indexOf('\n')) {
      const line = this.rest.slice(0, end)
      this.rest = this.rest.slice(end + 1)
      tasks.push(...this.line(line))
    }
    return tasks
  }

  /** Call when the text has ended: the last line may lack its newline. Throws PlanError without `join()`. */
  end(): Task[] {
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
    return JSON.stringify(pieces.map(p => typeof p === 'string' ? p : `$${rename(p.ref)}`).join(''))
  }
  return JSON.stringify(a)
}

export const printTask = (task: Task, rename: (id: number) => number = id => id): string =>
  `${rename(task.id)}. ${task.tool}(${task.args.map(a => printArg(a, rename)).join(', ')})`

/** Plan -> text, renumbered from 1 without gaps (repair may have dropped calls). */
export function printPlan(plan: Plan): string {
  const numbers = new Map(plan.tasks.map((t, i) => [t.id, i + 1]))
  const rename = (id: number): number => numbers.get(id) ?? id
  return [...plan.tasks.map(t => printTask(t, rename)), `${plan.tasks.length + 1}. join()`].join('\n')
}
