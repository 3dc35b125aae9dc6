// Zoom, Google Meet and Jitsi behind the tool for meeting links. Zoom and Google are stand-ins that check what they get against what is
// published (tests/servers/); the real ones have not been tried.
import {existsSync, readdirSync} from 'node:fs'
import path from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {configSchema, defaultConfig} from '../../src/core/config.ts'
import {clientOf, type OAuthClient} from '../../src/core/oauth/client.ts'
import {signInByBrowser} from '../../src/core/oauth/sign-in.ts'
import {keepRefreshToken, openSource, type TokenSource} from '../../src/core/oauth/tokens.ts'
import {pathsOf} from '../../src/core/paths.ts'
import {readSecret} from '../../src/core/secrets.ts'
import type {Tool} from '../../src/core/types.ts'
import {checkMeet, googleMeet} from '../../src/tools/zoom/google-meet.ts'
import {jitsiMeet} from '../../src/tools/zoom/jitsi.ts'
import {appTokens} from '../../src/tools/zoom/server-to-server.ts'
import {zoomMeetings} from '../../src/tools/zoom/zoom-meetings.ts'
import {zoomTools} from '../../src/tools/zoom/zoom.ts'
import {startMeet, type MeetAnswer} from '../servers/google-meet.ts'
import {freePort} from '../servers/process.ts'
import {startZoom, zoomPublicId, zoomSecret, type ZoomAnswer} from '../servers/zoom.ts'
import {contextFor, hostileTexts, tempFolder, toolError} from './vdir-programs.ts'

let temp: Awaited<ReturnType<typeof tempFolder>>
beforeEach(async () => { temp = await tempFolder() })
afterEach(() => temp.remove())

const args = {topic: 'Q3 budget', start_time: '2026-03-04 15:00:00', duration: 45, meeting_invitees: ['ana@example.org']}

const at = (origin: string, own = zoomSecret) => zoomTools(zoomMeetings(path.join(temp.path, 'meetings'), {
  tokens: appTokens({accountId: 'acc', clientId: 'client', secret: async () => own, tokenUrl: `${origin}/oauth/token`}), scope: 'meeting:write:meeting:admin', apiUrl: origin,
}))[0]!
const records = (): string[] => existsSync(path.join(temp.path, 'meetings')) ? readdirSync(path.join(temp.path, 'meetings')) : []

describe('a Zoom meeting that was cut off', () => {
  const call = (signal = new AbortController().signal) => ({key: 'run-1-task-1', at: new Date(), signal})

  test('before Zoom was asked for it was not made', async () => {
    const server = await startZoom('made')
    try {
      expect(await at(server.origin).settle!(args, call())).toEqual({state: 'failed', summary: "No Zoom meeting 'Q3 budget' on Wed 4 Mar 2026, 15:00 to 15:45 was made."})
      expect(server.counts).toEqual({tokens: 0, posts: 0, lists: 0})
    } finally {
      await server.close()
    }
  })

  test.each([['lost', 'done'], ['lost before', 'unknown']] as const)('after that it is looked for in Zoom\'s list: %s is %s', async (answer, state) => {
    const server = await startZoom(answer)
    try {
      const began = call()
      await at(server.origin).run(args, contextFor({key: began.key})).catch(() => undefined)
      expect(await at(server.origin).settle!(args, began)).toEqual({
        state, summary: state === 'done' ? expect.stringContaining('https://us02web.zoom.us/j/85746065?pwd=abc') : expect.stringContaining('Look at your meetings there before you make it again.'),
      })
      expect([server.counts.posts, server.problems]).toEqual([1, []])
    } finally {
      await server.close()
    }
  })
})

describe('Zoom', () => {
  const withZoom = async (answer: ZoomAnswer, work: (server: Awaited<ReturnType<typeof startZoom>>) => Promise<void>): Promise<void> => {
    const server = await startZoom(answer)
    try {
      await work(server)
      expect(server.problems).toEqual([])
    } finally {
      await server.close()
    }
  }

  test('makes the meeting that the card showed, which says who makes it and what is sent', () => withZoom('made', async server => {
    const tool = at(server.origin)
    const card = await tool.preview(args, contextFor())
    expect(card).toMatchObject({effect: 'outward', title: 'Zoom meeting', notice: expect.stringContaining('Zoom makes the meeting in your account')})
    expect(card.fields.map(f => [f.label, f.value])).toEqual([['Topic', 'Q3 budget'], ['When', 'Wed 4 Mar 2026, 15:00 to 15:45'], ['Minutes', '45'], ['Invitees', ['ana@example.org']]])
    expect(server.counts).toEqual({tokens: 0, posts: 0, lists: 0})
    const result = await tool.run(args, contextFor())
    expect(result).toMatchObject({value: 'https://us02web.zoom.us/j/85746065?pwd=abc', summary: expect.stringMatching(/^Made the Zoom meeting 'Q3 budget' on Wed 4 Mar/)})
    expect(server.meetings).toMatchObject([{topic: 'Q3 budget', start_time: new Date(2026, 2, 4, 15).toISOString().replace('.000', '')}])
  }))

  test('takes one token for several meetings', () => withZoom('made', async server => {
    const tool = at(server.origin)
    for (const key of ['one', 'two']) await tool.run(args, contextFor({key}))
    expect(server.counts).toEqual({tokens: 1, posts: 2, lists: 0})
  }))

  test.each(hostileTexts.filter(text => text.trim() !== ''))('gets the topic %j as it is, or nothing', topic => withZoom('made', async server => {
    const made = await at(server.origin).run({...args, topic}, contextFor()).then(() => true, () => false)
    expect(server.meetings.map(m => m.topic)).toEqual(made ? [Buffer.from(topic).toString()] : [])
  }))

  test('a token that is not taken is renewed once', () => withZoom('token refused once', async server => {
    await at(server.origin).run(args, contextFor())
    expect(server.counts).toEqual({tokens: 2, posts: 2, lists: 0})
    expect(server.meetings).toHaveLength(1)
  }))

  test.each(['lost', 'nonsense'] as const)('is asked for its list after an answer that is %s, and not for a second meeting', answer => withZoom(answer, async server => {
    expect((await at(server.origin).run(args, contextFor())).value).toBe('https://us02web.zoom.us/j/85746065?pwd=abc')
    expect(server.counts).toMatchObject({posts: 1, lists: 1})
  }))

  test('that can\'t tell leaves it unknown, and the same call is never made again', () => withZoom('lost before', async server => {
    const tool = at(server.origin)
    expect(await toolError(tool.run(args, contextFor()))).toMatchObject({code: 'unknown', message: expect.stringContaining('Look at zoom.us')})
    expect(records()).toHaveLength(1)
    expect(await toolError(at(server.origin).run(args, contextFor()))).toMatchObject({code: 'refused'})
    expect(server.counts.posts).toBe(1)
  }))

  test.each([
    ['refused', 'failed', /Zoom refused it \(300: Validation Failed\. start_time Invalid field\.\)\. No meeting was made\./],
    ['no scope', 'unavailable', /meeting:write:meeting:admin.*No meeting was made/],
    ['too many', 'failed', /100 new meetings a day/],
    ['token refused', 'unavailable', /does not let the app make meetings/],
  ] as const)('that says no (%s) is told, and the call may be made again', (answer, code, message) => withZoom(answer, async server => {
    expect(await toolError(at(server.origin).run(args, contextFor()))).toMatchObject({code, message: expect.stringMatching(message)})
    expect(records()).toEqual([])
    expect(server.meetings).toEqual([])
  }))

  test('a wrong secret is told with what to do, and is not repeated', () => withZoom('made', async server => {
    const error = await toolError(at(server.origin, 'wrong-canary').run(args, contextFor()))
    expect(error).toMatchObject({code: 'unavailable', message: expect.stringMatching(/invalid_client.*`tinyagent setup zoom`/)})
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('wrong-canary')
    expect(server.counts.posts).toBe(0)
  }))

  test('out of reach made nothing', async () => {
    expect(await toolError(at(`http://127.0.0.1:${await freePort()}`).run(args, contextFor()))).toMatchObject({code: 'unavailable', message: expect.stringContaining('cannot be reached')})
    expect(records()).toEqual([])
  })

  test.each([[{start_time: '2026-03-04'}, /time of day/], [{topic: 'x'.repeat(201)}, /up to 200 characters/]])('%j is refused before anything is sent', (change, message) => withZoom('made', async server => {
    expect(await toolError(at(server.origin).run({...args, ...change}, contextFor()))).toMatchObject({code: 'invalid-args', message: expect.stringMatching(message)})
    expect(server.counts.posts).toBe(0)
  }))
})

describe('Zoom by the user\'s own sign-in', () => {
  const env = {TINYAGENT_NO_KEYRING: '1'}
  /** Of a user who is signed in; its servers are the stand-in's. */
  async function withUser(answer: ZoomAnswer, work: (server: Awaited<ReturnType<typeof startZoom>>, tool: Tool, kept: () => Promise<string>) => Promise<void>, options?: Parameters<typeof startZoom>[1]): Promise<void> {
    const server = await startZoom(answer, options)
    try {
      const values = configSchema.parse({oauth: {zoom: {client_id: zoomPublicId}}})
      const config = {...defaultConfig(pathsOf({home: temp.path})), values, oauth: values.oauth}
      const client: OAuthClient = {...clientOf(config, 'zoom', 'meetings', env), endpoints: {authorize: `${server.origin}/oauth/authorize`, token: `${server.origin}/oauth/token`, device: ''}}
      const {refresh} = await signInByBrowser(client, {signal: new AbortController().signal, say: line => { if (line.startsWith('  http')) void fetch(line.trim()) }})
      const secrets = {paths: config.paths, env}
      await keepRefreshToken('zoom', refresh, secrets)
      const login = {tokens: openSource(client, 'zoom', secrets), scope: 'meeting:write:meeting', apiUrl: server.origin}
      await work(server, zoomTools(zoomMeetings(path.join(temp.path, 'meetings'), login))[0]!, () => readSecret('zoom-oauth', secrets))
      expect(server.problems).toEqual([])
    } finally {
      await server.close()
    }
  }

  test('makes the meeting; the refresh token that Zoom gives with each renewal takes the place of the one before', () => withUser('token refused once', async (server, tool, kept) => {
    expect(await kept()).toBe('refresh-canary-1')
    expect(await tool.run(args, contextFor())).toMatchObject({value: 'https://us02web.zoom.us/j/85746065?pwd=abc'})
    expect(await kept()).toBe('refresh-canary-3') // by the first token, and by the one after it was refused
    await tool.run(args, contextFor({key: 'another'}))
    expect(server.counts).toEqual({tokens: 3, posts: 3, lists: 0})
    expect(server.meetings).toHaveLength(2)
  }))

  test('is told when Zoom takes the sign-in no more, and made nothing', () => withUser('made', async (server, tool, kept) => {
    server.endSignIn()
    const error = await toolError(tool.run(args, contextFor()))
    expect(error).toMatchObject({code: 'unavailable', message: 'Zoom does not take this sign-in any more (it ended, or was withdrawn): `tinyagent setup zoom` signs in again.'})
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(await kept())
    expect(server.counts.posts).toBe(0)
    expect(records()).toEqual([])
  }))

  test('of an app that has not the scope names the one of users', () => withUser('no scope', async (_server, tool) => {
    expect(await toolError(tool.run(args, contextFor()))).toMatchObject({code: 'unavailable', message: expect.stringContaining('It needs the scope meeting:write:meeting,')})
  }))

  test('is refused at once by an app without the scope, with what to do', async () => {
    await expect(withUser('made', async () => expect.fail('signed in'), {scope: 'user:read:user'})).rejects.toMatchObject({
      code: 'refused', message: 'You did not allow all that is needed at Zoom (meeting:write:meeting). Add that scope to your app there, then sign in again.',
    })
  })
})

describe('Google Meet', () => {
  const withMeet = async (answer: MeetAnswer, work: (server: Awaited<ReturnType<typeof startMeet>>, tokens: TokenSource) => Promise<void>): Promise<void> => {
    const server = await startMeet(answer)
    let n = 1
    try {
      await work(server, {token: async () => `token${n}`, forget: () => { n++ }})
      expect(server.problems).toEqual([])
    } finally {
      await server.close()
    }
  }

  test('makes a room after a card that says where it is, and tells Google nothing of the meeting', () => withMeet('made', async (server, tokens) => {
    const tool = zoomTools(googleMeet(tokens, server.origin))[0]!
    const card = await tool.preview(args, contextFor())
    expect(card).toMatchObject({effect: 'outward', title: 'Google Meet meeting', notice: expect.stringMatching(/room in your account and gets nothing of what is above; it is in no calendar, and nobody is told/)})
    expect(server.requests).toEqual([])
    const result = await tool.run(args, contextFor())
    expect(result).toMatchObject({value: server.rooms[0], summary: `Made the Google Meet meeting 'Q3 budget' on Wed 4 Mar 2026, 15:00 to 15:45: ${server.rooms[0]}`})
    expect(server.requests).toEqual([{line: 'POST /v2/spaces', token: 'token1', body: '{}'}])
  }))

  test('needs no time of day', () => withMeet('made', async (server, tokens) => {
    expect((await zoomTools(googleMeet(tokens, server.origin))[0]!.run({...args, start_time: '2026-03-04'}, contextFor())).value).toBe(server.rooms[0])
  }))

  test('a token that is not taken is renewed once', () => withMeet('token refused once', async (server, tokens) => {
    await zoomTools(googleMeet(tokens, server.origin))[0]!.run(args, contextFor())
    expect(server.requests.map(r => r.token)).toEqual(['token1', 'token2'])
    expect(server.rooms).toHaveLength(1)
  }))

  test.each([
    ['lost', 'failed', /No link came: a room that was made all the same is empty, and nobody knows its address/],
    ['lost before', 'failed', /No link came/],
    ['nonsense', 'failed', /No link came/],
    ['unavailable', 'failed', /HTTP 503.*No link came/],
    ['switched off', 'unavailable', /Meet REST API is switched off in your project at Google \(PERMISSION_DENIED: .*project 7.*console\.cloud\.google\.com/],
    ['no scope', 'unavailable', /`tinyagent setup meet` signs in again/],
    ['token refused', 'unavailable', /`tinyagent setup meet` signs in again/],
    ['not allowed', 'unavailable', /does not let this account make rooms/],
    ['too many', 'failed', /no more for now.*No room was made/],
  ] as const)('an answer that is %s is %s, and is not asked for again', (answer, code, message) => withMeet(answer, async (server, tokens) => {
    expect(await toolError(zoomTools(googleMeet(tokens, server.origin))[0]!.run(args, contextFor()))).toMatchObject({code, message: expect.stringMatching(message)})
    expect(server.requests).toHaveLength(answer === 'token refused' ? 2 : 1)
  }))

  test('that was cut off is told as a link that did not come, and nobody is asked', () => withMeet('made', async (server, tokens) => {
    const settled = await zoomTools(googleMeet(tokens, server.origin))[0]!.settle!(args, {key: 'run-1-task-1', at: new Date(), signal: new AbortController().signal})
    expect(settled).toEqual({state: 'failed', summary: "No link came for the Google Meet meeting 'Q3 budget' on Wed 4 Mar 2026, 15:00 to 15:45."})
    expect(server.requests).toEqual([])
  }))

  test('out of reach made nothing; a user who stops is not told of a failure', async () => {
    const tokens: TokenSource = {token: async () => 'token1', forget: () => undefined}
    expect(await toolError(zoomTools(googleMeet(tokens, `http://127.0.0.1:${await freePort()}`))[0]!.run(args, contextFor()))).toMatchObject({code: 'unavailable', message: expect.stringContaining('cannot be reached')})
    const cancel = new AbortController()
    await expect(zoomTools(googleMeet({...tokens, token: async () => { cancel.abort(); return 'token1' }}, 'http://127.0.0.1:1'))[0]!.run(args, contextFor({signal: cancel.signal}))).rejects.toMatchObject({name: 'AbortError'})
  })

  test.each(['made', 'not allowed'] as const)('is checked without making a room (%s)', answer => withMeet(answer, async (server, tokens) => {
    await checkMeet(tokens, new AbortController().signal, server.origin)
    expect(server.requests.map(r => r.line)).toEqual(['GET /v2/conferenceRecords?pageSize=1'])
  }))

  test.each([['switched off', /is switched off in your project/], ['token refused', /signs in again/], ['no scope', /signs in again/], ['unavailable', /no answer that makes sense \(HTTP 503\)\.$/]] as const)('that can\'t make rooms (%s) is found by the check', (answer, message) => withMeet(answer, async (server, tokens) => {
    await expect(checkMeet(tokens, new AbortController().signal, server.origin)).rejects.toMatchObject({message: expect.stringMatching(message)})
  }))
})

describe('Jitsi', () => {
  test('gives a room that nobody can guess, another one each time, with nothing of the meeting in it', async () => {
    const tool = zoomTools(jitsiMeet('https://meet.example.org/rooms/'))[0]!
    const card = await tool.preview(args, contextFor())
    expect(card).toMatchObject({effect: 'local', title: 'Jitsi meeting', notice: 'A link to a new room on meet.example.org is made here; nobody is told, and nothing is sent.'})
    const links = await Promise.all(Array.from({length: 50}, async () => (await tool.run(args, contextFor())).value))
    expect(new Set(links).size).toBe(50)
    for (const link of links) expect(link).toMatch(/^https:\/\/meet\.example\.org\/rooms\/(?:[a-z2-7]{5}-){4}[a-z2-7]{5}$/)
    expect((await tool.run(args, contextFor())).summary).toMatch(/^Made the Jitsi meeting 'Q3 budget' on Wed 4 Mar 2026, 15:00 to 15:45: https:\/\/meet/)
  })

  test('on meet.jit.si says that somebody has to sign in there', async () => {
    expect((await zoomTools(jitsiMeet('https://meet.jit.si'))[0]!.preview(args, contextFor())).notice).toContain('The first who comes has to sign in there.')
  })
})
