// Mails as we read them, whatever keeps them. All text in them is of unknown origin.
import type {AddressObject, ParsedMail} from 'mailparser'
import type {MailListing, OpenMail} from './mail.ts'
import {fieldText, type Person} from './message.ts'

export const maxMailBytes = 50 * 1024 * 1024

/** The whole mail; undefined for bytes that are none. */
export async function openMailOf(raw: Buffer, where: string): Promise<OpenMail | undefined> {
  const mail = await parse(raw)
  if (!isMail(mail)) return undefined
  return {
    messageId: mail.messageId ?? '',
    references: [mail.references ?? []].flat(),
    from: people(mail.from), replyTo: people(mail.replyTo), to: people(mail.to),
    subject: fieldText(mail.subject ?? ''),
    ...(mail.date && {date: mail.date}),
    text: (mail.text ?? '').replace(/\r\n?/g, '\n').replace(/\0/g, ''),
    attachments: mail.attachments.filter(part => !part.related).map((part, i) => ({
      name: fieldText(part.filename ?? '').replace(/[\\/]/g, '-') || `attachment-${i + 1}`,
      type: /^[\w.+-]+\/[\w.+-]+$/.test(part.contentType) ? part.contentType : 'application/octet-stream',
      content: part.content,
    })),
    where,
  }
}

/** A mail of ours taken apart again, for what makes its own bytes. */
export interface Outgoing { from?: Person; to: Person[]; cc: Person[]; subject: string; text: string; attachments: {name: string; content: Buffer}[] }

export async function outgoingOf(raw: Buffer): Promise<Outgoing> {
  const mail = await parse(raw)
  const [from] = people(mail.from)
  return {
    ...(from && {from}), to: people(mail.to), cc: people(mail.cc), subject: mail.subject ?? '', text: (mail.text ?? '').replace(/\n$/, ''),
    // An invitation stands in a mail twice: as its calendar part, and as a file.
    attachments: mail.attachments.filter(part => part.filename).map(part => ({name: fieldText(part.filename ?? '').replace(/[\\/]/g, '-'), content: part.content})),
  }
}

/** What a list shows of a mail, from its header fields. Throws for what is no mail. */
export async function headOf(fields: Buffer, id: string): Promise<{listing: MailListing; receivedAt?: number}> {
  const mail = await parse(Buffer.concat([fields, Buffer.from('\r\n\r\n')]))
  if (!isMail(mail)) throw new Error('not a mail')
  const [from] = people(mail.from)
  const at = receivedAt(mail)
  return {
    listing: {id, from: from ? from.name || from.address : '', subject: fieldText(mail.subject ?? ''), ...(mail.date && {date: mail.date})},
    ...(at !== undefined && {receivedAt: at}),
  }
}

/** The topmost Received line is that of the user's own server; its time stands after the last ";". */
function receivedAt(mail: ParsedMail): number | undefined {
  const line = mail.headerLines.find(header => header.key === 'received')?.line
  const time = line === undefined ? NaN : Date.parse(line.slice(line.lastIndexOf(';') + 1).replace(/\([^)]*\)/g, '').trim())
  return Number.isNaN(time) ? undefined : time
}

/** mailparser finds something in any bytes. */
const isMail = (mail: ParsedMail): boolean => mail.headerLines.length > 0 && [mail.from, mail.subject, mail.messageId].some(Boolean)

async function parse(raw: Buffer): Promise<ParsedMail> {
  const {simpleParser} = await import('mailparser') // loaded when a mail is read
  return simpleParser(raw, {skipTextToHtml: true, skipImageLinks: true, maxHtmlLengthToParse: 5_000_000, checksumAlgo: false})
}

const people = (field: AddressObject | AddressObject[] | undefined): Person[] =>
  [field ?? []].flat().flatMap(object => object.value).flatMap(entry => entry.group ?? [entry])
    .filter(entry => entry.address).map(({address = '', name}) => ({address, ...(name && {name: fieldText(name)})}))
