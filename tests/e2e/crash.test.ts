// A kill in the middle of a step, as a user of the interface meets it afterwards; the places are those of tests/commands/crash.test.ts.
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {pathToFileURL} from 'node:url'
import {expect, it, vi} from 'vitest'
import {keys, open, openRepl, put, testHome} from './fixtures.ts'
import {root, runProgram} from './terminal.ts'

vi.setConfig({testTimeout: 300_000})

const crash = (home: string, at: number) => ({
  NODE_OPTIONS: `--import ${pathToFileURL(path.join(root, 'tests/fixtures/crash.mjs')).href}`,
  TINYAGENT_CRASH: JSON.stringify({under: home, at, how: 'before', log: path.join(home, 'crash.log')}),
})
const points = (home: string): string[] => readFileSync(path.join(home, 'crash.log'), 'utf8').split('\n').filter(Boolean)
/** The number of the first change of that kind. */
const placeOf = (home: string, point: RegExp): number => points(home).findIndex(line => point.test(line)) + 1

it('the REPL says once what became of the step, without being asked, and undo takes it back', async () => {
  const plan = '1. create_note("Shopping", "milk", "")\n2. join()\n'
  const start = (home: string, at: number) => {
    put(home, 'plan.txt', plan)
    return runProgram(home, ['note milk'], {env: {...crash(home, at), TINYAGENT_REPLAY: path.join(home, 'plan.txt')}})
  }
  const whole = testHome()
  expect((await start(whole, 0)).code).toBe(0)
  const made = placeOf(whole, / link data\/notes\/Shopping\.md$/)
  const after = points(whole).findIndex((line, i) => i >= made && line.includes('write state/journal')) + 1
  for (const [at, said] of [[made, "It was not done: There is no note 'Shopping'."], [after, "It was done: Made the note 'Shopping'."]] as const) {
    const home = testHome()
    expect((await start(home, at)).code).not.toBe(0)
    const t = await openRepl({home, columns: 160})
    await t.shows(said)
    expect(t.text().match(/was cut off in a step at \d{4}-\d\d-\d\d \d\d:\d\d\./g)).toHaveLength(1)
    t.type(keys.ctrlD)
    expect(await t.exits()).toBe(0)
    const again = await openRepl({home, columns: 160})
    expect(again.text()).not.toContain('cut off')
    if (at === after) {
      again.type('/undo\r')
      await again.shows("Removed the note 'Shopping'")
      expect(existsSync(path.join(home, 'data/notes/Shopping.md'))).toBe(false)
    }
    again.type(keys.ctrlD)
    expect(await again.exits()).toBe(0)
  }
})

it('a contact that is being saved when the program is killed is there once or not at all, whole, and the next start knows which', async () => {
  const start = async (home: string, at: number): Promise<void> => {
    put(home, 'plan.txt', '1. get_phone_number("Zoe Quinn")\n2. join()\n')
    const t = open(['what is the number of Zoe Quinn'], {home, columns: 160, env: {...crash(home, at), TINYAGENT_REPLAY: path.join(home, 'plan.txt')}})
    await t.shows('What is the phone number?')
    t.type('+12025550199\r')
    await t.shows('Keep it in the contacts as Zoe Quinn?')
    t.type('y')
    await t.exits()
  }
  const cards = (home: string): string[] => readdirSync(path.join(home, 'data/contacts/people')).filter(name => !name.startsWith('.'))
    .map(name => readFileSync(path.join(home, 'data/contacts/people', name), 'utf8')).filter(text => text.includes('Zoe Quinn'))
  const whole = testHome()
  await start(whole, 0)
  expect(cards(whole)).toEqual([expect.stringMatching(/^BEGIN:VCARD\r\n[^]*\+12025550199\r\n[^]*END:VCARD\r\n$/)])
  const all = points(whole)
  const first = placeOf(whole, /data\/contacts/)
  const last = all.findIndex((line, i) => i >= first && line.includes('write state/journal')) + 1
  const outcomes = new Set<string>()
  for (let at = first; at <= last; at++) {
    const home = testHome()
    await start(home, at)
    const {stderr} = await runProgram(home, ['nothing'], {env: {TINYAGENT_REPLAY: path.join(home, 'plan.txt')}})
    const [line = '', ...more] = stderr.split('\n').filter(text => text.includes('cut off'))
    expect(more).toEqual([])
    const found = cards(home)
    expect(found, all[at - 1]).toEqual(line.includes('It was done: Saved +12025550199') ? [expect.stringMatching(/END:VCARD\r\n$/)] : [])
    outcomes.add(/It was (?:not )?done/.exec(line)?.[0] ?? line)
  }
  expect(outcomes).toEqual(new Set(['It was done', 'It was not done']))
})
