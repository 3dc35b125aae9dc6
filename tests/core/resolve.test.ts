import {describe, expect, test} from 'vitest'
import {foreignSpec} from '../../src/core/params.ts'
import {parsePlan, printPlan} from '../../src/core/plan-parser.ts'
import {isAbsolute, resolvePlan} from '../../src/core/resolve.ts'
import {specs} from '../../src/tools/specs.ts'

/** Tuesday */
const now = new Date(2026, 2, 3, 9, 15)
const plan = (lines: string[]): string => [...lines.map((l, i) => `${i + 1}. ${l}`), `${lines.length + 1}. join()`].join('\n')
const resolved = (lines: string[], extra = specs): string => printPlan(resolvePlan(parsePlan(plan(lines)), extra, now))

describe('events', () => {
  test.each([
    ['"next Tuesday 3pm", "4:30pm"', '"2026-03-10 15:00:00", "2026-03-10 16:30:00"'],
    ['"next Tuesday 3pm", "45 minutes"', '"2026-03-10 15:00:00", "2026-03-10 15:45:00"'],
    ['"next Tuesday 3pm", ""', '"2026-03-10 15:00:00", "2026-03-10 16:00:00"'],
    ['"next Tuesday 3-4:30pm", ""', '"2026-03-10 15:00:00", "2026-03-10 16:30:00"'],
    ['"next Tuesday from 3 to 5", "45 minutes"', '"2026-03-10 15:00:00", "2026-03-10 15:45:00"'],
    ['"Friday", ""', '"2026-03-06", ""'],
    ['"Friday to Sunday", ""', '"2026-03-06", "2026-03-08"'],
    ['"in 2-3 days", ""', '"2026-03-05", ""'],
    ['"the 17th", "the 20th"', '"2026-03-17", "2026-03-20"'],
    ['"2026-03-10 15:00:00", "2026-03-10 17:00:00"', '"2026-03-10 15:00:00", "2026-03-10 17:00:00"'],
    ['"some time soon", "45 minutes"', '"some time soon", "45 minutes"'],
    ['"", ""', '"", ""'],
  ])('%s becomes %s', (words, expected) => {
    expect(resolved([`create_calendar_event("Lunch", ${words}, "", [], "", "")`])).toBe(plan([`create_calendar_event("Lunch", ${expected}, "", [], "", "")`]))
  })

  test('an argument that holds a reference is left alone, and so is the end that hangs on it', () => {
    const lines = ['get_phone_number("Ana")', 'create_calendar_event("Lunch", "$1", "an hour", "", [], "$1", "")']
    expect(resolved(lines)).toBe(plan(lines))
  })
})

describe('reminders', () => {
  test.each([
    ['"tomorrow", "", "", 0, false', '"2026-03-04", "", "", 0, true'],
    ['"tomorrow 3pm", "", "", 0, true', '"2026-03-04 15:00:00", "", "", 0, false'],
    ['"", "", "", 0, true', '"", "", "", 0, false'],
    ['"whenever", "", "", 0, true', '"whenever", "", "", 0, true'],
  ])('%s becomes %s', (words, expected) => {
    expect(resolved([`create_reminder("Dentist", ${words})`])).toBe(plan([`create_reminder("Dentist", ${expected})`]))
  })
})

test('a Zoom meeting of no given length lasts 60 minutes, or as long as its times say', () => {
  expect(resolved(['get_zoom_meeting_link("Budget", "Friday 10 to 11:30", 0, [])'])).toBe(plan(['get_zoom_meeting_link("Budget", "2026-03-06 10:00:00", 90, [])']))
  expect(resolved(['get_zoom_meeting_link("Budget", "Friday at 10", 0, [])'])).toBe(plan(['get_zoom_meeting_link("Budget", "2026-03-06 10:00:00", 60, [])']))
  expect(resolved(['get_zoom_meeting_link("Budget", "Friday at 10", 45, [])'])).toBe(plan(['get_zoom_meeting_link("Budget", "2026-03-06 10:00:00", 45, [])']))
})

test('arguments of tools that are not ours, and calls of unknown tools, are not touched', () => {
  const lines = ['bill_pay("electric company", 92.15, "the 28th")', 'unknown_tool("tomorrow", 0)']
  const billPay = foreignSpec({name: 'bill_pay', description: '', parameters: [
    {name: 'payee', type: 'string', description: ''}, {name: 'amount', type: 'number', description: ''}, {name: 'on', type: 'string', description: ''},
  ]})
  expect(resolved(lines, [...specs, billPay])).toBe(plan(lines))
})

test('resolving twice is resolving once', () => {
  const once = resolvePlan(parsePlan(plan(['create_calendar_event("Lunch", "tomorrow at noon", "", "", [], "", "")', 'create_reminder("Call", "Friday", "", "", 0, false)'])), specs, now)
  expect(resolvePlan(once, specs, new Date(2027, 0, 1))).toEqual(once)
})

test('isAbsolute knows resolved dates from words and from days that do not exist', () => {
  expect(['2026-03-04', '2026-03-04 15:00:00'].every(isAbsolute)).toBe(true)
  expect(['', 'tomorrow', '2026-02-30', '2026-03-04 25:00:00', '2026-03-04T15:00'].some(isAbsolute)).toBe(false)
})
