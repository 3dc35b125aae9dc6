import {expect, test} from 'vitest'
import {countTools, insteadOf} from '../src/commands/eval-tools.ts'
import {parsePlan} from '../src/core/plan-parser.ts'
import type {Plan} from '../src/core/types.ts'

const plan = (...calls: string[]): Plan => parsePlan([...calls, 'join()'].map((call, i) => `${i + 1}. ${call}`).join('\n'))
const names = ['create_note', 'create_reminder', 'open_note']

test('what is missing and what was called in its place, over all rows', () => {
  const reminder = plan('create_reminder("Milk", "", "", "", 0, false)')
  const note = plan('create_note("Milk", "", "")')
  const counts = countTools([
    {golds: [reminder], plan: note},
    {golds: [reminder], plan: note},
    {golds: [reminder], plan: plan('open_note("Milk", "")')},
    {golds: [reminder], plan: plan()},
    {golds: [note], plan: plan('create_note("Milk", "", "")', 'create_note("Eggs", "", "")')},
  ], names)
  expect(counts).toEqual({
    create_note: {gold: 1, planned: 4, missing: 0, extra: 3, instead: [], insteadNothing: 0},
    create_reminder: {gold: 4, planned: 0, missing: 4, extra: 0, instead: [{tool: 'create_note', rows: 2}, {tool: 'open_note', rows: 1}], insteadNothing: 1},
    open_note: {gold: 0, planned: 1, missing: 0, extra: 1, instead: [], insteadNothing: 0},
  })
  expect(insteadOf(counts['create_reminder']!)).toBe('create_note 2, nothing 1')
})

test('calls in another order, or more than one, are counted and not compared one by one', () => {
  const [two, turned] = [plan('open_note("A", "")', 'create_note("B", "", "")', 'open_note("C", "")'), plan('create_note("B", "", "")', 'open_note("C", "")', 'open_note("A", "")')]
  expect(countTools([{golds: [two], plan: turned}], names)['open_note']).toMatchObject({gold: 2, planned: 2, missing: 0, extra: 0})
  expect(countTools([{golds: [two], plan: plan('open_note("A", "")')}], names)['open_note']).toMatchObject({gold: 2, planned: 1, missing: 1, insteadNothing: 1})
})

test('the nearest of several gold plans is the one that counts', () => {
  const counts = countTools([{golds: [plan('open_note("A", "")'), plan('create_note("A", "", "")')], plan: plan('create_note("A", "", "")')}], names)
  expect(counts).toMatchObject({open_note: {gold: 0, missing: 0}, create_note: {gold: 1, planned: 1, extra: 0}})
})

test('a row without a plan misses every call', () => {
  expect(countTools([{golds: [plan('open_note("A", "")')], plan: undefined}], names)['open_note']).toMatchObject({gold: 1, planned: 0, missing: 1, insteadNothing: 1})
})

test('tools of others are counted together, and one may be called for another', () => {
  const counts = countTools([{golds: [plan('pay_bill("A")', 'play_song("B")')], plan: plan('order_pizza("A")', 'dim_lights("B")')}], names)
  expect(counts['tools of others']).toEqual({gold: 2, planned: 2, missing: 1, extra: 1, instead: [{tool: 'tools of others', rows: 1}], insteadNothing: 0})
})
