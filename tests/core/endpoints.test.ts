// The planner over an endpoint, against a server that stands in for those of others (tests/servers/chat-completions.ts).
import fc from 'fast-check'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {afterEach, describe, expect, test} from 'vitest'
import {openEndpoint} from '../../src/core/model/endpoints.ts'
import {chat, listModels, type Endpoint} from '../../src/core/model/openai.ts'
import {printPlan} from '../../src/core/plan-parser.ts'
import {runRequest} from '../../src/core/run.ts'
import type {Event, PlanInput, PlanPiece, PlanSummary, Tool} from '../../src/core/types.ts'
import {specs} from '../../src/tools/specs.ts'
import {checkEvents} from '../check-events.ts'
import {contentEvent, eventsOf, fakeChat, inPieces, json, stream, type ChatAnswer, type FakeChat} from '../servers/chat-completions.ts'

const key = 'sk-canary-0123456789'
const servers: FakeChat[] = []
afterEach(async () => { await Promise.all(servers.splice(0).map(s => s.stop())) })
const serve = async (answers: ChatAnswer[], options?: Parameters<typeof fakeChat>[1]): Promise<FakeChat> => {
  const server = await fakeChat(answers, options)
  servers.push(server)
  return server
}
const endpointAt = (url: string, more: Partial<Endpoint> = {}): Endpoint =>
  ({name: 'mine', url, model: 'm', auth: 'none', apiVersion: '', grammar: 'none', timeoutMs: 20_000, key: async () => key, ...more})

const now = new Date(2026, 2, 3, 9, 15)
const input = (request: string, more: Partial<PlanInput> = {}): PlanInput => ({request, now, tools: specs, signal: new AbortController().signal, ...more})

async function planned(endpoint: Endpoint, request: string, more: Partial<PlanInput> = {}): Promise<{text: string; pieces: PlanPiece[]; summary: PlanSummary}> {
  const plan = (await openEndpoint(endpoint)).plan(input(request, more))
  const pieces: PlanPiece[] = []
  for (;;) {
    const {value, done} = await plan.next()
    if (done) return {summary: value, pieces, text: pieces.map(p => 'delta' in p ? p.delta : '').join('')}
    pieces.push(value)
  }
}
const failure = async (work: Promise<unknown>): Promise<{name: string; message: string; code?: string}> => work.then(() => expect.fail('it worked'), (error: unknown) => error as Error)

const textAna = '1. get_phone_number("Ana")\n2. send_sms(["$1"], "Ich komme später, Zoë 😀")\n3. join()'

describe('a plan', () => {
  test('comes from an answer in the published form, with what the model has to know', async () => {
    const server = await serve([textAna], {key})
    const {text, summary} = await planned(endpointAt(server.url, {auth: 'bearer'}), 'text Ana: Ich komme später, Zoë 😀', {instructions: 'Always cc Sid.'})
    expect(text).toBe(textAna)
    expect(printPlan(summary.plan)).toBe(textAna)
    expect(summary).toMatchObject({promptTokens: 700, generatedTokens: 42, repairs: [], dropped: []})
    const [{body, headers} = expect.fail('nothing came')] = server.received
    expect(headers['authorization']).toBe(`Bearer ${key}`)
    expect(body).toMatchObject({model: 'm', stream: true, temperature: 0})
    expect(body.grammar).toBeUndefined()
    const [first, last] = [body.messages[0]!, body.messages.at(-1)!]
    expect(first.role).toBe('system')
    for (const {name} of specs) expect(first.content).toContain(`- ${name}(`)
    expect(first.content).toContain('Always cc Sid.')
    expect(last).toEqual({role: 'user', content: 'It is Tuesday, 2026-03-03 09:15.\nRequest: text Ana: Ich komme später, Zoë 😀'})
  })

  test('is the same however the stream is cut', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.integer({min: 1, max: 200}), {minLength: 1, maxLength: 5}), fc.constantFrom('\n', '\r\n'), fc.integer({min: 1, max: 9}), async (sizes, end, size) => {
      const server = await serve([response => inPieces(response, eventsOf(textAna, {size}).replaceAll('\n', end), sizes)])
      const {text, pieces} = await planned(endpointAt(server.url), 'text Ana')
      expect(text).toBe(textAna)
      expect(pieces.flatMap(p => 'task' in p ? [p.task.id] : [])).toEqual([1, 2])
    }), {numRuns: 12})
  })

  test('starts its first task while the rest is still to be written', async () => {
    let goOn = (): void => undefined
    const waiting = new Promise<void>(resolve => { goOn = resolve })
    const server = await serve([async response => {
      stream(response).write(contentEvent('1. get_phone_number("Ana")\n2. send_'))
      await waiting
      response.end(eventsOf('sms(["$1"], "Late")\n3. join()'))
    }])
    const plan = (await openEndpoint(endpointAt(server.url))).plan(input('text Ana: late'))
    for (;;) {
      const {value, done} = await plan.next()
      if (done) return expect.fail('it ended first')
      if ('task' in value) { expect(value.task.tool).toBe('get_phone_number'); break }
    }
    goOn()
    let tasks = 1
    for (;;) {
      const {value, done} = await plan.next()
      if (done) break
      if ('task' in value) tasks++
    }
    expect(tasks).toBe(2)
  })

  test.each([
    ['thoughts and a fence', '<think>\nThe user wants\n1. something\n</think>\n\nHere is the plan:\n```\n1. get_phone_number("Ana")\n2. join()\n```\nDo you want anything else?'],
    ['a word after the end', '1. get_phone_number("Ana")\n2. join()\n<END_OF_PLAN>\n3. send_sms(["+1"], "x")'],
    ['a thought of one line', '<think></think>1. get_phone_number("Ana")\n2. join()'],
  ])('is found between %s', async (_what, answer) => {
    const server = await serve([answer])
    expect(printPlan((await planned(endpointAt(server.url), 'Ana\'s number')).summary.plan)).toBe('1. get_phone_number("Ana")\n2. join()')
  })

  test('comes from a server that does not stream, too', async () => {
    const server = await serve([response => json(response, 200, {id: 'x', object: 'chat.completion', choices: [{index: 0, message: {role: 'assistant', content: textAna}, finish_reason: 'stop'}], usage: {prompt_tokens: 5, completion_tokens: 6}})])
    expect((await planned(endpointAt(server.url), 'text Ana')).summary).toMatchObject({promptTokens: 5, generatedTokens: 6})
  })

  test('goes to Azure by its own address and header', async () => {
    const server = await serve([textAna], {key, header: 'api-key', paths: ['/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21', '/openai/v1/chat/completions']})
    const deployment = await planned(endpointAt(server.origin, {auth: 'api-key', apiVersion: '2024-10-21', model: 'my gpt'}), 'text Ana')
    expect(deployment.text).toBe(textAna)
    expect((await planned(endpointAt(`${server.origin}/openai/v1/`, {auth: 'api-key', model: 'my gpt'}), 'text Ana')).text).toBe(textAna)
    expect(server.received.map(r => [r.headers['api-key'], r.headers['authorization']])).toEqual([[key, undefined], [key, undefined]])
  })

  test.each(['llama.cpp', 'vllm'] as const)('may be held to a grammar by %s', async grammar => {
    const server = await serve([textAna])
    await planned(endpointAt(server.url, {grammar}), 'text Ana')
    const {body} = server.received[0]!
    expect(grammar === 'vllm' ? body.structured_outputs?.grammar : body.grammar).toMatch(/^root ::= l1\n/)
  })

  test('leaves out what a model does not take', async () => {
    const refuses = (field: string, param: string | null): ChatAnswer => (response, {body}) => field in body
      ? json(response, 400, {error: {message: `Unsupported value: '${field}' does not support 0 with this model.`, type: 'invalid_request_error', param, code: 'unsupported_value'}})
      : expect.fail('it had left it out already')
    const server = await serve([refuses('temperature', 'temperature'), refuses('stream_options', null), textAna])
    expect((await planned(endpointAt(server.url), 'text Ana')).text).toBe(textAna)
    expect(server.received.map(r => Object.keys(r.body).filter(k => k !== 'model' && k !== 'messages' && k !== 'stream').sort())).toEqual([['stream_options', 'temperature'], ['stream_options'], []])
  })
})

describe('what is no plan of this request', () => {
  test.each([
    ['a tool that is not there', '1. delete_everything("/")\n2. join()', 'there is no tool "delete_everything" here'],
    ['too few arguments', '1. send_sms("hi")\n2. join()', 'send_sms takes 2 arguments, the plan gives 1'],
    ['an argument of another type', '1. create_reminder("x", "", "", "", "high", false)\n2. join()', 'priority'],
    ['a result of another type', '1. get_email_address("Ana")\n2. send_sms(["$1"], "hi")\n3. join()', 'recipients takes no result of get_email_address'],
    ['an invented address', '1. compose_new_email(["ana@example.com"], [], "Hi", "", [])\n2. join()', '"ana@example.com" is neither in the request nor a result'],
    ['a piece of an address', '1. compose_new_email(["na@example.org"], [], "Hi", "", [])\n2. join()', '"na@example.org" is neither in the request nor a result'],
    ['an invented number', '1. send_sms(["+12025550199"], "hi")\n2. join()', '"+12025550199" is neither'],
    ['a file that nobody named', '1. forward_email(["bo@example.org"], [], "", ["/etc/passwd"])\n2. join()', '"/etc/passwd" is neither'],
    ['chatter without an end', 'I think so. '.repeat(5000), 'the answer holds no plan'],
    ['a line without an end', `1. get_phone_number("${'Ana '.repeat(20_000)}`, 'it is longer than 6000 characters'],
    ['chatter', 'Sorry, I cannot help with that.', 'the answer holds no plan'],
    ['half a plan', '1. get_phone_number("Ana")', 'the plan does not end with join()'],
    ['a line in between that is no call', '1. get_phone_number("Ana")\nThen I text her.\n2. join()', 'not a numbered call'],
  ])('%s is a PlanError', async (_what, answer, reason) => {
    const server = await serve([answer])
    const error = await failure(planned(endpointAt(server.url), 'Mail ana@example.org and bo@example.org, or ring (202) 555-0101, see /home/bo/a.pdf'))
    expect(error).toMatchObject({name: 'PlanError'})
    expect(error.message).toContain(reason)
  })

  test('but what the user spelled out may stand there, as it was said', async () => {
    const answer = '1. compose_new_email(["Ana@example.org", "bo@north-gate.com"], [""], "Hi", "", ["/home/bo/a-b c.pdf"])\n2. send_sms(["2025550101", "07719"], "hi")\n3. join()'
    const server = await serve([answer])
    const {summary} = await planned(endpointAt(server.url), 'Mail ana@example.org. Also bo at north-gate dot com, with /home/bo/a-b c.pdf; text (202) 555-0101, oh double seven one nine')
    expect(summary.plan.tasks.map(t => t.tool)).toEqual(['compose_new_email', 'send_sms'])
    expect(summary.repairs).toEqual(['empty-item'])
  })

  test('is planned again with the parser\'s error, and nothing is done before', async () => {
    const server = await serve(['1. get_phone_number(Ana)\n2. join()', '1. get_phone_number("Ana")\n2. join()'])
    const looked: string[] = []
    const tools = specs.filter(s => s.name === 'get_phone_number').map((spec): Tool => ({
      ...spec, preview: async () => ({effect: 'read', title: 'Look up', fields: []}),
      run: async args => { looked.push(String(args['name'])); return {value: '+44 20 7946 0000', summary: 'Found it'} },
    }))
    const planner = await openEndpoint(endpointAt(server.url))
    const events: Event[] = []
    const {exitCode} = await runRequest({id: 'r1', text: 'Ana\'s number', now, dryRun: false}, {
      tools, planner: async () => planner, signal: new AbortController().signal, isAllowed: () => ({allowed: false}),
      retriever: async () => ({select: async (_, all) => all.map(t => ({name: t.name, score: 1})), embed: async () => []}),
    }, event => { events.push(event) })
    checkEvents(events)
    expect([exitCode, looked]).toEqual([0, ['Ana']])
    const {messages} = server.received[1]!.body
    expect(messages.at(-2)).toEqual({role: 'assistant', content: '1. get_phone_number(Ana)'})
    expect(messages.at(-1)).toEqual({role: 'user', content: expect.stringMatching(/^Your last answer cannot be used: line 1: an argument is not a value: .*\nWrite the whole plan again/)})
  })
})

describe('what goes wrong', () => {
  const wrong = async (answer: ChatAnswer, more: Partial<Endpoint> = {}): Promise<string> => {
    const server = await serve([answer])
    const error = await failure(planned(endpointAt(server.url, more), 'text Ana'))
    expect(error).toMatchObject({name: 'ModelError'})
    expect(error.message).not.toMatch(/\n/)
    expect(error.message).not.toContain(key)
    return error.message
  }

  test('a wrong key, one that is missing, and one that the server repeats', async () => {
    const server = await serve([textAna], {key: 'another'})
    const refused = await failure(planned(endpointAt(server.url, {auth: 'bearer'}), 'text Ana'))
    expect(refused.message).toMatch(/^127\.0\.0\.1:\d+ does not take the key \(HTTP 401: Incorrect API key provided: Bearer \[key\]\.\): `tinyagent setup model` asks for it again$/)
    expect((await failure(planned(endpointAt(server.url), 'text Ana'))).message).toMatch(/wants a key .*: `tinyagent setup model` asks for it$/)
    const odd = await failure(planned(endpointAt(server.url, {auth: 'bearer', key: async () => `${key}\u2026`}), 'text Ana'))
    expect(odd).toMatchObject({name: 'ModelError', message: expect.not.stringContaining(key)})
  })

  test('a model that is not there', async () => {
    const said = 'has no model "m" (HTTP 404: '
    expect(await wrong(response => json(response, 404, {error: {message: 'The model `m` does not exist', type: 'invalid_request_error', param: null, code: 'model_not_found'}}))).toContain(said) // OpenAI
    expect(await wrong(response => json(response, 404, {error: {message: 'model "m" not found, try pulling it first', type: 'api_error', param: null, code: null}}))).toContain(said) // Ollama
    expect(await wrong(response => json(response, 404, {object: 'error', message: 'The model `m` does not exist.', type: 'NotFoundError', param: null, code: 404}))).toContain(said) // vLLM, older
  })

  test('a wrong address', async () => {
    const server = await serve([textAna])
    expect((await failure(planned(endpointAt(server.origin), 'text Ana'))).message).toMatch(/has no chat completions at \/chat\/completions \(HTTP 404\): is model\.endpoints\.mine\.url right\? It mostly ends in \/v1/)
    expect(await wrong(response => { response.writeHead(200, {'content-type': 'text/html'}).end('<p>Welcome</p>') })).toMatch(/answers with something else than a chat completion: is model\.endpoints\.mine\.url right\?/)
  })

  test('nobody there', async () => {
    const server = await fakeChat([])
    await server.stop()
    expect((await failure(planned(endpointAt(server.url), 'text Ana'))).message).toMatch(/^127\.0\.0\.1:\d+ cannot be reached: nothing answers at that address\. Is the server of the model mine running\?$/)
  })

  test('no answer, and one that stops in the middle', async () => {
    expect(await wrong(() => undefined, {timeoutMs: 300})).toMatch(/gives no answer within 0\.3 seconds/)
    expect(await wrong(response => { stream(response).write(contentEvent('1. get_')) }, {timeoutMs: 300})).toMatch(/gives no answer within 0\.3 seconds/)
    expect(await wrong(response => { stream(response).write(contentEvent('1. get_'), () => response.destroy()) })).toMatch(/broke off the connection/)
    expect(await wrong(response => { stream(response).end(contentEvent('1. get_')) })).toMatch(/broke off in the middle of its answer/)
  })

  test('errors in a stream, a filter, a refusal, a limit, too many requests', async () => {
    expect(await wrong(response => { stream(response).end(`data: ${JSON.stringify({error: {code: 500, message: 'failed to process\u001b[31m', type: 'server_error'}})}\n\n`) })).toMatch(/refused the request \(failed to process\\x1b\[31m\)/)
    expect(await wrong(response => { stream(response).end(eventsOf('1. ', {reason: 'content_filter'})) })).toMatch(/refuses this request \(its content filter\)/)
    expect(await wrong(response => json(response, 200, {choices: [{index: 0, message: {role: 'assistant', content: null, refusal: 'I will not.'}, finish_reason: 'stop'}]}))).toMatch(/refuses this request \(I will not\.\)/)
    expect(await wrong(response => { stream(response).end(eventsOf('1. get_', {reason: 'length'})) })).toMatch(/was cut off: the prompt and the plan need more tokens/)
    expect(await wrong(response => json(response, 429, {error: {message: 'You exceeded your current quota', type: 'insufficient_quota', param: null, code: 'insufficient_quota'}}))).toMatch(/takes no more requests for now \(HTTP 429: You exceeded your current quota\)/)
    expect(await wrong(response => json(response, 503, {error: {code: 503, message: 'Loading model', type: 'unavailable_error'}}))).toMatch(/HTTP 503: Loading model\): it may still be loading the model/)
    expect(await wrong(response => json(response, 400, {detail: "Server is pinned to 'a'; requested 'm'."}))).toMatch(/refused the request \(HTTP 400: Server is pinned to 'a'; requested 'm'\.\)$/) // FastAPI's form
    expect(await wrong(response => { stream(response).end('data: {"choices": 5}\n\n') })).toMatch(/something else than a chat completion/)
    expect(await wrong(response => { stream(response).end(contentEvent('x'.repeat(500_000))) })).toMatch(/something else than a stream of events|does not stop writing/)
  })

  test('a redirect is not followed: no other host gets the key or the request', async () => {
    const visitors: string[] = []
    const other = createServer((request, response) => { visitors.push(request.url ?? ''); response.end() })
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    const location = `http://localhost:${(other.address() as AddressInfo).port}/v1/chat/completions`
    const message = await wrong(response => { response.writeHead(307, {location}).end() }, {auth: 'bearer'})
    expect(message).toMatch(/sends the request on to another address, which is not followed/)
    expect(visitors).toEqual([])
    other.close()
  })

  test('an abort ends the request', async () => {
    const server = await serve([response => { stream(response).write(contentEvent('1. get_phone_number("Ana")\n2. ')) }])
    const controller = new AbortController()
    const plan = (await openEndpoint(endpointAt(server.url))).plan(input('text Ana', {signal: controller.signal}))
    let value = await plan.next()
    while (!value.done && !('task' in value.value)) value = await plan.next()
    const next = plan.next()
    controller.abort()
    await expect(next).rejects.toMatchObject({name: 'AbortError'})
    await server.closedEarly
  })

  test('who leaves early ends the request, too', async () => {
    const server = await serve([response => { stream(response).write(contentEvent('OK')) }])
    for await (const text of chat(endpointAt(server.url), [{role: 'user', content: 'Say OK.'}], new AbortController().signal)) { expect(text).toBe('OK'); break }
    await server.closedEarly
  })
})

test('the list of models is asked for with the key', async () => {
  const server = await serve([], {key, models: ['a', 'b']})
  expect(await listModels(endpointAt(server.url, {auth: 'bearer'}), new AbortController().signal)).toEqual(['a', 'b'])
  expect(await listModels(endpointAt(`${server.origin}/nowhere`, {auth: 'bearer'}), new AbortController().signal)).toBeUndefined()
  expect(await failure(listModels(endpointAt(server.url), new AbortController().signal))).toMatchObject({name: 'ModelError', message: expect.stringContaining('wants a key')})
})
