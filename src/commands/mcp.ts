// `tinyagent mcp`: tinyagent as an MCP server on standard input and output. Its own tools and its planner for other agents; what
// would be asked here is asked there, by elicitation, and refused where the client has none. A call goes the one path of every
// request (core/run.ts), with its journal.
import {createHash} from 'node:crypto'
import {CLIENT_CAPABILITIES_META_KEY, inputRequired, inputResponse, McpServer, type CallToolResult, type InputRequest, type InputRequiredResult, type ServerContext} from '@modelcontextprotocol/server'
import {serveStdio} from '@modelcontextprotocol/server/stdio'
import {z} from 'zod'
import {errorInfo, UsageError} from '../core/errors.ts'
import {paramsOf} from '../core/params.ts'
import {oneLine, printable} from '../core/text.ts'
import type {Answer, Arg, Confirm, ErrorInfo, Event, Json, Kind, Planner, Preview, Question, Result, Tool} from '../core/types.ts'
import {specs} from '../tools/specs.ts'
import {packageVersion} from '../version.ts'
import {tellCutOff} from './cut-off.ts'
import {planOf} from './plan.ts'
import {checkRequest} from './request.ts'
import {runOne} from './run-one.ts'
import type {Session} from './session.ts'

export async function mcpCommand(session: Session, signal: AbortSignal): Promise<number> {
  // A word on one request, and here there is no telling how many come.
  if (session.options.yes) throw new UsageError('--yes does not go with mcp: the client asks its user about each step; confirm.policy in the config allows a tool')
  if (process.stdin.isTTY) process.stderr.write('This speaks MCP on standard input and output: another program starts it, as {"command": "tinyagent", "args": ["mcp"]}. Ctrl-C ends it.\n')
  const {tools} = await session.tools()
  const own = tools.filter(tool => specs.some(s => s.name === tool.name))
  const ended = new Promise<void>(resolve => {
    process.stdin.once('end', resolve).once('close', resolve)
    signal.addEventListener('abort', () => resolve(), {once: true})
  })
  const news: CutOffNews = {
    lines: [],
    told: () => told ??= tellCutOff(session, line => { console.error('%s', line); news.lines.push(line) }, signal).told,
  }
  let told: Promise<void> | undefined
  const handle = serveStdio(() => openMcpServer(own, session, news), {onerror: error => console.error('%s', oneLine(error.message))})
  await ended
  await handle.close()
  await told
  return signal.aborted ? 130 : 0
}

/**
 * What became of a step that an earlier run was cut off in: on standard error, and with the first card or answer, which people see. It is
 * looked into by the first call: a client may start us only to see which protocol we speak, and nobody reads what is said then.
 */
interface CutOffNews { /** not passed on yet */ lines: string[]; told(): Promise<void> }

function openMcpServer(tools: Tool[], session: Session, news: CutOffNews): McpServer {
  const server = new McpServer({name: 'tinyagent', version: packageVersion()}, {
    instructions: 'Tools of the person at this machine: contacts, calendar, reminders, notes, mail, text messages, files, maps. Times may be words ("tomorrow at 3pm"). Steps that cannot be taken back are confirmed by the person.',
  })
  for (const tool of tools) {
    server.registerTool(tool.name, {
      description: tool.description, inputSchema: inputOf(tool),
      annotations: {readOnlyHint: tool.effect === 'read', destructiveHint: tool.effect === 'outward', openWorldHint: tool.effect === 'outward'},
    }, (args, context) => call(tool, args as Record<string, Json>, server, context, {session, news})) // checked against the schema
  }
  // One model, one plan at a time.
  let last: Promise<unknown> = Promise.resolve()
  server.registerTool('plan', {
    description: 'Plan a request in plain English with these tools. Nothing runs: the answer is the plan.',
    inputSchema: z.object({request: z.string().min(1).describe('what the person wants, in their words')}),
    annotations: {readOnlyHint: true, openWorldHint: false},
  }, ({request}, context): Promise<CallToolResult> => {
    const next = last.then(async () => {
      try {
        const object = await planOf(checkRequest(request), session, context.mcpReq.signal)
        return {content: [{type: 'text' as const, text: printable(object.plan)}], structuredContent: {...object}}
      } catch (error) {
        return failed(errorInfo(error))
      }
    })
    last = next
    return next
  })
  return server
}

const hints: Partial<Record<Kind, string>> = {
  person: 'a name to look up', address: 'an e-mail address', phone: 'a phone number', file: 'a file as the person names it', path: 'an absolute path',
  place: 'a place; "" where none is meant', when: 'a date or time: "2026-03-03 15:00:00", "2026-03-03", or words such as "tomorrow at 3pm"',
  until: 'its end: a time, or a duration such as "45 minutes"; "" for the default', minutes: 'minutes; 0 for the default',
  label: 'the name of a folder, list or calendar; "" for the default', text: 'text', title: 'a short text', 'all-day': 'true for a day without a time',
}

function inputOf(tool: Tool): z.ZodObject {
  return z.object(Object.fromEntries(paramsOf(tool).map(({name, kind, list}) => {
    const schema = tool.args.shape[name] as z.ZodType // paramsOf reads the same shape
    const hint = hints[kind]
    return [name, hint === undefined ? schema : schema.describe(list ? `list, may be empty: ${hint}` : hint)]
  })))
}

/**
 * One call. The person is asked between two runs of it: the first ends before anything is done and gives the client the
 * question, the second has the answer, and does what was shown then or asks again.
 */
async function call(tool: Tool, args: Record<string, Json>, server: McpServer, context: ServerContext, {session, news}: {session: Session; news: CutOffNews}): Promise<CallToolResult | InputRequiredResult> {
  const {signal, envelope, inputResponses} = context.mcpReq
  const capabilities = ((envelope as Record<string, unknown> | undefined)?.[CLIENT_CAPABILITIES_META_KEY] ?? server.server.getClientCapabilities()) as {elicitation?: {form?: object; url?: object}} | undefined // read by the SDK
  const canAsk = capabilities?.elicitation !== undefined && (capabilities.elicitation.form !== undefined || capabilities.elicitation.url === undefined)
  const questions: Record<string, InputRequest> = {}
  const keyOf = (what: unknown): string => createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 16)
  const answerTo = (what: unknown, message: string, schema: z.ZodObject): Record<string, unknown> | 'no' | undefined => {
    const key = keyOf(what)
    const view = inputResponse(inputResponses, key)
    if (view.kind === 'elicit') return view.action === 'accept' ? view.content ?? {} : 'no'
    questions[key] = inputRequired.elicit({message, requestedSchema: schema})
    return undefined
  }
  const confirm: Confirm = async preview => {
    const answer = answerTo(preview, [...news.lines.splice(0), card(preview)].join('\n\n'), z.object({confirm: z.boolean().describe('true does it; false leaves it')}))
    return typeof answer === 'object' && answer['confirm'] === true ? 'yes' : 'skip'
  }
  const ask = async (question: Question): Promise<Answer> => {
    const schema = question.type === 'pick' ? z.enum(question.candidates.map(c => c.value)) : z.string().min(1).describe(question.placeholder ?? question.title)
    const message = question.type === 'pick' ? [question.title, ...question.candidates.map(c => `${c.value}: ${c.label}${c.detail === undefined ? '' : `, ${c.detail}`}`)].join('\n') : question.title
    const answer = answerTo(question, printable(message), z.object({answer: schema}))
    return typeof answer === 'object' && typeof answer['answer'] === 'string' ? {value: answer['answer']} : undefined
  }

  let done: Result | undefined
  let error: ErrorInfo | undefined
  let skipped: string | undefined
  const emit = (event: Event): void => {
    if (event.type === 'task-done') done = event.result
    else if (event.type === 'task-failed' || event.type === 'error') error = event.error
    else if (event.type === 'task-skipped') skipped = event.reason
  }
  const fixed: Session = {
    ...session,
    tools: async () => ({...await session.tools(), tools: [tool]}),
    retriever: async () => ({select: async () => [{name: tool.name, score: 1}], embed: async (texts, stop) => (await session.retriever()).embed(texts, stop)}),
    planner: async () => oneCall(tool, args),
  }
  await runOne(`${tool.name}, called over MCP`, fixed, {emit, signal, dryRun: false, beforeCard: news.told(), ...(canAsk && {confirm, ask})})
  if (done) return {content: [...news.lines.splice(0), ...new Set([done.summary, done.value])].map(text => ({type: 'text', text: printable(text)})), structuredContent: {...done}}
  if (Object.keys(questions).length > 0) return inputRequired({inputRequests: questions})
  if (error) return failed(error)
  return failed(skipped === 'nobody'
    ? {code: 'refused', message: 'The person has to confirm this step, and this client cannot ask (it has no elicitation). Nothing was done'}
    : {code: 'refused', message: skipped === 'user' ? 'The person said no. Nothing was done' : 'It was stopped. Nothing was done'})
}

const failed = ({code, message, candidates}: ErrorInfo): CallToolResult =>
  ({isError: true, content: [{type: 'text', text: printable(`${message} (${code})`)}], ...(candidates && {structuredContent: {candidates}})})

/** A planner that has its plan already. */
const oneCall = (tool: Tool, args: Record<string, Json>): Planner => ({
  name: 'mcp',
  close: () => Promise.resolve(),
  async *plan() {
    const task = {id: 1, tool: tool.name, args: paramsOf(tool).map(p => args[p.name] as Arg), dependsOn: []} // checked against the schema
    yield {task}
    return {plan: {tasks: [task]}, repairs: [], dropped: [], promptTokens: 0, generatedTokens: 0}
  },
})

/** Everything that the dialog shows, as text. */
function card({title, fields, body, attachments = [], notice}: Preview): string {
  return printable([
    title, '',
    ...fields.map(({label, value}) => `${label}: ${Array.isArray(value) ? value.join(', ') : value}`),
    ...attachments.map(a => `Attached: ${a.path} (${a.bytes} bytes, ${a.type})${a.from === undefined ? '' : `, ${a.from}`}`),
    ...(body ? ['', body.text] : []), ...(notice === undefined ? [] : ['', notice]),
  ].join('\n'))
}
