// GNOME's indexer over a folder of its own, on a session bus of its own (Debian's `tracker`), and both programs' argv and tables by one
// that prints them. localsearch 3.8, which asks by `tinysparql`, has not been tried.
import {spawn, spawnSync, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {existsSync} from 'node:fs'
import {chmod, mkdir, readFile, rm, symlink, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {findFiles} from '../../src/tools/files/find.ts'
import {localsearchIndex} from '../../src/tools/files/localsearch.ts'
import {tempFolder} from './vdir-programs.ts'

const {signal} = new AbortController()
const before = {...process.env}
let temp: Awaited<ReturnType<typeof tempFolder>>
let root: string
beforeEach(async () => {
  temp = await tempFolder()
  root = join(temp.path, 'home', 'Do*c[um]en?ts')
  await mkdir(root, {recursive: true})
})
afterEach(async () => {
  for (const key of ['PATH', 'DBUS_SESSION_BUS_ADDRESS']) if (before[key] === undefined) delete process.env[key]; else process.env[key] = before[key]
  await temp.remove()
})

const make = async (...files: string[]): Promise<void> => {
  for (const file of files) {
    await mkdir(dirname(join(root, file)), {recursive: true})
    await writeFile(join(root, file), 'x')
  }
}
const find = (name: string, exclude: string[] = []) => findFiles(name, {roots: [root], exclude, signal, index: localsearchIndex()})
const query = 'SELECT DISTINCT ?url WHERE { ?file a nfo:FileDataObject ; nie:url ?url }'

/** A program of this name that writes down its arguments and prints this. */
async function program(name: string, stdout: string, code = 0) {
  const bin = join(temp.path, 'bin')
  await mkdir(bin, {recursive: true})
  await writeFile(join(bin, name), `#!${process.execPath}\nrequire('fs').writeFileSync(${JSON.stringify(join(temp.path, name))}, JSON.stringify(process.argv.slice(2)))\nprocess.stdout.write(${JSON.stringify(stdout)})\nprocess.exitCode = ${code}\n`)
  await chmod(join(bin, name), 0o700)
  process.env['PATH'] = bin
  return async (): Promise<unknown> => JSON.parse(await readFile(join(temp.path, name), 'utf8'))
}
const table = (...urls: string[]): string => `Results:\n${urls.map(url => `  ${url}\n`).join('')}\n`
const url = (file: string): string => 'file://' + join(root, file).split('/').map(encodeURIComponent).join('/')

test('the query is a constant, and the table is read whatever the names are', async () => {
  const names = ['new\nline.md', 'a"b\'c.pdf', '100% done.txt', '🎉 party.txt', '$(touch x).txt', 'with, comma.txt']
  await make(...names, 'Private/plan.txt', 'kept/plan.txt', 'node_modules/plan.txt')
  await mkdir(join(temp.path, 'outside'))
  await writeFile(join(temp.path, 'outside', 'plan.txt'), 'x')
  await symlink(join(temp.path, 'outside', 'plan.txt'), join(root, 'plan.txt'))
  const argv = await program('tinysparql', table(
    ...names.map(url), url('gone plan.txt'), url('plan.txt'), url('Private/plan.txt'), url('kept/plan.txt'), url('node_modules/plan.txt'),
    `file://${temp.path}/outside/plan.txt`, `${url('')}bad%FF.txt`, 'http://example.com/plan.txt', 'file://other-host/plan.txt'))
  for (const name of names) expect(await find(name), name).toEqual([join(root, name)])
  expect(await argv()).toEqual(['query', '--dbus-service=org.freedesktop.LocalSearch3', query])
  expect(await find('plan.txt', ['Private/'])).toEqual([join(root, 'kept/plan.txt')])
  expect(await find('gone plan')).toEqual([])
})

test('the tracker of before 3.8 is asked where tinysparql is not there or cannot say', async () => {
  await make('plan.txt')
  const argv = await program('tracker3', table(url('plan.txt')))
  expect(await localsearchIndex()(root, signal)).toEqual([join(root, 'plan.txt')])
  expect(await argv()).toEqual(['sparql', '--dbus-service=org.freedesktop.Tracker3.Miner.Files', '--query', query])
  await program('tinysparql', '', 1)
  expect(await localsearchIndex()(root, signal)).toEqual([join(root, 'plan.txt')])
})

test('where no index knows the folder, it is walked', async () => {
  await make('plan.txt')
  await program('tinysparql', table('None'))
  expect(await localsearchIndex()(root, signal)).toBeUndefined()
  expect(await find('plan')).toEqual([join(root, 'plan.txt')])
  process.env['PATH'] = join(temp.path, 'nowhere')
  expect(await find('plan')).toEqual([join(root, 'plan.txt')])
})

const miner = '/usr/libexec/tracker-miner-fs-3'
const isThere = existsSync(miner) && spawnSync('tracker3', ['--version']).status === 0 && spawnSync('dbus-daemon', ['--version']).status === 0

describe.skipIf(!isThere)('tracker3 and its indexer', () => {
  let children: ChildProcess[] = []
  afterEach(async () => {
    for (const child of children.reverse()) {
      const ended = once(child, 'exit')
      if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await ended
    }
    children = []
  })

  /** Indexes the root, and waits until the file is known. */
  async function index(file: string): Promise<void> {
    const home = join(temp.path, 'home')
    for (const folder of ['.config', 'run', 'tmp']) await mkdir(join(home, folder), {mode: 0o700})
    await writeFile(join(home, '.config/user-dirs.dirs'), `XDG_DOCUMENTS_DIR="$HOME/Do*c[um]en?ts"\n`)
    const env = {
      PATH: process.env['PATH'], HOME: home, LANG: 'C.UTF-8', GSETTINGS_BACKEND: 'memory', XDG_RUNTIME_DIR: join(home, 'run'), XDG_CONFIG_HOME: join(home, '.config'),
      XDG_DATA_HOME: join(home, '.local/share'), XDG_CACHE_HOME: join(home, '.cache'), TMPDIR: join(home, 'tmp'), // what lies in TMPDIR is not indexed
    }
    const bus = spawn('dbus-daemon', ['--session', '--nofork', '--print-address'], {env, stdio: ['ignore', 'pipe', 'ignore']})
    children.push(bus)
    const address = String((await once(bus.stdout, 'data'))[0]).trim()
    children.push(spawn(miner, ['--initial-sleep=0'], {env: {...env, DBUS_SESSION_BUS_ADDRESS: address}, stdio: 'ignore'}))
    process.env['DBUS_SESSION_BUS_ADDRESS'] = address
    const deadline = performance.now() + 60_000
    while (!(await localsearchIndex()(root, signal))?.includes(file)) {
      if (performance.now() > deadline) throw new Error('nothing was indexed')
      await pause(100)
    }
  }

  test('name what is there, whatever it is called, and what is passed over is left out', async () => {
    const names = ['a"b\'c.pdf', '$(touch pwned).txt', '--help', 'new\nline.md', 'st*r [x]?.txt', 'back\\slash.txt', 'Jürgen Übersicht.pdf', '\u202egpj.exe', '100% done.txt', '🎉 party.txt']
    await make(...names, 'Work/q3_budget.xlsx', 'Private/q3 budget.xlsx', 'zz last.txt')
    await index(join(root, 'zz last.txt'))
    for (const name of names) expect(await find(name), name).toEqual([join(root, name)])
    expect(await find('q3 budget', ['Private/'])).toEqual([join(root, 'Work/q3_budget.xlsx')])
    await rm(join(root, 'Work'), {recursive: true})
    expect(await find('q3 budget', ['Private/'])).toEqual([])
  }, 90_000)
})
