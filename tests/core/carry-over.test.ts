import {expect, test} from 'vitest'
import {callKeys, carryOver, type EarlierCall} from '../../src/core/carry-over.ts'
import {parsePlan, printPlan} from '../../src/core/plan-parser.ts'
import {specs} from '../../src/tools/specs.ts'

const then = new Date('2026-03-03T09:15:00')
const now = new Date('2026-03-03T09:20:00')

/** Every call of the plan, done. */
const done = (text: string): EarlierCall[] => {
  const plan = parsePlan(text)
  const keys = callKeys(plan, specs, then)
  return plan.tasks.map(task => ({
    task, keys: keys.get(task.id)!, effect: specs.find(s => s.name === task.tool)!.effect === 'read' ? 'read' : task.tool === 'create_reminder' ? 'local' : 'outward',
    key: `r1-${task.id}`, result: {value: 'v', summary: 's', undo: 'u'},
  }))
}
const match = (first: string | EarlierCall[], second: string, isChange = true) => {
  const {tasks, carries} = carryOver(parsePlan(second), typeof first === 'string' ? done(first) : first, {specs, now, isChange})
  const said = Object.fromEntries([...carries].map(([id, carry]) => [id, Object.entries(carry as Record<string, EarlierCall>).map(([what, call]) => `${what} ${call.task.id}`).join()]))
  return {said, plan: printPlan({tasks})}
}
const sms = '1. get_phone_number("Bo")\n2. send_sms(["$1"], "I am late")\n3. join()'

test('the same call is the one that was done, whatever its number, its case and its stops', () => {
  expect(match(sms, '1. get_email_address("Ana")\n2. get_phone_number("bo")\n3. send_sms(["$2"], "I am late.")\n4. join()').said).toEqual({2: 'done 1', 3: 'done 2'})
})

test('the same words at another time mean the same, and so do other words for the same time', () => {
  expect(match('1. create_reminder("Tea", "in 20 minutes", "", "", 0, false)\n2. join()', '1. create_reminder("Tea", "in 20 minutes", "", "", 0, false)\n2. join()').said).toEqual({1: 'done 1'})
  expect(match('1. create_reminder("Tea", "tomorrow 3pm", "", "", 0, false)\n2. join()', '1. create_reminder("Tea", "tomorrow at 15:00", "", "", 0, false)\n2. join()').said).toEqual({1: 'done 1'})
})

test('one of two alike was done, and the other is made', () => {
  const same = 'create_reminder("Tea", "3pm", "", "", 0, false)'
  expect(match(`1. ${same}\n2. join()`, `1. ${same}\n2. ${same}\n3. join()`, false).said).toEqual({1: 'done 1'})
})

test('a changed call stands in the place of the one that it shares most with, and of none that it shares nothing with', () => {
  const two = '1. create_reminder("Call mum", "Friday 3pm", "", "", 0, false)\n2. create_reminder("Buy milk", "Friday 5pm", "", "", 0, false)\n3. join()'
  expect(match(two, '1. create_reminder("Buy milk", "Friday 6pm", "", "", 0, false)\n2. join()').said).toEqual({1: 'insteadOf 2'})
  expect(match(two, '1. create_reminder("Pack", "Monday 6pm", "", "", 0, false)\n2. join()').said).toEqual({})
  expect(match(two, '1. create_reminder("Buy milk", "Friday 6pm", "", "", 0, false)\n2. join()', false).said).toEqual({})
})

test('a message to another person is another message: instead of the first in a correction, on top otherwise', () => {
  const other = '1. get_phone_number("Ana")\n2. send_sms(["$1"], "I am late")\n3. join()'
  expect(match(sms, other).said).toEqual({2: 'insteadOf 2'})
  expect(match(sms, other, false).said).toEqual({})
})

test('who has a message already is no recipient of it; who was to get a copy only is written to then', () => {
  const both = match(sms, '1. get_phone_number("Bo")\n2. get_phone_number("Ana")\n3. send_sms(["$1", "$2"], "I am late")\n4. join()')
  expect(both.said).toEqual({1: 'done 1', 3: 'besides 2'})
  expect(both.plan).toContain('send_sms(["$2"], "I am late")')
  const mail = '1. get_email_address("Ana")\n2. compose_new_email(["$1"], [], "Draft", "It is ready.", [])\n3. join()'
  const copy = match(mail, '1. get_email_address("Ana")\n2. get_email_address("Bo")\n3. compose_new_email(["$1"], ["$2"], "The draft", "It is ready.", [])\n4. join()')
  expect(copy.said).toEqual({1: 'done 1', 3: 'besides 2'})
  expect(copy.plan).toContain('compose_new_email(["$2"], [], "The draft", "It is ready.", [])')
})

test('nothing is left of a message that everybody has', () => {
  const both = '1. get_phone_number("Bo")\n2. get_phone_number("Ana")\n3. send_sms(["$1", "$2"], "I am late")\n4. join()'
  expect(match(both, sms, false).said).toEqual({1: 'done 1', 2: 'done 3'})
})

test('what may have been done is not counted as done', () => {
  const doubtful = done(sms).map((call): EarlierCall => { const {result: _result, ...rest} = call; return call.task.id === 2 ? rest : call })
  expect(match(doubtful, sms).said).toEqual({1: 'done 1', 2: 'insteadOf 2'})
})
