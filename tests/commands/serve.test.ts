// `tinyagent serve` and the calls that find it: real processes; the server's planner is a recording, and the callers have none.
import {spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import fs from 'node:fs'
import {connect} from 'node:net'
import path from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {newHome, root} from './program.ts'

let home: ReturnType<typeof newHome>
let server: ChildProcess | undefined
beforeEach(() => { home = newHome() })
afterEach(async () => {
  if (server && server.exitCode === null && server.signalCode === null) { server.kill('SIGKILL'); await once(server, 'exit') }
  home.remove()
})
const socket = (): string => path.join(home.dir, 'state/serve.sock')

async function serve(plan: string): Promise<ChildProcess> {
  const env = {PATH: process.env['PATH'] ?? '', HOME: home.dir, TINYAGENT_HOME: home.dir, TZ: 'UTC', TINYAGENT_REPLAY: home.write('served.txt', plan)}
  const child = spawn(process.execPath, [path.join(root, 'bin/tinyagent.js'), 'serve'], {env, stdio: ['ignore', 'ignore', 'pipe']})
  server = child
  await once(child.stderr!, 'data') // it says where it is once it listens
  return child
}
const reminder = '1. create_reminder("Served", "tomorrow at 3pm", "", "", 0, false)\n2. join()\n'

test('a call gets its plan from the server and does everything else itself; the socket is its owner\'s; SIGTERM ends it and takes the socket away', async () => {
  const child = await serve(reminder)
  expect(fs.statSync(socket()).mode & 0o777).toBe(0o600)
  expect(await home.run(['--now', '2026-03-03T09:15:00', 'anything'])).toMatchObject({code: 0, stdout: "Added the reminder 'Served' for Wed 4 Mar 2026, 15:00.\n"})
  expect((await home.run(['log'])).stdout).toContain('Served')
  expect(await home.run(['serve'])).toMatchObject({code: 2, stderr: expect.stringContaining('serves already')})
  child.kill('SIGTERM')
  await once(child, 'exit')
  expect(fs.existsSync(socket())).toBe(false)
})

test('a plan that cannot be read is the same error as without the server', async () => {
  await serve('1. create_reminder(\n2. join()\n')
  const {code, stderr} = await home.run(['anything'])
  expect([code, stderr]).toEqual([1, expect.stringContaining('error: line 1: ')])
})

test('nonsense on the socket is answered with an error, and the next one is served', async () => {
  await serve(reminder)
  for (const text of ['nonsense\n', '{"ask":"run"}\n', '{"ask":"plan"}\n']) {
    const client = connect(socket())
    let said = ''
    client.on('data', (chunk: Buffer) => { said += chunk.toString() })
    client.write(text)
    await once(client, 'close')
    expect(said).toMatch(/^\{"hello":"[^\n]*\n\{"error":/)
  }
  expect((await home.run(['anything'])).code).toBe(0)
})
