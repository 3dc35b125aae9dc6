// "@SERVER:URI" in a request: a real MCP server, and a planner on a server that stands in for others' and names the file that it was told.
import fs from 'node:fs'
import path from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import type {Event} from '../../src/core/types.ts'
import {checkEvents} from '../check-events.ts'
import {eventsOf, fakeChat, stream, type FakeChat} from '../servers/chat-completions.ts'
import {linesOf, newHome, root} from './program.ts'

let home: ReturnType<typeof newHome>
let server: FakeChat
let tmp = ''
beforeEach(() => { home = newHome(); tmp = path.join(home.dir, 'tmp'); fs.mkdirSync(tmp) })
afterEach(async () => { home.remove(); await server.stop() })

/** `plan` with FILE in it for the name that the request holds by then. */
async function prepare(plan: string): Promise<void> {
  server = await fakeChat([(response, {body}) => {
    const file = /[\w-]+-[0-9a-f]{6}\.\w+/.exec(body.messages.at(-1)!.content)?.[0] ?? 'NO FILE'
    stream(response).end(eventsOf(plan.replaceAll('FILE', file)))
  }])
  home.write('config/config.toml', `[model]\nplanner = "mine"\n[model.endpoints.mine]\nurl = "${server.url}"\nmodel = "m"\n[user]\nname = "Sam"\nemail = "sam@example.org"\n[confirm]\nrules = ["allow anything to +14155550123", "allow anything to ana@example.org"]\n`)
  home.write('config/mcp.json', JSON.stringify({mcpServers: {home: {command: process.execPath, args: [path.join(root, 'tests/servers/mcp-server.mjs'), 'content']}, other: {command: process.execPath, args: ['-e', 'process.exit(1)']}}}))
  await home.run(['tools', 'approve', 'home', '--yes'])
}
const run = async (args: string[], request: string): Promise<{code: number; stderr: string; events: Event[]}> => {
  const {code, stdout, stderr} = await home.run(['--json', ...args, '--now', '2026-03-03T09:15:00', request], {env: {TMPDIR: tmp}})
  const events = linesOf(stdout).map(line => JSON.parse(line) as Event) // lines of our own program
  if (events.length > 0) checkEvents(events)
  expect(fs.readdirSync(tmp)).toEqual([]) // what was read goes with the session
  return {code, stderr, events}
}
const cardOf = (events: Event[]) => events.flatMap(e => e.type === 'confirm-asked' ? [e.preview] : [])[0]

test('as a mail\'s attachment it is a file, shown with its size and whose it is, and no rule lets it go', async () => {
  await prepare('1. compose_new_email(["ana@example.org"], [], "Notes", "Here they are", ["FILE"])\n2. join()\n')
  const {code, events} = await run([], 'email @home:note:///today, to ana@example.org')
  expect(code).toBe(3)
  expect(events.find(e => e.type === 'attached')).toEqual({type: 'attached', files: [{from: 'note:///today of the MCP server home', path: expect.stringMatching(/\/today-[0-9a-f]{6}\.txt$/) as string, bytes: 17, type: 'text/plain'}]})
  const card = cardOf(events)!
  expect(card).toMatchObject({sources: {attachments: 'document'}, attachments: [{bytes: 17, from: 'note:///today of the MCP server home'}]})
  expect(JSON.stringify(card.body)).not.toContain('milk')
  // The planner, wherever it is, gets a name and nothing of what is in it.
  expect(server.received.map(r => JSON.stringify(r.body)).join('')).not.toContain('milk')
})

test('in the text of a message it is what it says, made safe, marked as somebody else\'s; and it is sent by a yes', async () => {
  await prepare('1. send_sms(["+14155550123"], "For you: FILE")\n2. join()\n')
  const {code, events} = await run([], 'text +14155550123 @home:note:///today')
  expect([code, cardOf(events)]).toEqual([3, expect.objectContaining({sources: {recipients: 'user', message: 'document'}, body: expect.objectContaining({text: 'For you: Buy \\x1b[31mmilk\\x1b[0m'})})])
  const plain = await home.run(['--dry-run', 'text +14155550123 @home:note:///today'], {env: {TMPDIR: tmp}})
  expect([plain.stdout, plain.stderr]).toEqual([expect.stringContaining('Text (FROM A DOCUMENT OR MAIL):\n    For you: Buy'), expect.stringContaining('attached: note:///today of the MCP server home (17 B, text/plain)')])
  expect((await run(['--yes'], 'text +14155550123 @home:note:///today')).code).toBe(0)
  expect(fs.readdirSync(path.join(home.dir, 'data/sms'))).toHaveLength(1)
})

test('a message that is a look-up of it is what it says, once, whatever the planner makes of its name', async () => {
  await prepare('1. open_and_get_file_path("FILE")\n2. send_sms(["+14155550123"], "$1")\n3. join()\n')
  expect(cardOf((await run([], 'find the file @home:note:///today, and text it to +14155550123')).events)).toMatchObject({sources: {message: 'document'}, body: {text: 'Buy \\x1b[31mmilk\\x1b[0m'}})
  await server.stop()
  await prepare('1. open_and_get_file_path("FILE")\n2. send_sms(["+14155550123"], "Here is FILE: $1")\n3. join()\n')
  expect(cardOf((await run([], 'find the file @home:note:///today, and text it to +14155550123')).events)!.body!.text).toMatch(/^Here is today-[0-9a-f]{6}\.txt: Buy \S+milk\S+$/)
})

test('what is no text is named in a message, and a picture keeps its bytes as an attachment', async () => {
  await prepare('1. send_sms(["+14155550123"], "FILE")\n2. compose_new_email(["ana@example.org"], [], "A picture", "See FILE", ["FILE"])\n3. join()\n')
  const {events} = await run([], 'send ana@example.org an email with @home:note:///picture attached, and text +14155550123 about it')
  const cards = events.flatMap(e => e.type === 'confirm-asked' ? [e.preview] : [])
  const mail = cards.find(card => card.attachments)
  expect(mail).toMatchObject({attachments: [{bytes: 12_345, type: 'image/png'}], body: {text: expect.stringMatching(/^See picture-[0-9a-f]{6}\.png/) as string}})
  expect(cards.find(card => card !== mail)).toMatchObject({body: {text: expect.stringMatching(/^picture-[0-9a-f]{6}\.png$/) as string}, sources: {message: 'document'}})
})

test('a planner that looks for the file first, or writes its name alone, means the same', async () => {
  await prepare('1. open_and_get_file_path("FILE")\n2. compose_new_email(["ana@example.org"], [], "Notes", "", ["$1"])\n3. create_note("Milk", "FILE", "")\n4. join()\n')
  const {events} = await run([], 'find @home:note:///today, mail it to ana@example.org and make a note called Milk of it')
  expect(events.find(e => e.type === 'task-done' && e.id === 1)).toMatchObject({result: {summary: 'Read note:///today of the MCP server home'}})
  expect(cardOf(events)).toMatchObject({sources: {attachments: 'document'}, attachments: [{from: 'note:///today of the MCP server home'}]})
  expect(fs.readFileSync(path.join(home.dir, 'data/notes/Milk.md'), 'utf8')).toContain('milk\\x1b[0m')
})

test('what cannot be read ends the run before it is planned, and says why', async () => {
  await prepare('1. join()\n')
  for (const [request, code, message] of [
    ['mail @home:note:///nowhere to Ana', 1, 'note:///nowhere'], ['mail @other:x to Ana', 1, 'The MCP server other is not approved yet'], ['mail @home:note:///huge to Ana', 1, '6.0 MB, 5 MB at most'],
    ['mail @home:note:///folder to Ana', 1, 'is 2 files, not all of them text: name one of them (note:///a, note:///b)'],
  ] as const) {
    const ran = await run([], request)
    expect([ran.code, ran.events.map(e => e.type)]).toEqual([code, ['request', 'error', 'done']])
    expect(ran.events[1]).toMatchObject({error: {message: expect.stringContaining(message) as string}})
  }
  expect(await run([], 'mail @nobody:note://x to Ana')).toMatchObject({code: 2, stderr: expect.stringContaining('there is no MCP server nobody; there: home, other') as string})
  expect(await home.run(['plan', 'mail @home:note:///today to Ana'])).toMatchObject({code: 2, stderr: expect.stringContaining('A plan alone holds no resources') as string})
  expect(server.received).toEqual([])
  // No server of that name: text as any other.
  await run([], 'text Ana that I am @home: now, @bob:here')
  expect(server.received[0]!.body.messages.at(-1)!.content).toContain('@home: now, @bob:here')
})
