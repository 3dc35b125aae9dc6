// The tools of MCP servers as tools of ours: approved ones only, planned from what was pinned at approval, so that no server is
// started before one of its tools is called. A server whose tool says something else by then is not called.
import type {CallToolResult, ContentBlock} from '@modelcontextprotocol/client'
import {ToolError} from '../../core/errors.ts'
import {oneLine, printable} from '../../core/text.ts'
import {tool, type Effect, type Json, type PreviewField, type Tool} from '../../core/types.ts'
import {changeWord, definitionOf, hashOf, type Pin, type Word} from '../approvals.ts'
import type {Connection} from './connection.ts'
import {callShape, type CallShape} from './schema.ts'
import {filled, startOf, type McpServer} from './servers.ts'

/** what goes on to other steps; and what a person is told in one line */
const maxValue = 20_000
const maxSummary = 400
const maxDescription = 160

export interface McpDeps {
  /** tools.json */
  wordFile: string
  configDir: string
  env: NodeJS.ProcessEnv
  version: string
}

/** A server with its connection, which is opened with its first call. */
export interface OpenServer {
  server: McpServer
  connection(): Promise<Connection>
  /** Throws ToolError 'refused' where the tool is another one than was approved. */
  verify(toolName: string, pin: Pin, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export function openServer(server: McpServer, deps: McpDeps): OpenServer {
  let opened: Promise<Connection> | undefined
  const verified = new Set<string>()
  const connection = (): Promise<Connection> => opened ??= (async () => {
    // The SDK is loaded by the first call only.
    const {openConnection} = await import('./connection.ts')
    return openConnection(filled(server, deps.env, deps.configDir), {version: deps.version, secrets: {paths: {config: deps.configDir}, env: deps.env}, onChanged: () => verified.clear()})
  })()
  return {
    server, connection,
    async verify(name, pin, signal) {
      if (verified.has(name)) return
      const now = (await (await connection()).tools(signal)).find(t => t.name === name)
      if (now && hashOf(definitionOf(now)) === pin.hash) { verified.add(name); return }
      await changeWord(deps.wordFile, word => { const kept = word.servers[server.name]?.tools[name]; if (kept) kept.changed = true })
      throw new ToolError('refused', now
        ? `${server.name} says something else of its tool ${oneLine(name)} than when you approved it, so it was not called. \`tinyagent tools approve ${server.name}\` shows the difference`
        : `${server.name} has no tool ${oneLine(name)} any more. \`tinyagent tools approve ${server.name}\` shows what it has`)
    },
    async close() { await (await opened?.catch(() => undefined))?.close() },
  }
}

/** "weather.get_forecast": a server cannot take the name of another's tool, nor of ours. */
export const planName = (server: string, name: string): string => `${server}.${name.replace(/[^\w.-]+/g, '_')}`.slice(0, 64)

/** The first sentence, on one line: prompts are short. Approval shows the whole. */
export function shortDescription({description, title, name}: Record<string, Json>): string {
  const text = [description, title, name].find((t): t is string => typeof t === 'string' && t.trim() !== '') ?? ''
  const line = oneLine(text)
  const sentence = /^.*?[.!?](?=\s|$)/u.exec(line)?.[0] ?? line
  return sentence.length <= maxDescription ? sentence : `${sentence.slice(0, maxDescription).replace(/\s+\S*$/, '')} ...`
}

/** Why a plan cannot call it, in words; undefined where it can. */
export function shapeOf(definition: Record<string, Json>): CallShape | {problem: string} {
  try {
    return callShape(definition['inputSchema'])
  } catch (error) {
    if (error instanceof ToolError) return {problem: error.message}
    throw error
  }
}

/** The approved tools of a server that a plan can call. */
export function mcpTools(open: OpenServer, word: Word, effectOf: (name: string) => Effect | undefined): Tool[] {
  const {server} = open
  const approved = word.servers[server.name]
  if (!approved || approved.start !== startHash(server)) return []
  return Object.entries(approved.tools).flatMap(([name, pin]) => {
    const shape = pin.changed ? undefined : shapeOf(pin.definition)
    return shape && !('problem' in shape) ? [mcpTool(name, pin, shape, open, effectOf)] : []
  })
}

export const startHash = (server: McpServer): string => hashOf(server)

function mcpTool(name: string, pin: Pin, shape: CallShape, open: OpenServer, effectOf: (name: string) => Effect | undefined): Tool {
  const {server} = open
  const known = planName(server.name, name)
  const effect = effectOf(known) ?? 'outward'
  return tool({
    name: known,
    description: shortDescription(pin.definition),
    args: shape.args,
    effect: 'outward',
    returns: 'any',
    source: 'document',
    foreign: true,
    // Calls of one server keep the plan's order, unless they only look up.
    touches: () => [{thing: `mcp:${server.name}`, writes: effect !== 'read'}],
    async preview(args: Record<string, Json>) {
      return {effect, title: `${server.name}: ${oneLine(name)}`, fields: [...fieldsOf(args, shape), {label: 'Server', value: startOf(server)}]}
    },
    async run(args: Record<string, Json>, {signal, progress}) {
      const call = shape.toCall(args)
      await open.verify(name, pin, signal)
      const connection = await open.connection()
      signal.throwIfAborted()
      const result = await connection.call(name, call, {signal, progress: (message, fraction) => progress(printable(message), fraction)})
      const value = textOf(result)
      if (result.isError) throw new ToolError('failed', `${server.name} says: ${cut(oneLine(value) || 'it failed', maxSummary)}`)
      return {value: cut(value, maxValue), summary: value.trim() === '' ? `${known} was done` : `${known}: ${cut(oneLine(value), maxSummary)}`}
    },
  })
}

/** What is sent, as it is sent, by argument. */
function fieldsOf(args: Record<string, Json>, shape: CallShape): PreviewField[] {
  let sent = args
  try { sent = shape.sent(args) } catch { /* run says why; the card shows the words */ }
  return Object.entries(sent).map(([name, value]) => ({label: name, value: Array.isArray(value) ? value.map(String) : String(value), arg: name}))
}

/** The text of a result, with nothing in it that a terminal obeys. Pictures and sounds are named. */
export function textOf({content = [], structuredContent}: Pick<CallToolResult, 'content' | 'structuredContent'>): string {
  const parts = content.map(blockText)
  const text = parts.length === 0 && structuredContent !== undefined ? JSON.stringify(structuredContent) : parts.join('\n')
  return printable(text)
}

/** As the server wrote it: for `printable`. */
export function blockText(block: ContentBlock): string {
  switch (block.type) {
    case 'text': return block.text
    case 'image': case 'audio': return `[${block.type}, ${block.mimeType}, ${bytesOf(block.data)} bytes]`
    case 'resource_link': return block.uri
    case 'resource': return 'text' in block.resource ? block.resource.text : `[${block.resource.uri}, ${bytesOf(block.resource.blob)} bytes]`
  }
}

/** Of what base64 stands for. */
export const bytesOf = (base64: string): number => Math.floor(base64.replace(/=+$/, '').length * 3 / 4)

export const cut = (text: string, length: number): string => text.length <= length ? text : `${text.slice(0, length).replace(/[\ud800-\udbff]$/, '')}... (${text.length - length} more characters)`
