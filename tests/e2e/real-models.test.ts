// The real planner and retriever, end to end. What they choose is measured by `tinyagent eval`; here is what holds for any choice.
import {spawn, spawnSync} from 'node:child_process'
import {once} from 'node:events'
import path from 'node:path'
import {describe, expect, it, onTestFinished} from 'vitest'
import {warmPlanner, warmRetriever} from '../../src/commands/warm.ts'
import {parsePlan} from '../../src/core/plan-parser.ts'
import type {Event} from '../../src/core/types.ts'
import {openRetriever} from '../../src/core/retriever.ts'
import {specs} from '../../src/tools/specs.ts'
import {checkEvents} from '../check-events.ts'
import {keys, open, testHome} from './fixtures.ts'
import {runProgram} from './terminal.ts'

const request = 'remind me to call the dentist tomorrow at 3pm'
const now = ['--now', '2026-03-03T09:15:00']

describe('the models that come with the program', () => {
  it('give events in order, and an exit code that agrees with them', async () => {
    const {code, stdout} = await runProgram(testHome(), ['--json', ...now, request])
    const events = stdout.trimEnd().split('\n').map(line => JSON.parse(line) as Event) // lines of our own program
    checkEvents(events)
    expect(events.at(-1)).toMatchObject({type: 'done', exitCode: code})
    const selected = events.flatMap(e => e.type === 'tools-selected' ? e.tools.map(t => t.name) : [])
    for (const e of events) if (e.type === 'task-added') expect(selected).toContain(e.task.tool)
  })
  it('give a plan that parses and calls the known tools with the right number of arguments', async () => {
    const {code, stdout} = await runProgram(testHome(), ['plan', '--json', ...now, request])
    expect(code).toBe(0)
    const {plan, tools} = JSON.parse(stdout) as {plan: string; tools: {name: string}[]}
    expect(plan).toMatch(/\njoin\(\)$|\d+\. join\(\)$/)
    for (const task of parsePlan(plan).tasks) {
      expect(tools.map(t => t.name)).toContain(task.tool)
      expect(task.args).toHaveLength(Object.keys(specs.find(s => s.name === task.tool)!.args.shape).length)
    }
  })
  it('plan and run for a program that embeds them, with the same events and nothing sent without a yes', () => {
    const home = testHome()
    const {status, stdout} = spawnSync(process.execPath, ['tests/fixtures/embed.mjs', 'text +14155550123 that I am late'], {encoding: 'utf8', timeout: 120_000, env: {...process.env, HOME: home, TINYAGENT_HOME: home}})
    expect(status).toBe(0)
    const [plan, ...rest] = stdout.trimEnd().split('\n').map(line => JSON.parse(line) as unknown) // of our own program
    const outcome = rest.pop() as {status: string; exitCode: number}
    const events = rest as Event[]
    checkEvents(events)
    expect(parsePlan(plan as string).tasks.every(task => specs.some(s => s.name === task.tool))).toBe(true)
    expect(events.at(-1)).toMatchObject({type: 'done', ...outcome})
    for (const e of events) if (e.type === 'task-started') expect(e.effect).not.toBe('outward')
  })
  it('can be stopped in the middle of a word, and the terminal is as before', async () => {
    const t = open([request])
    await t.shows('Planning')
    t.type(keys.ctrlC)
    expect([130, 0]).toContain(await t.exits()) // the plan may have been done already
    expect(t.modes()).toEqual({bracketedPaste: false, isCursorHidden: false})
  })
  it('plan by `serve` as without it: the retriever\'s chances decide there too', async () => {
    const home = testHome()
    const server = spawn(process.execPath, [path.resolve('bin/tinyagent.js'), 'serve'], {env: {...process.env, HOME: home, TINYAGENT_HOME: home}, stdio: ['ignore', 'ignore', 'pipe']})
    onTestFinished(async () => { server.kill('SIGKILL'); await once(server, 'exit') })
    await once(server.stderr, 'data') // it says where it is once it listens
    const socket = path.join(home, 'state/serve.sock')
    const notHere = (): Promise<never> => Promise.reject(new Error('not here'))
    const local = await openRetriever({dir: path.resolve('models/retriever')})
    onTestFinished(() => local.close())
    const {signal} = new AbortController()
    expect(await warmRetriever(socket, notHere).select(request, specs, signal)).toEqual(await local.select(request, specs, signal))
    const planner = warmPlanner(socket, 'serve', notHere)
    const tools = specs.filter(s => s.name === 'create_note')
    const called = async (calls: number[]): Promise<string[]> => {
      const chances = new Map([['create_note', calls]])
      const plan = planner.plan({request: 'Write a note that the boat is sold', now: new Date('2026-03-03T09:15:00'), tools, chances, signal})
      let next = await plan.next()
      while (!next.done) next = await plan.next()
      return next.value.plan.tasks.map(t => t.tool)
    }
    expect(await called([1, 0])).toEqual(['create_note'])
    expect(await called([0, 0])).toEqual([])
  })
})
