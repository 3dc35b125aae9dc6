// What is wrong is said in one line, with the right exit code, and nothing is lost or half-written.
import fs from 'node:fs'
import path from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {linesOf, newHome, type Finished, type Run} from './program.ts'

let home: ReturnType<typeof newHome>
beforeEach(() => { home = newHome() })
afterEach(() => home.remove())

const reminder = '1. create_reminder("Call the dentist", "tomorrow at 3pm", "", "", 0, false)\n2. join()\n'
const remind = (args: string[] = [], options: Run = {}): Promise<Finished> => home.run([...args, 'remind me'], {plan: reminder, ...options})
const files = (): string[] => fs.readdirSync(home.dir, {recursive: true, encoding: 'utf8'}).filter(f => fs.statSync(path.join(home.dir, f)).isFile() && f !== 'plan.txt' && !f.startsWith('cache/'))
const reminders = (): string[] => files().filter(f => f.endsWith('.ics'))

describe('a request that is none is one line and exit 2, and nothing is kept of it', () => {
  test.each<[string, string[], string | Buffer, RegExp]>([
    ['empty', [''], '', /^tinyagent: The request is empty/],
    ['of blanks on standard input', ['-'], ' \n\t', /^tinyagent: The request is empty/],
    ['of 20,000 characters', ['x'.repeat(20_000)], '', /too long: 20000 characters, 4000 at most/],
    ['of 20,000 characters on standard input', ['--json', '-'], 'x'.repeat(20_000), /too long: 20000 characters, 4000 at most/],
    ['binary', ['-'], Buffer.from([0xff, 0xfe, 0, 1, 2, 0x80]), /standard input is not text/],
    ['of control characters', ['plan', '-'], '\u0000\u0001', /not text/],
    ['with a clock that is none', ['--now', 'noon', 'x'], '', /--now noon: not a date; e\.g\./],
    ['for a config that is not there', ['--config', 'none.toml', 'x'], '', /none\.toml: there is no such file; `tinyagent setup/],
    ['for a model that is not there', ['plan', '--model', './none.gguf', 'x'], '', /--model \.\/none\.gguf: there is no file/],
    ['for rows that are not there', ['eval', 'none.jsonl'], '', /none\.jsonl cannot be read: it is not there/],
  ])('%s', async (_what, args, stdin, message) => {
    const {code, stdout, stderr} = await home.run(args, {stdin})
    expect([code, stdout, linesOf(stderr).length]).toEqual([2, '', 1])
    expect(stderr).toMatch(message)
    expect(files()).toEqual([])
  })
})

test('a config that is wrong stops requests, and can still be found, opened and checked', async () => {
  const file = home.write('config/config.toml', '[user]\nregion = "Germany"\n')
  const {code, stderr} = await remind()
  expect([code, stderr]).toEqual([2, `tinyagent: ${file}:2: user.region: expected two capital letters, e.g. "DE"\n`])
  expect(await home.run(['config', 'path'])).toMatchObject({code: 0, stdout: `${file}\n`})
  // Saved with the mistake gone: the editor's work is checked, and here it is right.
  expect(await home.run(['config', 'edit'], {env: {EDITOR: 'sed -i -e s/Germany/DE/'}})).toMatchObject({code: 0, stderr: ''})
  expect(await home.run(['config', 'get', 'user.region'])).toMatchObject({code: 0, stdout: 'DE\n'})
  home.write('config/config.toml', 'user = 5')
  const doctor = await home.run(['doctor', '--json'])
  expect(doctor.code).toBe(1)
  expect(JSON.parse(doctor.stdout)).toContainEqual(expect.objectContaining({name: 'config', state: 'bad', detail: expect.stringContaining('`tinyagent config edit` opens it')}))
})

test('damaged cards among good ones cost only themselves, and each is said once', async () => {
  const card = (name: string, more: string): string => `BEGIN:VCARD\nVERSION:3.0\nFN:${name}\n${more}END:VCARD\n`
  home.write('data/contacts/ana.vcf', card('Ana', 'EMAIL:ana@example.org\n'))
  home.write('data/contacts/torn.vcf', 'BEGIN:VCARD\nVERSION:3.0\nFN:To')
  home.write('data/contacts/binary.vcf', Buffer.from([0, 1, 255, 254]))
  fs.mkdirSync(path.join(home.dir, 'data/contacts/folder.vcf'))
  const {code, stdout, stderr} = await home.run(['addresses'], {plan: '1. get_email_address("Ana")\n2. get_phone_number("Ana")\n3. create_note("Ana", "$1", "")\n4. join()\n'})
  expect([code, stdout]).toEqual([expect.any(Number), expect.stringContaining('Ana')])
  for (const name of ['torn.vcf', 'binary.vcf', 'folder.vcf']) expect(linesOf(stderr).filter(l => l.startsWith('Skipped') && l.includes(name))).toHaveLength(1)
})

test('a name that two people have, and one that nobody has, are errors; the first has the candidates', async () => {
  for (const name of ['One', 'Two']) home.write(`data/contacts/${name}.vcf`, `BEGIN:VCARD\nVERSION:3.0\nFN:Ana ${name}\nEMAIL:${name}@example.org\nEND:VCARD\n`)
  const {code, stdout} = await home.run(['--json', 'mail Ana and Zeb'], {
    plan: '1. get_email_address("Ana")\n2. get_email_address("Zebulon")\n3. compose_new_email(["$1", "$2"], [], "Hi", "hello", [])\n4. join()\n',
  })
  const events = linesOf(stdout).map(line => JSON.parse(line) as {type: string; id?: number; error?: unknown; status?: string})
  expect(code).toBe(1)
  expect(events.find(e => e.type === 'task-failed' && e.id === 1)?.error).toMatchObject({
    code: 'ambiguous', candidates: [{value: 'One@example.org', label: 'Ana One: One@example.org'}, {value: 'Two@example.org', label: 'Ana Two: Two@example.org'}],
  })
  expect(events.find(e => e.type === 'task-failed' && e.id === 2)?.error).toMatchObject({code: 'not-found', message: expect.stringContaining('There is no "Zebulon" in your contacts')})
  expect(events.at(-1)).toMatchObject({type: 'done', status: 'failed', exitCode: 1})
})

test('where nothing can be written, nothing is begun, and no half of a file is left', async () => {
  // A file size limit of 0 fails writes as a full disk does; its signal is one that a full disk does not send.
  const {code, stdout, stderr} = await remind([], {
    by: 'ulimit -f 0; exec "$@"', env: {NODE_OPTIONS: `--import=data:text/javascript,process.on('SIGXFSZ',()=>{})`},
  })
  expect(code).toBe(1)
  expect(stdout).toMatch(/^Could not create a reminder.*cannot be written.*so nothing was begun/)
  expect(linesOf(stderr).filter(l => l.includes('could not be written'))).toHaveLength(1)
  expect(files().filter(f => fs.statSync(path.join(home.dir, f)).size > 0)).toEqual([])
  expect((await remind()).code).toBe(0)
  expect(linesOf((await home.run(['log'])).stdout)).toHaveLength(1)
})

test('a home that is a file, and one where nothing can be made, are said in one line', async () => {
  const file = home.write('taken', '')
  for (const args of [['log'], ['setup'], ['config', 'set', 'user.name', 'Ana']]) {
    const {code, stderr} = await home.run(['--home', file, ...args])
    expect([code, linesOf(stderr)]).toEqual([1, [expect.stringMatching(/^tinyagent: .*taken.* cannot be used: a part of the path is a file; --home DIR/)]])
  }
})

test.runIf(process.platform === 'linux')('a place that takes no folders does not hang the program', async () => {
  const {code, stdout} = await remind(['--home', '/proc/self/task'])
  expect([code, stdout]).toEqual([1, expect.stringContaining('so nothing was begun')])
})

test('four at the same time on one home: every reminder and every line of the journal is whole', async () => {
  const results = await Promise.all([1, 2, 3, 4].map(() => remind()))
  expect(results.map(r => r.code)).toEqual([0, 0, 0, 0])
  expect(reminders()).toHaveLength(4)
  const journals = files().filter(f => f.endsWith('.ndjson'))
  const lines = journals.flatMap(f => linesOf(fs.readFileSync(path.join(home.dir, f), 'utf8')))
  expect(lines.map(line => (JSON.parse(line) as {type: string}).type).filter(type => type === 'task-done')).toHaveLength(4)
  expect(files().filter(f => /\.(tmp|part)$/.test(f))).toEqual([])
})
