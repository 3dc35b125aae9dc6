// Mail as a tree of Maildirs (inbox, drafts, outbox, sent), which mutt, mbsync, Dovecot and Python read. Without an account
// what is sent waits in the outbox. A mail is whole or absent, and of one Message-ID there is one.
import {mkdir, open, readdir, readFile, stat} from 'node:fs/promises'
import {isAbsolute, join, resolve} from 'node:path'
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import {createWhole, isMissing} from '../files/durable.ts'
import {uidOf, type Warn} from '../vdir.ts'
import type {Fate} from '../calendar/calendar.ts'
import type {MailBackend, MailListing, OpenMail} from './mail.ts'
import {headOf, maxMailBytes, openMailOf} from './read.ts'

type Box = 'inbox' | 'drafts' | 'outbox' | 'sent'

/** A list shows the newest; headers of more are not read. */
const maxListed = 200
const maxHeadBytes = 64 * 1024

/** `file` is the mail to answer; default the newest of the inbox. Folders are made when something is written. */
export function openMaildir(root: string, options: {file?: string; warn?: Warn} = {}): MailBackend {
  const {warn = () => undefined} = options
  let chosen = options.file === undefined ? undefined : resolve(options.file)

  const deliver = async (box: Box, raw: Buffer, id: string): Promise<string> => {
    const folder = join(root, box)
    for (const part of ['tmp', 'new', 'cur']) await mkdir(join(folder, part), {recursive: true, mode: 0o700})
    const name = fileName(id)
    if (await findMail(folder, name) !== undefined) throw twice(id, box)
    const path = join(folder, 'new', name)
    if (!await createWhole(path, raw, join(folder, 'tmp'))) throw twice(id, box)
    return path
  }

  const inbox = async (): Promise<Listed[]> => {
    const files = await filesOf(join(root, 'inbox'))
    const known = await Promise.all(files.map(async path => ({path, mtime: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0})))
    const newest = known.sort((a, b) => b.mtime - a.mtime || (a.path < b.path ? 1 : -1)).slice(0, maxListed)
    const read = await Promise.all(newest.map(async ({path, mtime}) => {
      try {
        return await readHead(path, mtime)
      } catch (error) {
        if (!isMissing(error)) warn(`Skipped ${oneLine(path)}: ${oneLine(String(error)).slice(0, 200)}`)
        return []
      }
    }))
    return read.flat().sort((a, b) => b.arrived - a.arrived)
  }

  return {
    notice: 'No mail account is configured: the mail goes to the outbox.',
    openMail: async () => {
      const path = chosen ?? (await inbox())[0]?.listing.id
      return path === undefined ? undefined : readMail(path)
    },
    open: async id => {
      const mail = await readMail(isAbsolute(id) ? id : resolve(id))
      chosen = mail.where
      return mail
    },
    list: async () => (await inbox()).map(({listing}) => listing),
    saveDraft: async (raw, id) => ({where: await deliver('drafts', raw, id)}),
    send: async (raw, _envelope, id, signal) => {
      signal.throwIfAborted()
      if (await findMail(join(root, 'sent'), fileName(id)) !== undefined) throw twice(id, 'sent')
      return {id, where: await deliver('outbox', raw, id), isQueued: true}
    },
    settle: async (id): Promise<Fate> => {
      for (const box of ['outbox', 'sent'] as const) {
        const path = await findMail(join(root, box), fileName(id))
        if (path !== undefined) return {state: 'done', isQueued: box === 'outbox', note: `it is ${path}`}
      }
      return {state: 'failed', note: ''}
    },
  }
}

const twice = (id: string, box: Box): ToolError => new ToolError('refused', `The mail ${oneLine(id)} is in ${box} already. Nothing was done twice.`)

/** Unique and the same for one Message-ID; other programs add flags after ":". */
const fileName = (id: string): string => `${uidOf(id.replace(/^<|>$/g, ''))}.tinyagent`

async function filesOf(folder: string): Promise<string[]> {
  const found = await Promise.all(['new', 'cur'].map(async part => {
    const names = await readdir(join(folder, part)).catch((error: unknown) => {
      if (isMissing(error)) return []
      throw error
    })
    return names.filter(name => !name.startsWith('.')).map(name => join(folder, part, name))
  }))
  return found.flat()
}

const findMail = async (folder: string, name: string): Promise<string | undefined> =>
  (await filesOf(folder)).find(path => /^(.*?)(?:[:;!]2,.*)?$/.exec(path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1))?.[1] === name)

interface Listed { listing: MailListing; /** when it came here: what the sender says of the time counts for nothing */ arrived: number }

async function readHead(path: string, mtime: number): Promise<Listed> {
  const handle = await open(path, 'r')
  try {
    const {bytesRead, buffer} = await handle.read(Buffer.alloc(maxHeadBytes), 0, maxHeadBytes, 0)
    const text = buffer.toString('latin1', 0, bytesRead)
    const end = /\r?\n\r?\n/.exec(text)?.index ?? text.length
    const head = await headOf(Buffer.from(text.slice(0, end), 'latin1'), path)
    return {listing: head.listing, arrived: head.receivedAt ?? mtime}
  } finally {
    await handle.close()
  }
}

/** A mail in a file of its own. Throws ToolError 'not-found', 'invalid-args' or 'refused'. */
export async function readMail(path: string): Promise<OpenMail> {
  const mail = await openMailOf(await readRaw(path), path)
  if (!mail) throw new ToolError('invalid-args', `${oneLine(path)} is not a mail. Choose an .eml file or one of a Maildir.`)
  return mail
}

async function readRaw(path: string): Promise<Buffer> {
  const info = await stat(path).catch((cause: unknown) => {
    throw new ToolError('not-found', `There is no mail ${oneLine(path)}. Choose one with --mail FILE, or with /mail.`, {cause})
  })
  if (!info.isFile()) throw new ToolError('invalid-args', `${oneLine(path)} is not a file. Choose a mail with --mail FILE, or with /mail.`)
  if (info.size > maxMailBytes) throw new ToolError('refused', `The mail ${oneLine(path)} is larger than 50 MB, so it is not read.`)
  return readFile(path)
}
