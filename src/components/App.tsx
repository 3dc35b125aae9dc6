// The Ink interface: the REPL and the one-shot view, readers of the event stream (STYLE: Events).
import {Box, render, Static, Text, useStdout} from 'ink'
import {useCallback, useEffect, useMemo, useReducer, useRef, useState} from 'react'
import {oneLine, printable} from '../core/text.ts'
import type {Answer, Ask as AskUser, Confirm as ConfirmUser, ConfirmAnswer, Dictate, DictationView, Effect, Emit, Event, Plan, Preview, Question, Tool} from '../core/types.ts'
import {Ask} from './Ask.tsx'
import {Confirm} from './Confirm.tsx'
import {editorOf, emptyEditor, insertWords} from './editor.ts'
import {marks, wrap} from './format.ts'
import {addToHistory, readHistory} from './history.ts'
import {Input, inputRows, type Completion} from './Input.tsx'
import {FinishedRun, LiveRun} from './Run.tsx'
import {closest, completer, helpText, slashCommands, spelledOut, toolsText} from './slash.ts'
import {reduce, type RunView} from './state.ts'
import {Gate, inkStdout, openTerminal} from './terminal.ts'
import {Keys, KeySource, useKeys} from './useKeys.ts'
import {useLatest} from './useLatest.ts'
import {useSize} from './useSize.ts'
import {Voice} from './Voice.tsx'

export interface InkDeps {
  run(request: string, options: {emit: Emit; confirm: ConfirmUser; ask: AskUser; signal: AbortSignal; dryRun: boolean; plan?: Plan; tools?: Tool[]}): Promise<{exitCode: number}>
  tools: {name: string; description: string; effect: Effect}[]
  /** slash commands that only print: their names without the slash */
  commands: Record<string, (argument: string, signal: AbortSignal, ask: AskUser) => Promise<SlashAnswer>>
  contacts(): Promise<string[]>
  files(prefix: string): Promise<string[]>
  /** completes the last word after a slash command, by its name */
  argumentsOf?: Record<string, (typed: string) => Promise<Omit<Completion, 'from'>>>
  historyFile: string
  version: string
  /** lines to show first, e.g. what a crash left unfinished */
  notices?: string[]
  /** opens $EDITOR on a text */
  openEditor?: (text: string) => Promise<string>
  /** the microphone */
  dictate: Dictate
  /** what was said is sent without a look at it */
  sendSpoken: boolean
}
/** What a slash command answers: a text to print, one to edit, a plan to run, or somebody's text that may become a request. */
type SlashAnswer = string | {draft: string; from: string} | {edit: string; save(text: string): Promise<string>} | {request: string; plan: Plan; tools: Tool[]}
/** `voice`: one request, and it is spoken */
export interface InkOptions { dryRun: boolean; voice?: boolean }

type Item = {key: number} & ({run: RunView} | {text: string; error?: boolean; dim?: boolean})
interface Speech { stop: () => void; cancel: () => void }
type Dialog = {key: number; /** the user was typing when it opened */ overTyping: boolean} & ({preview: Preview; answer: (a: ConfirmAnswer) => void} | {question: Question; answer: (a: Answer) => void})
interface Props {
  deps: InkDeps
  options: InkOptions
  request?: string | undefined
  /** the height of the window; Ink's stdout has none */
  height?: () => number
  /** aborts when the program is told to end from outside */
  ended?: AbortSignal
  suspend: () => () => void
  leave: (exitCode: number) => void
}

/** Resolves with `fallback` when the signal aborts, so that a cancelled run never waits for a dialog. */
const untilAborted = <T,>(signal: AbortSignal, fallback: T, start: (resolve: (value: T) => void) => void): Promise<T> =>
  new Promise(resolve => {
    if (signal.aborted) { resolve(fallback); return }
    signal.addEventListener('abort', () => resolve(fallback), {once: true})
    start(resolve)
  })

const opening: DictationView = {phase: 'opening', ms: 0, levels: [], hasSpoken: false, partial: ''}

const usual = (): number => 24

/** Who has typed within this time is still typing: a dialog that comes up then gets none of it. */
const typingMs = 600
/** rows of the input line while something runs */
const typedAhead = 2

export function App({deps, options, request, height = usual, ended, suspend, leave}: Props) {
  const {width, rows} = useSize(height)
  const {write} = useStdout()
  const [run, dispatch] = useReducer((state: RunView | undefined, event: Event | 'clear') => event === 'clear' ? undefined : reduce(state, event), undefined)
  const [items, setItems] = useState<Item[]>([])
  const [dialog, setDialog] = useState<Dialog>()
  const [busy, setBusy] = useState(request !== undefined)
  const [speech, setSpeech] = useState<Speech | undefined>(options.voice ? {stop: () => undefined, cancel: () => undefined} : undefined)
  const [heard, setHeard] = useState(opening)
  // A one-shot run takes no request after its own.
  const [closed, setClosed] = useState(request !== undefined)
  const dryRun = useLatest(options.dryRun)
  const [history, setHistory] = useState(() => readHistory(deps.historyFile))
  const [frame, setFrame] = useState(0)
  const [cancelling, setCancelling] = useState(false)
  /** the slash command that is at work */
  const [working, setWorking] = useState<string>()
  const controller = useRef<AbortController>(undefined)
  // What is typed while something runs waits its turn; a cancelled run takes what waits behind it along.
  const queue = useRef({last: Promise.resolve(), cancelled: 0})
  const nextKey = useRef(0)
  // What is typed while something runs stays in the input line, and sent off it waits in `waiting`.
  const editor = useLatest(emptyEditor)
  const waiting = useLatest<string[]>([])
  const [armed, setArmed] = useState(false)
  const typedAt = useRef(-Infinity)
  /** when somebody else's text was put into the input line */
  const offeredAt = useRef(-Infinity)
  const print = useCallback((text: string, error = false, dim = false): void => setItems(all => [...all, {key: nextKey.current++, text, error, dim}]), [])

  // One clock for all spinners; nothing moves when nothing runs or a person is being asked.
  const moves = ((busy || working !== undefined) && !dialog) || heard.phase === 'writing'
  useEffect(() => {
    if (!moves) return
    const clock = setInterval(() => setFrame(f => f + 1), 120)
    return () => clearInterval(clock)
  }, [moves])

  const show = useCallback(<T,>(fallback: T, signal: AbortSignal, make: (answer: (value: T) => void, place: Pick<Dialog, 'key' | 'overTyping'>) => Dialog): Promise<T> =>
    untilAborted<T>(signal, fallback, resolve => {
      setArmed(false)
      setDialog(make(resolve, {key: nextKey.current++, overTyping: performance.now() - typedAt.current < typingMs}))
    }).finally(() => setDialog(undefined)), [])
  const askUser = useCallback<AskUser>((question, signal) => show<Answer>(undefined, signal, (answer, place) => ({...place, question, answer})), [show])

  const start = useCallback(async (text: string, dry: boolean, own: {plan?: Plan; tools?: Tool[]} = {}): Promise<number> => {
    const abort = new AbortController()
    controller.current = abort
    setBusy(true)
    setCancelling(false)
    let view: RunView | undefined
    try {
      const {exitCode} = await deps.run(text, {
        ...own,
        signal: abort.signal,
        dryRun: dry,
        emit: event => { view = reduce(view, event); dispatch(event) },
        confirm: (preview, signal) => show<ConfirmAnswer>('stop', signal, (answer, place) => ({...place, preview, answer})),
        ask: askUser,
      })
      return exitCode
    } catch (error) {
      print(error instanceof Error ? error.message : String(error), true)
      return 1
    } finally {
      const finished = view
      if (finished) setItems(all => [...all, {key: nextKey.current++, run: finished}])
      dispatch('clear')
      controller.current = undefined
      setBusy(false)
    }
  }, [askUser, deps, print, show])

  const openEditor = deps.openEditor
  const edit = openEditor && ((text: string): Promise<string> => { const resume = suspend(); return openEditor(text).finally(resume) })

  /** Shows what is at work, and lets it be stopped. */
  const waitFor = async <T,>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const abort = new AbortController()
    controller.current = abort
    setCancelling(false)
    setWorking(name)
    try {
      return await work(abort.signal)
    } catch (error) {
      throw abort.signal.aborted ? new Error(`Stopped: ${name}`) : error
    } finally {
      controller.current = undefined
      setWorking(undefined)
    }
  }
  /** Somebody else's text in the input line, to be read and changed first. What the user was typing is not mixed with it. */
  const offer = ({draft, from}: {draft: string; from: string}): void => {
    const isFree = editor.now().text === '' && waiting.now().length === 0
    const isSeen = wrap(printable(draft), width - 4).length <= inputRows
    const quoted = printable(draft).split('\n').map(line => `  | ${line}`).join('\n')
    if (isFree) { editor.set(() => editorOf(draft)); offeredAt.current = performance.now() }
    print([
      `From ${from}${isFree ? ', now in your input line. Read it, change it; Enter makes it your request, Ctrl-C clears it.' : '. You were typing, so it was not put into the input line: the same again does.'}`,
      ...(isFree && isSeen ? [] : [quoted]),
    ].join('\n'))
  }

  const slash = async (text: string): Promise<void> => {
    const [name = '', ...words] = text.slice(1).split(/\s+/)
    const argument = words.join(' ')
    const command = deps.commands[name]
    if (name === 'exit' || name === 'quit') leave(0)
    else if (name === 'help') print(helpText(deps.version))
    else if (name === 'tools') print(toolsText(deps.tools))
    else if (name === 'clear') { write('\u001b[2J\u001b[3J\u001b[H'); setItems([]) }
    else if (name === 'voice') await speak()
    else if (name === 'plan' && argument !== '') await start(argument, true)
    else if (name === 'plan') { print(dryRun.now() ? 'Plans are carried out again.' : 'Plans are only shown from now on. /plan again to carry them out.'); dryRun.set(!dryRun.now()) }
    else if (command) {
      const answer = await waitFor(text, signal => command(argument, signal, askUser))
      if (typeof answer === 'string') print(answer)
      else if ('draft' in answer) offer(answer)
      else if ('plan' in answer) await start(answer.request, dryRun.now(), {plan: answer.plan, tools: answer.tools})
      else if (edit) print(await answer.save(await edit(answer.edit)))
      else print('Set EDITOR to your editor first.', true)
    }
    else print(`There is no /${name}.${closest(name, [...slashCommands, ...Object.keys(deps.commands)])} /help shows all.`, true)
  }

  const enqueue = (next: (isCancelled: boolean) => Promise<void>): void => {
    const {last, cancelled} = queue.current
    queue.current.last = last.then(() => next(cancelled !== queue.current.cancelled))
      .catch((error: unknown) => print(error instanceof Error ? error.message : String(error), true))
  }
  const submit = (text: string): void => {
    const trimmed = text.trim()
    setHistory(addToHistory(deps.historyFile, trimmed))
    waiting.set(all => [...all, trimmed])
    enqueue(async isCancelled => {
      waiting.set(all => all.slice(1))
      if (isCancelled) { print(`Not started: ${trimmed}`); return }
      const command = spelledOut(trimmed)
      if (!/^\/\w+(\s|$)/.test(command)) {
        setClosed(options.voice ?? false)
        const code = await start(trimmed, dryRun.now())
        if (options.voice) leave(code)
        return
      }
      print(`${marks.prompt} ${trimmed}`)
      await slash(command)
    })
  }

  /** Listens, and puts the words where the cursor was. The end of a one-shot run where there are none. */
  const speak = async (isCancelled = false): Promise<void> => {
    if (isCancelled) return
    const stop = new AbortController()
    const cancel = new AbortController()
    controller.current = cancel
    setHeard(opening)
    setSpeech({stop: () => stop.abort(), cancel: () => cancel.abort()})
    let code: number | undefined
    try {
      const dictation = deps.dictate({stop: stop.signal, signal: cancel.signal, onView: view => { if (controller.current === cancel) setHeard(view) }})
      dictation.catch(() => undefined) // a cancelled one says so to nobody: the prompt is back at once, and the microphone closes behind it
      const result = await Promise.race([dictation, untilAborted(cancel.signal, undefined, () => undefined)])
      if (!result) { code = 130; return }
      const {text, notice, note} = result
      if (notice !== undefined) print(notice, text === '')
      if (note !== undefined) print(note, false, true)
      if (text === '') { code = 1; return }
      editor.set(e => insertWords(e, text))
      // What is incomplete is looked at first.
      if (deps.sendSpoken && notice === undefined) { submit(editor.now().text); editor.set(emptyEditor) }
    } catch (error) {
      code = cancel.signal.aborted ? 130 : 1
      if (code === 1) print(error instanceof Error ? error.message : String(error), true)
    } finally {
      controller.current = undefined
      setSpeech(undefined)
      setHeard(opening)
      if (options.voice && code !== undefined) { setClosed(true); leave(code) }
    }
  }

  useEffect(() => {
    for (const notice of deps.notices ?? []) print(notice)
    if (request !== undefined) void start(request, options.dryRun).then(leave)
    if (options.voice) enqueue(speak)
    // Once, at the start: the request of a one-shot run.
  }, [])

  useEffect(() => {
    const end = (): void => { controller.current?.abort(); leave(130) }
    ended?.addEventListener('abort', end, {once: true})
    return () => ended?.removeEventListener('abort', end)
  }, [ended, leave])

  useKeys(key => {
    const interrupt = key.name === 'ctrl' && key.text === 'c'
    if (!interrupt && (key.name !== 'escape' || dialog)) return
    if (interrupt && cancelling) leave(130)
    else { setCancelling(true); queue.current.cancelled++; controller.current?.abort() }
  }, busy || working !== undefined)

  const complete = useMemo(() => completer(deps), [deps])
  const dialogRows = dialog ? Math.max(6, Math.floor((rows - 2) * 0.7)) : 0
  // Below what runs: what waits, and what is being typed. A dialog that has the keys has the room too.
  const queued = busy && !(dialog && armed) ? waiting.now() : []
  const isTyping = !closed && !speech && !(dialog && armed) && (!busy || editor.now().text !== '')
  const typedRows = busy ? Math.min(1, queued.length) + (isTyping ? typedAhead : 0) : 0
  const dialogProps = dialog && {width, rows: dialogRows, overTyping: dialog.overTyping, onArmed: () => setArmed(true)}

  return (
    <>
      <Static items={items}>
        {item => 'run' in item
          ? <FinishedRun key={item.key} run={item.run} width={width} />
          : <Text key={item.key} {...(item.error && {color: 'red'})} dimColor={item.dim ?? false}>{wrap(printable(item.text), width).join('\n')}</Text>}
      </Static>
      <Box flexDirection="column">
        {run && <LiveRun run={run} frame={frame} width={width} rows={rows - 2 - dialogRows - typedRows - (cancelling ? 1 : 0)} />}
        {/* One may follow another with no frame between them; what was typed at the first must not reach the second. */}
        {dialog && dialogProps && 'preview' in dialog && <Confirm key={dialog.key} {...dialogProps} preview={dialog.preview} answer={dialog.answer} openEditor={edit} />}
        {dialog && dialogProps && 'question' in dialog && <Ask key={dialog.key} {...dialogProps} question={dialog.question} answer={dialog.answer} />}
        {working !== undefined && <Text dimColor wrap="truncate">{`${marks.spinner[frame % marks.spinner.length]} ${oneLine(working)}   Esc stops`}</Text>}
        {cancelling && (busy || working !== undefined) && <Text color="yellow">Cancelling. Ctrl-C again leaves at once.</Text>}
        {speech && <Voice view={heard} frame={frame} width={width} stop={speech.stop} cancel={speech.cancel} />}
        {queued.length > 0 && <Text dimColor wrap="truncate">{`${queued.length} more to do: ${oneLine(queued.join('; '))}`}</Text>}
        {!closed && <Input editor={editor} isShown={isTyping} isAhead={busy || working !== undefined} isSeen={() => performance.now() - offeredAt.current > typingMs} takesKeys={!speech && (!dialog || !armed)} width={width} history={history}
          submit={submit} exit={() => leave(0)} complete={complete} speak={() => enqueue(speak)} typed={() => { typedAt.current = performance.now() }} />}
      </Box>
    </>
  )
}

/** Shows the interface until the request is done (with `request`) or the user leaves; resolves with the exit code. */
export async function startInk({deps, request, options, ended}: {deps: InkDeps; request?: string; options: InkOptions; ended: AbortSignal}): Promise<number> {
  const keys = new KeySource()
  const gate = new Gate()
  const terminal = openTerminal(keys, gate)
  let code = 0
  try {
    const app = render(
      <Keys.Provider value={keys}>
        <App deps={deps} options={options} request={request} height={() => process.stdout.rows} ended={ended} suspend={terminal.suspend}
          leave={exitCode => { code = exitCode; setImmediate(() => app.unmount()) }} />
      </Keys.Provider>,
      {stdout: inkStdout(gate), exitOnCtrlC: false, patchConsole: true, maxFps: 20},
    )
    await app.waitUntilExit()
  } finally {
    terminal.restore()
  }
  return code
}
