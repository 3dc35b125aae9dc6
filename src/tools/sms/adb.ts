// Text messages by an Android phone on a cable (or paired by Wi-Fi), with adb. A program may not send one on a stock phone, so the phone's
// messaging app is opened with number and text in place (developer.android.com/guide/components/intents-common), and its user sends it.
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import {oneByOne, runGateway} from './one-by-one.ts'
import type {SmsBackend} from './sms.ts'

/** `device` is the phone's serial number; '' is the only one that is connected. `dir` is where handed messages are written down. */
export function adbSms(dir: string, device: string): SmsBackend {
  const gateway = oneByOne(dir, 'the phone', async (to, message, signal) => {
    const serial = await connectedPhone(device, signal)
    // adb joins what follows "shell" with blanks and gives it to the phone's shell, so each value is quoted for that.
    const {stdout, stderr} = await runGateway('adb', ['-s', serial, 'shell', ['am', 'start', '-a', 'android.intent.action.SENDTO', '-d', `sms:${to.replace(/[^\d+]/g, '')}`, '--es', 'sms_body', message].map(quoted).join(' ')], signal)
    const said = oneLine(`${stdout}\n${stderr}`)
    // am says so and ends well all the same on older phones.
    if (/\bError\b/.test(said)) throw new ToolError('failed', `The phone did not open it (${said.slice(said.search(/\bError\b/)).slice(0, 200)}). It needs a messaging app.`)
    if (said.includes('current task has been brought to the front')) throw new ToolError('unknown', 'The phone showed its messaging app, which may not have taken the text. Look at the phone.')
    return `phone ${serial}`
  })
  return {
    isOpened: true,
    notice: 'Your phone shows it, ready to be sent: nothing goes before you press send there.',
    send: async (to, message, key, signal) => {
      // Each one would cover the one before.
      if (to.length > 1) throw new ToolError('invalid-args', `The phone opens one message at a time, and this one has ${to.length} recipients. Name one of them.`)
      return gateway.send(to, message, key, signal)
    },
    settle: gateway.settle,
  }
}

/** As one word for the phone's shell: nothing means anything between single quotes, and these are set outside of them. */
const quoted = (word: string): string => `'${word.replaceAll('\'', `'\\''`)}'`

/** The serial number of the phone that is meant. Throws ToolError that says what to do about it. */
export async function connectedPhone(device: string, signal: AbortSignal): Promise<string> {
  const {stdout} = await runGateway('adb', ['devices'], signal)
  const phones = stdout.split(/\r?\n/).slice(1).map(line => line.trim().split('\t')).filter(([serial = '', state]) => state !== undefined && (device === '' || serial === device))
  const ready = phones.filter(([, state]) => state === 'device').map(([serial = '']) => serial)
  if (ready.length === 1) return ready[0]!
  if (ready.length > 1) throw new ToolError('unavailable', `Several phones are connected; set sms.device to one of: ${ready.map(oneLine).join(', ')}`)
  if (phones.some(([, state]) => state === 'unauthorized')) throw new ToolError('unavailable', 'The phone does not trust this computer yet. Unlock it and allow USB debugging.')
  throw new ToolError('unavailable', `adb sees no ${device ? `phone ${oneLine(device)} (sms.device)` : 'phone'}. Connect it by cable, with USB debugging switched on (Settings, Developer options).`)
}
