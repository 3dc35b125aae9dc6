// Google Meet: a room in the user's account (POST /v2/spaces, developers.google.com/workspace/meet/api "spaces.create"). It has no topic, no time
// and no guests, and Google has no list of rooms that nobody was in: one whose link was lost on the way is a room that nobody can find.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {failureOf, networkReasons} from '../../core/network.ts'
import {requestMs} from '../../core/oauth/client.ts'
import type {TokenSource} from '../../core/oauth/tokens.ts'
import {oneLine} from '../../core/text.ts'
import type {ZoomBackend} from './zoom.ts'

export const meetHost = 'meet.googleapis.com'

const space = z.object({meetingUri: z.url({protocol: /^https$/})})
/** google.rpc.Status (AIP-193); of the details those of google.rpc.ErrorInfo have a reason. */
const problem = z.object({error: z.object({message: z.string(), status: z.string().optional(), details: z.array(z.object({reason: z.string().optional()})).default([])})})

export function googleMeet(tokens: TokenSource, apiUrl = `https://${meetHost}`): ZoomBackend {
  return {
    name: 'Google Meet',
    effect: 'outward',
    notice: 'Google makes a room in your account and gets nothing of what is above; it is in no calendar, and nobody is told. Who comes by the link may have to wait until you let them in.',
    createMeeting: async (_meeting, _key, signal) => {
      const {status, json} = await ask(tokens, `${apiUrl}/v2/spaces`, {method: 'POST', body: '{}'}, signal)
      const made = space.safeParse(json)
      if (made.success) return {link: made.data.meetingUri, isReal: true}
      throw status < 300 ? unclear(new URL(apiUrl).host, '', true) : refused(status, json)
    },
  }
}

/**
 * Whether rooms can be made, without making one: the list of past calls is allowed by the same scope. Throws ToolError. An account that may
 * not have such a list is told so in other words, which say nothing about rooms.
 */
export async function checkMeet(tokens: TokenSource, signal: AbortSignal, apiUrl = `https://${meetHost}`): Promise<void> {
  const {status, json} = await ask(tokens, `${apiUrl}/v2/conferenceRecords?pageSize=1`, {}, signal)
  if (status < 300 || (status === 403 && !isSwitchedOff(json) && !isOutOfScope(json))) return
  throw refused(status, json)
}

/** The answer to a request with a token; a token that is not taken is renewed once, since nothing was done. */
async function ask(tokens: TokenSource, url: string, init: RequestInit, signal: AbortSignal): Promise<{status: number; json: unknown}> {
  const request = async (): Promise<Response> => fetch(url, {
    ...init, redirect: 'error', signal: AbortSignal.any([signal, AbortSignal.timeout(requestMs)]),
    headers: {authorization: `Bearer ${await tokens.token(signal)}`, ...(init.body !== undefined && {'content-type': 'application/json'})},
  })
  const {host} = new URL(url)
  const isMaking = init.method === 'POST'
  try {
    let response = await request()
    if (response.status === 401) {
      tokens.forget()
      response = await request()
    }
    if (response.status >= 500) throw unclear(host, ` (HTTP ${response.status})`, isMaking)
    return {status: response.status, json: await response.json().catch(() => undefined)}
  } catch (error) {
    if (signal.aborted || error instanceof ToolError) throw error
    const {code, isBefore} = failureOf(error)
    throw isBefore ? new ToolError('unavailable', `${host} cannot be reached: ${networkReasons[code] ?? code}.`) : unclear(host, '', isMaking)
  }
}

const unclear = (host: string, why: string, isMaking: boolean): ToolError =>
  new ToolError('failed', `${host} gave no answer that makes sense${why}.${isMaking ? ' No link came: a room that was made all the same is empty, and nobody knows its address. Ask for it again.' : ''}`)

const reasonsOf = (json: unknown): (string | undefined)[] => problem.safeParse(json).data?.error.details.map(d => d.reason) ?? []
const isSwitchedOff = (json: unknown): boolean => reasonsOf(json).includes('SERVICE_DISABLED')
const isOutOfScope = (json: unknown): boolean => reasonsOf(json).includes('ACCESS_TOKEN_SCOPE_INSUFFICIENT')

function refused(status: number, json: unknown): ToolError {
  const said = problem.safeParse(json).data?.error
  const words = ` (${said ? oneLine([said.status, said.message].filter(Boolean).join(': ')).slice(0, 300) : `HTTP ${status}`})`
  if (isSwitchedOff(json)) return new ToolError('unavailable', `The Google Meet REST API is switched off in your project at Google${words}. Enable it there: console.cloud.google.com, APIs & Services, Library.`)
  if (status === 401 || isOutOfScope(json)) return new ToolError('unavailable', `Google does not take your sign-in for meetings${words}. \`tinyagent setup meet\` signs in again.`)
  if (status === 403) return new ToolError('unavailable', `Google does not let this account make rooms${words}. An organisation may have Meet, or apps of others, switched off.`)
  if (status === 429) return new ToolError('failed', `Google takes no more for now${words}. No room was made.`)
  return new ToolError('failed', `Google refused it${words}. No room was made.`)
}
