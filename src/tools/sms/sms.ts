// Text messages.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {arg} from '../../core/params.ts'
import {oneLine} from '../../core/text.ts'
import {tool, type CutOff, type Settled, type Tool, type ToolSpec} from '../../core/types.ts'
import {readNumber} from '../contacts/address.ts'
import {whoField, type NameOf} from '../contacts/who.ts'

export interface SmsBackend {
  /** what the user has to know before a message goes, if any */
  readonly notice?: string
  /** it has no groups: each recipient gets a message of their own */
  readonly isOneEach?: boolean
  /** it sends nothing: a message lies open on a phone, and the phone's user sends it or not */
  readonly isOpened?: boolean
  /** Once for a `key`: the same message again does nothing, another one throws ToolError 'refused'. `isQueued`: it waits, nothing has left. */
  send(to: string[], message: string, key: string, signal: AbortSignal): Promise<{where: string; isQueued: boolean}>
  /** What became of a message on whose way the program was killed. Nothing is sent. */
  settle(to: string[], message: string, call: CutOff): Promise<SmsFate>
}

/** Who got it; `doubtful`: the one whose message was on its way when the program was killed, and `note` says where to look. */
export interface SmsFate { reached: string[]; doubtful?: string; isQueued: boolean; note?: string; again?: boolean }

export interface SmsDeps {
  /** ISO code ("GB") of the country that numbers without "+" belong to */
  country?: string
  nameOf?: NameOf
}

export const sendSms = {
  name: 'send_sms',
  description: 'Send a text message.',
  args: z.object({recipients: z.array(arg.phone()), message: arg.text()}),
  effect: 'outward',
  returns: 'none',
} satisfies ToolSpec

type Args = z.infer<typeof sendSms.args>

export const smsTools = (backend: SmsBackend, deps: SmsDeps = {}): Tool[] => [tool({
  ...sendSms,
  preview: async args => {
    const {to, message} = await build(args, deps.country)
    const notice = [backend.notice, backend.isOneEach && to.length > 1 ? `Each of the ${to.length} gets a message of their own.` : ''].filter(Boolean).join(' ')
    return {
      effect: 'outward',
      title: 'Text message',
      fields: [{label: 'To', value: to, arg: 'recipients'}, ...await whoField(to, deps.nameOf)],
      body: {text: message, arg: 'message'},
      ...(notice && {notice}),
    }
  },
  run: async (args, {key, signal}) => {
    const {to, message} = await build(args, deps.country)
    signal.throwIfAborted()
    const {where, isQueued} = await backend.send(to, message, key, signal)
    return {value: backend.isOpened ? 'opened on the phone' : 'sent', summary: isQueued ? queued(to) : handedOver(to, backend), where}
  },
  settle: async (args, call) => {
    const {to, message} = await build(args, deps.country)
    return settledSms(to, await backend.settle(to, message, call), backend)
  },
})]

const said = (to: string[]): string => to.map(oneLine).join(', ')
const queued = (to: string[]): string => `Put the text message to ${said(to)} in the outbox`

/** What is known of a message that left; where a phone shows it, that is all that is known. */
export const handedOver = (to: string[], {isOpened}: Pick<SmsBackend, 'isOpened'>): string => isOpened ? `Opened the text message to ${said(to)} on the phone: press send there` : `Sent a text message to ${said(to)}`

/** In words: who got it, of whom that is not known, and who did not get it. */
export function settledSms(to: string[], {reached, doubtful, isQueued, note = '', again}: SmsFate, backend: Pick<SmsBackend, 'isOpened'> = {}): Settled {
  if (isQueued) return {state: 'done', summary: queued(to)}
  const others = to.filter(number => !reached.includes(number) && number !== doubtful)
  if (doubtful === undefined && others.length === 0) return {state: 'done', summary: handedOver(to, backend)}
  const rest = [...(reached.length > 0 ? [`it went to ${said(reached)}`] : []), ...(others.length > 0 ? [`it did not go to ${said(others)}`] : [])].join('; ')
  if (doubtful === undefined) return {state: 'failed', summary: reached.length > 0 ? `Of the text message: ${rest}.` : `Did not send the text message to ${said(to)}.`}
  return {state: 'unknown', summary: `the text message to ${oneLine(doubtful)}${rest ? ` (${rest})` : ''}. ${note}`.trim(), ...(again && {again})}
}

/** What leaves, for the preview and the run alike. A look-up of a group yields several numbers with ", " between them. */
async function build({recipients, message}: Args, country: string | undefined): Promise<{to: string[]; message: string}> {
  const typed = recipients.flatMap(text => text.split(',')).map(text => text.trim()).filter(Boolean)
  if (typed.length === 0) throw new ToolError('invalid-args', 'The text message has no recipient. Say who gets it.')
  if (!message.trim()) throw new ToolError('invalid-args', 'The text message is empty. Say what to write.')
  const to = await Promise.all(typed.map(async number => {
    const read = await readNumber(number, country)
    if (read === undefined) throw new ToolError('invalid-args', `"${oneLine(number)}" is not a phone number. Say one such as +44 7700 900123.`)
    return read
  }))
  return {to: [...new Set(to)], message: Buffer.from(message).toString()} // half of a surrogate pair can't be sent
}

export const smsSpecs: ToolSpec[] = [sendSms]
