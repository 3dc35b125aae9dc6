// `tinyagent plan --json` and `tinyagent run`: what was approved is what is done.
import fs from 'node:fs'
import path from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import type {Event} from '../../src/core/types.ts'
import {linesOf, newHome} from './program.ts'

let home: ReturnType<typeof newHome>
beforeEach(() => { home = newHome() })
afterEach(() => home.remove())

interface PlanObject { request: string; plan?: string; tasks: {id: number; tool: string; args: Record<string, unknown>}[] }
const planOf = async (plan: string): Promise<PlanObject> => JSON.parse((await home.run(['--now', '2026-03-03T09:15:00', 'plan', '--json', 'do it'], {plan})).stdout) as PlanObject
const outbox = (): string[] => {
  const folder = path.join(home.dir, 'data/sms')
  return fs.existsSync(folder) ? fs.readdirSync(folder).map(f => (JSON.parse(fs.readFileSync(path.join(folder, f), 'utf8')) as {message: string}).message) : []
}
const reminders = (): string => {
  const folder = path.join(home.dir, 'data/reminders/reminders')
  return fs.existsSync(folder) ? fs.readdirSync(folder).filter(f => f.endsWith('.ics')).map(f => fs.readFileSync(path.join(folder, f), 'utf8')).join() : ''
}
const both = '1. create_reminder("Milk", "tomorrow at 3pm", "", "", 0, false)\n2. send_sms(["+14155550123"], "hi")\n3. join()\n'

test('a plan runs later as it was, at the times that were meant then, and without any model', async () => {
  const file = home.write('plan.json', JSON.stringify(await planOf(both)))
  const {code, stdout} = await home.run(['--now', '2026-04-01T10:00:00', '--yes', '--json', 'run', file])
  const events = linesOf(stdout).map(line => JSON.parse(line) as Event)
  expect([code, events[0]]).toMatchObject([0, {type: 'request', request: 'do it'}])
  expect(events.filter(e => e.type === 'task-added').map(e => e.task.tool)).toEqual(['create_reminder', 'send_sms'])
  expect(reminders()).toMatch(/DUE\S*:20260304T150000/)
  expect(outbox()).toEqual(['hi'])
})

test('an edited plan runs as edited; without a word on it nothing leaves (exit 4, and 3 when nothing else was to do)', async () => {
  const {tasks} = await planOf(both)
  tasks[1]!.args['message'] = 'edited'
  const file = home.write('plan.json', JSON.stringify({tasks}))
  expect((await home.run(['run', file])).code).toBe(4)
  expect([outbox(), reminders().match(/SUMMARY:Milk/g)]).toEqual([[], ['SUMMARY:Milk']])
  expect((await home.run(['run', home.write('sms.json', JSON.stringify({tasks: [{...tasks[1], id: 1}]}))])).code).toBe(3)
  expect((await home.run(['--yes', 'run', '-'], {stdin: JSON.stringify({tasks: [{...tasks[1], id: 1}]})})).code).toBe(0)
  expect(outbox()).toEqual(['edited'])
})

test('one wrong step, and nothing of the plan is done (exit 2)', async () => {
  const {tasks} = await planOf(both)
  tasks[1]!.args['text'] = 'edited'
  const {code, stderr} = await home.run(['--yes', 'run', home.write('plan.json', JSON.stringify({tasks}))])
  expect([code, stderr]).toEqual([2, expect.stringContaining('step 2: send_sms has no argument "text"')])
  expect([outbox(), reminders()]).toEqual([[], ''])
  expect(await home.run(['run', 'nowhere.json'])).toMatchObject({code: 2, stderr: expect.stringContaining('nowhere.json: cannot be read')})
})

test('a dry run shows the plan and does nothing', async () => {
  const {code, stdout} = await home.run(['--dry-run', 'run', home.write('plan.json', JSON.stringify(await planOf(both)))])
  expect([code, stdout]).toEqual([0, expect.stringContaining('Milk')])
  expect([outbox(), reminders()]).toEqual([[], ''])
})

test('a reply answers the mail that was open when it was planned', async () => {
  const mail = (from: string) => `From: ${from}\nTo: me@example.org\nSubject: Budget\nMessage-ID: <${from}>\nDate: Mon, 2 Mar 2026 10:00:00 +0000\n\nCan you?\n`
  home.write('data/mail/inbox/new/1.host', mail('ana@example.org'))
  const object = await planOf('1. reply_to_email([], "Yes, I can.", [])\n2. join()\n')
  const later = home.write('data/mail/inbox/new/2.host', mail('eve@example.org'))
  fs.utimesSync(later, new Date('2027-01-01'), new Date('2027-01-01'))
  expect((await home.run(['--yes', 'run', home.write('plan.json', JSON.stringify(object))])).code).toBe(0)
  const folder = path.join(home.dir, 'data/mail/outbox/new')
  expect(fs.readdirSync(folder).map(f => /^To: (.*)$/m.exec(fs.readFileSync(path.join(folder, f), 'utf8'))?.[1])).toEqual(['ana@example.org'])
})
