import {afterEach, beforeEach, expect, test, vi} from 'vitest'
import {timeLimit} from '../../src/core/time-limit.ts'

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => { vi.useRealTimers() })

const never = new AbortController().signal

test('time in which a person thinks does not count, in one question or in two at once', async () => {
  const limit = timeLimit(1000, 0, never)
  vi.advanceTimersByTime(900)
  let first = (): void => undefined
  let second = (): void => undefined
  const waits = [limit.pause(new Promise<void>(resolve => { first = resolve })), limit.pause(new Promise<void>(resolve => { second = resolve }))]
  vi.advanceTimersByTime(3_600_000)
  first()
  await waits[0]
  vi.advanceTimersByTime(3_600_000)
  second()
  await waits[1]
  expect(limit.signal.aborted).toBe(false)
  vi.advanceTimersByTime(99)
  expect(limit.signal.aborted).toBe(false)
  vi.advanceTimersByTime(1)
  expect(limit.signal.aborted).toBe(true)
})

test('a wait that ends after the work starts no clock again', async () => {
  const limit = timeLimit(1000, 0, never)
  let answer = (): void => undefined
  const wait = limit.pause(new Promise<void>(resolve => { answer = resolve }))
  limit.end()
  answer()
  await wait
  expect(vi.getTimerCount()).toBe(0)
})
