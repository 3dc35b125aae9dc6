// The model that the user chose for the sub-agents (model.writer, TINYAGENT_WRITER): an endpoint of the config, or a GGUF file.
import {existsSync} from 'node:fs'
import path from 'node:path'
import type {Config} from '../config.ts'
import {ConfigError, ModelError, UsageError} from '../errors.ts'
import {expand} from '../paths.ts'
import type {TextModel} from '../writer.ts'
import {chosenEndpoint} from './endpoints.ts'
import {chat, hostOf, type Endpoint} from './openai.ts'

/** `name` for people. */
export type ChosenWriter = {name: string} & ({endpoint: Endpoint} | {file: string})

/** undefined: none, and texts stay in the user's words. Throws for a choice that is none, and says who made it. */
export function chosenWriter(config: Config, env: NodeJS.ProcessEnv = process.env): ChosenWriter | undefined {
  const own = env['TINYAGENT_WRITER']
  const name = own || config.model.writer
  if (name === '') return undefined
  const endpoint = chosenEndpoint(config, name)
  if (endpoint) return {name: `${endpoint.model} at ${hostOf(endpoint)}`, endpoint}
  // A path in the environment is relative to where the user stands, one in the config to the config.
  const file = expand(name, own ? process.cwd() : path.dirname(config.file))
  if (/[\\/]|\.gguf$/.test(name) && existsSync(file)) return {name: path.basename(file, '.gguf'), file}
  const reason = `there is no such model; a GGUF file${Object.keys(config.model.endpoints).map(known => `, ${known}`).join('')}, or "" for none`
  throw own ? new UsageError(`TINYAGENT_WRITER=${name}: ${reason}`) : new ConfigError(`${config.file}: model.writer: "${name}": ${reason}`)
}

/** An answer is shorter; a longer one is not used. */
const maxTokens = 600
const anyText = 'root ::= [^\\x00]*'

/** Opens no connection yet. Throws ModelError. */
export async function openWriter(chosen: ChosenWriter, {model: {gpu, threads}}: Config): Promise<TextModel> {
  const {name} = chosen
  if ('endpoint' in chosen) return {name, text: (messages, signal) => chat(chosen.endpoint, messages, signal), close: () => Promise.resolve()}
  const {openLlama} = await import('./llama.ts')
  const model = await openLlama({modelPath: chosen.file, gpu, ...(threads > 0 && {threads})})
  if (!model.isGeneral) {
    await model.close()
    throw new ModelError(`${chosen.file} writes plans only: model.writer takes an instruct model`)
  }
  return {
    name,
    close: () => model.close(),
    async *text(messages, signal) {
      await model.begin(messages, signal)
      yield* model.line({head: '', grammar: anyText, isWhole: () => false, forecast: () => '', openings: [], maxTokens, signal})
    },
  }
}
