// A general model's answer -> tasks as they are written, then the repaired plan: the planner over an endpoint. The answer is anybody's text,
// so each line passes the parser, and each call what a plan file passes: its tool, its arguments, its references, and that addresses,
// numbers and paths are the user's own or looked up. What does not is a PlanError, which the model is told (run.ts).
import {errorInfo, PlanError} from './errors.ts'
import {buildChat} from './chat-prompt.ts'
import {resultFor} from './grammar.ts'
import type {ChatMessage, ChatUsage} from './model/openai.ts'
import {paramsOf} from './params.ts'
import {checkCall} from './plan-file.ts'
import {planGrammar} from './plan-grammar.ts'
import {maxCalls, PlanParser, references} from './plan-parser.ts'
import {isSameCall, repairPlan, repairTask} from './repair.ts'
import {buildTinyAgentChat, planLines, type PromptForm} from './tinyagent.ts'
import type {Arg, Kind, PlanInput, PlanPiece, Planner, PlanSummary, Task, ToolSpec} from './types.ts'

/** Characters without a plan (thoughts aside), and of one line of it: beyond them a model only goes on. The longest request has 4,000. */
const maxChatter = 4_000
const maxLine = 6_000

/** Messages, and a grammar for those servers that take one -> the answer as it comes. */
export type ChatModel = (messages: ChatMessage[], signal: AbortSignal, grammar: string) => AsyncGenerator<string, ChatUsage>

export function planByChat(model: ChatModel, name: string, prompt: PromptForm = 'general'): Planner {
  const isPaper = prompt === 'tinyagent'
  return {
    name,
    close: () => Promise.resolve(),
    async *plan(input: PlanInput): AsyncGenerator<PlanPiece, PlanSummary> {
      const {request, signal, tools, instructions = '', now} = input
      const specs = new Map(tools.map(t => [t.name, t]))
      const answer = model((isPaper ? buildTinyAgentChat : buildChat)(input), signal, planGrammar(tools, maxCalls))
      const filter = planText(isPaper ? planLines(specs) : undefined)
      const parser = new PlanParser()
      const tasks: Task[] = []
      const repairs: string[] = []
      /** The task as it may run; undefined for what was planned before. */
      const take = (written: Task): Task | undefined => {
        const spec = specs.get(written.tool)
        if (!spec) throw new PlanError(written.id, `there is no tool "${written.tool}" here; there are: ${tools.map(t => t.name).join(', ') || 'none'}`)
        if (written.id > maxCalls) throw new PlanError(written.id, `a plan has ${maxCalls} calls at most`)
        const whole = withoutEmpty(written)
        if (whole !== written) repairs.push('empty-item')
        try {
          checkCall(whole, tasks, specs, now)
        } catch (error) {
          const {code, message} = errorInfo(error)
          throw code === 'bug' ? error : new PlanError(written.id, message)
        }
        checkSpelled(whole, spec, `${request} ${instructions}`)
        const repaired = repairTask(whole, spec)
        repairs.push(...repaired.repairs)
        if (spec.effect !== 'read' && tasks.some(t => isSameCall(t, repaired.task))) { repairs.push('same-call-twice'); return undefined }
        tasks.push(repaired.task)
        return repaired.task
      }
      const pieces = function* (found: Task[]): Generator<PlanPiece> {
        for (const written of found) {
          const task = take(written)
          if (task) yield {task}
        }
      }
      let line = 0
      let usage: ChatUsage = {promptTokens: 0, generatedTokens: 0}
      try {
        for (;;) {
          const {value, done} = await answer.next()
          if (done) { usage = value; break }
          if (filter.skipped > maxChatter) throw noPlan()
          if (parser.joined && value.trim() !== '') break // what a model says after its plan is not waited for
          const delta = parser.joined ? '' : filter.feed(value)
          if (delta !== '') yield {delta}
          line = delta.includes('\n') ? delta.length - delta.lastIndexOf('\n') : line + delta.length
          if (line > maxLine) throw new PlanError(tasks.length + 1, `it is longer than ${maxLine} characters`)
          yield* pieces(parser.feed(delta))
        }
      } finally {
        await answer.return(usage)
      }
      const rest = filter.end()
      if (rest !== '') yield {delta: rest}
      yield* pieces(parser.feed(rest))
      if (!filter.hasBegun) throw noPlan()
      yield* pieces(parser.end())
      const whole = repairPlan({tasks}, request)
      return {...whole, repairs: [...repairs, ...whole.repairs], ...usage}
    },
  }
}

const noPlan = (): PlanError => new PlanError(1, 'the answer holds no plan: it begins with "1. " and a call, or is "1. join()"')

/**
 * The plan in an answer, however it is cut into chunks: thoughts (<think>), the lines of Markdown fences, and what stands before the first
 * numbered line are left out. Anything else is passed on, and is for the parser to refuse; `convert` makes a line of ours of a whole one.
 */
export function planText(convert?: (line: string) => string): {feed(chunk: string): string; end(): string; readonly hasBegun: boolean; /** characters that were left out before the plan, thoughts aside */ readonly skipped: number} {
  let rest = ''
  let hasBegun = false
  let isThinking = false
  let skipped = 0
  /** The line that comes is one of the plan: its pieces are passed on at once. */
  let isOpen = false
  const take = (isLast: boolean): string => {
    let out = ''
    while (rest !== '') {
      if (isThinking) {
        const end = rest.indexOf('</think>')
        if (end < 0) { rest = rest.slice(-'</think>'.length); return out }
        rest = rest.slice(end + '</think>'.length)
        isThinking = false
      } else if (!isOpen && /^\s*<think>/.test(rest)) {
        rest = rest.replace(/^\s*<think>/, '')
        isThinking = true
      } else {
        const end = rest.indexOf('\n')
        isOpen ||= /^\s*\d+\s*\.\s*[A-Za-z_]/.test(rest)
        if (end < 0 && (!isOpen || convert) && !isLast) return out
        const line = end < 0 ? rest : rest.slice(0, end + 1)
        hasBegun ||= isOpen
        if (hasBegun && (isOpen || !/^\s*```/.test(line))) {
          const whole = convert?.(line.trimEnd())
          out += whole === undefined ? line : whole === '' || end < 0 ? whole : `${whole}\n`
        }
        else skipped += line.length
        rest = rest.slice(line.length)
        if (end >= 0) isOpen = false
      }
    }
    return out
  }
  return {
    feed: chunk => { rest += chunk; return take(false) },
    end: () => take(true),
    get hasBegun() { return hasBegun },
    get skipped() { return skipped + (hasBegun || isThinking ? 0 : rest.length) },
  }
}

/** "" in a list is a model's way to say nothing. */
function withoutEmpty(task: Task): Task {
  if (!task.args.some(a => Array.isArray(a) && a.includes(''))) return task
  const args = task.args.map(a => Array.isArray(a) ? a.filter(item => item !== '') : a)
  return {...task, args, dependsOn: references(args)}
}

/** The dialog shows such an argument as typed by the user, so it has to be: our own planner cannot write another one (grammar.ts). Throws PlanError. */
function checkSpelled(task: Task, spec: ToolSpec, text: string): void {
  for (const [i, {kind, name}] of paramsOf(spec).entries()) {
    if (!resultFor(kind)) continue
    for (const item of [task.args[i] ?? ''].flat() as Arg[]) {
      if (typeof item === 'object' && 'ref' in item) continue
      if (typeof item === 'string' && (item === '' || isSpelled(item, kind, text))) continue
      throw new PlanError(task.id, `${name} of ${spec.name}: ${typeof item === 'string' ? JSON.stringify(item) : 'that'} is neither in the request nor a result: look it up with a call before, and use its "$k"`)
    }
  }
}

const digits = (text: string): string => text.replace(/\D/g, '')
const spokenDigits = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
/** "oh seven double seven" -> "0777" */
const dialled = (text: string): string => digits(text.toLowerCase().replace(/\boh\b/g, 'zero').replace(/\bdouble (\w+)/g, '$1 $1')
  .replace(/\b[a-z]+\b/g, word => spokenDigits.includes(word) ? String(spokenDigits.indexOf(word)) : word))

/** As it stands there, and not a piece of something longer; or as it was said ("ana at example dot org"). */
function isSpelled(item: string, kind: Kind, text: string): boolean {
  const inner = kind === 'path' ? '\\p{L}\\p{N}/\\\\' : '\\p{L}\\p{N}_%+@-'
  const whole = new RegExp(`(?<![.${inner}])${item.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}(?![${inner}]|\\.[\\p{L}\\p{N}])`, 'iu')
  if (whole.test(text)) return true
  if (kind === 'address') return whole.test(text.replace(/\s+at\s+/gi, '@').replace(/\s+dot\s+/gi, '.'))
  if (kind !== 'phone' || digits(item).length < 5) return false
  return (text.match(/[+(]?\d[\d\s()./-]{3,}\d/g) ?? []).some(number => digits(number) === digits(item)) || dialled(text).includes(digits(item))
}
