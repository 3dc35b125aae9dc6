// A mail as bytes, by nodemailer's composer, which opens no files and no links here. Nothing in a field can end its line (CWE-93).
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import {isAddress} from '../contacts/address.ts'

export interface Person { address: string; name?: string }

/** For the cards of what goes without a From. */
export const noAddress = 'You have no address yet: set user.email in the config.'

export interface Message {
  /** Message-ID with its brackets */
  id: string
  /** RFC 5322 asks for one; absent until the user has an address */
  from?: Person
  to: Person[]
  cc: Person[]
  subject: string
  text: string
  date: Date
  inReplyTo?: string
  references?: string[]
  /** an invitation (RFC 6047) */
  calendar?: {method: 'REQUEST'; content: string}
}

export interface Part { name: string; type: string; content: Buffer }

/** Throws 'invalid-args' for a field that would be more than one line, and for what is no address. */
export function checkFields(message: Message, attachments: {name: string}[]): void {
  const people = [...(message.from ? [message.from] : []), ...message.to, ...message.cc]
  for (const {address} of people) {
    if (!isAddress(address)) throw new ToolError('invalid-args', `"${oneLine(address)}" is not an e-mail address. Say one such as ana@example.org.`)
  }
  const lines = {
    'subject': [message.subject], 'name': people.map(person => person.name ?? ''), 'attachment\'s name': attachments.map(a => a.name),
    'Message-ID': [message.id, message.inReplyTo ?? '', ...message.references ?? []],
  }
  for (const [what, texts] of Object.entries(lines)) {
    const bad = texts.find(text => /[\p{Cc}\u2028\u2029]/u.test(text))
    if (bad !== undefined) throw new ToolError('invalid-args', `A mail's ${what} is one line without control characters: "${oneLine(bad)}" is not.`)
  }
}

/** A text of unknown origin as a field may hold it. */
export const fieldText = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029\s]+/gu, ' ').replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '').trim()

/** The bytes that leave. Throws ToolError 'invalid-args' as `checkFields` does. */
export async function rawMessage(message: Message, parts: Part[]): Promise<Buffer> {
  checkFields(message, parts)
  const {default: MailComposer} = await import('nodemailer/lib/mail-composer') // loaded when a mail is made
  const person = ({name, address}: Person) => ({name: name ?? '', address})
  const composer = new MailComposer({
    ...(message.from && {from: person(message.from)}),
    to: message.to.map(person),
    cc: message.cc.map(person),
    subject: message.subject,
    text: plainBody(message.text),
    messageId: message.id,
    date: message.date,
    ...(message.inReplyTo !== undefined && {inReplyTo: message.inReplyTo}),
    ...(message.references?.length && {references: message.references}),
    ...(message.calendar && {icalEvent: {...message.calendar, filename: 'invite.ics'}}),
    attachments: parts.map(part => ({filename: part.name, content: part.content, contentType: part.type})),
    newline: 'unix', // as files of a Maildir have it; what sends by SMTP makes them CRLF
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return composer.compile().build()
}

/** One kind of line end, no NUL (RFC 5322, 2.3), no half of a pair. */
const plainBody = (text: string): string => Buffer.from(text.replace(/\r\n?/g, '\n').replace(/\0/g, '')).toString()
