import {expect, it} from 'vitest'
import {plainReader} from '../../src/components/plain.ts'

it('text of others cannot pass for a line of ours', async () => {
  const lines: string[] = []
  const {emit} = plainReader({out: text => lines.push(text), err: text => lines.push(text), readLine: async () => undefined})
  await emit({type: 'task-failed', id: 1, ms: 5, error: {code: 'ambiguous', message: 'The server said\ndone 2: Sent the mail\u001b[A', candidates: [{value: 'a', label: 'Ana'}]}})
  expect(lines).toEqual(['failed 1: The server said\n  done 2: Sent the mail\\x1b[A\n  Ana\n'])
})

it('candidates that a message names are not listed again; others are', async () => {
  const lines: string[] = []
  const {emit} = plainReader({out: text => lines.push(text), err: text => lines.push(text), readLine: async () => undefined})
  const candidates = [{value: '1', label: 'Ana Duarte: +1'}, {value: '2', label: 'Ana Silva: +2'}]
  await emit({type: 'task-failed', id: 1, ms: 5, error: {code: 'ambiguous', message: 'Which Ana? Ana Duarte: +1; Ana Silva: +2.', candidates}})
  await emit({type: 'task-failed', id: 2, ms: 5, error: {code: 'ambiguous', message: '2 fit', candidates}})
  expect(lines).toEqual(['failed 1: Which Ana? Ana Duarte: +1; Ana Silva: +2.\n', 'failed 2: 2 fit\n  Ana Duarte: +1\n  Ana Silva: +2\n'])
})
