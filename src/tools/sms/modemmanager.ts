// Text messages by a mobile modem in this machine, with ModemManager's mmcli.
import {ToolError} from '../../core/errors.ts'
import {oneByOne, runGateway} from './one-by-one.ts'
import type {SmsBackend} from './sms.ts'

/** `modem` is its index or path; '' is any. */
export const modemManagerSms = (dir: string, modem: string): SmsBackend => oneByOne(dir, 'ModemManager', async (to, message, signal) => {
  const {stdout} = await runGateway('mmcli', [`--modem=${modem || 'any'}`, `--messaging-create-sms=number=${to.replace(/[^\d+]/g, '')},text=${quoted(message)}`], signal)
  const path = /\/org\/freedesktop\/ModemManager1\/SMS\/\d+/.exec(stdout)?.[0]
  if (path === undefined) throw new ToolError('failed', 'mmcli made no message out of it. Nothing was sent.')
  await runGateway('mmcli', [`--sms=${path}`, '--send'], signal)
  return path
})

/** mmcli's list of properties knows both quotes and no escapes. */
function quoted(text: string): string {
  const quote = ['\'', '"'].find(q => !text.includes(q))
  if (quote === undefined) throw new ToolError('invalid-args', 'ModemManager takes no text with both kinds of quotes (\' and "). Leave one of them out.')
  return `${quote}${text}${quote}`
}
