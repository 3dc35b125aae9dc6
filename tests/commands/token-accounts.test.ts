// Joplin and Todoist from the command line: which backend the config chooses, `doctor`, `--offline`, and what `setup` does.
import fs from 'node:fs'
import path from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {joplinToken, startJoplinStandIn} from '../servers/joplin.ts'
import {linesOf, newHome} from './program.ts'

let home: ReturnType<typeof newHome>
beforeEach(() => { home = newHome() })
afterEach(() => home.remove())

const env = {TINYAGENT_NO_KEYRING: '1'}
const config = (...lines: string[]): void => void home.write('config/config.toml', `${lines.join('\n')}\n`)
const configText = (): string => fs.readFileSync(path.join(home.dir, 'config/config.toml'), 'utf8')
const plan = (tool: string, args: object): string => home.write('plan.json', JSON.stringify({tasks: [{id: 1, tool, args}]}))

test('setup joplin tries the token, keeps it out of the config, and notes go there and back from then on', async () => {
  const server = await startJoplinStandIn()
  try {
    config('[notes.joplin]', `url = "${server.url}"`)
    const wrong = await home.run(['setup', 'joplin'], {env, stdin: 'wrong-canary\n'})
    expect(wrong).toMatchObject({code: 1, stdout: expect.stringMatching(/Joplin does not take the token.*\n *Nothing was changed/)})
    expect(configText()).not.toContain('backend')
    const set = await home.run(['setup', 'joplin'], {env, stdin: `${joplinToken}\n`})
    expect(set).toMatchObject({code: 0, stdout: expect.stringContaining('It has 0 notebooks.')})
    expect(configText()).toContain('backend = "joplin"')
    expect(set.stdout + set.stderr + wrong.stdout + wrong.stderr + configText()).not.toContain('canary')
    expect((await home.run(['run', plan('create_note', {name: 'Shopping', content: 'milk', folder: ''})], {env})).stdout).toContain("Made the note 'Shopping'")
    expect([...server.notes.values()].map(n => n['body'])).toEqual(['milk'])
    expect((await home.run(['undo'], {env})).stdout).toContain('Joplin\'s trash')
    expect((await home.run(['doctor', '--network'], {env})).stdout).toContain(`${new URL(server.url).host}  is your Joplin`)
    expect((await home.run(['doctor'], {env})).stdout).toContain('ok    joplin: takes the token and has 1 notebooks')
    const before = server.requests.length
    expect(await home.run(['--offline', 'run', plan('create_note', {name: 'b', content: 'x', folder: ''})], {env})).toMatchObject({code: 1, stdout: expect.stringContaining('(--offline)')})
    expect(server.requests).toHaveLength(before)
    expect(server.problems).toEqual([])
    const state = fs.readdirSync(path.join(home.dir, 'state'), {recursive: true, withFileTypes: true}).filter(f => f.isFile()).map(f => fs.readFileSync(path.join(f.parentPath, f.name), 'utf8'))
    expect(state.join('')).not.toContain('canary')
  } finally {
    await server.stop()
  }
})

test('an address of Joplin that others could read is refused by name', async () => {
  config('[notes.joplin]', 'url = "http://192.0.2.1:41184"')
  expect(await home.run(['config', 'list'], {env})).toMatchObject({code: 2, stderr: expect.stringMatching(/notes\.joplin\.url: http:\/\/ is for this machine only/)})
})

test('Todoist is listed, refused offline, and needs its token', async () => {
  config('[reminders]', 'backend = "todoist"')
  expect(linesOf((await home.run(['doctor', '--network'], {env})).stdout)[0]).toBe('api.todoist.com  keeps your reminders')
  const reminder = plan('create_reminder', {name: 'Call', due_date: '', notes: '', list_name: '', priority: 0, all_day: false})
  expect(await home.run(['--offline', 'run', reminder], {env})).toMatchObject({code: 1, stdout: expect.stringContaining('There is no password for todoist: `tinyagent setup todoist` asks for it')})
  expect(await home.run(['--offline', 'run', reminder], {env: {...env, TINYAGENT_TODOIST_PASSWORD: 'canary'}})).toMatchObject({code: 1, stdout: expect.stringContaining('api.todoist.com cannot be reached: --offline. Nothing was changed.')})
  const away = await home.run(['--offline', 'setup', 'todoist'], {env, stdin: 'canary\n'})
  expect(away).toMatchObject({code: 1, stdout: expect.stringContaining('Nothing was changed')})
  expect(away.stdout + away.stderr).not.toContain('canary')
  expect(fs.existsSync(path.join(home.dir, 'config/secrets'))).toBe(false)
})
