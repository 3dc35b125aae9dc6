// The embeddable API, with recorded plans in place of a planner.
import {spawnSync} from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {arg, createAgent, tool, z, type Event} from '../../src/agent.ts'
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

test('the example of docs/embedding.md runs on the built package: a yes sends, anything else does not', () => {
  replay(sms)
  const embed = (input: string) => spawnSync(process.execPath, ['examples/embed.mjs', 'do it'], {cwd: root, input, encoding: 'utf8', timeout: 60_000, env: {...process.env, TINYAGENT_HOME: home.dir}})
  expect(embed('n\n').stderr).toContain('Send it?')
  expect(outbox()).toBe(0)
  const {status, stdout} = embed('y\n')
  expect([status, stdout, outbox()]).toEqual([0, expect.stringContaining('+14155550123'), 1])
})
