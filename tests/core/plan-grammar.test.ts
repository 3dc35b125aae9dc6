import fc from 'fast-check'
import {getLlama, LlamaGrammar, LlamaLogLevel} from 'node-llama-cpp'
import {expect, test} from 'vitest'
import {paramsOf} from '../../src/core/params.ts'
import {planGrammar} from '../../src/core/plan-grammar.ts'
import {parsePlan} from '../../src/core/plan-parser.ts'
import {specs} from '../../src/tools/specs.ts'
import {write} from './gbnf.ts'

test('every plan that the grammar allows parses, and calls selected tools with as many arguments as they have', () => {
  fc.assert(fc.property(fc.subarray(specs, {minLength: 0}), fc.nat(), fc.integer({min: 1, max: 16}), (tools, seed, maxCalls) => {
    const {tasks} = parsePlan(write(planGrammar(tools, maxCalls), seed))
    expect(tasks.length).toBeLessThanOrEqual(maxCalls)
    for (const task of tasks) {
      const spec = tools.find(t => t.name === task.tool) ?? expect.fail(`${task.tool} was not selected`)
      expect(task.args).toHaveLength(paramsOf(spec).length)
    }
  }), {numRuns: 200})
})

test('llama.cpp itself reads it, and lets plans through and nothing else', async () => {
  const llama = await getLlama({build: 'never', gpu: false, logLevel: LlamaLogLevel.disabled, progressLogs: false})
  const allows = (text: string): boolean =>
    (new LlamaGrammar(llama, {grammar: planGrammar(specs, 16)}) as unknown as {_testText(text: string): boolean})._testText(text) // what node-llama-cpp's own tests use
  expect(allows('1. join()')).toBe(true)
  expect(allows('1. get_phone_number("Ana")\n2. send_sms(["$1"], "Late \\"again\\", $5")\n3. join()')).toBe(true)
  expect(allows('1. create_reminder("x", "the 9th", "", "", 5, true)\n2. join()')).toBe(true)
  for (const wrong of ['2. join()', 'Sure! 1. join()', '1. send_mail("x")\n2. join()', '1. get_phone_number("Ana", "x")\n2. join()', '1. get_phone_number("Ana")\n3. join()', '1. create_reminder("x", "the 9th", "", "", 2, true)\n2. join()']) expect(allows(wrong), wrong).toBe(false)
})
