import {mkdir, readdir, readFile, stat, symlink, writeFile} from 'node:fs/promises'
import {join, relative} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {Json, Tool} from '../../src/core/types.ts'
import {openMarkdownNotes} from '../../src/tools/notes/markdown.ts'
import {fileName} from '../../src/tools/notes/match.ts'
import {notesTools, type NotesBackend} from '../../src/tools/notes/notes.ts'
import {notesContract} from './notes-contract.ts'
import {contextFor, tempFolder, toolError} from './vdir-programs.ts'

let temp: Awaited<ReturnType<typeof tempFolder>>
let root: string
let backend: NotesBackend
beforeEach(async () => {
  temp = await tempFolder()
  root = join(temp.path, 'notes')
  backend = openMarkdownNotes(root)
})
afterEach(() => temp.remove())

notesContract('a folder of Markdown', async () => {
  const {path, remove} = await tempFolder()
  return {backend: openMarkdownNotes(join(path, 'notes')), close: remove}
})

const named = (name: string): Tool => notesTools(backend).find(t => t.name === name) ?? expect.fail(`no ${name}`)
const create = (name: string, content = 'x', folder = '') => named('create_note').run({name, content, folder}, contextFor())
const write = async (file: string, content: string | Buffer): Promise<string> => {
  const path = join(root, file)
  await mkdir(join(path, '..'), {recursive: true})
  await writeFile(path, content)
  return path
}
const files = async (): Promise<string[]> =>
  (await readdir(temp.path, {recursive: true, withFileTypes: true})).filter(e => e.isFile()).map(e => relative(temp.path, join(e.parentPath, e.name))).sort()

describe('create_note', () => {
  test('a note is a Markdown file in its folder, readable by its owner only, and no half file is left', async () => {
    const result = await create('Packing list', '- socks\n- passport', 'Trips/Berlin')
    expect(result.summary).toBe("Made the note 'Packing list' in Trips/Berlin")
    expect(await files()).toEqual(['notes/Trips/Berlin/Packing list.md'])
    expect(await readFile(result.where ?? '', 'utf8')).toBe('- socks\n- passport\n')
    expect((await stat(result.where ?? '')).mode & 0o777).toBe(0o600)
  })

  test('a preview writes nothing', async () => {
    await named('create_note').preview({name: 'a', content: 'b', folder: 'c'}, contextFor())
    await named('append_note_content').preview({name: 'a', content: 'b', folder: 'c'}, contextFor())
    expect(await files()).toEqual([])
  })

  test.each([
    ['Rent 3/4 - "final": <draft>?', 'Rent 3-4 - -final- -draft-'],
    ['Einkäufe 🛒', 'Einkäufe 🛒'],
    ['家族👩‍👩‍👧', '家族👩‍👩‍👧'],
    ['C:\\Windows\\x', 'C-Windows-x'],
    ['.hidden', 'hidden'],
    ['con', 'con_'],
    ['todo.md', 'todo'],
    ['../../etc/passwd', 'etc-passwd'],
    ['\u202egnp.exe', 'gnp.exe'],
  ])('the name %j is the file %j, and is found again', async (name, file) => {
    const {where = ''} = await create(name)
    expect(where).toBe(join(root, `${file}.md`))
    expect((await backend.find(name, '')).map(n => n.path)).toEqual([where])
  })

  test('a long name of wide characters is cut between characters and fits every file system', () => {
    const name = fileName('👩‍👩‍👧'.repeat(100))
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(240)
    expect(name).toBe('👩‍👩‍👧'.repeat([...new Intl.Segmenter().segment(name)].length))
  })

  test.each(['', ' ', '...', '/', '\n'])('%j is no name', async name => {
    expect((await toolError(create(name))).message).toBe('The note has no name: say how it is called')
    expect(await files()).toEqual([])
  })

  test.each(['..', '../..', 'a/../..', '../../etc', '..\\x'])('the folder %j leads nowhere outside', async folder => {
    const error = await toolError(create('x', 'y', folder))
    expect([error.code, error.message]).toEqual(['invalid-args', 'The folder has no name: say how it is called'])
    expect(await files()).toEqual([])
  })

  test('an existing folder is used however it is capitalised, and by its last part', async () => {
    await mkdir(join(root, 'Work', 'Recipes'), {recursive: true})
    expect((await create('a', 'x', 'work')).where).toBe(join(root, 'Work', 'a.md'))
    expect((await create('b', 'x', 'recipes')).where).toBe(join(root, 'Work', 'Recipes', 'b.md'))
    expect((await create('c', 'x', 'New one')).where).toBe(join(root, 'New one', 'c.md'))
  })

  test('a folder that is a link to the outside is refused, and nothing is made there', async () => {
    const outside = join(temp.path, 'outside')
    await mkdir(outside)
    await mkdir(root)
    await symlink(outside, join(root, 'link'))
    expect((await toolError(create('x', 'y', 'link'))).code).toBe('refused')
    expect((await toolError(create('x', 'y', 'link/deeper'))).code).toBe('refused')
    expect(await readdir(outside)).toEqual([])
    const note = {name: 'x', folder: 'link', path: join(root, 'link', 'x.md')}
    await writeFile(join(outside, 'x.md'), 'secret')
    expect((await toolError(backend.read(note))).code).toBe('refused')
    expect((await toolError(backend.append(note, 'y'))).code).toBe('refused')
    expect(await readFile(join(outside, 'x.md'), 'utf8')).toBe('secret')
  })

  test('a file in the place of a folder is said in one line', async () => {
    await write('Work', 'a file')
    const error = await toolError(create('x', 'y', 'Work'))
    expect(error.code).toBe('failed')
    expect(error.message).toMatch(/could not be written \(E\w+\)\. Check/)
  })
})

describe('append_note_content', () => {
  const append = (name: string, content: string, folder = '') => named('append_note_content').run({name, content, folder}, contextFor())

  test.each<[string, Buffer, string, Buffer]>([
    ['bytes that are no UTF-8', Buffer.from([0x67, 0x72, 0xfc, 0xdf, 10]), 'x', Buffer.from([0x67, 0x72, 0xfc, 0xdf, 10, 0x78, 10])],
    ['a byte order mark', Buffer.from('\ufeffa\n'), 'x', Buffer.from('\ufeffa\nx\n')],
    ['a last line without an end', Buffer.from('a'), 'x', Buffer.from('a\nx\n')],
    ['line ends of Windows', Buffer.from('a\r\nb\r\n'), 'x\ny', Buffer.from('a\r\nb\r\nx\r\ny\r\n')],
    ['nothing', Buffer.from(''), 'x', Buffer.from('x\n')],
  ])('keeps %s, and undo gives them back', async (_, before, content, after) => {
    const path = await write('Old.md', before)
    const {undo} = await append('old', content)
    expect(await readFile(path)).toEqual(after)
    const {mode} = await stat(path)
    expect(await named('append_note_content').undo?.(undo as Json, contextFor())).toBe("Took the last lines out of the note 'Old'")
    expect(await readFile(path)).toEqual(before)
    expect((await stat(path)).mode).toBe(mode)
  })

  test('undo is refused when the note was changed since', async () => {
    const {where = ''} = await create('Shopping', 'milk')
    const {undo} = await append('shopping', 'bread')
    await writeFile(where, 'milk\nbread\nby hand\n')
    const error = await toolError(named('append_note_content').undo?.(undo as Json, contextFor()) ?? Promise.resolve())
    expect(error.code).toBe('refused')
    expect(error.message).toContain('has changed since')
    expect(await readFile(where, 'utf8')).toBe('milk\nbread\nby hand\n')
  })

  test.each<Json>([{type: 'create', path: '/etc/hostname', hash: ''}, {type: 'append', path: '../x.md', hash: '', before: 0}, {type: 'other'}, null, 'x'])('undo of %j, which is no note of ours, is refused', async token => {
    expect((await toolError(named('create_note').undo?.(token, contextFor()) ?? Promise.resolve())).code).toBe('refused')
  })

  test('a note that is not there yet is made, and the preview says so', async () => {
    const args = {name: 'Books', content: 'Dune', folder: ''}
    expect((await named('append_note_content').preview(args, contextFor())).notice).toBe('There is no such note yet: it will be made.')
    expect((await named('append_note_content').run(args, contextFor())).summary).toBe("Made the note 'Books', since there was none")
    expect((await named('append_note_content').preview(args, contextFor())).notice).toBeUndefined()
  })
})

describe('open_note', () => {
  const openNote = (name: string, folder = '', context = contextFor()) => named('open_note').run({name, folder}, context)

  test.each(['Packing list', 'packing list', 'my packing list', 'the packing note', 'packing', 'Packing list.md'])('%j opens the note Packing list', async name => {
    await create('Packing list', 'socks\n\n')
    await create('Shopping', 'milk')
    expect(await openNote(name)).toMatchObject({value: 'socks', summary: "Read the note 'Packing list'"})
  })

  test('a name that fits several is a question, and without an answer an error with the candidates', async () => {
    await create('Ideas', 'a', 'Work')
    await create('Ideas', 'b', 'Home')
    const error = await toolError(openNote('ideas'))
    expect(error.code).toBe('ambiguous')
    expect(error.candidates?.map(c => [c.label, c.detail])).toEqual([['Ideas', 'Home'], ['Ideas', 'Work']])
    const context = contextFor({answers: [{value: join(root, 'Work', 'Ideas.md')}]})
    expect((await openNote('ideas', '', context)).value).toBe('a')
    expect(context.questions).toHaveLength(1)
    expect((await openNote('ideas', 'home')).value).toBe('b')
    expect((await toolError(named('append_note_content').run({name: 'ideas', content: 'x', folder: ''}, contextFor()))).code).toBe('ambiguous')
  })

  test('an answer that was not among the candidates is none', async () => {
    await create('Ideas', 'a', 'Work')
    await create('Ideas', 'b', 'Home')
    expect((await toolError(openNote('ideas', '', contextFor({answers: [{value: '/etc/passwd'}]})))).code).toBe('ambiguous')
  })

  test('a misspelt name is a question too, never a guess', async () => {
    const {where = ''} = await create('Shopping', 'milk')
    const error = await toolError(openNote('shoping'))
    expect([error.code, error.message]).toEqual(['not-found', 'There is no note "shoping": perhaps \'Shopping\' is meant'])
    expect(error.candidates?.map(c => c.value)).toEqual([where])
    expect((await openNote('shoping', '', contextFor({answers: [{value: where}]}))).value).toBe('milk')
  })

  test('a name that fits nothing says how to see the notes', async () => {
    await create('Shopping')
    expect((await toolError(openNote('Zzz'))).message).toBe('There is no note "Zzz": /notes lists them')
  })

  test('other files, hidden folders and what is unreadable are passed over', async () => {
    await create('Shopping', 'milk')
    await write('.obsidian/Shopping.md', 'no')
    await write('Shopping.txt', 'no')
    await mkdir(join(root, 'Folder.md'))
    await symlink(root, join(root, 'loop'))
    await symlink(join(temp.path, 'nowhere'), join(root, 'dangling.md'))
    expect((await backend.list()).map(n => n.name)).toEqual(['Shopping'])
  })

  test('a note that another program removed meanwhile is said in one line', async () => {
    expect((await toolError(backend.read({name: 'x', folder: '', path: join(root, 'x.md')}))).code).toBe('not-found')
  })
})
