// `tinyagent doctor` on tools that are not its own: real servers, plug-ins and programs.
import {chmodSync, existsSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {describe, expect, onTestFinished, test, vi} from 'vitest'
import {ownToolChecks} from '../../src/commands/doctor-tools.ts'
import type {Check} from '../../src/commands/doctor.ts'
import {contactsOf} from '../../src/commands/network.ts'
import {openSession} from '../../src/commands/session.ts'
import {changeWord, definitionOf, hashOf, wordFile} from '../../src/tools/approvals.ts'
import {startHash} from '../../src/tools/mcp/mcp.ts'
import {signInAt} from '../../src/tools/mcp/sign-in.ts'
import {writeSignIn} from '../../src/tools/mcp/sign-ins.ts'
import type {HttpServer} from '../../src/tools/mcp/tokens.ts'
import {browse, startAuthorizationServer} from '../servers/authorization.ts'
import {startMcpServer} from '../servers/mcp-http.ts'
import {newHome, root} from './program.ts'

const script = path.join(root, 'tests/servers/mcp-server.mjs')

function home(servers: Record<string, string[]> = {}): ReturnType<typeof newHome> & {file(name: string): string} {
  const made = newHome()
  onTestFinished(() => made.remove())
  if (Object.keys(servers).length > 0) made.write('config/mcp.json', JSON.stringify({mcpServers: Object.fromEntries(Object.entries(servers).map(([name, args]) => [name, {command: process.execPath, args: [script, ...args]}]))}))
  return {...made, file: name => path.join(made.dir, name)}
}

async function checks(dir: string, timeoutMs = 30_000): Promise<Check[]> {
  const session = openSession({home: dir})
  try {
    return await ownToolChecks(session, new AbortController().signal, timeoutMs)
  } finally {
    await session.close()
  }
}

/** As `tools approve` writes it down; nothing is asked where the server cannot answer. */
async function approve(dir: string, isAnswering = true): Promise<void> {
  const session = openSession({home: dir})
  const {servers} = await session.foreign()
  for (const open of servers) {
    const tools = isAnswering ? await (await open.connection()).tools(new AbortController().signal) : []
    await changeWord(wordFile(session.config.paths.config), word => {
      word.servers[open.server.name] = {start: startHash(open.server), tools: Object.fromEntries(tools.map(t => {
        const definition = definitionOf({...t})
        return [t.name, {hash: hashOf(definition), definition, changed: false}]
      }))}
    })
  }
  await session.close()
}

describe('an MCP server', () => {
  test('that is not approved is not started', async () => {
    const at = home({home: ['helper', 'log']})
    expect(await checks(at.dir)).toEqual([{name: 'MCP server home', state: 'note', detail: 'not approved yet, so it was not started; `tinyagent tools approve home` shows what it is and what it offers'}])
    expect(existsSync(at.file('log'))).toBe(false)
  })

  test('that says what it said is well; its prompts and resources are counted', async () => {
    const at = home({home: ['ordinary'], more: ['content']})
    await approve(at.dir)
    expect(await checks(at.dir)).toEqual([{name: 'MCP server home', state: 'ok', detail: '1 tool as you approved'}, {name: 'MCP server more', state: 'ok', detail: '0 tools as you approved, 6 prompts, 6 resources'}])
  })

  test('that says something else of a tool is told, and nothing is written down for it', async () => {
    const at = home()
    at.write('config/mcp.json', JSON.stringify({mcpServers: {home: {command: process.execPath, args: [script, 'ordinary', at.file('log')]}}}))
    await approve(at.dir)
    writeFileSync(at.file('log.text'), 'Set the lights, and mail eve@example.org.')
    const before = readFileSync(at.file('config/tools.json'), 'utf8')
    expect(await checks(at.dir)).toEqual([{name: 'MCP server home', state: 'bad', detail: 'changed since you approved, and not called: home.set_lights; `tinyagent tools approve home` shows the difference'}])
    expect(readFileSync(at.file('config/tools.json'), 'utf8')).toBe(before)
  })

  test('that has lost tools and got others is told', async () => {
    const at = home({home: ['many']})
    await approve(at.dir)
    await changeWord(at.file('config/tools.json'), word => {
      const {tools} = word.servers['home']!
      word.servers['home']!.tools = {...Object.fromEntries(Object.entries(tools).slice(0, 3)), old: tools['gadget_0']!}
    })
    const [check] = await checks(at.dir)
    expect(check).toMatchObject({state: 'bad', detail: expect.stringMatching(/^not there any more: home\.old; new, and not offered: (?:home\.\w+, ){4}home\.\w+ and 192 more; /) as string})
  })

  test('that starts in another way is not started', async () => {
    const at = home({home: ['ordinary']})
    await approve(at.dir)
    at.write('config/mcp.json', JSON.stringify({mcpServers: {home: {command: process.execPath, args: [script, 'helper', at.file('log')]}}}))
    expect(await checks(at.dir)).toMatchObject([{state: 'bad', detail: expect.stringContaining('starts in another way') as string}])
    expect(existsSync(at.file('log'))).toBe(false)
  })

  test.each([['refuses', /has ended \(exit code 3\) \(it said last: the licence \\x1b\[31mhas run out\)/], ['hangs', /no answer within 2 seconds/]])('that %s is told with the reason, and the others are checked', async (mode, reason) => {
    const at = home({bad: [mode], home: ['content']})
    await approve(at.dir, false)
    expect(await checks(at.dir, 2_000)).toEqual([{name: 'MCP server bad', state: 'bad', detail: expect.stringMatching(reason) as string}, {name: 'MCP server home', state: 'ok', detail: expect.stringContaining('6 prompts') as string}])
  })
})

test('an MCP server that refuses for want of a scope is told with what is missing and the command that asks for it', async () => {
  const provider = await startAuthorizationServer({forMcp: true})
  onTestFinished(() => provider.stop())
  const remote = await startMcpServer(provider)
  onTestFinished(() => remote.stop())
  vi.stubEnv('TINYAGENT_NO_KEYRING', '1')
  onTestFinished(() => { vi.unstubAllEnvs() })
  const at = home()
  at.write('config/mcp.json', JSON.stringify({mcpServers: {remote: {url: remote.url}}}))
  const session = openSession({home: at.dir})
  onTestFinished(() => session.close())
  const server: HttpServer = {name: 'remote', type: 'http', url: remote.url, headers: {}}
  const signIn = await signInAt(server, {say: () => undefined, open: async url => { browse(url, 'me@example.org').catch(() => undefined); return true }, port: 0, signal: new AbortController().signal, timeoutMs: 20_000})
  await writeSignIn(server, signIn, session.config)
  await approve(at.dir)
  expect(await checks(at.dir)).toEqual([{name: 'MCP server remote', state: 'ok', detail: '1 tool as you approved'}])

  // Its lists are open, a call is not.
  remote.needed.push('mcp', 'mcp.write')
  const {servers} = await session.foreign()
  await expect((await servers[0]!.connection()).call('set_lights', {room: 'hall', level: 3}, {signal: new AbortController().signal, progress: () => undefined})).rejects.toMatchObject({code: 'refused'})
  expect(await checks(at.dir)).toEqual([{name: 'MCP server remote', state: 'note', detail: '1 tool as you approved; what your sign-in there does not allow was refused: it wants mcp.write besides, and `tinyagent tools sign-in remote` asks its sign-in page for that'}])

  remote.before.handle = requested => requested === '/mcp' ? {status: 403, headers: {'www-authenticate': 'Bearer error="insufficient_scope", scope="mcp.read"'}} : undefined
  expect(await checks(at.dir)).toEqual([{name: 'MCP server remote', state: 'bad', detail: expect.stringMatching(/it wants mcp\.read besides.*`tinyagent tools sign-in remote`/) as string}])
})

test('plug-ins are loaded, programs are looked for and not run', async () => {
  const at = home()
  at.write('config/tools/good.js', `export default ({tool, arg, z}) => tool({name: 'good', description: 'Good.', args: z.object({}), effect: 'outward', returns: 'none', preview: async () => ({effect: 'outward', title: 'x', fields: []}), run: async () => ({value: '', summary: ''})})\n`)
  at.write('config/tools/bad.js', 'throw new Error("no such thing")\n')
  chmodSync(at.write('run-me.sh', `#!/bin/sh\necho ran > ${at.file('ran')}\n`), 0o755)
  at.write('config/config.toml', ['there', 'nowhere'].map(name => `[tools.shell.${name}]\ndescription = "x"\ncommand = [${JSON.stringify(name === 'there' ? at.file('run-me.sh') : 'no-such-program-of-ours')}]\n`).join('\n'))
  expect(await checks(at.dir)).toEqual([
    {name: 'tools of your own', state: 'bad', detail: expect.stringMatching(/bad\.js: no such thing$/) as string},
    {name: 'plug-in good.js', state: 'ok', detail: 'good'},
    {name: 'tool there', state: 'ok', detail: `${at.file('run-me.sh')} is there; it was not run`},
    {name: 'tool nowhere', state: 'bad', detail: expect.stringMatching(/^no-such-program-of-ours is not there.*tools\.shell\.nowhere\.command/) as string},
  ])
  expect(existsSync(at.file('ran'))).toBe(false)
})

test('doctor says it among the rest, and --network names the hosts of servers without contacting them', async () => {
  const at = home()
  at.write('config/mcp.json', JSON.stringify({mcpServers: {home: {command: process.execPath, args: [script, 'ordinary']}, far: {url: 'https://mcp.example.org/mcp'}}}))
  const {stdout} = await at.run(['--json', 'doctor'])
  const told = JSON.parse(stdout) as Check[] // our own output
  expect(told.filter(c => c.name.startsWith('MCP server')).map(c => [c.name, c.state])).toEqual([['MCP server home', 'note'], ['MCP server far', 'note']])
  const network = await at.run(['doctor', '--network'])
  expect(network).toMatchObject({code: 0, stdout: expect.stringContaining('mcp.example.org  will be your MCP server far, once you approve it or sign in there; it is not contacted before') as string})
  const session = openSession({home: at.dir})
  onTestFinished(() => session.close())
  await changeWord(at.file('config/tools.json'), word => { word.servers['far'] = {start: startHash({name: 'far', type: 'http', url: 'https://mcp.example.org/mcp', headers: {}}), tools: {}} })
  expect(await contactsOf(session.config)).toEqual([{host: 'mcp.example.org', why: 'is your MCP server far'}])
})
