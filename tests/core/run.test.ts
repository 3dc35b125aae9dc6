import {expect, test} from 'vitest'
import {z} from 'zod'
import {ModelError, PlanError, ToolError} from '../../src/core/errors.ts'
import {replayPlanner} from '../../src/core/model/replay.ts'
import {arg} from '../../src/core/params.ts'
import {runRequest, type RunDeps} from '../../src/core/run.ts'
import {tool, type Event, type Json, type PlanInput, type Planner, type Tool} from '../../src/core/types.ts'
import {checkEvents} from '../check-events.ts'

const now = new Date('2026-03-03T09:15:00')

const world = () => {
  const did: Json[] = []
  const look = tool({
    name: 'look_up', description: 'Look up a number.', args: z.object({name: arg.person()}), effect: 'read', returns: 'phone',
    preview: async () => ({effect: 'read', title: 'Look up', fields: []}),
    run: async ({name}) => {
      if (name === 'Zed') throw new ToolError('not-found', 'Nobody named Zed')
      return {value: '+4420', summary: `${name} has +4420`}
    },
  })
  const read = tool({
    name: 'read_mail', description: 'Read the mail.', args: z.object({name: arg.any()}), effect: 'read', returns: 'text', source: 'document',
    preview: async () => ({effect: 'read', title: 'Read', fields: []}),
    run: async () => ({value: 'text', summary: 'Read it'}),
  })
  const remind = tool({
    name: 'remind', description: 'Create a reminder.', args: z.object({name: arg.title(), due: arg.when()}), effect: 'local', returns: 'none',
    preview: async ({name}) => ({effect: 'local', title: name, fields: []}),
    run: async ({name, due}, {key}) => { did.push({name, due, key}); return {value: '', summary: `Added '${name}' for ${due}`, undo: {name}} },
  })
  const text = tool({
    name: 'text', description: 'Send a text message.', args: z.object({to: z.array(arg.phone()), message: arg.text()}), effect: 'outward', returns: 'none',
    preview: async ({to, message}) => ({effect: 'outward', title: 'Text', fields: [{label: 'To', value: to, arg: 'to'}], body: {text: message, arg: 'message'}}),
    run: async ({to, message}) => { did.push({to, message}); return {value: '', summary: `Texted ${to.join(', ')}`} },
  })
  return {did, tools: [look, read, remind, text]}
}

/** A planner that writes another plan each time; an Error is thrown instead. */
function plans(...texts: (string | Error)[]): Planner & {inputs: PlanInput[]} {
  const inputs: PlanInput[] = []
  return {
    name: 'plans', inputs, close: async () => undefined,
    async *plan(input) {
      const text = texts[Math.min(inputs.push(input), texts.length) - 1]!
      if (typeof text !== 'string') throw text
      return yield* replayPlanner([text]).plan(input)
    },
  }
}

async function run(planner: Planner, tools: Tool[], more: Partial<RunDeps> & {dryRun?: boolean; select?: string[]} = {}) {
  const events: Event[] = []
  const {dryRun = false, select, ...deps} = more
  const outcome = await runRequest({id: 'r1', text: 'do it', now, dryRun}, {
    tools, planner: async () => planner, signal: new AbortController().signal, isAllowed: () => false,
    retriever: async () => ({select: async (_, all) => all.filter(t => !select || select.includes(t.name)).map(t => ({name: t.name, score: 1})), embed: async () => []}),
    ...deps,
  }, event => { events.push(event) })
  checkEvents(events)
  return {...outcome, events, types: events.map(e => e.type), answer: events.find(e => e.type === 'answer')?.text}
}

test('a request goes the whole way: tools, plan with absolute dates, effect under its own key, answer', async () => {
  const {did, tools} = world()
  const {exitCode, events, answer} = await run(plans('1. remind("call the dentist", "tomorrow 3pm")\n2. join()'), tools, {select: ['remind']})
  expect(did).toEqual([{name: 'call the dentist', due: '2026-03-04 15:00:00', key: 'r1-1'}])
  expect(events[0]).toMatchObject({type: 'request', now: '2026-03-03T09:15:00'})
  expect(events.find(e => e.type === 'tools-selected')?.tools).toEqual([{name: 'remind', score: 1}])
  expect(events.find(e => e.type === 'plan-done')?.plan).toBe('1. remind("call the dentist", "2026-03-04 15:00:00")\n2. join()')
  expect([exitCode, answer]).toEqual([0, "Added 'call the dentist' for 2026-03-04 15:00:00."])
})

test('a plan may only call the selected tools', async () => {
  const {did, tools} = world()
  expect((await run(plans('1. remind("x", "")\n2. join()'), tools, {select: ['look_up']})).exitCode).toBe(1)
  expect(did).toEqual([])
})

test('exit codes: 3 when nobody can confirm, 4 when another step was done, 1 when all failed, 4 when some', async () => {
  const {tools} = world()
  const code = async (plan: string): Promise<number> => (await run(plans(plan), tools)).exitCode
  expect(await code('1. look_up("Ana")\n2. text(["$1"], "hi")\n3. join()')).toBe(3)
  expect(await code('1. text(["+44"], "hi")\n2. remind("x", "")\n3. join()')).toBe(4)
  expect(await code('1. look_up("Zed")\n2. text(["$1"], "hi")\n3. join()')).toBe(1)
  expect(await code('1. look_up("Zed")\n2. remind("x", "")\n3. join()')).toBe(4)
  expect(await code('1. join()')).toBe(0)
})

test('a person can stop everything: exit 130', async () => {
  const {tools, did} = world()
  expect(await run(plans('1. text(["+44"], "hi")\n2. join()'), tools, {confirm: async () => 'stop'})).toMatchObject({status: 'cancelled', exitCode: 130})
  expect(did).toEqual([])
})

test('a broken plan is planned again with its error, at most twice', async () => {
  const {tools, did} = world()
  const planner = plans('1. remind("x"\n', '1. remind("x", "")\n2. join()')
  expect((await run(planner, tools)).exitCode).toBe(0)
  expect(planner.inputs[1]!.previous?.error).toContain('line 1')
  expect(did).toHaveLength(1)
  const hopeless = plans('1. remind(a', '1. remind(b', '1. remind(c', '1. remind("x", "")\n2. join()')
  const {exitCode, types} = await run(hopeless, tools)
  expect([exitCode, hopeless.inputs.length, types.filter(t => t === 'replan').length]).toEqual([1, 3, 2])
})

test('wrong arguments are planned again; a person who does not exist is not', async () => {
  const {tools} = world()
  const wrong = plans('1. look_up(5)\n2. join()', '1. look_up("Ana")\n2. join()')
  expect((await run(wrong, tools)).exitCode).toBe(0)
  const missing = plans('1. look_up("Zed")\n2. join()')
  await run(missing, tools)
  expect(missing.inputs).toHaveLength(1)
})

test('a call of a second plan is another call than the one of that number in the first', async () => {
  const {did, tools} = world()
  await run(plans('1. remind("call", "some time or other")\n2. text("no list", "hi")\n3. join()', '1. remind("call", "tomorrow")\n2. join()'), tools.map(t => t.name !== 'remind' ? t : {
    ...t, preview: async (args, context) => { if (!/^\d/.test(String(args.due))) throw new ToolError('invalid-args', 'no day'); return t.preview(args, context) },
  }))
  expect(did).toEqual([{name: 'call', due: '2026-03-04', key: 'r1-2-1'}])
})

test('nothing is planned again once something was done, so that nothing is done twice', async () => {
  const {tools, did} = world()
  const planner = plans('1. remind("x", "")\n2. look_up(5)\n3. join()', '1. remind("x", "")\n2. join()')
  expect((await run(planner, tools)).exitCode).toBe(4)
  expect([planner.inputs.length, did.length]).toEqual([1, 1])
})

test('nothing is planned again once a document was read', async () => {
  const {tools} = world()
  const planner = plans('1. read_mail("m")\n2. look_up(5)\n3. join()')
  await run(planner, tools)
  expect(planner.inputs).toHaveLength(1)
})

test('a plan that comes out the same is not tried a third time', async () => {
  const planner = plans('1. look_up(5)\n2. join()')
  await run(planner, world().tools)
  expect(planner.inputs).toHaveLength(2)
})

test('a plan that breaks off after a side effect says both', async () => {
  const {tools, did} = world()
  const planner: Planner = {
    name: 'breaks', close: async () => undefined,
    async *plan(input) {
      const first = replayPlanner(['1. remind("x", "")\n', '2. join()']).plan(input)
      for (let next = await first.next(); !next.done; next = await first.next()) yield next.value
      while (did.length === 0) await new Promise(setImmediate)
      throw new PlanError(2, 'nonsense')
    },
  }
  const {status, events, answer} = await run(planner, tools)
  expect(status).toBe('partly')
  expect(answer).toContain("Added 'x'")
  expect(events).toContainEqual({type: 'error', error: {code: 'plan', message: 'line 2: nonsense'}})
})

test('the standing instructions reach the planner, and a model that is missing is one clear error', async () => {
  const planner = plans('1. join()')
  await run(planner, world().tools, {instructions: 'always cc Sid'})
  expect(planner.inputs[0]!.instructions).toBe('always cc Sid')
  const {exitCode, events} = await run(planner, world().tools, {planner: () => Promise.reject(new ModelError('model.gguf is missing'))})
  expect(exitCode).toBe(1)
  expect(events).toContainEqual({type: 'error', error: {code: 'model', message: 'model.gguf is missing'}})
})

test('a look-up that repair dropped does not count when it fails', async () => {
  const {exitCode, events} = await run(plans('1. get_phone_number("Zed")\n2. remind("x", "")\n3. join()'),
    [...world().tools, {...world().tools[0]!, name: 'get_phone_number'}])
  expect(events.find(e => e.type === 'plan-done')?.dropped).toEqual([1])
  expect(exitCode).toBe(0)
})

test('a look-up written twice still serves the step that waits for the second', async () => {
  const {tools, did} = world()
  await run(plans('1. get_phone_number("Ana")\n2. get_phone_number("Ana")\n3. text(["$2"], "hi")\n4. text(["$1"], "ho")\n5. join()'),
    [...tools, {...tools[0]!, name: 'get_phone_number'}], {isAllowed: () => true})
  expect(did).toEqual([{to: ['+4420'], message: 'hi'}, {to: ['+4420'], message: 'ho'}])
})

test('cancelling while the plan is written ends the run as cancelled', async () => {
  const user = new AbortController()
  const planner: Planner = {
    name: 'slow', close: async () => undefined,
    async *plan({signal}) { user.abort(); signal.throwIfAborted(); return yield* replayPlanner(['1. join()']).plan({request: '', now, tools: [], signal}) },
  }
  expect(await run(planner, world().tools, {signal: user.signal})).toMatchObject({status: 'cancelled', exitCode: 130})
})

test('a dry run, too, plans again what was no plan, and does nothing', async () => {
  const {did, tools} = world()
  const planner = plans('1. remind("x"', '1. remind("call", "tomorrow 3pm")\n2. join()')
  const {exitCode, types} = await run(planner, tools, {dryRun: true})
  expect([exitCode, types.filter(t => t === 'replan').length, planner.inputs.length, did]).toEqual([0, 1, 2, []])
})

test('a dry run answers 0 and does nothing', async () => {
  const {tools, did} = world()
  const {exitCode, types} = await run(plans('1. look_up("Ana")\n2. text(["$1"], "hi")\n3. join()'), tools, {dryRun: true, confirm: async () => 'yes'})
  expect([exitCode, did, types.filter(t => t === 'preview').length]).toEqual([0, [], 2])
})
