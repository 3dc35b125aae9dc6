// A stand-in for Zoom that checks what it gets against what Zoom publishes (developers.zoom.us): the token request of an account's own app, the
// sign-in of a user by a public client with PKCE, and the body of "Create a meeting".
import {createHash} from 'node:crypto'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {z} from 'zod'
import {bodyOf, checkedInto} from './stand-in.ts'

export const zoomSecret = 'zoom-secret-canary'
export const zoomPublicId = 'public-client'

/** Of the fields that Zoom documents, those that we send. */
const published = z.strictObject({
  topic: z.string().min(1).refine(topic => [...topic].length <= 200),
  type: z.literal(2),
  start_time: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  duration: z.number().int().min(1),
  settings: z.strictObject({meeting_invitees: z.array(z.strictObject({email: z.email()}))}).optional(),
})

const authorization = z.strictObject({
  response_type: z.literal('code'), client_id: z.literal(zoomPublicId), state: z.string().min(1),
  // Zoom takes any port of the loopback address (RFC 8252, 7.3), and no localhost.
  redirect_uri: z.string().regex(/^http:\/\/127\.0\.0\.1:\d+$/),
  code_challenge: z.string().regex(/^[\w-]{43}$/), code_challenge_method: z.literal('S256'),
})
const codeGrant = z.strictObject({grant_type: z.literal('authorization_code'), client_id: z.literal(zoomPublicId), code: z.string(), redirect_uri: z.string(), code_verifier: z.string().regex(/^[\w.~-]{43,128}$/)})
const refreshGrant = z.strictObject({grant_type: z.literal('refresh_token'), client_id: z.literal(zoomPublicId), refresh_token: z.string()})

export type ZoomAnswer = 'made' | 'lost' | 'lost before' | 'nonsense' | 'refused' | 'no scope' | 'too many' | 'token refused once' | 'token refused'

export async function startZoom(answer: ZoomAnswer, {scope = 'meeting:write:meeting meeting:read:list_meetings'} = {}) {
  const meetings: {topic: string; start_time: string; created_at: string; join_url: string}[] = []
  const problems: string[] = []
  const counts = {tokens: 0, posts: 0, lists: 0}
  let allowed: {challenge: string; redirect: string} | undefined
  /** the refresh token that is good; each is good once */
  let refresh = ''
  const checked = checkedInto(problems)
  const http = createServer((req, res) => {
    void (async () => {
      const text = await bodyOf(req)
      const json = (status: number, value: unknown) => res.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(value))
      const {pathname, searchParams} = new URL(req.url ?? '', 'http://x')
      if (pathname === '/oauth/authorize') { // the user allows it at once
        const asked = checked(authorization, Object.fromEntries(searchParams))
        if (!asked) return json(400, {status: false, errorCode: 4700, errorMessage: 'Invalid'})
        allowed = {challenge: asked.code_challenge, redirect: asked.redirect_uri}
        return res.writeHead(302, {location: `${asked.redirect_uri}?${new URLSearchParams({code: 'code1', state: asked.state})}`}).end()
      }
      if (pathname === '/oauth/token') {
        counts.tokens++
        const form = new URLSearchParams(text)
        const given = {access_token: `token${counts.tokens}`, token_type: 'bearer', expires_in: 3599, api_url: 'https://api.zoom.us'}
        if (form.get('grant_type') !== 'account_credentials') {
          if (req.headers.authorization !== undefined) problems.push('a public client has no secret')
          if (form.get('grant_type') === 'authorization_code') {
            const grant = checked(codeGrant, Object.fromEntries(form))
            const isRight = grant?.code === 'code1' && grant.redirect_uri === allowed?.redirect && createHash('sha256').update(grant.code_verifier).digest('base64url') === allowed.challenge
            if (!isRight) problems.push('a code that was not given for this')
          } else if (checked(refreshGrant, Object.fromEntries(form))?.refresh_token !== refresh) return json(400, {reason: 'Invalid Token!', error: 'invalid_grant'})
          refresh = `refresh-canary-${counts.tokens}`
          return json(200, {...given, refresh_token: refresh, scope})
        }
        if (form.get('account_id') !== 'acc') problems.push(`token request ${text}`)
        if (text.includes(zoomSecret)) problems.push('the secret is in the body')
        if (req.headers.authorization !== `Basic ${Buffer.from(`client:${zoomSecret}`).toString('base64')}`) return json(400, {reason: 'Invalid client_id or client_secret', error: 'invalid_client'})
        return json(200, {...given, scope: 'meeting:write:meeting:admin'})
      }
      if (pathname !== '/v2/users/me/meetings') problems.push(`path ${pathname}`)
      if (!/^Bearer token\d+$/.test(req.headers.authorization ?? '')) problems.push(`authorization ${req.headers.authorization}`)
      if (req.method === 'GET') {
        counts.lists++
        return json(200, {page_size: 300, total_records: meetings.length, meetings})
      }
      counts.posts++
      if (req.headers['content-type'] !== 'application/json') problems.push(`type ${req.headers['content-type']}`)
      const body = checked(published, JSON.parse(text))
      if (answer === 'token refused' || (answer === 'token refused once' && counts.posts === 1)) return json(401, {code: 124, message: 'Invalid access token.'})
      if (answer === 'refused') return json(400, {code: 300, message: 'Validation Failed.', errors: [{field: 'start_time', message: 'Invalid field.'}]})
      if (answer === 'no scope') return json(400, {code: 4711, message: 'Invalid access token, does not contain scopes:[meeting:write:meeting:admin].'})
      if (answer === 'too many') return json(429, {code: 429, message: 'You have exceeded the daily rate limit (100) of meeting create/update requests.'})
      if (answer === 'lost before') return req.socket.destroy()
      const meeting = {id: 85746065, uuid: 'x==', host_id: 'h', type: 2, duration: 45, timezone: 'UTC', topic: body?.topic ?? '', start_time: body?.start_time ?? '', created_at: new Date().toISOString(), join_url: 'https://us02web.zoom.us/j/85746065?pwd=abc'}
      meetings.push(meeting)
      if (answer === 'lost') return req.socket.destroy()
      return answer === 'nonsense' ? json(502, 'bad gateway') : json(201, meeting)
    })()
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  const {port} = http.address() as AddressInfo // a TCP server's
  return {
    meetings, problems, counts,
    /** As when the user takes the app back, or somebody else has renewed the sign-in. */
    endSignIn: () => { refresh = 'none' },
    origin: `http://127.0.0.1:${port}`, close: () => new Promise<void>(resolve => { http.closeAllConnections(); http.close(() => resolve()) }),
  }
}
