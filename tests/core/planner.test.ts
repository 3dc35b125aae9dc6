import {execFile} from 'node:child_process'
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {promisify} from 'node:util'
import {describe, expect, test} from 'vitest'
import {openLlama, type LineModel, type LineRequest} from '../../src/core/model/llama.ts'
import {planWith} from '../../src/core/planner.ts'
import {parseLine, printPlan} from '../../src/core/plan-parser.ts'
import type {PlanInput, PlanPiece, PlanSummary} from '../../src/core/types.ts'
import {specs} from '../../src/tools/specs.ts'

/** Writes these lines whatever the grammar says, a few letters at a time. */
function scripted(lines: string[]): LineModel & {prompts: Parameters<LineModel['begin']>[0][]; requests: LineRequest[]; isClosed: boolean} {
  const left = [...lines]
  return {
    prompts: [], requests: [], isClosed: false, written: 7,
    begin(prompt) { this.prompts.push(prompt); return Promise.resolve(42) },
    async *line(request) {
      request.signal.throwIfAborted()
      this.requests.push(request)
      const line = left.shift() ?? ' join'
      for (let at = 0; at < line.length; at += 5) {
        yield line.slice(at, at + 5)
        if (request.isWhole(line.slice(0, at + 5))) return
      }
    },
    close() { this.isClosed = true; return Promise.resolve() },
  }
}

const input = (request: string, more: Partial<PlanInput> = {}): PlanInput =>
  ({request, now: new Date(2026, 2, 3, 9, 15), tools: specs, signal: new AbortController().signal, ...more})

async function run(lines: string[], request: string, more: Partial<PlanInput> = {}): Promise<{pieces: PlanPiece[]; text: string; summary: PlanSummary; model: ReturnType<typeof scripted>}> {
  const model = scripted(lines)
  const stream = planWith(model, 'scripted').plan(input(request, more))
  const pieces: PlanPiece[] = []
  for (;;) {
    const {done, value} = await stream.next()
    if (done) return {pieces, summary: value, model, text: pieces.map(p => 'delta' in p ? p.delta : '').join('')}
    pieces.push(value)
  }
}

test('each task comes with its line, before the next one is begun', async () => {
  const {pieces, text, summary} = await run([' get_phone_number("Ana")', ' send_sms(["$1"], "Hi")', ' join()'], 'Text Ana hi')
  expect(text).toBe('1. get_phone_number("Ana")\n2. send_sms(["$1"], "Hi")\n3. join()')
  const first = pieces.findIndex(p => 'task' in p)
  expect(pieces.slice(first + 1).some(p => 'delta' in p && p.delta.startsWith('2.'))).toBe(true)
  expect(pieces.slice(0, first).some(p => 'delta' in p && p.delta.startsWith('2.'))).toBe(false)
  expect(printPlan(summary.plan)).toBe(text)
  expect(summary).toMatchObject({promptTokens: 42, generatedTokens: 7, repairs: [], dropped: []})
})

test('" join" says everything, unless a tool begins so', async () => {
  const end = await run([' join'], 'What is the weather?')
  expect(end.text).toBe('1. join()')
  const {model} = await run([], 'Join', {tools: [...specs, {...specs[0]!, name: 'join_call'}]})
  expect(model.requests[0]!.isWhole(' join')).toBe(false)
})

test('a line knows the calls before it', async () => {
  const {model} = await run([' get_phone_number("Ana")', ' send_sms(["$1"], "Hi")'], 'Text Ana hi')
  expect(model.requests.map(r => r.head)).toEqual(['1.', '\n2.', '\n3.'])
  expect(model.requests[0]!.grammar).not.toContain('send_sms(')
  expect(model.requests[1]!.grammar).toContain('send_sms(')
})

test('nothing is done twice, and the next line cannot refer to what was left out', async () => {
  const note = ' create_note("Ideas", "Buy a boat", "")'
  const {summary, pieces} = await run([note, note, ' open_note("Ideas", "")'], 'Note Ideas: buy a boat, and open it')
  expect(summary.repairs).toContain('same-call-twice')
  expect(pieces.flatMap(p => 'task' in p ? [p.task.id] : [])).toEqual([1, 3])
})

test('the plan ends after sixteen calls', async () => {
  const notes = Array.from({length: 30}, (_, i) => ` create_note("n${i}", "", "")`)
  const {model} = await run(notes.slice(0, 16), 'Make notes')
  expect(model.requests).toHaveLength(17)
  expect(model.requests.at(-1)!.grammar).not.toContain('create_note')
})

test('a line that is no call is a PlanError', async () => {
  await expect(run([' get_phone_number("Ana'], 'Text Ana')).rejects.toMatchObject({name: 'PlanError'})
  await expect(run([' invented("Ana")'], 'Text Ana')).rejects.toThrow('there is no tool "invented" here')
})

test('an abort ends it, and closing closes the model', async () => {
  const controller = new AbortController()
  controller.abort()
  await expect(run([], 'Text Ana', {signal: controller.signal})).rejects.toThrow('abort')
  const model = scripted([])
  await planWith(model, 'scripted').close()
  expect(model.isClosed).toBe(true)
})

describe('with the real model', () => {
  const modelPath = path.resolve('models/planner/tinyagent-135m-q4_0.gguf')
  const requests = ['Text Ana that I am late, and remind me on Friday at 4pm to call the dentist', 'Mail report.pdf to Zoë Łuczak']

  test('every line is a call of a selected tool, and guesses change nothing', {timeout: 120_000}, async () => {
    expect(existsSync(modelPath)).toBe(true)
    const plans: string[][] = []
    for (const guesses of [true, false]) {
      // One thread: the sums, and so the plan, are the same whatever else the machine does.
      const planner = planWith(await openLlama({modelPath, threads: 1, guesses}), 'real')
      const written: string[] = []
      for (const request of requests) {
        let text = ''
        for await (const piece of planner.plan(input(request))) if ('delta' in piece) text += piece.delta
        text.split('\n').forEach((line, i) => { expect(parseLine(line, i + 1)).toBeDefined() })
        expect(text).toMatch(/join\(\)$/)
        written.push(text)
      }
      plans.push(written)
      await planner.close()
    }
    expect(plans[0]).toEqual(plans[1])
  })

  test('the model loads whatever the variable CI says, and finds it as it was', {timeout: 120_000}, async () => {
    // In a process of its own: node-llama-cpp reads the variable once, when it is first loaded.
    const script = `
      export {}
      const {openLlama} = await import(${JSON.stringify(new URL('../../src/core/model/llama.ts', import.meta.url).href)})
      const model = await openLlama({modelPath: ${JSON.stringify(modelPath)}, threads: 1})
      await model.close()
      console.log(JSON.stringify(process.env.CI))`
    const folder = mkdtempSync(path.join(tmpdir(), 'tinyagent-ci-'))
    try {
      const file = path.join(folder, 'load.mts')
      writeFileSync(file, script)
      const {stdout} = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], {env: {...process.env, CI: 'woodpecker'}})
      expect(JSON.parse(stdout)).toBe('woodpecker')
    } finally {
      rmSync(folder, {recursive: true})
    }
  })

  test('a GGUF that is none of ours gets the prompt for general models in its own chat format, under the same grammar', {timeout: 180_000}, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'tinyagent-gguf-'))
    try {
      // Our own file, with another word where it says what it is.
      const bytes = readFileSync(modelPath)
      const mark = bytes.indexOf('tinyagent-planner')
      expect(mark).toBeGreaterThan(0)
      bytes.write('somebody-elses-17', mark)
      const other = path.join(folder, 'other.gguf')
      writeFileSync(other, bytes)
      const signal = new AbortController().signal
      const model = await openLlama({modelPath: other, threads: 1})
      expect(model.isGeneral).toBe(true)
      const length = (content: string): Promise<number> => model.begin([{role: 'system', content: 'Plan.'}, {role: 'user', content}], signal)
      // What a request spells is text: the format's end mark would be one token.
      expect(await length('Text Ana <|im_end|>') - await length('Text Ana')).toBeGreaterThan(2)
      const planner = planWith(model, 'other')
      let text = ''
      for await (const piece of planner.plan(input(requests[0]!, {tools: specs.filter(s => ['get_phone_number', 'send_sms', 'create_reminder'].includes(s.name))}))) if ('delta' in piece) text += piece.delta
      text.split('\n').forEach((line, i) => { expect(parseLine(line, i + 1)).toBeDefined() })
      expect(text).toMatch(/join\(\)$/)
      await planner.close()
      const ours = await openLlama({modelPath, threads: 1})
      expect(ours.isGeneral).toBe(false)
      await ours.close()
    } finally {
      rmSync(folder, {recursive: true})
    }
  })

  test('a request that is too long is a UsageError, and a model that is missing a ModelError', {timeout: 60_000}, async () => {
    const model = await openLlama({modelPath, threads: 1})
    await expect(model.begin('word '.repeat(3000), new AbortController().signal)).rejects.toMatchObject({name: 'UsageError'})
    await model.close()
    await expect(openLlama({modelPath: '/nowhere.gguf'})).rejects.toMatchObject({name: 'ModelError'})
  })
})
