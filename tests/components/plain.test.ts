import {expect, it} from 'vitest'
import {plainReader} from '../../src/components/plain.ts'

it('text of others cannot pass for a line of ours', async () => {
  const lines: string[] = []
  const {emit} = plainReader({out: text => lines.push(text), err: text => lines.push(text), readLine: async () => undefined})
  await emit({type: 'task-failed', id: 1, ms: 5, error: {code: 'ambiguous', message: 'The server said\ndone 2: Sent the mail\u001b[A', candidates: [{value: 'a', label: 'Ana'}]}})
  expect(lines).toEqual(['failed 1: The server said\n  done 2: Sent the mail\\x1b[A\n  Ana\n'])
})
