// /mcp and `tinyagent mcp list|read|prompt`: the resources and prompts of the user's MCP servers. A server that was not approved is not
// started; what a server says is shown, and becomes a request only by the user's own Enter or yes.
import {isAbort, reasonOf, UsageError} from '../core/errors.ts'
import {jsonLine, oneLine, printable} from '../core/text.ts'
import {approvedServer, contentsOf, fillPrompt, isApproved, readResource, type AskedArgument, type Contents, type Prompt, type Resource} from '../tools/mcp/content.ts'
import type {Ask} from '../core/types.ts'
import type {OpenServer} from '../tools/mcp/mcp.ts'
import {checkRequest} from './request.ts'
import type {Session} from './session.ts'

/** A text that may become the user's request, once the user has seen it. `from`: whose it is, for a line above it. */
export interface Draft { draft: string; from: string }

interface Listed { server: string; contents?: Contents; problem?: string }

/** of one kind, of one server, on the screen */
const maxLines = 100

/** What servers said that they have, for completion: nothing is started for a Tab. */
const seen = new WeakMap<Session, Map<string, Contents>>()
const seenOf = (session: Session): Map<string, Contents> => {
  const known = seen.get(session) ?? new Map<string, Contents>()
  seen.set(session, known)
  return known
}

/** "city=Oslo day="next Monday"" as a shell would cut it. */
export const wordsOf = (text: string): string[] => (text.match(/(?:"[^"]*"|\S)+/g) ?? []).map(word => word.replace(/"([^"]*)"/g, '$1'))

const usage = 'there is list [SERVER], read SERVER URI and prompt SERVER NAME [KEY=VALUE...]'

export async function mcpAnswer(session: Session, words: string[], signal: AbortSignal, ask: Ask): Promise<string | Draft> {
  const [action = 'list', name, what] = words
  switch (action) {
    case 'list': return listText(await listed(session, name, signal))
    case 'read': return (await read(session, words, signal, ask)) || '(it is empty)'
    case 'prompt': {
      const text = await prompt(session, words, signal, ask)
      const from = `the prompt ${oneLine(what!)} of the MCP server ${name}` // `prompt` has looked
      const reason = whyNot(text)
      return reason === undefined ? {draft: text, from} : `From ${from}; ${reason}:\n${quoted(text)}`
    }
    default: throw new UsageError(`mcp ${oneLine(action)}: ${usage}`)
  }
}

/** Why a text does not go into the input line; undefined where it may. */
function whyNot(text: string): string | undefined {
  // Enter would make a command of it, and commands change settings.
  if (text.startsWith('/')) return 'it begins with "/", so it is only shown'
  try {
    checkRequest(text)
    return undefined
  } catch (error) {
    return `it is only shown (${reasonOf(error)})`
  }
}

/** Somebody else's text, set off from ours. */
export const quoted = (text: string): string => printable(text).split('\n').map(line => `  | ${line}`).join('\n')

async function listed(session: Session, name: string | undefined, signal: AbortSignal): Promise<Listed[]> {
  const foreign = await session.foreign()
  const one = async (open: OpenServer): Promise<Listed> => {
    const server = open.server.name
    try {
      approvedServer(server, foreign)
      const contents = await contentsOf(open, signal)
      seenOf(session).set(server, contents)
      return {server, contents}
    } catch (error) {
      if (signal.aborted || isAbort(error)) throw error
      return {server, problem: reasonOf(error)}
    }
  }
  if (name === undefined) return Promise.all(foreign.servers.map(one))
  return [await one(approvedServer(name, foreign))]
}

function listText(all: Listed[]): string {
  if (all.length === 0) return 'There are no MCP servers; `tinyagent tools import FILE` takes those of another program over.'
  return all.map(({server, contents, problem}) => {
    if (!contents) return `${server}: ${problem}`
    const {prompts, resources, left} = contents
    if (prompts.length + resources.length === 0) return `${server}: no prompts and no resources`
    return [`${server}:`, ...cutList(prompts.map(promptLine)), ...cutList(resources.map(resourceLine)), ...(left > 0 ? [`  and ${left} more, which are not listed`] : [])].join('\n')
  }).join('\n')
}

const cutList = (lines: string[]): string[] => lines.length <= maxLines ? lines : [...lines.slice(0, maxLines), `  ... and ${lines.length - maxLines} more`]

const promptLine = ({name, description, args}: Prompt): string =>
  `  prompt ${[oneLine(name), ...args.map(a => a.isRequired ? `${oneLine(a.name)}=...` : `[${oneLine(a.name)}=...]`)].join(' ')}${description && `  ${description}`}`

const resourceLine = ({uri, title, mimeType, size}: Resource): string => {
  const about = [mimeType, size === undefined ? undefined : `${size} bytes`].filter(Boolean).join(', ')
  return `  resource ${oneLine(uri)}  ${title}${about && ` (${about})`}`
}

async function read(session: Session, [, name, uri, ...more]: string[], signal: AbortSignal, ask?: Ask): Promise<string> {
  if (name === undefined || uri === undefined || more.length > 0) throw new UsageError('mcp read needs a server and the address of one resource, as `mcp list` shows it')
  return readResource(approvedServer(name, await session.foreign()), uri, signal, ask && (missing => askedFor(name, missing, 'Nothing was read.', ask, signal)))
}

async function prompt(session: Session, [, name, what, ...given]: string[], signal: AbortSignal, ask?: Ask): Promise<string> {
  if (name === undefined || what === undefined) throw new UsageError('mcp prompt needs a server and the name of a prompt, as `mcp list` shows it')
  const args = Object.fromEntries(given.map((word): [string, string] => {
    const at = word.indexOf('=')
    if (at < 1) throw new UsageError(`mcp prompt: ${oneLine(word)}: expected KEY=VALUE; a value of several words in quotes`)
    return [word.slice(0, at), word.slice(at + 1)]
  }))
  return fillPrompt(approvedServer(name, await session.foreign()), what, args, signal, ask && (missing => askedFor(name, missing, 'The prompt was left; nothing was sent.', ask, signal)))
}

/** One after the other. Throws UsageError where the user leaves. */
async function askedFor(server: string, missing: AskedArgument[], whenLeft: string, ask: Ask, signal: AbortSignal): Promise<Record<string, string>> {
  const given: Record<string, string> = {}
  for (const {name, description, isRequired, suggestions} of missing) {
    const answer = await ask({type: 'input', title: `${server} asks for ${oneLine(name)}${description && `: ${description}`}`, ...(!isRequired && {isOptional: true}), ...(suggestions.length > 0 && {suggestions})}, signal)
    if (!answer) throw new UsageError(whenLeft)
    if (answer.value !== '') given[name] = answer.value
  }
  return given
}

/** Of the last of these words; those before it are complete. Knows of each server what `list` has shown. */
export async function mcpCompletions(session: Session, words: string[]): Promise<{options: string[]; note?: string}> {
  const [action, server = '', what] = words
  const options = async (): Promise<string[]> => {
    if (words.length <= 1) return ['list', 'read', 'prompt']
    if (words.length === 2) {
      const foreign = await session.foreign()
      return foreign.servers.filter(s => isApproved(s, foreign.word)).map(s => s.server.name)
    }
    const known = seenOf(session).get(server)
    if (action === 'read' && words.length === 3) return known?.resources.map(r => r.uri) ?? []
    if (action !== 'prompt') return []
    if (words.length === 3) return known?.prompts.map(p => p.name) ?? []
    return known?.prompts.find(p => p.name === what)?.args.map(a => `${a.name}=`) ?? []
  }
  const typed = words.at(-1) ?? ''
  // A name that would look different from what is typed is left to be typed.
  const found = (await options()).filter(option => option.startsWith(typed) && oneLine(option) === option && !/[\s"]/.test(option))
  const isUnknown = (action === 'read' || action === 'prompt') && words.length >= 3 && !seenOf(session).has(server)
  return {options: found, ...(isUnknown && {note: `/mcp list ${oneLine(server)} asks ${oneLine(server)} what it has`})}
}

export async function mcpContentCommand(words: string[], session: Session, signal: AbortSignal): Promise<number> {
  const {json} = session.options
  const [action, server, what] = words
  const print = (text: string): void => { process.stdout.write(`${printable(text)}\n`) }
  if (action === 'list') {
    const all = await listed(session, server, signal)
    if (json) process.stdout.write(`${jsonLine(all)}\n`)
    else print(listText(all))
    return all.some(one => one.problem !== undefined) ? 1 : 0
  }
  if (action === 'read' || action === 'prompt') {
    const text = action === 'read' ? await read(session, words, signal) : await prompt(session, words, signal)
    if (json) process.stdout.write(`${jsonLine({server, [action === 'read' ? 'uri' : 'prompt']: what, text})}\n`)
    else print(text)
    return 0
  }
  throw new UsageError(`mcp ${oneLine(action ?? '')}: ${usage}; alone it is an MCP server itself`)
}
