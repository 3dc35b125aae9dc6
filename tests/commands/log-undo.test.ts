// The journal as users meet it: `log`, `undo`, and what a killed run left in doubt.
import {execFile} from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {linesOf, newHome, root} from './program.ts'

let home: ReturnType<typeof newHome>
beforeEach(() => { home = newHome() })
afterEach(() => home.remove())

const remind = (what: string) => home.run(['--now', '2026-03-03T09:15:00', `remind me: ${what}`], {plan: `1. create_reminder("${what}", "tomorrow at 3pm", "", "", 0, false)\n2. join()\n`})
const folder = (): string => path.join(home.dir, 'data/reminders/reminders')
const items = (): string[] => fs.readdirSync(folder()).filter(f => f.endsWith('.ics')).map(f => /SUMMARY:(.*)/.exec(fs.readFileSync(path.join(folder(), f), 'utf8'))?.[1]?.trim() ?? '').sort()
const idOf = async (what: string): Promise<string> => /\s(\S+-\S+-\d+)\s/.exec(linesOf((await home.run(['log'])).stdout).find(l => l.includes(what))!)![1]!

test('the log says in plain words what was done; undo takes back the last, then a chosen one', async () => {
  for (const what of ['Milk', 'Bread', 'Eggs']) await remind(what)
  const log = linesOf((await home.run(['log'])).stdout)
  expect(log.map(l => l.replace(/^\S+ \S+ {2}\S+ {2}/, ''))).toEqual(['Milk', 'Bread', 'Eggs'].map(w => `Added the reminder '${w}' for Wed 4 Mar 2026, 15:00`))

  expect(await home.run(['undo'])).toMatchObject({code: 0, stdout: "Took the reminder off its list: Added the reminder 'Eggs' for Wed 4 Mar 2026, 15:00\n"})
  expect((await home.run(['undo', await idOf('Milk')])).code).toBe(0)
  expect(items()).toEqual(['Bread'])
  expect(await home.run(['undo', await idOf('Milk')])).toMatchObject({code: 1, stderr: expect.stringContaining('undone already')})
  expect(await home.run(['undo', 'nothing'])).toMatchObject({code: 1, stderr: expect.stringMatching(/^tinyagent: No step has the id "nothing"; `tinyagent log` shows them\n$/)})
  expect(await home.run(['undo', '--json'])).toMatchObject({code: 0, stdout: expect.stringMatching(/^\{"summary":"Took .*'Bread'/)})
  expect(await home.run(['undo'])).toMatchObject({code: 1, stderr: 'tinyagent: There is nothing to undo\n'})
})

test('what was changed since is left alone, and does not stand in the way of the rest', async () => {
  for (const what of ['Milk', 'Bread']) await remind(what)
  const id = await idOf('Bread')
  fs.appendFileSync(path.join(folder(), `${id}.ics`), 'X-MINE:1\r\n')
  const {code, stderr} = await home.run(['undo'])
  expect([code, linesOf(stderr)]).toEqual([1, [expect.stringMatching(/has changed since, so it is left alone.*`tinyagent undo ID` takes back an earlier one/)]])
  expect((await home.run(['undo', await idOf('Milk')])).code).toBe(0)
  expect(items()).toEqual(['Bread'])
})

test('what has left cannot be taken back', async () => {
  await home.run(['--yes', 'text'], {plan: '1. send_sms(["+14155550123"], "hi")\n2. join()\n'})
  expect((await home.run(['log'])).stdout).toContain('(cannot be undone)')
  expect(await home.run(['undo', await idOf('+14155550123')])).toMatchObject({code: 1, stderr: expect.stringMatching(/^tinyagent: This cannot be taken back: /)})
})

test('a run killed between before and after is reported once at the next start, and not repeated', async () => {
  const journal = new URL('../../src/core/journal.ts', import.meta.url).href
  const script = `
    const {openJournal} = await import(${JSON.stringify(journal)})
    const journal = openJournal(${JSON.stringify(path.join(home.dir, 'state/journal'))}, {clock: () => new Date(), warn: console.error})
    await journal.reader('run')({type: 'task-started', id: 1, tool: 'create_reminder', effect: 'local', key: 'run-1', args: {name: 'Milk', due_date: '', notes: '', list_name: '', priority: 0, all_day: false}})
    process.kill(process.pid, 'SIGKILL')`
  await new Promise(resolve => execFile(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {cwd: root}, resolve))
  const {stderr} = await remind('Bread')
  expect(linesOf(stderr).filter(l => l.includes('cut off'))).toEqual([expect.stringMatching(/^tinyagent was cut off in a step at \d{4}-\d\d-\d\d \d\d:\d\d\. It was not done: The reminder 'Milk' is on no list\.$/)])
  expect(items()).toEqual(['Bread'])
  expect((await remind('Eggs')).stderr).not.toContain('cut off')
  expect((await home.run(['log'])).stdout).toContain("failed: The reminder 'Milk' is on no list.")
})
