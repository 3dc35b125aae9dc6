// Folders of temporary files, and those that a killed process has left.
import {spawn} from 'node:child_process'
import fs from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {expect, onTestFinished, test, vi} from 'vitest'
import {makeTempFolder, removeLeftOvers} from '../../src/core/temp-folder.ts'

const source = path.resolve('src/core/temp-folder.ts')

/** Another process with a folder and a file in it. */
async function other(): Promise<{dir: string; kill(): Promise<void>}> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e',
    `const {makeTempFolder} = await import(${JSON.stringify(source)}); console.log(await makeTempFolder()); setInterval(() => undefined, 1000)`], {stdio: ['ignore', 'pipe', 'inherit']})
  const ended = new Promise(resolve => { child.once('exit', resolve) })
  const kill = async (): Promise<void> => { child.kill('SIGKILL'); await ended }
  onTestFinished(kill)
  const dir = await new Promise<string>(resolve => { child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim())) })
  fs.writeFileSync(path.join(dir, 'letter.txt'), 'private')
  return {dir, kill}
}

test('what a killed process left is removed; what is a living one\'s, nobody\'s or another system\'s stays', async () => {
  const root = fs.mkdtempSync(path.join(tmpdir(), 'tinyagent-test-left-'))
  onTestFinished(() => { fs.rmSync(root, {recursive: true, force: true}) })
  vi.stubEnv('TMPDIR', root)
  onTestFinished(() => { vi.unstubAllEnvs() })
  const [killed, living, own, elsewhere] = [await other(), await other(), await makeTempFolder(), await makeTempFolder()]
  expect(fs.statSync(own).mode & 0o777).toBe(0o700)
  const owner = path.join(elsewhere, '.owner')
  fs.writeFileSync(owner, JSON.stringify({...JSON.parse(fs.readFileSync(owner, 'utf8')) as object, pid: 999_999_999, system: 'another container'}))
  const begun = path.join(root, 'tinyagent-begun')
  fs.mkdirSync(begun)
  await killed.kill()
  await removeLeftOvers()
  expect(fs.readdirSync(root).filter(name => name.startsWith('tinyagent-')).sort()).toEqual([living.dir, own, elsewhere, begun].map(dir => path.basename(dir)).sort())
  expect(fs.readFileSync(path.join(living.dir, 'letter.txt'), 'utf8')).toBe('private')

  if (process.platform === 'linux') {
    // Its number is another process's now.
    const lived = path.join(living.dir, '.owner')
    const kept = JSON.parse(fs.readFileSync(lived, 'utf8')) as {start: number} // our own
    fs.writeFileSync(lived, JSON.stringify({...kept, start: kept.start - 1}))
    await removeLeftOvers()
    expect(fs.existsSync(living.dir)).toBe(false)
  }
})
