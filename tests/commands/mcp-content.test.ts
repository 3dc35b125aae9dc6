// `tinyagent mcp list|read|prompt` with a real MCP server: only what was approved is started, and texts are safe for a terminal.
import {existsSync} from 'node:fs'
import path from 'node:path'
import {expect, onTestFinished, test} from 'vitest'
import {newHome, root} from './program.ts'

const script = path.join(root, 'tests/servers/mcp-server.mjs')

function home(servers: Record<string, string>): ReturnType<typeof newHome> {
  const made = newHome()
  onTestFinished(() => made.remove())
  made.write('config/mcp.json', JSON.stringify({mcpServers: Object.fromEntries(Object.entries(servers).map(([name, mode]) => [name, {command: process.execPath, args: [script, mode, path.join(made.dir, `${name}.log`)]}]))}))
  return made
}

test('resources and prompts are listed, read and filled in on the command line, once the server is approved', async () => {
  const at = home({home: 'content', plain: 'helper'})
  const refused = await at.run(['mcp', 'read', 'home', 'note:///today'])
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('The MCP server home is not approved yet, so it was not started: `tinyagent tools approve home` shows what it is')])

  // It has no tools at all, and is approved all the same.
  expect(await at.run(['tools', 'approve', 'home', '--yes'])).toMatchObject({code: 0, stderr: ''})
  const list = await at.run(['mcp', 'list'])
  expect(list.stdout).toContain('home:\n  prompt brief city=... [tone=...]  A briefing on a city.\\x1b[2J\n')
  expect(list.stdout).toContain('\n  resource note:///today  Today\\x1b]0;owned\\x07 (text/plain, 11 bytes)\n')
  expect(list.stdout).toContain('plain: The MCP server plain is not approved yet')
  expect([list.code, list.stdout.includes('\u001b'), existsSync(path.join(at.dir, 'plain.log'))]).toEqual([1, false, false])
  const [first] = JSON.parse((await at.run(['--json', 'mcp', 'list', 'home'])).stdout) as {contents: {prompts: {name: string}[]}}[] // our own output
  expect(first!.contents.prompts.map(p => p.name)).toContain('talk')

  expect(await at.run(['mcp', 'read', 'home', 'note:///picture'])).toEqual({code: 0, stdout: '[image/png, 12345 bytes]\n', stderr: ''})
  expect(await at.run(['mcp', 'prompt', 'home', 'brief', 'city=New York', 'tone=dry'])).toEqual({code: 0, stdout: 'Remind me to read about New York in a dry tone tomorrow at 9am\n', stderr: ''})
  expect((await at.run(['--json', 'mcp', 'prompt', 'home', 'hostile'])).stdout).not.toContain('\u001b')
})

test('mistakes are told in one line', async () => {
  const at = home({home: 'content'})
  await at.run(['tools', 'approve', 'home', '--yes'])
  for (const [args, message] of [
    [['what'], 'there is list [SERVER], read SERVER URI and prompt SERVER NAME'], [['read', 'home'], 'needs a server and the address'], [['read', 'nobody', 'x'], 'There is no MCP server nobody; there: home'],
    [['prompt', 'home', 'brief', 'Oslo'], 'Oslo: expected KEY=VALUE'], [['prompt', 'home', 'brief'], 'needs city=... (which city)'],
  ] as const) {
    const {code, stdout, stderr} = await at.run(['mcp', ...args])
    expect([code, stdout, stderr.trim().split('\n').length, stderr]).toEqual([2, '', 1, expect.stringContaining(message)])
  }
})
