// A GGUF model in this process (node-llama-cpp): greedy, one sequence, each line under a grammar of its own.
// The prompt's common beginning stays in the KV cache from request to request.
import type {ControlledEvaluateInputItem, TokenBias} from 'node-llama-cpp'
import {existsSync} from 'node:fs'
import {availableParallelism, cpus} from 'node:os'
import {ModelError, UsageError} from '../errors.ts'
import type {Forecast} from '../forecast.ts'
import type {Opening} from '../prior.ts'
import type {ChatMessage} from './openai.ts'
import {freeThreads, readLoad} from './threads.ts'

export interface LineRequest {
  /** written as it is, before anything is chosen: "\n2." */
  head: string
  /** GBNF for the rest of the line */
  grammar: string
  /** whether the rest of the line is all there */
  isWhole(written: string): boolean
  /** guesses how the rest goes on; checked, so it changes the time only */
  forecast: Forecast
  /** how the line may begin, and how likely each is; the model's own word is weighed with it */
  openings: readonly Opening[]
  maxTokens: number
  signal: AbortSignal
}

export interface LineModel {
  /** true: none of our planners, so it does not know prompt.ts's prompt and gets messages */
  readonly isGeneral?: boolean
  /** what its file calls it (`general.name`) */
  readonly name?: string | undefined
  /** Reads the prompt, or messages in the model's own chat format; returns its length in tokens. */
  begin(prompt: string | ChatMessage[], signal: AbortSignal): Promise<number>
  /** Writes the line after its head, in pieces; ends when it is whole, at the end of generation, or after `maxTokens`. */
  line(request: LineRequest): AsyncGenerator<string, void>
  /** tokens written since `begin` */
  readonly written: number
  close(): Promise<void>
}

/** The part of node-llama-cpp's native side that is used directly. */
interface GrammarBindings {
  AddonSampler: {
    canBeNextTokenForGrammarEvaluationState(state: object, token: number): boolean
    acceptGrammarEvaluationStateToken(state: object, token: number): void
  }
}

/** Kept free for the plan: sixteen calls of the usual length, prompts have 200 tokens. */
const roomForPlan = 768
/** Our prompt has 200 tokens, the one for general models 700 to 1,100, and 1,750 with all sixteen tools. */
const contextOf = {ours: 2048, general: 4096}
/** `general.finetune` in the metadata of the planners that are trained here (training/export_planner.py). */
const ourFinetune = 'tinyagent-planner'
/** The longest guess that is checked at once: with 16 as with 8, more is wrong too often. */
const maxGuess = 8

/**
 * node-llama-cpp 3.21.1 reads the variable CI while it loads, in the process that tests its binary too, and refuses anything but these (env-var's asBool). Other programs set it
 * to "yes", "woodpecker" or a name; it only turns off its progress bars.
 */
async function withReadableCi<T>(load: () => Promise<T>): Promise<T> {
  const said = process.env['CI']
  if (said === undefined || ['true', 'false', '1', '0'].includes(said.toLowerCase())) return load()
  process.env['CI'] = 'true'
  try { return await load() } finally { process.env['CI'] = said }
}

/** Loads the model. Throws ModelError naming the file. `threads` 0: one a core that is free (threads.ts). */
export async function openLlama(options: {modelPath: string; threads?: number | undefined; contextSize?: number; gpu?: boolean; guesses?: boolean}): Promise<LineModel> {
  const {modelPath, guesses = true} = options
  if (!existsSync(modelPath)) throw new ModelError(`${modelPath} is missing: install tinyagent again; \`tinyagent doctor\` checks all files`)
  try {
    const {llama, LlamaGrammar, LlamaGrammarEvaluationState, TokenBias, resolveChatWrapper} = await withReadableCi(async () => {
      const {getLlama, LlamaGrammar, LlamaGrammarEvaluationState, LlamaLogLevel, TokenBias, resolveChatWrapper} = await import('node-llama-cpp')
      const llama = await getLlama({build: 'never', gpu: options.gpu ? 'auto' : false, logLevel: LlamaLogLevel.disabled, progressLogs: false})
      return {llama, LlamaGrammar, LlamaGrammarEvaluationState, TokenBias, resolveChatWrapper}
    })
    const threads = options.threads || Math.max(1, Math.min(availableParallelism(), llama.cpuMathCores))
    llama.maxThreads = threads
    const cores = cpus().length
    let load = readLoad()
    /** As many threads as cores are free, unless the user has said how many. */
    const adaptThreads = (): void => {
      const now = readLoad()
      const free = options.threads ? threads : freeThreads(load, now, cores, threads)
      if (free === undefined) return
      llama.maxThreads = free
      load = now
    }
    const model = await llama.loadModel({modelPath})
    type Tokens = ReturnType<typeof model.tokenize>
    const {general} = model.fileInfo.metadata
    const name = 'name' in general && typeof general.name === 'string' ? general.name : undefined
    const isGeneral = !('finetune' in general && general.finetune === ourFinetune)
    const contextSize = options.contextSize ?? (isGeneral ? Math.min(contextOf.general, model.trainContextSize ?? contextOf.general) : contextOf.ours)
    const chatWrapper = isGeneral ? resolveChatWrapper(model, {warningLogs: false, customWrapperSettings: {qwen: {thoughts: 'discourage'}}}) : undefined
    /** Only the format's own words become special tokens, never those of a request that spells one. */
    const chatTokens = (messages: ChatMessage[]): Tokens => {
      if (!chatWrapper) throw new ModelError(`${modelPath} takes no messages`)
      const state = chatWrapper.generateContextState({chatHistory: [
        ...messages.map(({role, content}) => role === 'assistant' ? {type: 'model' as const, response: [content]} : {type: role, text: content}),
        {type: 'model', response: []},
      ]})
      const before = 'noPrefixTrigger' in state && state.noPrefixTrigger?.type === 'response' ? state.contextText.concat(state.noPrefixTrigger.inject) : state.contextText
      return before.tokenize(model.tokenizer)
    }
    const context = await model.createContext({contextSize, sequences: 1, threads})
    const sequence = context.getSequence()
    // node-llama-cpp 3.21.1 has no public way to ask a grammar about one token (the version is pinned; planner.test.ts would notice).
    const {AddonSampler: grammars} = (llama as unknown as {_bindings: GrammarBindings})._bindings

    /** The forecast's tokens, cut as the whole text would be, where what is written was cut so too. */
    const guessed = (tokens: Tokens, guess: Forecast): Tokens => {
      if (!guesses) return []
      const text = model.detokenize(tokens)
      const more = guess(text)
      if (more === '') return []
      const whole = model.tokenize(text + more, false)
      const isContinued = tokens.every((token, i) => whole[i] === token)
      return (isContinued ? whole.slice(tokens.length) : model.tokenize(more, false)).slice(0, maxGuess)
    }
    // What the next evaluation reads first: the rest of the prompt, then the last token of each line.
    let pending: Tokens = []
    let written = 0
    return {
      isGeneral,
      name,
      get written() { return written },
      async begin(prompt, signal) {
        signal.throwIfAborted()
        adaptThreads()
        const tokens = typeof prompt === 'string' ? model.tokenize(prompt, false) : chatTokens(prompt)
        const most = contextSize - roomForPlan
        if (tokens.length > most) throw new UsageError(`The request with its tools is too long for the planner (${tokens.length} tokens, at most ${most}): say it in fewer words, or in two requests`)
        await sequence.adaptStateToTokens(tokens.slice(0, -1), false)
        pending = tokens.slice(sequence.nextTokenIndex)
        written = 0
        return tokens.length
      },
      async *line({head, grammar, isWhole, forecast, openings, maxTokens, signal}) {
        adaptThreads()
        const state = new LlamaGrammarEvaluationState({model, grammar: new LlamaGrammar(llama, {grammar})})
        const {_state: grammarState} = state as unknown as {_state: object} // as _bindings above
        const tokens: Tokens = []
        let text = ''
        const begun = openings.map(({text, weight}) => ({start: model.tokenize(text, false), weight}))
        /** How to choose what follows `before`: where it is one of several openings' tokens, by their chances too. */
        const choice = (before: Tokens): {temperature: number; tokenBias?: TokenBias} => {
          const weights = new Map<Tokens[number], number>()
          for (const {start, weight} of begun) {
            const next = start[before.length]
            if (next !== undefined && before.every((token, i) => start[i] === token)) weights.set(next, (weights.get(next) ?? 0) + weight)
          }
          if (weights.size < 2) return {temperature: 0}
          const most = Math.max(...weights.values())
          const tokenBias = TokenBias.for(model)
          for (const [token, weight] of weights) tokenBias.set(token, {logit: Math.log(weight / most)})
          return {temperature: 0, tokenBias}
        }
        /** Takes the token into the line; returns what can be shown of it. */
        const push = (token: Tokens[number]): string => {
          written++
          tokens.push(token)
          // A character may be cut between tokens: it is given out once it is whole.
          const now = model.detokenize(tokens).replace(/\ufffd+$/, '')
          const delta = now.slice(text.length)
          if (now.length > text.length) text = now
          return delta
        }
        const headTokens = model.tokenize(head, false)
        written += headTokens.length
        pending.push(...headTokens)
        for (;;) {
          signal.throwIfAborted()
          const guess = guessed(tokens, forecast)
          const start = sequence.nextTokenIndex
          const known = pending.length
          const results = await sequence.controlledEvaluate([
            ...pending.slice(0, -1),
            ...[pending.at(-1)!, ...guess].map((token, i): ControlledEvaluateInputItem => [token, {generateNext: {token: true, options: choice([...tokens, ...guess.slice(0, i)])}}]),
          ])
          // The first result is what the model writes next; where it is what was guessed, the second one is next, and so on.
          for (let right = 0; ; right++) {
            let token = results[known - 1 + right]?.next.token ?? undefined
            const kept = start + known + right
            if (token !== undefined && grammars.canBeNextTokenForGrammarEvaluationState(grammarState, token)) {
              if (!model.isEogToken(token)) grammars.acceptGrammarEvaluationStateToken(grammarState, token)
            } else {
              // Not allowed: the best one of those that are, from the same state.
              const last = right === 0 ? pending.at(-1)! : guess[right - 1]!
              await sequence.eraseContextTokenRanges([{start: kept - 1, end: sequence.nextTokenIndex}])
              token = (await sequence.evaluate([last], {...choice(tokens), grammarEvaluationState: state}).next()).value ?? undefined
            }
            if (token === undefined || model.isEogToken(token)) return
            const delta = push(token)
            if (delta) yield delta
            const isDone = isWhole(text) || tokens.length >= maxTokens || kept >= contextSize - maxGuess - 1
            if (!isDone && token === guess[right] && kept < sequence.nextTokenIndex) continue
            if (kept < sequence.nextTokenIndex) await sequence.eraseContextTokenRanges([{start: kept, end: sequence.nextTokenIndex}])
            pending = [token]
            if (isDone) return
            break
          }
        }
      },
      async close() {
        await context.dispose()
        await model.dispose()
        await llama.dispose()
      },
    }
  } catch (cause) {
    if (cause instanceof ModelError) throw cause
    throw new ModelError(`${modelPath} cannot be loaded (${cause instanceof Error ? cause.message : String(cause)}); \`tinyagent doctor\` says what is missing`, cause)
  }
}
