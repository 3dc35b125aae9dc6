import {expect, test} from 'vitest'
import {paramsOf} from '../../src/core/params.ts'
import {setTimer, timerTools, type TimerBackend} from './example-tool.ts'
import {contextFor, toolError} from './vdir-programs.ts'

test('the documented example runs, is taken back, and refuses what cannot be', async () => {
  const running = new Map<string, number>()
  const backend: TimerBackend = {
    start: async (minutes, _label, key) => { running.set(key, minutes) },
    cancel: async key => { running.delete(key) },
  }
  const [timer] = timerTools(backend)
  const result = await timer!.run({minutes: 5, label: 'Tea'}, contextFor())
  expect([result.summary, [...running.values()]]).toEqual(["Started the timer 'Tea' for 5 minutes", [5]])
  expect(await timer!.undo!(result.undo!, contextFor())).toBe('Stopped the timer')
  expect(running.size).toBe(0)
  expect((await toolError(timer!.run({minutes: 0, label: 'Tea'}, contextFor()))).code).toBe('invalid-args')
  expect(paramsOf(setTimer).map(p => [p.name, p.kind])).toEqual([['minutes', 'minutes'], ['label', 'title']])
})
