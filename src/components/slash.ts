// Slash commands: their list, help, and completion of commands, contacts and files.
import type {Effect} from '../core/types.ts'
import type {Complete, Completion} from './Input.tsx'

const help: [string, string][] = [
  ['/help', 'this help'], ['/new', 'start afresh: the next request is no follow-up'], ['/tools', 'what tinyagent can do'], ['/mcp', 'what MCP servers have; read SERVER URI; /SERVER:PROMPT'], ['/plan [request]', 'show the plan and run nothing; alone: on and off'],
  ['/mail [file]', 'your mail; choose the open one'], ['/outbox', 'what was kept unsent; send N, delete N'], ['/notes', 'your notes'], ['/calendar', 'what is coming'],
  ['/log', 'what was done'], ['/undo [id]', 'take the last local step back'], ['/config', 'settings and where they are'],
  ['/model', 'the models in use'],
  ['/instructions', 'standing instructions; /instructions edit'], ['/policy', 'what may leave without asking; add RULE, remove N'],
  ['/examples', 'plans that you approved; remove N'], ['/voice', 'speak instead of typing (also Ctrl-T)'], ['/clear', 'clear the screen'], ['/exit', 'leave (also Ctrl-D)'],
]
export const slashCommands = help.map(([name]) => name.slice(1).split(' ')[0]!)

export const helpText = (version: string): string => [
  `tinyagent ${version}: type what you want done, e.g. "remind me to call the dentist tomorrow at 3pm".`,
  ...help.map(([name, what]) => `  ${name.padEnd(16)} ${what}`),
  'Ctrl-J or \\ and Enter: new line.  Up and Down: earlier requests.  Tab: complete /commands, @contacts, @SERVER:resources, ~/files.',
  'Esc or Ctrl-C stops what runs.  Ctrl-_ undoes typing, Ctrl-W, -U, -K cut and Ctrl-Y pastes.',
].join('\n')

export const toolsText = (tools: {name: string; description: string; effect: Effect}[]): string => {
  const effects: Record<Effect, string> = {read: 'looks up', local: 'on this machine', outward: 'asks first'}
  return tools.map(t => `  ${t.name.padEnd(26)} ${t.description} (${effects[t.effect]})`).join('\n')
}

/** "/SERVER:PROMPT ..." is short for "/mcp prompt SERVER PROMPT ..."; any other text stays as it is. */
export const spelledOut = (text: string): string => text.replace(/^\/([A-Za-z_][\w-]*):/, '/mcp prompt $1 ')

/** " Did you mean /calendar?" for the command that begins alike or shares most letters; "" for none. */
export function closest(name: string, commands: string[]): string {
  const score = (c: string): number => c.startsWith(name.slice(0, 2)) ? 10 : [...new Set(name)].filter(l => c.includes(l)).length - Math.abs(c.length - name.length)
  const best = [...commands].sort((a, b) => score(b) - score(a))[0]
  return best !== undefined && score(best) >= 2 ? ` Did you mean /${best}?` : ''
}

/** Completes the word at the cursor. */
export const completer = (deps: {commands: Record<string, unknown>; contacts(): Promise<string[]>; files(prefix: string): Promise<string[]>; argumentsOf?: Record<string, (typed: string) => Promise<Omit<Completion, 'from'>>>}): Complete => async (text, cursor) => {
  const before = spelledOut(text.slice(0, cursor))
  if (/^\/[\w-]*$/.test(before)) {
    const servers = (await deps.argumentsOf?.['mcp']?.('prompt '))?.options ?? []
    const all = [...new Set([...slashCommands, ...Object.keys(deps.commands)])].sort().concat(servers.map(name => `${name}:`))
    return {from: 0, options: all.map(c => `/${c}`).filter(c => c.startsWith(before))}
  }
  const [, name = '', typed = ''] = /^\/(\w+)\s+(.*)$/s.exec(before) ?? []
  const own = deps.argumentsOf?.[name]
  if (own) return {from: cursor - /\S*$/.exec(typed)![0].length, ...await own(typed)}
  const [, server, uri = ''] = /(?:^|\s)@([A-Za-z_][\w-]*):(\S*)$/.exec(before) ?? []
  const resources = server === undefined ? undefined : await deps.argumentsOf?.['mcp']?.(`read ${server} ${uri}`)
  if (resources) return {from: cursor - uri.length, ...resources}
  const at = /(?:^|\s)@([^@]*)$/.exec(before)
  if (at) {
    const typed = at[1]!.toLowerCase()
    const names = (await deps.contacts()).filter(n => n.toLowerCase().startsWith(typed))
    const servers = (await deps.argumentsOf?.['mcp']?.('read '))?.options.filter(n => n.toLowerCase().startsWith(typed)) ?? []
    return {from: cursor - at[1]!.length - 1, options: [...names, ...servers.map(n => `@${n}:`)]}
  }
  const word = /(?:^|\s)((?:~|\/|\.\/)\S*)$/.exec(before)
  if (word) return {from: cursor - word[1]!.length, options: await deps.files(word[1]!)}
  return {from: cursor, options: []}
}
