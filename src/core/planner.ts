// Prompt + model -> tasks as they are written, then the repaired plan (DESIGN: "The planner").
import path from 'node:path'
import {buildChat} from './chat-prompt.ts'
import {PlanError} from './errors.ts'
import {forecast, isWholeCall} from './forecast.ts'
import {lineGrammar} from './grammar.ts'
import {openLlama, type LineModel} from './model/llama.ts'
import {maxCalls, parseLine} from './plan-parser.ts'
import {buildPrompt} from './prompt.ts'
import {openings} from './prior.ts'
import {isSameCall, repairPlan, repairTask} from './repair.ts'
import {buildTinyAgentChat, promptForm, type PromptForm} from './tinyagent.ts'
import type {PlanInput, PlanPiece, Planner, PlanSummary, Task} from './types.ts'

/** The longest line of the training data is under 200 tokens. */
const maxLineTokens = 300

/** What an evaluation leaves out, to see what it is worth. Both are on unless switched off. */
export interface PlannerParts { grammar?: boolean; repair?: boolean }

/** A line without a grammar. */
const anyLine = 'root ::= " " [^\\n]+'

/** The embedded planner. Throws ModelError. `threads` undefined or 0: as many as the processor has cores for arithmetic. */
export async function openPlanner(options: {modelPath: string; threads?: number | undefined; gpu?: boolean; prompt?: 'auto' | PromptForm} & PlannerParts): Promise<Planner> {
  const model = await openLlama(options)
  const name = path.basename(options.modelPath, '.gguf')
  return planWith(model, name, {...options, prompt: promptForm(options.prompt ?? 'auto', [model.name, name])})
}

/** A planner over any model that writes a line under a grammar. */
export function planWith(model: LineModel, name: string, parts: PlannerParts & {/** of a general model */ prompt?: PromptForm} = {}): Planner {
  const {grammar = true, repair = true, prompt = 'general'} = parts
  const chat = prompt === 'tinyagent' ? buildTinyAgentChat : buildChat
  return {
    name,
    close: () => model.close(),
    async *plan(input: PlanInput): AsyncGenerator<PlanPiece, PlanSummary> {
      const {request, signal, chances, instructions = ''} = input
      const specs = new Map(input.tools.map(t => [t.name, t]))
      const promptTokens = await model.begin(model.isGeneral ? chat(input) : buildPrompt(input), signal)
      const tasks: Task[] = []
      const repairs: string[] = []
      const called: string[] = []
      for (let id = 1; ; id++) {
        // After the last call there is only join() to write.
        const state = {id, tools: id <= maxCalls ? input.tools : [], tasks, text: `${request} ${instructions}`, mayRephrase: model.isGeneral === true}
        // With " join" everything is said, unless a tool's name begins so.
        const mayEnd = state.tools.every(t => !t.name.startsWith('join'))
        const openers = openings(state.tools, called, chances)
        const isWhole = (call: string): boolean => isWholeCall(call) || mayEnd && call === ' join'
        let call = ''
        yield {delta: `${id}.`}
        for await (const delta of model.line({head: `${id > 1 ? '\n' : ''}${id}.`, grammar: grammar ? lineGrammar(state) : anyLine, isWhole, forecast: forecast(state), openings: openers, maxTokens: maxLineTokens, signal})) {
          call += delta
          yield {delta}
        }
        if (call === ' join') yield {delta: '()'}
        const parsed = call.trim() === '' || call === ' join' ? 'join' : parseLine(`${id}.${call}`, id)
        if (parsed === 'join') break
        yield {delta: '\n'}
        called.push(parsed.tool)
        const spec = specs.get(parsed.tool)
        if (!spec) throw new PlanError(id, `there is no tool "${parsed.tool}" here`)
        const repaired = repair ? repairTask(parsed, spec, tasks, specs) : {task: parsed, repairs: []}
        repairs.push(...repaired.repairs)
        // Nothing is done twice. The number stays taken, and the next lines cannot refer to it.
        if (repair && spec.effect !== 'read' && tasks.some(t => isSameCall(t, repaired.task))) { repairs.push('same-call-twice'); continue }
        tasks.push(repaired.task)
        yield {task: repaired.task}
      }
      const whole = repair ? repairPlan({tasks}, request) : {plan: {tasks}, repairs: [], dropped: []}
      return {...whole, repairs: [...repairs, ...whole.repairs], promptTokens, generatedTokens: model.written}
    },
  }
}
