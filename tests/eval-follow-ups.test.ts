import {readFileSync} from 'node:fs'
import {expect, test} from 'vitest'
import {parseFollowUps, runFollowUps} from '../src/commands/eval-follow-ups.ts'
import {UsageError} from '../src/core/errors.ts'
import {parsePlan} from '../src/core/plan-parser.ts'
import type {Planner} from '../src/core/types.ts'
import {specs} from '../src/tools/specs.ts'

/** Plans by heart; a request that it does not know has none. */
const planner = (plans: Record<string, string>): Planner => ({
  name: 'recorded', close: async () => undefined,
  async *plan({request}) {
    const plan = parsePlan(plans[request] ?? '1. join()')
    for (const task of plan.tasks) yield {task}
    return {plan, repairs: [], dropped: [], promptTokens: 1, generatedTokens: 1}
  },
})
const retriever = {select: async (_request: string, tools: {name: string}[]) => tools.map(t => ({name: t.name, score: 1})), embed: async () => []}
const row = {now: '2026-03-03T09:15:00', first: 'text Bo that I am late', firstPlan: '1. get_phone_number("Bo")\n2. send_sms(["$1"], "I am late")\n3. join()'}
const jsonl = (...rows: object[]): string => rows.map((r, i) => JSON.stringify({id: `${i}`, ...row, ...r})).join('\n')
const toAna = '1. get_phone_number("Ana")\n2. send_sms(["$1"], "I am late")\n3. join()'

test('a follow-up counts when it is recognised, planned as the row has it, and only what is new is done', async () => {
  const rows = parseFollowUps(jsonl(
    {query: 'also text it to Ana', plan: toAna, anew: [1, 2]},
    {query: 'text him the same', plan: row.firstPlan, anew: []},
    {query: 'a little later', plan: row.firstPlan, anew: [2]},
    {query: 'text Ana that I am late', independent: true},
  ))
  const report = await runFollowUps(rows, {retriever, planner: planner({'text Ana that I am late': toAna, 'text Bo that I am late': row.firstPlan}), specs}, new AbortController().signal)
  expect(report).toMatchObject({
    precision: {rows: 2, passed: 2}, recall: {rows: 3, passed: 2}, success: {rows: 3, passed: 2}, withArguments: {rows: 3, passed: 2}, anew: {rows: 3, passed: 2},
    failures: [{query: 'a little later', as: '(stands alone)'}],
  })
})

test('a row that is none is said with its line', () => {
  expect(() => parseFollowUps(`${jsonl({query: 'x', independent: true})}\n{"id": "2"}`)).toThrow(UsageError)
})

test('the rows are half and half, and every plan fits its tools', () => {
  const rows = parseFollowUps(readFileSync('training/data/follow-ups.jsonl', 'utf8'))
  const alone = rows.filter(r => r.independent)
  expect(rows.length).toBeGreaterThanOrEqual(60)
  expect(Math.abs(rows.length - 2 * alone.length)).toBeLessThanOrEqual(2)
  for (const r of rows) if (!r.independent) expect(r.anew.every(id => r.plan.tasks.some(t => t.id === id))).toBe(true)
})
