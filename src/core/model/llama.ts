// A GGUF model in this process (node-llama-cpp): greedy, one sequence, each line under a grammar of its own.
// The prompt's common beginning stays in the KV cache from request to request.
import {existsSync} from 'node:fs'
import {availableParallelism} from 'node:os'
import {ModelError, UsageError} from '../errors.ts'

/** join() needs no newline, and no more tokens to say that it is the end. */
const isWhole = (line: string): boolean => line.endsWith('\n') || /^\d+\. join\(\)$/.test(line)

export interface LineModel {
  /** Reads the prompt; returns its length in tokens. */
  begin(prompt: string, signal: AbortSignal): Promise<number>
  /** Writes one line under a grammar, in pieces; ends after "\n", at the end of the grammar or of generation, or after `maxTokens`. */
  line(grammar: string, maxTokens: number, signal: AbortSignal): AsyncGenerator<string, void>
  /** tokens written since `begin` */
  readonly written: number
  close(): Promise<void>
}

/** Kept free for the plan: sixteen calls of the usual length, prompts have 200 tokens. */
const roomForPlan = 768

/** Loads the model. Throws ModelError naming the file. `threads` 0: one a core that this process may use. */
export async function openLlama(options: {modelPath: string; threads?: number | undefined; contextSize?: number; gpu?: boolean}): Promise<LineModel> {
  const {modelPath, contextSize = 2048} = options
  if (!existsSync(modelPath)) throw new ModelError(`${modelPath} is missing: install tinyagent again; \`tinyagent doctor\` checks all files`)
  try {
    const {getLlama, LlamaGrammar, LlamaGrammarEvaluationState, LlamaLogLevel} = await import('node-llama-cpp')
    const llama = await getLlama({build: 'never', gpu: options.gpu ? 'auto' : false, logLevel: LlamaLogLevel.disabled, progressLogs: false})
    // More threads than cores is ruinous: llama.cpp's threads spin at barriers, and four on two cores took 3 s a token, not 15 ms.
    const threads = options.threads || Math.max(1, Math.min(availableParallelism(), llama.cpuMathCores))
    llama.maxThreads = threads
    const model = await llama.loadModel({modelPath})
    const context = await model.createContext({contextSize, sequences: 1, threads})
    const sequence = context.getSequence()
    // What the next evaluation reads first: the rest of the prompt, then the last token of each line.
    let pending: ReturnType<typeof model.tokenize> = []
    let written = 0
    return {
      get written() { return written },
      async begin(prompt, signal) {
        signal.throwIfAborted()
        const tokens = model.tokenize(prompt, false)
        const most = contextSize - roomForPlan
        if (tokens.length > most) throw new UsageError(`The request with its tools is too long for the planner (${tokens.length} tokens, at most ${most}): say it in fewer words, or in two requests`)
        await sequence.adaptStateToTokens(tokens.slice(0, -1), false)
        pending = tokens.slice(sequence.nextTokenIndex)
        written = 0
        return tokens.length
      },
      async *line(grammar, maxTokens, signal) {
        const state = new LlamaGrammarEvaluationState({model, grammar: new LlamaGrammar(llama, {grammar})})
        const tokens: typeof pending = []
        let text = ''
        for await (const token of sequence.evaluate(pending, {temperature: 0, grammarEvaluationState: state})) {
          signal.throwIfAborted()
          if (model.isEogToken(token)) return
          written++
          tokens.push(token)
          pending = [token]
          // A character may be cut between tokens: it is given out once it is whole.
          const now = model.detokenize(tokens).replace(/\ufffd+$/, '')
          if (now.length > text.length) { yield now.slice(text.length); text = now }
          if (isWhole(text) || tokens.length >= maxTokens || sequence.nextTokenIndex >= contextSize - 1) return
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
