// Text messages by the Mac's own Messages: SMS through the user's iPhone (Text Message Forwarding), or iMessage.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import {osascript, type Mac, type Script} from '../apple/osascript.ts'
import {oneByOne} from './one-by-one.ts'
import type {SmsBackend} from './sms.ts'

const sent = z.union([z.object({sent: z.string()}), z.object({types: z.array(z.string())})])
const send: Script = {app: 'Messages', isChange: true, source: String.raw`
function main({type, to, message}) {
  const app = Application('Messages')
  const accounts = app.accounts().filter(account => account.enabled())
  const types = accounts.map(account => account.serviceType())
  const i = (type ? [type] : ['SMS', 'iMessage']).map(wanted => types.findIndex(t => same(t, wanted))).find(n => n >= 0)
  if (i === undefined) return {types}
  const participant = accounts[i].participants.byName(to)
  app.send(message, {to: participant})
  return {sent: types[i]}
}
`}

/** `type`: "SMS" or "iMessage"; '' is SMS where the iPhone passes them on, since it reaches every phone. */
export const appleSms = (dir: string, type: string, mac: Mac = {}): SmsBackend => {
  const ask = osascript(mac)
  return {
    ...oneByOne(dir, 'Messages', async (to, message, signal) => {
      const answer = sent.parse(await ask(send, {type, to, message}, signal))
      if ('sent' in answer) return ''
      const has = answer.types.map(oneLine).join(', ') || 'none'
      throw new ToolError('unavailable', type
        ? `Messages has no account of the type "${oneLine(type)}" that is switched on (it has ${has}): set sms.device to one of these, or sign in in Messages.`
        : `Messages has no account that is switched on. Sign in in Messages, or allow Text Message Forwarding on your iPhone.`)
    }),
    notice: `Messages sends it${type ? ` by ${oneLine(type)}` : ': by SMS where your iPhone passes them on, else by iMessage'}; it does not say whether it arrived.`,
  }
}
