// A stand-in for servers with OpenAI's Chat Completions API: checks what it gets against the published schema (CreateChatCompletionRequest,
// github.com/openai/openai-openapi; Azure's REST reference for its addresses and header) and streams CreateChatCompletionStreamResponse. It is
// no model: a test says what it answers.
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {z} from 'zod'

const requestSchema = z.strictObject({
  model: z.string(),
  messages: z.array(z.strictObject({role: z.enum(['system', 'user', 'assistant']), content: z.string().min(1)})).min(1),
  stream: z.literal(true),
  stream_options: z.strictObject({include_usage: z.boolean()}).optional(),
  temperature: z.number().min(0).max(2).optional(),
  // Not OpenAI's: llama.cpp's (tools/server/README.md) and vLLM's (docs.vllm.ai, structured outputs).
  grammar: z.string().optional(),
  structured_outputs: z.strictObject({grammar: z.string()}).optional(),
})
export type ChatRequest = z.infer<typeof requestSchema>

export interface Received { path: string; headers: IncomingMessage['headers']; body: ChatRequest }
/** Text that is streamed; or whatever the test does with the response. */
export type ChatAnswer = string | ((response: ServerResponse, request: Received) => void | Promise<void>)

export interface FakeChat {
  url: string
  origin: string
  received: Received[]
  /** requests whose connection was closed before they were answered */
  closedEarly: Promise<void>
  stop(): Promise<void>
}

const event = (part: object): string => `data: ${JSON.stringify({id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1700000000, model: 'm', ...part})}\n\n`
export const contentEvent = (content: string): string => event({choices: [{index: 0, delta: {content}, logprobs: null, finish_reason: null}]})

/** The stream of an answer: the role first, then the text in pieces, the reason why it ended, the usage, [DONE]. */
export const eventsOf = (text: string, {size = 3, reason = 'stop'} = {}): string => [
  ': keep-alive\n\n',
  event({choices: [{index: 0, delta: {role: 'assistant', content: '', refusal: null}, finish_reason: null}]}),
  ...(text.match(new RegExp(`[^]{1,${size}}`, 'gu')) ?? []).map(contentEvent),
  event({choices: [{index: 0, delta: {}, finish_reason: reason}]}),
  event({choices: [], usage: {prompt_tokens: 700, completion_tokens: 42, total_tokens: 742}}),
  'data: [DONE]\n\n',
].join('')

export const stream = (response: ServerResponse): ServerResponse => response.writeHead(200, {'content-type': 'text/event-stream; charset=utf-8'})
export const json = (response: ServerResponse, status: number, body: unknown): void => { response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(body)) }

/** Writes the bytes in pieces of these sizes, over and over: borders fall into events, lines and characters. */
export async function inPieces(response: ServerResponse, text: string, sizes: number[]): Promise<void> {
  stream(response)
  response.socket?.setNoDelay(true)
  const bytes = Buffer.from(text)
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? 1)
    await new Promise<void>(resolve => { response.write(bytes.subarray(at, at + size), () => resolve()) })
    await new Promise(resolve => setImmediate(resolve)) // its own packet
    at += size
  }
  response.end()
}

/** Answers in order; the last one again and again. `key`: what the header has to hold. */
export async function fakeChat(answers: ChatAnswer[], options: {key?: string; header?: 'authorization' | 'api-key'; models?: string[]; paths?: string[]} = {}): Promise<FakeChat> {
  const {key, header = 'authorization', models = ['m'], paths = ['/v1/chat/completions']} = options
  const received: Received[] = []
  let close: () => void
  const closedEarly = new Promise<void>(resolve => { close = resolve })
  const server = createServer((request, response) => {
    response.on('close', () => { if (!response.writableFinished) close() })
    void (async () => {
      const wanted = header === 'authorization' ? `Bearer ${key}` : key
      if (key !== undefined && request.headers[header] !== wanted) {
        request.resume()
        return json(response, 401, {error: {message: `Incorrect API key provided: ${String(request.headers[header])}.`, type: 'invalid_request_error', param: null, code: 'invalid_api_key'}})
      }
      if (request.method === 'GET' && request.url === '/v1/models') return json(response, 200, {object: 'list', data: models.map(id => ({id, object: 'model', created: 1, owned_by: 'x'}))})
      if (request.method !== 'POST' || !paths.includes(request.url ?? '')) {
        request.resume()
        response.writeHead(404, {'content-type': 'text/html'}).end('<h1>404 page not found</h1>')
        return
      }
      let text = ''
      for await (const chunk of request) text += String(chunk)
      const body = requestSchema.safeParse(JSON.parse(text))
      if (!body.success || request.headers['content-type'] !== 'application/json') return json(response, 400, {error: {message: z.prettifyError(body.error ?? new z.ZodError([])), type: 'invalid_request_error', param: null, code: null}})
      const one: Received = {path: request.url ?? '', headers: request.headers, body: body.data}
      const answer = answers[Math.min(received.push(one), answers.length) - 1] ?? ''
      if (typeof answer === 'string') stream(response).end(eventsOf(answer))
      else await answer(response, one)
    })()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // a TCP server's
  return {
    url: `${origin}/v1`, origin, received, closedEarly,
    stop: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
