// Plans that were approved: in a real session, with recorded plans in place of the planner.
import fs from 'node:fs'
import path from 'node:path'
import {afterEach, beforeEach, expect, test, vi} from 'vitest'
import {examplesAnswer} from '../../src/commands/examples.ts'
import {runOne} from '../../src/commands/run-one.ts'
import {openSession} from '../../src/commands/session.ts'
import type {ConfirmAnswer, Event} from '../../src/core/types.ts'
import {newHome} from './program.ts'

let home: ReturnType<typeof newHome>
beforeEach(() => { home = newHome() })
afterEach(() => { home.remove(); vi.unstubAllEnvs() })

const late = '1. send_sms(["+12025550143"], "I am late")\n2. create_reminder("Call back", "tomorrow at 3pm", "", "", 0, false)\n3. join()'
const other = '1. send_sms(["+12025550199"], "something else")\n2. join()'

/** Runs a request whose recorded plan is this; gives back the plan that ran and what was said of it. */
async function ask(request: string, plan: string, answers: ConfirmAnswer[] = ['yes'], now = '2026-03-03T09:15:00') {
  vi.stubEnv('TINYAGENT_REPLAY', home.write('plan.txt', plan))
  const session = openSession({home: home.dir, now})
  const events: Event[] = []
  await runOne(request, session, {emit: event => { events.push(event) }, signal: new AbortController().signal, dryRun: false, confirm: async () => answers.shift() ?? 'yes'})
  await session.close()
  const [done] = events.filter(e => e.type === 'plan-done')
  return {plan: done?.plan ?? '', example: done?.example ?? false, list: await examplesAnswer(session, ''), session}
}

test('a plan that was confirmed unchanged is that of the same request again, with the times of its own day', async () => {
  expect((await ask('Text that I’m late, and remind me', late)).example).toBe(false)
  const again = await ask("text that I'm  late, and remind me.", other, ['yes'], '2026-05-05T09:00:00')
  expect(again.example).toBe(true)
  expect(again.plan).toContain('send_sms(["+12025550143"], "I am late")')
  expect(again.plan).toContain('2026-05-06 15:00:00')
  expect((await ask("text that I'm late, and remind Bo", other)).example).toBe(false)
  if (process.platform !== 'win32') expect(fs.statSync(path.join(home.dir, 'state/examples.json')).mode & 0o777).toBe(0o600)
})

test.each<[string, string, ConfirmAnswer[]]>([
  ['was edited', late, [{edit: {message: 'mine'}}, 'yes']], ['was skipped', late, ['skip']], ['asked nothing', '1. create_reminder("Milk", "", "", "", 0, false)\n2. join()', []],
  ['has the date of one day in it', '1. send_sms(["+12025550143"], "x")\n2. create_reminder("Milk", "2026-03-04", "", "", 0, true)\n3. join()', ['yes']],
  ['failed in part', '1. send_sms(["+12025550143"], "x")\n2. open_note("Nowhere", "")\n3. join()', ['yes']],
])('a plan that %s is not kept', async (_what, plan, answers) => {
  expect((await ask('do it', plan, answers)).list).toContain('There are no examples yet')
})

test('examples are listed and removed, and a damaged file is none', async () => {
  await ask('first', late)
  const {list, session} = await ask('second', other)
  expect(list).toMatch(/^1\. first\n {5}1\. send_sms[^]*2\. second\n/)
  expect(await examplesAnswer(session, 'remove 1')).toBe('Removed: first')
  await expect(examplesAnswer(session, 'remove 2')).rejects.toThrow('from 1 to 1')
  expect((await ask('first', other)).example).toBe(false)
  expect(await examplesAnswer(session, 'remove all')).toBe('Removed all examples.')
  home.write('state/examples.json', '[{"request": 5}]')
  expect((await ask('second', other)).example).toBe(false)
})

test('under other standing instructions the request is another one', async () => {
  await ask('text', late)
  home.write('config/TINYAGENT.md', 'Always cc Sid')
  expect((await ask('text', other)).example).toBe(false)
})
