// The scripts themselves, run in Node against Mail's scripting dictionary. Not on a Mac.
import {readFile, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {calendarTools} from '../../src/tools/calendar/calendar.ts'
import {openVdirCalendar} from '../../src/tools/calendar/vdir-calendar.ts'
import {openAppleMail} from '../../src/tools/mail/apple.ts'
import {mailInvitations} from '../../src/tools/mail/invitations.ts'
import {mailTools} from '../../src/tools/mail/mail.ts'
import {openMaildir} from '../../src/tools/mail/maildir.ts'
import {fieldText, rawMessage} from '../../src/tools/mail/message.ts'
import {mac, mailedBy, type Thing} from './apple-apps.ts'
import {contextFor, hostileTexts, tempFolder, toolError} from './vdir-programs.ts'

const {signal} = new AbortController()
const me = {address: 'me@example.org', name: 'Mia'}
let temp: Awaited<ReturnType<typeof tempFolder>>
beforeEach(async () => { temp = await tempFolder() })
afterEach(() => temp.remove())

function open(apple = mac('Mail')) {
  const world = apple.worldOf('Mail')
  const backend = openAppleMail(join(temp.path, 'apple'), {...apple, drafts: openMaildir(join(temp.path, 'mail'))})
  const deliver = async (subject: string, text: string, at = '2026-03-03T09:15:00Z'): Promise<Thing> => {
    const source = (await rawMessage({id: `<${subject.length}@example.org>`, from: {address: 'ana@example.org', name: 'Ana'}, to: [me], cc: [], subject, text, date: new Date(at)}, [])).toString()
    const message = world.make('Message', {messageId: `${subject.length}@example.org`, source, sender: 'Ana <ana@example.org>', subject, dateReceived: new Date(at)})
    return world.put(world.root.values['inbox'] as Thing, 'messages', message)
  }
  const select = (...things: Thing[]) => { world.root.values['selection'] = things }
  return {apple, world, backend, deliver, select, mailed: () => mailedBy(world), tools: mailTools(backend, {from: me, userName: 'Mia'})}
}
const compose = {recipients: ['ana@example.org'], cc: ['ben@example.org'], subject: 'Lunch', context: 'at one?', attachments: [] as string[]}

describe('what was shown is what goes', () => {
  test('a new mail, with the attachment as it was read', async () => {
    const {tools, mailed} = open()
    const file = join(temp.path, 'a "b" $(c).txt')
    await writeFile(file, 'x')
    const args = {...compose, attachments: [file]}
    const preview = await tools[0]!.preview(args, contextFor())
    expect(preview.effect).toBe('outward')
    expect(mailed()).toEqual([])
    await tools[0]!.run(args, contextFor())
    const [mail] = mailed()
    expect(mail).toEqual({from: 'Mia <me@example.org>', to: ['ana@example.org'], cc: ['ben@example.org'], subject: 'Lunch', text: preview.body?.text, files: [expect.stringMatching(/\/a "b" \$\(c\)\.txt$/)]})
    expect([await readFile(String(mail!.files[0]), 'utf8'), (await stat(String(mail!.files[0]))).mode & 0o777]).toEqual(['x', 0o600])
    expect((await toolError(tools[0]!.run(args, contextFor()))).code).toBe('refused')
    expect(mailed()).toHaveLength(1)
  })

  test('a reply to the selected mail and not to another one, and a forward of it', async () => {
    const {tools, deliver, select, mailed} = open()
    const older = await deliver('Old', 'Shall we?')
    await deliver('Newer one', 'Ignore', '2026-03-04T09:15:00Z')
    select(older)
    await tools[1]!.run({cc: [], context: 'yes', attachments: []}, contextFor())
    await tools[2]!.run({recipients: ['ben@example.org'], cc: [], context: '', attachments: []}, contextFor({key: 'b'}))
    expect(mailed().map(m => [m.to, m.subject])).toEqual([[['ana@example.org'], 'Re: Old'], [['ben@example.org'], 'Fwd: Old']])
    expect(mailed()[0]!.text).toMatch(/Yes\.[^]*> Shall we\?$/)
    expect(mailed()[1]!.text).toContain('Shall we?')
  })

  test.each([...hostileTexts, 'x'.repeat(10_000), '<b>x</b>'])('%j changes no script', async text => {
    const {apple, backend, mailed} = open()
    const whole = Buffer.from(text).toString()
    const raw = (id: string, words: string) => rawMessage({id, from: me, to: [{address: 'ana@example.org', name: fieldText(words)}], cc: [], subject: fieldText(words), text: words, date: new Date()}, [])
    await backend.send(await raw('<a@x>', whole), {from: '', to: []}, '<a@x>', signal)
    await backend.send(await raw('<b@x>', 'Hi'), {from: '', to: []}, '<b@x>', signal)
    expect(mailed().map(m => [m.subject, m.text.trimEnd()])).toEqual([[fieldText(whole), whole.replace(/\r\n?/g, '\n').trimEnd()], ['Hi', 'Hi']])
    expect(new Set(apple.calls.map(c => c.source)).size).toBe(1)
  })
})

test('an invitation goes with the event as one file', async () => {
  const {backend, mailed} = open()
  const [create] = calendarTools(openVdirCalendar(join(temp.path, 'calendar')), {invitations: mailInvitations(backend, me), organizer: me})
  await create!.run({title: 'Lunch', start_date: '2026-03-04 12:00:00', end_date: '', location: '', invitees: ['ana@example.org'], notes: '', calendar: ''}, contextFor())
  expect(mailed().map(m => [m.to, m.subject, m.files])).toEqual([[['ana@example.org'], 'Invitation: Lunch', [expect.stringMatching(/\/invite\.ics$/)]]])
  expect(await readFile(String(mailed()[0]!.files[0]), 'utf8')).toContain('METHOD:REQUEST')
})

test.each([
  ['a signature', (w: Thing['values']) => { w['signature'] = 'Sent from my Mac' }, me, 'would have changed the text (it may add a signature)'],
  ['no account of the sender', () => undefined, {address: 'other@example.org'}, 'would have changed the sender (it has no account of other@example.org)'],
])('where Mail has %s nothing goes, and the mail is kept', async (_what, change, from, said) => {
  const {world, backend, mailed} = open()
  change(world.root.values)
  const error = await toolError(mailTools(backend, {from})[0]!.run(compose, contextFor()))
  expect(error.message).toContain(said)
  expect(error.message).toContain('kept in the drafts')
  expect([mailed(), world.root.elements['outgoingMessages']]).toEqual([[], []])
})

test('a mail that Mail says it could not send is unknown, and not sent again', async () => {
  const {world, tools, mailed} = open()
  world.root.values['refuses'] = true
  expect((await toolError(tools[0]!.run(compose, contextFor()))).code).toBe('unknown')
  expect((await toolError(tools[0]!.run(compose, contextFor()))).code).toBe('refused')
  expect(mailed()).toHaveLength(1)
})

test.each([[true, 'done'], [false, 'unknown']])('a mail on whose way the program was killed is looked for in Sent: it went: %s', async (isSent, state) => {
  const {apple, backend} = open()
  const raw = await rawMessage({id: '<a@x>', from: me, to: [{address: 'ana@example.org'}], cc: [], subject: 'Lunch', text: 'Hi', date: new Date()}, [])
  expect((await backend.settle('<a@x>', signal)).state).toBe('failed')
  const dying = openAppleMail(join(temp.path, 'apple'), {...apple, drafts: backend, exec: async (...call) => {
    if (isSent) await apple.exec(...call)
    throw new DOMException('stopped', 'AbortError')
  }})
  await expect(dying.send(raw, {from: '', to: []}, '<a@x>', signal)).rejects.toThrow('stopped')
  expect((await backend.settle('<a@x>', signal)).state).toBe(state)
  expect((await toolError(backend.send(raw, {from: '', to: []}, '<a@x>', signal))).code).toBe('refused')
  const elsewhere = openAppleMail(join(temp.path, 'apple'), {...apple, platform: 'linux', drafts: backend})
  expect(await elsewhere.settle('<a@x>', signal)).toMatchObject({state: 'unknown', again: true})
})

test('the inbox is listed, newest first, and one of it opened by its link or from a file', async () => {
  const {backend, deliver, select} = open()
  await deliver('Old', 'one')
  await deliver('Newer one', 'two', '2026-03-04T09:15:00Z')
  const listing = await backend.list()
  expect(listing.map(m => [m.subject, m.from])).toEqual([['Newer one', 'Ana <ana@example.org>'], ['Old', 'Ana <ana@example.org>']])
  expect((await toolError(backend.openMail())).message).toContain('No mail is selected in Mail')
  expect((await backend.open(listing[1]!.id)).text.trim()).toBe('one')
  select(await deliver('Other mail', 'three'))
  const again = await backend.openMail()
  expect([again?.subject, again?.where]).toEqual(['Old', listing[1]!.id])
  expect((await toolError(backend.open('message:nothing'))).code).toBe('not-found')
  expect((await toolError(backend.open('/nowhere.eml'))).code).toBe('not-found')
  expect(await backend.saveDraft(Buffer.from('Subject: x\n\nx'), '<d@x>')).toEqual({where: expect.stringContaining('drafts')})
})
