// The part of `tinyagent doctor` on tools that are not its own: plug-ins are loaded, the programs of shell tools looked for (running one
// would be doing what it does), approved MCP servers started and compared with what was approved. Nothing is approved or changed here.
import {accessSync, constants} from 'node:fs'
import path from 'node:path'
import type {Config} from '../core/config.ts'
import {reasonOf} from '../core/errors.ts'
import {isInstalled} from '../core/exec.ts'
import {oneLine} from '../core/text.ts'
import {definitionOf, hashOf, type Word} from '../tools/approvals.ts'
import type {Foreign} from '../tools/foreign.ts'
import {contentsOf} from '../tools/mcp/content.ts'
import {planName, shapeOf, startHash, type OpenServer} from '../tools/mcp/mcp.ts'
import {filled, hasOwnToken, type McpServer} from '../tools/mcp/servers.ts'
import {missingScopes, readSignIn} from '../tools/mcp/sign-ins.ts'
import type {Check} from './doctor.ts'
import type {Session} from './session.ts'

/** of one server, from its start to its last answer; a package runner may have to download it first */
const serverMs = 60_000

export async function ownToolChecks(session: Session, signal: AbortSignal, timeoutMs = serverMs): Promise<Check[]> {
  if (session.configError) return []
  const foreign = await session.foreign()
  return [
    ...foreign.problems.map((detail): Check => ({name: 'tools of your own', state: 'bad', detail})),
    ...pluginChecks(foreign),
    ...shellChecks(session, foreign),
    ...await Promise.all(foreign.servers.map(server => serverCheck(server, foreign.word, session, signal, timeoutMs))),
  ]
}

function pluginChecks({tools}: Foreign): Check[] {
  const files = new Map<string, string[]>()
  for (const {tool, from} of tools) if (path.isAbsolute(from)) files.set(from, [...files.get(from) ?? [], tool.name])
  return [...files].map(([file, names]) => ({name: `plug-in ${path.basename(file)}`, state: 'ok', detail: names.join(', ')}))
}

function shellChecks({config}: Session, {tools}: Foreign): Check[] {
  return Object.entries(config.tools.shell).filter(([name]) => tools.some(t => t.from === `tools.shell.${name}`)).map(([name, {command, dir}]): Check => {
    const program = command[0]! // shellTool has looked
    const isThere = /[/\\]/.test(program) ? canRun(path.resolve(path.dirname(config.file), dir ?? '', program)) : process.platform === 'win32' || isInstalled(program, process.env)
    return {
      name: `tool ${name}`, state: isThere ? 'ok' : 'bad',
      detail: isThere ? `${program} is there; it was not run` : `${program} is not there, or cannot be run; install it, or correct tools.shell.${name}.command in ${config.file}`,
    }
  })
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function serverCheck(open: OpenServer, word: Word, {config}: Session, signal: AbortSignal, timeoutMs: number): Promise<Check> {
  const {server} = open
  const name = `MCP server ${server.name}`
  const approve = `\`tinyagent tools approve ${server.name}\``
  const approved = word.servers[server.name]
  if (!approved) return {name, state: 'note', detail: `not approved yet, so it was not started; ${approve} shows what it is and what it offers`}
  if (approved.start !== startHash(server)) return {name, state: 'bad', detail: `it starts in another way than when you approved it, so it was not started and offers nothing; ${approve} asks again`}
  const limit = AbortSignal.timeout(timeoutMs)
  try {
    const until = AbortSignal.any([signal, limit])
    const tools = await (await open.connection()).tools(until)
    const now = new Map(tools.map(t => [t.name, hashOf(definitionOf({...t}))]))
    const full = (own: string): string => oneLine(planName(server.name, own))
    const pins = Object.entries(approved.tools)
    const changed = pins.filter(([own, pin]) => now.has(own) && (now.get(own) !== pin.hash || pin.changed)).map(([own]) => full(own))
    const gone = pins.filter(([own]) => !now.has(own)).map(([own]) => full(own))
    const unusable = pins.filter(([, pin]) => 'problem' in shapeOf(pin.definition)).map(([own]) => full(own))
    const news = [...now.keys()].filter(own => !Object.hasOwn(approved.tools, own)).map(full)
    const {prompts, resources} = await contentsOf(open, until)
    const told = [
      ...(changed.length > 0 ? [`changed since you approved, and not called: ${few(changed)}`] : []),
      ...(gone.length > 0 ? [`not there any more: ${few(gone)}`] : []),
      ...(news.length > 0 ? [`new, and not offered: ${few(news)}`] : []),
    ]
    const lack = await lackOf(server, config)
    if (told.length > 0) return {name, state: changed.length + gone.length > 0 ? 'bad' : 'note', detail: `${told.join('; ')}; ${approve} shows the difference${lack}`}
    const counted = [`${count(pins.length, 'tool')} as you approved`, ...(prompts.length > 0 ? [count(prompts.length, 'prompt')] : []), ...(resources.length > 0 ? [count(resources.length, 'resource')] : [])]
    return unusable.length > 0
      ? {name, state: 'note', detail: `${counted.join(', ')}; of these no plan can call ${few(unusable)}${lack}`}
      : {name, state: lack === '' ? 'ok' : 'note', detail: `${counted.join(', ')}${lack}`}
  } catch (error) {
    signal.throwIfAborted()
    return {name, state: 'bad', detail: limit.aborted ? `no answer within ${timeoutMs / 1000} seconds; run its command by hand to see why` : reasonOf(error)}
  }
}

/** The lists of a server may be open to a sign-in that is too narrow for its calls: what those were refused for. */
async function lackOf(server: McpServer, config: Config): Promise<string> {
  if (server.type !== 'http' || hasOwnToken(server)) return ''
  const {url} = filled(server, process.env, config.paths.config) as typeof server // of the same type as it was
  const signIn = await readSignIn({name: server.name, url}, config)
  const missing = signIn ? missingScopes(signIn) : []
  return missing.length === 0 ? '' : `; what your sign-in there does not allow was refused: it wants ${few(missing)} besides, and \`tinyagent tools sign-in ${server.name}\` asks its sign-in page for that`
}

const count = (n: number, thing: string): string => `${n} ${thing}${n === 1 ? '' : 's'}`
const few = (names: string[]): string => names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`
