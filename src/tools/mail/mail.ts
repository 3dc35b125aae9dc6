// Mail: new mails, replies and forwards. What is previewed and what is sent come from the same function (message.ts).
import {z} from 'zod'
import {isAbort, ToolError} from '../../core/errors.ts'
import {arg} from '../../core/params.ts'
import {oneLine} from '../../core/text.ts'
import {tool, type CutOff, type Preview, type Result, type Settled, type Tool, type ToolContext, type ToolSpec, type Writing} from '../../core/types.ts'
import {splitAddresses} from '../contacts/address.ts'
import {whoField, type NameOf} from '../contacts/who.ts'
import {checkSize, readAttachments, type Attachment} from './attachments.ts'
import {draft} from './draft.ts'
import {forwarded, forwardSubject, quoted, repliesTo, replySubject, threadOf} from './answering.ts'
import type {Fate} from '../calendar/calendar.ts'
import {callMemory, type Built} from './calls.ts'
import {checkFields, noAddress, rawMessage, type Message, type Person} from './message.ts'

export interface Envelope { /** '' while the user has no address */ from: string; to: string[] }

/** The mail that replies and forwards are about. All text in it is of unknown origin. */
export interface OpenMail {
  /** '' when it has none that can be referred to */
  messageId: string
  references: string[]
  from: Person[]
  replyTo: Person[]
  to: Person[]
  subject: string
  date?: Date
  text: string
  attachments: {name: string; type: string; content: Buffer}[]
  /** the file */
  where: string
}

/** One mail of a list, newest first; `id` is for `open`. */
export interface MailListing { id: string; from: string; subject: string; date?: Date }

/** `refused`: recipients that the server did not take; the others have the mail. */
export interface Sent { id: string; where: string; isQueued: boolean; refused?: {address: string; reason: string}[] }

export interface MailBackend {
  /** what the user has to know before a mail goes, if any */
  readonly notice?: string
  openMail(): Promise<OpenMail | undefined>
  /** Makes another mail the open one: the `id` of a listing, or a file. Throws ToolError 'not-found'. */
  open(id: string): Promise<OpenMail>
  /** The inbox, newest first. */
  list(): Promise<MailListing[]>
  /** `id` is the Message-ID. Throws ToolError 'refused' when a mail of that id is there. */
  saveDraft(raw: Buffer, id: string): Promise<{where: string}>
  /**
   * Sends, or queues, once: throws ToolError 'refused' when a mail of that id went before, 'unknown' when it may have gone;
   * after any other error it did not go. `keep` is called where it did not go, before its text is let go of here.
   */
  send(raw: Buffer, envelope: Envelope, id: string, signal: AbortSignal, keep?: () => Promise<unknown>): Promise<Sent>
  /**
   * What became of a mail on whose way the program was killed. One that went gets its copy in Sent now; one that did not go is put
   * into the drafts, unless `isKept` elsewhere. Nothing is sent.
   */
  settle(id: string, signal: AbortSignal, options?: {isKept?: boolean}): Promise<Fate>
}

export interface MailDeps {
  /** who sends; absent: the mail has no From until an account is set up */
  from?: Person
  /** the user's name, for the end of a mail */
  userName?: string
  nameOf?: NameOf
}

export const composeNewEmail = {
  name: 'compose_new_email',
  description: 'Write and send a new email.',
  args: z.object({
    recipients: z.array(arg.address()),
    cc: z.array(arg.address()),
    subject: arg.title(),
    context: arg.text(),
    attachments: z.array(arg.path()),
  }),
  effect: 'outward',
  returns: 'none',
} satisfies ToolSpec

export const replyToEmail = {
  name: 'reply_to_email',
  description: 'Reply to the open email.',
  args: z.object({cc: z.array(arg.address()), context: arg.text(), attachments: z.array(arg.path())}),
  effect: 'outward',
  returns: 'none',
} satisfies ToolSpec

export const forwardEmail = {
  name: 'forward_email',
  description: 'Forward the open email.',
  args: z.object({
    recipients: z.array(arg.address()),
    cc: z.array(arg.address()),
    context: arg.text(),
    attachments: z.array(arg.path()),
  }),
  effect: 'outward',
  returns: 'none',
} satisfies ToolSpec

export function mailTools(backend: MailBackend, deps: MailDeps = {}): Tool[] {
  const calls = callMemory()

  const compose = async (args: z.infer<typeof composeNewEmail.args>, context: ToolContext): Promise<Built> => {
    const {to, cc} = addressees(args.recipients, args.cc)
    if (!args.context.trim() && !args.subject.trim() && args.attachments.length === 0) {
      throw new ToolError('invalid-args', 'The mail says nothing and carries nothing. Say what to write.')
    }
    const text = await calls.text(context.key, args.context, () => drafted(args.context, to, deps))
    return {message: {...head(deps, context), to, cc, subject: args.subject, text}, attachments: await readAttachments(args.attachments), notices: []}
  }

  const reply = async (args: z.infer<typeof replyToEmail.args>, context: ToolContext): Promise<Built> => {
    const mail = await calls.mail(context.key, backend)
    const to = repliesTo(mail, deps.from?.address)
    if (!args.context.trim() && args.attachments.length === 0) throw new ToolError('invalid-args', 'The reply says nothing and carries nothing. Say what to answer.')
    const text = await calls.text(context.key, args.context, async () => joined(await drafted(args.context, to, deps), quoted(mail)))
    const sender = mail.from[0]?.address ?? ''
    const isElsewhere = sender !== '' && !to.some(person => same(person.address, sender)) && !same(sender, deps.from?.address ?? '')
    return {
      message: {
        ...head(deps, context), to, cc: withoutTwice(args.cc.flatMap(splitAddresses), to), subject: replySubject(mail),
        text, ...threadOf(mail),
      },
      attachments: await readAttachments(args.attachments),
      notices: isElsewhere ? [`The mail came from ${oneLine(sender)}, but asks for replies to ${to.map(p => p.address).join(', ')}.`] : [],
      about: mail,
    }
  }

  const forward = async (args: z.infer<typeof forwardEmail.args>, context: ToolContext): Promise<Built> => {
    const mail = await calls.mail(context.key, backend)
    const {to, cc} = addressees(args.recipients, args.cc)
    const text = await calls.text(context.key, args.context, async () =>
      joined(args.context.trim() ? await drafted(args.context, to, deps) : '', forwarded(mail)))
    const carried = mail.attachments.map((a): Attachment => ({name: a.name, path: mail.where, bytes: a.content.length, type: a.type, read: async () => a.content}))
    return {
      message: {...head(deps, context), to, cc, subject: forwardSubject(mail), text, ...threadOf(mail)},
      attachments: checkSize([...carried, ...await readAttachments(args.attachments)]),
      notices: [],
      about: mail,
    }
  }

  /** `to` and the user may be named, and of a new mail the subject. */
  const inWords = async (context: string, to: Person[], more: Pick<Writing, 'document' | 'known'>): Promise<Writing & {arg: 'context'}> => {
    const people = await named(to, deps)
    return {arg: 'context', form: 'mail', words: context, ...more, known: [...people.flatMap(person => person.name ?? []), deps.userName ?? '', ...more.known ?? []]}
  }

  const send = async (built: Built, verb: string, context: ToolContext): Promise<Result> => {
    context.signal.throwIfAborted()
    const {message} = built
    const raw = await bytesOf(built)
    const recipients = [...message.to, ...message.cc].map(person => person.address)
    let draft: Promise<{where: string}> | undefined
    const keep = (): Promise<{where: string}> => draft ??= backend.saveDraft(raw, message.id)
    const {where, isQueued, refused = []} = await backend.send(raw, {from: deps.from?.address ?? '', to: recipients}, message.id, context.signal, keep)
      .catch((error: unknown) => withDraft(error, keep))
    calls.forget(context.key)
    const reached = recipients.filter(address => !refused.some(r => same(r.address, address)))
    const about = `'${oneLine(message.subject)}' to ${reached.join(', ')}`
    const without = refused.map(({address, reason}) => `; not to ${address}, which the server refused: ${reason}`).join('')
    return {value: 'sent', summary: isQueued ? `Put ${verb} ${about} in the outbox` : `Sent ${verb} ${about}${without}`, where}
  }

  /** What the user skipped is kept as it was shown. */
  const keep = async (built: Built, context: ToolContext): Promise<Result> => context.aside({draft: built.message.subject}, async () => {
    const {where} = await backend.saveDraft(await bytesOf(built), built.message.id)
    calls.forget(context.key)
    return {value: '', summary: `Kept '${oneLine(built.message.subject)}' in the drafts: ${oneLine(where)}`, where}
  })

  const settle = async (what: string, {key, signal}: CutOff): Promise<Settled> => {
    if (key.endsWith('a')) return {state: 'unknown', summary: `keeping ${what} in the drafts. Look there.`} // the key of an aside
    const {state, isQueued, note, again} = await backend.settle(messageId(key, deps.from?.address), signal)
    if (state === 'done') return {state, summary: isQueued ? `Put ${what} in the outbox` : `Sent ${what} (${note})`}
    return state === 'failed' ? {state, summary: `Did not send ${what}. ${note}`.trim()} : {state, summary: `${what}. ${note}`, ...(again && {again})}
  }

  return [
    tool({
      ...composeNewEmail,
      writes: async a => inWords(a.context, addressees(a.recipients, a.cc).to, {known: [a.subject]}),
      preview: async (args, context) => previewOf(await calls.show(compose, args, context), {title: 'Mail', hasRecipients: true, hasSubject: true}, backend, deps),
      keep: async (args, context) => keep(await calls.shown(compose, args, context), context),
      run: async (args, context) => send(await calls.shown(compose, args, context), 'the mail', context),
      settle: async (args, call) => settle(`the mail '${oneLine(args.subject)}' to ${args.recipients.map(oneLine).join(', ')}`, call),
    }),
    tool({
      ...replyToEmail,
      writes: async (a, context) => {
        const mail = await calls.mail(context.key, backend)
        return inWords(a.context, repliesTo(mail, deps.from?.address), {document: mail.text})
      },
      preview: async (args, context) => previewOf(await calls.show(reply, args, context), {title: 'Reply', hasRecipients: false, hasSubject: false}, backend, deps),
      keep: async (args, context) => keep(await calls.shown(reply, args, context), context),
      run: async (args, context) => send(await calls.shown(reply, args, context), 'the reply', context),
      settle: async (_args, call) => settle('the reply', call),
    }),
    tool({
      ...forwardEmail,
      writes: async a => inWords(a.context, addressees(a.recipients, a.cc).to, {}),
      preview: async (args, context) => previewOf(await calls.show(forward, args, context), {title: 'Forwarded mail', hasRecipients: true, hasSubject: false}, backend, deps),
      keep: async (args, context) => keep(await calls.shown(forward, args, context), context),
      run: async (args, context) => send(await calls.shown(forward, args, context), 'the forwarded mail', context),
      settle: async (args, call) => settle(`the forwarded mail to ${args.recipients.map(oneLine).join(', ')}`, call),
    }),
  ]
}

const bytesOf = async ({message, attachments}: Built): Promise<Buffer> =>
  rawMessage(message, await Promise.all(attachments.map(async a => ({name: a.name, type: a.type, content: await a.read()}))))

/** Addresses to write to and to copy, each once. */
function addressees(recipients: string[], copies: string[]): {to: Person[]; cc: Person[]} {
  const to = withoutTwice(recipients.flatMap(splitAddresses), [])
  if (to.length === 0) throw new ToolError('invalid-args', 'The mail has no recipient. Say who gets it.')
  return {to, cc: withoutTwice(copies.flatMap(splitAddresses), to)}
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

function withoutTwice(addresses: string[], known: Person[]): Person[] {
  const seen = new Set(known.map(person => person.address.toLowerCase()))
  return addresses.filter(address => !seen.has(address.toLowerCase()) && seen.add(address.toLowerCase())).map(address => ({address}))
}

/** The Message-ID follows from the journal's key: the same call can't become two mails. */
const head = (deps: MailDeps, {key, now}: ToolContext): Pick<Message, 'from' | 'id' | 'date'> =>
  ({...(deps.from && {from: deps.from}), id: messageId(key, deps.from?.address), date: now})

const messageId = (key: string, address = ''): string =>
  `<${encodeURIComponent(Buffer.from(key).toString()).replace(/[^\w.-]/g, '_')}@${address.split('@')[1] ?? 'tinyagent.invalid'}>`

/** People are called as the contacts do, or as a stranger's mail names itself. */
const named = (to: Person[], {nameOf}: MailDeps): Promise<{name: string | undefined}[]> =>
  Promise.all(to.map(async person => ({name: await nameOf?.(person.address) ?? person.name})))

async function drafted(context: string, to: Person[], deps: MailDeps): Promise<string> {
  return draft({context, to: await named(to, deps), sender: deps.userName ?? ''})
}

/** A mail that was agreed to and did not go is not lost. Always throws. */
async function withDraft(error: unknown, keep: () => Promise<{where: string}>): Promise<never> {
  // A draft of what may have gone would ask to be sent once more.
  if (isAbort(error) || (error instanceof ToolError && (error.code === 'refused' || error.code === 'unknown'))) throw error
  const kept = await keep().catch(() => undefined) // the first error says more
  if (!kept) throw error
  const reason = error instanceof Error ? oneLine(error.message) : oneLine(String(error))
  throw new ToolError('failed', `${reason} The mail is kept in the drafts: ${oneLine(kept.where)}`, {cause: error})
}

const joined = (text: string, below: string): string => text ? `${text}\n\n${below}` : below

/** Whether the text has a line of that mail in it; the user may have taken the quotation out. */
const holdsTextOf = (mail: OpenMail, text: string): boolean => mail.text.split('\n').some(line => line.trim() !== '' && text.includes(line.trim()))

const said = (person: Person): string => person.name ? `${person.name} <${person.address}>` : person.address

async function previewOf(built: Built, form: {title: string; hasRecipients: boolean; hasSubject: boolean}, backend: MailBackend, deps: MailDeps): Promise<Preview> {
  const {message, about} = built
  checkFields(message, built.attachments) // what can't be sent is told before anybody is asked
  const source = about && 'document'
  const notices = [
    ...built.notices,
    message.from ? '' : noAddress,
    backend.notice ?? '',
  ].filter(Boolean)
  return {
    effect: 'outward',
    title: form.title,
    fields: [
      {label: 'From', value: message.from ? said(message.from) : '(no address configured)'},
      {label: 'To', value: message.to.map(said), ...(form.hasRecipients ? {arg: 'recipients'} : source && {source})},
      ...(message.cc.length > 0 ? [{label: 'Cc', value: message.cc.map(said), arg: 'cc'}] : []),
      // A stranger's mail may call itself anything; these are the user's own contacts.
      ...await whoField([...message.to, ...message.cc].map(person => person.address), deps.nameOf),
      {label: 'Subject', value: message.subject, ...(form.hasSubject ? {arg: 'subject'} : source && {source})},
    ],
    body: {text: message.text, arg: 'context', ...(about && source && holdsTextOf(about, message.text) && {source})},
    ...(built.attachments.length > 0 && {attachments: built.attachments.map(({name, path, bytes, type}) => ({name, path, bytes, type}))}),
    ...(notices.length > 0 && {notice: notices.join(' ')}),
  }
}

export const mailSpecs: ToolSpec[] = [composeNewEmail, replyToEmail, forwardEmail]
