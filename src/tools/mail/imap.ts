// One connection to the user's IMAP server for one piece of work: short limits, always closed, failures in words.
import type {ImapFlow} from 'imapflow'
import {ToolError} from '../../core/errors.ts'
import {answerMs, connectMs, serverError, tlsOf, type Server} from './account.ts'
import {maxMailBytes} from './read.ts'

export type Folder = 'Sent' | 'Drafts'

/** Runs `work` on a connection that is logged in; `password` is an access token where the server says so. Throws ToolError that names the host, or the signal's reason. */
export async function withImap<T>(server: Server, password: string, signal: AbortSignal, work: (client: ImapFlow) => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const {ImapFlow} = await import('imapflow') // loaded when an account is used
  const client = new ImapFlow({
    host: server.host, port: server.port, tls: tlsOf(server),
    ...(server.security === 'tls' ? {secure: true} : {secure: false, doSTARTTLS: server.security === 'starttls'}),
    auth: server.isToken ? {user: server.user, accessToken: password} : {user: server.user, pass: password},
    logger: false, disableAutoIdle: true,
    connectionTimeout: connectMs, greetingTimeout: connectMs, socketTimeout: answerMs,
    maxLiteralSize: 2 * maxMailBytes, maxResponseSize: 3 * maxMailBytes,
  })
  client.on('error', () => undefined) // what is in flight rejects with it as well
  const onAbort = (): void => client.close()
  signal.addEventListener('abort', onAbort, {once: true})
  try {
    await client.connect()
    const result = await work(client)
    await client.logout().catch(() => undefined) // the work is done
    return result
  } catch (error) {
    signal.throwIfAborted()
    throw serverError(error, server, password)
  } finally {
    signal.removeEventListener('abort', onAbort)
    client.close()
  }
}

/** The path of the user's own Sent or Drafts, as the server marks it (RFC 6154) or names it; made where there is none. */
export async function folderOf(client: ImapFlow, folder: Folder): Promise<string> {
  const found = (await client.list()).find(box => box.specialUse === `\\${folder}`)
  return found?.path ?? (await client.mailboxCreate(folder)).path
}

/** UIDs of the mails of this Message-ID in a folder. */
export async function searchId(client: ImapFlow, path: string, id: string): Promise<number[]> {
  await client.mailboxOpen(path, {readOnly: true})
  const found = await client.search({header: {'message-id': id}}, {uid: true})
  if (!Array.isArray(found)) throw new ToolError('failed', `The folder ${path} can't be searched.`)
  return found
}
