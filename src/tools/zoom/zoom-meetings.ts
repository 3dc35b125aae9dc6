// Meetings of a Zoom account: developers.zoom.us "Create a meeting" (POST /users/me/meetings). Zoom has no idempotency key: a call is
// written down before, and after a lost answer Zoom's list is asked.
import {rm} from 'node:fs/promises'
import {join} from 'node:path'
import {z} from 'zod'
import {isAbort, ToolError} from '../../core/errors.ts'
import {failureOf, networkReasons} from '../../core/network.ts'
import {requestMs} from '../../core/oauth/client.ts'
import type {TokenSource} from '../../core/oauth/tokens.ts'
import {oneLine} from '../../core/text.ts'
import {createWhole, isThere} from '../files/durable.ts'
import {uidOf} from '../vdir.ts'
import type {NewMeeting, ZoomBackend} from './zoom.ts'

export interface ZoomLogin {
  tokens: TokenSource
  /** what the app has to be allowed, for the error that says so */
  scope: string
  /** default Zoom's */
  apiUrl?: string
}

export const zoomHost = 'api.zoom.us'
const maxTopic = 200

const made = z.object({join_url: z.url({protocol: /^https?$/})})
const problem = z.object({code: z.number().optional(), message: z.string(), errors: z.array(z.object({field: z.string().optional(), message: z.string().optional()})).optional()})
const listed = z.object({meetings: z.array(z.object({topic: z.string().optional(), start_time: z.string().optional(), created_at: z.string().optional(), join_url: z.string().optional()}))})

/** `dir` is where calls are written down. */
export function zoomMeetings(dir: string, login: ZoomLogin): ZoomBackend {
  const {tokens} = login
  const url = `${login.apiUrl ?? `https://${zoomHost}`}/v2/users/me/meetings`
  return {
    name: 'Zoom',
    effect: 'outward',
    needsTime: true,
    notice: 'Zoom makes the meeting in your account, and gets what is above; the invitees are noted there, tell them yourself.',
    createMeeting: async (meeting, key, signal) => {
      const body = bodyOf(meeting)
      const path = join(dir, `${uidOf(key)}.json`)
      if (!await createWhole(path, `${JSON.stringify(body, undefined, 2)}\n`)) throw new ToolError('refused', `Zoom was asked for this meeting before (${path}). Look at zoom.us before you make it again.`)
      try {
        return {link: await create(url, body, login, signal), isReal: true}
      } catch (error) {
        const mayBeMade = isAbort(error) || (error instanceof ToolError && error.code === 'unknown')
        if (!mayBeMade) await rm(path, {force: true}) // it may be tried again
        throw error
      }
    },
    made: async (meeting, key, {at, signal}) => {
      if (!await isThere(join(dir, `${uidOf(key)}.json`))) return undefined
      const link = await find(url, bodyOf(meeting), at.getTime() - clocksMs, tokens, signal)
      return link === undefined ? 'unknown' : {link}
    },
  }
}

/** How far the clocks of two machines may be apart. */
const clocksMs = 60_000

interface Body { topic: string; type: 2; start_time: string; duration: number; settings?: {meeting_invitees: {email: string}[]} }

/** Type 2 is a scheduled meeting; the time is UTC, so that it depends on no list of time zones. */
function bodyOf({topic, start, minutes, invitees}: NewMeeting): Body {
  if ([...topic].length > maxTopic) throw new ToolError('invalid-args', `Zoom takes topics of up to ${maxTopic} characters, and this one has ${[...topic].length}.`)
  return {
    topic: Buffer.from(topic).toString(), // no half of a surrogate pair
    type: 2, start_time: start.at.toISOString().replace(/\.\d{3}Z$/, 'Z'), duration: minutes,
    ...(invitees.length > 0 && {settings: {meeting_invitees: invitees.map(email => ({email}))}}),
  }
}

const limited = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(requestMs)])

async function create(url: string, body: Body, {tokens, scope}: ZoomLogin, signal: AbortSignal): Promise<string> {
  const post = async (): Promise<Response> => fetch(url, {
    method: 'POST', redirect: 'error', signal: limited(signal), body: JSON.stringify(body),
    headers: {authorization: `Bearer ${await tokens.token(signal)}`, 'content-type': 'application/json'},
  })
  const begun = Date.now() - clocksMs
  try {
    let response = await post()
    if (response.status === 401) { // nothing was made
      tokens.forget()
      response = await post()
    }
    const json: unknown = await response.json().catch(() => undefined)
    if (!response.ok && response.status < 500) throw refused(response.status, json, scope)
    const answer = made.safeParse(json)
    if (response.ok && answer.success) return answer.data.join_url
  } catch (error) {
    if (signal.aborted || error instanceof ToolError) throw error
    const {code, isBefore} = failureOf(error)
    if (isBefore) throw new ToolError('unavailable', `${new URL(url).host} cannot be reached: ${networkReasons[code] ?? code}. No meeting was made.`)
  }
  // It may have been made: an answer was lost, or made no sense.
  const link = await find(url, body, begun, tokens, signal).catch((error: unknown) => { if (isAbort(error) && signal.aborted) throw error })
  if (link) return link
  throw new ToolError('unknown', 'Zoom\'s answer was lost; it is not known whether the meeting was made. Look at zoom.us (Meetings) before you make it again.')
}

function refused(status: number, json: unknown, scope: string): ToolError {
  const said = problem.safeParse(json)
  const fields = said.success ? (said.data.errors ?? []).map(e => [e.field, e.message].filter(Boolean).join(' ')).join('; ') : ''
  const words = said.success ? ` (${said.data.code ?? status}: ${oneLine([said.data.message, fields].filter(Boolean).join(' ')).slice(0, 300)})` : ` (HTTP ${status})`
  if (status === 401 || status === 403 || (said.success && said.data.code === 4711)) {
    return new ToolError('unavailable', `Zoom does not let the app make meetings${words}. It needs the scope ${scope}, and has to be active. No meeting was made.`)
  }
  if (status === 429) return new ToolError('failed', `Zoom takes no more for now${words}; it allows 100 new meetings a day. No meeting was made.`)
  return new ToolError('failed', `Zoom refused it${words}. No meeting was made.`)
}

/** The meeting of that topic and time that was made since then. Its absence proves nothing: the list may be behind, or not allowed. */
async function find(url: string, {topic, start_time: start}: Body, begun: number, tokens: TokenSource, signal: AbortSignal): Promise<string | undefined> {
  const response = await fetch(`${url}?${new URLSearchParams({type: 'upcoming', page_size: '300'})}`, {redirect: 'error', signal: limited(signal), headers: {authorization: `Bearer ${await tokens.token(signal)}`}})
  const {meetings} = listed.parse(await response.json())
  return meetings.find(m => m.topic === topic && m.start_time !== undefined && Date.parse(m.start_time) === Date.parse(start) && m.created_at !== undefined && Date.parse(m.created_at) >= begun)?.join_url
}
