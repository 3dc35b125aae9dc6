import {mkdir, readFile, readdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import ICAL from 'ical.js'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {Json, Tool} from '../../src/core/types.ts'
import {plainLine, plainText} from '../../src/tools/calendar/ical.ts'
import {remindersTools, type RemindersBackend} from '../../src/tools/reminders/reminders.ts'
import {openVdirReminders} from '../../src/tools/reminders/vdir-reminders.ts'
import {remindersContract} from './reminders-contract.ts'
import {contextFor, hostileTexts, program, runProgram, tempFolder, toolError} from './vdir-programs.ts'
import {inZone} from './zone.ts'

const timeZone = 'America/New_York'
inZone(timeZone)

let temp: Awaited<ReturnType<typeof tempFolder>>
let warnings: string[]
let dir: string
let backend: RemindersBackend
let create: Tool
beforeEach(async () => {
  temp = await tempFolder()
  dir = join(temp.path, 'lists')
  warnings = []
  backend = openVdirReminders(dir, message => warnings.push(message))
  create = remindersTools(backend)[0] ?? expect.fail('no tool')
})
afterEach(() => temp.remove())

const call = {name: 'Call the dentist', due_date: '2026-03-04 15:00:00', notes: '', list_name: '', priority: 0, all_day: false}
const files = async (): Promise<string[]> => {
  const names = await readdir(dir, {recursive: true}).catch(() => [])
  return names.filter(name => name.endsWith('.ics'))
}
const todoIn = async (where: string | undefined): Promise<ICAL.Component> => {
  const calendar = new ICAL.Component(ICAL.parse(await readFile(where ?? '', 'utf8')) as unknown[])
  expect(calendar.getAllSubcomponents()).toHaveLength(1)
  return calendar.getFirstSubcomponent('vtodo') ?? expect.fail('no to-do')
}

remindersContract('a vdir', async () => {
  const {path, remove} = await tempFolder()
  return {backend: openVdirReminders(join(path, 'vdir')), close: remove}
})

test('a reminder with a time is stored with an alarm at that time', async () => {
  const result = await create.run(call, contextFor())
  expect(result.summary).toBe("Added the reminder 'Call the dentist' for Wed 4 Mar 2026, 15:00")
  const todo = await todoIn(result.where)
  expect(todo.getFirstPropertyValue('due')?.toString()).toBe('2026-03-04T20:00:00Z')
  expect(todo.getFirstSubcomponent('valarm')?.getFirstProperty('trigger')?.toICALString()).toBe('TRIGGER;RELATED=END:PT0S')
  expect(await backend.reminders()).toEqual([
    {uid: 'run-1-task-1', name: 'Call the dentist', due: '2026-03-04 15:00:00', list: 'reminders', priority: 0, isDone: false},
  ])
})

test('a reminder for a day is due on that day and has no alarm', async () => {
  const result = await create.run({...call, due_date: '2026-03-04', all_day: true}, contextFor())
  expect(result.summary).toBe("Added the reminder 'Call the dentist' for Wed 4 Mar 2026")
  const todo = await todoIn(result.where)
  expect(todo.getFirstProperty('due')?.toICALString()).toBe('DUE;VALUE=DATE:20260304')
  expect(todo.getFirstSubcomponent('valarm')).toBeNull()
})

test('a reminder without a date has none, and comes after those that have one', async () => {
  const result = await create.run({...call, name: 'A', due_date: ''}, contextFor({key: 'a'}))
  await create.run({...call, name: 'B', priority: 1}, contextFor({key: 'b'}))
  expect(result.summary).toBe("Added the reminder 'A'")
  expect((await backend.reminders()).map(r => [r.name, r.due, r.priority])).toEqual([['B', '2026-03-04 15:00:00', 1], ['A', '', 0]])
})

test('a list is found whatever its case, and a new one is announced before it is made', async () => {
  expect((await create.preview({...call, list_name: 'Shopping'}, contextFor())).notice).toBe('The list "Shopping" is new: it will be made.')
  expect(await files()).toEqual([])
  await create.run({...call, list_name: 'Shopping'}, contextFor({key: 'a'}))
  expect((await create.preview({...call, list_name: 'my shopping list'}, contextFor())).notice).toBeUndefined()
  const result = await create.run({...call, list_name: 'my shopping list'}, contextFor({key: 'b'}))
  expect(result.summary).toBe("Added the reminder 'Call the dentist' to Shopping for Wed 4 Mar 2026, 15:00")
  expect(await files()).toEqual(['shopping/a.ics', 'shopping/b.ics'])
})

test('a new list is made under the name that was said, article and all taken off', async () => {
  expect((await backend.list('the Packing list')).name).toBe('Packing')
})

test.each([
  [{due_date: 'tomorrow'}, 'tomorrow'],
  [{due_date: '2026-13-01'}, '2026-13-01'],
  [{name: ' \n'}, 'no text'],
])('%j is refused with a message that says what is wrong, and nothing is written', async (change, said) => {
  const error = await toolError(create.run({...call, ...change}, contextFor()))
  expect(error.code).toBe('invalid-args')
  expect(error.message).toContain(said)
  expect(await files()).toEqual([])
})

test('undo takes the reminder off, and leaves one that was done since', async () => {
  const first = await create.run(call, contextFor({key: 'a'}))
  const second = await create.run(call, contextFor({key: 'b'}))
  expect(await create.undo?.(first.undo as Json, contextFor())).toBe('Took the reminder off its list')
  await writeFile(second.where ?? '', (await readFile(second.where ?? '', 'utf8')).replace('NEEDS-ACTION', 'COMPLETED'))
  expect((await toolError(create.undo?.(second.undo as Json, contextFor()) ?? Promise.resolve())).code).toBe('refused')
  expect((await backend.reminders()).map(r => r.isDone)).toEqual([true])
})

test('calls that write one list touch the same thing', () => {
  expect(create.touches?.({...call, list_name: 'Shopping'})).toEqual(create.touches?.({...call, list_name: ' shopping'}))
  expect(create.touches?.(call)).toEqual([{thing: 'list:reminders', writes: true}])
})

test.each(hostileTexts)('%j as name, notes and list makes one reminder with that text', async text => {
  const result = await create.run({...call, name: text, notes: text, list_name: text}, contextFor())
  const todo = await todoIn(result.where)
  expect(todo.getFirstPropertyValue('summary')).toBe(plainLine(text))
  expect(todo.getFirstPropertyValue('description')).toBe(plainText(text))
  expect(await files()).toHaveLength(1)
})

test('a damaged file among good ones is skipped with a warning', async () => {
  await create.run(call, contextFor())
  await mkdir(join(dir, 'other'))
  await writeFile(join(dir, 'other', 'bad.ics'), 'BEGIN:VCALENDAR\nBEGIN:VTODO')
  expect(await backend.reminders()).toHaveLength(1)
  expect(warnings).toEqual([expect.stringContaining('bad.ics')])
})

describe('todoman', async () => {
  const todoman = await program('todo', 'todoman')
  test.skipIf(!todoman)('lists what was written, with its list, local due time and priority', async () => {
    await create.run({...call, priority: 1, notes: 'a\nb'}, contextFor({key: 'a'}))
    await create.run({...call, name: 'Milk, "whole"; 2 l', due_date: '', list_name: 'Shopping'}, contextFor({key: 'b'}))
    await create.run({...call, name: 'Pay rent', due_date: '2026-04-01', all_day: true}, contextFor({key: 'c'}))
    const config = `path = "${dir}/*"\ndate_format = "%Y-%m-%d"\ntime_format = "%H:%M"\ncache_path = "${join(temp.path, 'todoman.sqlite3')}"\n`
    const list = await runProgram(todoman ?? '', ['--porcelain', 'list'], temp.path, {'.config/todoman/config.py': config}, timeZone)
    const found = JSON.parse(list) as {summary: string; due: number | null; list: string; priority: number; completed: boolean}[]
    const by = Object.fromEntries(found.map(todo => [todo.summary, todo]))
    expect(found).toHaveLength(3)
    expect(by['Call the dentist']).toMatchObject({list: 'reminders', priority: 1, completed: false, due: new Date(2026, 2, 4, 15).getTime() / 1000})
    expect(by['Milk, "whole"; 2 l']).toMatchObject({list: 'Shopping', due: null})
    expect(by['Pay rent']).toMatchObject({list: 'reminders'})
  })
})
