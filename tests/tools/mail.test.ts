import {mkdir, readdir, readFile, stat, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import type {Preview, Tool} from '../../src/core/types.ts'
import {draft} from '../../src/tools/mail/draft.ts'
import {mailInvitations} from '../../src/tools/mail/invitations.ts'
import {mailTools, type MailBackend} from '../../src/tools/mail/mail.ts'
import {openMaildir} from '../../src/tools/mail/maildir.ts'
import {rawMessage, type Message, type Part} from '../../src/tools/mail/message.ts'
import {mailContract} from './mail-contract.ts'
import {headerOf, readMaildir, type ReadMail} from './mail-programs.ts'
import {contextFor, hostileTexts, program, tempFolder, toolError} from './vdir-programs.ts'

let temp: Awaited<ReturnType<typeof tempFolder>>
let warnings: string[]
let root: string
let backend: MailBackend
beforeEach(async () => {
  temp = await tempFolder()
  root = join(temp.path, 'mail')
  warnings = []
  backend = openMaildir(root, {warn: message => warnings.push(message)})
})
afterEach(() => temp.remove())

const python = await program('python3')
let delivered = 0

/** A mail as a delivery agent leaves it in the inbox; each one later than the last. */
async function deliver(maildir: string, raw: Buffer | string): Promise<string> {
  const folder = join(maildir, 'inbox', 'new')
  await mkdir(folder, {recursive: true})
  const path = join(folder, `${++delivered}.host`)
  await writeFile(path, raw)
  const at = new Date(Date.UTC(2026, 2, 1) + delivered * 60_000)
  await utimes(path, at, at)
  return path
}

const bytesOf = async (maildir: string, box: string): Promise<Buffer[]> => {
  const folder = join(maildir, box, 'new')
  const names = await readdir(folder).catch(() => [])
  return Promise.all(names.sort().map(name => readFile(join(folder, name))))
}

mailContract('a Maildir', async () => {
  const {path, remove} = await tempFolder()
  return {backend: openMaildir(path), deliver: async raw => { await deliver(path, raw) }, outgoing: () => bytesOf(path, 'outbox'), close: remove}
})

const me = {address: 'me@example.org', name: 'Jo "JJ" Okafor, PhD'}
const names: Record<string, string> = {'ana@example.org': 'Ana Duarte', 'osei@example.org': 'Dr. Kwame Osei'}
const tools = (): Tool[] => mailTools(backend, {from: me, userName: 'Jo Okafor', nameOf: async a => names[a]})
const named = (name: string, all = tools()): Tool => all.find(t => t.name === name) ?? expect.fail(`no ${name}`)

const incoming = (change: Partial<Message> = {}, parts: Part[] = []): Promise<Buffer> => rawMessage({
  id: '<q1@example.org>', from: {address: 'ana@example.org', name: 'Ana D.'}, to: [{address: 'me@example.org'}], cc: [],
  subject: 'Budget', text: 'Can you check?\n> older\n\nAna', date: new Date('2026-03-02T10:00:00Z'), ...change,
}, parts)

const mail = {recipients: ['ana@example.org'], cc: [] as string[], subject: 'Q3 budget', context: 'please look over the numbers before Thursday', attachments: [] as string[]}

const field = (preview: Preview, label: string): string[] => [preview.fields.find(f => f.label === label)?.value ?? []].flat()

/** What the preview showed is what another program reads. */
function expectAsShown(read: ReadMail | undefined, preview: Preview): void {
  const shown = (people: string[][] = []): string[] => people.map(([name, address]) => name ? `${name} <${address}>` : address ?? '')
  expect(read?.defects).toEqual([])
  expect(shown(read?.from)).toEqual(field(preview, 'From'))
  expect(shown(read?.to)).toEqual(field(preview, 'To'))
  expect(shown(read?.cc)).toEqual(field(preview, 'Cc'))
  expect(read?.subject).toBe(field(preview, 'Subject')[0])
  expect(read?.text.trimEnd()).toBe(preview.body?.text.trimEnd())
  expect(read?.attachments.map(a => [a.name, a.type, Buffer.from(a.base64, 'base64').length])).toEqual((preview.attachments ?? []).map(a => [a.name, a.type, a.bytes]))
}

describe.skipIf(python === undefined)('Python reads what was written', () => {
  const outbox = () => readMaildir(python ?? '', join(root, 'outbox'), temp.path)

  test('a new mail is what the preview showed: people, subject, text and attachments', async () => {
    const budget = join(temp.path, 'Q3 "budget", größe.xlsx')
    await writeFile(budget, Buffer.from([0, 255, 13, 10, 26]))
    const args = {...mail, recipients: ['ana@example.org, bo@example.org'], cc: ['osei@example.org', 'ANA@example.org'], attachments: [budget, budget]}
    const preview = await named('compose_new_email').preview(args, contextFor())
    expect(await readdir(temp.path)).toEqual(['Q3 "budget", größe.xlsx'])
    const result = await named('compose_new_email').run(args, contextFor())
    const [read, ...more] = await outbox()
    expect(more).toEqual([])
    expectAsShown(read, preview)
    expect(field(preview, 'To')).toEqual(['ana@example.org', 'bo@example.org'])
    expect(field(preview, 'Cc')).toEqual(['osei@example.org'])
    expect(field(preview, 'Who')).toEqual(['ana@example.org', 'bo@example.org', 'osei@example.org'].flatMap(a => names[a] ?? []))
    expect(field(preview, 'Who')).not.toEqual([])
    expect(read?.text).toBe('Hello all,\n\nPlease look over the numbers before Thursday.\n\nJo')
    expect(Buffer.from(read?.attachments[0]?.base64 ?? '', 'base64')).toEqual(Buffer.from([0, 255, 13, 10, 26]))
    expect(preview.notice).toBe('No mail account is configured: the mail goes to the outbox.')
    expect(result.summary).toBe("Put the mail 'Q3 budget' to ana@example.org, bo@example.org, osei@example.org in the outbox")
    expect((await stat(result.where ?? '')).mode & 0o777).toBe(0o600)
  })

  test('a reply goes to who asks for it, in the thread, with the original quoted', async () => {
    await deliver(root, await incoming({inReplyTo: '<q0@example.org>', references: ['<q0@example.org>']}))
    const args = {cc: ['osei@example.org'], context: 'The numbers are fine.', attachments: []}
    const preview = await named('reply_to_email').preview(args, contextFor())
    await named('reply_to_email').run(args, contextFor())
    const [read] = await outbox()
    expectAsShown(read, preview)
    expect(read && [headerOf(read, 'In-Reply-To'), headerOf(read, 'References')]).toEqual(['<q1@example.org>', '<q0@example.org> <q1@example.org>'])
    expect(read?.to).toEqual([['Ana D.', 'ana@example.org']])
    expect(read?.subject).toBe('Re: Budget')
    expect(read?.text).toMatch(/^Hi Ana,\n\nThe numbers are fine\.\n\nJo\n\nOn Mon, 2 Mar 2026,? .*Ana D\. wrote:\n> Can you check\?\n>> older\n>\n> Ana\n$/)
  })

  test('a forwarded mail carries its own attachments and new ones', async () => {
    await deliver(root, await incoming({}, [{name: 'plan.pdf', type: 'application/pdf', content: Buffer.from('%PDF-x')}, {name: '../../evil\u202e.sh', type: 'text/plain', content: Buffer.from('x')}]))
    await writeFile(join(temp.path, 'more.txt'), 'more')
    const args = {recipients: ['bo@example.org'], cc: [], context: '', attachments: [join(temp.path, 'more.txt')]}
    const preview = await named('forward_email').preview(args, contextFor())
    await named('forward_email').run(args, contextFor())
    const [read] = await outbox()
    expectAsShown(read, preview)
    expect(read?.attachments.map(a => [a.name, Buffer.from(a.base64, 'base64').toString()])).toEqual([['plan.pdf', '%PDF-x'], ['..-..-evil.sh', 'x'], ['more.txt', 'more']])
    expect(read?.subject).toBe('Fwd: Budget')
    expect(read?.text).toMatch(/^---------- Forwarded message ----------\nFrom: Ana D\. <ana@example\.org>\nDate: .*\nSubject: Budget\nTo: me@example\.org\n\nCan you check\?/)
  })

  test('drafts, outbox and sent are Maildirs, and a mail that was sent by another program is not queued again', async () => {
    const raw = await incoming()
    await backend.saveDraft(raw, '<d@example.org>')
    await backend.send(raw, {from: '', to: []}, '<s@example.org>', new AbortController().signal)
    expect((await readMaildir(python ?? '', join(root, 'drafts'), temp.path)).map(m => m.subject)).toEqual(['Budget'])
    const [queued = ''] = await readdir(join(root, 'outbox', 'new'))
    for (const part of ['tmp', 'new', 'cur']) await mkdir(join(root, 'sent', part), {recursive: true})
    await writeFile(join(root, 'sent', 'cur', `${queued}:2,S`), raw)
    expect((await readMaildir(python ?? '', join(root, 'sent'), temp.path)).map(m => m.subject)).toEqual(['Budget'])
    const error = await toolError(openMaildir(root).send(raw, {from: '', to: []}, '<s@example.org>', new AbortController().signal))
    expect(error.code).toBe('refused')
    expect(error.message).toContain('sent')
  })

  test.each(hostileTexts)('%j as text and as a name in the original does not leave its place', async text => {
    await deliver(root, await incoming({text, subject: text.replace(/\p{Cc}|\u2028/gu, ' ')}))
    const args = {cc: [], context: text, attachments: []}
    const preview = await named('reply_to_email').preview(args, contextFor())
    await named('reply_to_email').run(args, contextFor())
    const [read] = await outbox()
    expect(read?.headers.map(([name]) => name).sort()).toEqual(
      ['Content-Transfer-Encoding', 'Content-Type', 'Date', 'From', 'In-Reply-To', 'MIME-Version', 'Message-ID', 'References', 'Subject', 'To'])
    expect(read?.to).toEqual([['Ana D.', 'ana@example.org']])
    expect(read?.text.trimEnd()).toBe(Buffer.from(preview.body?.text ?? '').toString().replace(/\r\n?/g, '\n').trimEnd())
  })

  test('an invitation is a mail whose calendar part other programs find, once', async () => {
    const ics = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:x', 'METHOD:REQUEST', 'BEGIN:VEVENT', 'UID:u1', 'DTSTAMP:20260303T091500Z', 'DTSTART:20260304T100000Z', 'SUMMARY:Plan', 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n')
    const sender = mailInvitations(backend, me)
    const invitation = {to: ['ana@example.org'], subject: 'Invitation: Plan', text: 'You are invited', ics}
    expect(await sender.send(invitation, new AbortController().signal)).toEqual({isQueued: true})
    expect(sender.notice).toBe('No mail account is configured: the mail goes to the outbox.')
    expect(mailInvitations(backend).notice).toContain('You have no address yet: set user.email in the config.')
    expect((await toolError(sender.send(invitation, new AbortController().signal))).code).toBe('refused')
    const [read] = await outbox()
    expect(read?.to).toEqual([['', 'ana@example.org']])
    const [raw] = await bytesOf(root, 'outbox')
    expect(raw?.toString()).toMatch(/Content-Type: text\/calendar; charset=utf-8; method=REQUEST/)
  })
})

describe('header injection', () => {
  test.each([
    [{subject: 'Hi\r\nBcc: evil@example.org'}, 'subject'],
    [{subject: 'Hi\nBcc: evil@example.org'}, 'subject'],
    [{subject: 'Hi\u2028Bcc: evil@example.org'}, 'subject'],
    [{recipients: ['ana@example.org\r\nBcc: evil@example.org']}, 'is not an e-mail address'],
    [{recipients: ['"Ana" <ana@example.org>']}, 'is not an e-mail address'],
    [{cc: ['ana']}, '"ana" is not an e-mail address'],
    [{recipients: []}, 'no recipient'],
    [{recipients: [' , ']}, 'no recipient'],
    [{subject: ' ', context: '\n'}, 'says nothing'],
    [{attachments: ['budget.xlsx']}, 'not a whole path'],
    [{attachments: ['/nowhere/budget.xlsx']}, 'is not there'],
    [{attachments: ['/']}, 'is not a file'],
    [{attachments: ['/dev/null']}, 'is not a file'],
  ])('%j is refused when it is shown, before anything is written', async (change, said) => {
    const compose = named('compose_new_email')
    expect((await toolError(compose.preview({...mail, ...change}, contextFor()))).message).toContain(said)
    expect((await toolError(compose.run({...mail, ...change}, contextFor()))).message).toContain(said)
    expect(await readdir(temp.path)).toEqual([])
  })

  test('a name of the user and a subject of a stranger with line ends in it stay one line each', async () => {
    await deliver(root, ['From: =?utf-8?q?Ana=0D=0ABcc:_evil@example.org?= <ana@example.org>', 'Subject: =?utf-8?q?x=0D=0ABcc:_evil@example.org?=', 'Message-ID: <a@b>', '', 'Hi'].join('\r\n'))
    await named('reply_to_email').run({cc: [], context: 'Yes', attachments: []}, contextFor())
    const [raw] = await bytesOf(root, 'outbox')
    expect(raw?.toString()).not.toMatch(/^bcc:/im)
    expect(raw?.toString()).toContain('Subject: Re: x Bcc: evil@example.org')
  })
})

describe('what was shown is what goes', () => {
  test('a mail that comes in after the preview is not the one that is answered', async () => {
    await deliver(root, await incoming())
    const reply = named('reply_to_email')
    const args = {cc: [], context: 'Yes', attachments: []}
    const preview = await reply.preview(args, contextFor())
    await deliver(root, await incoming({id: '<evil@example.org>', from: {address: 'evil@example.org'}, subject: 'Other'}))
    await reply.run(args, contextFor())
    const [raw = Buffer.from('')] = await bytesOf(root, 'outbox')
    expect(raw.toString()).toContain('In-Reply-To: <q1@example.org>')
    expect(field(preview, 'To')).toEqual(['Ana D. <ana@example.org>'])
    expect(raw.toString()).not.toContain('evil@example.org')
    // The next call is about the newest.
    expect(field(await reply.preview(args, contextFor({key: 'next'})), 'To')).toEqual(['evil@example.org'])
  })

  test('a file that grew after the preview does not go', async () => {
    const file = join(temp.path, 'a.txt')
    await writeFile(file, 'short')
    const compose = named('compose_new_email')
    const args = {...mail, attachments: [file]}
    await compose.preview(args, contextFor())
    await writeFile(file, 'much longer than it was')
    expect((await toolError(compose.run(args, contextFor()))).message).toContain('has changed just now')
    expect(await bytesOf(root, 'outbox')).toEqual([])
  })

  test('a text edited in the dialog goes exactly as the user left it', async () => {
    const compose = named('compose_new_email')
    await compose.preview(mail, contextFor())
    const args = {...mail, context: 'no greeting,\nno name'}
    const preview = await compose.preview(args, contextFor())
    expect(preview.body?.text).toBe('no greeting,\nno name')
    await compose.run(args, contextFor())
    expect((await bytesOf(root, 'outbox'))[0]?.toString()).toMatch(/\n\nno greeting,\nno name\n$/)
  })

  test('the same call twice is one mail', async () => {
    const compose = named('compose_new_email')
    await compose.run(mail, contextFor())
    expect((await toolError(compose.run(mail, contextFor()))).code).toBe('refused')
    expect(await bytesOf(root, 'outbox')).toHaveLength(1)
  })

  test('attachments larger than a mail carries are refused, those of the forwarded mail counted', async () => {
    const file = join(temp.path, 'large.bin')
    await writeFile(file, Buffer.alloc(13 * 1024 * 1024))
    await deliver(root, await incoming({}, [{name: 'also large.bin', type: 'application/octet-stream', content: Buffer.alloc(13 * 1024 * 1024)}]))
    const error = await toolError(named('forward_email').preview({recipients: ['bo@example.org'], cc: [], context: '', attachments: [file]}, contextFor()))
    expect(error.code).toBe('refused')
    expect(error.message).toContain('also large.bin, large.bin: 26.0 MB is more than a mail carries')
  })

  test('without an address the mail has no From, and the preview says where to set one', async () => {
    const compose = named('compose_new_email', mailTools(backend))
    const preview = await compose.preview(mail, contextFor())
    expect(preview.notice).toContain('set user.email in the config')
    await compose.run(mail, contextFor())
    expect((await bytesOf(root, 'outbox'))[0]?.toString()).not.toMatch(/^From:/m)
  })

  test('a mail that could not be sent is kept in the drafts', async () => {
    const offline: MailBackend = {...backend, send: async () => { throw new Error('connect ECONNREFUSED') }}
    const error = await toolError(named('compose_new_email', mailTools(offline, {from: me})).run(mail, contextFor()))
    expect(error.message).toMatch(/^connect ECONNREFUSED The mail is kept in the drafts: /)
    expect((await bytesOf(root, 'drafts'))[0]?.toString()).toContain('Subject: Q3 budget')
  })
})

describe('the open mail', () => {
  const reply = {cc: [], context: 'Yes', attachments: []}

  test('is the one that --mail names, whatever is newest', async () => {
    await deliver(root, await incoming())
    const file = join(temp.path, 'chosen.eml')
    await writeFile(file, await incoming({id: '<c@example.org>', subject: 'Chosen'}))
    expect((await openMaildir(root, {file}).openMail())?.subject).toBe('Chosen')
  })

  test.each([['is missing', undefined, 'not-found'], ['is no mail', Buffer.from([0, 255, 1, 2, 10, 10]), 'invalid-args'], ['is empty', Buffer.from(''), 'invalid-args']])('a --mail file that %s is said in one line', async (_, content, code) => {
    const file = join(temp.path, 'x.eml')
    if (content) await writeFile(file, content)
    const error = await toolError(mailTools(openMaildir(root, {file}))[1]?.preview(reply, contextFor()) ?? Promise.resolve())
    expect(error.code).toBe(code)
    expect(error.message).not.toContain('\n')
  })

  test('a damaged mail among good ones is passed over with a warning, also when it is the newest', async () => {
    await deliver(root, await incoming())
    await deliver(root, Buffer.from([0, 255, 254, 10, 10, 1]))
    await deliver(root, '')
    await mkdir(join(root, 'inbox', 'cur', 'a-folder'), {recursive: true})
    expect((await backend.list()).map(m => m.subject)).toEqual(['Budget'])
    expect(warnings).toHaveLength(3)
    expect((await backend.openMail())?.subject).toBe('Budget')
  })

  test('when a mail came counts, not what its sender says', async () => {
    await deliver(root, await incoming({subject: 'From the future', date: new Date('2030-01-01T00:00:00Z')}))
    await deliver(root, await incoming({subject: 'Newest'}))
    expect((await backend.openMail())?.subject).toBe('Newest')
  })

  test('of nothing open a reply says how to choose one', async () => {
    const error = await toolError(named('reply_to_email').preview(reply, contextFor()))
    expect([error.code, error.message]).toEqual(['not-found', 'No mail is open and the inbox is empty. Choose one with --mail FILE, or with /mail.'])
  })

  test('a mail that asks for replies to another address is answered there, and the preview says so', async () => {
    await deliver(root, ['From: Ana <ana@example.org>', 'Reply-To: "Ana" <ana@elsewhere.example>', 'Subject: x', 'Message-ID: <a@b>', '', 'Hi'].join('\r\n'))
    const preview = await named('reply_to_email').preview(reply, contextFor())
    expect(field(preview, 'To')).toEqual(['Ana <ana@elsewhere.example>'])
    expect(preview.notice).toContain('The mail came from ana@example.org, but asks for replies to ana@elsewhere.example.')
  })

  test('what a reply or a forwarded mail takes from the open mail is marked as a document\'s, as long as it is there', async () => {
    await deliver(root, await incoming())
    const marked = (preview: Preview): string[] => [...preview.fields.filter(f => f.source === 'document').map(f => f.label), ...preview.body?.source === 'document' ? ['Text'] : []]
    const answer = named('reply_to_email')
    expect(marked(await answer.preview(reply, contextFor()))).toEqual(['To', 'Subject', 'Text'])
    expect(marked(await answer.preview({...reply, context: 'No quotation here'}, contextFor()))).toEqual(['To', 'Subject'])
    expect(marked(await named('forward_email').preview({recipients: ['bo@example.org'], cc: [], context: '', attachments: []}, contextFor({key: 'next'})))).toEqual(['Subject', 'Text'])
    expect(marked(await named('compose_new_email').preview(mail, contextFor({key: 'third'})))).toEqual([])
  })

  test("a reply to the user's own mail goes to those it went to", async () => {
    await deliver(root, await incoming({from: me, to: [{address: 'bo@example.org'}]}))
    expect(field(await named('reply_to_email').preview(reply, contextFor()), 'To')).toEqual(['bo@example.org'])
  })

  test('a mail without a sender can not be answered', async () => {
    await deliver(root, 'Subject: x\r\nMessage-ID: <a@b>\r\n\r\nHi')
    expect((await toolError(named('reply_to_email').preview(reply, contextFor()))).code).toBe('invalid-args')
  })
})

describe('a draft', () => {
  const text = (context: string, to = 'Ana', sender = 'Jo Okafor'): string => draft({context, to: to.split(', ').map(name => ({name})), sender})

  test.each([
    ['the deck is final', 'Hi Ana,\n\nThe deck is final.\n\nJo'],
    ['i have it, i\'m sure', 'Hi Ana,\n\nI have it, I\'m sure.\n\nJo'],
    ['', 'Hi Ana,\n\nJo'],
    ['Here it is: https://example.org/x', 'Hi Ana,\n\nHere it is: https://example.org/x\n\nJo'],
    ['Dear Ms. Duarte,\nthank you.\n\nJo', 'Dear Ms. Duarte,\nthank you.\n\nJo'],
    ['- milk\n- eggs', 'Hi Ana,\n\n- milk\n- eggs\n\nJo'],
    ['Estou atrasado quinze minutos', 'Ana,\n\nEstou atrasado quinze minutos.\n\nJo'],
  ])('of %j is %j', (context, wanted) => {
    expect(text(context)).toBe(wanted)
  })

  test.each([
    ['tell her she needs to bring the stove', 'You need to bring the stove.'],
    ['tell her that her appointment is moved and she can pick up her keys at 5', 'Your appointment is moved and you can pick up your keys at 5.'],
    ['let him know he\'s late', 'You\'re late.'],
    ['tell him he always wins', 'You always win.'],
    ['tell her she\'s got it', 'You\'ve got it.'],
    ['tell him that I gave him his book back', 'I gave you your book back.'],
    ['tell them they have won and they are ready', 'You have won and they are ready.'],
    ['tell her to bring her keys', 'Please bring your keys.'],
    ['remind him not to be late', 'Please don\'t be late.'],
    ['ask him if he can come', 'Can you come?'],
    ['ask her when she can come. Thanks!', 'When can you come? Thanks!'],
    ['ask her whether she needs a lift', 'Do you need a lift?'],
    ['ask her to call me', 'Could you call me?'],
    ['ask if the number is right: 06 39', 'I would like to ask if the number is right: 06 39.'],
    ['ask her where she left the car', 'I would like to ask where you left the car.'],
    ['that I\'ll be late', 'I\'ll be late.'],
    ['That works for me.', 'That works for me.'],
  ])('speaks to the one it is for: %j is "%s"', (context, said) => {
    expect(text(context)).toBe(`Hi Ana,\n\n${said}\n\nJo`)
  })

  test.each([
    ['tell him Bo lost his keys', 'Bo lost his keys.'],
    ['tell him his sister called, she wants to see him', 'Your sister called, she wants to see him.'],
    ['he can come on Friday', 'He can come on Friday.'],
  ])('leaves "he" and "she" alone where they may be somebody else: %j', (context, said) => {
    expect(text(context)).toBe(`Hi Ana,\n\n${said}\n\nJo`)
  })

  test.each([
    ['Dr. Kwame Osei', 'Dear Dr. Osei,', 'Kind regards,\nJo Okafor'],
    ['Warrant Officer Tran', 'Dear Warrant Officer Tran,', 'Kind regards,\nJo Okafor'],
    ['Frau Dr. Wiesinger', 'Dear Frau Dr. Wiesinger,', 'Kind regards,\nJo Okafor'],
    ['Ms. Ana van der Berg', 'Dear Ms. van der Berg,', 'Kind regards,\nJo Okafor'],
    ['Uncle Bartek', 'Hi Uncle Bartek,', 'Jo'],
    ['Ana Duarte, Bo Li', 'Hi Ana and Bo,', 'Jo'],
    ['Ana, Bo, Cy, Di', 'Hello all,', 'Jo'],
    ['design team', 'Hello,', 'Jo'],
    ['Hotel Krone', 'Hello,', 'Jo'],
    ['info@example.org', 'Hello,', 'Jo'],
    ['Evil\r\nBcc: x', 'Hi Evil,', 'Jo'],
  ])('greets %j with "%s"', (to, greeting, end) => {
    expect(text('The file is here', to)).toBe(`${greeting}\n\nThe file is here.\n\n${end}`)
  })

  test('holds nothing that the user did not say, in 240 mails', async () => {
    const rows = (await readFile(new URL('../../training/seeds/drafts.jsonl', import.meta.url), 'utf8')).trim().split('\n')
      .map(line => JSON.parse(line) as {kind: string; context: string; recipient: string; sender: string})
      .filter(row => ['mail', 'reply', 'forward'].includes(row.kind))
    expect(rows).toHaveLength(240)
    const words = (s: string): string[] => s.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
    const ours = words('Hi Hello all Dear and Kind regards you your yours I would like to ask could do please')
    for (const {context, recipient, sender} of rows) {
      const known = new Set([...words(context), ...words(recipient), ...words(sender), ...ours])
      expect(words(text(context, recipient, sender)).filter(word => !known.has(word))).toEqual([])
    }
  })
})

test('a mail that the user skips is kept in the drafts as it was shown, edits and all', async () => {
  const compose = named('compose_new_email')
  const context = contextFor()
  await compose.preview(mail, context)
  const edited = {...mail, context: 'My own words.'}
  const preview = await compose.preview(edited, context)
  const kept = await compose.keep!(edited, context)
  expect(kept?.summary).toMatch(/^Kept 'Q3 budget' in the drafts: \/.*drafts/)
  const [raw, ...others] = await bytesOf(root, 'drafts')
  expect(others).toEqual([])
  expect(raw!.toString()).toContain('My own words.')
  expect(preview.body!.text).toBe('My own words.')
  expect(context.asides).toMatchObject([{args: {draft: 'Q3 budget'}}])
  expect(await bytesOf(root, 'outbox')).toEqual([])
})
