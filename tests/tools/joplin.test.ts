// Notes in Joplin: the contract against a stand-in that checks what it gets, and against the real program where TINYAGENT_TEST_JOPLIN names it.
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest'
import type {Tool} from '../../src/core/types.ts'
import {joplinNotebooks, openJoplinNotes} from '../../src/tools/notes/joplin.ts'
import {notesTools, type NotesBackend} from '../../src/tools/notes/notes.ts'
import {joplinToken, startJoplin, startJoplinStandIn, type JoplinServer, type StandIn} from '../servers/joplin.ts'
import {notesContract} from './notes-contract.ts'
import {contextFor, tempFolder, toolError} from './vdir-programs.ts'

let temp: Awaited<ReturnType<typeof tempFolder>>
beforeEach(async () => { temp = await tempFolder() })
afterEach(() => temp.remove())

const token = async (): Promise<string> => joplinToken
const backendOf = (server: JoplinServer): NotesBackend => openJoplinNotes({url: server.url, notebook: 'Notes', token, dir: temp.path})

describe('with the stand-in', () => {
  let server: StandIn
  let backend: NotesBackend
  beforeEach(async () => {
    server = await startJoplinStandIn(2)
    backend = backendOf(server)
  })
  afterEach(async () => {
    await server.stop()
    expect(server.problems).toEqual([])
  })

  notesContract('Joplin', async () => ({backend, close: async () => undefined}))

  const tool = (name: string): Tool => notesTools(backend).find(t => t.name === name) ?? expect.fail(`no ${name}`)
  const create = (name: string, content: string, folder = '') => tool('create_note').run({name, content, folder}, contextFor())
  const append = (name: string, content: string, folder = '') => tool('append_note_content').run({name, content, folder}, contextFor())
  const bodies = (): unknown[] => [...server.notes.values()].filter(n => n.deleted_time === 0).map(n => n['body'])

  test('a note without a folder goes into the usual notebook, one with a path below the notebooks of that name', async () => {
    expect(await create('Shopping', 'milk')).toMatchObject({summary: "Made the note 'Shopping'", where: expect.stringMatching(/^joplin:\/\/x-callback-url\/openNote\?id=[0-9a-f]{32}$/)})
    expect((await create('Packing', 'socks', 'Trips/Berlin')).summary).toBe("Made the note 'Packing' in Trips/Berlin")
    expect((await create('Hotels', 'x', 'berlin')).summary).toBe("Made the note 'Hotels' in Trips/Berlin")
    const folders = [...server.folders.values()]
    expect(folders.map(f => [f.title, folders.find(p => p.id === f['parent_id'])?.title])).toEqual([['Notes', undefined], ['Trips', undefined], ['Berlin', 'Trips']])
    expect((await backend.find('shopping', 'notes')).map(n => n.name)).toEqual(['Shopping'])
  })

  test('a preview writes nothing', async () => {
    await tool('create_note').preview({name: 'a', content: 'b', folder: 'c'}, contextFor())
    await tool('append_note_content').preview({name: 'a', content: 'b', folder: 'c'}, contextFor())
    expect(server.requests.filter(r => !r.startsWith('GET'))).toEqual([])
  })

  test.each(['![x](http://127.0.0.1:1/x.png)', '<img src="file:///etc/hostname">', '- [ ] milk'])('a new note with %j is made empty and then filled, so that Joplin fetches nothing', async content => {
    await create('Log', content)
    expect(server.requests.filter(r => /notes/.test(r) && !r.startsWith('GET')).map(r => r.split(' ')[0])).toEqual(['POST', 'PUT'])
    expect(bodies()).toEqual([content])
  })

  test('when another program saves what it had read before, ours is added again, and once', async () => {
    await create('Log', 'start')
    const note = [...server.notes.values()][0]!
    server.afterChange(() => { note['body'] = 'start\nby hand' })
    await append('Log', 'ours')
    expect(bodies()).toEqual(['start\nby hand\nours'])
    server.afterChange(() => { note['body'] = `${String(note['body'])}\nlater` })
    await append('Log', 'ours')
    expect(bodies()).toEqual(['start\nby hand\nours\nours\nlater'])
  })

  test('another program that never stops is not fought', async () => {
    await create('Log', 'start')
    const note = [...server.notes.values()][0]!
    const again = (): void => { note['body'] = 'start'; server.afterChange(again) }
    again()
    expect((await toolError(append('Log', 'ours'))).message).toContain('Another program keeps writing')
  })

  test.each(['lost', 'before'] as const)('a change that is cut off (%s) is made once, or said not to be made', async how => {
    await create('Log', 'start')
    server.fail('PUT', how)
    await append('Log', 'x')
    expect(bodies()).toEqual(['start\nx'])
    const {undo} = await create('Other', 'y')
    server.fail('DELETE', how)
    if (how === 'lost') expect(await backend.undo(undo!)).toContain('trash')
    else expect((await toolError(backend.undo(undo!))).message).toContain('is as it was. Try again.')
    expect(bodies()).toEqual(how === 'lost' ? ['start\nx'] : ['start\nx', 'y'])
  })

  test('a new note whose answer is lost is looked up by its id, and made once', async () => {
    await create('First', 'x')
    server.fail('POST', 'lost')
    expect((await create('Shopping', 'milk')).summary).toBe("Made the note 'Shopping'")
    server.fail('POST', 'before')
    expect((await toolError(create('Other', 'x'))).message).toBe('Joplin broke the connection, and nothing was made. Try again.')
    expect(bodies()).toEqual(['x', 'milk'])
  })

  test('a note that could not be filled does not stay behind empty', async () => {
    await create('First', 'x')
    server.fail('PUT', 'refused')
    const error = await toolError(create('Log', '- [ ] milk'))
    expect([error.code, error.message]).toEqual(['failed', 'Joplin refused it (HTTP 500: Internal Server Error: The disk of ... is full:).'])
    expect(bodies()).toEqual(['x'])
  })

  test('a note that was cut off is found, or said to be unclear', async () => {
    const since = new Date()
    await create('Log', 'start')
    const call = {key: 'k', at: since, signal: new AbortController().signal}
    const settle = (name: string, args: object, at = since) => tool(name).settle?.(args as never, {...call, at})
    expect(await settle('create_note', {name: 'Log', content: 'start', folder: ''})).toMatchObject({state: 'done', summary: "Made the note 'Log'"})
    expect(await settle('create_note', {name: 'Log', content: 'other', folder: ''})).toMatchObject({state: 'unknown'})
    expect(await settle('create_note', {name: 'None', content: 'x', folder: ''})).toMatchObject({state: 'failed'})
    await append('Log', 'more')
    const settled = await settle('append_note_content', {name: 'Log', content: 'more', folder: ''})
    expect(settled).toMatchObject({state: 'done', summary: "Added to the note 'Log'"})
    expect(await settle('append_note_content', {name: 'Log', content: 'nothing', folder: ''}, new Date(Date.now() + 60_000))).toMatchObject({state: 'failed'})
    await backend.undo(settled?.undo ?? null)
    expect(bodies()).toEqual(['start\n'])
  })

  test('undo moves to the trash, and leaves a note that was changed or is in the trash', async () => {
    const {undo} = await create('Log', 'start')
    expect(await backend.undo(undo!)).toBe('Moved the note \'Log\' to Joplin\'s trash')
    expect(server.notes.size).toBe(1)
    expect((await toolError(backend.undo(undo!))).code).toBe('refused')
    const other = await create('Log', 'again')
    await append('Log', 'more')
    expect((await toolError(backend.undo(other.undo!))).message).toContain('has changed since')
  })

  test('HTML notes are read and not added to, encrypted ones passed over', async () => {
    await create('Clip', '<p>x</p>')
    await create('Secret', 'x')
    const [clip, secret] = [...server.notes.values()]
    clip!['markup_language'] = 2
    secret!['encryption_applied'] = 1
    expect((await toolError(append('Clip', 'more'))).message).toContain('is kept as HTML')
    expect((await backend.list()).map(n => n.name)).toEqual(['Clip'])
  })

  test('a wrong token is said without the token, and nothing is written', async () => {
    const other = openJoplinNotes({url: server.url, notebook: 'Notes', token: async () => 'wrong-canary', dir: temp.path})
    const error = await toolError(other.create('a', 'b', ''))
    expect([error.code, error.message]).toEqual(['unavailable', 'Joplin does not take the token. Copy it from its options (Web Clipper, Advanced options); `tinyagent setup joplin` asks for it.'])
    expect(JSON.stringify(error) + String(error.cause)).not.toContain('canary')
  })

  test('a Joplin that is not running, or something else at its address, is said in one line', async () => {
    const elsewhere = createServer((_req, res) => res.end('hello'))
    await new Promise<void>(resolve => elsewhere.listen(0, '127.0.0.1', resolve))
    const {port} = elsewhere.address() as AddressInfo // a TCP server's
    const url = `http://127.0.0.1:${port}`
    expect((await toolError(joplinNotebooks({url, token}))).message).toContain('does not speak as Joplin 3 does')
    await new Promise(resolve => elsewhere.close(resolve))
    expect((await toolError(joplinNotebooks({url, token}))).message).toBe(`Joplin does not answer at 127.0.0.1:${port} (nothing answers at that address). Start it and its web clipper service (Options, Web Clipper), or \`joplin server start\`.`)
  })
})

const program = process.env['TINYAGENT_TEST_JOPLIN']
// It cannot be installed with npm alone everywhere (sqlite3 is compiled), so it is no part of the suite.
if (program) describe('with the real program', () => {
  let server: JoplinServer
  beforeAll(async () => { server = await startJoplin(program ?? '') }, 240_000)
  afterAll(() => server?.stop())
  afterEach(() => server.empty())

  notesContract('the real Joplin', async () => ({backend: backendOf(server), close: async () => undefined}))

  test('a new note fetches no picture, and its text stays as it is', async () => {
    const asked: string[] = []
    const pictures = createServer((req, res) => { asked.push(req.url ?? ''); res.end() })
    await new Promise<void>(resolve => pictures.listen(0, '127.0.0.1', resolve))
    const {port} = pictures.address() as AddressInfo // a TCP server's
    const text = `![x](http://127.0.0.1:${port}/a.png) <img src="http://127.0.0.1:${port}/b.png">`
    const {note} = await backendOf(server).create('Pictures', text, '')
    expect(await backendOf(server).read(note)).toBe(text)
    expect(asked).toEqual([])
    // What the detour is for: of a note that is made in one request it does fetch.
    await fetch(`${server.url}/notes?token=${joplinToken}`, {method: 'POST', body: JSON.stringify({title: 'direct', body: text})})
    expect(asked).toContain('/a.png')
    await new Promise(resolve => { pictures.closeAllConnections(); pictures.close(resolve) })
  })
})
