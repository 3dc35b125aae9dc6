// The tool retriever (Tool RAG): request -> the few tools it needs. A fine-tuned MiniLM classifier (int8, ONNX Runtime) scores our
// sixteen; tools that it never saw are ranked by the same encoder's embedding of their name and description, and by their words
// where there are many (core/likeness.ts).
import {readFileSync} from 'node:fs'
import path from 'node:path'
import {z} from 'zod'
import {ModelError} from './errors.ts'
import {likenessOf} from './likeness.ts'
import {loadOnnx} from './onnx.ts'
import {isLookUp} from './repair.ts'
import type {Chances, RetrievedTool, Retriever, ToolSpec} from './types.ts'

const labelsFile = z.object({labels: z.array(z.string()).min(1), ranks: z.number().int().positive(), threshold: z.number().min(0).max(1), maxLength: z.number().int().positive()})

/** Tools of others: at most this many, and none less like the request than this (cosine). */
const maxForeign = 5
const foreignFloor = 0.15
const batchSize = 16

/**
 * A tool that does something is offered from this score on: of those between the threshold and it 3% are needed (validation rows), and a
 * small planner is tempted by what it is offered. A look-up is offered from the lower threshold on: one that nothing uses is dropped (repair.ts).
 */
const actingThreshold = 0.15

/** What a tool cannot be called without: selected with it at a lower score. */
const feeds: Record<string, string> = {
  send_sms: 'get_phone_number', summarize_pdf: 'open_and_get_file_path', compose_new_email: 'get_email_address', forward_email: 'get_email_address',
}

/**
 * Our tools with their chances (core/prior.ts): look-ups at or over the threshold, others over `actingThreshold` too, with the look-ups that
 * they need; foreign ones by likeness. In the order of `tools`.
 */
export function selectTools(tools: ToolSpec[], chances: Chances, likeness: ReadonlyMap<string, number>, threshold: number): RetrievedTool[] {
  const scores = new Map([...chances].map(([name, [atLeastOnce = 0]]) => [name, atLeastOnce]))
  const chosen = new Map([...scores].filter(([name, score]) => score >= (isLookUp(name) ? threshold : Math.max(threshold, actingThreshold))))
  for (const [tool, need] of Object.entries(feeds)) {
    const score = scores.get(need)
    if (chosen.has(tool) && score !== undefined) chosen.set(need, score)
  }
  const foreign = [...likeness].filter(([, like]) => like >= foreignFloor).sort((a, b) => b[1] - a[1]).slice(0, maxForeign)
  for (const [name, like] of foreign) chosen.set(name, Math.min(1, like))
  return tools.flatMap(t => {
    const [score, calls] = [chosen.get(t.name), chances.get(t.name)]
    return score === undefined ? [] : [{name: t.name, score, ...(calls && {calls})}]
  })
}

const describe = (spec: ToolSpec): string => `${spec.name.replace(/[_.-]+/g, ' ').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()}: ${spec.description}`
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0)

/** Loads model.onnx, tokenizer.json and labels.json of `dir`. Throws ModelError naming the file. */
export async function openRetriever({dir}: {dir: string}): Promise<Retriever & {close(): Promise<void>}> {
  const read = (file: string): unknown => {
    const full = path.join(dir, file)
    try { return JSON.parse(readFileSync(full, 'utf8')) as unknown } catch (cause) {
      throw new ModelError(`${full} is missing or damaged: install tinyagent again; \`tinyagent doctor\` checks all files`, cause)
    }
  }
  const {labels, ranks, threshold, maxLength} = labelsFile.parse(read('labels.json'))
  const [{InferenceSession, Tensor}, {Tokenizer}] = await Promise.all([loadOnnx(), import('@huggingface/tokenizers')])
  // Both are the tokenizer's own JSON objects; it checks them itself.
  const tokenizer = new Tokenizer(read('tokenizer.json') as object, read('tokenizer_config.json') as object)
  const model = path.join(dir, 'model.onnx')
  const session = await InferenceSession.create(model, {intraOpNumThreads: 2, interOpNumThreads: 1}).catch((cause: unknown) => {
    throw new ModelError(`${model} cannot be loaded: install tinyagent again; \`tinyagent doctor\` checks all files`, cause)
  })

  /** [texts] -> one row of logits and one unit vector each */
  const run = async (texts: string[], signal: AbortSignal): Promise<{logits: Float32Array; embedding: Float32Array}[]> => {
    const out: {logits: Float32Array; embedding: Float32Array}[] = []
    for (let from = 0; from < texts.length; from += batchSize) {
      signal.throwIfAborted()
      const ids = texts.slice(from, from + batchSize).map(text => {
        const all = tokenizer.encode(text).ids
        return all.length <= maxLength ? all : [...all.slice(0, maxLength - 1), all.at(-1)!]
      })
      const length = Math.max(...ids.map(i => i.length))
      const tensor = (value: (row: number[], at: number) => number): InstanceType<typeof Tensor> =>
        new Tensor('int64', BigInt64Array.from(ids.flatMap(row => Array.from({length}, (_, at) => BigInt(value(row, at))))), [ids.length, length])
      const result = await session.run({input_ids: tensor((row, at) => row[at] ?? 0), attention_mask: tensor((row, at) => at < row.length ? 1 : 0)})
      // The model's outputs are float32 (training/export_retriever.py).
      const logits = result['logits']!.data as Float32Array, embedding = result['embedding']!.data as Float32Array
      const rowOf = (all: Float32Array, i: number): Float32Array => all.slice(i * all.length / ids.length, (i + 1) * all.length / ids.length)
      ids.forEach((_, i) => out.push({logits: rowOf(logits, i), embedding: rowOf(embedding, i)}))
    }
    return out
  }

  const known = new Map<string, Float32Array>()
  const embed = async (texts: string[], signal: AbortSignal): Promise<Float32Array[]> => (await run(texts, signal)).map(r => r.embedding)
  return {
    embed,
    async select(request, tools, signal, instructions = '') {
      // The classifier was trained with the instructions under the request; likeness is the request's alone.
      const [own, asked = own] = await run(instructions.trim() === '' ? [request] : [`${request}\n${instructions.replace(/\s+/g, ' ').trim()}`, request], signal)
      const offered = new Set(tools.map(t => t.name))
      // Rank by rank: at least one call of each tool, at least two, ...; each rank at most as likely as the one before.
      const chances = new Map(labels.flatMap((name, i) => {
        let last = 1
        const calls = Array.from({length: ranks}, (_, rank) => last = Math.min(last, 1 / (1 + Math.exp(-own!.logits[rank * labels.length + i]!))))
        return offered.has(name) ? [[name, calls] as const] : []
      }))
      const foreign = tools.filter(t => !labels.includes(t.name))
      // A handful is offered whole, but for what is nothing like the request; of more, the words tell which.
      if (foreign.length > maxForeign) return selectTools(tools, chances, likenessOf(request, foreign), threshold)
      const unseen = foreign.map(describe).filter(text => !known.has(text))
      const fresh = await embed(unseen, signal)
      unseen.forEach((text, i) => known.set(text, fresh[i]!))
      const likeness = new Map(foreign.map(t => [t.name, dot(asked!.embedding, known.get(describe(t))!)]))
      return selectTools(tools, chances, likeness, threshold)
    },
    close: () => session.release(),
  }
}
