// What the wizard of `tinyagent setup` shows and takes, in windows of any width.
import {Box} from 'ink'
import {render} from 'ink-testing-library'
import stringWidth from 'string-width'
import {describe, expect, it} from 'vitest'
import {marks} from '../../src/components/format.ts'
import {Keys, KeySource} from '../../src/components/useKeys.ts'
import {Question, SaidLine, Work, type WizardQuestion} from '../../src/components/Wizard.tsx'

const settled = (): Promise<void> => new Promise(resolve => setImmediate(() => setImmediate(resolve)))

function asking(asked: WizardQuestion, width = 80) {
  const answers: (string | undefined)[] = []
  const keys = new KeySource()
  const app = render(<Keys.Provider value={keys}><Box width={width} flexDirection="column"><Question id={0} asked={asked} answer={value => answers.push(value)} width={width} rows={20} /></Box></Keys.Provider>)
  return {frame: () => app.lastFrame() ?? '', type: async (text: string) => { keys.feed(text); await settled() }, answers}
}
const frame = (node: React.ReactElement, width: number): string => render(<Box width={width} flexDirection="column">{node}</Box>).lastFrame() ?? ''
const noProblem = (): undefined => undefined
const long = 'Where it plans, your requests, standing instructions and the lists of tools go to api.example.org (and, before another attempt, what was wrong with the first).'

describe('a question', () => {
  it.each([40, 80, 120])('fits %i columns, of every kind, and says how to go back and leave', width => {
    const questions: WizardQuestion[] = [
      {type: 'text', title: long, preset: 'a'.repeat(300), check: noProblem}, {type: 'secret', title: long, check: noProblem},
      {type: 'choice', title: long, choices: Array.from({length: 12}, (_, i) => ({value: String(i), label: `Choice ${i}`, detail: long}))},
    ]
    for (const asked of questions) {
      const {frame} = asking(asked, width)
      for (const row of frame().split('\n')) expect(stringWidth(row)).toBeLessThanOrEqual(width)
      expect(frame()).toMatch(/Esc/)
    }
  })

  it('begins with what is known; what is wrong with an answer is said beside it, until a key is pressed', async () => {
    const {frame, type, answers} = asking({type: 'text', title: 'Your mail address', preset: 'ana', check: text => text.includes('@') ? undefined : 'That is not an address.'})
    expect(frame()).toContain(`${marks.prompt} ana`)
    await type('\r')
    expect(frame()).toContain('That is not an address.')
    expect(answers).toEqual([])
    await type('@example.org ')
    expect(frame()).not.toContain('That is not an address.')
    await type('\r')
    expect(answers).toEqual(['ana@example.org'])
  })

  it('a secret that has to be there is asked for until it is', async () => {
    const {frame, type, answers} = asking({type: 'secret', title: 'Password', check: text => text === '' ? 'It takes the password.' : undefined})
    await type('\r')
    expect([frame().includes('It takes the password.'), answers]).toEqual([true, []])
  })

  it('a secret is shown neither as it is nor by its length, and keeps its blanks', async () => {
    const {frame, type, answers} = asking({type: 'secret', title: 'Password', check: noProblem})
    await type(' x')
    const short = frame()
    await type('\u001b[200~yz secret\n\u001b[201~')
    expect(frame()).toBe(short)
    await type('\r')
    expect(answers).toEqual([' xyz secret'])
  })

  it('Esc goes back, and so does Ctrl-D where nothing is typed', async () => {
    for (const key of ['\u001b', '\u0004']) {
      const {type, answers} = asking({type: 'secret', title: 'Password', check: noProblem})
      await type(key)
      expect(answers).toEqual([undefined])
    }
    const {type, answers} = asking({type: 'text', title: 'Name', preset: 'Ana', check: noProblem})
    await type('\u0004')
    expect(answers).toEqual([])
  })

  it('a choice begins at what is chosen now; a digit, the arrows or letters choose', async () => {
    const asked: WizardQuestion = {type: 'choice', title: 'Which model?', choices: ['small', 'large', 'other'].map(value => ({value, label: value})), preset: 'large'}
    for (const [keys, answer] of [['\r', 'large'], ['\u001b[B\r', 'other'], ['1', 'small'], ['oth\r', 'other'], ['\u001b', undefined]] as const) {
      const {type, answers} = asking(asked)
      await type(keys)
      expect(answers).toEqual([answer])
    }
  })
})

describe('what is said', () => {
  it('is broken between words beside its mark, and shows control characters', () => {
    const rows = frame(<SaidLine line={{text: `${long} \u001b[31mred\u202e`, mark: 'failed'}} width={40} />, 40).split('\n')
    expect(rows[0]).toBe(`${marks.failed} Where it plans, your requests,`)
    for (const row of rows.slice(1)) expect(row).toMatch(/^ {2}\S/)
    expect(rows.join(' ')).toContain('\\x1b[31mred\\u{202e}')
  })
  it('an address wider than the window is not broken, so that it can be copied', () => {
    const url = `https://accounts.example.org/authorize?${'scope=calendar&'.repeat(5)}state=1`
    expect(frame(<SaidLine line={{text: `  ${url}`}} width={40} />, 40)).toContain(url)
  })
  it.each([40, 80])('what goes on fits %i columns', width => {
    const rows = frame(<Work what={long} cancel={() => undefined} isAlone width={width} />, width).split('\n')
    for (const row of rows) expect(stringWidth(row)).toBeLessThanOrEqual(width)
    expect(rows[1]).toBe('Esc goes back, Ctrl-C leaves')
  })
})
