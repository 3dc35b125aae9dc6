// What waits in the outbox: mails and text messages that were kept while nobody could send them. They are listed, sent with a card of
// their own, or put aside; never sent by themselves. Tools of `tinyagent outbox` alone: no planner is offered them.
import {mkdir, readdir, readFile, rename, rm, stat} from 'node:fs/promises'
import {readdirSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {arg} from '../../core/params.ts'
import {oneLine} from '../../core/text.ts'
import {tool, type CutOff, type Preview, type Result, type Settled, type Tool} from '../../core/types.ts'
import {isAddress} from '../contacts/address.ts'
import {isMissing, isThere} from '../files/durable.ts'
import type {MailBackend} from '../mail/mail.ts'
import type {Person} from '../mail/message.ts'
import {maxMailBytes, openMailOf} from '../mail/read.ts'
import {handedOver, settledSms, type SmsBackend} from '../sms/sms.ts'

export interface OutboxPlaces { mailDir: string; smsDir: string }
export interface OutboxDeps extends OutboxPlaces {
  /** what sends mails; absent where there is no account */
  mail?: MailBackend
  /** what sends text messages; absent where there is no gateway */
  sms?: SmsBackend
  /** the user, for mails that were written before there was an address */
  from?: Person
}

export type Kind = 'mail' | 'text message'
export interface Kept { kind: Kind; path: string; /** one line for people */ title: string }

const mailFolders = (dir: string): string[] => ['new', 'cur'].map(part => join(dir, 'outbox', part))

/** Paths of what waits, mails first, in the order of their names, which is that of time. Looks at names only, so that a start can ask. */
export function keptPaths({mailDir, smsDir}: OutboxPlaces): {kind: Kind; path: string}[] {
  const files = (folder: string, isOurs: (name: string) => boolean): string[] => {
    try {
      return readdirSync(folder, {withFileTypes: true}).filter(e => e.isFile() && !e.name.startsWith('.') && isOurs(e.name)).map(e => join(folder, e.name))
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
  }
  const byName = (a: string, b: string): number => basename(a) < basename(b) ? -1 : 1
  const mails = mailFolders(mailDir).flatMap(folder => files(folder, () => true)).sort(byName)
  const messages = files(smsDir, name => name.endsWith('.json')).sort(byName)
  return [...mails.map(path => ({kind: 'mail' as const, path})), ...messages.map(path => ({kind: 'text message' as const, path}))]
}

/** With what each one is. One that can't be read is listed as such: it can be put aside. */
export const keptItems = (places: OutboxPlaces): Promise<Kept[]> => Promise.all(keptPaths(places).map(async ({kind, path}): Promise<Kept> => {
  try {
    if (kind === 'mail') {
      const {mail, recipients} = await readMail(path)
      return {kind, path, title: `mail '${oneLine(mail.subject)}' to ${recipients.map(oneLine).join(', ')}`}
    }
    const {to, message} = await readSms(path)
    return {kind, path, title: `text message to ${to.map(oneLine).join(', ')}: ${oneLine(message).slice(0, 60)}`}
  } catch (error) {
    return {kind, path, title: `${kind} that can't be read (${oneLine(error instanceof Error ? error.message : String(error)).slice(0, 200)})`}
  }
}))

async function readMail(path: string) {
  const raw = await readFile(path).catch((cause: unknown) => { throw gone(path, cause) })
  if (raw.length > maxMailBytes) throw new ToolError('refused', `${path} is larger than 50 MB.`)
  const mail = await openMailOf(raw, path)
  if (!mail || mail.messageId === '') throw new ToolError('invalid-args', `${path} is no mail with a Message-ID.`)
  const {simpleParser} = await import('mailparser') // loaded when a mail is read
  const whole = await simpleParser(raw, {skipTextToHtml: true, skipImageLinks: true})
  if (whole.bcc) throw new ToolError('invalid-args', `${path} has hidden recipients (Bcc), which tinyagent does not write.`)
  const people = [whole.to ?? [], whole.cc ?? []].flat().flatMap(field => field.value).flatMap(entry => entry.group ?? [entry]).flatMap(({address}) => address ? [address] : [])
  const recipients = [...new Set(people)]
  const wrong = recipients.find(address => !isAddress(address))
  if (recipients.length === 0 || wrong !== undefined) throw new ToolError('invalid-args', wrong === undefined ? `${path} says nobody who gets it.` : `"${oneLine(wrong)}" is not an e-mail address.`)
  return {raw, mail, recipients, hasHtml: Boolean(whole.html)}
}

/** What sms/outbox.ts writes. */
const smsFile = z.object({id: z.string().min(1), to: z.array(z.string().min(1)).min(1), message: z.string().min(1)})

async function readSms(path: string): Promise<z.infer<typeof smsFile>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => { throw gone(path, cause) })
  let json: unknown
  try { json = JSON.parse(text) } catch { /* told below */ }
  const read = smsFile.safeParse(json)
  if (!read.success) throw new ToolError('invalid-args', `${path} is no text message of tinyagent's.`)
  return read.data
}

const gone = (path: string, cause: unknown): ToolError => new ToolError('not-found', `${path} is not in the outbox any more.`, {cause})

/** A file of the outbox and no other. */
function kindOf(path: string, {mailDir, smsDir}: OutboxPlaces): Kind {
  if (mailFolders(mailDir).includes(dirname(path))) return 'mail'
  if (dirname(path) === smsDir && path.endsWith('.json')) return 'text message'
  throw new ToolError('refused', `${oneLine(path)} is no file of the outbox.`)
}

export const sendKept = {name: 'send_kept', description: 'Send what waits in the outbox.', args: z.object({file: arg.text()}), effect: 'outward', returns: 'none'} as const
export const deleteKept = {name: 'delete_kept', description: 'Put aside what waits in the outbox.', args: z.object({file: arg.text()}), effect: 'local', returns: 'none'} as const

export function outboxTools(deps: OutboxDeps): Tool[] {
  // What was shown is what goes, whatever became of the file since.
  const shown = new Map<string, Ready>()

  const ready = async (path: string): Promise<Ready> => kindOf(path, deps) === 'mail' ? readyMail(path, deps) : readySms(path, deps)

  return [
    tool({
      ...sendKept,
      preview: async ({file}, {key}) => {
        const made = await ready(file)
        shown.set(key, made)
        return made.preview
      },
      run: async ({file}, {key, signal}) => {
        const {send} = shown.get(key) ?? await ready(file)
        shown.delete(key)
        signal.throwIfAborted()
        const result = await send(signal)
        if (await rm(file, {force: true}).then(() => true, () => false)) return result
        return {...result, summary: `${result.summary}; it could not be taken out of the outbox (${file}), and is not sent twice`}
      },
      settle: async ({file}, call) => {
        const kind = kindOf(file, deps)
        if (!await isThere(file)) return {state: 'done', summary: `Sent the ${kind} ${basename(file)} from the outbox`} // it is taken out when it has gone
        const settled = await (kind === 'mail' ? settleMail(file, deps, call) : settleSms(file, deps, call))
        if (settled.state === 'done') await rm(file, {force: true})
        return settled.state === 'failed' ? {...settled, summary: `${settled.summary} It is still in the outbox.`} : settled
      },
    }),
    tool({
      ...deleteKept,
      preview: async ({file}) => ({effect: 'local', title: 'Delete from the outbox', fields: [{label: 'File', value: (kindOf(file, deps), file)}]}),
      run: async ({file}) => {
        const kind = kindOf(file, deps)
        const to = setAside(kind, file, deps)
        await mkdir(dirname(to), {recursive: true, mode: 0o700})
        await rename(file, to).catch((cause: unknown) => { throw isMissing(cause) ? gone(file, cause) : cause })
        return {value: '', summary: tookOut(kind, to), where: to, undo: {from: to, to: file}}
      },
      settle: async ({file}) => {
        const kind = kindOf(file, deps)
        const to = setAside(kind, file, deps)
        if (await isThere(file)) return {state: 'failed', summary: `The ${kind} ${basename(file)} is still in the outbox.`}
        return await isThere(to) ? {state: 'done', summary: tookOut(kind, to), undo: {from: to, to: file}} : {state: 'failed', summary: `The ${kind} ${basename(file)} is not in the outbox.`}
      },
      undo: async token => {
        const {from, to} = undoToken.parse(token)
        kindOf(to, deps)
        await rename(from, to).catch((cause: unknown) => { throw isMissing(cause) ? new ToolError('refused', `${from} is not there any more.`, {cause}) : cause })
        return 'Put it back into the outbox'
      },
    }),
  ]
}

/** For so long `undo` can put it back. */
const keptDays = 90

/** Removes for good what was put aside longer ago. What can't be looked at stays. */
export async function purgeSetAside({mailDir, smsDir}: OutboxPlaces, now = new Date()): Promise<void> {
  for (const folder of [mailDir, smsDir].map(dir => join(dir, 'deleted'))) {
    for (const name of await readdir(folder).catch(() => [])) {
      const info = await stat(join(folder, name)).catch(() => undefined)
      // The change of a file's name sets its ctime, and nothing else of ours touches it there.
      if (info?.isFile() && now.getTime() - info.ctimeMs > keptDays * 24 * 3_600_000) await rm(join(folder, name), {force: true}).catch(() => undefined)
    }
  }
}

const setAside = (kind: Kind, file: string, {mailDir, smsDir}: OutboxPlaces): string => join(kind === 'mail' ? mailDir : smsDir, 'deleted', basename(file))
const tookOut = (kind: Kind, to: string): string => `Took the ${kind} out of the outbox, unsent; it is in ${dirname(to)}`

/** The account's or the gateway's own record of it. */
async function settleMail(path: string, {mail: backend}: OutboxDeps, {signal}: CutOff): Promise<Settled> {
  const {mail, recipients} = await readMail(path)
  if (!backend) throw new ToolError('unavailable', 'There is no mail account.')
  const what = `the mail '${oneLine(mail.subject)}' to ${recipients.map(oneLine).join(', ')}`
  const {state, note, again} = await backend.settle(mail.messageId, signal, {isKept: true})
  if (state === 'done') return {state, summary: `Sent ${what} from the outbox`}
  return state === 'failed' ? {state, summary: `Did not send ${what}.`} : {state, summary: `${what}. ${note}`, ...(again && {again})}
}

async function settleSms(path: string, {sms: backend}: OutboxDeps, call: CutOff): Promise<Settled> {
  const {id, to, message} = await readSms(path)
  if (!backend) throw new ToolError('unavailable', 'There is no SMS gateway.')
  return settledSms(to, await backend.settle(to, message, {...call, key: `outbox-${id}`}), backend)
}

const undoToken = z.object({from: z.string(), to: z.string()})

interface Ready { preview: Preview; send(signal: AbortSignal): Promise<Result> }

/** The same Message-ID as ever: the account's own ledger lets it go once. */
async function readyMail(path: string, {mail: backend, from}: OutboxDeps): Promise<Ready> {
  const {raw, mail, recipients, hasHtml} = await readMail(path)
  if (!backend) throw new ToolError('unavailable', 'There is no mail account to send it by: `tinyagent setup mail` sets one up.')
  const sender = mail.from[0] ?? from
  if (!sender) throw new ToolError('unavailable', 'The mail says nobody who sends it, and you have no address yet: set user.email in the config.')
  // Tinyagent writes none; another program may have.
  const notice = [backend.notice, hasHtml && 'It has a formatted (HTML) part too, which is not shown.'].filter(Boolean).join(' ')
  const whole = mail.from.length > 0 ? raw : Buffer.concat([await fromLine(sender), raw])
  return {
    preview: {
      effect: 'outward', title: 'Mail from the outbox',
      fields: [
        {label: 'From', value: sender.name ? `${sender.name} <${sender.address}>` : sender.address},
        {label: 'To', value: recipients},
        {label: 'Subject', value: mail.subject},
        ...(mail.date ? [{label: 'Written', value: mail.date.toLocaleString()}] : []),
      ],
      body: {text: mail.text},
      ...(mail.attachments.length > 0 && {attachments: mail.attachments.map(a => ({name: a.name, path, bytes: a.content.length, type: a.type}))}),
      ...(notice && {notice}),
    },
    send: async signal => {
      const {where, refused = []} = await backend.send(whole, {from: from?.address ?? sender.address, to: recipients}, mail.messageId, signal)
      const reached = recipients.filter(address => !refused.some(r => r.address.toLowerCase() === address.toLowerCase()))
      const without = refused.map(({address, reason}) => `; not to ${address}, which the server refused: ${reason}`).join('')
      return {value: 'sent', summary: `Sent the mail '${oneLine(mail.subject)}' to ${reached.join(', ')} from the outbox${without}`, where}
    },
  }
}

/** For a mail that was written before the user had an address (RFC 5322 wants one). */
async function fromLine({name, address}: Person): Promise<Buffer> {
  const {default: MimeNode} = await import('nodemailer/lib/mime-node') // loaded when a mail is made
  const headers = new MimeNode('text/plain').setHeader('from', {name: name ?? '', address}).buildHeaders().replace(/\r\n/g, '\n')
  return Buffer.from(`${/^From:.*(?:\n[ \t].*)*/im.exec(headers)?.[0] ?? `From: ${address}`}\n`)
}

/** The gateway writes down what it was handed under this key, and takes it once. */
async function readySms(path: string, {sms: backend}: OutboxDeps): Promise<Ready> {
  const {id, to, message} = await readSms(path)
  if (!backend) throw new ToolError('unavailable', 'There is no SMS gateway to send it by: `tinyagent config set sms.gateway ...` chooses one (README).')
  const notice = [backend.notice, backend.isOneEach && to.length > 1 ? `Each of the ${to.length} gets a message of their own.` : ''].filter(Boolean).join(' ')
  return {
    preview: {
      effect: 'outward', title: 'Text message from the outbox', fields: [{label: 'To', value: to}], body: {text: message}, ...(notice && {notice}),
    },
    send: async signal => {
      const {where} = await backend.send(to, message, `outbox-${id}`, signal)
      return {value: 'sent', summary: backend.isOpened ? handedOver(to, backend) : `Sent the text message to ${to.map(oneLine).join(', ')} from the outbox`, where}
    },
  }
}
