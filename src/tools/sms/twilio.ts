// Text messages by Twilio's API (Messages resource, 2010-04-01). It has no idempotency key, so after a lost answer its list of messages is asked.
import {z} from 'zod'
import {isAbort, ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import {oneByOne, type SendOne} from './one-by-one.ts'
import type {SmsBackend} from './sms.ts'

export interface TwilioOptions {
  accountSid: string
  /** a number of the account ("+15017122661"), or a messaging service ("MG...") */
  from: string
  token(signal: AbortSignal): Promise<string>
  /** default Twilio's */
  origin?: string
}

const message = z.object({sid: z.string(), status: z.string(), error_message: z.string().nullish()})
const problem = z.object({code: z.number().optional(), message: z.string()})
const page = z.object({messages: z.array(z.object({sid: z.string(), body: z.string().nullable(), date_created: z.string().nullable()}))})

const requestMs = 15_000
/** Twilio's limit of one message; longer ones are refused there. */
const maxLength = 1600

export const twilioSms = (dir: string, options: TwilioOptions): SmsBackend => oneByOne(dir, 'Twilio', sendBy(options), async (to, body, since, signal) => find(urlOf(options), await authorizationOf(options, signal), {to, body, begun: since.getTime()}, signal))

const urlOf = ({accountSid, origin = 'https://api.twilio.com'}: TwilioOptions): string => `${origin}/2010-04-01/Accounts/${encodeURIComponent(accountSid)}/Messages.json`
const authorizationOf = async ({accountSid, token}: TwilioOptions, signal: AbortSignal): Promise<string> => `Basic ${Buffer.from(`${accountSid}:${await token(signal)}`).toString('base64')}`

const sendBy = (options: TwilioOptions): SendOne => async (to, body, signal) => {
  if ([...body].length > maxLength) throw new ToolError('invalid-args', `Twilio takes up to ${maxLength} characters a message, and this one has ${[...body].length}.`)
  const url = urlOf(options)
  const authorization = await authorizationOf(options, signal)
  const sender: [string, string] = options.from.startsWith('MG') ? ['MessagingServiceSid', options.from] : ['From', options.from]
  const begun = Date.now() - 60_000 // the clocks of two machines
  try {
    const response = await fetch(url, {method: 'POST', redirect: 'error', headers: {authorization}, body: new URLSearchParams([['To', to], sender, ['Body', body]]), signal: limited(signal)})
    const json: unknown = await response.json().catch(() => undefined)
    if (!response.ok && response.status < 500) {
      const said = problem.safeParse(json)
      throw new ToolError(response.status === 401 ? 'unavailable' : 'failed', response.status === 401
        ? 'Twilio does not take the account\'s SID and token. Set sms.twilio.account_sid and the secret "twilio".'
        : `Twilio refused it${said.success ? ` (${said.data.code ?? response.status}: ${oneLine(said.data.message).slice(0, 200)})` : ` (HTTP ${response.status})`}. Nothing was sent.`)
    }
    const made = message.safeParse(json)
    if (response.ok && made.success) return made.data.sid
  } catch (error) {
    if (signal.aborted || error instanceof ToolError) throw error
    if (isConnecting(error)) throw new ToolError('unavailable', 'api.twilio.com cannot be reached. Nothing was sent.', {cause: error})
  }
  // It may have been taken: an answer was lost, or made no sense.
  const sid = await find(url, authorization, {to, body, begun}, signal).catch((error: unknown) => { if (isAbort(error) && signal.aborted) throw error })
  if (sid) return sid
  throw new ToolError('unknown', 'Twilio\'s answer was lost; it is not known whether the message went. Look at the console\'s message log before you send it again.')
}

const limited = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(requestMs)])

const isConnecting = (error: unknown): boolean => {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof AggregateError || (cause instanceof Error && 'syscall' in cause && (cause.syscall === 'connect' || cause.syscall === 'getaddrinfo'))
}

/** The message of that text to that number since then. Its absence proves nothing: the list may be behind. */
async function find(url: string, authorization: string, {to, body, begun}: {to: string; body: string; begun: number}, signal: AbortSignal): Promise<string | undefined> {
  const response = await fetch(`${url}?${new URLSearchParams({To: to, PageSize: '20'})}`, {redirect: 'error', headers: {authorization}, signal: limited(signal)})
  const {messages} = page.parse(await response.json())
  return messages.find(m => m.body === body && m.date_created !== null && Date.parse(m.date_created) >= begun)?.sid
}
