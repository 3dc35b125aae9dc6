import {execFile} from 'node:child_process'
import {chmod, mkdir, readdir, symlink, writeFile} from 'node:fs/promises'
import {dirname, join, relative} from 'node:path'
import {promisify} from 'node:util'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {Tool} from '../../src/core/types.ts'
import {createWhole, syncFolder} from '../../src/tools/files/durable.ts'
import {filesTools} from '../../src/tools/files/files.ts'
import {findFiles, listFiles} from '../../src/tools/files/find.ts'
import {contextFor, hostileTexts, tempFolder, toolError} from './vdir-programs.ts'

let temp: Awaited<ReturnType<typeof tempFolder>>
let root: string
beforeEach(async () => {
  temp = await tempFolder()
  root = join(temp.path, 'Documents')
  await mkdir(root)
})
afterEach(() => temp.remove())

const {signal} = new AbortController()
const make = async (...files: string[]): Promise<void> => {
  for (const file of files) {
    await mkdir(dirname(join(root, file)), {recursive: true})
    await writeFile(join(root, file), 'x')
  }
}
const find = async (name: string, {roots = [root], exclude = [] as string[]} = {}): Promise<string[]> => (await findFiles(name, {roots, exclude, signal})).map(f => relative(root, f))
const list = async ({roots = [root], exclude = [] as string[]} = {}): Promise<string[]> => (await listFiles({roots, exclude, signal})).map(f => relative(root, f)).sort()
const openFile = (roots = [root]): Tool => filesTools({roots, exclude: []})[0] ?? expect.fail('no tool')

describe('a file is found', () => {
  test.each([
    ['Q3 budget.xlsx', 'Work/Q3 budget.xlsx'],
    ['q3 BUDGET.xlsx', 'Work/Q3 budget.xlsx'],
    ['Q3 budget', 'Work/Q3 budget.xlsx'],
    ['q3_budget', 'Work/Q3 budget.xlsx'],
    ['budget', 'Work/Q3 budget.xlsx'],
    ['Lebenslauf', 'Lebenslauf_2025-Jürgen.pdf'],
    ['lebenslauf jurgen', 'Lebenslauf_2025-Jürgen.pdf'],
    ['resume.pdf', 'résumé.pdf'],
    ['家族', '家族 👩‍👩‍👧.txt'],
    ['Q3 bugdet.xlsx', 'Work/Q3 budget.xlsx'],
    ['Documents/Work/Q3 budget.xlsx', 'Work/Q3 budget.xlsx'],
    ['~/Documents/Work/q3 budget.xlsx', 'Work/Q3 budget.xlsx'],
  ])('by %j', async (name, wanted) => {
    await make('Work/Q3 budget.xlsx', 'Lebenslauf_2025-Jürgen.pdf', 'résumé.pdf', '家族 👩‍👩‍👧.txt', 'Trips/rome.txt')
    expect(await find(name)).toEqual([wanted])
  })

  test('by its name before one that only holds the words, and with its capitals before one without', async () => {
    await make('report.pdf', 'old report.pdf', 'x/Report.pdf')
    expect(await find('report.pdf')).toEqual(['report.pdf'])
    expect(await find('REPORT.pdf')).toEqual(['report.pdf', 'x/Report.pdf'])
  })

  test('by its folder where several have its name, and never in another folder than was said', async () => {
    await make('taxes/2024/return.pdf', 'taxes/2025/return.pdf')
    expect(await find('2025/return.pdf')).toEqual(['taxes/2025/return.pdf'])
    expect(await find('return.pdf')).toHaveLength(2)
    expect(await find('2023/return.pdf')).toEqual([])
  })

  test('by its whole path, also outside the roots, when it is a file', async () => {
    const outside = join(temp.path, 'elsewhere.txt')
    await writeFile(outside, 'x')
    expect(await findFiles(outside, {roots: [root], exclude: [], signal})).toEqual([outside])
    expect(await find(temp.path)).toEqual([])
    expect(await find(join(temp.path, 'nowhere.txt'))).toEqual([])
  })

  test.each(['', ' ', '/', 'nothing like it', '..', '*', '.*'])('%j finds none', async name => {
    await make('report.pdf', 'Work/plan.txt')
    expect(await find(name)).toEqual([])
  })

  test.each(hostileTexts)('named %j by that name', async text => {
    const name = [...Buffer.from(text).toString().replaceAll('/', '-')].slice(0, 50).join('').replace(/^\./, '')
    await make(name, 'other.txt')
    expect(await findFiles(name, {roots: [root], exclude: [], signal})).toEqual([join(root, name)])
  })
})

describe('open_and_get_file_path', () => {
  test('the path is the result for a later step', async () => {
    await make('a/report.pdf')
    const path = join(root, 'a/report.pdf')
    expect(await openFile().run({file_name: 'report'}, contextFor())).toEqual({value: path, summary: `Found ${path}`, where: path})
  })

  test('several that fit are a question, and without an answer an error with the candidates', async () => {
    await make('a/report.pdf', 'b/report.pdf')
    const error = await toolError(openFile().run({file_name: 'report.pdf'}, contextFor()))
    expect(error.code).toBe('ambiguous')
    expect(error.candidates).toEqual(['a', 'b'].map(folder => ({value: join(root, folder, 'report.pdf'), label: 'report.pdf', detail: join(root, folder)})))
    const context = contextFor({answers: [{value: join(root, 'b/report.pdf')}]})
    expect((await openFile().run({file_name: 'report.pdf'}, context)).value).toBe(join(root, 'b/report.pdf'))
    expect(context.questions).toHaveLength(1)
    expect((await toolError(openFile().run({file_name: 'report.pdf'}, contextFor({answers: [{value: '/etc/passwd'}]})))).code).toBe('ambiguous')
  })

  test('none says where was looked and what to do', async () => {
    const error = await toolError(openFile().run({file_name: 'x\u001b[2J.pdf'}, contextFor()))
    expect([error.code, error.message]).toEqual(['not-found', `No file like "x\\x1b[2J.pdf" in ${root}: check its name, or add its folder to files.roots in the config`])
  })

  test('stops when the request is cancelled', async () => {
    await make('report.pdf')
    await expect(openFile().run({file_name: 'report.pdf'}, contextFor({signal: AbortSignal.abort()}))).rejects.toThrow('aborted')
  })

  test('a preview looks for nothing', async () => {
    expect(await openFile(['/nowhere']).preview({file_name: 'x'}, contextFor())).toMatchObject({effect: 'read', fields: [{value: 'x'}, {value: ['/nowhere']}]})
  })
})

describe('passed over are', () => {
  test('hidden files and folders, and those of programs', async () => {
    await make('a.txt', '.hidden.txt', '.ssh/id.txt', 'node_modules/b.txt', 'x/__pycache__/c.txt', 'build/plan of the house.txt')
    expect(await list()).toEqual(['a.txt', 'build/plan of the house.txt'])
  })

  test('what the config excludes, with the patterns of a .gitignore', async () => {
    await make('a.txt', 'old/b.txt', 'x/old/c.txt', 'x/d.tmp', 'x/private/e.txt', 'private/f.txt')
    expect(await list({exclude: ['old/', '*.tmp', '/private']})).toEqual(['a.txt', 'x/private/e.txt'])
  })

  test('what a .gitignore or .tinyagentignore excludes, below its own folder only', async () => {
    await make('a.log', 'x/a.log', 'x/out/b.txt', 'x/keep.log', 'x/secret.txt', 'y/out/c.txt')
    await writeFile(join(root, 'x', '.gitignore'), '*.log\n!keep.log\n/out/\n')
    await writeFile(join(root, 'x', '.tinyagentignore'), 'secret.*\n')
    expect(await list()).toEqual(['a.log', 'x/keep.log', 'y/out/c.txt'])
  })

  test.each(['[', '\\', '***', '!', '(?', '\u0000', '*'.repeat(200), 'a/**/b/**/[z-a]'])('nothing more than it says by the odd pattern %j', async pattern => {
    await make('report.pdf')
    await writeFile(join(root, '.gitignore'), `${pattern}\n!report.pdf\n`)
    expect(await list({exclude: [`${pattern}x`]})).toEqual(['report.pdf'])
  })

  test('links, so that a loop ends and nothing outside is found', async () => {
    await make('a/report.pdf')
    await symlink(root, join(root, 'a', 'loop'))
    await symlink('/etc', join(root, 'etc'))
    await symlink(join(root, 'self'), join(root, 'self'))
    expect(await list()).toEqual(['a/report.pdf'])
  })

  test('folders that are not there, and files are named once when roots overlap', async () => {
    await make('a/report.pdf')
    expect(await list({roots: ['/nowhere', root, join(root, 'a'), `${root}/`]})).toEqual(['a/report.pdf'])
  })

  test('what is no file: a pipe is not opened', async () => {
    await make('report.pdf')
    await promisify(execFile)('mkfifo', [join(root, 'report'), join(root, '.gitignore')])
    expect(await list()).toEqual(['report.pdf'])
  })

  test('a folder that may not be read, among good ones', async () => {
    await make('a/report.pdf', 'b/locked.pdf')
    await chmod(join(root, 'b'), 0o000)
    // The superuser may read everything.
    const locked = await readdir(join(root, 'b')).then(() => ['b/locked.pdf'], () => [])
    expect(await list()).toEqual(['a/report.pdf', ...locked])
    await chmod(join(root, 'b'), 0o700)
  })

  test('a folder whose path is too long to be read, among good ones', async () => {
    await make('report.pdf')
    let deep = root
    for (let n = 0; n < 15; n++) deep = join(deep, 'd'.repeat(200))
    await mkdir(deep, {recursive: true})
    expect(await list({roots: [join(deep, 'd'.repeat(300)), `${deep}/${'x/'.repeat(3000)}`, root]})).toEqual(['report.pdf'])
  })
})

describe('a new file', () => {
  test('is whole, of its owner only, and never written over', async () => {
    const path = join(root, 'deep', 'a.txt')
    expect(await createWhole(path, 'first')).toBe(true)
    expect(await createWhole(path, 'second')).toBe(false)
    expect(await readdir(join(root, 'deep'))).toEqual(['a.txt'])
  })

  test('of many made at once under one name one is made', async () => {
    const made = await Promise.all(Array.from({length: 20}, (_, n) => createWhole(join(root, 'a.txt'), String(n))))
    expect(made.filter(Boolean)).toHaveLength(1)
    expect(await readdir(root)).toEqual(['a.txt'])
  })

  test('that can not be written says so in one line', async () => {
    await make('a')
    const error = await toolError(createWhole(join(root, 'a', 'b.txt'), 'x'))
    expect(error.message).toMatch(/^\S+ could not be written \(E\w+\)\. Check the disk's space and the folder's permissions\.$/)
  })
})

test('a disk that cannot make a name last is no reason to say that the file was not written', async () => {
  await expect(syncFolder(join(root, 'not there'))).resolves.toBeUndefined()
  await expect(syncFolder('/proc')).resolves.toBeUndefined() // on Linux it refuses to be synced
})
