// The servers of mcp.json, in the form that other programs use: {"mcpServers": {"NAME": {"command", "args", "env"} or {"url"}}},
// VS Code's "servers" as well. A server is described here and started in connection.ts.
import {existsSync, readFileSync} from 'node:fs'
import path from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import {z} from 'zod'
import {ConfigError, reasonOf, UsageError} from '../../core/errors.ts'
import {expand, makeFolder} from '../../core/paths.ts'

const texts = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).default({})
const common = {
  /** milliseconds, as in other programs */
  timeout: z.number().int().min(100).max(600_000).optional(),
  disabled: z.boolean().default(false),
}
// What other programs keep there besides (icons, lists of their own approvals) is passed over.
const stdioEntry = z.object({type: z.literal('stdio').optional(), command: z.string().min(1), args: z.array(z.string()).default([]), env: texts, cwd: z.string().optional(), ...common})
const httpEntry = z.object({type: z.enum(['http', 'streamable-http', 'streamableHttp']).optional(), url: z.url({protocol: /^https?$/, error: 'expected an address that begins with http:// or https://'}), headers: texts, oauth: z.object({clientId: z.string().min(1).optional()}).optional(), ...common})
const fileSchema = z.union([
  z.object({mcpServers: z.record(z.string(), z.unknown())}),
  z.object({servers: z.record(z.string(), z.unknown())}).transform(({servers}) => ({mcpServers: servers})),
  z.object({mcp: z.object({servers: z.record(z.string(), z.unknown())})}).transform(({mcp}) => ({mcpServers: mcp.servers})),
])

type StdioEntry = z.infer<typeof stdioEntry>
type HttpEntry = z.infer<typeof httpEntry>
type Entry = StdioEntry | HttpEntry

export type McpServer = {name: string; timeoutMs?: number} & (
  | {type: 'stdio'; command: string; args: string[]; env: Record<string, string>; cwd?: string}
  | {type: 'http'; url: string; headers: Record<string, string>; /** of a client that the user made where tinyagent cannot register one */ clientId?: string}
)

/** A token that the user has put into the file is used as it is, and no sign-in beside it. */
export const hasOwnToken = (server: McpServer): boolean => server.type === 'http' && Object.keys(server.headers).some(key => key.toLowerCase() === 'authorization')

export interface Servers { list: McpServer[]; problems: string[] }

/** Begins the names of its tools, so no dots. */
const serverName = /^[A-Za-z_][\w-]{0,30}$/

export const serversFile = (configDir: string): string => path.join(configDir, 'mcp.json')

/** Never throws: what cannot be used is a problem with its reason, and the rest is there. Values keep their ${NAMES}. */
export function readServers(file: string): Servers {
  if (!existsSync(file)) return {list: [], problems: []}
  const problems: string[] = []
  try {
    const list = Object.entries(parseFile(file)).flatMap(([name, raw]): McpServer[] => {
      try {
        const entry = parseEntry(raw)
        if (!serverName.test(name)) throw new Error('expected a name of letters, digits, "-" and "_"')
        return entry.disabled ? [] : [toServer(name, entry)]
      } catch (error) {
        problems.push(`${file}: ${name}: ${reasonOf(error)}`)
        return []
      }
    })
    return {list, problems}
  } catch (error) {
    return {list: [], problems: [reasonOf(error)]}
  }
}

function parseFile(file: string): Record<string, unknown> {
  let json: unknown
  try {
    json = JSON.parse(stripComments(readFileSync(file, 'utf8').replace(/^\ufeff/, '')))
  } catch (cause) {
    throw new ConfigError(`${file} ${cause instanceof SyntaxError ? `is not JSON: ${cause.message}` : `cannot be read: ${reasonOf(cause)}`}`, cause)
  }
  const parsed = fileSchema.safeParse(json)
  if (!parsed.success) throw new ConfigError(`${file}: expected {"mcpServers": {"name": {"command": "...", "args": []}}}`, parsed.error)
  return parsed.data.mcpServers
}

/** VS Code's files hold comments and commas before a closing bracket; texts stay as they are. */
const stripComments = (text: string): string =>
  text.replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[^]*?\*\//g, (_, string: string | undefined) => string ?? '')
    .replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_, string: string | undefined) => string ?? '')

function parseEntry(raw: unknown): Entry {
  const isHttp = typeof raw === 'object' && raw !== null && 'url' in raw
  if (typeof raw === 'object' && raw !== null && 'type' in raw && raw.type === 'sse') throw new Error('the old transport "sse" is not supported; most servers answer streamable HTTP as well: type "http" and its address')
  const parsed = isHttp ? httpEntry.safeParse(raw) : stdioEntry.safeParse(raw)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw new Error(`${issue.path.join('.') || 'the entry'}: ${issue.message.replace(/^Invalid input: /, '')}; a server has a "command" with "args", or a "url"`)
}

function toServer(name: string, entry: Entry): McpServer {
  const limit = entry.timeout === undefined ? {} : {timeoutMs: entry.timeout}
  return 'url' in entry
    ? {name, type: 'http', url: entry.url, headers: entry.headers, ...(entry.oauth?.clientId !== undefined && {clientId: entry.oauth.clientId}), ...limit}
    : {name, type: 'stdio', command: entry.command, args: entry.args, env: entry.env, ...(entry.cwd !== undefined && {cwd: entry.cwd}), ...limit}
}

const variable = /\$\{(?:env:)?([A-Za-z_]\w*)\}|\$\{input:([^}]*)\}/g

/** ${NAME} and ${env:NAME} from the environment, so that no secret has to stand in the file. Throws ConfigError. */
export function fill(text: string, env: NodeJS.ProcessEnv): string {
  return text.replace(variable, (_, name: string | undefined, input: string | undefined) => {
    if (name === undefined) throw new ConfigError(`\${input:${input ?? ''}} is asked for by VS Code only; write \${NAME} and set NAME in the environment`)
    const value = env[name]
    if (value === undefined) throw new ConfigError(`${name} is not set in the environment`)
    return value
  })
}

const fillAll = (values: Record<string, string>, env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, fill(value, env)]))

/** The server with its variables in place. Throws ConfigError naming the variable. */
export function filled(server: McpServer, env: NodeJS.ProcessEnv, base: string): McpServer {
  return server.type === 'http'
    ? {...server, url: fill(server.url, env), headers: fillAll(server.headers, env)}
    : {
      ...server, command: fill(server.command, env), args: server.args.map(text => fill(text, env)), env: fillAll(server.env, env),
      ...(server.cwd !== undefined && {cwd: expand(fill(server.cwd, env), base)}),
    }
}

/** What starts, or where it is: whole, for a person. Variables stay names, so no secret is shown. */
export const startOf = (server: McpServer): string => server.type === 'http'
  ? server.url
  : [server.command, ...server.args].map(part => /^[\w@%+=:,./-]+$/.test(part) ? part : JSON.stringify(part)).join(' ')

const isSecret = (key: string): boolean => /key|token|secret|passw|auth|credential|cookie|session/i.test(key)

export interface Imported { added: string[]; kept: string[]; problems: string[]; /** names of variables that have to be set */ variables: string[] }

/**
 * Takes the servers of another program's file over. One whose name is there already stays as it is. Values that look like
 * secrets are not copied: a variable of the same name stands in their place.
 */
export async function importServers(from: string, file: string): Promise<Imported> {
  if (!existsSync(from)) throw new UsageError(`${from}: there is no such file; Claude Desktop's is claude_desktop_config.json, VS Code's mcp.json`)
  const found = parseFile(from)
  const own: Record<string, unknown> = existsSync(file) ? parseFile(file) : {}
  const result: Imported = {added: [], kept: [], problems: [], variables: []}
  for (const [given, raw] of Object.entries(found)) {
    const name = given.replace(/[^\w-]+/g, '-').replace(/^[^A-Za-z_]+/, '').slice(0, 31)
    try {
      if (name === '') throw new Error('expected a name of letters, digits, "-" and "_"')
      if (Object.hasOwn(own, name)) { result.kept.push(name); continue }
      const entry = parseEntry(raw)
      own[name] = withoutSecrets(entry, result.variables)
      result.added.push(name)
    } catch (error) {
      result.problems.push(`${given}: ${reasonOf(error)}`)
    }
  }
  if (result.added.length > 0) {
    makeFolder(path.dirname(file))
    await writeFileAtomic(file, `${JSON.stringify({mcpServers: own}, null, 2)}\n`, {mode: 0o600})
  }
  return result
}

function withoutSecrets(entry: Entry, variables: string[]): Record<string, unknown> {
  const hide = (values: Record<string, string>): Record<string, string> => Object.fromEntries(Object.entries(values).map(([key, value]) => {
    const inputs = value.replace(/\$\{input:([^}]*)\}/g, (_, id: string) => `\${${variableName(id)}}`)
    // "Bearer" and the like stay; what follows is the secret.
    const hidden = isSecret(key) && !/\$\{/.test(inputs) ? inputs.replace(/^((?:Bearer|Basic|Token)\s+)?.*$/is, (_, scheme: string | undefined) => `${scheme ?? ''}\${${variableName(key)}}`) : inputs
    for (const match of hidden.matchAll(variable)) if (match[1] !== undefined) variables.push(match[1])
    return [key, hidden]
  }))
  const {timeout, disabled} = entry
  const rest = {...(timeout !== undefined && {timeout}), ...(disabled && {disabled})}
  return 'url' in entry
    ? {type: 'http', url: entry.url, ...(Object.keys(entry.headers).length > 0 && {headers: hide(entry.headers)}), ...(entry.oauth?.clientId !== undefined && {oauth: entry.oauth}), ...rest}
    : {command: entry.command, args: entry.args, ...(Object.keys(entry.env).length > 0 && {env: hide(entry.env)}), ...(entry.cwd !== undefined && {cwd: entry.cwd}), ...rest}
}

const variableName = (key: string): string => key.replace(/\W+/g, '_').replace(/^(\d)/, '_$1').toUpperCase()
