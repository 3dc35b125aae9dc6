// An MCP server that wants a sign-in, as a user meets it: sign-in by the browser that opens, approval, a call, doctor, sign-out.
import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {afterAll, beforeAll, expect, it, vi} from 'vitest'
import {browse, startAuthorizationServer, type AuthorizationServer} from '../servers/authorization.ts'
import {startMcpServer, type HttpMcpServer} from '../servers/mcp-http.ts'
import {desktop, open, put, testHome} from './fixtures.ts'
import {runProgram} from './terminal.ts'

vi.setConfig({testTimeout: 180_000}) // the program starts many times
let provider: AuthorizationServer
let remote: HttpMcpServer
beforeAll(async () => {
  provider = await startAuthorizationServer({forMcp: true})
  remote = await startMcpServer(provider)
})
afterAll(async () => { await remote?.stop(); await provider?.stop() })

/** Everything that was written but the secrets. */
const written = (dir: string): string => readdirSync(dir, {recursive: true, withFileTypes: true})
  .filter(e => e.isFile() && !e.parentPath.endsWith(`${path.sep}secrets`)).map(e => readFileSync(path.join(e.parentPath, e.name), 'utf8')).join('\n')

it('is signed in at by browser, approved, called with a card, checked by doctor and signed out of; its token is nowhere but in the secrets', async () => {
  const home = testHome()
  put(home, 'config/mcp.json', JSON.stringify({mcpServers: {remote: {url: remote.url}}}))
  const {env, opened} = desktop(home)
  const run = (...args: string[]): ReturnType<typeof runProgram> => runProgram(home, args, {env: {...env, TINYAGENT_REPLAY: path.join(home, 'plan.txt')}})

  const before = await run('tools', 'approve', 'remote', '--yes')
  expect([before.code, before.stderr]).toEqual([1, expect.stringContaining('The MCP server remote wants you to sign in: `tinyagent tools sign-in remote` does that by browser')])

  const signingIn = run('tools', 'sign-in', 'remote')
  expect((await browse(await opened(), 'me@example.org')).text).toContain('Go back to the terminal')
  const signedIn = await signingIn
  expect([signedIn.code, signedIn.stderr]).toEqual([0, ''])
  expect(signedIn.stdout).toContain(`Signed in at ${new URL(provider.origin).host} for remote.`)
  const kept = JSON.parse(readFileSync(path.join(home, 'config/secrets/mcp-oauth-remote'), 'utf8')) as {access: string; refresh: string} // we wrote it

  expect(await run('tools', 'approve', 'remote', '--yes')).toMatchObject({code: 0, stdout: expect.stringContaining('Approved: remote.set_lights.') as string})
  put(home, 'plan.txt', '1. remote.set_lights("hall", 7)\n2. join()\n')
  const t = open(['lights in the hall to 7'], {home, columns: 120, rows: 40, env: {...env, TINYAGENT_REPLAY: path.join(home, 'plan.txt')}})
  await t.shows('remote: set_lights')
  await t.shows('[s]end')
  t.type('s')
  await t.shows('The lights of the hall are at 7%.')
  expect(await t.exits()).toBe(0)

  // More is asked for when it is needed, by the user alone.
  remote.needed.push('mcp', 'mcp.write')
  const narrow = await run('--yes', 'lights in the hall to 7')
  expect([narrow.code, narrow.stdout]).toEqual([1, expect.stringContaining('it wants mcp.write besides. If you want to allow that, `tinyagent tools sign-in remote`')])
  const widening = run('tools', 'sign-in', 'remote')
  await browse(await opened(), 'me@example.org')
  expect((await widening).stdout).toContain('It wants to be allowed more than before: mcp.write')
  expect(await run('--yes', 'lights in the hall to 7')).toMatchObject({code: 0, stdout: expect.stringContaining('The lights of the hall are at 7%.') as string})

  expect((await run('doctor', '--network')).stdout).toContain(`${new URL(provider.origin).host}  renews your sign-in at your MCP server remote`)
  const {access: last} = JSON.parse(readFileSync(path.join(home, 'config/secrets/mcp-oauth-remote'), 'utf8')) as {access: string} // we wrote it
  expect(await run('tools', 'sign-out', 'remote')).toMatchObject({code: 0, stdout: expect.stringContaining('the sign-in for remote was taken back there') as string})
  expect(provider.revocations.map(r => r.get('token'))).toContain(last)
  expect((await run('tools', 'sign-out', 'remote')).stdout).toContain('tinyagent has no sign-in at remote')
  const third = run('tools', 'sign-in', 'remote')
  await browse(await opened(), 'me@example.org')
  await third
  provider.endAll('withdrawn')
  const checks = JSON.parse((await run('--json', 'doctor')).stdout) as {name: string; state: string; detail: string}[] // our own output
  expect(checks.find(c => c.name === 'MCP server remote')).toMatchObject({state: 'bad', detail: expect.stringContaining('does not take your sign-in any more: `tinyagent tools sign-in remote`') as string})

  for (const secret of [kept.access, kept.refresh]) expect(`${written(home)}${t.raw}${signedIn.stdout}`).not.toContain(secret)
  const offline = await run('--offline', 'tools', 'sign-out', 'remote')
  expect([offline.code, offline.stdout]).toEqual([0, expect.stringContaining('But it was not taken back: --offline is on. Take it back on the list of')])
  expect(readdirSync(path.join(home, 'config/secrets'))).toEqual([])
})

it('without a network there is no sign-in, and a program on this machine has none', async () => {
  const home = testHome()
  put(home, 'config/mcp.json', JSON.stringify({mcpServers: {remote: {url: remote.url}, local: {command: 'x'}}}))
  const run = (...args: string[]): ReturnType<typeof runProgram> => runProgram(home, args, {env: {TINYAGENT_NO_KEYRING: '1'}})
  expect(await run('--offline', 'tools', 'sign-in', 'remote')).toMatchObject({code: 2, stderr: expect.stringContaining('--offline is on') as string})
  expect(await run('tools', 'sign-in', 'local')).toMatchObject({code: 2, stderr: expect.stringContaining('local is a program on this machine') as string})
  expect(await run('tools', 'sign-in', 'nobody')).toMatchObject({code: 2, stderr: expect.stringContaining('There is no MCP server nobody') as string})
})
