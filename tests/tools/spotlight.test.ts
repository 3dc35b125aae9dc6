// mdfind's argv by a program that writes it down, and what it names held against a real tree. Spotlight itself has not been tried.
import {chmod, mkdir, readFile, symlink, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {findFiles} from '../../src/tools/files/find.ts'
import {spotlightIndex} from '../../src/tools/files/spotlight.ts'
import {tempFolder} from './vdir-programs.ts'

const {signal} = new AbortController()
const pathBefore = process.env['PATH']
let temp: Awaited<ReturnType<typeof tempFolder>>
let root: string
beforeEach(async () => {
  temp = await tempFolder()
  root = join(temp.path, '-onlyin "x" $(y)')
})
afterEach(async () => { process.env['PATH'] = pathBefore; await temp.remove() })

const make = async (...files: string[]): Promise<void> => {
  for (const file of files) {
    await mkdir(dirname(join(root, file)), {recursive: true})
    await writeFile(join(root, file), 'x')
  }
}
/** An mdfind that knows these paths. */
async function mdfind(known: string[], code = 0) {
  const bin = join(temp.path, 'bin')
  await mkdir(bin, {recursive: true})
  await writeFile(join(bin, 'mdfind'), `#!${process.execPath}\nrequire('fs').writeFileSync(${JSON.stringify(join(temp.path, 'argv'))}, JSON.stringify(process.argv.slice(2)))\nprocess.stdout.write(${JSON.stringify(known.map(k => `${k}\0`).join(''))})\nprocess.exitCode = ${code}\n`)
  await chmod(join(bin, 'mdfind'), 0o700)
  process.env['PATH'] = bin
  return async (): Promise<unknown> => JSON.parse(await readFile(join(temp.path, 'argv'), 'utf8'))
}
const find = (name: string, exclude: string[] = []) => findFiles(name, {roots: [root], exclude, signal, index: spotlightIndex()})

test('the query is a constant, and the root one value', async () => {
  await make('plan.txt')
  const argv = await mdfind([join(root, 'plan.txt')])
  expect(await find('$(touch x) "plan" == *')).toEqual([])
  expect(await argv()).toEqual(['-0', '-onlyin', root, 'kMDItemFSName == "*" && kMDItemContentType != "public.folder"'])
  expect(await find('plan')).toEqual([join(root, 'plan.txt')])
})

test('what it names is ranked, and held against the disk', async () => {
  const names = ['new\nline.md', 'st*r [x].txt', '🎉 party.txt', 'kept/plan.txt', '.hidden/plan.txt', 'node_modules/plan.txt', 'Private/plan.txt']
  await make(...names)
  await mkdir(join(temp.path, 'outside'))
  await writeFile(join(temp.path, 'outside', 'plan.txt'), 'x')
  await symlink(join(temp.path, 'outside', 'plan.txt'), join(root, 'plan.txt'))
  await mdfind([...names.map(n => join(root, n)), join(root, 'plan.txt'), join(root, 'gone plan.txt'), join(temp.path, 'outside', 'plan.txt')])
  expect(await find('plan.txt', ['Private/'])).toEqual([join(root, 'kept/plan.txt')])
  for (const name of names.slice(0, 3)) expect(await find(name)).toEqual([join(root, name)])
  expect(await find('gone plan')).toEqual([])
})

test('where it cannot say, or knows nothing that fits, the folders are walked', async () => {
  await make('plan.txt')
  await mdfind([], 1)
  expect(await spotlightIndex()(root, signal)).toBeUndefined()
  expect(await find('plan')).toEqual([join(root, 'plan.txt')])
  await mdfind([])
  expect(await find('plan')).toEqual([join(root, 'plan.txt')])
  process.env['PATH'] = join(temp.path, 'nowhere')
  expect(await find('plan')).toEqual([join(root, 'plan.txt')])
})
