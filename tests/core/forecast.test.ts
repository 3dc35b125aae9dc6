import fc from 'fast-check'
import {expect, test} from 'vitest'
import {forecast, isWholeCall} from '../../src/core/forecast.ts'
import {parseLine} from '../../src/core/plan-parser.ts'
import type {Task} from '../../src/core/types.ts'
import {specs} from '../../src/tools/specs.ts'

const after = (written: string, text = '', before: string[] = []): string => {
  const tasks = before.map((line, i) => parseLine(`${i + 1}. ${line}`, i + 1) as Task) // none of them is join()
  return forecast({id: tasks.length + 1, tools: specs, tasks, text})(written)
}

test("a tool's name goes on once only one begins so, and up to where several part", () => {
  expect(after(' send')).toBe('_sms(["')
  expect(after(' get')).toBe('_')
  expect(after(' get_ph')).toBe('one_number("')
  expect(after(' invented')).toBe('')
  expect(after('')).toBe('')
})

test('arguments that are mostly empty follow a whole one', () => {
  expect(after(' create_reminder("Tea", "4pm"')).toBe(', "", "", 0, ')
  expect(after(' create_reminder("Tea", "4pm", "", "", 0, false')).toBe(')')
  expect(after(' open_note("Ideas"')).toBe(', "")')
  expect(after(' get_zoom_meeting_link("Q3", "5pm", 6')).toBe('')
})

test('a result that nothing uses yet goes where it fits', () => {
  const lookUps = ['get_phone_number("Ana")', 'get_email_address("Bo")']
  expect(after(' send', '', lookUps)).toBe('_sms(["$1"], "')
  expect(after(' compose_new_email(["$', '', lookUps)).toBe('2"')
  expect(after(' send', '', [...lookUps, 'send_sms(["$1"], "Hi")'])).toBe('_sms(["')
  expect(after(' send', '', [...lookUps, 'get_phone_number("Cy")'])).toBe('_sms(["$1"')
})

test('words of the request go on', () => {
  expect(after(' get_phone_number("Guil', 'Text Guillermo Ruiz hi')).toBe('lermo')
  expect(after(' get_phone_number("An', 'Text Ana or Anatol')).toBe('')
  expect(after(' create_reminder("Call the den', 'remind me to call the dentist')).toBe('tist')
  expect(after(' create_reminder("Call the', 'remind me to call the dentist')).toBe(' dentist')
  expect(after(' send_sms(["$1"], "İstan', 'İİ İstanbul')).toBe('')
})

test('a call is whole at its closing bracket, not at one in a text', () => {
  expect(isWholeCall(' get_phone_number("Ana")')).toBe(true)
  expect(isWholeCall(' get_phone_number("Ana (work)')).toBe(false)
  expect(isWholeCall(' get_phone_number("Ana \\")')).toBe(false)
  expect(isWholeCall(' join()')).toBe(true)
  expect(isWholeCall(' join')).toBe(false)
})

test('whatever is written, a guess is one line and no error', () => {
  const piece = fc.oneof(fc.constantFrom('send_sms(', '["', '$1', '"]', ', ', '"', ')', '\\', 'create_calendar_event('), fc.string({maxLength: 6}))
  fc.assert(fc.property(fc.array(piece), fc.string(), (pieces, text) => {
    expect(after(` ${pieces.join('')}`, text, ['get_phone_number("Ana")'])).not.toContain('\n')
  }), {numRuns: 500})
})
