// Reminders in Todoist: the contract, and what is given to a stand-in that checks it against the published API.
import {readdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import type {Tool} from '../../src/core/types.ts'
import {remindersTools, type RemindersBackend} from '../../src/tools/reminders/reminders.ts'
import {openTodoistReminders, todoistProjects} from '../../src/tools/reminders/todoist.ts'
import {startTodoist, todoistToken, type Fault} from '../servers/todoist.ts'
import {remindersContract} from './reminders-contract.ts'
import {contextFor, tempFolder, toolError} from './vdir-programs.ts'
import {inZone} from './zone.ts'

// A zone with summer time, so that a mistake with zones shows.
inZone('America/New_York')

let temp: Awaited<ReturnType<typeof tempFolder>>
let server: Awaited<ReturnType<typeof startTodoist>>
let backend: RemindersBackend
let create: Tool
const open = (usual = '', token = todoistToken): RemindersBackend => openTodoistReminders({origin: server.origin, usual, token: async () => token, dir: join(temp.path, 'todoist')})
beforeEach(async () => {
  temp = await tempFolder()
  server = await startTodoist()
  backend = open()
  create = remindersTools(backend)[0]!
})
afterEach(async () => {
  await server.close()
  await temp.remove()
  expect(server.problems).toEqual([])
})

const signal = new AbortController().signal
const call = {name: 'Call the dentist', due_date: '2026-03-04 15:00:00', notes: '', list_name: '', priority: 0, all_day: false}
const made = (): unknown[] => [...server.tasks.values()]
const posts = (): string[] => server.requests.filter(r => r.line === 'POST /api/v1/tasks').map(r => r.id ?? '')
const kept = async (): Promise<string[]> => readdir(join(temp.path, 'todoist')).catch(() => [])

remindersContract('Todoist', async () => ({backend, close: async () => undefined}))

test('a time goes as UTC with the account\'s own alarm, a day as a day, notes as the description', async () => {
  const result = await create.run({...call, notes: 'bring the card', priority: 1}, contextFor())
  expect(result).toMatchObject({summary: "Added the reminder 'Call the dentist' for Wed 4 Mar 2026, 15:00", where: 'https://app.todoist.com/app/task/t1'})
  await create.run({...call, name: 'Pay rent', due_date: '2026-04-01', all_day: true, list_name: 'my groceries list', priority: 5}, contextFor({key: 'b'}))
  expect(made()).toMatchObject([
    {content: 'Call the dentist', description: 'bring the card', project_id: 'p1', priority: 4, due: {date: '2026-03-04T20:00:00.000000Z'}},
    {content: 'Pay rent', description: '', project_id: 'p2', priority: 3, due: {date: '2026-04-01'}},
  ])
})

test.each([[0, 1], [9, 2], [5, 3], [1, 4]] as const)('the priority %i is Todoist\'s %i, there and back', async (priority, theirs) => {
  await create.run({...call, priority}, contextFor())
  expect(made()).toMatchObject([{priority: theirs}])
  expect((await backend.reminders())[0]?.priority).toBe(priority)
})

test('a floating time is local', async () => {
  await create.run(call, contextFor())
  server.tasks.get('t1')!.due!.date = '2026-03-04T15:00:00'
  expect((await backend.reminders())[0]?.due).toBe('2026-03-04 15:00:00')
})

test('a list is found whatever its case, a new one is announced and made once, and reminders.default gets what names none', async () => {
  expect((await create.preview({...call, list_name: 'GROCERIES'}, contextFor())).notice).toBeUndefined()
  expect((await create.preview({...call, list_name: 'the Packing list'}, contextFor())).notice).toBe('The list "Packing" is new: it will be made.')
  expect(server.requests.every(r => r.line.startsWith('GET'))).toBe(true)
  server.fail('POST /api/v1/projects', 'lost')
  await create.run({...call, list_name: 'the Packing list'}, contextFor({key: 'a'}))
  await create.run({...call, list_name: 'packing'}, contextFor({key: 'b'}))
  await remindersTools(open('Packing'))[0]!.run(call, contextFor({key: 'c'}))
  expect(server.projects.map(p => p.name)).toEqual(['Inbox', 'Groceries', 'Packing'])
  expect(made()).toMatchObject([{project_id: 'p3'}, {project_id: 'p3'}, {project_id: 'p3'}])
})

test('the task is written down before Todoist is asked, and asked for under an id that its key makes', async () => {
  server.fail('POST /api/v1/tasks', 'before')
  await toolError(create.run(call, contextFor()))
  const [file = ''] = await kept()
  expect(JSON.parse(await readFile(join(temp.path, 'todoist', file), 'utf8'))).toMatchObject({task: {content: 'Call the dentist', project_id: 'p1'}})
  await open().create({name: 'x', notes: '', list: '', priority: 0}, 'other', new Date())
  const ids = posts()
  expect(ids).toHaveLength(2)
  expect(new Set(ids).size).toBe(2)
})

test.each<Fault>(['lost', 'gateway'])('after an answer that is %s Todoist is asked, and the task made once', async how => {
  server.fail('POST /api/v1/tasks', how)
  const {undo} = await create.run({...call, list_name: 'Groceries', notes: 'x'}, contextFor())
  expect([posts().length, made().length]).toEqual([1, 1])
  expect(await create.undo?.(undo!, contextFor())).toBe('Took the reminder off its list')
})

test.each<Fault>(['before', 500])('a request that may have arrived (%s) and is in no list is unknown, and is not made again', async how => {
  server.fail('POST /api/v1/tasks', how)
  const error = await toolError(create.run(call, contextFor()))
  expect([error.code, error.message]).toEqual(['unknown', 'Todoist\'s answer was lost; it is not known whether the task was made. Look at Todoist before you make it again.'])
  expect((await toolError(create.run(call, contextFor()))).code).toBe('refused')
  expect([posts().length, made().length]).toEqual([1, 0])
})

test.each([
  [401, 'unavailable', 'Todoist does not take the token. Copy it from Settings, Integrations, Developer; `tinyagent setup todoist` asks for it.'],
  [403, 'refused', 'Todoist does not allow it (403: Failed with 403). Nothing was changed.'],
  [429, 'failed', 'Todoist takes no more requests for now. Nothing was changed. Try again in 17 seconds.'],
  [400, 'failed', 'Todoist refused it (400: Failed with 400). Nothing was changed.'],
] as const)('HTTP %i made nothing, says why, and it may be tried again', async (status, code, said) => {
  server.fail('POST /api/v1/tasks', status)
  const error = await toolError(create.run(call, contextFor()))
  expect([error.code, error.message]).toEqual([code, said])
  expect(await kept()).toEqual([])
  await create.run(call, contextFor())
  expect(made()).toHaveLength(1)
})

test('a task on whose way the program was killed is looked for', async () => {
  const cutOff = {key: 'k', at: new Date(), signal}
  expect(await create.settle?.(call, cutOff)).toMatchObject({state: 'failed'}) // Todoist was never asked
  await create.run(call, contextFor({key: 'k'}))
  const settled = await create.settle?.(call, cutOff)
  expect(settled).toMatchObject({state: 'done', summary: "Added the reminder 'Call the dentist' for Wed 4 Mar 2026, 15:00"})
  server.tasks.get('t1')!.checked = true
  expect(await create.settle?.(call, cutOff)).toEqual({state: 'unknown', summary: 'the reminder \'Call the dentist\'. Todoist lists no such task, which proves nothing: it may be done already. Look there before you make it again.'})
  server.tasks.get('t1')!.checked = false
  server.tasks.get('t1')!.added_at = '2020-01-01T00:00:00Z' // one of that text from before
  expect((await toolError(backend.made('k', signal))).code).toBe('unknown')
})

test.each(['', '{"task": {"con', '\0\0\0', '[]'])('a record that is damaged (%j) is not taken for a task that was never made', async text => {
  await create.run(call, contextFor({key: 'k'}))
  await writeFile(join(temp.path, 'todoist', (await kept())[0]!), text)
  expect(await create.settle?.(call, {key: 'k', at: new Date(), signal})).toMatchObject({state: 'unknown', summary: expect.stringContaining('is damaged')})
  expect((await toolError(create.run(call, contextFor({key: 'k'})))).code).toBe('refused')
  expect(made()).toHaveLength(1)
})

test.each(['content', 'description'] as const)('undo leaves a task whose %s was changed, or that is done', async field => {
  const {undo} = await create.run(call, contextFor())
  const task = server.tasks.get('t1')!
  task[field] = 'changed'
  expect((await toolError(create.undo!(undo!, contextFor()))).message).toContain('has changed since')
  task.checked = true
  expect((await toolError(create.undo!(undo!, contextFor()))).message).toContain('gone, or done already')
  expect((await toolError(create.undo!({id: '../projects/p1', hash: ''}, contextFor()))).code).toBe('refused')
  expect(server.requests.some(r => r.line.startsWith('DELETE'))).toBe(false)
})

test.each([['lost', 0], ['before', 1]] as const)('an undo whose answer is cut off (%s) is looked up', async (how, left) => {
  const {undo} = await create.run(call, contextFor())
  server.fail('DELETE', how)
  const outcome = create.undo!(undo!, contextFor())
  if (left === 0) expect(await outcome).toBe('Took the reminder off its list')
  else expect((await toolError(outcome)).message).toContain('the task is still there. Try again.')
  expect(made()).toHaveLength(left)
})

test('what is too long for Todoist is refused before anything is asked for', async () => {
  expect((await toolError(create.run({...call, name: 'x'.repeat(501)}, contextFor()))).code).toBe('invalid-args')
  expect((await toolError(create.run({...call, notes: 'x'.repeat(16_384)}, contextFor()))).code).toBe('invalid-args')
  expect(posts()).toEqual([])
})

test('a wrong token and an address where nobody answers are said in one line, without the token', async () => {
  const error = await toolError(open('', 'wrong-canary').list(''))
  expect([error.code, error.message]).toEqual(['unavailable', expect.stringContaining('does not take the token')])
  expect(error.message).not.toContain('canary')
  await server.close()
  expect((await toolError(todoistProjects({origin: server.origin, token: async () => todoistToken}, signal))).message).toMatch(/^127\.0\.0\.1:\d+ cannot be reached: nothing answers at that address\. Nothing was changed\.$/)
})
