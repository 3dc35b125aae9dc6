// /outbox: what was kept unsent, and sending or deleting each by a run of its own, with its card.
import type {Config} from '../core/config.ts'
import {UsageError} from '../core/errors.ts'
import type {Plan, Tool} from '../core/types.ts'
import {deleteKept, keptItems, keptPaths, purgeSetAside, sendKept, type OutboxPlaces} from '../tools/outbox/outbox.ts'
import type {Session} from './session.ts'

/** A slash command's answer that is a run: this plan by these tools, under this name. */
export interface OwnRun { request: string; plan: Plan; tools: Tool[] }

export const placesOf = ({dirs}: Config): OutboxPlaces => ({mailDir: dirs.mail, smsDir: dirs.sms})

/** One line for the start of the REPL; undefined where nothing waits. Nothing is read for it but names. */
export function outboxNotice({config}: Session): string | undefined {
  const kept = keptPaths(placesOf(config))
  if (kept.length === 0) return undefined
  const counted = (['mail', 'text message'] as const).flatMap(kind => {
    const n = kept.filter(k => k.kind === kind).length
    return n === 0 ? [] : [`${n} ${kind}${n === 1 ? '' : 's'}`]
  })
  return `Unsent in the outbox: ${counted.join(' and ')}. /outbox lists them; /outbox send 1 and /outbox delete 1.`
}

/** The tools of a session for its outbox. */
export async function openOutboxTools(session: Session): Promise<Tool[]> {
  const [{backends}, {openOutbox}] = await Promise.all([session.tools(), import('../tools/index.ts')])
  return openOutbox(session.config, backends)
}

export async function outboxAnswer(session: Session, argument: string): Promise<string | OwnRun> {
  await purgeSetAside(placesOf(session.config))
  const kept = await keptItems(placesOf(session.config))
  const [, action = 'list', rest = ''] = /^(\S+)\s*(.*)$/.exec(argument.trim()) ?? []
  if (action === 'list') {
    return kept.length === 0 ? 'The outbox is empty.' : [...kept.map(({title}, i) => `${i + 1}. ${title}`), 'outbox send NUMBER shows the card and sends; outbox delete NUMBER takes it out unsent.'].join('\n')
  }
  if (action !== 'send' && action !== 'delete') throw new UsageError(`outbox ${action}: there is list, send NUMBER and delete NUMBER`)
  const chosen = /^[1-9]\d{0,5}$/.test(rest) ? kept[Number(rest) - 1] : undefined
  if (!chosen) throw new UsageError(kept.length === 0 ? 'The outbox is empty' : `Which one? Its number, from 1 to ${kept.length}`)
  const {name} = action === 'send' ? sendKept : deleteKept
  return {
    request: `outbox ${action}: ${chosen.title}`,
    plan: {tasks: [{id: 1, tool: name, args: [chosen.path], dependsOn: []}]},
    tools: await openOutboxTools(session),
  }
}
