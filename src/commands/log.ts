// `tinyagent log` and `tinyagent undo`: the journal in plain words, and taking a step back.
import {describe, undo} from '../core/journal.ts'
import {jsonLine, printable} from '../core/text.ts'
import {openOutboxTools} from './outbox.ts'
import type {Session} from './session.ts'

const shown = 50

/** The last side effects, oldest first. */
export function logText(session: Session): string {
  const deeds = session.journal.deeds()
  if (deeds.length === 0) return 'Nothing was done yet.'
  const rest = deeds.length - shown
  return [...(rest > 0 ? [`${rest} earlier ones are in ${session.config.paths.state}/journal`] : []), ...deeds.slice(-shown).map(describe)].join('\n')
}

export async function logCommand(session: Session): Promise<number> {
  const {journal, options} = session
  process.stdout.write(options.json ? journal.deeds().map(deed => `${jsonLine(deed)}\n`).join('') : `${printable(logText(session))}\n`)
  return 0
}

/** Takes back the last local step, or the one whose id ends with `id`; a line for people. */
export async function undoText(session: Session, id: string | undefined, signal: AbortSignal): Promise<string> {
  const tools = [...(await session.tools()).tools, ...await openOutboxTools(session)]
  return undo(session.journal, tools, id, {signal, now: session.now(), ask: async () => undefined, progress: () => undefined, aside: (_args, change) => change()})
}

export async function undoCommand(id: string | undefined, session: Session, signal: AbortSignal): Promise<number> {
  const summary = await undoText(session, id, signal)
  process.stdout.write(session.options.json ? `${jsonLine({summary})}\n` : `${printable(summary)}\n`)
  return 0
}
