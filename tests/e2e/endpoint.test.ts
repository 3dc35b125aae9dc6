// A planner on a server, set up and used on a terminal. The server stands in for those of others (tests/servers/chat-completions.ts).
import {readFileSync} from 'node:fs'
import path from 'node:path'
import {expect, it, onTestFinished} from 'vitest'
import {contentEvent, eventsOf, fakeChat, stream, type ChatAnswer} from '../servers/chat-completions.ts'
import {keys, open, put, testHome} from './fixtures.ts'

const key = 'sk-canary-0123456789'
const env = {TINYAGENT_NO_KEYRING: '1'}
const serve = async (answers: ChatAnswer[], models: string[] = ['m']) => {
  const server = await fakeChat(answers, {key, models})
  onTestFinished(() => server.stop())
  return server
}

it('is set up on a terminal, and its lines are carried out while it writes', async () => {
  let goOn = (): void => undefined
  const waiting = new Promise<void>(resolve => { goOn = resolve })
  const server = await serve([async response => {
    stream(response).write(contentEvent('1. get_phone_number("Ana Duarte")\n2. send_'))
    await waiting
    response.end(eventsOf('sms(["$1"], "I am late.")\n3. join()'))
  }], ['small', 'large'])
  const home = testHome()
  const setup = open(['setup', 'model'], {home, env, columns: 200})
  await setup.shows('Address of the server\n❯ http://localhost:11434/v1')
  setup.type(`${keys.clear}${server.url}\r`)
  await setup.shows('What you call it\n❯ local')
  setup.type(`${keys.clear}mine\r`)
  await setup.shows('Key, if it wants one')
  setup.type(`${key}\r`)
  await setup.shows('1 small\n2 large')
  setup.type('2')
  expect(await setup.exits()).toBe(0)
  expect(setup.text()).toContain('which only you can read and which is not encrypted')
  expect(setup.text()).toContain('Use it: tinyagent --model mine')
  expect(setup.raw).not.toContain(key)
  expect(readFileSync(path.join(home, 'config/config.toml'), 'utf8')).not.toContain(key)

  const t = open(['--model', 'mine', 'text Ana Duarte that I am late'], {home, env, columns: 100})
  await t.shows("Found Ana Duarte's number")
  expect(t.text()).not.toContain('I am late.')
  goOn()
  await t.shows('[s]end')
  expect(t.text()).toMatch(/To: \+12025550101 {2}\(looked up\)/)
  t.type('s')
  expect(await t.exits()).toBe(0)
  expect(server.received[0]?.body.model).toBe('large')
})

it('Ctrl-C ends its request', async () => {
  const server = await serve([response => { stream(response).write(contentEvent('1. get_phone_number("Ana Duarte")\n2. ')) }])
  const home = testHome()
  put(home, 'config/config.toml', `[model]\nplanner = "mine"\n[model.endpoints.mine]\nurl = "${server.url}"\nmodel = "m"\nauth = "bearer"\n`)
  const t = open(['text Ana Duarte that I am late'], {home, env: {...env, TINYAGENT_MODEL_MINE_PASSWORD: key}})
  await t.shows("Found Ana Duarte's number")
  t.type(keys.ctrlC)
  await server.closedEarly
  expect(await t.exits()).toBe(130)
})
