// The real plocate with a database of its own (`updatedb -o`) against the walk, on trees with hostile names.
import {execFile, spawnSync} from 'node:child_process'
import {mkdir, rename, rm, symlink, writeFile} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {promisify} from 'node:util'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {findFiles, type FileIndex} from '../../src/tools/files/find.ts'
import {plocateIndex} from '../../src/tools/files/plocate.ts'
import {tempFolder} from './vdir-programs.ts'

const isThere = spawnSync('plocate', ['--version']).status === 0 && spawnSync('updatedb', ['--version']).status === 0
const {signal} = new AbortController()
let temp: Awaited<ReturnType<typeof tempFolder>>
let root: string
let database: string
beforeEach(async () => {
  temp = await tempFolder()
  // A root that is a pattern, where a pattern is taken as one.
  root = join(temp.path, 'Do*c[um]en?ts')
  database = join(temp.path, 'plocate.db')
  await mkdir(root)
})
afterEach(() => temp.remove())

const make = async (...files: string[]): Promise<void> => {
  for (const file of files) {
    await mkdir(dirname(join(root, file)), {recursive: true})
    await writeFile(join(root, file), 'x')
  }
}
const renew = async (): Promise<void> => {
  await promisify(execFile)('updatedb', ['-l', '0', '-o', database, '-U', temp.path, '--prunepaths', '', '--prune-bind-mounts', 'no'])
}
const find = (name: string, index?: FileIndex, exclude: string[] = [], roots = [root]): Promise<string[]> =>
  findFiles(name, {roots, exclude, signal, ...(index && {index})})

const hostile = ['a"b\'c.pdf', '$(touch pwned).txt', '--help', '-0.txt', 'new\nline.md', 'tab\there.md', 'st*r [x]?.txt', 'back\\slash.txt', 'Jürgen Übersicht.pdf', 'e\u0301te.txt', '\u202egpj.exe', '; rm -rf x', '🎉 party.txt']

describe.skipIf(!isThere)('plocate and updatedb', () => {
  test('find what the walk finds, whatever the names are', async () => {
    await make(...hostile, ...hostile.map(name => `deep/er/${name}`), 'Q3 budget.xlsx', 'Work/q3_budget.xlsx')
    await renew()
    const known = await plocateIndex(database)(root, signal)
    for (const name of hostile) expect(known).toContain(join(root, name))
    for (const name of [...hostile, 'q3 budget', 'budgt', 'deep/er/-0.txt', 'nothing at all']) {
      expect(await find(name, plocateIndex(database)), name).toEqual(await find(name))
    }
  })

  test('name nothing that is passed over, outside of the roots, or behind a link', async () => {
    await make('kept/plan.txt', '.hidden/plan.txt', 'node_modules/plan.txt', 'Private/plan.txt', 'ignored/plan.txt', 'was/plan.txt')
    await writeFile(join(root, '.gitignore'), 'ignored/\n')
    await mkdir(join(temp.path, 'outside'))
    await writeFile(join(temp.path, 'outside', 'plan.txt'), 'x')
    await symlink(join(temp.path, 'outside', 'plan.txt'), join(root, 'plan.txt'))
    await renew()
    // What was a folder when the index was made is a link out of the root now.
    await rename(join(root, 'was'), join(temp.path, 'was'))
    await symlink(join(temp.path, 'was'), join(root, 'was'))
    expect(await plocateIndex(database)(root, signal)).toEqual(expect.arrayContaining([join(root, 'was/plan.txt'), join(root, 'Private/plan.txt')]))
    expect(await find('plan.txt', plocateIndex(database), ['Private/'])).toEqual([join(root, 'kept/plan.txt')])
  })

  test('a root that is a link itself is searched, and named as the user named it', async () => {
    await make('plan.txt')
    await symlink(root, join(temp.path, 'link'))
    await renew()
    expect(await plocateIndex(database)(join(temp.path, 'link'), signal)).toEqual([join(temp.path, 'link', 'plan.txt')])
    expect(await find('plan', plocateIndex(database), [], [join(temp.path, 'link')])).toEqual([join(temp.path, 'link', 'plan.txt')])
  })

  test('the walk finds what is newer than the database, and what was removed is not named', async () => {
    await make('old report.pdf', 'gone.txt')
    await renew()
    await make('new letter.pdf')
    await rm(join(root, 'gone.txt'))
    expect((await find('new letter', plocateIndex(database))).map(f => basename(f))).toEqual(['new letter.pdf'])
    expect(await find('gone.txt', plocateIndex(database))).toEqual([])
  })
})

test('without a database the walk answers', async () => {
  await make('plan.txt')
  expect(await plocateIndex(database)(root, signal)).toBeUndefined()
  expect(await find('plan', plocateIndex(database))).toEqual([join(root, 'plan.txt')])
})

test('an aborted search says so', async () => {
  await make('plan.txt')
  await expect(findFiles('plan', {roots: [root], exclude: [], signal: AbortSignal.abort(new Error('stopped')), index: plocateIndex(database)})).rejects.toThrow('stopped')
})
