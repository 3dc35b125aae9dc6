import {mkdtemp, readdir, readFile, stat} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {openSmsOutbox} from '../../src/tools/sms/outbox.ts'
import {smsTools} from '../../src/tools/sms/sms.ts'
import {contextFor, toolError} from './vdir-programs.ts'

async function fresh() {
  const dir = join(await mkdtemp(join(tmpdir(), 'sms-')), 'outbox')
  const tool = smsTools(openSmsOutbox(dir), {country: 'GB', nameOf: async n => n === '+447700900123' ? 'Ana Osei' : undefined})[0] ?? expect.fail('no tool')
  return {dir, tool}
}
const context = (key: string) => ({...contextFor(), key})

test.each([
  'Running late', 'She said "no" & \'yes\' 100%?#', 'two\nlines\r\nthree', 'שלום \u202eabc', '🎉 \\ {"to": []}',
])('what the preview shows of %j is what waits in the outbox, with a link that says the same', async message => {
  const {tool} = await fresh()
  const args = {recipients: ['07700 900123, +1 213 373 4253'], message}
  const preview = await tool.preview(args, context('a'))
  const {where = ''} = await tool.run(args, context('a'))
  const written = JSON.parse(await readFile(where, 'utf8'))
  expect(preview.fields).toEqual([{label: 'To', value: written.to, arg: 'recipients'}, {label: 'Who', value: ['Ana Osei']}])
  expect(written.to).toEqual(['+447700900123', '+12133734253'])
  expect(preview.body).toEqual({text: message, arg: 'message'})
  expect(written.message).toBe(message)
  expect(written.link).toMatch(/^sms:\+447700900123,\+12133734253\?body=[\w%.!~*'()-]+$/)
  expect(decodeURIComponent(written.link.split('?body=')[1])).toBe(message)
  expect(preview.notice).toBe('No SMS gateway is configured: the message goes to the outbox.')
})

test('a preview writes nothing', async () => {
  const {dir, tool} = await fresh()
  await tool.preview({recipients: ['+447700900123'], message: 'Hi'}, context('a'))
  await expect(readdir(dir)).rejects.toThrow('ENOENT')
})

test('the same call twice is one message, and another message of its key is refused', async () => {
  const {dir, tool} = await fresh()
  const args = {recipients: ['+447700900123', '07700 900123'], message: 'Hi'}
  const results = await Promise.all([tool.run(args, context('../a')), tool.run(args, context('../a'))])
  expect(results[0]).toEqual(results[1])
  expect(results[0]?.summary).toBe('Put the text message to +447700900123 in the outbox')
  expect((await toolError(tool.run({...args, message: 'Bye'}, context('../a')))).code).toBe('refused')
  expect(await readdir(dir)).toHaveLength(1)
  expect((await stat(results[0]?.where ?? '')).mode & 0o777).toBe(0o600)
})

test.each([
  {recipients: ['Ana']}, {recipients: []}, {recipients: [' , ']}, {recipients: ['+447700900123?body=x']}, {recipients: ['12']},
  {recipients: ['07700 900123\n+12133734253;x']}, {message: ' \n'},
])('%j is refused before anything is written', async change => {
  const {dir, tool} = await fresh()
  const args = {recipients: ['+447700900123'], message: 'Hi', ...change}
  expect((await toolError(tool.preview(args, context('a')))).code).toBe('invalid-args')
  expect((await toolError(tool.run(args, context('a')))).code).toBe('invalid-args')
  await expect(readdir(dir)).rejects.toThrow('ENOENT')
})
