// Mail in classic Outlook: the open mail is the one that is selected there. What goes is always a new mail of exactly what was shown, compared
// once more before it is sent. It carries a mark, by which it is found in Sent Items after a lost answer.
import {readFile, rm} from 'node:fs/promises'
import {isAbsolute, join, resolve} from 'node:path'
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {makeTempFolder} from '../../core/temp-folder.ts'
import {oneLine} from '../../core/text.ts'
import type {Fate} from '../calendar/calendar.ts'
import {claims, slackMs} from '../claims.ts'
import {askOutlook, type Script, type Windows} from '../outlook/powershell.ts'
import {uidOf} from '../vdir.ts'
import {copies} from './copies.ts'
import type {MailBackend, MailListing, OpenMail} from './mail.ts'
import {readMail} from './maildir.ts'
import {fieldText, type Person} from './message.ts'
import {outgoingOf} from './read.ts'

const person = z.object({name: z.string(), address: z.string()})
const found = z.union([
  z.object({
    id: z.string(), messageId: z.string(), references: z.string(), from: person, replyTo: z.array(person), to: z.array(person), subject: z.string(),
    sentMs: z.number().nullable(), text: z.string(), files: z.array(z.object({name: z.string(), type: z.string()})),
  }),
  z.object({state: z.enum(['none', 'gone', 'other'])}),
])
/** Message-ID, References, the sender's SMTP address, and of attachments whether they are hidden and their media type stand in MAPI's own properties. Type 6 is a drawing, no file. */
const open: Script = {source: String.raw`
function Person($recipient) { return @{ name = [string]$recipient.Name; address = (AddressOf $recipient) } }
function Main($asked) {
  if ($null -eq $asked.id) {
    $window = $outlook.ActiveExplorer()
    if ($null -eq $window -or $window.Selection.Count -eq 0) { return @{ state = 'none' } }
    $mail = $window.Selection.Item(1)
  } else {
    $mail = ItemOf $asked.id
    if ($null -eq $mail) { return @{ state = 'gone' } }
  }
  if ($mail.Class -ne 43) { return @{ state = 'other' } }
  $address = Property $mail '0x5D01001F'
  if ($address -eq '') { $address = [string]$mail.SenderEmailAddress }
  $count = 0
  $files = @(foreach ($part in $mail.Attachments) {
    if ($part.Type -eq 6 -or (Property $part '0x7FFE000B') -eq 'True') { continue }
    [void]$part.SaveAsFile((Join-Path $asked.dir ([string]$count)))
    $count = $count + 1
    @{ name = [string]$part.FileName; type = (Property $part '0x370E001F') }
  })
  return @{
    id = [string]$mail.EntryID; messageId = (Property $mail '0x1035001F'); references = (Property $mail '0x1039001F')
    from = @{ name = [string]$mail.SenderName; address = $address }
    replyTo = @(foreach ($one in $mail.ReplyRecipients) { Person $one })
    to = @(foreach ($one in $mail.Recipients) { if ($one.Type -eq 1) { Person $one } })
    subject = [string]$mail.Subject; sentMs = (Ms $mail.SentOn); text = [string]$mail.Body; files = $files
  }
}
`}

const listed = z.object({mails: z.array(z.object({id: z.string(), from: z.string(), subject: z.string(), at: z.number().nullable()}))})
const list: Script = {source: String.raw`
function Main($asked) {
  $items = $session.GetDefaultFolder(6).Items
  [void]$items.Sort('[ReceivedTime]', $true)
  $count = 0
  return @{ mails = @(foreach ($mail in $items) {
    if ($mail.Class -ne 43) { continue }
    @{ id = [string]$mail.EntryID; from = [string]$mail.SenderName; subject = [string]$mail.Subject; at = (Ms $mail.ReceivedTime) }
    $count = $count + 1
    if ($count -eq 20) { break }
  }) }
}
`}

const sent = z.union([z.object({sent: z.literal(true)}), z.object({not: z.string()})])
/** Outlook sends in the background, and ends with us where it has no window. */
const send: Script = {isChange: true, source: String.raw`
function Words($text) { return [regex]::Replace([string]$text, '\s+', ' ').Trim() }
function Main($asked) {
  $mail = $outlook.CreateItem(0)
  $mail.BodyFormat = 1
  $mail.Subject = $asked.subject
  $mail.Body = $asked.text
  $mail.Mileage = $asked.mark
  foreach ($address in $asked.to) {
    $one = $mail.Recipients.Add($address)
    $one.Type = 1
  }
  foreach ($address in $asked.cc) {
    $one = $mail.Recipients.Add($address)
    $one.Type = 2
  }
  $isKnown = $mail.Recipients.ResolveAll()
  foreach ($file in $asked.files) { [void]$mail.Attachments.Add($file) }
  $to = @(foreach ($one in $mail.Recipients) { if ($one.Type -eq 1) { AddressOf $one } })
  $cc = @(foreach ($one in $mail.Recipients) { if ($one.Type -ne 1) { AddressOf $one } })
  $problem = ''
  if ($null -ne $asked.from) {
    $account = AccountOf $asked.from
    if ($null -eq $account) { $problem = 'the sender (it has no account of ' + $asked.from + ')' }
    elseif (-not (SendBy $mail $account)) { $problem = 'the sender' }
  }
  if ([string]$mail.Subject -cne $asked.subject) { $problem = 'the subject' }
  if ((Words $mail.Body) -cne (Words $asked.text)) { $problem = 'the text' }
  if (-not $isKnown -or ($to -join ' ') -ne (@($asked.to) -join ' ') -or ($cc -join ' ') -ne (@($asked.cc) -join ' ')) { $problem = 'the recipients' }
  if ($mail.Attachments.Count -ne @($asked.files).Count) { $problem = 'the attachments' }
  if ($problem -ne '') {
    [void]$mail.Close(1)
    return @{ not = $problem }
  }
  if ($outlook.Explorers.Count -eq 0) { [void]$session.GetDefaultFolder(6).Display() }
  Made
  [void]$mail.Send()
  return @{ sent = $true }
}
`}

const counted = z.object({sent: z.number(), waiting: z.number(), alike: z.number()})
/** In Sent Items (5) and the Outbox (4) of every account. The servers of some accounts keep no marks: `alike` has the subject and the time. */
const find: Script = {source: String.raw`
function Main($asked) {
  $counts = @{ sent = 0; waiting = 0; alike = 0 }
  foreach ($store in $session.Stores) {
    foreach ($kind in 5, 4) {
      $folder = $null
      try { $folder = $store.GetDefaultFolder($kind) } catch { continue }
      $items = $folder.Items
      [void]$items.Sort('[LastModificationTime]', $true)
      foreach ($mail in $items) {
        if ((Ms $mail.LastModificationTime) -lt $asked.since) { break }
        if ($mail.Class -ne 43) { continue }
        if ($mail.Mileage -ceq $asked.mark) {
          if ($kind -eq 5) { $counts.sent = $counts.sent + 1 } else { $counts.waiting = $counts.waiting + 1 }
        } elseif ($kind -eq 5 -and [string]$mail.Mileage -eq '' -and [string]$mail.Subject -ceq $asked.subject) { $counts.alike = $counts.alike + 1 }
      }
    }
  }
  return $counts
}
`}

const link = 'outlook:'

/** What Windows takes for no file's name, as dashes. */
const fileNameOf = (name: string): string => name.replace(/[\p{Cc}<>:"|?*]/gu, '-').replace(/[. ]+$/, '')

/** `dir`: what was handed to Outlook. `file`: the open mail. `drafts` keeps what was not sent, on this disk. */
export function openOutlookMail(dir: string, {drafts, file, ...windows}: Windows & {drafts: Pick<MailBackend, 'saveDraft'>; file?: string}): MailBackend {
  const ask = askOutlook(windows)
  const claim = claims(join(dir, 'sent'), 'Outlook')
  let chosen = file === undefined ? undefined : resolve(file)
  const fromOutlook = async (id: string | null): Promise<OpenMail> => {
    const folder = await makeTempFolder()
    try {
      const mail = found.parse(await ask(open, {id, dir: folder}))
      if ('state' in mail) throw nothing(mail.state)
      return await openMailOf(mail, folder)
    } finally {
      await rm(folder, {recursive: true, force: true})
    }
  }
  const read = (id: string): Promise<OpenMail> => id.startsWith(link) ? fromOutlook(id.slice(link.length)) : readMail(isAbsolute(id) ? id : resolve(id))
  return {
    notice: 'Outlook sends it, as a new mail: where a program sorts by threads, only the subject says what it answers.',
    openMail: () => chosen === undefined ? fromOutlook(null) : read(chosen),
    open: async id => {
      const mail = await read(id)
      chosen = mail.where
      return mail
    },
    list: async () => listed.parse(await ask(list, {})).mails.map(({id, from, subject, at}): MailListing =>
      ({id: link + id, from: oneLine(from), subject: oneLine(subject), ...(at !== null && {date: new Date(at)})})),
    saveDraft: (raw, id) => drafts.saveDraft(raw, id),
    send: async (raw, _envelope, id, signal) => {
      signal.throwIfAborted()
      const {subject, text, from, ...mail} = await outgoingOf(raw)
      const [to, cc] = [mail.to, mail.cc].map(people => people.map(p => p.address))
      await claim.once(id, {subject, to: to!, cc: cc!}, async () => {
        const files = await copies(join(dir, 'attachments'), id, mail.attachments.map(({name, content}) => ({name: fileNameOf(name), content})))
        const answer = sent.parse(await ask(send, {from: from?.address ?? null, to: to!, cc: cc!, subject, text: text.replace(/\r?\n/g, '\r\n'), files, mark: uidOf(id)}, signal))
        if ('not' in answer) throw new ToolError('failed', `Outlook would have changed ${answer.not}, so it was not sent.`)
        return {undo: 'sent'}
      })
      return {id, where: 'Sent Items in Outlook', isQueued: false}
    },
    settle: async (id, signal): Promise<Fate> => {
      const known = await claim.read(id)
      if (!known) return {state: 'failed', note: ''}
      if (known.undo !== undefined) return {state: 'done', note: 'it is in Sent Items of Outlook'}
      const {subject} = z.object({subject: z.string()}).parse(known.what)
      const counts = await ask(find, {mark: uidOf(id), subject, since: known.at.getTime() - slackMs}, signal).then(answer => counted.parse(answer), () => undefined)
      if (counts && counts.sent > 0) return {state: 'done', note: 'it is in Sent Items of Outlook'}
      if (counts && counts.waiting > 0) return {state: 'done', isQueued: true, note: 'it waits in the Outbox of Outlook'}
      if (counts?.alike === 1) return {state: 'done', note: 'a mail of this subject is in Sent Items of Outlook'}
      return {state: 'unknown', note: `${counts ? '' : 'Outlook could not be asked. '}Look at Sent Items, the Outbox and the drafts of Outlook before you send it again.`, ...(!counts && {again: true})}
    },
  }
}

async function openMailOf(mail: Exclude<z.infer<typeof found>, {state: unknown}>, folder: string): Promise<OpenMail> {
  const people = (some: Person[]): Person[] => some.filter(p => p.address !== '').map(({address, name}) => ({address, ...(name && name !== address && {name: fieldText(name)})}))
  return {
    messageId: mail.messageId, references: mail.references.split(/\s+/).filter(Boolean),
    from: people([mail.from]), replyTo: people(mail.replyTo), to: people(mail.to), subject: fieldText(mail.subject),
    ...(mail.sentMs !== null && {date: new Date(mail.sentMs)}),
    text: mail.text.replace(/\r\n?/g, '\n').replace(/\0/g, ''),
    attachments: await Promise.all(mail.files.map(async ({name, type}, i) => ({
      name: fieldText(name).replace(/[\\/]/g, '-') || `attachment-${i + 1}`,
      type: /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'application/octet-stream',
      content: await readFile(join(folder, String(i))),
    }))),
    where: link + mail.id,
  }
}

function nothing(state: 'none' | 'gone' | 'other'): ToolError {
  if (state === 'none') return new ToolError('not-found', 'No mail is selected in Outlook. Select one there, or choose one with --mail FILE or /mail.')
  if (state === 'gone') return new ToolError('not-found', 'This mail is not in Outlook any more. Select another one there.')
  return new ToolError('not-found', 'What is selected in Outlook is no mail. Select a mail there, or choose one with --mail FILE or /mail.')
}
