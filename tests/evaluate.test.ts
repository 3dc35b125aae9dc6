// The parts of `npm run evaluate` that need no model.
import {appendFile, mkdtemp, readFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {expect, test} from 'vitest'
import {openKept} from '../scripts/evaluate-keep.ts'
import {trainingCost} from '../scripts/evaluate-text.ts'
import {openNearest, withExamples} from '../scripts/nearest-seeds.ts'
import {UsageError} from '../src/core/errors.ts'
import {planWith} from '../src/core/planner.ts'
import type {LineModel} from '../src/core/model/llama.ts'
import {specs} from '../src/tools/specs.ts'
import {side, type Seed} from '../training/build-data.ts'

const {signal} = new AbortController()
const root = path.resolve(import.meta.dirname, '..')

const prediction = (id: string): string => JSON.stringify({id, plan: '1. join()', tools: [], promptTokens: 9, firstTaskMs: null, planMs: 5})
const newFile = async (): Promise<string> => path.join(await mkdtemp(path.join(tmpdir(), 'tinyagent-evaluate-')), 'kept.jsonl')

test('what was planned is there for the next run, but for a line that was cut off', async () => {
  const file = await newFile()
  const first = openKept(file, 'state')
  first.add('+ Tool RAG', 'test', prediction('a'))
  first.add('+ Tool RAG', 'wild', prediction('b'))
  await appendFile(file, '["+ Tool RAG","wi')
  openKept(file, 'state').add('+ Tool RAG', 'wild', prediction('c'))
  const last = openKept(file, 'state')
  expect([...last.of('+ Tool RAG', 'test').values()]).toEqual([JSON.parse(prediction('a'))])
  expect([...last.of('+ Tool RAG', 'wild').keys()]).toEqual(['b', 'c'])
  expect(last.of('as it ships', 'test').size).toBe(0)
})

test('what was planned with other code or models is refused, and left as it is', async () => {
  const file = await newFile()
  openKept(file, 'state').add('+ Tool RAG', 'test', prediction('a'))
  const before = await readFile(file, 'utf8')
  expect(() => openKept(file, 'another')).toThrow(UsageError)
  expect(await readFile(file, 'utf8')).toBe(before)
})

test.each(['models/planner/README.md', 'models/retriever/README.md'])('%s says what training cost, in a table', async file => {
  expect(trainingCost(await readFile(path.join(root, file), 'utf8'), file)).toMatch(/^\| stage \|.*\n\| --- [^]*minutes/)
  expect(() => trainingCost('# No cost', file)).toThrow(file)
})

/** Texts with the same words are near each other. */
const words = ['text', 'note', 'remind', 'late', 'milk', 'mail']
const embed = (texts: string[]): Promise<Float32Array[]> => Promise.resolve(texts.map(text => Float32Array.from(words, word => text.toLowerCase().split(/\W+/).filter(w => w === word).length)))

/** A seed of that side: its own name is the first that falls there. */
function seedOf(where: ReturnType<typeof side>, query: string, plan: string, more: Partial<Seed> = {}): Seed {
  const names = Array.from({length: 1000}, (_, i) => ({query: `${query} (${i})`, plan, slots: {}, source: 'here', ...more}))
  return names.find(seed => side(seed) === where)!
}

test('the nearest training seeds stand before the request, those of the tools that are offered only, the nearest last', async () => {
  const late = '1. get_phone_number("Bo")\n2. send_sms(["$1"], "I am late")\n3. join()'
  const near = seedOf('train', 'text that I am late', late)
  const farther = seedOf('train', 'text', late)
  const seeds = [
    near, seedOf('train', 'mail', late), farther,
    seedOf('train', 'text late note', '1. create_note("Late", "", "")\n2. join()'),
    seedOf('train', 'text late late', late, {instructions: 'Always text late.'}),
    seedOf('validation', 'text late', late), seedOf('test', 'text late', late),
  ]
  const prompts: Parameters<LineModel['begin']>[0][] = []
  const model: LineModel = {
    written: 0, close: () => Promise.resolve(),
    begin: prompt => { prompts.push(prompt); return Promise.resolve(1) },
    async *line() { yield await Promise.resolve(' join') },
  }
  const planner = withExamples(planWith(model, 'scripted'), await openNearest(seeds, {embed}, signal), 2)
  const tools = specs.filter(s => ['get_phone_number', 'send_sms'].includes(s.name))
  const stream = planner.plan({request: 'Text Ana that I am late', now: new Date(2026, 2, 3), tools, signal})
  while (!(await stream.next()).done);
  const shown = [farther, near].map(seed => `Q: ${seed.query}\nA:\n${late}\n`).join('')
  expect(prompts).toEqual([expect.stringContaining(`Send a text message.\n${shown}Q: Text Ana that I am late\nA:\n`)])
})
