// Resources and prompts of MCP servers, against a real server made with the official SDK.
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {describe, expect, onTestFinished, test} from 'vitest'
import {contentsOf, fillPrompt, readResource, type AskedArgument} from '../../src/tools/mcp/content.ts'
import {openServer, type OpenServer} from '../../src/tools/mcp/mcp.ts'

const script = path.resolve('tests/servers/mcp-server.mjs')

function open(mode: string, timeoutMs = 30_000): {open: OpenServer; notes(): unknown[]} {
  const dir = mkdtempSync(path.join(tmpdir(), 'tinyagent-content-'))
  const log = path.join(dir, 'log')
  const opened = openServer({name: 'home', type: 'stdio', command: process.execPath, args: [script, mode, log], env: {}, timeoutMs}, {wordFile: path.join(dir, 'tools.json'), configDir: dir, env: process.env, version: '1.2.3'})
  onTestFinished(async () => { await opened.close(); rmSync(dir, {recursive: true, force: true}) })
  return {open: opened, notes: () => existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').map(line => JSON.parse(line) as unknown) : []}
}
const signal = (): AbortSignal => new AbortController().signal

describe('what a server has', () => {
  test('is listed, with nothing in it that a terminal obeys', async () => {
    const {prompts, resources, left} = await contentsOf(open('content').open, signal())
    expect(prompts[0]).toEqual({name: 'brief', description: 'A briefing on a city.\\x1b[2J', args: [{name: 'city', description: 'which city', isRequired: true}, {name: 'tone', description: '', isRequired: false}]})
    expect(resources[0]).toEqual({uri: 'note:///today', isTemplate: false, title: 'Today\\x1b]0;owned\\x07', mimeType: 'text/plain', size: 11})
    expect(resources.at(-1)).toEqual({uri: 'note:///day/{day}', isTemplate: true, title: 'A day'})
    expect(left).toBe(0)
  })

  test('is nothing where it has tools alone', async () => {
    expect(await contentsOf(open('ordinary').open, signal())).toEqual({prompts: [], resources: [], left: 0})
    await expect(readResource(open('ordinary').open, 'note:///today', signal())).rejects.toMatchObject({code: 'failed', message: expect.stringContaining('home') as string})
    await expect(fillPrompt(open('ordinary').open, 'brief', {}, signal())).rejects.toMatchObject({code: 'usage', message: 'home has no prompt brief; it has none'})
  })

  test('comes in pages, and all of them are asked for', async () => {
    const {open: server, notes} = open('pages')
    const {resources} = await contentsOf(server, signal())
    expect(resources.map(r => r.uri)).toEqual(Array.from({length: 250}, (_, i) => `item:///${i}`))
    expect(notes()).toEqual([{page: 0}, {page: 100}, {page: 200}])
  })
})

describe('a resource', () => {
  test('is text, cut where it is large, and named with its size where it is no text', async () => {
    const {open: server} = open('content')
    expect(await readResource(server, 'note:///today', signal())).toBe('Buy \\x1b[31mmilk\\x1b[0m')
    expect(await readResource(server, 'note:///day/Friday', signal())).toBe('Nothing on Friday')
    expect(await readResource(server, 'note:///picture', signal())).toBe('[image/png, 12345 bytes]')
    expect((await readResource(server, 'note:///big', signal())).slice(19_990)).toBe('xxxxxxxxxx... (480000 more characters)')
  })

  test('that is a template asks for its parts, with what the server completes them to', async () => {
    const {open: server} = open('content')
    const asked: AskedArgument[] = []
    expect(await readResource(server, 'note:///day/{day}', signal(), async missing => { asked.push(...missing); return {day: 'next Monday'} })).toBe('Nothing on next%20Monday')
    expect(asked).toEqual([{name: 'day', description: '', isRequired: true, suggestions: ['today', 'Friday']}])
    await expect(readResource(server, 'note:///day/{day}', signal())).rejects.toMatchObject({code: 'usage', message: expect.stringContaining('with day in the place of the braces') as string})
  })

  test('that is not there says so', async () => {
    await expect(readResource(open('content').open, 'note:///nowhere', signal())).rejects.toMatchObject({code: 'failed', message: expect.stringContaining('note:///nowhere') as string})
  })
})

describe('a prompt', () => {
  test('is filled in with what the user gave, and made safe', async () => {
    const {open: server, notes} = open('content')
    expect(await fillPrompt(server, 'brief', {city: 'Oslo "x"; $(y)'}, signal())).toBe('Remind me to read about Oslo "x"; $(y) tomorrow at 9am')
    expect(notes()).toEqual([{prompt: 'brief', city: 'Oslo "x"; $(y)'}])
    expect(await fillPrompt(server, 'hostile', {}, signal())).toBe('Text Ana hi\\x1b[2J\\u{202e}\\x1b]52;c;AAAA\\x07 now')
    expect(await fillPrompt(server, 'talk', {}, signal())).toBe('You: Hello\n\nAssistant: Good day\n\nYou: [image, image/png, 1000 bytes]')
  })

  test('that lacks an argument, or gets one that it does not know, is not asked for', async () => {
    const {open: server, notes} = open('content')
    await expect(fillPrompt(server, 'brief', {}, signal())).rejects.toMatchObject({code: 'usage', message: 'home\'s prompt brief needs city=... (which city)'})
    await expect(fillPrompt(server, 'brief', {city: 'Oslo', town: 'x'}, signal())).rejects.toMatchObject({code: 'usage', message: 'home\'s prompt brief takes no town; it takes city, tone'})
    await expect(fillPrompt(server, 'nothing', {}, signal())).rejects.toMatchObject({code: 'usage', message: 'home has no prompt nothing; it has brief, hostile, command, talk, long, slow'})
    expect(notes()).toEqual([])
  })

  test('is asked for with completions: none that a terminal would obey, none where the server is slow, and nothing of an answer goes there before the last', async () => {
    const {open: server, notes} = open('content')
    const asked: AskedArgument[] = []
    expect(await fillPrompt(server, 'brief', {}, signal(), async missing => { asked.push(...missing); return {city: 'Bergen'} })).toBe('Remind me to read about Bergen tomorrow at 9am')
    expect(asked).toEqual([{name: 'city', description: 'which city', isRequired: true, suggestions: ['New York', 'Oslo', 'Osaka']}, {name: 'tone', description: '', isRequired: false, suggestions: []}])
    expect(notes()).toEqual([{complete: ''}, {prompt: 'brief', city: 'Bergen'}])
  })

  test('that never answers ends at the time limit', async () => {
    await expect(fillPrompt(open('content', 1_500).open, 'slow', {}, signal())).rejects.toMatchObject({code: 'timeout', message: 'The MCP server home did not answer in time'})
  })

  test('that the user stops is stopped at the server', async () => {
    const {open: server, notes} = open('content')
    const stop = new AbortController()
    const asked = fillPrompt(server, 'slow', {}, stop.signal)
    while (!notes().some(n => JSON.stringify(n).includes('asked'))) await new Promise(resolve => setImmediate(resolve))
    stop.abort()
    await expect(asked).rejects.toMatchObject({name: 'AbortError'})
    // The server hears of it a moment later.
    await expect.poll(notes, {timeout: 10_000}).toContainEqual({stopped: 'slow'})
  })
})
