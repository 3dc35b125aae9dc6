// `tinyagent outbox`: as /outbox in the REPL (outbox.ts), without one.
import {jsonLine, printable} from '../core/text.ts'
import {keptItems} from '../tools/outbox/outbox.ts'
import {outboxAnswer, placesOf} from './outbox.ts'
import {runWith} from './run.ts'
import type {Session} from './session.ts'

export async function outboxCommand(words: string[], session: Session, signal: AbortSignal): Promise<number> {
  const answer = await outboxAnswer(session, words.join(' '))
  if (typeof answer !== 'string') return runWith(answer.request, session, signal, answer)
  process.stdout.write(session.options.json ? (await keptItems(placesOf(session.config))).map(item => `${jsonLine({...item})}\n`).join('') : `${printable(answer)}\n`)
  return 0
}
