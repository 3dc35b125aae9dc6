// The embeddable API, with recorded plans in place of a planner.
import {spawnSync} from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {arg, createAgent, tool, z, type ConfirmAnswer, type Event, type Preview, type Question, type Tool} from '../../src/agent.ts'
import {checkEvents} from '../check-events.ts'
import {newHome, root} from './program.ts'

let home: ReturnType<typeof newHome>
beforeEach(() => { home = newHome() })
afterEach(() => { home.remove(); delete process.env['TINYAGENT_REPLAY'] })

const now = new Date('2026-03-03T09:15:00')
const replay = (plan: string): void => { process.env['TINYAGENT_REPLAY'] = home.write('plan.txt', plan) }
const sms = '1. send_sms(["+14155550123"], "hi")\n2. join()\n'
const outbox = (): number => {
  const folder = path.join(home.dir, 'data/sms')
  return fs.existsSync(folder) ? fs.readdirSync(folder).length : 0
}

test('without a callback nothing outward is done; with one it is asked, and its yes is what sends', async () => {
  replay(sms)
  const agent = createAgent({home: home.dir})
  try {
    expect(await agent.run('do it', {now}).outcome).toEqual({status: 'needs-confirmation', exitCode: 3})
    expect(outbox()).toBe(0)
    const asked: string[] = []
    const events: Event[] = []
    for await (const event of agent.run('do it', {now, confirm: async preview => { asked.push(preview.body?.text ?? ''); return 'yes' }})) events.push(event)
    checkEvents(events)
    expect([asked, events.at(-1), outbox()]).toEqual([['hi'], expect.objectContaining({type: 'done', status: 'done'}), 1])
  } finally {
    await agent.close()
  }
})

test('plan() runs nothing', async () => {
  replay(sms)
  const agent = createAgent({home: home.dir})
  expect((await agent.plan('do it', {now})).tasks).toMatchObject([{id: 1, tool: 'send_sms'}])
  expect(outbox()).toBe(0)
  await agent.close()
  await expect(agent.plan('do it')).rejects.toThrow('closed')
})

test('a tool of the caller is called with its arguments; a name that is taken is refused', async () => {
  replay('1. water("two glasses")\n2. join()\n')
  const drunk: string[] = []
  const water = tool({
    name: 'water', description: 'Write down how much water was drunk.', args: z.object({amount: arg.text()}), effect: 'read', returns: 'none',
    preview: async () => ({effect: 'read', title: 'Water', fields: []}),
    run: async ({amount}) => { drunk.push(amount); return {value: '', summary: `Wrote down ${amount}`} },
  })
  const agent = createAgent({home: home.dir, tools: [water]})
  expect([(await agent.run('I drank two glasses', {now}).outcome).status, drunk]).toEqual(['done', ['two glasses']])
  await agent.close()
  const twice = createAgent({home: home.dir, tools: [{...water, name: 'send_sms'}]})
  await expect(twice.run('do it').outcome).rejects.toThrow('send_sms')
  await twice.close()
})

test('an abort, and leaving the loop, end the run before anything leaves; a text that is no request is an error', async () => {
  replay(sms)
  const agent = createAgent({home: home.dir})
  const run = agent.run('do it', {now, confirm: async () => { run.abort(); return 'yes' }})
  expect((await run.outcome).status).toBe('cancelled')
  const left = agent.run('do it', {now, confirm: async () => 'yes'})
  for await (const event of left) if (event.type === 'request') break
  expect((await left.outcome).status).toBe('cancelled')
  expect(outbox()).toBe(0)
  await expect(agent.run('  ').outcome).rejects.toMatchObject({code: 'usage'})
  await agent.close()
})

test('`ask` is asked which of two people is meant, and its answer is used; without it, or with none, the step fails', async () => {
  for (const [i, name] of ['Ana Duarte', 'Ana Silva'].entries()) home.write(`data/contacts/people/${i}.vcf`, ['BEGIN:VCARD', 'VERSION:3.0', `UID:${i}`, `FN:${name}`, `TEL:+1202555010${i + 1}`, 'END:VCARD', ''].join('\r\n'))
  replay('1. get_phone_number("Ana")\n2. join()\n')
  const agent = createAgent({home: home.dir})
  const asked: Question[] = []
  const results: string[] = []
  for await (const event of agent.run('the number of Ana', {now, ask: async question => { asked.push(question); return question.type === 'pick' ? {value: question.candidates.find(c => c.label.includes('Silva'))!.value} : undefined }})) {
    if (event.type === 'task-done') results.push(event.result.value)
  }
  expect([asked.map(q => q.type), results]).toEqual([['pick'], ['+12025550102']])
  for (const options of [{}, {ask: async () => undefined}]) {
    const events: Event[] = []
    for await (const event of agent.run('the number of Ana', {now, ...options})) events.push(event)
    checkEvents(events)
    expect(events.find(e => e.type === 'task-failed')).toMatchObject({error: {code: 'ambiguous', candidates: [{label: 'Ana Duarte: +12025550101'}, {label: 'Ana Silva: +12025550102'}]}})
  }
  await agent.close()
})

test('an edit is shown again before it is sent; one that fits nothing changes nothing and says so', async () => {
  replay(sms)
  const agent = createAgent({home: home.dir})
  const shown: Preview[] = []
  const edits: ConfirmAnswer[] = [{edit: {message: 'Later'}}, {edit: {recipients: 7}}, {edit: {nobody: 'x'}}]
  const run = agent.run('do it', {now, confirm: async preview => { shown.push(preview); return edits[shown.length - 1] ?? 'yes' }})
  expect((await run.outcome).status).toBe('done')
  expect(shown.map(p => p.body?.text)).toEqual(['hi', 'Later', 'Later', 'Later'])
  expect(shown[2]!.notice).toContain('Not changed: ')
  const [sent] = fs.readdirSync(path.join(home.dir, 'data/sms'))
  expect(fs.readFileSync(path.join(home.dir, 'data/sms', sent!), 'utf8')).toContain('Later')
  await agent.close()
})

/** Outward, at work until it is stopped; `begun` resolves when it is. */
function slow(): {tool: Tool; begun: Promise<void>; calls: () => number} {
  let calls = 0
  let begin = (): void => undefined
  const begun = new Promise<void>(resolve => { begin = resolve })
  return {begun, calls: () => calls, tool: tool({
    name: 'ring', description: 'Ring a bell.', args: z.object({bell: arg.text()}), effect: 'outward', returns: 'none',
    preview: async ({bell}) => ({effect: 'outward', title: 'Bell', fields: [{label: 'Bell', value: bell, arg: 'bell'}]}),
    run: async (_args, {signal}) => {
      calls++
      begin()
      return new Promise((_, reject) => { signal.addEventListener('abort', () => reject(signal.reason as Error), {once: true}) })
    },
  })}
}
const steps = (): {type: string; key?: string; error?: {code: string; message: string}}[] => fs.readdirSync(path.join(home.dir, 'state/journal'))
  .flatMap(day => fs.readFileSync(path.join(home.dir, 'state/journal', day), 'utf8').split('\n').filter(Boolean).map(line => JSON.parse(line) as {type: string})) // our own lines

test('close() in the middle: what waits for a word is not sent, also by a yes that comes late; what waits its turn never begins', async () => {
  replay(sms)
  const agent = createAgent({home: home.dir})
  let isAsked = (): void => undefined
  const asked = new Promise<void>(resolve => { isAsked = resolve })
  let answer = (_: 'yes'): void => undefined
  const first = agent.run('do it', {now, confirm: () => { isAsked(); return new Promise(resolve => { answer = resolve }) }})
  const second = agent.run('do it again', {now, confirm: async () => 'yes'})
  await asked
  const closed = agent.close()
  answer('yes')
  await closed
  expect([await first.outcome, await second.outcome]).toEqual([{status: 'cancelled', exitCode: 130}, {status: 'cancelled', exitCode: 130}])
  const events: Event[] = []
  for await (const event of second) events.push(event)
  checkEvents(events)
  expect(events.map(e => e.type)).toEqual(['request', 'done'])
  expect([outbox(), steps().filter(line => line.type === 'task-started')]).toEqual([0, []])
  await expect(agent.run('do it').outcome).rejects.toMatchObject({code: 'usage', message: 'This agent is closed'})
  await agent.close()
})

test('close() in the middle of a step that leaves the machine: the journal has its begin and its end, which says that it may have been done, and a later start has nothing to tell', async () => {
  replay('1. ring("big")\n2. ring("small")\n3. join()\n')
  const {tool: ring, begun, calls} = slow()
  const agent = createAgent({home: home.dir, tools: [ring]})
  const run = agent.run('ring both', {now, confirm: async () => 'yes'})
  await begun
  await agent.close()
  expect(await run.outcome).toEqual({status: 'cancelled', exitCode: 130})
  const kept = steps()
  const started = kept.filter(line => line.type === 'task-started')
  expect(started).toHaveLength(calls())
  for (const {key} of started) expect(kept.find(line => line.key === key && line.type === 'task-failed')).toMatchObject({error: {code: 'cancelled', message: 'Stopped while it ran; it may have been done all the same, please check'}})
  expect((await home.run(['log'])).stdout).toContain('it may have been done all the same')
  const told: string[] = []
  const later = createAgent({home: home.dir, tell: line => told.push(line)})
  replay('1. get_phone_number("Nobody")\n2. join()\n')
  await later.run('nothing', {now}).outcome
  await later.close()
  expect(told).toEqual([])
})

test('a step that an earlier run was cut off in is told of once, before the first card', async () => {
  const {pid} = spawnSync(process.execPath, ['-e', '']) // gone
  const step = {type: 'task-started', at: new Date().toISOString(), pid, run: 'r', key: 'r-1', tool: 'create_note', effect: 'local', args: {name: 'Shopping', content: 'milk', folder: ''}}
  home.write(`state/journal/${step.at.slice(0, 10)}.ndjson`, `${JSON.stringify(step)}\n`)
  replay(sms)
  const order: string[] = []
  for (let start = 0; start < 2; start++) {
    const agent = createAgent({home: home.dir, tell: line => order.push(line)})
    await agent.run('do it', {now, confirm: async () => { order.push('card'); return 'skip' }}).outcome
    await agent.close()
  }
  expect(order).toEqual([expect.stringMatching(/^tinyagent was cut off in a step at .*It was not done: There is no note 'Shopping'/), 'card', 'card'])
})

test('the example of docs/embedding.md runs on the built package: a yes sends, anything else does not', () => {
  replay(sms)
  const embed = (input: string) => spawnSync(process.execPath, ['examples/embed.mjs', 'do it'], {cwd: root, input, encoding: 'utf8', timeout: 60_000, env: {...process.env, TINYAGENT_HOME: home.dir}})
  expect(embed('n\n').stderr).toContain('Send it?')
  expect(outbox()).toBe(0)
  const {status, stdout} = embed('y\n')
  expect([status, stdout, outbox()]).toEqual([0, expect.stringContaining('+14155550123'), 1])
})
