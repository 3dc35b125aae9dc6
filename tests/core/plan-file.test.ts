import {readFileSync} from 'node:fs'
import {expect, test} from 'vitest'
import {readPlanFile, taskJson} from '../../src/core/plan-file.ts'
import {parsePlan, printPlan} from '../../src/core/plan-parser.ts'
import {specs} from '../../src/tools/specs.ts'

const now = new Date('2026-03-03T09:15:00')
const read = (object: unknown) => readPlanFile(JSON.stringify(object), 'plan.json', {specs, now})
const file = (plan: string) => ({request: 'x', plan, tasks: parsePlan(plan).tasks.map(t => taskJson(t, specs.find(s => s.name === t.tool)))})
const sms = {id: 1, tool: 'send_sms', args: {recipients: ['+12025550143'], message: 'hi'}}
const problem = (tasks: unknown) => {
  try { read({tasks}) } catch (error) { return (error as Error).message }
  return 'none'
}

test('every plan of the validation rows comes back as it was, by its tasks alone too', () => {
  const rows = readFileSync('training/data/validation.jsonl', 'utf8').trim().split('\n').map(line => JSON.parse(line) as {plan: string; tools?: unknown[]; extra_tools?: unknown[]})
  const ours = rows.filter(row => parsePlan(row.plan).tasks.every(t => specs.some(s => s.name === t.tool)))
  expect(ours.length).toBeGreaterThan(50)
  for (const {plan} of ours) {
    const object = file(plan)
    expect(printPlan(read(object).plan)).toBe(printPlan(parsePlan(plan)))
    expect(printPlan(read({tasks: object.tasks}).plan)).toBe(printPlan(parsePlan(plan)))
    expect(printPlan(read({plan}).plan)).toBe(printPlan(parsePlan(plan)))
  }
})

test('a reference beside digits and an amount of money stay what they are', () => {
  const plan = '1. get_phone_number("Ana")\n2. send_sms(["$1"], "pay $15 to ${1}0 and $1, please")\n3. join()'
  expect(printPlan(read({tasks: file(plan).tasks}).plan)).toBe(plan)
})

test('what a file leaves out is empty, as in a plan', () => {
  expect(printPlan(read({tasks: [{id: 1, tool: 'create_reminder', args: {name: 'Milk'}}]}).plan)).toBe('1. create_reminder("Milk", "", "", "", 0, false)\n2. join()')
})

test.each([
  [[{...sms, tool: 'fly'}], 'step 1: there is no tool "fly"; `tinyagent tools` lists them'],
  [[{...sms, args: {...sms.args, to: 'x'}}], 'step 1: send_sms has no argument "to"; it has: recipients, message'],
  [[{...sms, args: {recipients: '+1', message: 5}}], 'step 1: send_sms: '],
  [[{...sms, args: {recipients: ['$3'], message: 'x'}}, {...sms, id: 2, args: {recipients: ['$1'], message: 'x'}}], 'step 2: recipients takes no result of send_sms (step 1)'],
  [[{id: 1, tool: 'get_email_address', args: {name: 'Ana'}}, {...sms, id: 2, args: {recipients: ['$1'], message: 'x'}}], 'step 2: recipients takes no result of get_email_address (step 1)'],
  [[{...sms, id: 2}, {...sms, id: 1}], 'step 1: the numbers of the steps have to rise'],
  [[{...sms, id: 3, args: {recipients: ['$2'], message: 'x'}}], 'step 3: it uses the result of step 2, which is not there'],
  [[{...sms, tool: 'join', args: {}}], 'step 1: there is no tool "join"'],
  [[{...sms, id: 0}], 'is no plan: '],
])('%j is refused as a whole, with the step and the reason', (tasks, reason) => {
  expect(problem(tasks)).toContain(`plan.json: ${reason}`)
})

test('a plan of which only one half was edited is not guessed at', () => {
  const object = file('1. send_sms(["+12025550143"], "hi")\n2. join()')
  expect(() => read({...object, tasks: [{...sms, args: {...sms.args, message: 'ho'}}]})).toThrow('not the same plan any more: keep the one that you edited')
})

test('what is no plan at all says how to make one', () => {
  for (const text of ['', '{', '[]', 'null', '{}', '{"tasks": 5}']) expect(() => readPlanFile(text, 'x.json', {specs, now})).toThrow(/^x\.json: (is not JSON|is no plan|has neither)/)
})
