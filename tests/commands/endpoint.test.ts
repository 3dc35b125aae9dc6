// The built program with a planner on a server, which stands in for those of others (tests/servers/chat-completions.ts).
import fs from 'node:fs'
import path from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {fakeChat, json, type FakeChat} from '../servers/chat-completions.ts'
import {linesOf, newHome} from './program.ts'

const key = 'sk-canary-0123456789'
const plan = '1. create_reminder("Call the dentist", "tomorrow 3pm", "", "", 0, false)\n2. join()'
let home: ReturnType<typeof newHome>
let server: FakeChat
beforeEach(() => { home = newHome() })
afterEach(async () => { home.remove(); await server.stop() })

const configure = (more = ''): string => home.write('config/config.toml', `[model.endpoints.mine]\nurl = "${server.url}"\nmodel = "m"\nauth = "bearer"\n${more}`)
const env = {TINYAGENT_MODEL_MINE_PASSWORD: key, TINYAGENT_NO_KEYRING: '1'}
const everythingKept = (): string => fs.readdirSync(home.dir, {recursive: true, encoding: 'utf8'}).map(f => path.join(home.dir, f))
  .filter(f => fs.statSync(f).isFile() && !f.includes('secrets')).map(f => fs.readFileSync(f, 'latin1')).join('\n')

test('a request is planned there and done here, and the key stands nowhere', async () => {
  server = await fakeChat([plan], {key})
  configure()
  const request = 'remind me to call the dentist tomorrow at 3pm'
  const {code, stdout, stderr} = await home.run(['--model', 'mine', '--now', '2026-03-03T09:15:00', '--json', request], {env})
  expect([code, stderr]).toEqual([0, ''])
  const events = linesOf(stdout).map(line => JSON.parse(line) as {type: string; text?: string})
  expect(events.filter(e => e.type === 'plan-delta').map(e => e.text).join('')).toBe(plan)
  expect(events.find(e => e.type === 'answer')?.text).toMatch(/Added the reminder 'Call the dentist' for Wed 4 Mar 2026, 15:00/)
  expect(server.received[0]!.body.messages.at(-1)!.content).toBe(`It is Tuesday, 2026-03-03 09:15.\nRequest: ${request}`)
  expect(stdout + everythingKept()).not.toContain(key)
})

test('the key may come from a program, and a wrong one is one line that does not say it', async () => {
  server = await fakeChat([plan], {key})
  configure(`key_command = ["echo", "${key}"]\n[model]\nplanner = "mine"\n`)
  const right = await home.run(['plan', '--json', 'remind me to call the dentist'], {env: {TINYAGENT_NO_KEYRING: '1'}})
  expect(right.code).toBe(0)
  expect(JSON.parse(right.stdout)).toMatchObject({model: `m at ${new URL(server.url).host}`, timings: {promptTokens: 700}})
  const wrong = await home.run(['remind me to call the dentist'], {env: {...env, TINYAGENT_MODEL_MINE_PASSWORD: 'sk-other'}})
  expect([wrong.code, wrong.stdout]).toEqual([1, ''])
  expect(linesOf(wrong.stderr)).toEqual([expect.stringMatching(/^tools: /), expect.stringMatching(/^error: .* does not take the key \(HTTP 401: .*\[key\]/)])
  expect(everythingKept().replaceAll(`["echo", "${key}"]`, '')).not.toMatch(/sk-other|sk-canary/)
})

test('a plan that is none is asked for once more, with what was wrong', async () => {
  server = await fakeChat(['1. create_reminder("Call the dentist")\n2. join()', plan])
  home.write('config/config.toml', `[model.endpoints.mine]\nurl = "${server.url}"\nmodel = "m"\n`)
  const {code, stdout} = await home.run(['plan', '--model', 'mine', 'remind me to call the dentist'])
  expect([code, linesOf(stdout).at(-1)]).toEqual([0, '2. join()'])
  expect(server.received[1]!.body.messages.at(-1)!.content).toContain('create_reminder takes 6 arguments, the plan gives 1')
})

test('--offline makes no connection, also to this machine', async () => {
  server = await fakeChat([plan])
  configure()
  const {code, stdout, stderr} = await home.run(['--offline', '--model', 'mine', 'remind me to sleep'], {env})
  expect([code, stdout]).toEqual([1, ''])
  expect(linesOf(stderr).at(-1)).toMatch(/^error: --offline makes no connection, and the model mine is at 127\.0\.0\.1:\d+: leave out one of the two/)
  expect(server.received).toEqual([])
})

test('doctor asks it, and --network lists it', async () => {
  server = await fakeChat(['OK'], {key, models: ['m', 'n']})
  configure()
  const host = new URL(server.url).host
  const network = await home.run(['doctor', '--network'], {env})
  expect(network.stdout).toContain(`${host}  plans by the model mine, where you choose it: gets your requests, standing instructions and the lists of tools (this machine)\n`)
  expect((await home.run(['models'])).stdout).toContain(`  planner    mine  m at ${host}\n`)
  expect(server.received).toEqual([])
  const line = async (args: string[], more = env): Promise<string | undefined> => linesOf((await home.run(['doctor', ...args], {env: more})).stdout).find(l => l.includes('model mine'))
  expect(await line([])).toBe(`ok    model mine: ${host} has m; on this machine; your requests, standing instructions and the lists of tools go to ${host}`)
  const wrong = {...env, TINYAGENT_MODEL_MINE_PASSWORD: 'sk-other'}
  expect(await line([], wrong)).toMatch(/^note .* does not take the key .*\(it is not the planner\)$/)
  expect(await line(['--model', 'mine'], wrong)).toMatch(/^bad {3}model mine: .* does not take the key/)
})

test('setup asks the server first, and writes nothing where it does not answer', async () => {
  server = await fakeChat(['OK', plan], {key})
  const args = ['setup', 'model', '--url', server.url, '--name', 'mine']
  const refused = await home.run(args, {env: {TINYAGENT_NO_KEYRING: '1'}})
  expect([refused.code, fs.existsSync(path.join(home.dir, 'config/config.toml'))]).toEqual([1, false])
  expect(refused.stdout).toMatch(/wants a key/)
  const done = await home.run(args, {env})
  expect([done.code, done.stderr]).toEqual([0, ''])
  expect(done.stdout).toMatch(/ {2}127\.0\.0\.1:\d+ has m\.\n *Written: .*\nUse it: tinyagent --model mine "\.\.\."/)
  expect(fs.readFileSync(path.join(home.dir, 'config/config.toml'), 'utf8')).toMatch(/\[model\.endpoints\.mine\]\nurl = "http:\/\/127\.0\.0\.1:\d+\/v1"\nmodel = "m"\nauth = "bearer"\n/)
  expect((await home.run(['plan', '--model', 'mine', 'remind me to call the dentist'], {env})).code).toBe(0)
  const again = await home.run([...args, '--model', 'n'], {env})
  expect(again.code).toBe(0)
  expect((await home.run(['config', 'get', 'model.endpoints.mine.model'])).stdout).toBe('n\n')
  expect(everythingKept()).not.toContain(key)
})

test('a server without TLS that is not on this machine is refused before anything goes there', async () => {
  server = await fakeChat([(response) => json(response, 200, {})])
  const {code, stderr} = await home.run(['setup', 'model', '--url', 'http://models.example.org/v1'], {stdin: key})
  expect([code, linesOf(stderr).length]).toEqual([2, 1])
  expect(stderr).toMatch(/http:\/\/ is for servers on this machine only/)
  configure()
  const unknown = await home.run(['--model', 'other', 'remind me to sleep'])
  expect([unknown.code, unknown.stderr + unknown.stdout]).toEqual([2, expect.stringMatching(/--model other: there is no such model; a GGUF file, or one of: tinyagent-135m-q4_0, mine/)])
})
