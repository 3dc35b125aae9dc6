// A model behind the Chat Completions API of OpenAI, as llama.cpp, Ollama, LM Studio, vLLM and Azure have it too (platform.openai.com/docs/
// api-reference/chat; learn.microsoft.com/azure/ai-services/openai/reference): messages -> the answer's text, as it is streamed.
// Redirects are refused, so that the key and the request go to the host that was configured and to no other.
import {createParser} from 'eventsource-parser'
import {z} from 'zod'
import {ModelError, reasonOf} from '../errors.ts'
import {failureOf, networkReasons} from '../network.ts'
import {oneLine} from '../text.ts'
import {timeLimit} from '../time-limit.ts'

export interface ChatMessage { role: 'system' | 'user' | 'assistant'; content: string }

export interface Endpoint {
  /** what the user calls it */
  name: string
  /** "https://api.openai.com/v1"; of Azure with a version, the resource's own address */
  url: string
  /** the model's name there; Azure: the deployment's */
  model: string
  /** how the key is sent; `none`: there is none */
  auth: 'none' | 'bearer' | 'api-key'
  /** Azure's `api-version`, with which its deployments have addresses of their own; '' for everything else */
  apiVersion: string
  /** in which field a grammar goes; `none`: it is not sent */
  grammar: 'none' | 'llama.cpp' | 'vllm'
  /** milliseconds without a byte of an answer: a local model may have to be loaded first */
  timeoutMs: number
  /** asked for at each request, so that a program which prints it is started when it is needed; not with `none` */
  key(signal: AbortSignal): Promise<string>
}

export interface ChatUsage { promptTokens: number; generatedTokens: number }

/** An answer that is longer than this is no plan, thoughts included. */
const maxCharacters = 200_000
const maxErrorCharacters = 20_000

const chunkSchema = z.object({
  choices: z.array(z.object({
    delta: z.object({content: z.string().nullish(), refusal: z.string().nullish()}).nullish(),
    message: z.object({content: z.string().nullish(), refusal: z.string().nullish()}).nullish(),
    finish_reason: z.string().nullish(),
  })).default([]),
  usage: z.object({prompt_tokens: z.number(), completion_tokens: z.number().default(0)}).nullish(),
})
/** OpenAI's and most; Ollama's own; FastAPI's; gateways'. */
const errorSchema = z.object({
  error: z.union([z.string(), z.object({message: z.string().nullish(), code: z.union([z.string(), z.number()]).nullish(), param: z.string().nullish()})]).nullish(),
  message: z.string().nullish(), detail: z.unknown().optional(),
})
const modelsSchema = z.object({data: z.array(z.object({id: z.string()}))})

export const hostOf = ({url}: Pick<Endpoint, 'url'>): string => new URL(url).host

function addressOf({url, apiVersion, model}: Endpoint, path: string): string {
  const base = url.replace(/\/+$/, '')
  if (apiVersion === '') return `${base}/${path}`
  return `${base.replace(/\/openai$/, '')}/openai/deployments/${encodeURIComponent(model)}/${path}?${new URLSearchParams({'api-version': apiVersion})}`
}

/**
 * Yields the answer's text as it comes. To leave it early ends the request, and with most servers the writing. Throws ModelError with what
 * to do; the reason of `signal` when that aborts.
 */
export async function* chat(endpoint: Endpoint, messages: ChatMessage[], signal: AbortSignal, grammar?: string): AsyncGenerator<string, ChatUsage> {
  const key = await keyOf(endpoint, signal)
  const stop = new AbortController()
  const limit = timeLimit(endpoint.timeoutMs, 0, AbortSignal.any([signal, stop.signal]))
  const usage: ChatUsage = {promptTokens: 0, generatedTokens: 0}
  let hasEnded = false
  let length = 0
  /** The text of one chunk, or of a whole answer. */
  const read = (data: string): string => {
    const json = parsed(data)
    const said = errorSchema.safeParse(json)
    if (said.success && said.data.error) throw refused(endpoint, undefined, said.data, key)
    const chunk = chunkSchema.safeParse(json)
    if (!chunk.success) throw new ModelError(`${hostOf(endpoint)} answers with something else than a chat completion: is model.endpoints.${endpoint.name}.url right?`)
    if (chunk.data.usage) Object.assign(usage, {promptTokens: chunk.data.usage.prompt_tokens, generatedTokens: chunk.data.usage.completion_tokens})
    const [choice] = chunk.data.choices
    const part = choice?.delta ?? choice?.message
    if (choice?.finish_reason) hasEnded = true
    if (choice?.finish_reason === 'content_filter' || part?.refusal) throw new ModelError(`${endpoint.model} at ${hostOf(endpoint)} refuses this request${part?.refusal ? ` (${words(part.refusal, key)})` : ' (its content filter)'}`)
    if (choice?.finish_reason === 'length') throw new ModelError(`${endpoint.model} at ${hostOf(endpoint)} was cut off: the prompt and the plan need more tokens than its server allows (its context length)`)
    const text = part?.content ?? ''
    length += text.length
    if (length > maxCharacters) throw new ModelError(`${endpoint.model} at ${hostOf(endpoint)} does not stop writing`)
    return text
  }
  try {
    const response = await post(endpoint, messages, key, grammar, limit.signal)
    limit.renew()
    if (!response.body) throw new ModelError(`${hostOf(endpoint)} answers with nothing`)
    if (!response.headers.get('content-type')?.includes('text/event-stream')) {
      // A server that does not stream.
      yield read(await response.text())
      return usage
    }
    let events: string[] = []
    let isFlawed = false
    const parser = createParser({onEvent: event => events.push(event.data), onError: error => { isFlawed ||= error.type === 'max-buffer-size-exceeded' }, maxBufferSize: maxCharacters})
    const decoder = new TextDecoder()
    for await (const bytes of response.body) {
      limit.renew()
      parser.feed(decoder.decode(bytes as Uint8Array, {stream: true}))
      if (isFlawed) throw new ModelError(`${hostOf(endpoint)} answers with something else than a stream of events`)
      for (const data of events) {
        if (data.trim() === '[DONE]') return usage
        const text = read(data)
        if (text !== '') yield text
      }
      events = []
    }
    if (!hasEnded) throw new ModelError(`${hostOf(endpoint)} broke off in the middle of its answer: try again`)
    return usage
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ModelError) throw error
    if (limit.signal.aborted) throw new ModelError(`${hostOf(endpoint)} gives no answer within ${endpoint.timeoutMs / 1000} seconds: is the model too large for the machine? model.endpoints.${endpoint.name}.timeout allows more`, error)
    throw unreachable(endpoint, error, key)
  } finally {
    limit.end()
    stop.abort()
  }
}

/** Those that a server or a model may not know; each is left out once it is refused by name. Greedy, as the embedded planner is. */
const optionalFields = {temperature: 0, stream_options: {include_usage: true}}

async function post(endpoint: Endpoint, messages: ChatMessage[], key: string, grammar: string | undefined, signal: AbortSignal): Promise<Response> {
  const optional: Record<string, unknown> = {
    ...optionalFields,
    ...(grammar !== undefined && endpoint.grammar === 'llama.cpp' && {grammar}),
    ...(grammar !== undefined && endpoint.grammar === 'vllm' && {structured_outputs: {grammar}}),
  }
  for (;;) {
    const response = await fetch(addressOf(endpoint, 'chat/completions'), {
      method: 'POST', redirect: 'error', signal, headers: {...headersOf(endpoint, key), 'content-type': 'application/json', accept: 'text/event-stream, application/json'},
      body: JSON.stringify({model: endpoint.model, messages, stream: true, ...optional}),
    })
    if (response.ok) return response
    const said = errorSchema.safeParse(parsed((await response.text()).slice(0, maxErrorCharacters)))
    const problem = said.success ? said.data : undefined
    const unknown = Object.keys(optional).find(field => (response.status === 400 || response.status === 422) && problem && namesField(problem, field))
    if (unknown === undefined) throw refused(endpoint, response.status, problem, key)
    delete optional[unknown]
  }
}

type Problem = z.infer<typeof errorSchema>
const messageOf = ({error, message, detail}: Problem): string =>
  (typeof error === 'string' ? error : error?.message) || message || (typeof detail === 'string' ? detail : detail === undefined ? '' : JSON.stringify(detail))
const namesField = (problem: Problem, field: string): boolean =>
  typeof problem.error === 'object' && problem.error?.param === field || new RegExp(`\\b${field}\\b`).test(messageOf(problem))

/** What a server says, short, on one line, and without the key that it may repeat. */
const words = (text: string, key: string): string => oneLine(key === '' ? text : text.replaceAll(key, '[key]')).slice(0, 300)

/** `status` undefined: it was said in the middle of an answer. */
function refused(endpoint: Endpoint, status: number | undefined, problem: Problem | undefined, key: string): ModelError {
  const {name, model, auth} = endpoint
  const host = hostOf(endpoint)
  const code = problem && typeof problem.error === 'object' ? problem.error?.code : undefined
  const message = problem ? words(messageOf(problem), key) : ''
  const said = [status === undefined ? '' : `HTTP ${status}`, message].filter(Boolean).join(': ')
  const why = said === '' ? '' : ` (${said})`
  if (status === 401 || status === 403) {
    return new ModelError(auth === 'none'
      ? `${host} wants a key${why}: \`tinyagent setup model\` asks for it`
      : `${host} does not take the key${why}: \`tinyagent setup model\` asks for it again`)
  }
  if (code === 'model_not_found' || code === 'DeploymentNotFound' || /\bmodel\b.*\b(?:not found|does not exist|not exist|unknown)|\b(?:unknown|no such|invalid) model\b/i.test(message)) {
    return new ModelError(`${host} has no model "${model}"${why}: model.endpoints.${name}.model names another; \`tinyagent doctor\` lists what it has`)
  }
  if (status === 404 || status === 405) return new ModelError(`${host} has no chat completions at ${new URL(addressOf(endpoint, 'chat/completions')).pathname}${why}: is model.endpoints.${name}.url right? It mostly ends in /v1`)
  if (status === 429) return new ModelError(`${host} takes no more requests for now${why}`)
  return new ModelError(`${host} refused the request${why}${status === 503 ? ': it may still be loading the model' : ''}`)
}

function unreachable(endpoint: Endpoint, error: unknown, key: string): ModelError {
  const {code} = failureOf(error)
  const host = hostOf(endpoint)
  if (code === 'EOFFLINE') return new ModelError(`--offline makes no connection, and the model ${endpoint.name} is at ${host}: leave out one of the two`, error)
  if (error instanceof Error && /redirect/.test(error.cause instanceof Error ? error.cause.message : error.message)) return new ModelError(`${host} sends the request on to another address, which is not followed: put that one into model.endpoints.${endpoint.name}.url`, error)
  if (code === 'ECONNREFUSED') return new ModelError(`${host} cannot be reached: ${networkReasons[code]}. Is the server of the model ${endpoint.name} running?`, error)
  if (networkReasons[code]) return new ModelError(`${host} cannot be reached: ${networkReasons[code]}`, error)
  const reason = code || (error instanceof Error && error.cause instanceof Error ? words(error.cause.message, key) : '')
  return new ModelError(`${host} broke off the connection${reason ? ` (${reason})` : ''}: try again`, error)
}

/** A key that fetch refuses would stand in its error. */
async function keyOf(endpoint: Endpoint, signal: AbortSignal): Promise<string> {
  if (endpoint.auth === 'none') return ''
  let key: string
  try {
    key = (await endpoint.key(signal)).trim()
  } catch (error) {
    signal.throwIfAborted()
    throw new ModelError(reasonOf(error), error)
  }
  if (!/^[\x21-\x7e]+$/.test(key)) throw new ModelError(`The key of the model ${endpoint.name} holds characters that no key has: \`tinyagent setup model\` asks for it again`)
  return key
}

const headersOf = ({auth}: Endpoint, key: string): Record<string, string> =>
  auth === 'none' ? {} : auth === 'bearer' ? {authorization: `Bearer ${key}`} : {'api-key': key}

function parsed(text: string): unknown {
  try { return JSON.parse(text) } catch { return undefined }
}

/** The names of the models there (GET /models); undefined where the server has no such list. Throws ModelError. */
export async function listModels(endpoint: Endpoint, signal: AbortSignal): Promise<string[] | undefined> {
  if (endpoint.apiVersion !== '') return undefined // Azure lists what could be deployed, not what is
  const key = await keyOf(endpoint, signal)
  const limit = AbortSignal.timeout(endpoint.timeoutMs)
  try {
    const response = await fetch(addressOf(endpoint, 'models'), {redirect: 'error', headers: headersOf(endpoint, key), signal: AbortSignal.any([signal, limit])})
    const json = parsed(await response.text())
    if (response.status === 404 || response.status === 405 || response.status === 501) return undefined
    if (!response.ok) {
      const said = errorSchema.safeParse(json)
      throw refused(endpoint, response.status, said.success ? said.data : undefined, key)
    }
    const models = modelsSchema.safeParse(json)
    return models.success ? models.data.data.map(m => m.id) : undefined
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ModelError) throw error
    if (limit.aborted) throw new ModelError(`${hostOf(endpoint)} gives no answer within ${endpoint.timeoutMs / 1000} seconds`, error)
    throw unreachable(endpoint, error, key)
  }
}
