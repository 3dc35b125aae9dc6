// Text messages from Termux on an Android phone, with Termux:API.
import {oneByOne, runGateway} from './one-by-one.ts'
import type {SmsBackend} from './sms.ts'

/** The text goes by standard input, which termux-sms-send reads when it has no argument. */
export const termuxSms = (dir: string): SmsBackend => oneByOne(dir, 'Termux', async (to, message, signal) => {
  await runGateway('termux-sms-send', ['-n', to.replace(/[^\d+]/g, '')], signal, message)
  return ''
})
