// Gateways without groups: each recipient gets a message of their own. A message is handed over once for a key: it is written down before the
// first one goes, and what is written down is not sent again, also after a crash.
import {join} from 'node:path'
import {errorInfo, isAbort, ToolError} from '../../core/errors.ts'
import {exec, type ExecResult} from '../../core/exec.ts'
import {oneLine} from '../../core/text.ts'
import {createWhole} from '../files/durable.ts'
import {uidOf} from '../vdir.ts'
import type {SmsBackend} from './sms.ts'

/** Sends one message; gives back what the gateway calls it. Throws ToolError 'unknown' where it may have gone all the same. */
export type SendOne = (to: string, message: string, signal: AbortSignal) => Promise<string>

/** `dir` is where handed messages are written down; `name` says who sends: "Twilio". */
export const oneByOne = (dir: string, name: string, sendOne: SendOne): SmsBackend => ({
  isOneEach: true,
  notice: `${name} sends it.`,
  send: async (to, message, key, signal) => {
    signal.throwIfAborted()
    const where = join(dir, 'handed-over', `${uidOf(key)}.json`)
    if (!await createWhole(where, `${JSON.stringify({to, message, by: name}, undefined, 2)}\n`)) {
      throw new ToolError('refused', `This message was handed to ${name} before (${where}). Look there before you send it again.`)
    }
    const ids: string[] = []
    for (const number of to) {
      try {
        ids.push(await sendOne(number, message, signal))
      } catch (error) {
        if (isAbort(error)) throw error // the run's report says that it may have gone
        const {code, message: why} = errorInfo(error)
        const gone = to.slice(0, ids.length)
        const done = gone.length > 0 ? `It went to ${gone.map(oneLine).join(', ')} and to nobody after. ` : ''
        throw new ToolError(code === 'unknown' ? 'unknown' : 'failed', `${done}To ${oneLine(number)}: ${why}`, {cause: error})
      }
    }
    return {where: ids.filter(Boolean).join(', ') || where, isQueued: false}
  },
})

/** Runs a gateway's program. Throws ToolError 'unknown' when it did not end in time: the message may have gone. */
export async function runGateway(program: string, args: string[], signal: AbortSignal, input?: string): Promise<ExecResult> {
  const result = await exec(program, args, {signal, timeoutMs: 20_000, ...(input !== undefined && {input})}).catch((error: unknown) => {
    if (error instanceof ToolError && error.code === 'timeout') throw new ToolError('unknown', `${program} did not end in time; it may have sent the message. Look at the phone before you send it again.`, {cause: error})
    throw error
  })
  if (result.code === 0) return result
  const said = oneLine(result.stderr || result.stdout).slice(0, 200)
  throw new ToolError('failed', `${program} failed${said ? ` (${said})` : ''}. The message was not handed over.`)
}
