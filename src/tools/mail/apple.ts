// Mail in the Mac's own app: the open mail is the one that is selected there. What goes is always a new mail of exactly what was shown: the app's own
// replies fill themselves in later, so that nobody could know what leaves. It is compared once more before it is sent.
import {isAbsolute, join, resolve} from 'node:path'
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import {claims, slackMs} from '../claims.ts'
import {osascript, type Mac, type Script} from '../apple/osascript.ts'
import type {Fate} from '../calendar/calendar.ts'
import {copies} from './copies.ts'
import type {MailBackend, MailListing, OpenMail} from './mail.ts'
import {readMail} from './maildir.ts'
import {openMailOf, outgoingOf} from './read.ts'

const source = z.union([z.object({id: z.string(), source: z.string()}), z.enum(['none', 'gone'])])
const selected: Script = {app: 'Mail', source: String.raw`
function main() {
  const [message] = Application('Mail').selection() || []
  return message ? {id: message.messageId(), source: message.source()} : 'none'
}
`}
const byId: Script = {app: 'Mail', source: String.raw`
function main({id}) {
  const app = Application('Mail')
  const message = (app.selection() || []).find(m => m.messageId() === id) || app.inbox.messages.whose({messageId: id})()[0]
  return message ? {id, source: message.source()} : 'gone'
}
`}

const listed = z.array(z.object({id: z.string(), from: z.string(), subject: z.string(), at: z.number().nullable()}))
/** The newest come first in the app; more than these would take a second each. */
const list: Script = {app: 'Mail', source: String.raw`
function main() {
  const {messages} = Application('Mail').inbox
  return Array.from({length: Math.min(messages.length, 20)}, (_, i) => messages[i])
    .map(m => ({id: m.messageId(), from: m.sender() || '', subject: m.subject() || '', at: ms(m.dateReceived())}))
}
`}

const sent = z.union([z.literal('sent'), z.object({not: z.string()})])
const send: Script = {app: 'Mail', isChange: true, source: String.raw`
function main({from, to, cc, subject, text, files}) {
  const app = Application('Mail')
  const mail = app.OutgoingMessage({subject, content: text, visible: false, ...(from && {sender: from.name ? from.name + ' <' + from.address + '>' : from.address})})
  app.outgoingMessages.push(mail)
  const person = ({address, name}) => name ? {address, name} : {address}
  to.forEach(p => mail.toRecipients.push(app.ToRecipient(person(p))))
  cc.forEach(p => mail.ccRecipients.push(app.CcRecipient(person(p))))
  files.forEach(file => mail.attachments.push(app.Attachment({fileName: Path(file)})))
  if (files.length > 0) delay(1)
  // A file stands in the text as U+FFFC; blanks and ends of lines are the app's own.
  const words = value => String(value).replace(/[\s\ufffc]+/g, ' ').trim()
  const all = values => values.map(v => String(v).toLowerCase()).join()
  const problem = mail.subject() !== subject ? 'the subject'
    : words(mail.content()) !== words(text) ? 'the text (it may add a signature)'
    : all(mail.toRecipients.address()) + ';' + all(mail.ccRecipients.address()) !== all(to.map(p => p.address)) + ';' + all(cc.map(p => p.address)) ? 'the recipients'
    : mail.attachments.length !== files.length ? 'the attachments'
    : from && !String(mail.sender()).toLowerCase().includes(from.address.toLowerCase()) ? 'the sender (it has no account of ' + from.address + ')' : ''
  if (problem) {
    app.delete(mail)
    return {not: problem}
  }
  if (mail.send() === false) {
    made()
    throw new Error('it says that it could not send')
  }
  return 'sent'
}
`}

const find: Script = {app: 'Mail', source: String.raw`
function main({subject, since}) {
  return Application('Mail').sentMailbox.messages.whose({dateSent: {_greaterThan: new Date(since)}})().filter(m => m.subject() === subject).length
}
`}

const link = 'message:'

/** `dir`: what was handed to the app. `file`: the open mail. `drafts` keeps what was not sent, on this disk. */
export function openAppleMail(dir: string, {drafts, file, ...mac}: Mac & {drafts: Pick<MailBackend, 'saveDraft'>; file?: string}): MailBackend {
  const ask = osascript(mac)
  const claim = claims(join(dir, 'sent'), 'Mail')
  let chosen = file === undefined ? undefined : resolve(file)
  const read = async (id: string): Promise<OpenMail> => {
    if (!id.startsWith(link)) return readMail(isAbsolute(id) ? id : resolve(id))
    return opened(source.parse(await ask(byId, {id: decodeURIComponent(id.slice(link.length))})))
  }
  return {
    notice: 'Mail sends it, as a new mail: where a program sorts by threads, only the subject says what it answers.',
    openMail: async () => chosen === undefined ? opened(source.parse(await ask(selected, {}))) : read(chosen),
    open: async id => {
      const mail = await read(id)
      chosen = mail.where
      return mail
    },
    list: async () => listed.parse(await ask(list, {})).sort((a, b) => (b.at ?? 0) - (a.at ?? 0)).map(({id, from, subject, at}): MailListing =>
      ({id: link + encodeURIComponent(id), from: oneLine(from), subject: oneLine(subject), ...(at !== null && {date: new Date(at)})})),
    saveDraft: (raw, id) => drafts.saveDraft(raw, id),
    send: async (raw, _envelope, id, signal) => {
      signal.throwIfAborted()
      const mail = await outgoingOf(raw)
      const people = {to: mail.to.map(p => ({...p})), cc: mail.cc.map(p => ({...p}))}
      const {subject, text, from} = mail
      await claim.once(id, {subject, text, ...people}, async () => {
        const files = await copies(join(dir, 'attachments'), id, mail.attachments)
        const answer = sent.parse(await ask(send, {from: from ? {...from} : null, ...people, subject, text, files}, signal))
        if (answer !== 'sent') throw new ToolError('failed', `Mail would have changed ${answer.not}, so it was not sent.`)
        return {undo: 'sent'}
      })
      return {id, where: 'Sent in Mail', isQueued: false}
    },
    settle: async (id, signal): Promise<Fate> => {
      const known = await claim.read(id)
      if (!known) return {state: 'failed', note: ''}
      if (known.undo !== undefined) return {state: 'done', note: 'it is in Sent of Mail'}
      const {subject} = z.object({subject: z.string()}).parse(known.what)
      const count = await ask(find, {subject, since: known.at.getTime() - slackMs}, signal).then(n => z.number().parse(n), () => undefined)
      if (count === 1) return {state: 'done', note: 'it is in Sent of Mail'}
      return {state: 'unknown', note: `${count === undefined ? 'Mail could not be asked. ' : ''}Look at Sent, the outbox and the drafts of Mail before you send it again.`, ...(count === undefined && {again: true})}
    },
  }
}

async function opened(found: z.infer<typeof source>): Promise<OpenMail> {
  if (found === 'none') throw new ToolError('not-found', 'No mail is selected in Mail. Select one there, or choose one with --mail FILE or /mail.')
  if (found === 'gone') throw new ToolError('not-found', 'This mail is neither selected nor in the inbox of Mail. Select it there.')
  const mail = await openMailOf(Buffer.from(found.source), link + encodeURIComponent(found.id))
  if (!mail) throw new ToolError('failed', 'Mail gave no mail that can be read. Select another one, or save it as a file for --mail.')
  return mail
}
