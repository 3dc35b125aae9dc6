// `tinyagent tools`: what tinyagent can do, and everything about tools that are not its own: new, import, approve, revoke, effect.
import {existsSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {createInterface} from 'node:readline/promises'
import type {Tool as McpTool} from '@modelcontextprotocol/client'
import {UsageError} from '../core/errors.ts'
import {makeFolder} from '../core/paths.ts'
import {paramsOf} from '../core/params.ts'
import {signature} from '../core/prompt.ts'
import {jsonLine, oneLine, printable} from '../core/text.ts'
import type {Effect, Json, ToolSpec} from '../core/types.ts'
import {changeWord, definitionOf, difference, hashOf, wordFile} from '../tools/approvals.ts'
import {pluginsDir, type Foreign} from '../tools/foreign.ts'
import {planName, shapeOf, shortDescription, startHash, type OpenServer} from '../tools/mcp/mcp.ts'
import {importServers, serversFile, startOf} from '../tools/mcp/servers.ts'
import {deleteSignIn} from '../tools/mcp/sign-ins.ts'
import {example} from '../tools/plugins/plugins.ts'
import {specs} from '../tools/specs.ts'
import type {Session} from './session.ts'

const effects: Record<Effect, string> = {read: 'looks up', local: 'on this machine, can be undone', outward: 'asks first'}

export interface ToolRow { name: string; description: string; effect: Effect; args: string[]; from?: string }

const row = (spec: ToolSpec, effect: Effect, from?: string): ToolRow =>
  ({name: spec.name, description: spec.description, effect, args: paramsOf(spec).map(p => p.name), ...(from !== undefined && {from})})

/** Ours in their order, then the others. */
export const toolRows = (foreign: Foreign): ToolRow[] => [
  ...specs.map(spec => row(spec, spec.effect)),
  ...foreign.tools.map(({tool, from, word}) => row(tool, word ?? 'outward', from)),
]

/** What of the servers in mcp.json is not on offer, and what to do about it. */
export function waiting({servers, word}: Foreign): string[] {
  return servers.flatMap(({server}): string[] => {
    const approved = word.servers[server.name]
    const approve = `\`tinyagent tools approve ${server.name}\``
    if (!approved) return [`MCP server ${server.name}: not approved yet; ${approve} shows what it is and what it offers`]
    if (approved.start !== startHash(server)) return [`MCP server ${server.name}: it starts in another way than when you approved it; ${approve} asks again`]
    const changed = Object.entries(approved.tools).filter(([, pin]) => pin.changed).map(([name]) => planName(server.name, name))
    const unusable = Object.entries(approved.tools).flatMap(([name, pin]) => {
      const shape = shapeOf(pin.definition)
      return 'problem' in shape ? [`${planName(server.name, name)} cannot be planned: ${shape.problem}`] : []
    })
    return [...(changed.length > 0 ? [`MCP server ${server.name}: changed since you approved it, and not offered: ${changed.join(', ')}; ${approve} shows the difference`] : []), ...unusable]
  })
}

export async function toolsCommand(words: string[], session: Session, signal: AbortSignal): Promise<number> {
  const [action = 'list', ...names] = words
  const [name] = names
  const need = (what: string): string => {
    if (name === undefined) throw new UsageError(`tools ${action} needs ${what}`)
    return name
  }
  switch (action) {
    case 'list': return list(session)
    case 'new': return create(need('a name, e.g. drink_water'), session)
    case 'import': return take(need('the file of another program, e.g. claude_desktop_config.json'), session)
    case 'approve': return approve(names, session, signal)
    case 'revoke': return revoke(need('the name of a server or of one of its tools'), session)
    case 'sign-in': return (await import('./tools-sign-in.ts')).signInCommand(need('the name of an MCP server'), session, signal)
    case 'sign-out': return (await import('./tools-sign-in.ts')).signOutCommand(need('the name of an MCP server'), session, signal)
    case 'effect': return setEffect(need('a tool and what it does: read, local or outward'), names[1], session)
    default: throw new UsageError(`tools ${oneLine(action)}: there is list, new NAME, import FILE, approve [SERVER], sign-in SERVER, sign-out SERVER, revoke NAME and effect NAME read|local|outward`)
  }
}

const out = (text: string): void => { process.stdout.write(`${printable(text)}\n`) }

async function list(session: Session): Promise<number> {
  const foreign = await session.foreign()
  const rows = toolRows(foreign)
  const problems = [...foreign.problems, ...waiting(foreign)]
  if (session.options.json) {
    process.stdout.write(`${jsonLine(rows)}\n`)
  } else {
    const width = Math.max(24, ...rows.map(r => r.name.length))
    out(rows.map(r => `${r.name.padEnd(width)} ${r.description} (${effects[r.effect]})\n${' '.repeat(width + 1)}${[r.args.join(', ') || 'no arguments', ...(r.from === undefined ? [] : [r.from])].join('; ')}`).join('\n'))
  }
  for (const problem of problems) process.stderr.write(`${printable(problem)}\n`)
  return 0
}

function create(name: string, session: Session): number {
  if (!/^[a-z_][a-z0-9_]{0,47}$/.test(name)) throw new UsageError(`${oneLine(name)}: expected a name of small letters, digits and "_", e.g. drink_water`)
  if (specs.some(s => s.name === name)) throw new UsageError(`${name} is one of tinyagent's own tools; take another name`)
  const dir = pluginsDir(session.config)
  const file = path.join(dir, `${name}.js`)
  if (existsSync(file)) throw new UsageError(`${file} is there already`)
  makeFolder(dir)
  writeFileSync(file, example(name), {mode: 0o600, flag: 'wx'})
  out(`Wrote ${file}: a tool that works, to change as you like. \`tinyagent tools\` lists it.`)
  return 0
}

async function take(from: string, session: Session): Promise<number> {
  const file = serversFile(session.config.paths.config)
  const {added, kept, problems, variables} = await importServers(path.resolve(from), file)
  if (session.options.json) process.stdout.write(`${jsonLine({added, kept, problems, variables})}\n`)
  else {
    out(added.length > 0 ? `Took over ${added.join(', ')} into ${file}.` : 'Nothing was taken over.')
    if (kept.length > 0) out(`There already, and left as they are: ${kept.join(', ')}.`)
    if (variables.length > 0) out(`Secrets are not copied. Set in the environment: ${[...new Set(variables)].join(', ')}.`)
    if (added.length > 0) out(`\`tinyagent tools approve ${added.length === 1 ? added[0]! : ''}`.trimEnd() + '` shows what they are and what they offer; none is started before.')
  }
  for (const problem of problems) process.stderr.write(`${printable(problem)}\n`)
  return problems.length > 0 && added.length === 0 ? 1 : 0
}

/** A person's yes to a question on the terminal; `undefined` where nobody is there. */
type Consent = (question: string) => Promise<boolean | undefined>

function consent({options}: Session, signal: AbortSignal): Consent {
  return async question => {
    if (options.yes) return true
    if (!process.stdin.isTTY) return undefined
    const reader = createInterface({input: process.stdin, output: process.stderr, terminal: false})
    try {
      return /^y(es)?$/i.test((await reader.question(`${question} [y/N] `, {signal})).trim())
    } finally {
      reader.close()
    }
  }
}

async function approve(names: string[], session: Session, signal: AbortSignal): Promise<number> {
  const {servers, problems} = await session.foreign()
  const unknown = names.find(name => !servers.some(s => s.server.name === name))
  if (unknown !== undefined) throw new UsageError(`There is no MCP server ${oneLine(unknown)} in ${serversFile(session.config.paths.config)}; there: ${servers.map(s => s.server.name).join(', ') || 'none'}${problems.length > 0 ? ` (${problems.join('; ')})` : ''}`)
  const chosen = names.length > 0 ? servers.filter(s => names.includes(s.server.name)) : servers
  if (chosen.length === 0) throw new UsageError(`There is no MCP server in ${serversFile(session.config.paths.config)}; \`tinyagent tools import FILE\` takes those of another program over`)
  let code = 0
  for (const server of chosen) code = Math.max(code, await approveOne(server, session, consent(session, signal), signal))
  return code
}

async function approveOne(open: OpenServer, session: Session, ask: Consent, signal: AbortSignal): Promise<number> {
  const {server} = open
  const {word} = await session.foreign()
  const file = wordFile(session.config.paths.config)
  const before = word.servers[server.name]
  const refused = (answer: boolean | undefined): number => {
    process.stderr.write(answer === undefined ? 'Nobody is here to say yes: run it on a terminal, or with --yes after you have read it.\n' : 'Nothing was approved.\n')
    return answer === undefined ? 3 : 0
  }
  // The specification asks for it: the exact command, whole, before anything starts.
  if (server.type === 'http') out(`${server.name} is reached at\n  ${startOf(server)}${/^http:\/\/(?!localhost\b|127\.|\[::1\])/.test(server.url) ? '\n  The connection is not encrypted: others on the way can read and change what is sent.' : ''}`)
  else out(`${server.name} is a program that runs on this machine as you, with all that you may do:\n  ${startOf(server)}${server.cwd === undefined ? '' : `\n  in ${server.cwd}`}`)
  const given = Object.keys(server.type === 'http' ? server.headers : server.env)
  if (given.length > 0) out(`  It gets: ${given.join(', ')}`)
  if (before?.start !== startHash(server)) {
    const answer = await ask(server.type === 'http' ? 'Ask it for its tools?' : 'Start it and ask for its tools?')
    if (!answer) return refused(answer)
  }
  const tools = await (await open.connection()).tools(signal)
  const pins = new Map(tools.map(tool => [tool.name, definitionOf(tool as McpTool & Record<string, unknown>)])) // a tool came as JSON
  const gone = Object.keys(before?.tools ?? {}).filter(name => !pins.has(name))
  const news = [...pins].filter(([name, definition]) => before?.start !== startHash(server) || before?.tools[name]?.hash !== hashOf(definition) || before.tools[name].changed)
  for (const [name, definition] of news) out(describeTool(server.name, name, definition, before?.tools[name]?.definition))
  for (const name of gone) out(`\n${planName(server.name, name)} is gone.`)
  if (news.length === 0 && gone.length === 0 && before?.start === startHash(server)) {
    out(`${server.name}: all ${pins.size} tools are as you approved them.`)
    return 0
  }
  if (news.length > 0) out(`\nText above is the server's own. Each of its tools asks before every call, until \`tinyagent tools effect NAME read\` says otherwise.`)
  const answer = await ask(pins.size === 0 ? `${server.name} has no tools. Approve it for its prompts and resources?` : news.length === 0 ? 'Take the missing ones off the list?' : `Approve ${news.length === 1 ? 'this tool' : `these ${news.length} tools`} of ${server.name}?`)
  if (!answer) return refused(answer)
  await changeWord(file, all => {
    all.servers[server.name] = {start: startHash(server), tools: Object.fromEntries([...pins].map(([name, definition]) => [name, {hash: hashOf(definition), definition, changed: false}]))}
    // A word that was given on another tool of this name does not hold for the one that it has become.
    for (const [name] of news) delete all.effects[planName(server.name, name)]
  })
  out(`Approved: ${news.map(([name]) => planName(server.name, name)).join(', ') || 'nothing new'}.`)
  return 0
}

function describeTool(server: string, name: string, definition: Record<string, Json>, before: Record<string, Json> | undefined): string {
  const known = planName(server, name)
  const shape = shapeOf(definition)
  const {description, annotations} = definition
  const says = typeof annotations === 'object' && annotations !== null && !Array.isArray(annotations) ? annotations : {}
  const hint = says['readOnlyHint'] === true ? ', says of itself that it only reads' : says['destructiveHint'] === true ? ', says of itself that it may destroy' : ''
  const quote = (text: string): string => printable(text).trim().split('\n').map(line => `  | ${line}`).join('\n')
  const lines = [
    `\n${known}  (${before ? 'changed' : 'new'}${hint})`,
    quote(typeof description === 'string' && description.trim() !== '' ? description : '(no description)'),
    'problem' in shape ? `  cannot be planned: ${shape.problem}` : `  in a plan: ${printable(signature({name: known, description: shortDescription(definition), args: shape.args, effect: 'outward', returns: 'any', foreign: true}))}`,
    `  sha256 ${hashOf(definition)}`,
  ]
  if (before) lines.push('  what is different:', ...difference(before, definition).map(line => `    ${printable(line)}`))
  else lines.push('  arguments:', ...JSON.stringify(definition['inputSchema'] ?? {}, null, 2).split('\n').map(line => `    ${printable(line)}`))
  return lines.join('\n')
}

async function revoke(name: string, session: Session): Promise<number> {
  const {word} = await session.foreign()
  const tool = Object.entries(word.servers).flatMap(([server, {tools}]) => Object.keys(tools).map(own => ({server, own}))).find(({server, own}) => planName(server, own) === name)
  if (!tool && !Object.hasOwn(word.servers, name)) throw new UsageError(`${oneLine(name)} is no approved MCP server and none of their tools`)
  await changeWord(wordFile(session.config.paths.config), all => {
    const gone = tool ? [name] : Object.keys(all.servers[name]?.tools ?? {}).map(own => planName(name, own))
    if (tool) delete all.servers[tool.server]?.tools[tool.own]
    else delete all.servers[name]
    for (const known of gone) delete all.effects[known]
  })
  if (!tool) await deleteSignIn(name, session.config)
  out(`${name} is not offered any more.`)
  return 0
}

async function setEffect(name: string, effect: string | undefined, session: Session): Promise<number> {
  const {tools} = await session.foreign()
  const found = tools.find(t => t.tool.name === name)
  if (!found) throw new UsageError(specs.some(s => s.name === name) ? `${name} is tinyagent's own; confirm.policy in the config is for those` : `There is no tool ${oneLine(name)}; \`tinyagent tools\` lists all`)
  if (found.from.startsWith('tools.shell.')) throw new UsageError(`${name} is in the config: \`effect = "read"\` under [${found.from}] says it there`)
  if (effect !== 'read' && effect !== 'local' && effect !== 'outward') throw new UsageError(`tools effect ${name}: expected read (it only looks up), local (on this machine, can be undone) or outward (asks first)`)
  if (effect === 'local' && !found.tool.undo) throw new UsageError(`${name} has no undo, so it cannot count as local; read or outward`)
  await changeWord(wordFile(session.config.paths.config), all => {
    if (effect === 'outward') delete all.effects[name]
    else all.effects[name] = effect
  })
  out(effect === 'outward' ? `${name} asks before every call.` : `${name} ${effect === 'read' ? 'looks up' : 'works on this machine'} without asking, unless text of a document or mail is in the call.`)
  return 0
}
