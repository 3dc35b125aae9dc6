// The wizard of `tinyagent setup`: one question at a time, what was answered and found above it in the scrollback, a spinner while something is
// looked up or tried. It shows and asks; what is asked is up to src/commands/setup*.ts.
import {Box, render, Static, Text} from 'ink'
import {useEffect, useState} from 'react'
import stringWidth from 'string-width'
import {oneLine, printable} from '../core/text.ts'
import type {AskOptions, Candidate, Mark} from '../core/types.ts'
import {Pick} from './Ask.tsx'
import {edit, editorOf, type Editor} from './editor.ts'
import {duration, marks, truncate, wrap} from './format.ts'
import {Line} from './Line.tsx'
import {Gate, inkStdout, openTerminal} from './terminal.ts'
import {Keys, KeySource, useKeys} from './useKeys.ts'
import {useLatest} from './useLatest.ts'
import {useSize} from './useSize.ts'

type Check = NonNullable<AskOptions['check']>
export type WizardQuestion = {title: string} & (
  | {type: 'text'; preset: string; check: Check}
  | {type: 'secret'; check: Check}
  | {type: 'choice'; choices: Candidate[]; preset?: string | undefined})

export interface Said { text: string; mark?: Mark | undefined }
/** What the wizard shows. `answer` gets undefined when the user goes back. */
export interface WizardView {
  said: readonly Said[]
  question?: {id: number; asked: WizardQuestion; answer: (value: string | undefined) => void} | undefined
  work?: {what: string; cancel: () => void} | undefined
}

interface Props { view: WizardView; interrupt: () => void; height: () => number }

export function Wizard({view: {said, question, work}, interrupt, height}: Props) {
  const {width, rows} = useSize(height)
  useKeys(key => { if (key.name === 'ctrl' && key.text === 'c') interrupt() })
  return (
    <>
      <Static items={[...said]}>{(line, i) => <SaidLine key={i} line={line} width={width} />}</Static>
      {work && <Work key={work.what} what={work.what} cancel={work.cancel} isAlone={!question} width={width} />}
      {question && <Question key={question.id} {...question} width={width} rows={rows - 2} />}
    </>
  )
}

const colour: Partial<Record<Mark, string>> = {done: 'green', failed: 'red'}
const markOf = {done: marks.done, failed: marks.failed, note: ' '}

/** Words stay whole. A word wider than the window, such as the address of a sign-in, is not broken at all: the terminal does that, so that it can be copied and clicked. */
export function SaidLine({line: {text, mark}, width}: {line: Said; width: number}) {
  const safe = printable(text)
  const indent = mark ? 2 : 0
  const rows = safe.split(/\s/).some(word => stringWidth(word) > width - indent) ? [safe] : wrap(safe, width - indent)
  return (
    <Box width={indent + Math.max(1, ...rows.map(row => stringWidth(row)))} flexShrink={0}>
      {mark && <Box width={2} flexShrink={0}><Text {...(colour[mark] && {color: colour[mark]})}>{markOf[mark]}</Text></Box>}
      <Text {...(mark === 'failed' && {bold: true})}>{rows.join('\n')}</Text>
    </Box>
  )
}

/** Said after this time. */
const slowMs = 2_000

export function Work({what, cancel, isAlone, width}: {what: string; cancel: () => void; isAlone: boolean; width: number}) {
  const [started] = useState(() => performance.now())
  const [frame, setFrame] = useState(0)
  useEffect(() => {
    const clock = setInterval(() => setFrame(f => f + 1), 120)
    return () => clearInterval(clock)
  }, [])
  useKeys(key => { if (key.name === 'escape') cancel() }, isAlone)
  const ms = performance.now() - started
  const time = ms > slowMs ? ` ${duration(Math.floor(ms / 1000) * 1000).replace('.0', '')}` : ''
  return (
    <Box flexDirection="column">
      <Text color="cyan">{`${marks.spinner[frame % marks.spinner.length]} ${truncate(oneLine(what), width - 2 - time.length)}${time}`}</Text>
      {isAlone && <Text dimColor>Esc goes back, Ctrl-C leaves</Text>}
    </Box>
  )
}

export function Question({asked, answer, width, rows}: NonNullable<WizardView['question']> & {width: number; rows: number}) {
  if (asked.type !== 'choice') return <Field asked={asked} answer={answer} width={width} />
  const {title, choices, preset} = asked
  return (
    <Pick question={{type: 'pick', title, candidates: choices}} width={width} rows={rows} start={Math.max(0, choices.findIndex(c => c.value === preset))}
      hint="Arrows and Enter, or a digit; Esc back" nothing="Nothing fits. Backspace widens the search." answer={chosen => answer(chosen?.value)} />
  )
}

function Field({asked, answer, width}: {asked: Exclude<WizardQuestion, {type: 'choice'}>; answer: (value: string | undefined) => void; width: number}) {
  const {now, set} = useLatest(editorOf(asked.type === 'text' ? asked.preset : ''))
  const problem = useLatest<string | undefined>(undefined)
  useKeys(key => {
    const {text} = now()
    if (key.name === 'escape' || (key.name === 'ctrl' && key.text === 'd' && text === '')) { answer(undefined); return }
    if (key.name === 'enter') {
      const value = asked.type === 'text' ? text.trim() : text
      const wrong = asked.check(value)
      if (wrong === undefined) answer(value)
      else problem.set(wrong)
      return
    }
    if (key.name === 'newline') return
    problem.set(undefined)
    // One line is asked for: what was copied with its line end is that line.
    set(e => edit(e, key.name === 'paste' ? {...key, text: key.text.replace(/^\n+|\n+$/g, '').replaceAll('\n', ' ')} : key))
  })
  const wrong = problem.now()
  return (
    <Box flexDirection="column">
      <Text bold>{wrap(printable(asked.title), width).join('\n')}</Text>
      {asked.type === 'text' ? <Line editor={now()} prefix={`${marks.prompt} `} width={width} rows={3} /> : <Hidden editor={now()} />}
      {wrong !== undefined && <Text color="red">{wrap(printable(wrong), width).join('\n')}</Text>}
      <Text color="yellow" wrap="truncate">Enter goes on, Esc back, Ctrl-C leaves</Text>
    </Box>
  )
}

/** Neither the text nor its length. */
const Hidden = ({editor: {text}}: {editor: Editor}) =>
  <Text>{`${marks.prompt} `}<Text inverse> </Text><Text dimColor>{text === '' ? ' not shown' : ' typed, not shown'}</Text></Text>

export interface OpenWizard {
  say(text: string, mark?: Mark): void
  /** Undefined when the user goes back or the signal aborts. */
  ask(asked: WizardQuestion, signal: AbortSignal): Promise<string | undefined>
  /** Shows a spinner until the function that it gives is called. `cancel`: the user goes back meanwhile. */
  work(what: string, cancel: () => void): () => void
  /** Gives the terminal back. */
  close(): Promise<void>
}

/** Takes the terminal. `interrupt`: Ctrl-C was pressed. */
export function openWizard(interrupt: () => void): OpenWizard {
  const keys = new KeySource()
  const gate = new Gate()
  const terminal = openTerminal(keys, gate)
  let view: WizardView = {said: []}
  let asked = 0
  const screen = () => <Keys.Provider value={keys}><Wizard view={view} interrupt={interrupt} height={() => process.stdout.rows} /></Keys.Provider>
  const app = render(screen(), {stdout: inkStdout(gate), exitOnCtrlC: false, patchConsole: true, maxFps: 20})
  const show = (change: Partial<WizardView>): void => {
    view = {...view, ...change}
    app.rerender(screen())
  }
  return {
    say: (text, mark) => show({said: [...view.said, {text, mark}]}),
    ask: (question, signal) => new Promise(resolve => {
      if (signal.aborted) { resolve(undefined); return }
      const answer = (value: string | undefined): void => {
        signal.removeEventListener('abort', onAbort)
        show({question: undefined})
        resolve(value)
      }
      const onAbort = (): void => answer(undefined)
      signal.addEventListener('abort', onAbort, {once: true})
      show({question: {id: asked++, asked: question, answer}})
    }),
    work: (what, cancel) => {
      show({work: {what, cancel}})
      return () => show({work: undefined})
    },
    close: async () => {
      app.unmount()
      await app.waitUntilExit()
      terminal.restore()
    },
  }
}
