// Programs of the config as tools: values are arguments, and never a program.
import {mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {describe, expect, onTestFinished, test} from 'vitest'
import {defaultConfig, loadConfig, type ShellTool} from '../../src/core/config.ts'
import {pathsOf} from '../../src/core/paths.ts'
import {paramsOf} from '../../src/core/params.ts'
import type {Tool, ToolContext} from '../../src/core/types.ts'
import {openForeign} from '../../src/tools/foreign.ts'
import {shellTool} from '../../src/tools/shell/shell.ts'
import {hostileTexts} from './vdir-programs.ts'

const context: ToolContext = {signal: new AbortController().signal, now: new Date('2026-03-03T09:15:00'), key: 'k', ask: async () => undefined, aside: (_, change) => change(), progress: () => undefined}
const printArgs = ['-e', 'process.stdout.write(JSON.stringify(process.argv.slice(1)))', '--']
const make = (given: Partial<ShellTool>, base = tmpdir()): Tool =>
  shellTool('try_it', {description: 'Try it.', command: [process.execPath, ...printArgs], args: {}, effect: 'outward', timeout: 10, ...given}, base)

test('each value arrives as one argument, whatever is in it; a list as many', {timeout: 60_000}, async () => {
  const tool = make({command: [process.execPath, ...printArgs, '{name}', '--size={size}', '{files}'], args: {name: 'text', size: 'integer', files: 'file[]'}})
  expect(paramsOf(tool).map(p => [p.name, p.kind, p.list])).toEqual([['name', 'text', false], ['size', 'integer', false], ['files', 'file', true]])
  for (const text of [...hostileTexts.filter(t => !t.includes('\0')), '$(touch /tmp/x); `id` && "a"\n{size}', '-rf']) {
    const {value} = await tool.run({name: text, size: 3, files: ['a b', 'c']}, context)
    // Control characters are escapes in what a person or another step sees.
    if (/^[\x20-\x7e]*$/.test(text)) expect(JSON.parse(value)).toEqual([text, '--size=3', 'a b', 'c'])
    else expect(value).toContain('--size=3')
  }
})

test('a value that the program would take for an option is refused, unless "--" stands before it', async () => {
  const bare = make({command: ['ls', '{path}'], args: {path: 'path'}})
  await expect(bare.run({path: '--color=always'}, context)).rejects.toMatchObject({code: 'refused', message: expect.stringContaining('read as an option') as string})
  const guarded = make({command: ['ls', '--', '{path}'], args: {path: 'path'}})
  await expect(guarded.run({path: '--color=always'}, context)).rejects.toMatchObject({code: 'failed'})
})

test('the card shows the command as it will run', async () => {
  const tool = make({command: ['curl', '-s', 'https://example.org/{city}?u'], args: {city: {kind: 'place', description: 'which city'}}, effect: 'read'})
  expect(await tool.preview({city: 'New York'}, context)).toEqual({
    effect: 'read', title: 'Try it.', fields: [{label: 'city', value: 'New York', arg: 'city'}, {label: 'Runs', value: 'curl -s "https://example.org/New York?u"'}],
  })
})

test('a failing program is a failure with its last words, and one that does not end is stopped', async () => {
  const fails = make({command: [process.execPath, '-e', 'console.error("first\\n\\u001b[31mlast"); process.exit(4)']})
  await expect(fails.run({}, context)).rejects.toMatchObject({code: 'failed', message: expect.stringMatching(/exit code 4: \\x1b\[31mlast$/) as string})
  const hangs = make({command: [process.execPath, '-e', 'setInterval(() => undefined, 1000)'], timeout: 1})
  await expect(hangs.run({}, context)).rejects.toMatchObject({code: 'timeout'})
  await expect(make({command: ['no-such-program-of-ours']}).run({}, context)).rejects.toMatchObject({code: 'unavailable'})
})

describe('a declaration that is wrong says what would be right', () => {
  test.each<[string, Partial<ShellTool>, string]>([
    ['an unknown kind', {command: ['echo', '{a}'], args: {a: 'colour'}}, 'there is no kind "colour"'],
    ['a choice without values', {command: ['echo', '{a}'], args: {a: 'choice'}}, 'a choice needs its values'],
    ['a placeholder without an argument', {command: ['echo', '{a}']}, '{a} is not among its args'],
    ['an argument without a placeholder', {command: ['echo'], args: {a: 'text'}}, 'the command has no {a}'],
    ['a program that is a value', {command: ['{a}'], args: {a: 'text'}}, 'the program itself cannot be an argument'],
    ['a value in a shell\'s text', {command: ['sh', '-c', 'echo {a}'], args: {a: 'text'}}, 'part of a program\'s text for sh'],
    ['a value in Python\'s text', {command: ['/usr/bin/python3.12', '-c', 'print("{a}")'], args: {a: 'text'}}, 'part of a program\'s text'],
  ])('%s', (_, given, message) => { expect(() => make(given)).toThrow(message) })
})

test('the config declares them; a wrong one is a problem and the others are there', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'tinyagent-shell-'))
  onTestFinished(() => rmSync(dir, {recursive: true, force: true}))
  const paths = pathsOf({home: dir})
  mkdirSync(paths.config, {recursive: true})
  writeFileSync(path.join(paths.config, 'config.toml'), `[tools.shell.good]
description = "Good."
command = ["echo", "{a}"]
args = {a = "text"}
[tools.shell.bad]
description = "Bad."
command = ["echo", "{b}"]
[tools.shell.send_sms]
description = "Takes our name."
command = ["echo"]
`)
  const {tools, problems} = await openForeign(loadConfig(paths), '1')
  expect(tools.map(t => [t.tool.name, t.from, t.word])).toEqual([['good', 'tools.shell.good', 'outward']])
  expect(problems).toEqual([expect.stringMatching(/config\.toml: tools\.shell\.bad\.command: \{b\} is not among its args$/), 'tools.shell.send_sms: send_sms: tinyagent has a tool of this name already'])
  expect((await openForeign(defaultConfig(pathsOf({home: path.join(dir, 'empty')})), '1')).tools).toEqual([])
  expect(readdirSync(dir)).toEqual(['config'])
})
