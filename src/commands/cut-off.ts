// What a killed run left: steps in doubt are looked into beside the start of the next one, written down, and told once, and its folder
// of temporary files is removed. Nothing is ever done again.
import {statSync} from 'node:fs'
import path from 'node:path'
import {reasonOf} from '../core/errors.ts'
import {intention, minuteOf, type Deed} from '../core/journal.ts'
import {alone} from '../core/oauth/alone.ts'
import {removeLeftOvers} from '../core/temp-folder.ts'
import {oneLine, printable} from '../core/text.ts'
import {untilAborted} from '../core/time-limit.ts'
import type {Settled, Tool} from '../core/types.ts'
import {openOutboxTools} from './outbox.ts'
import type {Session} from './session.ts'

/** A server that is slower counts as one that can't be asked. */
const lookMs = 9_000
/** ... with the wait for another start that looks. */
const limitMs = 10_000

/** More are in the log. */
const maxTold = 5

export interface News {
  /** Settles when all was told, at the latest after the limit. Never rejects. */
  told: Promise<void>
}

/** Looks, and gives each line to `tell`. Where nothing is in doubt it costs a reading of the journal and of the system's folder for temporary files. */
export function tellCutOff(session: Session, tell: (line: string) => void, signal: AbortSignal): News {
  const removed = removeLeftOvers()
  let inDoubt: Deed[]
  try {
    inDoubt = session.journal.inDoubt()
  } catch (error) {
    tell(`The journal can't be read: ${reasonOf(error)}`)
    return {told: removed}
  }
  if (inDoubt.length === 0) return {told: removed}
  const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
  // Of two starts at once one looks and tells; the other finds nothing left.
  const work = alone(path.join(session.config.paths.state, 'looking.lock'), () => look(session, tell, signal))
  const told = untilAborted(work, limit).catch((error: unknown) => { if (!limit.aborted) session.journal.bug(error) })
  return {told: Promise.all([removed, told]).then(() => undefined)}
}

async function look(session: Session, tell: (line: string) => void, signal: AbortSignal): Promise<void> {
  const {journal} = session
  const deeds = journal.inDoubt()
  const tools = await toolsOf(session)
  const limit = AbortSignal.any([signal, AbortSignal.timeout(lookMs)])
  const found = await Promise.all(deeds.map(async deed => ({deed, settled: await settle(deed, tools, session, limit)})))
  if (signal.aborted) return // the user has left: the next start looks
  // Who was told once that nobody knows is told again only once somebody does.
  const news = found.filter(({deed, settled}) => deed.state === 'pending' || settled.state !== 'unknown')
  for (const {deed, settled} of news.slice(0, maxTold)) tell(lineOf(deed, settled))
  if (news.length > maxTold) tell(`... and ${news.length - maxTold} more such steps; \`tinyagent log\` shows them.`)
  // After they were told, so that none is lost where this process is killed, too.
  for (const {deed, settled} of news) journal.settle(deed, settled)
}

/** None where the config is wrong: then nobody can be asked. */
const toolsOf = async (session: Session): Promise<Tool[]> => {
  try {
    return [...(await session.tools()).tools, ...await openOutboxTools(session)]
  } catch {
    return []
  }
}

async function settle(deed: Deed, tools: Tool[], session: Session, signal: AbortSignal): Promise<Settled> {
  const {key, at, args} = deed
  const tool = tools.find(t => t.name === deed.tool)
  const unknown = (again: boolean): Settled => ({state: 'unknown', summary: `${oneLine(intention(deed.tool, args))}. Look whether it was before you do it again.`, again})
  if (!tool?.settle) return unknown(tools.length === 0)
  try {
    const settled = await untilAborted(tool.settle(args, {key, at, signal}), signal)
    // Another account than the one of that time may have it.
    return settled.state === 'failed' && hasChangedSince(session.config.file, at)
      ? {state: 'unknown', summary: `${oneLine(intention(deed.tool, args))}. ${settled.summary} But the config was changed since, and another account or folder may have it.`} : settled
  } catch {
    return unknown(true)
  }
}

function hasChangedSince(file: string, at: Date): boolean {
  try {
    return statSync(file).mtimeMs > at.getTime()
  } catch {
    return false // no config then and now, or one that was taken away
  }
}

const words: Record<Settled['state'], string> = {
  done: 'It was done', failed: 'It was not done', unknown: 'It is not known whether this was done',
}

function lineOf({at}: Deed, {state, summary}: Settled): string {
  return printable(oneLine(`tinyagent was cut off in a step at ${minuteOf(at)}. ${words[state]}: ${summary.replace(/\.$/, '')}.`))
}
