// Outlook's mail: the scripts themselves, by as much of PowerShell as they use, against Outlook's object model. Not on Windows.
import {existsSync} from 'node:fs'
import {mkdir, readFile, rm, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {openMaildir} from '../../src/tools/mail/maildir.ts'
import {mailTools} from '../../src/tools/mail/mail.ts'
import {fieldText, rawMessage} from '../../src/tools/mail/message.ts'
import {openOutlookMail} from '../../src/tools/mail/outlook.ts'
import {windowsWith} from './outlook-app.ts'
import {contextFor, hostileTexts, tempFolder, toolError} from './vdir-programs.ts'

const {signal} = new AbortController()
const me = {address: 'me@example.org', name: 'Mia'}
let temp: Awaited<ReturnType<typeof tempFolder>>
beforeEach(async () => { temp = await tempFolder() })
afterEach(() => temp.remove())

function open(windows = windowsWith()) {
  const backend = openOutlookMail(join(temp.path, 'outlook'), {...windows, drafts: openMaildir(join(temp.path, 'mail'))})
  const deliver = (subject: string, text: string, at: string, more: Parameters<typeof windows.world.deliver>[1] = {}) => windows.world.deliver({
    Subject: subject, Body: text, SentOn: new Date(at), ReceivedTime: new Date(at), SenderName: 'Ana', SenderEmailAddress: '/o=Org/cn=ana',
  }, {to: [{name: 'Mia', address: 'me@example.org', type: 1}, {name: 'Cc', address: 'cc@example.org', type: 2}], ...more, tags: {'0x5D01001F': 'ana@example.org', '0x1035001F': '<m1@example.org>', '0x1039001F': '<m0@example.org>\r\n <x@example.org>', ...more.tags}})
  return {windows, world: windows.world, backend, deliver, tools: mailTools(backend, {from: me, userName: 'Mia'})}
}
const compose = {recipients: ['ana@example.org'], cc: ['ben@example.org'], subject: 'Lunch', context: 'at one?', attachments: [] as string[]}
const rawOf = (id: string, words: string, parts: Parameters<typeof rawMessage>[1] = []) => rawMessage({id, from: me, to: [{address: 'ana@example.org', name: fieldText(words)}], cc: [], subject: fieldText(words), text: words, date: new Date()}, parts)

describe('what was shown is what goes', () => {
  test('a new mail, with the attachment as it was read, once', async () => {
    const {tools, world} = open()
    const file = join(temp.path, 'a $(c) & b.txt')
    await writeFile(file, 'x')
    const args = {...compose, attachments: [file]}
    const preview = await tools[0]!.preview(args, contextFor())
    expect([preview.effect, preview.notice]).toEqual(['outward', expect.stringContaining('Outlook sends it, as a new mail')])
    expect(world.mails).toEqual([])
    await tools[0]!.run(args, contextFor())
    const [mail] = world.mails
    expect(mail).toEqual({from: 'me@example.org', to: ['ana@example.org'], cc: ['ben@example.org'], subject: 'Lunch', text: preview.body?.text.replaceAll('\n', '\r\n'), files: [expect.stringMatching(/\/a \$\(c\) & b\.txt$/)]})
    expect([await readFile(mail!.files[0]!, 'utf8'), (await stat(mail!.files[0]!)).mode & 0o777]).toEqual(['x', 0o600])
    expect((await toolError(tools[0]!.run(args, contextFor()))).code).toBe('refused')
    expect(world.mails).toHaveLength(1)
  })

  test('a reply to the selected mail and not to another one, and a forward of it with its files, none of which stays behind', async () => {
    const {windows, tools, deliver, world} = open()
    const files = [{name: 'plan "v2".pdf', content: 'pdf', tags: {'0x370E001F': 'application/pdf'}}, {name: 'logo.png', content: 'hidden', tags: {'0x7FFE000B': true}}, {name: 'drawing', content: 'ole', type: 6}]
    const older = deliver('Old', 'Shall we?\r\nAna', '2026-03-03T09:15:00Z', {files})
    deliver('Newer', 'Ignore', '2026-03-04T09:15:00Z')
    world.selected = older
    await tools[1]!.run({cc: [], context: 'yes', attachments: []}, contextFor())
    await tools[2]!.run({recipients: ['ben@example.org'], cc: [], context: '', attachments: []}, contextFor({key: 'b'}))
    expect(world.mails.map(m => [m.to, m.subject])).toEqual([[['ana@example.org'], 'Re: Old'], [['ben@example.org'], 'Fwd: Old']])
    expect(world.mails[0]!.text).toMatch(/Yes\.[^]*> Shall we\?\r\n> Ana/)
    expect(world.mails[1]!.files).toEqual([expect.stringMatching(/\/plan -v2-\.pdf$/)])
    expect(await readFile(world.mails[1]!.files[0]!, 'utf8')).toBe('pdf')
    const folders = windows.calls.flatMap(({input}) => typeof input === 'object' && input !== null && 'dir' in input ? [String(input.dir)] : [])
    expect(folders.length).toBeGreaterThan(0)
    expect(folders.filter(folder => existsSync(folder))).toEqual([])
  })

  test.each([...hostileTexts, 'x'.repeat(10_000)])('%j changes no script', async text => {
    const {windows, world, backend} = open()
    const whole = Buffer.from(text).toString()
    await backend.send(await rawOf('<a@x>', whole), {from: '', to: []}, '<a@x>', signal)
    await backend.send(await rawOf('<b@x>', 'Hi'), {from: '', to: []}, '<b@x>', signal)
    expect(world.mails.map(m => [m.subject, String(m.text).replaceAll('\r\n', '\n').trimEnd()])).toEqual([[fieldText(whole), whole.replace(/\r\n?/g, '\n').trimEnd()], ['Hi', 'Hi']])
    expect(new Set(windows.calls.map(c => c.source)).size).toBe(1)
  })
})

test.each([
  ['no account of the sender', windowsWith({accounts: ['other@example.org']}), 'would have changed the sender (it has no account of me@example.org)'],
  ['another account that it sends by', windowsWith({accounts: ['other@example.org', 'me@example.org'], keepsSender: true}), 'would have changed the sender,'],
  ['a recipient that it does not know', windowsWith({unknown: ['ana@example.org']}), 'would have changed the recipients'],
])('where Outlook has %s nothing goes, and the mail is kept', async (_what, windows, said) => {
  const {world, tools} = open(windows)
  const error = await toolError(tools[0]!.run(compose, contextFor()))
  expect(error.message).toContain(said)
  expect(error.message).toContain('kept in the drafts')
  expect(world.mails).toEqual([])
})

test('where the attachments can\'t be put on the disk nothing goes, nothing stays, and the same mail may go later', async () => {
  const {world, backend} = open()
  const attachments = join(temp.path, 'outlook', 'attachments')
  const raw = await rawOf('<a@x>', 'Hi', [{name: 'a.txt', type: 'text/plain', content: Buffer.from('x')}])
  await mkdir(join(temp.path, 'outlook'))
  await writeFile(attachments, '')
  expect(await toolError(backend.send(raw, {from: '', to: []}, '<a@x>', signal))).toMatchObject({code: 'failed', message: expect.stringContaining('could not be written')})
  expect((await backend.settle('<a@x>', signal)).state).toBe('failed')
  await rm(attachments)
  await backend.send(raw, {from: '', to: []}, '<a@x>', signal)
  expect(world.mails.map(m => m.files.length)).toEqual([1])
})

test('Outlook without a window gets one, since it ends with us otherwise, and what it sends may still wait', async () => {
  const {world, backend} = open()
  world.windows = 0
  await backend.send(await rawOf('<a@x>', 'Hi'), {from: '', to: []}, '<a@x>', signal)
  expect([world.windows, world.mails.length]).toEqual([1, 1])
})

describe('a mail on whose way the program was killed', () => {
  const killed = async (isSent: boolean) => {
    const opened = open()
    const dying = openOutlookMail(join(temp.path, 'outlook'), {...opened.windows, drafts: opened.backend, exec: async (...call) => {
      if (isSent) await opened.windows.exec(...call)
      throw new DOMException('stopped', 'AbortError')
    }})
    expect((await opened.backend.settle('<a@x>', signal)).state).toBe('failed')
    await expect(dying.send(await rawOf('<a@x>', 'Lunch'), {from: '', to: []}, '<a@x>', signal)).rejects.toThrow('stopped')
    expect((await toolError(opened.backend.send(await rawOf('<a@x>', 'Lunch'), {from: '', to: []}, '<a@x>', signal))).code).toBe('refused')
    return {...opened, sent: opened.world.folder(5).items}
  }

  test('is found in Sent Items by its mark, whatever its subject, and goes no second time', async () => {
    const {backend, sent, world} = await killed(true)
    sent[0]!.values['Subject'] = 'Other'
    expect(await backend.settle('<a@x>', signal)).toEqual({state: 'done', note: 'it is in Sent Items of Outlook'})
    expect(world.mails).toHaveLength(1)
  })

  test('waits in the Outbox', async () => {
    const {backend, sent, world} = await killed(true)
    world.folder(4).items.push(sent.pop()!)
    expect(await backend.settle('<a@x>', signal)).toMatchObject({state: 'done', isQueued: true})
  })

  test('is known by its subject where the server keeps no marks, but not among two of them', async () => {
    const {backend, sent} = await killed(true)
    sent[0]!.values['Mileage'] = ''
    expect(await backend.settle('<a@x>', signal)).toMatchObject({state: 'done', note: expect.stringContaining('a mail of this subject')})
    sent.push({...sent[0]!, values: {...sent[0]!.values}})
    expect((await backend.settle('<a@x>', signal)).state).toBe('unknown')
  })

  test('is unknown where nothing is found, and where Outlook can\'t be asked that is said', async () => {
    const {backend, windows} = await killed(false)
    expect(await backend.settle('<a@x>', signal)).toEqual({state: 'unknown', note: 'Look at Sent Items, the Outbox and the drafts of Outlook before you send it again.'})
    const elsewhere = openOutlookMail(join(temp.path, 'outlook'), {...windows, platform: 'linux', drafts: backend})
    expect(await elsewhere.settle('<a@x>', signal)).toMatchObject({state: 'unknown', again: true})
  })

  test('and one of the same subject from before is not taken for it', async () => {
    const {backend, world} = await killed(false)
    const old = world.deliver({Subject: 'Lunch'})
    old.values['LastModificationTime'] = new Date('2020-01-01')
    world.folder(5).items.push(old)
    expect((await backend.settle('<a@x>', signal)).state).toBe('unknown')
  })
})

test('the inbox is listed, newest first, and one of it opened by its link', async () => {
  const {backend, deliver, world} = open()
  const old = deliver('Old', 'one', '2026-03-03T09:15:00Z')
  deliver('Newer one', 'two', '2026-03-04T09:15:00Z')
  const listing = await backend.list()
  expect(listing.map(m => [m.subject, m.from, m.date?.toISOString()])).toEqual([['Newer one', 'Ana', '2026-03-04T09:15:00.000Z'], ['Old', 'Ana', '2026-03-03T09:15:00.000Z']])
  expect((await toolError(backend.openMail())).message).toContain('No mail is selected in Outlook')
  expect(await backend.open(listing[1]!.id)).toMatchObject({
    messageId: '<m1@example.org>', references: ['<m0@example.org>', '<x@example.org>'], from: [{address: 'ana@example.org', name: 'Ana'}], to: [{address: 'me@example.org', name: 'Mia'}],
    replyTo: [], text: 'one', attachments: [],
  })
  world.selected = deliver('Other mail', 'three', '2026-03-05T09:15:00Z')
  expect((await backend.openMail())?.subject).toBe('Old')
  world.folder(6).items.splice(world.folder(6).items.indexOf(old), 1)
  expect((await toolError(backend.openMail())).message).toContain('not in Outlook any more')
  expect((await toolError(backend.open('/nowhere.eml'))).code).toBe('not-found')
  expect(await backend.saveDraft(Buffer.from('Subject: x\n\nx'), '<d@x>')).toEqual({where: expect.stringContaining('drafts')})
})

test('an appointment that is selected is no mail', async () => {
  const {backend, world} = open()
  world.selected = world.add(9, 1, {Subject: 'Fair'})
  expect((await toolError(backend.openMail())).message).toContain('What is selected in Outlook is no mail')
})
