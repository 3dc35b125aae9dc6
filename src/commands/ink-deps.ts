// What the Ink interface needs of a session.
import {readdirSync} from 'node:fs'
import path from 'node:path'
import type {InkDeps} from '../components/App.tsx'
import {expand} from '../core/paths.ts'
import {packageVersion} from '../version.ts'
import {editText, namedEditor} from './editor.ts'
import {openConversation} from './conversation.ts'
import type {FixedRun} from './run.ts'
import {mcpCompletions, wordsOf} from './mcp-content.ts'
import type {Session} from './session.ts'
import {slashCommands} from './slash.ts'
import {dictateIn} from './voice.ts'
import {toolRows, waiting} from './tools.ts'

export async function inkDeps(session: Session, notices: string[], fixed: FixedRun = {}): Promise<InkDeps> {
  const editor = namedEditor()
  const foreign = await session.foreign()
  const conversation = openConversation(session)
  return {
    run: (request, options) => conversation.run(request, {...fixed, ...options}),
    tools: toolRows(foreign),
    commands: slashCommands(session, conversation),
    // Completion is no place to say that a server can't be reached.
    contacts: async () => (await (await session.tools()).backends.contacts.all().catch(() => [])).map(c => c.name),
    files: async prefix => completions(prefix),
    argumentsOf: {mcp: async typed => mcpCompletions(session, [...wordsOf(typed), ...(/\s$/.test(typed) || typed === '' ? [''] : [])])},
    historyFile: path.join(session.config.paths.state, 'history'),
    version: packageVersion(),
    notices: [...notices, ...foreign.problems, ...waiting(foreign)],
    dictate: options => dictateIn(session, options),
    sendSpoken: session.config.voice.send,
    ...(editor && {openEditor: (text: string) => editText(editor, text)}),
  }
}

/** Paths that begin with what was typed; folders end with a slash. Hidden ones only where they are asked for. */
function completions(prefix: string): string[] {
  const full = expand(prefix, process.cwd())
  const isFolder = prefix.endsWith('/')
  const folder = isFolder ? full : path.dirname(full)
  const start = isFolder ? '' : path.basename(full)
  const typed = prefix.slice(0, prefix.length - start.length)
  try {
    return readdirSync(folder, {withFileTypes: true})
      .filter(e => e.name.startsWith(start) && (start.startsWith('.') || !e.name.startsWith('.')))
      .map(e => `${typed}${e.name}${e.isDirectory() ? '/' : ''}`)
  } catch {
    return [] // no such folder, or none that we may read: nothing to offer
  }
}
