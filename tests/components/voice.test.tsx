// What is on the screen while somebody dictates, and where the words go.
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {Box} from 'ink'
import {render} from 'ink-testing-library'
import stringWidth from 'string-width'
import {describe, expect, it, onTestFinished} from 'vitest'
import {App, type InkDeps} from '../../src/components/App.tsx'
import {editorOf, insertWords} from '../../src/components/editor.ts'
import {marks} from '../../src/components/format.ts'
import {Keys, KeySource} from '../../src/components/useKeys.ts'
import {Voice} from '../../src/components/Voice.tsx'
import type {Dictate, Dictation, DictationView} from '../../src/core/types.ts'

const listening: DictationView = {phase: 'listening', ms: 7_300, levels: Array.from({length: 73}, (_, i) => i / 73), hasSpoken: true, partial: ''}
const frame = (view: DictationView, width: number): string => {
  const app = render(<Box width={width}><Voice view={view} frame={0} width={width} stop={() => undefined} cancel={() => undefined} /></Box>)
  const text = app.lastFrame() ?? ''
  app.unmount()
  return text
}
const settled = (): Promise<void> => new Promise(resolve => setImmediate(() => setImmediate(resolve)))

describe('a dictation on the screen', () => {
  it.each([20, 40, 80, 120])('fits %i columns in every phase, however long the words are', width => {
    const partial = 'Remind me to call the dentist and then to write to everybody about the party on Friday. '.repeat(12)
    for (const view of [
      {...listening, phase: 'opening' as const, levels: []}, listening, {...listening, partial}, {...listening, hasSpoken: false, hint: 'Nothing heard yet: speak up, or check the microphone.'},
      {...listening, phase: 'writing' as const, partial}, {...listening, ms: 299_000},
    ]) {
      const rows = frame(view, width).split('\n')
      for (const row of rows) expect(stringWidth(row)).toBeLessThanOrEqual(width)
      expect(rows.length).toBeLessThanOrEqual(8)
      expect(rows.join(' ')).toContain('Esc')
    }
  })
  it('shows the time, the newest levels and the keys', () => {
    const [head, keys] = frame(listening, 40).split('\n')
    expect(head).toMatch(new RegExp(`^${marks.hears} 0:07 .{33}$`))
    expect(head!.endsWith(marks.levels.at(-1)!)).toBe(true)
    expect(keys).toBe('Enter ends it, Esc throws it away')
  })
  it('shows that it hears without any colour: the mark fills, and the meter rises', () => {
    const quiet = frame({...listening, hasSpoken: false, levels: [0, 0, 0]}, 80)
    expect(quiet.split('\n')[0]).toBe(`${marks.open} 0:07 ${marks.levels[0]!.repeat(3)}`)
    expect(frame({...listening, levels: [0.5, 1]}, 80).split('\n')[0]).toBe(`${marks.hears} 0:07 ${marks.levels[4]}${marks.levels[7]}`)
  })
  it('shows the end of the words so far, with their control characters made visible', () => {
    const text = frame({...listening, partial: `${'words that came first. '.repeat(40)}and \u001b[31mthe last`}, 40)
    expect(text).toContain('\n\\x1b[31mthe last\n')
    expect(text.split('\n').length).toBeLessThanOrEqual(6)
  })
  it('says what to check, and that it writes', () => {
    expect(frame({...listening, hint: 'The microphone gives nothing'}, 80)).toContain('The microphone gives nothing')
    expect(frame({...listening, phase: 'writing'}, 80)).toContain('0:07 Writing it down\nEsc throws it away')
  })
})

it('spoken words stand apart from what is typed', () => {
  expect(insertWords(editorOf('text Ana'), 'that I am late')).toMatchObject({text: 'text Ana that I am late', cursor: 23})
  expect(insertWords({...editorOf('text Ana soon'), cursor: 9}, 'that I am late')).toMatchObject({text: 'text Ana that I am late soon', cursor: 24})
  expect(insertWords({...editorOf('now'), cursor: 0}, 'text Ana')).toMatchObject({text: 'text Ana now'})
  expect(insertWords(editorOf(''), 'text Ana').text).toBe('text Ana')
})

interface Shown { text(): string; shows(what: string | RegExp): Promise<void>; type(keys: string): Promise<void>; requests: string[]; left: number[]; dictations: Parameters<Dictate>[0][] }

/** The REPL, whose dictations end as `say` tells. */
function repl(say: (options: Parameters<Dictate>[0], count: number) => Promise<Dictation>, {sendSpoken = false, voice = false} = {}): Shown {
  const folder = mkdtempSync(path.join(tmpdir(), 'tinyagent-voice-'))
  onTestFinished(() => rmSync(folder, {recursive: true, force: true}))
  const requests: string[] = []
  const dictations: Parameters<Dictate>[0][] = []
  const left: number[] = []
  const deps: InkDeps = {
    run: async (request, {emit}) => {
      requests.push(request)
      await emit({type: 'request', id: 'r', request, now: '2026-03-03T09:00:00', dryRun: false})
      await emit({type: 'answer', text: `did: ${request}`})
      await emit({type: 'done', status: 'done', exitCode: 0, ms: 1})
      return {exitCode: 0}
    },
    dictate: options => { dictations.push(options); return say(options, dictations.length) }, sendSpoken,
    tools: [], commands: {}, contacts: () => Promise.resolve([]), files: () => Promise.resolve([]), historyFile: path.join(folder, 'history'), version: '0.0.0',
  }
  const keys = new KeySource()
  const app = render(<Keys.Provider value={keys}><App deps={deps} options={{dryRun: false, voice}} suspend={() => () => undefined} leave={code => { left.push(code) }} /></Keys.Provider>)
  onTestFinished(() => app.unmount())
  const text = (): string => app.lastFrame() ?? ''
  return {
    text, requests, left, dictations,
    shows: async what => { while (!(typeof what === 'string' ? text().includes(what) : what.test(text()))) await settled() },
    type: async chunk => { await settled(); keys.feed(chunk); await settled() },
  }
}
/** Speaks until Enter or Esc. */
const untilTold = (text: string) => ({stop, signal, onView}: Parameters<Dictate>[0]): Promise<Dictation> => new Promise((resolve, reject) => {
  onView(listening)
  stop.addEventListener('abort', () => resolve({text}))
  signal.addEventListener('abort', () => reject(signal.reason as Error))
})

describe('in the REPL', () => {
  it('/voice listens; Enter ends it, the words lie in the input line and are sent by another Enter', async () => {
    const t = repl(untilTold('text Ana that I am late'))
    await t.type('/voice\r')
    await t.shows(`${marks.hears} 0:07`)
    await t.type('\r')
    await t.shows(/. text Ana that I am late ?$/m)
    expect(t.requests).toEqual([])
    await t.type('!\r')
    await t.shows('did: text Ana that I am late!')
  })
  it('Ctrl-T puts the words where the cursor is, and Esc leaves the line as it was', async () => {
    const t = repl(untilTold('that I am late'))
    await t.type('text Ana')
    await t.type('\u0014')
    await t.shows('Enter ends it')
    await t.type('\u001b')
    await t.shows(/. text Ana ?$/m)
    await t.type('\u0014')
    await t.shows('Enter ends it')
    await t.type('\r')
    await t.shows('text Ana that I am late')
    expect(t.requests).toEqual([])
    expect(t.dictations.map(d => [d.stop.aborted, d.signal.aborted])).toEqual([[false, true], [true, false]])
  })
  it.each(['\u001b', '\u0003'])('%j brings the prompt back at once, even where the microphone takes its time to close', async key => {
    const t = repl(({onView}) => { onView(listening); return new Promise(() => undefined) })
    await t.type('/voice\r')
    await t.shows('Enter ends it')
    await t.type(key)
    await t.shows('What shall I do?')
    expect(t.left).toEqual([])
    expect(t.dictations[0]!.signal.aborted).toBe(true)
  })
  it('what is wrong is said, and the prompt is back', async () => {
    const t = repl(() => Promise.reject(new Error('There is no recorder')))
    await t.type('/voice\r')
    await t.shows(/There is no recorder[^]*What shall I do\?/)
    expect(t.left).toEqual([])
  })
  it('a lost microphone is said, and what was heard is kept, and not sent at once', async () => {
    const t = repl(() => Promise.resolve({text: 'text Ana', notice: 'The microphone was lost.'}), {sendSpoken: true})
    await t.type('/voice\r')
    await t.shows(/The microphone was lost\.[^]*text Ana/)
    expect(t.requests).toEqual([])
  })
  it('nothing understood is said, and what was typed stays', async () => {
    const t = repl(() => Promise.resolve({text: '', notice: 'Nothing was understood.'}))
    await t.type('half a thought\u0014')
    await t.shows(/Nothing was understood\.[^]*half a thought/)
  })
  it('with voice.send the words are sent at once, and the next prompt is empty', async () => {
    const t = repl(() => Promise.resolve({text: 'text Ana'}), {sendSpoken: true})
    await t.type('/voice\r')
    await t.shows(/did: text Ana[^]*What shall I do\?/)
    expect(t.requests).toEqual(['text Ana'])
  })
  it('a name that is written otherwise than it was heard is said beside the words, in a narrow window too', async () => {
    const t = repl(() => Promise.resolve({text: 'text Geoffrey Leigh', note: "heard 'Jeffrey Lee', wrote Geoffrey Leigh"}))
    await t.type('/voice\r')
    await t.shows(/heard 'Jeffrey Lee', wrote Geoffrey Leigh[^]*text Geoffrey Leigh/)
    expect(t.requests).toEqual([])
  })
  it('a thrown away dictation that goes on shows nothing more', async () => {
    let view = (_: DictationView): void => undefined
    const t = repl(({onView}) => { view = onView; onView(listening); return new Promise(() => undefined) })
    await t.type('/voice\r')
    await t.shows('Enter ends it')
    await t.type('\u001b')
    view({...listening, phase: 'writing', partial: 'late words'})
    await t.shows('What shall I do?')
    await t.type('\u0014')
    await t.shows('Enter ends it')
    expect(t.text()).not.toContain('late words')
  })
})

describe('--voice', () => {
  it('listens from the start, shows the words to be edited, runs them and leaves', async () => {
    const t = repl(untilTold('text Ana'), {voice: true})
    await t.shows('Enter ends it')
    expect(t.text()).not.toContain('What shall I do?')
    await t.type('\r')
    await t.shows(/. text Ana ?$/m)
    await t.type(' now\r')
    while (t.left.length === 0) await settled()
    expect([t.requests, t.left]).toEqual([['text Ana now'], [0]])
    expect(t.text()).not.toContain('What shall I do?')
  })
  it.each([['Esc leaves with 130', '\u001b', 130], ['Ctrl-C leaves with 130', '\u0003', 130]])('%s', async (_, key, code) => {
    const t = repl(untilTold('x'), {voice: true})
    await t.shows('Enter ends it')
    await t.type(key)
    while (t.left.length === 0) await settled()
    expect([t.requests, t.left]).toEqual([[], [code]])
  })
  it('leaves with 1 where nothing could be heard', async () => {
    const t = repl(() => Promise.resolve({text: '', notice: 'Nothing was understood.'}), {voice: true})
    while (t.left.length === 0) await settled()
    expect(t.left).toEqual([1])
    expect(t.text()).toContain('Nothing was understood.')
  })
})
