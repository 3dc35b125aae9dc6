// Text messages without a gateway: a folder with one JSON file a message. Its sms: link (RFC 5724) opens it on a phone.
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {ToolError} from '../../core/errors.ts'
import {createWhole, isThere} from '../files/durable.ts'
import {uidOf} from '../vdir.ts'
import type {SmsBackend} from './sms.ts'

export function openSmsOutbox(dir: string): SmsBackend {
  return {
    notice: 'No SMS gateway is configured: the message goes to the outbox.',
    send: async (to, message, key, signal) => {
      signal.throwIfAborted()
      const id = uidOf(key)
      const where = join(dir, `${id}.json`)
      const text = `${JSON.stringify({id, to, message, link: smsLink(to, message)}, undefined, 2)}\n`
      // The same message under the same key is the same call: it is there, and nothing is done twice.
      if (!await createWhole(where, text) && await readFile(where, 'utf8') !== text) {
        throw new ToolError('refused', `${where} holds another message already. Nothing was written.`)
      }
      return {where, isQueued: true}
    },
    settle: async (_to, _message, {key}) => ({reached: [], isQueued: await isThere(join(dir, `${uidOf(key)}.json`))}),
  }
}

/** Short codes and numbers without a country may hold blanks; a link may not. */
const smsLink = (to: string[], message: string): string =>
  `sms:${to.map(number => number.replace(/[^\d+]/g, '')).join(',')}?body=${encodeURIComponent(message)}`
