// What an MCP server has besides its tools: resources to read, and prompts to begin a request with. All of it is text of a stranger:
// it leaves this file with nothing in it that a terminal obeys, and nothing here becomes part of a plan.
import type {Client, CompleteRequest} from '@modelcontextprotocol/client'
import {ToolError, UsageError} from '../../core/errors.ts'
import {oneLine, printable} from '../../core/text.ts'
import type {Word} from '../approvals.ts'
import {blockText, bytesOf, cut, startHash, type OpenServer} from './mcp.ts'

export interface Resource {
  uri: string
  /** `uri` has parts in braces to fill in (RFC 6570) */
  isTemplate: boolean
  title: string
  mimeType?: string
  /** bytes, as the server says */
  size?: number
}
export interface PromptArgument { name: string; description: string; isRequired: boolean }
export interface Prompt { name: string; description: string; args: PromptArgument[] }
/** `suggestions`: what the server would complete it to */
export interface AskedArgument extends PromptArgument { suggestions: string[] }
/** Gets those that are missing. */
export type AskArguments = (missing: AskedArgument[]) => Promise<Record<string, string>>
/** `left`: how many more there are than are listed */
export interface Contents { resources: Resource[]; prompts: Prompt[]; left: number }

/** of one kind, of one server */
const maxListed = 1_000
const maxName = 300
/** A question waits for the completions of its server, and only for those that come at once. */
const suggestMs = 1_000
/** of a resource or a prompt on the screen, in characters */
const maxShown = 20_000
/** of a resource that a request names, in bytes */
const maxAttached = 5 * 1024 ** 2

/** Nothing for a kind that the server does not have. Throws ToolError. */
export async function contentsOf(open: OpenServer, signal: AbortSignal): Promise<Contents> {
  const connection = await open.connection()
  return connection.use(async (client, limits) => {
    const options = {...limits, cacheMode: 'refresh'} as const
    // The SDK asks for all pages. What the server has not is not asked for: the SDK would write about it to standard output.
    const {resources: hasResources} = client.getServerCapabilities() ?? {}
    const prompts = await promptsOf(client, limits)
    const resources = hasResources ? (await client.listResources(undefined, options)).resources : []
    const templates = hasResources ? (await client.listResourceTemplates(undefined, options)).resourceTemplates : []
    const all: Resource[] = [
      ...resources.map(({uri, name, title, description, mimeType, size}) => ({
        uri, isTemplate: false, title: line(title ?? description ?? name), ...(mimeType !== undefined && {mimeType: line(mimeType)}), ...(size !== undefined && {size}),
      })),
      ...templates.map(({uriTemplate, name, title, description, mimeType}) => ({
        uri: uriTemplate, isTemplate: true, title: line(title ?? description ?? name), ...(mimeType !== undefined && {mimeType: line(mimeType)}),
      })),
    ]
    return {
      resources: all.slice(0, maxListed),
      prompts: prompts.slice(0, maxListed).map(promptOf),
      left: Math.max(0, all.length - maxListed) + Math.max(0, prompts.length - maxListed),
    }
  }, signal)
}

type SdkPrompt = Awaited<ReturnType<Client['listPrompts']>>['prompts'][number]

const promptsOf = async (client: Client, limits: Limits): Promise<SdkPrompt[]> =>
  client.getServerCapabilities()?.prompts ? (await client.listPrompts(undefined, {...limits, cacheMode: 'refresh'})).prompts : []

const promptOf = ({name, title, description, arguments: args = []}: SdkPrompt): Prompt => ({
  name, description: line(description ?? title ?? ''),
  args: args.map(a => ({name: a.name, description: line(a.description ?? ''), isRequired: a.required ?? false})),
})

const line = (text: string): string => cut(oneLine(text), maxName)

interface Limits { signal: AbortSignal; timeout: number }

/** `args` with the server's completions. Of what the user has typed only `known`, which is what they have sent, goes to the server. */
async function withSuggestions(client: Client, ref: CompleteRequest['params']['ref'], args: PromptArgument[], known: Record<string, string>, limits: Limits): Promise<AskedArgument[]> {
  if (!client.getServerCapabilities()?.completions) return args.map(a => ({...a, suggestions: []}))
  return Promise.all(args.map(async a => {
    try {
      const {completion: {values}} = await client.complete({ref, argument: {name: a.name, value: ''}, context: {arguments: known}}, {...limits, timeout: Math.min(suggestMs, limits.timeout)})
      // One that would look different from what is sent is left to be typed.
      return {...a, suggestions: [...new Set(values)].filter(value => value !== '' && value.length <= maxName && oneLine(value) === value)}
    } catch (error) {
      if (limits.signal.aborted) throw error
      return {...a, suggestions: []} // the question goes without
    }
  }))
}

/** A resource as text; what is not text is named with its size. The parts of a template are asked for. Throws ToolError or UsageError. */
export async function readResource(open: OpenServer, uri: string, signal: AbortSignal, ask?: AskArguments): Promise<string> {
  const connection = await open.connection()
  const {contents} = await connection.use(async (client, limits) => {
    const whole = /\{.*\}/.test(uri) ? await expanded(client, uri, open.server.name, limits, ask) : uri
    return client.readResource({uri: whole}, {...limits, cacheMode: 'bypass'})
  }, signal)
  const parts = contents.map(part => 'text' in part ? part.text : `[${part.mimeType ?? 'no text'}, ${bytesOf(part.blob)} bytes]`)
  return cut(printable(parts.join('\n')), maxShown)
}

/** A template of the server's with its parts filled in; any other address as it is. */
async function expanded(client: Client, uri: string, server: string, limits: Limits, ask?: AskArguments): Promise<string> {
  const {resourceTemplates} = client.getServerCapabilities()?.resources ? await client.listResourceTemplates(undefined, {...limits, cacheMode: 'refresh'}) : {resourceTemplates: []}
  if (!resourceTemplates.some(t => t.uriTemplate === uri)) return uri
  const {UriTemplate} = await import('@modelcontextprotocol/client')
  const template = new UriTemplate(uri)
  const inQuery = [...uri.matchAll(/\{[?&]([^}]*)\}/g)].flatMap(([, names = '']) => names.split(',').map(name => name.replace('*', '').trim()))
  const args = template.variableNames.map((name): PromptArgument => ({name, description: '', isRequired: !inQuery.includes(name)}))
  if (!ask) throw new UsageError(`${oneLine(uri)} of ${server} has parts to fill in: write the address with ${args.map(a => line(a.name)).join(', ')} in the place of the braces`)
  return template.expand(await ask(await withSuggestions(client, {type: 'ref/resource', uri}, args, {}, limits)))
}

export interface ResourceFile { name: string; type: string; data: Buffer; /** where it is text: with nothing in it that a terminal obeys, cut */ text?: string }

/** A resource as one file. Throws ToolError. */
export async function resourceFile(open: OpenServer, uri: string, signal: AbortSignal): Promise<ResourceFile> {
  const connection = await open.connection()
  const {contents} = await connection.use((client, limits) => client.readResource({uri}, {...limits, cacheMode: 'bypass'}), signal)
  const {name: server} = open.server
  const texts = contents.flatMap(part => 'text' in part ? [part.text] : [])
  const [first] = contents
  if (!first) throw new ToolError('not-found', `${server} has nothing at ${oneLine(uri)}`)
  const isText = texts.length === contents.length
  if (!isText && contents.length > 1) throw new ToolError('invalid-args', `${oneLine(uri)} of ${server} is ${contents.length} files, not all of them text: name one of them (${contents.slice(0, 5).map(part => line(part.uri)).join(', ')})`)
  const data = 'blob' in first && !isText ? Buffer.from(first.blob, 'base64') : Buffer.from(texts.join('\n'))
  if (data.length > maxAttached) throw new ToolError('refused', `${oneLine(uri)} of ${server} is ${(data.length / 1024 ** 2).toFixed(1)} MB, ${maxAttached / 1024 ** 2} MB at most`)
  const {detectExtension, detectMimeType} = await import('nodemailer/lib/mime-funcs')
  // Its own word on what it is decides an extension of a known list at most.
  const given = uri.split(/[?#]/)[0]!.split('/').at(-1)!.replace(/[^\w.-]+/g, '-').replace(/^[.-]+|[.-]+$/g, '').slice(-60)
  const hasExtension = /\.\w{1,8}$/.test(given)
  const name = hasExtension ? given : `${given || 'resource'}.${isText && first.mimeType === undefined ? 'txt' : detectExtension(first.mimeType ?? '')}`
  return {name, type: detectMimeType(name) || 'application/octet-stream', data, ...(isText && {text: cut(printable(texts.join('\n')), maxShown)})}
}

/**
 * What a prompt says with these arguments, each message after the other. Where a required one is missing, or none was given, `ask`
 * gets those that are missing. Throws ToolError, or UsageError for arguments that do not fit.
 */
export async function fillPrompt(open: OpenServer, name: string, known: Record<string, string>, signal: AbortSignal, ask?: AskArguments): Promise<string> {
  const connection = await open.connection()
  return connection.use(async (client, limits) => {
    const prompts = await promptsOf(client, limits)
    const found = prompts.find(p => p.name === name)
    if (!found) throw new UsageError(`${open.server.name} has no prompt ${oneLine(name)}; it has ${prompts.slice(0, 20).map(p => line(p.name)).join(', ') || 'none'}`)
    const {args} = promptOf(found)
    const unknown = Object.keys(known).find(key => !args.some(a => a.name === key))
    if (unknown !== undefined) throw new UsageError(`${open.server.name}'s prompt ${line(name)} takes no ${oneLine(unknown)}; it takes ${args.map(a => line(a.name)).join(', ') || 'nothing'}`)
    const left = args.filter(a => known[a.name] === undefined)
    const isAsked = ask && left.length > 0 && (left.some(a => a.isRequired) || Object.keys(known).length === 0)
    const sorted = [...left].sort((a, b) => Number(b.isRequired) - Number(a.isRequired))
    const given = isAsked ? {...known, ...await ask(await withSuggestions(client, {type: 'ref/prompt', name}, sorted, known, limits))} : known
    const missing = args.filter(a => a.isRequired && given[a.name] === undefined)
    if (missing.length > 0) throw new UsageError(`${open.server.name}'s prompt ${line(name)} needs ${missing.map(a => `${line(a.name)}=...${a.description && ` (${a.description})`}`).join(', ')}`)
    const {messages} = await client.getPrompt({name, arguments: given}, limits)
    // One voice needs no names.
    const isOne = messages.every(m => m.role === 'user')
    return printable(messages.map(({role, content}) => `${isOne ? '' : role === 'user' ? 'You: ' : 'Assistant: '}${blockText(content)}`).join('\n\n')).trim()
  }, signal)
}

/** The server of this name, if the user has approved how it starts. Throws UsageError or ToolError 'refused' with what to do. */
export function approvedServer(name: string, {servers, word}: {servers: OpenServer[]; word: Word}): OpenServer {
  const found = servers.find(s => s.server.name === name)
  if (!found) throw new UsageError(`There is no MCP server ${oneLine(name)}; there: ${servers.map(s => s.server.name).join(', ') || 'none'}`)
  if (!isApproved(found, word)) throw new ToolError('refused', `The MCP server ${name} is not approved${word.servers[name] ? ' as it starts now' : ' yet'}, so it was not started: \`tinyagent tools approve ${name}\` shows what it is`)
  return found
}

export const isApproved = ({server}: OpenServer, word: Word): boolean => word.servers[server.name]?.start === startHash(server)
