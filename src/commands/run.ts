// `tinyagent "..."` and the REPL: picks the reader of the events (Ink, plain lines or JSON) and runs requests.
import {createInterface} from 'node:readline'
import {setTimeout as pause} from 'node:timers/promises'
import {jsonReader} from '../components/json.ts'
import {plainReader} from '../components/plain.ts'
import {spelledOut} from '../components/slash.ts'
import {UsageError} from '../core/errors.ts'
import {printable} from '../core/text.ts'
import type {Ask, Plan, Tool} from '../core/types.ts'
import {tellCutOff, type News} from './cut-off.ts'
import {carryOut, instructionsNotice} from './instructions.ts'
import {outboxNotice} from './outbox.ts'
import {checkRequest, readRequest} from './request.ts'
import {openConversation, type Conversation} from './conversation.ts'
import {runOne} from './run-one.ts'
import {isPlain, type Session} from './session.ts'
import {quoted} from './mcp-content.ts'
import {slashCommands} from './slash.ts'
import {listen} from './voice.ts'

export async function runCommand(words: string[], session: Session, signal: AbortSignal): Promise<number> {
  const {options} = session
  if (options.voice && options.audio !== undefined) throw new UsageError('--voice and --audio: one of them')
  if (options.voice) return runSpoken(words, session, signal)
  return runWith(options.audio === undefined ? await readRequest(words, signal) : await heardIn(options.audio, words, session, signal), session, signal)
}

/** What is run for a request instead of what would be planned; `tools` where they are not the session's. */
export interface FixedRun { plan?: Plan | undefined; tools?: Tool[] | undefined; beforeCard?: Promise<void> | undefined }

export async function runWith(request: string | undefined, session: Session, signal: AbortSignal, fixed: FixedRun = {}): Promise<number> {
  const {options} = session
  // A word on one request, not on whatever a REPL is told later.
  if (options.yes && request === undefined) throw new UsageError('--yes needs a request: tinyagent --yes "text Ana that I am late"')
  if (options.json) {
    if (request === undefined) throw new UsageError('--json needs a request: tinyagent --json "remind me to ..."')
    const {told} = report(session, signal)
    return runJson(request, session, signal, {...fixed, beforeCard: told}).finally(() => told)
  }
  return isPlain(session) ? runPlain(request, session, signal, fixed) : runInk(request, session, signal, fixed)
}

/** As with --voice: what was misheard must not leave unseen. */
async function heardIn(file: string, words: string[], session: Session, signal: AbortSignal): Promise<string> {
  if (session.options.yes) throw new UsageError('--yes cannot go with --audio: what was misheard would leave unseen')
  const {spokenRequest} = await import('./transcribe.ts')
  return spokenRequest(file, words, session, signal)
}

/** No words but those that are spoken, and nobody's yes before they were seen: what was misheard must not leave. */
async function runSpoken(words: string[], session: Session, signal: AbortSignal): Promise<number> {
  const {options} = session
  if (words.length > 0) throw new UsageError('--voice takes the request from the microphone: leave out the words, or --voice')
  if (options.yes) throw new UsageError('--yes cannot go with --voice: what was misheard would leave unseen')
  if (!options.json) return isPlain(session) ? runPlain(undefined, session, signal) : runInk(undefined, session, signal)
  const {told} = report(session, signal)
  const request = await listen(session, undefined, signal)
  return signal.aborted ? 130 : request === undefined ? 1 : runJson(request, session, signal, {beforeCard: told}).finally(() => told)
}

async function runJson(request: string, session: Session, signal: AbortSignal, fixed: FixedRun = {}): Promise<number> {
  const emit = jsonReader(text => process.stdout.write(text))
  return (await runOne(request, session, {emit, signal, dryRun: session.options.dryRun ?? false, ...fixed})).exitCode
}

async function runPlain(request: string | undefined, session: Session, signal: AbortSignal, fixed: FixedRun = {}): Promise<number> {
  const {told} = report(session, signal)
  const lines = process.stdin.isTTY ? openLines() : undefined
  const reader = plainReader({
    out: text => process.stdout.write(text),
    err: text => process.stderr.write(text),
    readLine: (prompt, stop) => lines ? lines.read(prompt, stop) : Promise.resolve(undefined),
  })
  const conversation = openConversation(session)
  const one = async (text: string, own = fixed): Promise<number> => (await conversation.run(text, {
    emit: reader.emit, signal, dryRun: session.options.dryRun ?? false, ...own, beforeCard: told,
    ...(lines && {confirm: reader.confirm, ask: reader.ask}),
  })).exitCode
  try {
    if (request !== undefined) return await one(request)
    if (session.options.voice) {
      const spoken = await listen(session, lines, signal)
      return signal.aborted ? 130 : spoken === undefined ? 1 : await one(spoken)
    }
    if (!lines) throw new UsageError('There is no request: tinyagent "remind me to ..."; `tinyagent --help` shows more')
    await Promise.race([told, pause(promptMs, undefined, {ref: false})]) // else it runs into the prompt
    return await plainRepl(session, {lines, ask: reader.ask}, one, conversation, signal)
  } finally {
    lines?.close()
    await told
  }
}

/** How long the first prompt waits for the news of a run that was cut off. */
const promptMs = 2_000

async function plainRepl(session: Session, {lines, ask}: {lines: Lines; ask: Ask}, one: (text: string, own?: FixedRun) => Promise<number>, conversation: Conversation, signal: AbortSignal): Promise<number> {
  const waiting = outboxNotice(session)
  if (waiting !== undefined) process.stderr.write(`${waiting}\n`)
  const commands = slashCommands(session, conversation)
  for (;;) {
    const line = (await lines.read('you: ', signal, true))?.trim()
    if (line === undefined || line === '/exit') return signal.aborted ? 130 : 0
    if (line === '') continue
    const [, name = '', argument = ''] = /^\/(\w+)\s*(.*)$/.exec(spelledOut(line)) ?? []
    const command = commands[name]
    try {
      if (name === 'voice') {
        const spoken = await listen(session, lines, signal)
        if (spoken !== undefined && spoken !== '') await one(spoken)
      } else if (command) {
        const answer = await command(argument, signal, ask)
        if (typeof answer === 'object' && 'plan' in answer) await one(answer.request, answer)
        else if (typeof answer === 'object' && 'draft' in answer) {
          process.stdout.write(`From ${printable(answer.from)}:\n${quoted(answer.draft)}\n`)
          // What was typed ahead is no answer to a text that nobody had seen.
          if (/^y(es)?$/i.test((await lines.read('Use it as your request? [y/N] ', signal))?.trim() ?? '')) await one(answer.draft)
        }
        else process.stdout.write(`${printable(await carryOut(answer))}\n`)
      }
      else if (name) process.stdout.write(`Commands: ${Object.keys(commands).map(c => `/${c}`).join(' ')} /voice /exit\n`)
      else await one(line)
    } catch (error) {
      process.stderr.write(`${printable(error instanceof Error ? error.message : String(error))}\n`)
    }
    if (signal.aborted) return 130
  }
}

async function runInk(request: string | undefined, session: Session, ended: AbortSignal, fixed: FixedRun = {}): Promise<number> {
  const [{startInk}, ink] = await Promise.all([import('../components/App.tsx'), import('./ink-deps.ts')])
  // Ink keeps what goes to the console out of the rows that it redraws.
  const {told} = tellCutOff(session, tell, ended)
  const notices = [instructionsNotice(session), request === undefined ? outboxNotice(session) : undefined].filter(notice => notice !== undefined)
  const deps = await ink.inkDeps(session, notices, {...fixed, beforeCard: told})
  const left = startInk({deps, ended, options: {dryRun: session.options.dryRun ?? false, voice: session.options.voice ?? false}, ...(request !== undefined && {request: checkRequest(request)})})
  return left.finally(() => told)
}

const tell = (line: string): void => console.error('%s', line)

/** What the user has to know at a start, on stderr. */
function report(session: Session, signal: AbortSignal): News {
  const waiting = instructionsNotice(session)
  if (waiting !== undefined) tell(waiting)
  return tellCutOff(session, tell, signal)
}

export interface Lines { read(prompt: string, signal: AbortSignal, takesEarly?: boolean): Promise<string | undefined>; close(): void }

/** Lines typed on the terminal. The terminal stays in its own line mode, so that Ctrl-C is a signal as everywhere. */
function openLines(): Lines {
  const reader = createInterface({input: process.stdin, terminal: false})
  const waiting: ((line: string | undefined) => void)[] = []
  let isClosed = false
  // What was typed before it was asked for answers no question: it is the next request.
  const early: string[] = []
  reader.on('line', line => { const give = waiting.shift(); if (give) give(line); else early.push(line) })
  reader.on('close', () => { isClosed = true; waiting.splice(0).forEach(give => give(undefined)) })
  return {
    close: () => reader.close(),
    read: (prompt, signal, takesEarly = false) => new Promise(resolve => {
      const known = takesEarly ? early.shift() : undefined
      if (known !== undefined && !signal.aborted) { process.stderr.write(`${prompt}${printable(known)}\n`); resolve(known); return }
      if (isClosed || signal.aborted) { resolve(undefined); return }
      process.stderr.write(prompt)
      const give = (line: string | undefined): void => { signal.removeEventListener('abort', onAbort); resolve(line) }
      const onAbort = (): void => { waiting.splice(waiting.indexOf(give), 1); resolve(undefined) }
      signal.addEventListener('abort', onAbort, {once: true})
      waiting.push(give)
    }),
  }
}
