// One MCP server: started or reached when it is first needed, spoken to with time limits and limits on size, and ended with
// everything that it has started. What it says is text of a stranger.
import {Client, extractWWWAuthenticateParams, ProtocolError, ReadBuffer, SdkError, SdkErrorCode, serializeMessage, StreamableHTTPClientTransport, type CallToolResult, type Tool as McpTool, type Transport} from '@modelcontextprotocol/client'
import {getDefaultEnvironment} from '@modelcontextprotocol/client/stdio'
import {isAbort, reasonOf, ToolError, UsageError} from '../../core/errors.ts'
import {accompany, type Companion} from '../../core/exec.ts'
import {failureOf} from '../../core/network.ts'
import {oneLine} from '../../core/text.ts'
import type {Json} from '../../core/types.ts'
import type {SecretConfig} from '../../core/secrets.ts'
import {hasOwnToken, type McpServer} from './servers.ts'
import {tokensFor} from './tokens.ts'

/** A package runner may have to download the server when it starts for the first time. */
const startMs = 50_000
const callMs = 55_000
/** A server of the newest protocol answers this at once; older ones answer with an error or not at all. */
const probeMs = 3_000
/** of one message; and of everything between two requests of ours, so that a flood ends */
const maxMessage = 8 * 1024 * 1024
const maxUnasked = 32 * 1024 * 1024
const maxTools = 1_000

export interface Connection {
  /** Throws ToolError 'unavailable' where it does not start or answer. */
  tools(signal: AbortSignal): Promise<McpTool[]>
  /** Throws ToolError; `isError` in the result is for the caller. */
  call(tool: string, args: Record<string, Json>, options: {signal: AbortSignal; progress(message: string, fraction?: number): void}): Promise<CallToolResult>
  /** What is only read or filled in: for /mcp. `limits` are for each request of the work. Throws ToolError, or what the work throws of ours. */
  use<T>(work: (client: Client, limits: {signal: AbortSignal; timeout: number}) => Promise<T>, signal: AbortSignal): Promise<T>
  close(): Promise<void>
}

export interface ConnectionDeps {
  /** of tinyagent, told to the server */
  version: string
  /** where its tokens are, if it wants a sign-in */
  secrets: SecretConfig
  /** its tools may be others now: the server says so, or has ended */
  onChanged(): void
}

/** `server` with its variables filled in. Nothing is started yet. */
export function openConnection(server: McpServer, deps: ConnectionDeps): Connection {
  let open: Promise<Live> | undefined
  const closing = new AbortController()
  const live = async (signal: AbortSignal): Promise<Live> => {
    const mine = open ??= start(server, deps, closing.signal).then(made => {
      // The next call starts it again, and it may have other tools by then.
      made.onEnd = () => { if (open === mine) open = undefined; deps.onChanged() }
      return made
    })
    mine.catch(() => { if (open === mine) open = undefined })
    signal.throwIfAborted()
    let onAbort = (): void => undefined
    const aborted = new Promise<never>((_, reject) => { onAbort = () => reject(signal.reason as Error) })
    signal.addEventListener('abort', onAbort, {once: true})
    try { return await Promise.race([mine, aborted]) } finally { signal.removeEventListener('abort', onAbort) }
  }
  const ask = async <T>(signal: AbortSignal, isEffect: boolean, work: (live: Live) => Promise<T>): Promise<T> => {
    let now: Live | undefined
    try {
      now = await live(signal)
      now.asked()
      return await work(now)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw now ? failure(server.name, error, isEffect, await now.lastWords()) : error
    }
  }
  const limits = (signal: AbortSignal): {signal: AbortSignal; timeout: number} => ({signal, timeout: server.timeoutMs ?? callMs})
  return {
    // Of a server without tools the SDK would write to standard output.
    tools: signal => ask(signal, false, async ({client}) => client.getServerCapabilities()?.tools ? (await client.listTools(undefined, {...limits(signal), cacheMode: 'refresh'})).tools.slice(0, maxTools) : []),
    call: (tool, args, {signal, progress}) => ask(signal, true, ({client}) => client.callTool({name: tool, arguments: args}, {
      ...limits(signal),
      onprogress: ({progress: done, total, message}) => progress(oneLine(message ?? 'at work').slice(0, 200), total !== undefined && total > 0 ? Math.min(1, Math.max(0, done / total)) : undefined),
    })),
    use: (work, signal) => ask(signal, false, ({client}) => work(client, limits(signal))),
    async close() {
      closing.abort()
      const last = await open?.catch(() => undefined)
      open = undefined
      await last?.close()
    },
  }
}

interface Live {
  client: Client
  /** a request goes out: what comes back is asked for */
  asked(): void
  /** how it ended and what it said last, where it has ended */
  lastWords(): Promise<string>
  onEnd(): void
  close(): Promise<void>
}

async function start(server: McpServer, deps: ConnectionDeps, closing: AbortSignal): Promise<Live> {
  try {
    return await connect(server, deps, 'auto', closing)
  } catch (error) {
    closing.throwIfAborted()
    // Some servers of the older protocol end at a message that they do not know.
    if (server.type === 'stdio' && error instanceof Ended) return connect(server, deps, 'legacy', closing)
    throw error
  }
}

/** The server went away before it was ready. */
class Ended extends ToolError {}

async function connect(server: McpServer, deps: ConnectionDeps, mode: 'auto' | 'legacy', closing: AbortSignal): Promise<Live> {
  const transport = server.type === 'stdio' ? await openPipes(server) : openHttp(server, deps.secrets)
  const client = new Client({name: 'tinyagent', version: deps.version}, {
    capabilities: {},
    versionNegotiation: {mode, probe: {timeoutMs: probeMs}},
    listChanged: {tools: {autoRefresh: false, onChanged: () => deps.onChanged()}},
  })
  let isClosing = false
  const live: Live = {
    client, asked: () => transport.asked(), lastWords: () => transport.lastWords(), onEnd: () => undefined,
    async close() {
      isClosing = true
      await client.close().catch(() => undefined)
      await transport.close()
    },
  }
  client.onclose = () => { if (!isClosing) live.onEnd() }
  // Whatever it waits for ends with its pipes.
  const onClosing = (): void => { void live.close() }
  closing.addEventListener('abort', onClosing, {once: true})
  try {
    await client.connect(transport, {timeout: Math.min(startMs, server.timeoutMs ?? startMs)})
    return live
  } catch (error) {
    const said = await transport.lastWords()
    await live.close()
    if (said !== '') throw new Ended('unavailable', `The MCP server ${server.name} ${said}`, {cause: error})
    throw failure(server.name, error, false, '')
  } finally {
    closing.removeEventListener('abort', onClosing)
  }
}

function failure(name: string, error: unknown, isEffect: boolean, said: string): Error {
  const doubt = isEffect ? '; it may have been done all the same, please check' : ''
  if (error instanceof ToolError || error instanceof UsageError) return error
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) return new ToolError('timeout', `The MCP server ${name} did not answer in time${doubt}`, {cause: error})
  if (said !== '') return new ToolError('unavailable', `The MCP server ${name} ${said}${doubt}`, {cause: error})
  if (isAbort(error)) return error as Error // isAbort has looked
  const ours = causesOf(error).find(cause => cause instanceof ToolError)
  if (ours) return ours
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  if (status === 401) return new ToolError('unavailable', `The MCP server ${name} does not take the login that it is given: look at its "headers" in mcp.json, or sign in again with \`tinyagent tools sign-in ${name}\``, {cause: error})
  if (status === 403) return new ToolError('refused', `The MCP server ${name} does not allow this to you; with a sign-in that allows more (\`tinyagent tools sign-in ${name}\`) it may`, {cause: error})
  // A server that answers with an error knows what it did; a request that was cut off may have arrived.
  const isCut = !(error instanceof ProtocolError) && status === undefined && !failureOf(error).isBefore
  return new ToolError('failed', `The MCP server ${name}: ${oneLine(causeOf(error)).slice(0, 300)}${isCut ? doubt : ''}`, {cause: error})
}

function causesOf(error: unknown): unknown[] {
  const all: unknown[] = []
  for (let e = error; e instanceof Error && all.length < 5; e = e.cause) all.push(e)
  return all
}

const ownTooNarrow = (name: string, scope: string | undefined): ToolError => new ToolError('refused',
  `The MCP server ${name} does not allow this with the token in its "headers" in mcp.json, so nothing was done${scope === undefined ? '' : `: it wants ${oneLine(scope).slice(0, 200)}`}. A token that allows more has to take its place there.`)

/** fetch's own message is "fetch failed". */
const causeOf = (error: unknown): string => error instanceof Error && error.cause !== undefined && /fetch failed/.test(error.message) ? `cannot be reached: ${reasonOf(error.cause)}` : reasonOf(error)

interface Wire extends Transport { asked(): void; lastWords(): Promise<string> }

/** A program's pipes, one message a line. The SDK's own transport starts no process group and keeps no limit. */
async function openPipes(server: McpServer & {type: 'stdio'}): Promise<Wire> {
  const child: Companion = await accompany(server.command, server.args, {env: {...getDefaultEnvironment(), ...server.env}, ...(server.cwd !== undefined && {cwd: server.cwd})})
  const buffer = new ReadBuffer({maxBufferSize: maxMessage})
  let unasked = 0
  let errors = ''
  let ended: string | undefined
  child.stderr.setEncoding('utf8').on('data', (text: string) => { errors = (errors + text).slice(-2000) })
  const wire: Wire = {
    asked: () => { unasked = 0 },
    async lastWords() {
      // A closed pipe is seen before the end of its program.
      if (ended === undefined && child.stdout.readableEnded) await Promise.race([child.ended, new Promise(resolve => setTimeout(resolve, 500).unref())])
      const line = errors.trim().split('\n').at(-1) ?? ''
      return ended === undefined ? '' : `${ended}${line === '' ? '' : ` (it said last: ${oneLine(line).slice(0, 200)})`}`
    },
    start: () => Promise.resolve(),
    send: message => new Promise<void>((resolve, reject) => {
      if (ended !== undefined || child.stdin.writableEnded) reject(new Error('it has ended'))
      else child.stdin.write(serializeMessage(message), error => error ? reject(error) : resolve())
    }),
    async close() { await child.end() },
  }
  const stop = (how: string): void => {
    if (ended !== undefined) return
    ended = how
    void child.end().then(() => wire.onclose?.())
  }
  child.stdout.on('data', (chunk: Buffer) => {
    unasked += chunk.length
    if (unasked > maxUnasked) { stop(`wrote more than ${maxUnasked / 1024 ** 2} MB, so it was stopped`); return }
    try {
      buffer.append(chunk)
    } catch {
      stop(`wrote a message of more than ${maxMessage / 1024 ** 2} MB, so it was stopped`)
      return
    }
    for (;;) {
      try {
        const message = buffer.readMessage()
        if (message === null) break
        wire.onmessage?.(message)
      } catch (error) {
        wire.onerror?.(error as Error) // a line that is no message is passed over
      }
    }
  })
  void child.ended.then(how => { ended ??= `has ended (${how})`; wire.onclose?.() })
  return wire
}

function openHttp(server: McpServer & {type: 'http'}, secrets: SecretConfig): Wire {
  let received = 0
  let ended = ''
  const tokens = hasOwnToken(server) ? undefined : tokensFor(server, secrets)
  const transport = new StreamableHTTPClientTransport(new URL(server.url), {
    requestInit: {headers: server.headers},
    ...(tokens && {authProvider: tokens}),
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      // The stream for what nobody asked for (GET) is no wish of the user's.
      if (response.status === 403 && init?.method === 'POST') {
        const {error, scope} = extractWWWAuthenticateParams(response)
        if (error === 'insufficient_scope') throw await (tokens?.tooNarrow(scope) ?? ownTooNarrow(server.name, scope))
      }
      if (!response.body) return response
      const counted = response.body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          received += chunk.length
          if (received <= maxUnasked) { controller.enqueue(chunk); return }
          ended = `sent more than ${maxUnasked / 1024 ** 2} MB, so the connection was closed`
          controller.error(new Error(ended))
          void transport.close()
        },
      }))
      return new Response(counted, {status: response.status, statusText: response.statusText, headers: response.headers})
    },
  })
  return Object.assign(transport, {asked: () => { received = 0 }, lastWords: () => Promise.resolve(ended)})
}
