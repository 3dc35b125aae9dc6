// A spoken request in a session: the microphone, the model and the user's names put together; and the same in plain lines.
import {dictate} from '../core/dictation.ts'
import {record} from '../core/recorder.ts'
import {oneLine, printable} from '../core/text.ts'
import type {Dictate} from '../core/types.ts'
import type {Lines} from './run.ts'
import type {Session} from './session.ts'

export const dictateIn = (session: Session, options: Parameters<Dictate>[0]): ReturnType<Dictate> => {
  const {device, silence} = session.config.voice
  // What the words need next loads while they are spoken; where that fails, the request says so.
  for (const load of [session.retriever, session.planner]) load().catch(() => undefined)
  return dictate({
    ...options,
    sound: signal => record({signal, device}),
    transcriber: session.transcriber(),
    names: spokenNames(session).catch(() => []),
    silenceMs: silence * 1000,
  })
}

/** How the user's people, lists, calendars and folders are spelled. A damaged store costs its names, not the dictation. */
export async function spokenNames(session: Session): Promise<string[]> {
  const {backends: {contacts, reminders, notes}} = await session.tools()
  const all = await Promise.allSettled([
    contacts.all().then(list => list.map(c => c.name)),
    reminders.reminders().then(list => list.map(r => r.list)),
    notes.list().then(list => list.map(n => n.folder)),
  ])
  return [...new Set(all.flatMap(part => part.status === 'fulfilled' ? part.value : []))].filter(name => name !== '')
}

/** Listens and says so in lines of text; gives the request, as it was heard or as it was corrected. undefined: none. */
export async function listen(session: Session, lines: Lines | undefined, signal: AbortSignal): Promise<string | undefined> {
  const say = (text: string): void => { process.stderr.write(`voice: ${printable(text)}\n`) }
  const stop = new AbortController()
  const cancel = new AbortController()
  const over = new AbortController()
  const hints = new Set<string>()
  let hasSpoken = false
  let phase = ''
  say(`listening; silence ${lines ? 'or Enter ends it, q and Enter throws it away' : 'ends it'}`)
  const typed = lines?.read('', over.signal).then(line => {
    if (line?.trim() === 'q') cancel.abort()
    else if (line !== undefined) stop.abort()
  })
  try {
    const {text, notice} = await dictateIn(session, {
      stop: stop.signal,
      signal: AbortSignal.any([signal, cancel.signal]),
      onView: view => {
        if (view.hasSpoken && !hasSpoken) say('I hear you')
        if (view.phase === 'writing' && phase !== 'writing') say('writing it down')
        if (view.hint !== undefined && !hints.has(view.hint)) say(view.hint)
        if (view.hint !== undefined) hints.add(view.hint)
        hasSpoken = view.hasSpoken
        phase = view.phase
      },
    })
    if (notice !== undefined) say(notice)
    if (text === '') return undefined
    say(`heard: ${oneLine(text)}`)
    // What is incomplete is looked at first; without anybody to look, the steps that leave the machine are refused anyway.
    if (!lines || (session.config.voice.send && notice === undefined)) return text
    over.abort()
    await typed
    const answer = (await lines.read('Enter sends it, other words take its place, q drops it: ', signal))?.trim()
    return answer === undefined || answer === 'q' ? undefined : answer || text
  } catch (error) {
    if (!cancel.signal.aborted && !signal.aborted) throw error
    say('thrown away')
    return undefined
  } finally {
    over.abort()
  }
}
