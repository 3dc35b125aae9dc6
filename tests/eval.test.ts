import {mkdtemp, readFile, stat, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {PassThrough} from 'node:stream'
import {describe, expect, test} from 'vitest'
import {formatReport} from '../src/commands/eval-report.ts'
import {eachOnFree, evalCommand, parseRows, runEval} from '../src/commands/eval.ts'
import type {EvalDeps, Prediction} from '../src/commands/eval.ts'
import {ModelError, PlanError, UsageError} from '../src/core/errors.ts'
import {parsePlan} from '../src/core/plan-parser.ts'
import type {PlanInput, PlanPiece, Planner, PlanSummary} from '../src/core/types.ts'
import {specs} from '../src/tools/specs.ts'

const {signal} = new AbortController()

/** A planner that has learnt its plans by heart, and a retriever that knows what they need. */
function recorded(plans: Record<string, string | Error>): EvalDeps & {seen: PlanInput[]; closed: () => boolean} {
  const seen: PlanInput[] = []
  let isClosed = false
  const planner: Planner = {
    name: 'recorded',
    async *plan(input): AsyncGenerator<PlanPiece, PlanSummary> {
      seen.push(input)
      const text = plans[input.request] ?? '1. join()'
      if (text instanceof Error) throw text
      const plan = parsePlan(text)
      for (const task of plan.tasks) yield {task}
      return await Promise.resolve({plan, repairs: [], dropped: [], promptTokens: 200, generatedTokens: 30})
    },
    close: () => { isClosed = true; return Promise.resolve() },
  }
  return {
    planner, specs, seen, closed: () => isClosed,
    retriever: {
      select: (request, tools) => Promise.resolve(tools.filter(t => t.foreign || !request.startsWith('miss') && String(plans[request]).includes(t.name)).map(t => ({name: t.name, score: 1}))),
      embed: texts => Promise.resolve(texts.map(() => new Float32Array(1))),
    },
  }
}

const sms = '1. get_phone_number("Ana")\n2. send_sms(["$1"], "I will be late")\n3. join()'
const jsonl = (...rows: object[]): string => rows.map(r => JSON.stringify(r)).join('\n') + '\n'

describe('runEval', () => {
  test('counts plans that are right, right in their arguments, and right by an alternative', async () => {
    const rows = parseRows(jsonl(
      {id: 'same', query: 'text ana', plan: sms, tags: ['sms']},
      {id: 'wrong-person', query: 'text bo', plan: sms.replace('Ana', 'Bo'), tags: ['sms']},
      {id: 'by-alt', query: 'show it', plan: '1. open_note("A", "")\n2. join()', alts: ['1. maps_open_location("A")\n2. join()']},
      {id: 'wrong', query: 'joke', plan: '1. join()'},
    ))
    const lines: string[] = []
    const report = await runEval(rows, recorded({'text ana': sms, 'text bo': sms, 'show it': '1. maps_open_location("a")\n2. join()', joke: '1. open_note("Joke", "")\n2. join()'}),
      {signal, failures: 5}, line => lines.push(line))
    expect(report).toMatchObject({
      model: 'recorded', rows: 4,
      success: {rows: 4, passed: 3}, withArguments: {rows: 4, passed: 2},
      byCalls: {0: {rows: 1, passed: 0}, 1: {rows: 1, passed: 1}, 2: {rows: 2, passed: 2}},
      byTools: {0: {rows: 1, passed: 0}, 1: {rows: 1, passed: 1}, 2: {rows: 2, passed: 2}},
      byTag: {sms: {rows: 2, passed: 2}},
      toolRecall: {rows: 4, passed: 4}, meanPromptTokens: 200, errors: 0,
      failures: [{id: 'wrong', expected: '1. join()', got: '1. open_note("Joke", "")\n2. join()'}],
    })
    expect(lines.map(l => JSON.parse(l) as unknown)).toMatchObject([
      {id: 'same', plan: sms, tools: ['get_phone_number', 'send_sms'], promptTokens: 200},
      {id: 'wrong-person'}, {id: 'by-alt'}, {id: 'wrong'},
    ])
    expect(formatReport(report)).toContain('Plan success              75.0%  (3 of 4)')
  })

  test('resolves the words of seed rows on both sides', async () => {
    const event = (start: string, end: string): string => `1. create_calendar_event("Dentist", "${start}", "${end}", "", [], "", "")\n2. join()`
    const lines: string[] = []
    const report = await runEval(parseRows(jsonl({query: 'dentist', plan: event('tomorrow 3pm', 'an hour')})), recorded({dentist: event('tomorrow at 3', '')}), {signal}, l => lines.push(l))
    expect(report.withArguments).toEqual({rows: 1, passed: 1})
    expect(JSON.parse(lines[0]!)).toMatchObject({id: '1', plan: event('2026-03-04 15:00:00', '2026-03-04 16:00:00')})
  })

  test('honours the clock, the instructions and the tools of a row', async () => {
    const deps = recorded({'pay it': '1. bill_pay("the 28th")\n2. join()'})
    const report = await runEval(parseRows(jsonl({
      query: 'pay it', now: '2026-09-02T08:00:00', instructions: 'I pay late.', plan: '1. bill_pay("The 28th")\n2. join()',
      tools: [{name: 'bill_pay', description: 'Pays a bill', parameters: [{name: 'on', type: 'string', description: 'day'}]}],
    })), deps, {signal}, () => undefined)
    expect(report).toMatchObject({withArguments: {passed: 1}, toolRecall: {passed: 1}})
    expect(deps.seen[0]).toMatchObject({instructions: 'I pay late.', now: new Date('2026-09-02T08:00:00'), tools: [{name: 'bill_pay', foreign: true}]})
  })

  test('a tool that was not selected costs recall', async () => {
    const report = await runEval(parseRows(jsonl({query: 'miss ana', plan: sms})), recorded({'miss ana': sms}), {signal}, () => undefined)
    expect(report.toolRecall).toEqual({rows: 1, passed: 0})
  })

  test('what was planned before is scored and not planned again', async () => {
    const rows = parseRows(jsonl({id: 'a', query: 'text ana', plan: sms}, {id: 'b', query: 'text bo', plan: sms.replace('Ana', 'Bo')}))
    const plans = {'text ana': sms, 'text bo': sms}
    const lines: string[] = []
    const whole = await runEval(rows, recorded(plans), {signal}, line => lines.push(line))
    const known = new Map(lines.slice(0, 1).map(line => JSON.parse(line) as Prediction).map(p => [p.id, p]))
    const deps = recorded(plans)
    const later: string[] = []
    const report = await runEval(rows, deps, {signal, known}, line => later.push(line))
    expect(deps.seen.map(s => s.request)).toEqual(['text bo'])
    expect(later.map(line => (JSON.parse(line) as Prediction).id)).toEqual(['b'])
    expect({...report, planMs: 0, firstTaskMs: 0}).toEqual({...whole, planMs: 0, firstTaskMs: 0})
  })

  test('says which tools were left out and what was called instead', async () => {
    const report = await runEval(parseRows(jsonl({query: 'text ana', plan: sms})), recorded({'text ana': '1. create_note("Ana", "Late", "")\n2. join()'}), {signal}, () => undefined)
    expect(report.toolCalls['send_sms']).toMatchObject({gold: 1, planned: 0, missing: 1, instead: [{tool: 'create_note', rows: 1}]})
    expect(formatReport(report)).toContain('  send_sms                0 calls for 1; missing in 1 rows, too many in 0\n                          instead of it: create_note 1')
  })

  test('after an error the other planners end their row, and no more are begun', async () => {
    const seen: number[] = []
    let isDone = false
    const work = async (item: number, worker: string): Promise<void> => {
      seen.push(item)
      if (worker === 'a') throw new Error('broken')
      await new Promise(resolve => setImmediate(resolve))
      isDone = true
    }
    await expect(eachOnFree([1, 2, 3, 4], ['a', 'b'], work)).rejects.toThrow('broken')
    expect({seen, isDone}).toEqual({seen: [1, 2], isDone: true})
  })

  test('a plan that cannot be written is a failed row, a broken model ends the evaluation', async () => {
    const rows = parseRows(jsonl({query: 'a', plan: sms}, {query: 'b', plan: sms}))
    const lines: string[] = []
    const report = await runEval(rows, recorded({a: new PlanError(2, 'not a numbered call'), b: sms}), {signal}, l => lines.push(l))
    expect(report).toMatchObject({success: {rows: 2, passed: 1}, errors: 1})
    expect(JSON.parse(lines[0]!)).toMatchObject({plan: '', firstTaskMs: null, error: 'line 2: not a numbered call'})
    await expect(runEval(rows, recorded({a: new ModelError('models/planner is missing')}), {signal}, () => undefined)).rejects.toThrow(ModelError)
  })
})

describe('rows', () => {
  test.each([
    ['{"query": "x"', 'line 1 is not JSON'],
    ['{"query": "x", "plan": "1. join()"}\n{"query": "x", "plan": "no plan"}', 'line 2 is not a gold row'],
    ['{"query": "x", "plan": "1. join()", "now": "soon"}', 'not a date'],
    ['\n', 'no rows'],
  ])('%j is refused', (text, reason) => {
    expect(() => parseRows(text)).toThrow(UsageError)
    expect(() => parseRows(text)).toThrow(reason)
  })
})

describe('the command', () => {
  test('writes the predictions, prints one object with --json, and closes the model', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tinyagent-eval-'))
    const file = join(folder, 'rows.jsonl'), predictions = join(folder, 'out.jsonl')
    await writeFile(file, jsonl({id: 'a', query: 'text ana', plan: sms}))
    const stdout = new PassThrough(), stderr = new PassThrough()
    const deps = recorded({'text ana': sms})
    await evalCommand(file, {predictions, json: true}, () => Promise.resolve(deps), {stdout, stderr, signal})
    expect(JSON.parse(String(stdout.read()))).toMatchObject({success: {rows: 1, passed: 1}})
    expect(stderr.read()).toBeNull()
    expect(JSON.parse(await readFile(predictions, 'utf8'))).toMatchObject({id: 'a', plan: sms})
    expect((await stat(predictions)).mode & 0o777).toBe(0o600)
    expect(deps.closed()).toBe(true)
  })

  test('refuses a file that is not there before a model is opened', async () => {
    let opened = false
    const open = (): Promise<EvalDeps> => { opened = true; return Promise.resolve(recorded({})) }
    await expect(evalCommand('/nowhere/rows.jsonl', {}, open, {stdout: new PassThrough(), stderr: new PassThrough(), signal})).rejects.toThrow(UsageError)
    expect(opened).toBe(false)
  })
})
