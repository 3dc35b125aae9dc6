// What a reply and a forwarded mail take from the mail that they are about (RFC 5322, 3.6.4). It was written by anybody.
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import {isAddress} from '../contacts/address.ts'
import {fieldText, type Message, type Person} from './message.ts'
import type {OpenMail} from './mail.ts'

/** Reply-To, else From; of a mail by the user themselves, those it went to. */
export function repliesTo(mail: OpenMail, own: string | undefined): Person[] {
  const sender = mail.replyTo.length > 0 ? mail.replyTo : mail.from
  const isOwn = own !== undefined && sender.length > 0 && sender.every(person => person.address.toLowerCase() === own.toLowerCase())
  const people = (isOwn && mail.to.length > 0 ? mail.to : sender).filter(person => isAddress(person.address))
  if (people.length === 0) throw new ToolError('invalid-args', 'The open mail has no sender that could be answered. Write a new mail instead.')
  return [...new Map(people.map(({address, name}) => [address.toLowerCase(), {address, ...(name && {name: fieldText(name)})}])).values()]
}

const subjectOf = (mail: OpenMail): string => fieldText(mail.subject)

export const replySubject = (mail: OpenMail): string => /^re\s*:/i.test(subjectOf(mail)) ? subjectOf(mail) : `Re: ${subjectOf(mail)}`.trim()
export const forwardSubject = (mail: OpenMail): string => /^(?:fwd?|wg)\s*:/i.test(subjectOf(mail)) ? subjectOf(mail) : `Fwd: ${subjectOf(mail)}`.trim()

const isMessageId = (id: string): boolean => /^<[^\s<>\p{C}]{1,240}>$/u.test(id)

/** Mail programs sort a thread by these. The oldest stays, then the newest, so that the header does not grow for ever. */
export function threadOf(mail: OpenMail): Pick<Message, 'inReplyTo' | 'references'> {
  if (!isMessageId(mail.messageId)) return {}
  const before = mail.references.filter(id => isMessageId(id) && id !== mail.messageId)
  return {inReplyTo: mail.messageId, references: [...before.slice(0, 1), ...before.slice(1).slice(-18), mail.messageId]}
}

/** The day and time in the user's own zone, as elsewhere in what we write. */
const at = (date: Date): string => date.toLocaleString('en-GB', {weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit'})

const said = (people: Person[]): string => people.map(p => p.name ? `${oneLine(p.name)} <${oneLine(p.address)}>` : oneLine(p.address)).join(', ')

/** The original below the answer, each line marked. */
export function quoted(mail: OpenMail): string {
  const who = mail.from[0] ? oneLine(mail.from[0].name || mail.from[0].address) : 'You'
  const lines = mail.text.trimEnd().split('\n').map(line => line.startsWith('>') ? `>${line}` : `> ${line}`.trimEnd())
  return `${mail.date ? `On ${at(mail.date)}, ${who} wrote:` : `${who} wrote:`}\n${lines.join('\n')}`
}

/** The original with its head, as mail programs show it. */
export function forwarded(mail: OpenMail): string {
  const head = [
    '---------- Forwarded message ----------',
    `From: ${said(mail.from)}`,
    ...(mail.date ? [`Date: ${at(mail.date)}`] : []),
    `Subject: ${oneLine(mail.subject)}`,
    ...(mail.to.length > 0 ? [`To: ${said(mail.to)}`] : []),
  ]
  return `${head.join('\n')}\n\n${mail.text.trimEnd()}`
}
