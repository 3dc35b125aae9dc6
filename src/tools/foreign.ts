// Tools that are not tinyagent's own: plug-ins, programs of the config, and the approved tools of MCP servers. What they may do
// without asking is the user's word; their own word is a hint, and never makes it less.
import path from 'node:path'
import type {Config} from '../core/config.ts'
import {reasonOf} from '../core/errors.ts'
import {expand} from '../core/paths.ts'
import type {Effect, Tool} from '../core/types.ts'
import {most, readWord, wordFile, type Word} from './approvals.ts'
import {mcpTools, openServer, type McpDeps, type OpenServer} from './mcp/mcp.ts'
import {readServers, serversFile} from './mcp/servers.ts'
import {loadPlugins} from './plugins/plugins.ts'
import {shellTool} from './shell/shell.ts'
import {specs} from './specs.ts'

export interface ForeignTool {
  tool: Tool
  /** where it comes from: a file, a key of the config, or a server */
  from: string
  /** what it may do at most without being asked about, as the user said; undefined: nothing was said, it asks */
  word: Effect | undefined
}

export interface Foreign {
  tools: ForeignTool[]
  /** one line about each thing that cannot be used, and why */
  problems: string[]
  servers: OpenServer[]
  word: Word
  close(): Promise<void>
}

export const pluginsDir = (config: Config): string => expand(config.tools.dir ?? path.join(config.paths.config, 'tools'), path.dirname(config.file))

export const mcpDeps = (config: Config, version: string): McpDeps =>
  ({wordFile: wordFile(config.paths.config), configDir: config.paths.config, env: process.env, version})

/** Starts no server and never throws: what is wrong is a problem, and the rest works. */
export async function openForeign(config: Config, version: string): Promise<Foreign> {
  const problems: string[] = []
  const deps = mcpDeps(config, version)
  let word: Word = {effects: {}, servers: {}}
  try { word = readWord(deps.wordFile) } catch (error) { problems.push(reasonOf(error)) }
  const plugins = await loadPlugins(pluginsDir(config))
  const {list, problems: wrong} = readServers(serversFile(config.paths.config))
  problems.push(...plugins.problems, ...wrong)
  const servers = list.map(server => openServer(server, deps))
  const all: ForeignTool[] = [
    ...plugins.tools.map(({file, tool}) => ({tool: guarded(tool, word.effects[tool.name]), from: file, word: word.effects[tool.name]})),
    ...Object.entries(config.tools.shell).flatMap(([name, given]): ForeignTool[] => {
      try {
        return [{tool: shellTool(name, given, path.dirname(config.file)), from: `tools.shell.${name}`, word: given.effect}]
      } catch (error) {
        problems.push(`${config.file}: ${reasonOf(error)}`)
        return []
      }
    }),
    ...servers.flatMap(server => mcpTools(server, word, name => word.effects[name]).map(tool => ({tool, from: `MCP server ${server.server.name}`, word: word.effects[tool.name]}))),
  ]
  const taken = new Map<string, string>([...specs.map(s => [s.name, 'tinyagent'] as const), ['join', 'the plan language']])
  const tools = all.filter(({tool: {name}, from}) => {
    const owner = taken.get(name)
    if (owner !== undefined) problems.push(`${from}: ${name}: ${owner} has a tool of this name already`)
    else taken.set(name, from)
    return owner === undefined
  })
  return {tools, problems, servers, word, close: async () => { await Promise.all(servers.map(server => server.close())) }}
}

/** A plug-in under the user's word: outward where there is none, and never less than what it says of the call itself. */
function guarded(own: Tool, word: Effect | undefined): Tool {
  return {
    // The most that a call may come to: one that only looks up asks too, when text of a document is in it (core/executor.ts).
    ...own, effect: 'outward',
    ...(own.touches && {touches: args => own.touches!(args)}),
    ...(own.undo && {undo: (token, context) => own.undo!(token, context)}),
    preview: async (args, context) => {
      const made = await own.preview(args, context)
      return {...made, effect: word === undefined ? 'outward' : most(made.effect, word)}
    },
    run: (args, context) => own.run(args, context),
  }
}
