import {spawn} from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {z} from 'zod'
import {ToolError} from '../../src/core/errors.ts'
import {describe as inWords, openJournal, undo, type JournalDeps} from '../../src/core/journal.ts'
import {arg} from '../../src/core/params.ts'
import {tool, type Event, type Json, type Tool} from '../../src/core/types.ts'

let dir: string
const warnings: string[] = []
const clock = () => new Date('2026-03-03T08:15:00Z')
const open = (more: Partial<JournalDeps> = {}) => openJournal(path.join(dir, 'journal'), {clock, warn: m => warnings.push(m), isAlive: () => false, ...more})
const file = () => path.join(dir, 'journal', '2026-03-03.ndjson')
beforeEach(() => { dir = fs.mkdtempSync(path.join(os.tmpdir(), 'journal-')); warnings.length = 0 })
afterEach(() => fs.rmSync(dir, {recursive: true, force: true}))

const started = (id: number, effect: 'read' | 'local' | 'outward' = 'local', run = 'r1'): Event =>
  ({type: 'task-started', id, tool: 'note', args: {name: 'Shopping'}, effect, key: `${run}-${id}`})
const done = (id: number, undo?: Json): Event =>
  ({type: 'task-done', id, ms: 1, result: {value: 'v', summary: `Did ${id}`, ...(undo !== undefined && {undo})}})

const noteTool = (taken: Json[], refuse = false): Tool => tool({
  name: 'note', description: 'Write a note.', args: z.object({name: arg.title()}), effect: 'local', returns: 'none',
  preview: async () => ({effect: 'local', title: 'Note', fields: []}),
  run: async () => ({value: '', summary: ''}),
  undo: async token => {
    if (refuse) throw new ToolError('refused', 'the note has changed since')
    taken.push(token)
    return 'Took the note back'
  },
})
const context = {signal: new AbortController().signal, now: clock(), ask: async () => undefined, progress: () => undefined, aside: (_args: object, change: () => Promise<{value: string; summary: string}>) => change()}

test('a side effect is on disk before it begins, in a file of its own day that only its owner can read', async () => {
  await open().reader('r1')(started(1))
  const [line] = fs.readFileSync(file(), 'utf8').trim().split('\n')
  expect(JSON.parse(line!)).toMatchObject({run: 'r1', type: 'task-started', key: 'r1-1', args: {name: 'Shopping'}})
  expect(fs.statSync(file()).mode & 0o777).toBe(0o600)
  expect(fs.statSync(path.dirname(file())).mode & 0o777).toBe(0o700)
})

test('what a read returned is not kept', async () => {
  const read = open().reader('r1')
  await read(started(1, 'read'))
  await read({type: 'task-done', id: 1, ms: 1, result: {value: 'secret number', summary: 'Found it'}})
  await read({type: 'answer', text: 'ok'})
  expect(fs.readFileSync(file(), 'utf8')).not.toContain('secret')
})

test('a run that was killed in a side effect is reported once', async () => {
  const killed = open()
  await killed.reader('r1')(started(1, 'outward'))
  expect(killed.inDoubt()).toEqual([]) // it runs
  const next = open() // in a container the next process has the same id
  const pending = next.inDoubt()
  expect(pending.map(d => [d.key, d.state])).toEqual([['r1-1', 'pending']])
  next.settle(pending[0]!, {state: 'unknown', summary: 'the note. Look there.'})
  expect(open().inDoubt()).toEqual([])
  expect(inWords(open().deeds()[0]!)).toContain('may have been done')
})

test('a step of another instance that is still running is not reported', async () => {
  await open().reader('r1')(started(1))
  fs.writeFileSync(file(), fs.readFileSync(file(), 'utf8').replace(/"pid":\d+/, '"pid":999999'))
  expect(open({isAlive: () => true}).inDoubt()).toEqual([])
})

test('a step from before the machine started is in doubt, whoever has its process id now', async () => {
  await open({clock: () => new Date('2001-01-01T08:15:00Z')}).reader('r1')(started(1))
  const old = path.join(dir, 'journal', '2001-01-01.ndjson')
  fs.writeFileSync(old, fs.readFileSync(old, 'utf8').replace(/"pid":\d+/, '"pid":999999'))
  expect(open({isAlive: () => true}).inDoubt().map(d => d.key)).toEqual(['r1-1'])
})

test('what was found out of a step in doubt is written down; where nobody could be asked it is asked again for two weeks', async () => {
  const later = (days: number) => open({clock: () => new Date(clock().getTime() + days * 86_400_000)})
  const read = open().reader('r1')
  for (const id of [1, 2, 3]) await read(started(id))
  const next = open()
  const [one, two, three] = next.inDoubt()
  next.settle(one!, {state: 'done', summary: 'Did 1', undo: {id: 1}})
  next.settle(two!, {state: 'failed', summary: 'There is no note.'})
  next.settle(three!, {state: 'unknown', summary: 'the note', again: true})
  expect(open().deeds().map(d => [d.state, d.summary, d.undo])).toEqual([['done', 'Did 1', {id: 1}], ['failed', 'There is no note.', undefined], ['unknown', 'the note', undefined]])
  expect(later(13).inDoubt().map(d => d.key)).toEqual(['r1-3'])
  expect(later(15).inDoubt()).toEqual([])
  const taken: Json[] = []
  await undo(open(), [noteTool(taken)], undefined, context) // what was done can be taken back
  expect(taken).toEqual([{id: 1}])
})

test('a process that began after the step is not the one that was at it', async () => {
  if (process.platform !== 'linux') return // elsewhere nothing tells
  const sleeper = spawn('sleep', ['60'])
  try {
    const own: JournalDeps = {clock: () => new Date(), warn: m => warnings.push(m)}
    const folder = path.join(dir, 'real')
    await openJournal(folder, own).reader('r1')(started(1))
    const day = path.join(folder, fs.readdirSync(folder)[0]!)
    const at = (ms: number): void => {
      const line = {...JSON.parse(fs.readFileSync(day, 'utf8')) as object, pid: sleeper.pid, at: new Date(Date.now() + ms).toISOString()}
      fs.writeFileSync(day, `${JSON.stringify(line)}\n`)
    }
    at(0)
    expect(openJournal(folder, own).inDoubt()).toEqual([])
    at(-10_000) // the machine is up for longer
    expect(openJournal(folder, own).inDoubt().map(d => d.key)).toEqual(['r1-1'])
  } finally {
    sleeper.kill('SIGKILL')
  }
})

test('a torn line is passed over, and the next one is not lost in it', async () => {
  const read = open().reader('r1')
  await read(started(1))
  fs.appendFileSync(file(), '{"at":"2026-03-03T08:1')
  await read(done(1, {id: 5}))
  expect(open().deeds()).toMatchObject([{key: 'r1-1', state: 'done', summary: 'Did 1', undo: {id: 5}}])
})

test('two instances write into one file', async () => {
  const one = open().reader('r1'), two = open().reader('r2')
  await one(started(1))
  await two(started(1, 'local', 'r2'))
  await one(done(1))
  await two(done(1))
  expect(open().deeds().map(d => [d.key, d.state])).toEqual([['r1-1', 'done'], ['r2-1', 'done']])
})

test('a side effect whose line cannot be written is refused; what is done already only warns', async () => {
  fs.writeFileSync(path.join(dir, 'journal'), 'a file where the folder should be')
  const read = open().reader('r1')
  await expect((async () => read(started(1)))()).rejects.toMatchObject({code: 'unavailable', message: expect.stringContaining('nothing was begun')})
  await read({type: 'answer', text: 'ok'})
  expect(warnings).toHaveLength(1)
})

test('undo takes back the last step on this machine, then the one before', async () => {
  const journal = open(), taken: Json[] = []
  const read = journal.reader('r1')
  for (const id of [1, 2]) { await read(started(id)); await read(done(id, {id})) }
  await read(started(3, 'outward'))
  await read(done(3))
  expect(await undo(journal, [noteTool(taken)], undefined, context)).toBe('Took the note back: Did 2')
  await undo(journal, [noteTool(taken)], undefined, context)
  expect(taken).toEqual([{id: 2}, {id: 1}])
  await expect(undo(journal, [noteTool(taken)], undefined, context)).rejects.toMatchObject({code: 'not-found'})
  expect(open().deeds().map(d => d.state)).toEqual(['undone', 'undone', 'done'])
})

test('undo with an id takes that step, and refuses what cannot be taken back', async () => {
  const journal = open(), taken: Json[] = []
  const read = journal.reader('r1')
  for (const id of [1, 2]) { await read(started(id)); await read(done(id, {id})) }
  await read(started(3, 'outward'))
  await read(done(3))
  await undo(journal, [noteTool(taken)], 'r1-1', context)
  expect(taken).toEqual([{id: 1}])
  await expect(undo(journal, [noteTool(taken)], '1', context)).rejects.toMatchObject({code: 'refused', message: expect.stringContaining('undone already')})
  await expect(undo(journal, [noteTool(taken)], '3', context)).rejects.toMatchObject({code: 'refused', message: expect.stringContaining('cannot be taken back')})
  await expect(undo(journal, [noteTool(taken)], '9', context)).rejects.toMatchObject({code: 'not-found'})
})

test('an undo that the tool refuses leaves the step as done', async () => {
  const journal = open()
  const read = journal.reader('r1')
  await read(started(1))
  await read(done(1, {id: 1}))
  await expect(undo(journal, [noteTool([], true)], undefined, context)).rejects.toMatchObject({code: 'refused'})
  expect(open().deeds()[0]!.state).toBe('done')
})

test('log lines show control characters and say what cannot be undone', async () => {
  const journal = open()
  const read = journal.reader('r1')
  await read(started(1, 'outward'))
  await read({type: 'task-done', id: 1, ms: 1, result: {value: '', summary: 'Mailed \u001b[2J'}})
  const line = inWords(journal.deeds()[0]!)
  expect(line).toContain('Mailed \\x1b[2J (cannot be undone)')
})

test('what a look-up kept beside its answer is in the log and can be taken back', async () => {
  const taken: Json[] = []
  const journal = open()
  const record = journal.reader('r1')
  await record({type: 'aside-started', id: 1, tool: 'note', args: {name: 'Ana', phone: '+4420'}, key: 'r1-1a'})
  expect(journal.deeds()).toMatchObject([{key: 'r1-1a', state: 'running', effect: 'local', summary: 'note: Ana, +4420'}])
  await record({type: 'aside-done', key: 'r1-1a', result: {value: '+4420', summary: "Saved Ana's number", undo: {path: 'x'}}})
  expect(await undo(journal, [noteTool(taken)], undefined, context)).toBe("Took the note back: Saved Ana's number")
  expect([taken, journal.deeds()[0]!.state]).toEqual([[{path: 'x'}], 'undone'])
})
