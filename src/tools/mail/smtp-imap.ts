// The user's own mail account: sent by SMTP, read and kept by IMAP. What goes is written down first under its Message-ID, so
// that no mail goes twice: not of two at once, not after a crash, not after a reply that got lost.
import {readdir, readFile, rm} from 'node:fs/promises'
import {join, resolve} from 'node:path'
import {isAbort, reasonOf, ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import type {Fate} from '../calendar/calendar.ts'
import {createWhole, isMissing, isThere, notWritten} from '../files/durable.ts'
import {uidOf, type Warn} from '../vdir.ts'
import {loggedIn, type MailAccount} from './account.ts'
import {folderOf, searchId, withImap} from './imap.ts'
import type {MailBackend, MailListing, OpenMail} from './mail.ts'
import {openMaildir, readMail} from './maildir.ts'
import {headOf, maxMailBytes, openMailOf} from './read.ts'
import {deliver, type Refusal} from './smtp.ts'

export interface ImapMailOptions {
  /** what is kept on this machine: mails on their way, and drafts that the server could not take */
  dir: string
  /** --mail: the mail to answer */
  file?: string
  warn?: Warn
}

/** A list shows the newest; headers of more are not fetched. */
const maxListed = 200
/** Of asking the server whether a mail went. */
const askMs = 8_000

/** These put what they send into Sent themselves. */
const keepsSent = /(?:^|\.)(?:gmail\.com|office365\.com|outlook\.com)$/i

export function openImapMail(account: MailAccount, {dir, file, warn = () => undefined}: ImapMailOptions): MailBackend {
  const {imap, smtp} = account
  const never = new AbortController().signal
  let chosen: {file: string} | {uid: number; uidValidity: string} | undefined = file === undefined ? undefined : {file: resolve(file)}
  const here = openMaildir(dir) // for what the server can't take

  const onServer = <T>(signal: AbortSignal, work: Parameters<typeof withImap<T>>[3]): Promise<T> =>
    loggedIn(account, imap, signal, secret => withImap(imap, secret, signal, work))

  const fetchMail = (uid: number | undefined, uidValidity?: string): Promise<{mail: OpenMail; uid: number; uidValidity: string} | undefined> => onServer(never, async client => {
    const box = await client.mailboxOpen('INBOX', {readOnly: true})
    const validity = String(box.uidValidity)
    if (uidValidity !== undefined && uidValidity !== validity) return undefined // the server has numbered its mails anew
    const wanted = uid ?? await newest(client, box.exists)
    if (wanted === undefined) return undefined
    const size = await client.fetchOne(String(wanted), {uid: true, size: true}, {uid: true})
    if (!size) return undefined
    if ((size.size ?? 0) > maxMailBytes) throw new ToolError('refused', `The mail ${wanted} of the inbox is larger than 50 MB, so it is not read.`)
    const found = await client.fetchOne(String(wanted), {source: true}, {uid: true})
    const mail = found && found.source ? await openMailOf(found.source, `INBOX on ${imap.host}, mail ${wanted}`) : undefined
    return mail && {mail, uid: wanted, uidValidity: validity}
  })

  const keepSent = async (raw: Buffer, id: string, signal: AbortSignal): Promise<string> => {
    try {
      return await onServer(signal, async client => {
        const path = await folderOf(client, 'Sent')
        if (!keepsSent.test(smtp.host) && (await searchId(client, path, id)).length === 0) await client.append(path, withCrlf(raw), ['\\Seen'])
        return `${path} on ${imap.host}`
      })
    } catch (error) {
      const reason = error instanceof ToolError ? error.message : 'there was no time left.'
      const kept = await createWhole(join(dir, 'sent', 'new', `${uidOf(bare(id))}.tinyagent`), raw).then(() => true, () => false)
      warn(`The mail went, but its copy is not in Sent: ${reason}${kept ? ` It is in ${join(dir, 'sent')}.` : ''}`)
      return kept ? join(dir, 'sent') : smtp.host
    }
  }

  return {
    openMail: async () => {
      if (chosen && 'file' in chosen) return readMail(chosen.file)
      const found = await fetchMail(chosen?.uid, chosen?.uidValidity)
      if (!found && chosen) {
        chosen = undefined // moved or deleted by another program
        throw new ToolError('not-found', 'The chosen mail is not in the inbox any more. /mail lists what is there.')
      }
      return found?.mail
    },
    open: async id => {
      if (!/^[1-9]\d{0,9}$/.test(id)) {
        const mail = await readMail(resolve(id))
        chosen = {file: mail.where}
        return mail
      }
      const found = await fetchMail(Number(id))
      if (!found) throw new ToolError('not-found', `There is no mail ${id} in the inbox. /mail lists them.`)
      chosen = {uid: found.uid, uidValidity: found.uidValidity}
      return found.mail
    },
    list: () => onServer(never, async client => {
      const {exists} = await client.mailboxOpen('INBOX', {readOnly: true})
      if (exists === 0) return []
      const found = await client.fetchAll(`${Math.max(1, exists - maxListed + 1)}:*`, {uid: true, internalDate: true, headers: ['from', 'subject', 'date', 'message-id']})
      const heads = await Promise.all(found.sort(byArrival).map(async ({uid, headers}): Promise<MailListing[]> => {
        try {
          return [(await headOf(headers ?? Buffer.alloc(0), String(uid))).listing]
        } catch {
          return [{id: String(uid), from: '', subject: ''}] // it can be opened all the same
        }
      }))
      return heads.flat()
    }),
    saveDraft: async (raw, id) => {
      try {
        return await onServer(AbortSignal.timeout(askMs), async client => {
          const path = await folderOf(client, 'Drafts')
          if ((await searchId(client, path, id)).length > 0) throw new ToolError('refused', `The mail ${oneLine(id)} is in ${path} already. Nothing was done twice.`)
          await client.append(path, withCrlf(raw), ['\\Draft', '\\Seen'])
          return {where: `${path} on ${imap.host}`}
        })
      } catch (error) {
        if (error instanceof ToolError && error.code === 'refused') throw error
        return here.saveDraft(raw, id) // the server can't be reached, and the mail is not lost
      }
    },
    async send(raw, envelope, id, signal, keep) {
      signal.throwIfAborted()
      const ledger = openLedger(dir, id)
      await ledger.claim(raw)
      // From here on the mail may be out: what goes wrong with our own notes must not look as if it were not.
      const noteSent = (): Promise<void> => ledger.sent().catch((error: unknown) => warn(`The mail went, but that could not be written down: ${reasonOf(error)}`))
      let refused: Refusal[]
      try {
        refused = await loggedIn(account, smtp, signal, secret => deliver(smtp, secret, raw, {from: envelope.from || account.address, to: envelope.to}, signal, () => ledger.lastByte()))
      } catch (error) {
        if (!(error instanceof ToolError) || error.code !== 'unknown') {
          await ledger.isNotOut()
          if (!isAbort(error)) await keep?.().catch(() => undefined) // tried once more by whoever wants it
          await ledger.release()
          throw error
        }
        const where = await whereSent(account, id, signal)
        if (where === undefined) throw new ToolError('unknown', `${error.message}. Look at Sent, or ask the recipients, before you send it again: it is never sent again by itself. Its text is in ${ledger.path}.`, {cause: error})
        await noteSent()
        await ledger.forget()
        return {id, where, isQueued: false}
      }
      await noteSent()
      const where = await keepSent(raw, id, signal)
      await ledger.forget() // its text is there now
      return {id, where, isQueued: false, ...(refused.length > 0 && {refused})}
    },
    async settle(id, signal, {isKept = false} = {}): Promise<Fate> {
      const ledger = openLedger(dir, id)
      const {raw, mayBeOut, isSent} = await ledger.read()
      if (isSent) {
        const where = raw ? await keepSent(raw, id, signal) : imap.host
        await ledger.forget()
        return {state: 'done', note: `it is in ${where}`}
      }
      if (!raw) return isKept ? {state: 'failed', note: ''} : here.settle(id, signal) // never begun, or from before there was an account
      if (!mayBeOut) {
        const kept = isKept ? undefined : await this.saveDraft(raw, id).catch((error: unknown) => {
          if (error instanceof ToolError && error.code === 'refused') return {where: 'the drafts'} // by an earlier look
          throw error
        })
        await ledger.release()
        return {state: 'failed', note: kept ? `It is in the drafts: ${oneLine(kept.where)}.` : ''}
      }
      const {where, isAsked} = await askWhereSent(account, id, signal).then(found => ({where: found, isAsked: true}), () => ({where: undefined, isAsked: false}))
      if (where !== undefined) {
        await ledger.sent()
        await ledger.forget()
        return {state: 'done', note: `it is in ${where}`}
      }
      const asked = isAsked ? `${imap.host} has no copy of it, which proves nothing.` : `${imap.host} could not be asked.`
      return {state: 'unknown', note: `${asked} Look at Sent, or ask the recipients, before you send it again: it is never sent again by itself. Its text is in ${ledger.path}.`, ...(!isAsked && {again: true})}
    },
  }
}

/** Where the server has a mail of this id; undefined when it has none, or can't be asked. */
const whereSent = (account: MailAccount, id: string, signal: AbortSignal): Promise<string | undefined> => askWhereSent(account, id, signal).catch(() => undefined)

/** As whereSent, but throws where the server can't be asked. */
async function askWhereSent(account: MailAccount, id: string, signal: AbortSignal): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(askMs)])
  return loggedIn(account, account.imap, limit, secret => withImap(account.imap, secret, limit, async client => {
    for (const path of [await folderOf(client, 'Sent'), 'INBOX']) if ((await searchId(client, path, id)).length > 0) return `${path} on ${account.imap.host}`
    return undefined
  }))
}

/** Mails of an earlier run that may have gone: begun, and neither sent nor failed. */
export async function doubtfulMails(dir: string): Promise<string[]> {
  const folder = join(dir, 'sending')
  const names: string[] = await readdir(folder).catch(() => [])
  return names.filter(name => name.endsWith('.eml') && !names.includes(name.replace(/eml$/, 'sent'))).map(name => join(folder, name))
}

/** Asks the server for each doubtful mail, and settles those that it has; `where` is absent for what stays in doubt. */
export async function settleDoubts(account: MailAccount, dir: string, signal: AbortSignal): Promise<{path: string; subject: string; where?: string}[]> {
  const asked = []
  for (const path of await doubtfulMails(dir)) {
    const mail = await openMailOf(await readFile(path), path)
    const where = mail?.messageId ? await whereSent(account, mail.messageId, signal) : undefined
    if (mail && where !== undefined) {
      await openLedger(dir, mail.messageId).sent()
      await openLedger(dir, mail.messageId).forget()
    }
    asked.push({path, subject: mail?.subject ?? '', ...(where !== undefined && {where})})
  }
  return asked
}

/**
 * Of each Message-ID one file with its text: there from before the server is met until the mail is in Sent, or did not go. A second one says that
 * the last byte may be out: without it the mail has not gone, whenever the program was killed. A third one stays after it went.
 */
function openLedger(dir: string, id: string) {
  const folder = join(dir, 'sending')
  const name = uidOf(bare(id))
  const path = join(folder, `${name}.eml`)
  const last = join(folder, `${name}.last`)
  const done = join(folder, `${name}.sent`)
  return {
    path,
    /** Throws ToolError 'refused' when it was claimed before. */
    async claim(raw: Buffer): Promise<void> {
      if (await isThere(done)) throw new ToolError('refused', `The mail ${oneLine(id)} was sent already. Nothing was done twice.`)
      if (await createWhole(path, raw)) {
        if (!await isThere(done)) return
        await rm(path, {force: true}) // it went in between
        throw new ToolError('refused', `The mail ${oneLine(id)} was sent already. Nothing was done twice.`)
      }
      throw new ToolError('refused', `The mail ${oneLine(id)} is on its way, or was cut off on it: it may have gone. Look at Sent before you send it anew. Its text is in ${path}.`)
    },
    /** Throws ToolError where that can't be written: then the last byte must stay. */
    async lastByte(): Promise<void> {
      await createWhole(last, '')
    },
    /** The last byte did not go after all. */
    async isNotOut(): Promise<void> {
      await rm(last, {force: true}).catch((error: unknown) => { throw notWritten(last, error) })
    },
    /** It did not go: it may be tried again. */
    async release(): Promise<void> {
      await this.isNotOut() // first, so that what is left of it never says that it may have gone
      await rm(path, {force: true}).catch((error: unknown) => { throw notWritten(path, error) })
    },
    async sent(): Promise<void> {
      await createWhole(done, '')
    },
    /** It went, and its text is kept elsewhere. */
    async forget(): Promise<void> {
      for (const file of [path, last]) await rm(file, {force: true}).catch(() => undefined) // the other file says it all
    },
    async read(): Promise<{raw: Buffer | undefined; mayBeOut: boolean; isSent: boolean}> {
      const raw = await readFile(path).catch((error: unknown) => {
        if (isMissing(error)) return undefined
        throw error
      })
      return {raw, mayBeOut: await isThere(last), isSent: await isThere(done)}
    },
  }
}

type Client = Parameters<Parameters<typeof withImap>[3]>[0]

/** The UID of the mail that came in last: what the sender says of the time counts for nothing. */
async function newest(client: Client, exists: number): Promise<number | undefined> {
  if (exists === 0) return undefined
  const found = await client.fetchAll(`${Math.max(1, exists - maxListed + 1)}:*`, {uid: true, internalDate: true})
  return found.sort(byArrival)[0]?.uid
}

const byArrival = (a: {uid: number; internalDate?: Date | string | undefined}, b: typeof a): number =>
  timeOf(b.internalDate) - timeOf(a.internalDate) || b.uid - a.uid
const timeOf = (date: Date | string | undefined): number => date === undefined ? 0 : new Date(date).getTime()

/** Mails are made with bare line feeds; servers want both (RFC 5322, 2.3). */
const withCrlf = (raw: Buffer): Buffer => Buffer.from(raw.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')

const bare = (id: string): string => id.replace(/^<|>$/g, '')
