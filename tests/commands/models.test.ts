// A models/ file that is missing or damaged: the request, `doctor` and `models verify` say which one and what to do.
import fs from 'node:fs'
import path from 'node:path'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {copyInstallation, linesOf, newHome} from './program.ts'

let home: ReturnType<typeof newHome>
let installation: string
beforeAll(() => {
  home = newHome()
  installation = copyInstallation(path.join(home.dir, 'installation'))
})
afterAll(() => home.remove())

const manifest = (): string => path.join(installation, 'models/manifest.json')
const planner = (): string => {
  const {models} = JSON.parse(fs.readFileSync(manifest(), 'utf8')) as {models: {role: string; files: {file: string}[]}[]}
  return path.join(installation, 'models', models.find(m => m.role === 'planner')!.files[0]!.file)
}

/** Spoils a file for as long as `during` runs. */
async function spoiled(file: string, spoil: (file: string) => void, during: () => Promise<void>): Promise<void> {
  fs.renameSync(file, `${file}.kept`)
  fs.copyFileSync(`${file}.kept`, file)
  try {
    spoil(file)
    await during()
  } finally {
    fs.rmSync(file, {force: true})
    fs.renameSync(`${file}.kept`, file)
  }
}

const flip = (file: string): void => {
  const bytes = fs.readFileSync(file)
  bytes[bytes.length >> 1]! ^= 0xff
  fs.writeFileSync(file, bytes)
}

test.each<[string, (file: string) => void, RegExp]>([
  ['missing', file => fs.rmSync(file), /missing/],
  ['cut short', file => fs.truncateSync(file, 1000), /damaged \(1000 bytes, \d+ expected\)/],
  ['changed in one byte', flip, /damaged \(its SHA-256 is wrong\)/],
])('a planner that is %s', async (_what, spoil, reason) => {
  await spoiled(planner(), spoil, async () => {
    const {code, stdout, stderr} = await home.run(['plan', 'remind me to sleep'], {installation})
    expect([code, stdout, linesOf(stderr).length]).toEqual([1, '', 1])
    expect(stderr).toMatch(reason)
    expect(stderr).toMatch(/install tinyagent again; `tinyagent doctor` checks all files/)
    const verify = await home.run(['models', 'verify', '--json'], {installation})
    expect(verify.code).toBe(1)
    const problems = (JSON.parse(verify.stdout) as {file: string; problem?: string}[]).filter(f => f.problem)
    expect(problems.map(f => path.basename(f.file))).toEqual([path.basename(planner())])
  })
})

test('a damaged manifest', async () => {
  await spoiled(manifest(), file => fs.writeFileSync(file, '{'), async () => {
    const {code, stdout} = await home.run(['--json', 'remind me to sleep'], {installation})
    const events = linesOf(stdout).map(line => JSON.parse(line) as {type: string})
    expect(code).toBe(1)
    expect(events.map(e => e.type)).toEqual(['request', 'error', 'done'])
    expect(events[1]).toMatchObject({error: {code: 'model', message: expect.stringMatching(/manifest\.json cannot be read: install tinyagent again/)}})
    expect(await home.run(['doctor'], {installation})).toMatchObject({code: 1, stdout: expect.stringMatching(/^bad +models: .*manifest\.json cannot be read/m)})
  })
})

test('the parts that run the models keep nothing of their own in the home folder', async () => {
  const fresh = newHome()
  try {
    expect((await fresh.run(['plan', 'remind me to sleep'])).code).toBe(0)
    // ONNX Runtime would keep a device ID there, and send it.
    expect(fs.readdirSync(fresh.dir, {recursive: true}).sort()).toEqual(['cache', path.join('cache', 'models.json')])
  } finally {
    fresh.remove()
  }
})
