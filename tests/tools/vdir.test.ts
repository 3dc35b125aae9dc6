import {execFile} from 'node:child_process'
import {mkdir, readFile, readdir, stat, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {afterEach, beforeEach, expect, test} from 'vitest'
import type {Json} from '../../src/core/types.ts'
import {Vdir, safeName, uidOf} from '../../src/tools/vdir.ts'
import {tempFolder, toolError} from './vdir-programs.ts'

let temp: Awaited<ReturnType<typeof tempFolder>>
let warnings: string[]
let vdir: Vdir
beforeEach(async () => {
  temp = await tempFolder()
  warnings = []
  vdir = new Vdir(join(temp.path, 'vdir'), '.ics', message => warnings.push(message))
})
afterEach(() => temp.remove())

const items = async () => {
  const found = []
  for await (const item of vdir.items()) found.push(item)
  return found
}

test('a vdir that is not there yet is empty and warns of nothing', async () => {
  expect(await vdir.collections()).toEqual([])
  expect(await items()).toEqual([])
  expect(warnings).toEqual([])
})

test('a collection whose name is no file name keeps it in its displayname file and is found by it', async () => {
  const made = await vdir.findOrMake('Trips / 2026: "all"')
  expect(await readdir(vdir.root)).toEqual(['trips-2026-all'])
  expect(await readFile(join(made.folder, 'displayname'), 'utf8')).toBe('Trips / 2026: "all"\n')
  expect(await vdir.find('trips / 2026: "ALL"')).toEqual(made)
})

test('a name that would leave the folder stays in it', async () => {
  for (const name of ['../../etc', '/etc/passwd', '..', '.hidden', '']) {
    const {folder} = await vdir.findOrMake(name)
    expect(join(folder, '..')).toBe(vdir.root)
    expect(folder.slice(vdir.root.length + 1)).toMatch(/^[^./]/)
  }
})

test('two instances that make one collection at the same time get the same one', async () => {
  const other = new Vdir(vdir.root, '.ics')
  const made = await Promise.all([vdir, other, vdir, other].map(v => v.findOrMake('groceries')))
  expect(new Set(made.map(c => c.folder)).size).toBe(1)
})

test('a collection whose maker was killed before it got its display name is that collection', async () => {
  await mkdir(join(vdir.root, 'my-work'), {recursive: true})
  const made = await vdir.findOrMake('My Work')
  expect(made).toEqual({name: 'My Work', folder: join(vdir.root, 'my-work')})
  expect(await vdir.collections()).toHaveLength(1)
})

test('what is made is readable by its owner only', async () => {
  const {folder} = await vdir.findOrMake('Work')
  const {path} = await vdir.create(folder, 'one', 'text')
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect((await stat(join(folder, 'displayname'))).mode & 0o777).toBe(0o600)
  expect(await readdir(folder)).toEqual(['displayname', 'one.ics'])
})

test('a second item of one UID is refused and the first stays as it is', async () => {
  const {folder} = await vdir.findOrMake('a')
  const tries = await Promise.allSettled(['x', 'y'].map(text => vdir.create(folder, 'same', text)))
  expect(tries.map(t => t.status).sort()).toEqual(['fulfilled', 'rejected'])
  const winner = tries[0]?.status === 'fulfilled' ? 'x' : 'y'
  expect((await items()).map(i => i.text)).toEqual([winner])
  expect((await toolError(vdir.create(folder, 'same', 'z'))).code).toBe('refused')
})

test('an unreadable file is skipped with a warning and the good ones are read', async () => {
  const {folder} = await vdir.findOrMake('a')
  await vdir.create(folder, 'good', 'text')
  await mkdir(join(folder, 'folder.ics'))
  await writeFile(join(folder, 'big.ics'), 'x'.repeat(5_000_001))
  expect((await items()).map(i => i.text)).toEqual(['text'])
  expect(warnings).toHaveLength(2)
  expect(warnings.join()).toContain('folder.ics')
  expect(warnings.join()).toContain('big.ics')
})

test('hidden files, half-written files and other kinds of files are not items', async () => {
  const {folder} = await vdir.findOrMake('a')
  for (const name of ['.x.ics', 'x.ics.tmp', 'x.vcf', 'color']) await writeFile(join(folder, name), 'no')
  expect(await items()).toEqual([])
})

test('a collection that is linked from elsewhere is one', async () => {
  await mkdir(join(temp.path, 'elsewhere'))
  await writeFile(join(temp.path, 'elsewhere', 'x.ics'), 'linked')
  await mkdir(vdir.root)
  await symlink(join(temp.path, 'elsewhere'), join(vdir.root, 'linked'))
  expect((await items()).map(i => i.text)).toEqual(['linked'])
})

test('a file is taken back while it is as it was made, and not after a change', async () => {
  const {folder} = await vdir.findOrMake('a')
  const one = await vdir.create(folder, 'one', 'text ü')
  const two = await vdir.create(folder, 'two', 'text')
  await vdir.takeBack({...one})
  await writeFile(two.path, 'changed')
  expect((await toolError(vdir.takeBack({...two}))).code).toBe('refused')
  expect((await items()).map(i => i.text)).toEqual(['changed'])
  expect((await toolError(vdir.takeBack({...one}))).message).toContain('gone already')
})

test('a damaged journal entry takes nothing back outside the vdir', async () => {
  const outside = join(temp.path, 'outside.ics')
  await writeFile(outside, 'x')
  for (const token of <Json[]>[null, 'x', {path: outside}, {path: outside, hash: 'x'}, {path: `${vdir.root}/../outside.ics`, hash: 'x'}]) {
    expect((await toolError(vdir.takeBack(token))).code).toBe('refused')
  }
  expect(await readFile(outside, 'utf8')).toBe('x')
})

test('a file that another program changed meanwhile is not replaced', async () => {
  const {folder} = await vdir.findOrMake('a')
  const {path} = await vdir.create(folder, 'one', 'before')
  await vdir.replace(path, 'before', 'after')
  expect((await toolError(vdir.replace(path, 'before', 'again'))).code).toBe('refused')
  expect(await readFile(path, 'utf8')).toBe('after')
})

test('a very long name of wide letters is cut to what file systems take', async () => {
  const name = '漢𠮷'.repeat(200)
  const {folder} = await vdir.findOrMake(name)
  expect((await vdir.create(folder, name, 'x')).path).toContain('漢')
  expect((await vdir.find(name))?.folder).toBe(folder)
})

test('a folder that is a file is said in one line', async () => {
  await writeFile(vdir.root, 'a file')
  const error = await toolError(vdir.findOrMake('a'))
  expect(error.code).toBe('failed')
  expect(error.message).toBe(`${vdir.root} could not be written: there is a file of that name. Nothing was changed; make room there or set its permissions, then try again.`)
})

test.skipIf(process.platform === 'win32')('where nothing more can be written, an item is absent or as it was, and the error says so', async () => {
  const {folder} = await vdir.findOrMake('a')
  const {path} = await vdir.create(folder, 'old', 'before')
  // A file size limit of 0 fails writes as a full disk does.
  const script = `
    const {Vdir} = await import(${JSON.stringify(new URL('../../src/tools/vdir.ts', import.meta.url).href)})
    const vdir = new Vdir(${JSON.stringify(vdir.root)}, '.ics')
    process.on('SIGXFSZ', () => {}) // the limit's own signal, which a full disk does not send
    const codes = []
    for (const write of [() => vdir.create(${JSON.stringify(folder)}, 'new', 'text'), () => vdir.replace(${JSON.stringify(path)}, 'before', 'after')]) {
      await write().then(() => codes.push('written'), error => codes.push(error.code))
    }
    console.log(codes.join())`
  const {stdout} = await promisify(execFile)('sh', ['-c', 'ulimit -f 0; exec "$0" --import tsx --input-type=module -e "$1"', process.execPath, script],
    {env: {...process.env, TSX_DISABLE_CACHE: '1'}})
  expect(stdout.trim()).toBe('failed,failed')
  expect(await readdir(folder)).toEqual(['old.ics'])
  expect(await readFile(path, 'utf8')).toBe('before')
})

test('keys that differ only in unusual characters have different UIDs, the same key always the same', () => {
  expect(uidOf('a/b')).toBe(uidOf('a/b'))
  expect(new Set(['a/b', 'a:b', 'a b', 'a-b', '', '..', 'x'.repeat(300), 'x'.repeat(301)].map(uidOf)).size).toBe(8)
  for (const key of ['../x', '/', 'a\nb', 'ü'.repeat(200)]) expect(safeName(uidOf(key))).toBe(uidOf(key))
})
