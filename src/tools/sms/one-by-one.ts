// Gateways without groups: each recipient gets a message of their own. A message is handed over once for a key: it is written down before the
// first one goes, and what is written down is not sent again, also after a crash.
import {appendFile, readFile, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {z} from 'zod'
import {errorInfo, isAbort, ToolError} from '../../core/errors.ts'
import {exec, type ExecResult} from '../../core/exec.ts'
import {oneLine} from '../../core/text.ts'
import {createWhole, damaged, isMissing, isThere, notWritten} from '../files/durable.ts'
import {uidOf} from '../vdir.ts'
import type {SmsBackend} from './sms.ts'

/** Sends one message; gives back what the gateway calls it. Throws ToolError 'unknown' where it may have gone all the same. */
export type SendOne = (to: string, message: string, signal: AbortSignal) => Promise<string>

/** Asks the gateway for that message since then. `undefined`: it does not say that it has it, which may mean little. Throws where it can't be asked. */
export type AskOne = (to: string, message: string, since: Date, signal: AbortSignal) => Promise<string | undefined>

/** `dir` is where handed messages are written down; `name` says who sends: "Twilio". `askOne` is absent where the gateway tells nothing. */
export const oneByOne = (dir: string, name: string, sendOne: SendOne, askOne?: AskOne): SmsBackend => ({
  isOneEach: true,
  notice: `${name} sends it.`,
  send: async (to, message, key, signal) => {
    signal.throwIfAborted()
    const {where, claim, note} = openRecord(dir, key)
    if (!await claim({to, message, by: name})) {
      throw new ToolError('refused', `This message was handed to ${name} before (${where}). Look there before you send it again.`)
    }
    const ids: string[] = []
    for (const number of to) {
      try {
        await note({to: number, is: 'begun'})
        ids.push(await sendOne(number, message, signal))
        await note({to: number, is: 'gone'}).catch(() => undefined) // it went all the same
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
  settle: async (to, message, {key, at, signal}) => {
    const {where, steps, release} = openRecord(dir, key)
    const {begun, gone} = await steps()
    const doubtful = begun.find(number => !gone.includes(number))
    if (begun.length === 0) await release() // it may be tried again
    if (doubtful === undefined) return {reached: gone, isQueued: false}
    const asked = askOne ? await askOne(doubtful, message, new Date(at.getTime() - clocksMs), signal).then(id => ({id}), () => undefined) : {id: undefined}
    if (asked?.id !== undefined) return {reached: [...gone, doubtful], isQueued: false}
    const heard = !askOne ? '' : asked ? `${name} has none in its list, which proves nothing. ` : `${name} could not be asked. `
    return {reached: gone, doubtful, isQueued: false, note: `${heard}Look at ${askOne ? 'its message log' : 'the phone'} before you send it again (${where}).`, ...(!asked && {again: true})}
  },
})

/** How far the clocks of two machines may be apart. */
const clocksMs = 60_000

const step = z.object({to: z.string(), is: z.enum(['begun', 'gone'])})

/** What is written down of a message: itself, before anything goes, and a line before and after each copy of it. */
function openRecord(dir: string, key: string) {
  const where = join(dir, 'handed-over', `${uidOf(key)}.json`)
  const log = join(dir, 'handed-over', `${uidOf(key)}.ndjson`)
  return {
    where,
    async claim(message: object): Promise<boolean> {
      if (await isThere(where)) return false
      await createWhole(log, '\n') // before the claim, and not empty: a log that is gone, or empty, is then damaged
      return createWhole(where, `${JSON.stringify(message, undefined, 2)}\n`)
    },
    /** On disk when it settles. Throws ToolError. */
    async note(line: z.infer<typeof step>): Promise<void> {
      await appendFile(log, `${JSON.stringify(line)}\n`, {mode: 0o600, flush: true}).catch((error: unknown) => { throw notWritten(log, error) })
    },
    /** Throws ToolError 'unknown' where that can't be read any more. */
    async steps(): Promise<{begun: string[]; gone: string[]}> {
      const text = await readFile(log, 'utf8').catch((error: unknown) => { if (!isMissing(error)) throw error })
      if (text === undefined && !await isThere(where)) return {begun: [], gone: []}
      if (!text) throw damaged(log)
      const lines = text.split('\n').slice(0, -1).filter(line => line !== '').map(line => { // the last one ends with nothing, or was torn before its copy went
        try { return step.parse(JSON.parse(line)) } catch (error) { throw damaged(log, error) }
      })
      const of = (what: string): string[] => lines.filter(l => l.is === what).map(l => l.to)
      return {begun: of('begun'), gone: of('gone')}
    },
    /** Nothing went. */
    async release(): Promise<void> {
      await rm(where, {force: true})
      await rm(log, {force: true})
    },
  }
}

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
