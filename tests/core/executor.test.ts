import fc from 'fast-check'
import {expect, test} from 'vitest'
import {z} from 'zod'
import {ToolError} from '../../src/core/errors.ts'
import type {Carry, EarlierCall} from '../../src/core/carry-over.ts'
import {execute, type ExecutorDeps} from '../../src/core/executor.ts'
import {arg} from '../../src/core/params.ts'
import {parsePlan, PlanParser} from '../../src/core/plan-parser.ts'
import {tool, type Confirm, type Event, type Json, type Result, type Task, type Tool} from '../../src/core/types.ts'
import {checkEvents} from '../check-events.ts'

const now = new Date('2026-03-03T09:15:00')
type Work = (value: string, signal: AbortSignal, ask: () => Promise<string | undefined>) => Promise<string>

const echo: Work = async value => `<${value}>`
const result = (value: string): Result => ({value, summary: `Did ${value}`})

const readTool = (name: string, work: Work = echo, extra: Partial<Tool> = {}): Tool => ({...tool({
  name, description: 'Look something up.', args: z.object({text: arg.text()}), effect: 'read', returns: 'any',
  preview: async () => ({effect: 'read', title: name, fields: []}),
  run: async ({text}, {signal, ask}) => result(await work(text, signal, async () => (await ask({type: 'input', title: 'Which?'}))?.value)),
}), ...extra})

const send = (sent: Json[], name = 'send'): Tool => tool({
  name, description: 'Send a message.', args: z.object({to: z.array(arg.address()), text: arg.text()}), effect: 'outward', returns: 'none',
  preview: async ({to, text}) => ({effect: 'outward', title: 'Message', fields: [{label: 'To', value: to, arg: 'to'}], body: {text, arg: 'text'}}),
  run: async ({to, text}) => { sent.push({to, text}); return result(`sent ${text}`) },
})

const note = (work: Work = echo, effect: 'read' | 'local' = 'local', name = 'note'): Tool => tool({
  name, description: 'Write a note.', args: z.object({name: arg.title(), text: arg.text()}), effect, returns: 'text',
  touches: ({name}) => [{thing: `note:${name}`, writes: effect === 'local'}],
  preview: async ({name}) => ({effect, title: name, fields: []}),
  run: async ({text}, {signal}) => result(await work(text, signal, async () => undefined)),
})

async function* stream(tasks: Task[]): AsyncGenerator<Task> { yield* tasks }

/** Runs plan text (or a task stream) and checks its events. */
async function run(plan: string | AsyncIterable<Task>, tools: Tool[], more: Partial<ExecutorDeps> = {}) {
  const events: Event[] = []
  async function* announced(): AsyncGenerator<Task> {
    for await (const task of typeof plan === 'string' ? stream(parsePlan(plan).tasks) : plan) {
      events.push({type: 'task-added', task, effect: tools.find(t => t.name === task.tool)?.effect ?? 'outward', attempt: 0})
      yield task
    }
    events.push({type: 'plan-done', plan: '', timings: {retrieveMs: 0, promptTokens: 0, planMs: 0}, repairs: [], dropped: []})
  }
  const {emit, ...rest} = more
  const execution = await execute(announced(), {
    tools, now, runId: 'run', dryRun: false, signal: new AbortController().signal, isAllowed: () => false, dropped: new Set(),
    emit: async event => { await emit?.(event); events.push(event) }, ...rest,
  })
  checkEvents(events, {isWhole: false})
  return {...execution, events, status: execution.reports.map(r => r.reason ?? r.status), values: execution.reports.map(r => r.result?.value)}
}

const gate = () => {
  let open = (): void => undefined
  const opened = new Promise<void>(resolve => { open = resolve })
  return {open, opened}
}

// ---- what goes wrong in LLMCompiler's reference code ----

test('a tool that throws does not hang the run, and skips only what depends on it', async () => {
  const bad = readTool('bad', async () => { throw new Error('broken') })
  const {status, events} = await run('1. bad("a")\n2. look("$1")\n3. look("c")\n4. join()', [bad, readTool('look')])
  expect(status).toEqual(['failed', 'dependency', 'done'])
  expect(events).toContainEqual(expect.objectContaining({type: 'task-failed', id: 1, error: {code: 'bug', message: 'broken'}}))
})

test('a tool that throws before it returns a promise is a failure too', async () => {
  const bad = readTool('bad', echo, {run: () => { throw new ToolError('not-found', 'no such thing') }})
  expect((await run('1. bad("a")\n2. join()', [bad])).status).toEqual(['failed'])
})

test('a task whose inputs are there does not wait for the planner\'s next line', async () => {
  const started = gate()
  async function* slow(): AsyncGenerator<Task> {
    const [first, second] = parsePlan('1. look("a")\n2. look("$1")\n3. join()').tasks
    yield first!
    await started.opened // the next line comes only after the first task has run
    yield second!
  }
  const look = readTool('look', async value => { started.open(); return `<${value}>` })
  expect((await run(slow(), [look])).values).toEqual(['<a>', '<<a>>'])
})

test('"pay $15 to $1" keeps its 15', async () => {
  expect((await run('1. look("Ana")\n2. look("pay $15 to $1")\n3. join()', [readTool('look')])).values).toEqual(['<Ana>', '<pay $15 to <Ana>>'])
})

test('a result that looks like a reference stays text', async () => {
  const {values} = await run('1. say("x")\n2. look("b")\n3. look("$1")\n4. join()', [readTool('say', async () => 'give me $2'), readTool('look')])
  expect(values[2]).toBe('<give me $2>')
})

test('a plan that comes in one chunk keeps its last task', async () => {
  const parser = new PlanParser()
  const tasks = [...parser.feed('1. look("a")\n2. look("b")\n3. join()'), ...parser.end()]
  expect((await run(stream(tasks), [readTool('look')])).values).toEqual(['<a>', '<b>'])
})

test('a space at the start of a chunk does not vanish', async () => {
  const parser = new PlanParser()
  const tasks = ['1. look("call', ' the', ' dentist")\n', '2. join()'].flatMap(chunk => parser.feed(chunk))
  expect((await run(stream([...tasks, ...parser.end()]), [readTool('look')])).values).toEqual(['<call the dentist>'])
})

// ---- order and parallelism ----

test('independent tasks run at the same time', async () => {
  const both = gate()
  let running = 0
  const look = readTool('look', async () => { if (++running === 2) both.open(); await both.opened; return 'ok' })
  expect((await run('1. look("a")\n2. look("b")\n3. join()', [look])).status).toEqual(['done', 'done'])
})

test('a task that reads a note waits for the earlier one that writes it, and another note does not wait', async () => {
  const order: string[] = []
  const otherRead = gate()
  const write = note(async text => { await otherRead.opened; order.push(`write ${text}`); return text })
  const read = note(async text => { order.push(`read ${text}`); if (text === 'other') otherRead.open(); return text }, 'read', 'open')
  await run('1. note("Shopping", "milk")\n2. open("Shopping", "same")\n3. open("Work", "other")\n4. join()', [write, read])
  expect(order).toEqual(['read other', 'write milk', 'read same'])
})

test('two reads of one note do not wait for each other', async () => {
  const both = gate()
  let running = 0
  const read = note(async () => { if (++running === 2) both.open(); await both.opened; return 'ok' }, 'read', 'open')
  expect((await run('1. open("A", "")\n2. open("A", "")\n3. join()', [read])).status).toEqual(['done', 'done'])
})

test('a failed writer does not skip the later reader of the same note', async () => {
  const write = note(async () => { throw new ToolError('failed', 'no') })
  expect((await run('1. note("A", "x")\n2. open("A", "y")\n3. join()', [write, note(echo, 'read', 'open')])).status).toEqual(['failed', 'done'])
})

/** Tasks of which each takes results of some earlier ones. */
const graph = fc.array(fc.record({fails: fc.boolean(), inputs: fc.array(fc.nat(20), {maxLength: 3}), tool: fc.constantFrom('look', 'send')}), {minLength: 1, maxLength: 9})
  .map(nodes => nodes.map(({inputs, tool, fails}, i) => {
    const dependsOn = [...new Set(i === 0 ? [] : inputs.map(n => n % i + 1))].sort((a, b) => a - b)
    const text = {template: [`t${i + 1} `, ...dependsOn.map(ref => ({ref}))]}
    const task: Task = {id: i + 1, tool, args: tool === 'send' ? [['a@example.org'], text] : [text], dependsOn}
    return {task, fails}
  }))
const idOf = (text: string): number => Number(/^t(\d+)/.exec(text)![1])

test('random plans end as their graph says, whatever fails and in whatever order lines come and tasks end', async () => {
  await fc.assert(fc.asyncProperty(graph, fc.scheduler(), async (nodes, scheduler) => {
    const work = async (text: string): Promise<string> => {
      await scheduler.schedule(Promise.resolve(), `task ${idOf(text)}`)
      if (nodes[idOf(text) - 1]!.fails) throw new ToolError('failed', 'as drawn')
      return 'ok'
    }
    async function* lines(): AsyncGenerator<Task> {
      for (const {task} of nodes) yield await scheduler.schedule(Promise.resolve(task), `line ${task.id}`)
    }
    const tools = [readTool('look', work), {...send([]), run: async (a: Record<string, unknown>) => result(await work(String(a.text)))}]
    const {reports} = await scheduler.waitFor(run(lines(), tools, {confirm: async () => 'yes'}))
    const isDone = new Map<number, boolean>()
    for (const {task, fails} of nodes) {
      const isSkipped = task.dependsOn.some(id => !isDone.get(id))
      isDone.set(task.id, !isSkipped && !fails)
      expect(reports[task.id - 1]!.status).toBe(isSkipped ? 'skipped' : fails ? 'failed' : 'done')
    }
  }), {numRuns: 100})
})

test('random plans run as parallel as their graph allows: all tasks of one depth are under way together', async () => {
  await fc.assert(fc.asyncProperty(graph, async nodes => {
    const depth = new Map<number, number>()
    for (const {task} of nodes) depth.set(task.id, 1 + Math.max(0, ...task.dependsOn.map(id => depth.get(id)!)))
    const levels = new Map([...depth.values()].map(d => [d, {...gate(), left: [...depth.values()].filter(x => x === d).length}]))
    const look = readTool('look', async text => {
      const level = levels.get(depth.get(idOf(text))!)!
      if (--level.left === 0) level.open()
      await level.opened // never opens if one of them waits for something that it does not need
      return 'ok'
    })
    const tasks = nodes.map(({task}): Task => ({...task, tool: 'look', args: [task.args.at(-1)!]}))
    const {reports} = await run(stream(tasks), [look])
    expect(reports.every(r => r.status === 'done')).toBe(true)
  }), {numRuns: 100})
})

// ---- outward steps and questions ----

const mail = '1. look("a")\n2. send(["ana@example.org"], "hello")\n3. join()'

test('an outward step waits until the whole plan is written; reads do not', async () => {
  const asked = {value: false}
  const looked = gate()
  async function* slow(): AsyncGenerator<Task> {
    const [first, second, third] = parsePlan('1. send(["ana@example.org"], "hello")\n2. look("b")\n3. look("c")\n4. join()').tasks
    yield first!
    yield second!
    await looked.opened
    expect(asked.value).toBe(false)
    yield third!
  }
  const {events} = await run(slow(), [send([]), readTool('look', async v => { looked.open(); return v })], {confirm: async () => { asked.value = true; return 'yes' }})
  const types = events.map(e => e.type)
  expect(types.indexOf('confirm-asked')).toBeGreaterThan(types.indexOf('plan-done'))
})

test('a question of a look-up waits until the whole plan is written', async () => {
  const reached = gate()
  async function* slow(): AsyncGenerator<Task> {
    const [first, second] = parsePlan('1. look("Ana")\n2. say("b")\n3. join()').tasks
    yield first!
    await reached.opened
    yield second!
  }
  const look = readTool('look', async (_, __, ask) => { reached.open(); return await ask() ?? 'nobody' })
  const {values, events} = await run(slow(), [look, readTool('say')], {ask: async () => ({value: 'Ana Silva'})})
  expect(values[0]).toBe('Ana Silva')
  const types = events.map(e => e.type)
  expect(types.indexOf('question-asked')).toBeGreaterThan(types.indexOf('plan-done'))
})

test('only one dialog is open at a time', async () => {
  let open = 0
  const confirm: Confirm = async () => {
    expect(++open).toBe(1)
    await Promise.resolve()
    open--
    return 'yes'
  }
  const sent: Json[] = []
  await run('1. send(["a@b.org"], "1")\n2. send(["a@b.org"], "2")\n3. send(["a@b.org"], "3")\n4. join()', [send(sent)], {confirm})
  expect(sent).toHaveLength(3)
})

test('skip leaves out that step only, and what depends on it', async () => {
  const sent: Json[] = []
  const answers = ['skip', 'yes'] as const
  let n = 0
  const {status, isStopped} = await run('1. send(["a@b.org"], "1")\n2. send(["a@b.org"], "2")\n3. join()', [send(sent)], {confirm: async () => answers[n++]!})
  expect(status).toEqual(['user', 'done'])
  expect(sent).toEqual([{to: ['a@b.org'], text: '2'}])
  expect(isStopped).toBe(false)
})

test('stop leaves out everything that has not begun', async () => {
  const sent: Json[] = []
  const {status, isStopped} = await run('1. send(["a@b.org"], "1")\n2. send(["a@b.org"], "2")\n3. join()', [send(sent)], {confirm: async () => 'stop'})
  expect(status).toEqual(['user', 'cancelled'])
  expect(sent).toEqual([])
  expect(isStopped).toBe(true)
})

test('an edited step is shown again with what was changed, then done as shown', async () => {
  const sent: Json[] = []
  const cards: Json[] = []
  const {events} = await run(mail, [readTool('look'), send(sent)], {confirm: async preview => {
    cards.push([preview.body!.text, preview.sources!.text!])
    return cards.length === 1 ? {edit: {text: 'good day'}} : 'yes'
  }})
  expect(cards).toEqual([['hello', 'user'], ['good day', 'user']])
  expect(sent).toEqual([{to: ['ana@example.org'], text: 'good day'}])
  expect(events.filter(e => e.type === 'confirm-answered').map(e => e.answer)).toEqual(['edit', 'yes'])
})

test('an edit that does not fit is refused in the next card and changes nothing', async () => {
  const sent: Json[] = []
  const notices: (string | undefined)[] = []
  await run(mail, [readTool('look'), send(sent)], {confirm: async preview => {
    notices.push(preview.notice)
    return notices.length === 1 ? {edit: {text: null}} : 'yes'
  }})
  expect(notices).toEqual([undefined, expect.stringContaining('Not changed')])
  expect(sent).toEqual([{to: ['ana@example.org'], text: 'hello'}])
})

test('an edit that the tool itself refuses is refused in the next card too, and the step goes on', async () => {
  const sent: Json[] = []
  const strict = send(sent)
  const picky: Tool = {...strict, preview: async (args, context) => {
    const {to} = args as {to: string[]} // what the schema of `send` holds
    if (to.length === 0) throw new ToolError('invalid-args', 'nobody gets it')
    return {...await strict.preview(args, context), notice: 'It waits in the outbox.'}
  }}
  const cards: Json[] = []
  const {status} = await run(mail, [readTool('look'), picky], {confirm: async preview => {
    cards.push([preview.fields[0]!.value, preview.sources!.to!, preview.notice ?? ''])
    return cards.length === 1 ? {edit: {to: []}} : 'yes'
  }})
  expect(cards).toEqual([[['ana@example.org'], 'user', 'It waits in the outbox.'], [['ana@example.org'], 'user', 'Not changed: nobody gets it It waits in the outbox.']])
  expect(status).toEqual(['done', 'done'])
  expect(sent).toEqual([{to: ['ana@example.org'], text: 'hello'}])
})

test('a step that was edited does not go without a word: not by a policy, and not because it is local now', async () => {
  const sent: Json[] = []
  const cards: string[] = []
  const pdf = readTool('pdf', echo, {source: 'document'})
  const {events} = await run('1. pdf("x")\n2. send(["a@b.org"], "$1")\n3. join()', [pdf, send(sent)], {
    isAllowed: (_tool, preview) => !Object.values(preview.sources!).includes('document'),
    confirm: async preview => { cards.push(preview.body!.text); return cards.length === 1 ? {edit: {text: 'mine'}} : 'skip' },
  })
  expect(cards).toEqual(['<x>', 'mine'])
  expect(events.filter(e => e.type === 'confirm-answered').map(e => e.by)).toEqual(['user', 'user'])
  const both: Tool = {...send(sent), preview: async ({to}) => ({effect: (to as string[]).length > 0 ? 'outward' : 'local', title: 'Event', fields: []})}
  const effects: string[] = []
  await run(mail, [readTool('look'), both], {confirm: async preview => { effects.push(preview.effect); return effects.length === 1 ? {edit: {to: []}} : 'skip' }})
  expect(effects).toEqual(['outward', 'local'])
  expect(sent).toEqual([])
})

test('without a person an outward step is not done; a policy can say yes', async () => {
  const sent: Json[] = []
  expect((await run(mail, [readTool('look'), send(sent)])).status).toEqual(['done', 'nobody'])
  expect(sent).toEqual([])
  const {events, status} = await run(mail, [readTool('look'), send(sent)], {isAllowed: () => true})
  expect(status).toEqual(['done', 'done'])
  expect(events).toContainEqual({type: 'confirm-answered', id: 2, answer: 'yes', by: 'policy'})
})

test('a call that would do more than its tool declares is refused', async () => {
  const sly = {...note(), preview: async () => ({effect: 'outward' as const, title: 'x', fields: []})}
  const {status, events} = await run('1. note("A", "x")\n2. join()', [sly], {confirm: async () => 'yes'})
  expect(status).toEqual(['failed'])
  expect(events.some(e => e.type === 'task-started')).toBe(false)
})

test('a plan that breaks off asks nobody, and what runs is stopped and awaited', async () => {
  let stopped = false
  async function* broken(): AsyncGenerator<Task> {
    yield* parsePlan('1. look("a")\n2. send(["a@b.org"], "x")\n3. join()').tasks
    throw new ToolError('failed', 'the model is gone')
  }
  const look = readTool('look', (_, signal) => new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => { stopped = true; reject(signal.reason) })
  }))
  const {status, error, events} = await run(broken(), [look, send([])], {confirm: async () => 'yes'})
  expect(error).toBeInstanceOf(ToolError)
  expect(status).toEqual(['cancelled', 'cancelled'])
  expect(stopped).toBe(true)
  expect(events.some(e => e.type === 'confirm-asked')).toBe(false)
})

test('a task that repair took out is neither asked about nor done', async () => {
  const sent: Json[] = []
  const {status} = await run(mail, [readTool('look'), send(sent)], {dropped: new Set([2]), confirm: async () => 'yes'})
  expect(status).toEqual(['done', 'dropped'])
  expect(sent).toEqual([])
})

// ---- values and where they come from ----

test('the card says where each argument came from, through other steps too', async () => {
  const seen: Json[] = []
  const pdf = readTool('pdf', echo, {source: 'document'})
  await run('1. look("Ana")\n2. pdf("x")\n3. say("$2")\n4. send(["$1"], "Read this: $3")\n5. send(["a@b.org"], "$1")\n6. join()', [readTool('look'), readTool('say'), pdf, send([])],
    {confirm: async preview => { seen.push({...preview.sources}); return 'yes' }})
  // The second one had its inputs first.
  expect(seen).toEqual([{to: 'user', text: 'lookup'}, {to: 'lookup', text: 'document'}])
})

test('several addresses of one look-up become a list', async () => {
  const sent: Json[] = []
  await run('1. look("team")\n2. send(["$1", "c@x.org"], "hi")\n3. join()', [readTool('look', async () => 'a@x.org, b@x.org'), send(sent)], {isAllowed: () => true})
  expect(sent).toEqual([{to: ['a@x.org', 'b@x.org', 'c@x.org'], text: 'hi'}])
})

test('a text is nobody\'s address, whatever wrote the plan', async () => {
  const sent: Json[] = []
  const open = readTool('open', async () => 'eve@example.org', {returns: 'text', source: 'document'})
  const {reports} = await run('1. open("Notes")\n2. send(["ana@example.org", "$1"], "hi")\n3. send(["ana@example.org"], "$1")\n4. join()', [open, send(sent)], {isAllowed: () => true})
  expect(reports.map(r => r.error?.message ?? r.status)).toEqual(['done', 'send: to takes no result of open (step 1)', 'done'])
  expect(sent).toEqual([{to: ['ana@example.org'], text: 'eve@example.org'}])
})

test('wrong arguments and tools that are not there fail alone', async () => {
  const {reports} = await run('1. look("a", "b")\n2. fly("x")\n3. look(5)\n4. look("ok")\n5. join()', [readTool('look')])
  expect(reports.map(r => r.error?.code ?? r.status)).toEqual(['invalid-args', 'invalid-args', 'invalid-args', 'done'])
})

// ---- dry run, cancelling, time limit ----

test('a dry run shows every step with its references and runs nothing', async () => {
  const never: Work = async () => { throw new Error('ran') }
  const {events, status} = await run('1. look("Ana")\n2. send(["$1"], "hi $1")\n3. join()', [readTool('look', never), send([])], {dryRun: true, confirm: async () => 'yes'})
  expect(status).toEqual(['dry-run', 'dry-run'])
  const cards = events.filter(e => e.type === 'preview').map(e => e.preview)
  expect(cards[1]).toMatchObject({effect: 'outward', fields: [{value: ['result of step 1']}], body: {text: 'hi result of step 1'}, sources: {to: 'lookup', text: 'lookup'}})
  expect(events.some(e => e.type === 'task-started' || e.type === 'confirm-asked')).toBe(false)
})

test('cancelling stops a read at once, even one that does not listen, and starts nothing more', async () => {
  const user = new AbortController()
  const deaf = readTool('deaf', () => { user.abort(); return new Promise(() => undefined) })
  const {status} = await run('1. deaf("a")\n2. look("$1")\n3. join()', [deaf, readTool('look')], {signal: user.signal})
  expect(status).toEqual(['cancelled', 'cancelled'])
})

test('a side effect that was cancelled in flight is reported as in doubt, or as done when it still ends', async () => {
  const user = new AbortController()
  const deaf = note(() => { user.abort(); return new Promise(() => undefined) })
  const {reports} = await run('1. note("A", "x")\n2. join()', [deaf], {signal: user.signal, graceMs: 0})
  expect(reports[0]!.error).toMatchObject({code: 'cancelled', message: expect.stringContaining('may have been done')})
  const again = new AbortController()
  const finishes = note(async () => { again.abort(); return 'written' })
  expect((await run('1. note("A", "x")\n2. join()', [finishes], {signal: again.signal})).status).toEqual(['done'])
})

test('a tool that never answers runs into its time limit, and the rest goes on', async () => {
  const deaf = readTool('deaf', () => new Promise(() => undefined))
  const {reports} = await run('1. deaf("a")\n2. look("b")\n3. join()', [deaf, readTool('look')], {limitMs: 1})
  expect(reports.map(r => r.error?.code ?? r.status)).toEqual(['timeout', 'done'])
})

test('the time of a preview and of a question is not the time of the run', async () => {
  const slowly = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
  const slow: Tool = {...send([]), preview: async () => { await slowly(150); return {effect: 'outward', title: 'x', fields: []} }, run: async () => { await slowly(150); return result('sent') }}
  const {status} = await run('1. send(["a@b.org"], "x")\n2. join()', [slow], {limitMs: 250, confirm: async () => { await slowly(300); return 'yes' }})
  expect(status).toEqual(['done'])
})

test('a skipped step may be kept: it is said, and in the journal before and after; one that was stopped only when it was edited', async () => {
  const kept: Json[] = []
  const keeping: Tool = {...send([]), keep: (args, {aside}) => aside({draft: String(args.text)}, async () => { kept.push(String(args.text)); return result('kept') })}
  const {status, events, reports} = await run('1. send(["a@b.org"], "x")\n2. join()', [keeping], {confirm: async () => 'skip'})
  expect([status, kept, reports[0]!.kept]).toEqual([['user'], ['x'], 'Did kept'])
  expect(events.flatMap(e => e.type.startsWith('aside') || e.type === 'task-skipped' ? [e] : [])).toEqual([
    {type: 'aside-started', id: 1, tool: 'send', args: {draft: 'x'}, key: 'run-1a'}, {type: 'aside-done', key: 'run-1a', result: result('kept')},
    {type: 'task-skipped', id: 1, reason: 'user', kept: 'Did kept'},
  ])
  await run('1. send(["a@b.org"], "x")\n2. join()', [keeping], {confirm: async () => 'stop'})
  expect(kept).toEqual(['x'])
  const answers = [{edit: {text: 'mine'}}, 'stop'] as const
  let n = 0
  await run('1. send(["a@b.org"], "x")\n2. join()', [keeping], {confirm: async () => answers[n++]!})
  expect(kept).toEqual(['x', 'mine'])
})

test('what cannot be kept is said, and the step is skipped all the same', async () => {
  const full: Tool = {...send([]), keep: (_args, {aside}) => aside({}, async () => { throw new ToolError('failed', 'the disk is full') })}
  const {status, reports, events} = await run('1. send(["a@b.org"], "x")\n2. join()', [full], {confirm: async () => 'skip'})
  expect([status, reports[0]!.kept]).toEqual([['user'], 'not kept: the disk is full'])
  expect(events).toContainEqual({type: 'aside-failed', key: 'run-1a', error: {code: 'failed', message: 'the disk is full'}})
})

test('a side effect does not begin when its line cannot be written to the journal', async () => {
  const wrote: string[] = []
  const {status} = await run('1. note("A", "x")\n2. join()', [note(async text => { wrote.push(text); return text })], {
    emit: event => { if (event.type === 'task-started') throw new ToolError('unavailable', 'the disk is full') },
  })
  expect(status).toEqual(['failed'])
  expect(wrote).toEqual([])
})

// ---- a follow-up: what the last request did ----

/** A call of the last request. */
const earlier = (plan: string, more: Partial<EarlierCall> = {}): EarlierCall => {
  const [task] = parsePlan(`${plan}\n2. join()`).tasks
  return {task: task!, keys: {words: '', resolved: '', args: []}, effect: 'local', key: 'old-1', result: {value: 'old value', summary: 'Did the old one.', undo: 'u'}, ...more}
}
const carried = (id: number, carry: Carry): ReadonlyMap<number, Carry> => new Map([[id, carry]])

test('what was done is not done again, and its result is used', async () => {
  const sent: Json[] = []
  const looked: string[] = []
  const {reports, events} = await run('1. look("a")\n2. send(["me@x.org"], "$1")\n3. join()', [readTool('look', async v => { looked.push(v); return v }), send(sent)], {
    carries: carried(1, {done: earlier('1. look("a")', {effect: 'read'})}), confirm: async () => 'yes',
  })
  expect(looked).toEqual([])
  expect(sent).toEqual([{to: ['me@x.org'], text: 'old value'}])
  expect(reports[0]).toMatchObject({status: 'done', isEarlier: true, touchedWorld: false})
  expect(events).toContainEqual(expect.objectContaining({type: 'task-done', id: 1, isEarlier: true}))
})

test('a change on this machine is made first, and then the old one is taken back', async () => {
  const did: string[] = []
  const takeBack = async (key: string): Promise<string> => { did.push(key); return 'Took it back' }
  const carries = carried(1, {insteadOf: earlier('1. note("a", "old")')})
  const {reports} = await run('1. note("b", "new")\n2. join()', [note(async v => { did.push(v); return v })], {carries, takeBack})
  expect(did).toEqual(['new', 'old-1'])
  expect(reports[0]).toMatchObject({status: 'done', tookBack: 'Took it back'})

  did.length = 0
  const failed = await run('1. note("b", "new")\n2. join()', [note(async () => { throw new ToolError('unavailable', 'the disk is full') })], {carries, takeBack})
  expect(failed.status).toEqual(['failed'])
  expect(did).toEqual([]) // nothing is lost

  const kept = await run('1. note("b", "new")\n2. join()', [note()], {carries, takeBack: async () => { throw new ToolError('refused', 'It has changed since') }})
  expect(kept.reports[0]).toMatchObject({status: 'done', tookBack: 'Did the old one stays as well: It has changed since'})
})

test('where both are the same thing, the old one is taken back first; if that is refused, nothing is done', async () => {
  const did: string[] = []
  const carries = carried(1, {insteadOf: earlier('1. note("a", "old")')})
  const tool = note(async v => { did.push(v); return v })
  await run('1. note("a", "new")\n2. join()', [tool], {carries, takeBack: async key => { did.push(key); return 'Took it back' }})
  expect(did).toEqual(['old-1', 'new'])
  did.length = 0
  const refused = await run('1. note("a", "new")\n2. join()', [tool], {carries, takeBack: async () => { throw new ToolError('refused', 'It has changed since') }})
  expect(refused.status).toEqual(['failed'])
  expect(did).toEqual([])
})

test('beside a message that is gone a person is asked, whatever the policy says, and told of it', async () => {
  const sent: Json[] = []
  const cards: (string | undefined)[] = []
  const old = earlier('1. send(["me@x.org"], "at 3")', {effect: 'outward'})
  await run('1. send(["me@x.org"], "at 4")\n2. join()', [send(sent)], {
    carries: carried(1, {insteadOf: old}), isAllowed: () => true, confirm: async preview => { cards.push(preview.notice); return 'skip' },
  })
  expect(cards).toEqual(['Did the old one: that cannot be taken back, and stays beside this one.'])
  expect(sent).toEqual([])
})

test('what may have been done already is asked about, also on this machine', async () => {
  const {result: _result, ...doubtful} = earlier('1. note("a", "old")')
  const {status, events} = await run('1. note("a", "old")\n2. join()', [note()], {carries: carried(1, {insteadOf: doubtful}), isAllowed: () => true})
  expect(status).toEqual(['nobody'])
  expect(events).toContainEqual(expect.objectContaining({type: 'confirm-asked', preview: expect.objectContaining({notice: expect.stringContaining('may have been done')})}))
})

test('a dry run shows the change and makes none', async () => {
  const {events} = await run('1. note("b", "new")\n2. join()', [note()], {dryRun: true, carries: carried(1, {insteadOf: earlier('1. note("a", "old")')}), takeBack: async () => { throw new Error('not in a dry run') }})
  expect(events).toContainEqual(expect.objectContaining({type: 'preview', preview: expect.objectContaining({notice: 'A change: Did the old one is taken back for it.'})}))
})
