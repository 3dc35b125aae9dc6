// A spoken request in a session: the microphone, the model and the user's names put together; and the same in plain lines.
import {dictate} from '../core/dictation.ts'
import {record} from '../core/recorder.ts'
import {oneLine, printable} from '../core/text.ts'
import type {Dictate} from '../core/types.ts'
import {withContacts} from '../core/voice/contacts.ts'
import type {Lines} from './run.ts'
import type {Session} from './session.ts'

export const dictateIn = async (session: Session, options: Parameters<Dictate>[0]): ReturnType<Dictate> => {
  const {device, silence} = session.config.voice
  // What the words need next loads while they are spoken; where that fails, the request says so.
  for (const load of [session.retriever, session.planner]) load().catch(() => undefined)
  const spoken = spokenNames(session).catch(() => ({names: [], people: []}))
  const {text, ...rest} = await dictate({
    ...options,
    sound: signal => record({signal, device}),
    transcriber: session.transcriber(),
    names: spoken.then(({names}) => names),
    silenceMs: silence * 1000,
  })
  return {...rest, ...asContacts(text, (await spoken).people)}
}

/** The names of contacts as the contacts have them, and a line that says what was heard in their place. */
export function asContacts(heard: string, people: string[]): {text: string; note?: string} {
  const {text, corrections} = withContacts(heard, people)
  return {text, ...(corrections.length > 0 && {note: corrections.map(c => `heard '${c.heard}', wrote ${c.written}`).join('; ')})}
}

/** How the user's lists, folders and people are spelled, and the people alone. A damaged store costs its names, not the dictation. */
export async function spokenNames(session: Session): Promise<{names: string[]; people: string[]}> {
  const {backends: {contacts, reminders, notes}} = await session.tools()
  const all = await Promise.allSettled([
    // The transcriber takes as many as it can, the first ones first: there are few lists, and perhaps a thousand people.
    reminders.reminders().then(list => list.map(r => r.list)),
    notes.list().then(list => list.map(n => n.folder)),
    contacts.all().then(list => knownFirst(session, list.map(c => c.name))),
  ])
  const [lists, folders, people] = all.map(part => (part.status === 'fulfilled' ? part.value : []).filter(name => name !== ''))
  return {names: [...new Set([...lists!, ...folders!, ...people!])], people: people!}
}

const requestsRead = 500

/** Names of which a word stands in an earlier request, the latest first: they are the likeliest. */
function knownFirst({journal}: Session, names: string[]): string[] {
  const requests = journal.entries().flatMap(e => e.type === 'request' ? [new Set(wordsOf(e.request))] : []).reverse().slice(0, requestsRead)
  const last = new Map(names.map(name => [name, requests.findIndex(said => wordsOf(name).some(word => said.has(word)))]))
  const age = (name: string): number => { const at = last.get(name)!; return at < 0 ? requestsRead : at }
  return names.sort((a, b) => age(a) - age(b))
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{M}]{2,}/gu) ?? []

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
    const {text, notice, note} = await dictateIn(session, {
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
    if (note !== undefined) say(oneLine(note))
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
