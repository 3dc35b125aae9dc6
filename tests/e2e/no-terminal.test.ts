// Without a terminal, and with one that cannot be redrawn: standard input, JSON, plain lines, exit codes, bad input.
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {describe, expect, it} from 'vitest'
import type {Event} from '../../src/core/types.ts'
import {checkEvents} from '../check-events.ts'
import {keys, open, put, testHome} from './fixtures.ts'
import {program, recording, runProgram} from './terminal.ts'

const run = (args: string[], plan: string, options: {home?: string; stdin?: string | Buffer} = {}) =>
  runProgram(options.home ?? testHome(), args, {env: recording(plan), stdin: options.stdin ?? ''})
const eventsOf = (stdout: string): Event[] => {
  // Lines of our own program: what they hold is what the test is about.
  const events = stdout.trimEnd().split('\n').map(line => JSON.parse(line) as Event)
  checkEvents(events)
  return events
}

describe('a request', () => {
  it('comes from standard input, with and without "-"; the answer alone goes to stdout', async () => {
    for (const args of [['-'], []]) {
      const {code, stdout, stderr} = await run(args, 'note', {stdin: 'note that the tickets are booked\n'})
      expect({code, lines: stdout.split('\n').length}).toEqual({code: 0, lines: 2})
      expect(stdout).toContain('Trip')
      expect(stderr).toContain('done 1:')
    }
  })
  it('with --json gives the events, one a line, and nothing else on stdout', async () => {
    const {code, stdout} = await run(['--json', 'note that the tickets are booked'], 'note')
    expect(code).toBe(0)
    expect(eventsOf(stdout).at(-1)).toMatchObject({type: 'done', status: 'done', exitCode: 0})
  })
  it.each([
    ['empty', '', 'empty'], ['blank', ' \n', 'empty'], ['of 20,000 characters', 'word '.repeat(4000), 'too long'],
    ['of 2 MB', 'x'.repeat(2_000_000), 'too long'], ['that is binary', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 0xff, 0xfe]), 'not text'],
  ])('that is %s is refused in one line, with exit code 2', async (_name, stdin, says) => {
    const {code, stdout, stderr} = await run(['-'], 'note', {stdin})
    expect({code, stdout}).toEqual({code: 2, stdout: ''})
    expect(stderr).toContain(says)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })
  it('on the command line may not be empty or too long either', async () => {
    expect((await run([''], 'note')).code).toBe(2)
    expect((await run(['word '.repeat(4000)], 'note')).code).toBe(2)
  })
})

describe('exit codes', () => {
  it('1: what was asked failed; the candidates of an ambiguous name are said', async () => {
    const {code, stderr} = await run(['text Ana'], 'text-ana')
    expect(code).toBe(1)
    expect(stderr).toContain('Ana Duarte')
    expect(stderr).toContain('Ana Silva')
    const json = await run(['--json', 'text Ana'], 'text-ana')
    const failed = eventsOf(json.stdout).find(e => e.type === 'task-failed')
    expect(failed).toMatchObject({error: {code: 'ambiguous', candidates: [{label: 'Ana Duarte: +12025550101'}, {label: 'Ana Silva: +12025550102'}]}})
  })
  it('2: an option that does not exist, a config that cannot be read; one line says what would be right', async () => {
    expect((await run(['--nonsense'], 'note')).code).toBe(2)
    const home = testHome()
    put(home, 'config/config.toml', '[user]\nemial = "x"\n')
    const {code, stderr} = await run(['note'], 'note', {home})
    expect(code).toBe(2)
    expect(stderr).toContain('config.toml')
    expect(stderr).toContain('emial')
  })
  it('3: an outward step that nobody could confirm is refused; with --yes it is done', async () => {
    const home = testHome()
    const refused = await run(['text that I am late'], 'sms', {home})
    expect(refused.code).toBe(3)
    expect(existsSync(path.join(home, 'data/sms'))).toBe(false)
    const {stdout} = await run(['--json', 'text that I am late'], 'sms', {home})
    expect(eventsOf(stdout).at(-1)).toMatchObject({status: 'needs-confirmation', exitCode: 3})
    const done = await run(['--yes', 'text that I am late'], 'sms', {home})
    expect(done.code).toBe(0)
    expect(existsSync(path.join(home, 'data/sms'))).toBe(true)
  })
  it('3 becomes 0 by a policy in the config', async () => {
    const home = testHome()
    put(home, 'config/config.toml', '[confirm.policy]\nsend_sms = "allow"\n')
    expect((await run(['text that I am late'], 'sms', {home})).code).toBe(0)
  })
  it('4: a part was done, and the rest needs a word', async () => {
    const {code, stdout} = await run(['note it and text it'], 'note-and-sms')
    expect(code).toBe(4)
    expect(stdout).toContain('Trip')
  })
  it('130: interrupted while it was planned', async () => {
    const home = testHome()
    const child = spawn(process.execPath, [program, 'milk'], {env: {...process.env, TINYAGENT_HOME: home, ...recording('silent')}, stdio: ['ignore', 'pipe', 'pipe']})
    let stderr = ''
    for await (const chunk of child.stderr) {
      stderr += String(chunk)
      if (stderr.includes('done 1:')) child.kill('SIGINT')
    }
    expect(child.exitCode ?? (await once(child, 'exit') as [number])[0]).toBe(130)
  })
})

it('the dry run shows what would be asked and runs nothing', async () => {
  const home = testHome()
  const {code, stdout} = await run(['--dry-run', 'text that I am late'], 'sms', {home})
  expect(code).toBe(0)
  expect(stdout).toContain('would ask: Text message')
  expect(stdout).toContain('To: +12025550143 (typed by you)')
  expect(existsSync(path.join(home, 'data/sms'))).toBe(false)
})

it('a reader that has had enough (`--json | head -1`) is no crash', async () => {
  const home = testHome()
  const child = spawn('sh', ['-c', `"${process.execPath}" "${program}" --json milk | head -1`], {env: {...process.env, TINYAGENT_HOME: home, ...recording('two-reminders')}})
  let stdout = '', stderr = ''
  child.stdout.on('data', data => { stdout += String(data) })
  child.stderr.on('data', data => { stderr += String(data) })
  expect(await once(child, 'close')).toEqual([0, null])
  expect(stdout.split('\n').filter(Boolean)).toHaveLength(1)
  expect(stderr).toBe('')
})

it('text of a model is shown with its control characters visible', async () => {
  const {stdout, stderr} = await run(['note'], 'escapes')
  expect(stdout + stderr).not.toContain('\u001b')
  expect(stderr).toContain('\\x1b[2J')
})

describe('plain lines', () => {
  it.each([['--plain', ['--plain'], {}], ['TERM=dumb', [], {TERM: 'dumb'}], ['a screen reader', [], {INK_SCREEN_READER: 'true'}]])(
    'on a terminal with %s: numbered answers, nothing redrawn', async (_name, args, env: Record<string, string>) => {
      const home = testHome()
      const t = open([...args, 'text that I am late'], {home, plan: 'sms', env})
      await t.shows('1 send, 2 skip this step, 3 stop everything, 4 edit:')
      expect(t.text()).toContain('Text (typed by you):\n    Running ten minutes late')
      t.type('4\r')
      await t.shows('2 Text:')
      t.type('2\r')
      await t.shows('(\\n for a new line):')
      t.type('Later\r')
      await t.shows('    Later')
      t.type('1\r')
      expect(await t.exits()).toBe(0)
      expect(t.raw).not.toContain('\u001b')
    })
  it('a REPL too, where Ctrl-C stops what runs and then leaves', async () => {
    const t = open(['--plain'], {plan: 'silent'})
    await t.shows('you:')
    t.type('milk\r')
    await t.shows('done 1:')
    t.type(keys.ctrlC)
    expect(await t.exits()).toBe(130)
  })
})

it('NO_COLOR: the same screen without a colour', async () => {
  const t = open(['text that I am late'], {plan: 'sms', env: {NO_COLOR: '1'}})
  await t.shows('[s]end')
  t.type('k')
  await t.exits()
  expect(t.raw).not.toMatch(/\u001b\[(3[0-9]|9[0-7]|4[0-9]|38;|48;)[0-9;]*m/)
})

it('a plan is written to the journal, for its owner only', async () => {
  const home = testHome()
  await run(['--yes', 'text that I am late'], 'sms', {home})
  const {stdout} = await run(['log'], 'sms', {home})
  expect(stdout).toContain('+12025550143')
  expect(readFileSync(path.join(home, 'state/journal', `${stdout.slice(0, 10)}.ndjson`), 'utf8')).toContain('send_sms')
})
