// One mail by SMTP, at most once. The server takes a mail when it has seen the last byte of DATA (RFC 5321, 4.1.1.4): a failure
// before that is definite; without an answer after it nobody knows, and the error says 'unknown'.
import {Readable} from 'node:stream'
import {setImmediate as turn, setTimeout as pause} from 'node:timers/promises'
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import {abortReason} from '../../core/time-limit.ts'
import {answerMs, connectMs, nameOf, serverError, tlsOf, type Server} from './account.ts'
import type {Envelope} from './mail.ts'

/** Recipients that the server did not take, with its reason. */
export interface Refusal { address: string; reason: string }

/** A broken line shows itself within this time on a network as it should be: before the last byte, so that the failure is definite. */
const settleMs = 50
/** After a cancel there is a little time for the answer that is on its way. */
const lastAnswerMs = 1_200

type Done<T> = (error?: Error | null, value?: T) => void

/** Logs in and out again. Throws ToolError that names the host. */
export async function checkSmtp(server: Server, password: string, signal: AbortSignal): Promise<void> {
  const session = await openSession(server, password, signal)
  session.close()
}

/**
 * Sends; `beforeLastByte` has ended before the last byte is written. Throws ToolError: 'unknown' when it may have gone all the same,
 * any other code when it did not go.
 */
export async function deliver(server: Server, password: string, raw: Buffer, envelope: Envelope, signal: AbortSignal, beforeLastByte: () => Promise<void> = async () => undefined): Promise<Refusal[]> {
  const session = await openSession(server, password, signal)
  let isWhole = false
  const body = Readable.from((async function* () {
    yield raw
    await beforeLastByte()
    await pause(settleMs)
    await turn() // what the line had to say is heard first
    signal.throwIfAborted()
    session.check()
    isWhole = true
  })())
  let isDone = false
  try {
    const info = await session.step<{rejectedErrors?: {recipient?: string; response?: string}[]}>(
      done => session.connection.send({from: envelope.from, to: envelope.to, size: raw.length}, body, done), () => isWhole)
    isDone = true
    session.connection.quit() // it closes when the server has said goodbye
    return (info?.rejectedErrors ?? []).map(({recipient = '', response = ''}) => ({address: recipient, reason: oneLine(response).slice(0, 200)}))
  } catch (error) {
    // The server's "no" is an answer too.
    const isRefused = error instanceof Error && 'responseCode' in error && typeof error.responseCode === 'number' && error.responseCode >= 400
    if (isWhole && !isRefused) {
      throw new ToolError('unknown', `It is unknown whether the mail went: ${nameOf(server)} did not confirm it`, {cause: serverError(error, server, password)})
    }
    signal.throwIfAborted()
    throw serverError(error, server, password)
  } finally {
    body.destroy()
    if (!isDone) session.close()
  }
}

async function openSession(server: Server, password: string, signal: AbortSignal) {
  signal.throwIfAborted()
  const {default: SMTPConnection} = await import('nodemailer/lib/smtp-connection') // loaded when a mail goes
  const connection = new SMTPConnection({
    host: server.host, port: server.port, tls: tlsOf(server),
    secure: server.security === 'tls', requireTLS: server.security === 'starttls', ignoreTLS: server.security === 'none',
    name: '[127.0.0.1]', // the machine's name is nobody's business
    connectionTimeout: connectMs, greetingTimeout: connectMs, dnsTimeout: connectMs, socketTimeout: answerMs,
    logger: false,
  })
  let broken: Error | undefined
  const failed = new Promise<never>((_, reject) => {
    connection.on('error', (error: Error) => { broken ??= error; reject(error) })
    connection.on('end', () => { broken ??= new Error('Connection closed'); reject(broken) })
  })
  failed.catch(() => undefined) // it may fail between two steps; `check` tells
  const step = async <T>(start: (done: Done<T>) => void, isPastReturn: () => boolean = () => false): Promise<T | undefined> => {
    let onAbort = (): void => undefined
    const aborted = new Promise<never>((_, reject) => {
      const stop = (): void => reject(abortReason(signal))
      onAbort = () => { if (isPastReturn()) setTimeout(stop, lastAnswerMs); else stop() }
    })
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, {once: true})
    try {
      return await Promise.race([failed, aborted, new Promise<T | undefined>((resolve, reject) => {
        start((error, value) => { if (error) reject(error); else resolve(value) })
      })])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
  const close = (): void => connection.close()
  try {
    await step(done => connection.connect(done))
    if (server.isToken) {
      const {default: XOAuth2} = await import('nodemailer/lib/xoauth2') // it only writes the token down as the server wants it
      await step(done => connection.login({user: server.user, oauth2: new XOAuth2({user: server.user, accessToken: password}, false)}, done))
    } else await step(done => connection.login({credentials: {user: server.user, pass: password}}, done))
  } catch (error) {
    close()
    signal.throwIfAborted()
    throw serverError(error, server, password)
  }
  return {connection, step, close, check: (): void => { if (broken) throw broken }}
}
