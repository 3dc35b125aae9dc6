// A stand-in for the Google Meet REST API v2 that checks what it gets against its reference (developers.google.com/workspace/meet/api):
// spaces.create with a Space, conferenceRecords.list, and errors as google.rpc.Status. It signs in as developers.google.com "OAuth 2.0 for iOS &
// Desktop Apps" has it: with a secret in the body, and a refresh token that stays.
import {createHash} from 'node:crypto'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {z} from 'zod'
import {bodyOf, checkedInto} from './stand-in.ts'

/** Of a Space, what may be set when it is made; the rest is output only. */
const newSpace = z.strictObject({
  config: z.strictObject({accessType: z.enum(['OPEN', 'TRUSTED', 'RESTRICTED']).optional(), entryPointAccess: z.enum(['ALL', 'CREATOR_APP_ONLY']).optional()}).optional(),
})

const scope = 'https://www.googleapis.com/auth/meetings.space.created'
const authorization = z.strictObject({
  response_type: z.literal('code'), client_id: z.literal('google-client'), state: z.string().min(1), scope: z.literal(scope), access_type: z.literal('offline'), prompt: z.literal('consent'),
  redirect_uri: z.string().regex(/^http:\/\/127\.0\.0\.1:\d+$/), code_challenge: z.string().regex(/^[\w-]{43}$/), code_challenge_method: z.literal('S256'),
})
const client = {client_id: z.literal('google-client'), client_secret: z.literal('google-secret-canary')}
const grant = z.discriminatedUnion('grant_type', [
  z.strictObject({grant_type: z.literal('authorization_code'), ...client, code: z.literal('code1'), redirect_uri: z.string(), code_verifier: z.string().regex(/^[\w.~-]{43,128}$/)}),
  z.strictObject({grant_type: z.literal('refresh_token'), ...client, refresh_token: z.literal('google-refresh-canary')}),
])

export type MeetAnswer = 'made' | 'lost' | 'lost before' | 'nonsense' | 'unavailable' | 'switched off' | 'switched off once' | 'no scope' | 'not allowed' | 'too many' | 'token refused once' | 'token refused'

const errors: Partial<Record<MeetAnswer, {code: number; status: string; message: string; reason?: string}>> = {
  'unavailable': {code: 503, status: 'UNAVAILABLE', message: 'The service is currently unavailable.'},
  'switched off': {code: 403, status: 'PERMISSION_DENIED', reason: 'SERVICE_DISABLED', message: 'Google Meet API has not been used in project 7 before or it is disabled.'},
  'no scope': {code: 403, status: 'PERMISSION_DENIED', reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT', message: 'Request had insufficient authentication scopes.'},
  'not allowed': {code: 403, status: 'PERMISSION_DENIED', message: 'The caller does not have permission'},
  'too many': {code: 429, status: 'RESOURCE_EXHAUSTED', reason: 'RATE_LIMIT_EXCEEDED', message: 'Quota exceeded.'},
  'token refused': {code: 401, status: 'UNAUTHENTICATED', message: 'Request had invalid authentication credentials.'},
}

export async function startMeet(answer: MeetAnswer) {
  const rooms: string[] = []
  const problems: string[] = []
  const requests: {line: string; token: string | undefined; body: string}[] = []
  let allowed: {challenge: string; redirect: string} | undefined
  const checked = checkedInto(problems)
  const http = createServer((req, res) => {
    void (async () => {
      const body = await bodyOf(req)
      const json = (status: number, value: unknown) => res.writeHead(status, {'content-type': 'application/json; charset=UTF-8'}).end(JSON.stringify(value))
      const {pathname, searchParams} = new URL(req.url ?? '', 'http://x')
      if (pathname === '/o/oauth2/v2/auth') { // the user allows it at once
        const asked = checked(authorization, Object.fromEntries(searchParams))
        if (!asked) return json(400, {error: 'invalid_request'})
        allowed = {challenge: asked.code_challenge, redirect: asked.redirect_uri}
        return res.writeHead(302, {location: `${asked.redirect_uri}/?${new URLSearchParams({state: asked.state, code: 'code1', scope})}`}).end()
      }
      if (pathname === '/token') {
        const asked = checked(grant, Object.fromEntries(new URLSearchParams(body)))
        const isRight = asked && (asked.grant_type === 'refresh_token' || (asked.redirect_uri === allowed?.redirect && createHash('sha256').update(asked.code_verifier).digest('base64url') === allowed.challenge))
        if (!isRight) return json(400, {error: 'invalid_grant', error_description: 'Bad Request'})
        return json(200, {access_token: 'ya29.token', expires_in: 3599, scope, token_type: 'Bearer', ...(asked.grant_type === 'authorization_code' && {refresh_token: 'google-refresh-canary'})})
      }
      const line = `${req.method} ${req.url}`
      requests.push({line, token: /^Bearer (\S+)$/.exec(req.headers.authorization ?? '')?.[1], body})
      if (line !== 'POST /v2/spaces' && line !== 'GET /v2/conferenceRecords?pageSize=1') {
        problems.push(line)
        return json(404, {error: {code: 404, status: 'NOT_FOUND', message: 'Method not found.'}})
      }
      const error = errors[requests.length === 1 ? answer.replace(/ once$/, '') as MeetAnswer : answer] // "once" has an error the first time
      if (error) {
        const {reason, ...rest} = error
        return json(error.code, {error: {...rest, ...(reason && {details: [{'@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com', metadata: {service: 'meet.googleapis.com'}}]})}})
      }
      if (req.method === 'GET') return json(200, {})
      if (req.headers['content-type'] !== 'application/json') problems.push(`type ${req.headers['content-type']}`)
      checked(newSpace, JSON.parse(body))
      if (answer === 'lost before') return req.socket.destroy()
      const meetingUri = `https://meet.google.com/abc-defg-${'hijklmno'[rooms.length]}xy`
      rooms.push(meetingUri)
      if (answer === 'lost') return req.socket.destroy()
      return json(200, answer === 'nonsense' ? {name: 'spaces/jQCFfuBOdN5z'} : {name: 'spaces/jQCFfuBOdN5z', meetingUri, meetingCode: meetingUri.slice(24), config: {accessType: 'TRUSTED', entryPointAccess: 'ALL'}})
    })()
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  const {port} = http.address() as AddressInfo // a TCP server's
  return {rooms, problems, requests, origin: `http://127.0.0.1:${port}`, close: () => new Promise<void>(resolve => { http.closeAllConnections(); http.close(() => resolve()) })}
}
