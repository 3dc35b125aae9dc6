import {expect, test} from 'vitest'
import {freeThreads, readLoad} from '../../src/core/model/threads.ts'

const start = {all: 5000, busy: 3000, own: 100}
/** After 100 ms on four cores. */
const later = (others: number, own: number): typeof start => ({all: 5400, busy: 3000 + others + own, own: 100 + own})

test('cores that other programs use are left to them', () => {
  expect(freeThreads(start, later(0, 400), 4, 4)).toBe(4)
  expect(freeThreads(start, later(100, 300), 4, 4)).toBe(3)
  expect(freeThreads(start, later(0, 0), 4, 2)).toBe(2)
  expect(freeThreads(start, later(400, 0), 4, 4)).toBe(1)
})

test('nothing is said of a moment too short for the clocks', () => {
  expect(freeThreads(start, start, 4, 4)).toBeUndefined()
})

test("the machine's clocks only grow", () => {
  const [before, after] = [readLoad(), readLoad()]
  expect(after.all).toBeGreaterThanOrEqual(before.all)
  expect(after.own).toBeGreaterThanOrEqual(before.own)
})
