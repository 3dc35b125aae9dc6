// The completion scripts in the real shells, and the manual page in the real man.
import {execFile} from 'node:child_process'
import path from 'node:path'
import {promisify} from 'node:util'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {program} from '../tools/vdir-programs.ts'
import {newHome} from './program.ts'

const run = promisify(execFile)
let home: ReturnType<typeof newHome>
const scripts: Record<string, string> = {}
beforeAll(async () => {
  home = newHome()
  for (const shell of ['bash', 'zsh', 'fish']) scripts[shell] = home.write(`tinyagent.${shell}`, (await home.run(['completion', shell])).stdout)
})
afterAll(() => home.remove())

const bash = await program('bash')
test.skipIf(!bash)('bash completes commands, their words, options and files', async () => {
  const complete = async (...words: string[]): Promise<string[]> => {
    const script = `source "$1"; COMP_WORDS=(${words.map(w => `'${w}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _tinyagent; printf '%s\\n' "\${COMPREPLY[@]}"`
    return (await run(bash!, ['-c', script, 'bash', scripts['bash']!], {cwd: home.dir})).stdout.split('\n').filter(Boolean)
  }
  expect(await complete('tinyagent', 'pol')).toEqual(['policy'])
  expect(await complete('tinyagent', 'config', 'e')).toEqual(['edit'])
  expect(await complete('tinyagent', '--dry')).toEqual(['--dry-run'])
  expect(await complete('tinyagent', 'eval', '--pred')).toEqual(['--predictions'])
  expect(await complete('tinyagent', 'run', 'tinyagent.b')).toEqual([path.basename(scripts['bash']!)])
})

const zsh = await program('zsh')
test.skipIf(!zsh)('zsh reads its script', async () => {
  expect((await run(zsh!, ['-f', '-c', 'autoload -U compinit; compinit -D; source "$1"; print $_comps[tinyagent]', 'zsh', scripts['zsh']!], {cwd: home.dir, env: {...process.env, HOME: home.dir}})).stdout.trim()).toBe('_tinyagent')
})

const fish = await program('fish')
test.skipIf(!fish)('fish completes commands with what they do', async () => {
  const {stdout} = await run(fish!, ['--no-config', '-c', 'source $argv[1]; complete -C "tinyagent pol"', scripts['fish']!], {cwd: home.dir, env: {...process.env, HOME: home.dir}})
  expect(stdout).toMatch(/^policy\twhat may leave without asking/)
})

test('another shell is told which there are', async () => {
  expect(await home.run(['completion', 'csh'])).toMatchObject({code: 2, stderr: expect.stringContaining('there is bash, zsh and fish')})
})

const man = await program('mandoc')
test.skipIf(!man)('the manual page has every command and is right in the eyes of its reader', async () => {
  const page = home.write('tinyagent.1', (await home.run(['man'])).stdout)
  const {stdout, stderr} = await run(man!, ['-T', 'utf8', '-W', 'error', page]) // a page without a date is a warning, and the same on each day
  const text = stdout.replace(/.\u0008|\u001b\[[\d;]*m/g, '')
  for (const word of ['tinyagent', 'policy [action...]', 'run <plan.json>', '--dry-run', '--predictions <out.jsonl>', 'EXIT STATUS']) expect(text.replace(/‐|−/g, '-')).toContain(word)
  expect(stderr).toBe('')
})
