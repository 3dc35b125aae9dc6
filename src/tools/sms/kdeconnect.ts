// Text messages by the user's own Android phone, paired with KDE Connect.
import {ToolError} from '../../core/errors.ts'
import {oneByOne, runGateway} from './one-by-one.ts'
import type {SmsBackend} from './sms.ts'

/** `device` is the phone's id; '' is the only one that can be reached. */
export const kdeConnectSms = (dir: string, device: string): SmsBackend => oneByOne(dir, 'KDE Connect', async (to, message, signal) => {
  const id = device || await onlyDevice(signal)
  // With "=" a value that begins with a dash stays a value.
  await runGateway('kdeconnect-cli', [`--device=${id}`, `--send-sms=${message}`, `--destination=${to}`], signal)
  return ''
})

async function onlyDevice(signal: AbortSignal): Promise<string> {
  const {stdout} = await runGateway('kdeconnect-cli', ['--list-available', '--id-only'], signal)
  const ids = stdout.split('\n').map(line => line.trim()).filter(Boolean)
  if (ids.length === 1) return ids[0]!
  throw new ToolError('unavailable', ids.length === 0 ? 'No phone is paired and reachable by KDE Connect. Open KDE Connect on the phone, in the same network.' : `Several devices can be reached; set sms.device to one of: ${ids.join(', ')}`)
}
