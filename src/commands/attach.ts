// "@SERVER:URI" in a request: a resource of an MCP server that the user has approved, read before the request is planned and put into a
// file of this session. The plan is made from the file's name; what the resource says is somebody else's text wherever it stands.
import {createHash} from 'node:crypto'
import {writeFile} from 'node:fs/promises'
import path from 'node:path'
import {UsageError} from '../core/errors.ts'
import {oneLine} from '../core/text.ts'
import {approvedServer, resourceFile} from '../tools/mcp/content.ts'
import type {Attached} from '../core/types.ts'
import type {Session} from './session.ts'

interface Named { start: number; end: number; server: string; uri: string }

/** in one request */
const maxNamed = 10

/** Those that a text names. "@" before a word that is no server is text. Throws UsageError. */
export async function resourcesIn(text: string, session: Session): Promise<Named[]> {
  const found = [...text.matchAll(/(?<=^|\s)@([A-Za-z_][\w-]*):(\S+)/g)].map(({0: whole, 1: server = '', 2: rest = '', index}): Named => {
    const uri = rest.replace(/[.,;!?]+$/, '') // the end of a sentence
    return {start: index, end: index + whole.length - (rest.length - uri.length), server, uri}
  })
  if (found.length === 0) return []
  const names = (await session.foreign()).servers.map(s => s.server.name)
  const unknown = found.find(({server, uri}) => !names.includes(server) && uri.includes('://'))
  if (unknown) throw new UsageError(`@${oneLine(unknown.server)}: there is no MCP server ${oneLine(unknown.server)}; there: ${names.join(', ') || 'none'}`)
  const named = found.filter(({server}) => names.includes(server))
  if (named.length > maxNamed) throw new UsageError(`The request names ${named.length} resources, ${maxNamed} at most`)
  return named
}

/** The request with a file's name in the place of each, and the files. Throws ToolError or UsageError. */
export async function attach(text: string, named: Named[], session: Session, signal: AbortSignal): Promise<{text: string; files: Attached[]}> {
  const foreign = await session.foreign()
  const servers = named.map(({server}) => approvedServer(server, foreign)) // all of them, before one is asked
  const folder = await session.folder()
  const files: Attached[] = []
  let written = ''
  let at = 0
  for (const [i, {start, end, server, uri}] of named.entries()) {
    const {name, type, data, text: content} = await resourceFile(servers[i]!, uri, signal)
    // The same resource is the same file, so that a follow-up means the same call.
    const mark = createHash('sha256').update(`${server} ${uri}`).digest('hex').slice(0, 6)
    const {name: stem, ext} = path.parse(name)
    const file = path.join(folder, `${stem}-${mark}${ext}`)
    await writeFile(file, data, {mode: 0o600})
    if (!files.some(f => f.path === file)) files.push({from: `${oneLine(uri)} of the MCP server ${server}`, path: file, bytes: data.length, type, ...(content !== undefined && {text: content})})
    written += text.slice(at, start) + path.basename(file)
    at = end
  }
  return {text: written + text.slice(at), files}
}
