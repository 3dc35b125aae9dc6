// The tool retriever (Tool RAG): request -> the few tools it needs. A fine-tuned e5-small classifier (int8, ONNX Runtime) scores our
// sixteen; a tool that it never saw is read by the same model together with the request (a cross-encoder), and where there are many
// of those, their words say which ones are (core/likeness.ts).
import {readFileSync} from 'node:fs'
import path from 'node:path'
import {z} from 'zod'
import {ModelError} from './errors.ts'
import {likeTools} from './likeness.ts'
import {loadOnnx} from './onnx.ts'
import {isLookUp} from './repair.ts'
import type {Chances, RetrievedTool, Retriever, ToolSpec} from './types.ts'

const labelsFile = z.object({labels: z.array(z.string()).min(1), ranks: z.number().int().positive(), threshold: z.number().min(0).max(1), maxLength: z.number().int().positive(), maxTool: z.number().int().positive()})

/** Tools of others: at most this many are offered, none with a smaller chance than this, and of more than `maxRead` the words tell which are read. */
const maxForeign = 5
const foreignThreshold = 0.02
const maxRead = 10
/** A tool of others that is called is called again in 2% of the training rows. */
const again = 0.02
const batchSize = 16

/**
 * A tool that does something is offered from this score on, since a small planner is tempted by what it is offered: of the 1,017 validation rows
 * 816 to 819 plans are right with anything from 0.01 to 0.1 here and for tools of others, and with 0.02 for both every needed tool is there most
 * often (97.4%, for 2.62 tools a row; with 0.05 96.5%, for 2.50). A look-up is offered from the lower threshold on:
 * one that nothing uses is dropped (repair.ts).
 */
const actingThreshold = 0.02

/** What a tool cannot be called without: selected with it at a lower score. */
const feeds: Record<string, string> = {
  send_sms: 'get_phone_number', summarize_pdf: 'open_and_get_file_path', compose_new_email: 'get_email_address', forward_email: 'get_email_address',
}

/**
 * The tools to offer with their chances (core/prior.ts): look-ups at or over the threshold, others over `actingThreshold` too, with the look-ups that
 * they need; those of others from `foreignThreshold` on. `foreign`: the chance that each is called. In the order of `tools`.
 */
export function selectTools(tools: ToolSpec[], chances: Chances, foreign: ReadonlyMap<string, number>, threshold: number): RetrievedTool[] {
  const scores = new Map([...chances].map(([name, [atLeastOnce = 0]]) => [name, atLeastOnce]))
  const chosen = new Map([...scores].filter(([name, score]) => score >= (isLookUp(name) ? threshold : Math.max(threshold, actingThreshold))))
  for (const [tool, need] of Object.entries(feeds)) {
    const score = scores.get(need)
    if (chosen.has(tool) && score !== undefined) chosen.set(need, score)
  }
  const others = [...foreign].filter(([, chance]) => chance >= foreignThreshold).sort((a, b) => b[1] - a[1]).slice(0, maxForeign)
  for (const [name, chance] of others) chosen.set(name, chance)
  return tools.flatMap(({name}) => {
    const score = chosen.get(name)
    return score === undefined ? [] : [{name, score, calls: chances.get(name) ?? [score, score * again]}]
  })
}

const describe = (spec: ToolSpec): string => `${spec.name.replace(/[_.-]+/g, ' ').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()}: ${spec.description.replace(/\s+/g, ' ').trim()}`

/** Loads model.onnx, tokenizer.json and labels.json of `dir`. Throws ModelError naming the file. */
export async function openRetriever({dir}: {dir: string}): Promise<Retriever & {close(): Promise<void>}> {
  const read = (file: string): unknown => {
    const full = path.join(dir, file)
    try { return JSON.parse(readFileSync(full, 'utf8')) as unknown } catch (cause) {
      throw new ModelError(`${full} is missing or damaged: install tinyagent again; \`tinyagent doctor\` checks all files`, cause)
    }
  }
  const {labels, ranks, threshold, maxLength, maxTool} = labelsFile.parse(read('labels.json'))
  const [{InferenceSession, Tensor}, {Tokenizer}] = await Promise.all([loadOnnx(), import('@huggingface/tokenizers')])
  // Both are the tokenizer's own JSON objects; it checks them itself.
  const tokenizer = new Tokenizer(read('tokenizer.json') as object, read('tokenizer_config.json') as object)
  const model = path.join(dir, 'model.onnx')
  const session = await InferenceSession.create(model, {intraOpNumThreads: 2, interOpNumThreads: 1}).catch((cause: unknown) => {
    throw new ModelError(`${model} cannot be loaded: install tinyagent again; \`tinyagent doctor\` checks all files`, cause)
  })

  interface Reading { logits: Float32Array; embedding: Float32Array; called: number }
  const cut = (ids: number[], most: number): number[] => ids.length <= most ? ids : [...ids.slice(0, most - 1), ids.at(-1)!]
  const encode = (text: string): number[] => cut(tokenizer.encode(text).ids, maxLength)
  /** [CLS] request [SEP] tool [SEP], a list for each tool */
  const encodePairs = (request: string, tools: string[]): number[][] => {
    const asked = cut(tokenizer.encode(request).ids, maxLength - maxTool)
    return tools.map(tool => [...asked, ...cut(tokenizer.encode(tool).ids.slice(1), maxTool)])
  }

  /** The model's outputs (training/train_retriever.py) for each list of token ids. */
  const run = async (all: number[][], signal: AbortSignal): Promise<Reading[]> => {
    const out: Reading[] = []
    for (let from = 0; from < all.length; from += batchSize) {
      signal.throwIfAborted()
      const ids = all.slice(from, from + batchSize)
      const length = Math.max(...ids.map(i => i.length))
      const tensor = (value: (row: number[], at: number) => number): InstanceType<typeof Tensor> =>
        new Tensor('int64', BigInt64Array.from(ids.flatMap(row => Array.from({length}, (_, at) => BigInt(value(row, at))))), [ids.length, length])
      const result = await session.run({input_ids: tensor((row, at) => row[at] ?? 0), attention_mask: tensor((row, at) => at < row.length ? 1 : 0)})
      // The model's outputs are float32 (training/export_retriever.py).
      const column = (name: string, i: number): Float32Array => {
        const data = result[name]!.data as Float32Array
        return data.slice(i * data.length / ids.length, (i + 1) * data.length / ids.length)
      }
      ids.forEach((_, i) => out.push({logits: column('logits', i), embedding: column('embedding', i), called: column('called', i)[0]!}))
    }
    return out
  }
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

  return {
    embed: async (texts, signal) => (await run(texts.map(encode), signal)).map(r => r.embedding),
    async select(request, tools, signal, instructions = '') {
      // The model was trained with the instructions under the request.
      const asked = instructions.trim() === '' ? request : `${request}\n${instructions.replace(/\s+/g, ' ').trim()}`
      const [own] = await run([encode(asked)], signal)
      const offered = new Set(tools.map(t => t.name))
      // Rank by rank: at least one call of each tool, at least two, ...; each rank at most as likely as the one before.
      const chances = new Map(labels.flatMap((name, i) => {
        let last = 1
        const calls = Array.from({length: ranks}, (_, rank) => last = Math.min(last, sigmoid(own!.logits[rank * labels.length + i]!)))
        return offered.has(name) ? [[name, calls] as const] : []
      }))
      const foreign = tools.filter(t => !labels.includes(t.name))
      const read = foreign.length > maxRead ? likeTools(request, foreign).slice(0, maxRead) : foreign
      const readings = await run(encodePairs(asked, read.map(describe)), signal)
      return selectTools(tools, chances, new Map(read.map((t, i) => [t.name, sigmoid(readings[i]!.called)])), threshold)
    },
    close: () => session.release(),
  }
}
