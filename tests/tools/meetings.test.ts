// Zoom, Google Meet and Jitsi behind the tool for meeting links. Zoom and Google are stand-ins that check what they get against what is
// published (tests/servers/); the real ones have not been tried.
import {existsSync, readdirSync} from 'node:fs'
import path from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {jitsiMeet} from '../../src/tools/zoom/jitsi.ts'
import {appTokens} from '../../src/tools/zoom/server-to-server.ts'
import {zoomMeetings} from '../../src/tools/zoom/zoom-meetings.ts'
import {zoomTools} from '../../src/tools/zoom/zoom.ts'
import {freePort} from '../servers/process.ts'
import {startZoom, zoomSecret, type ZoomAnswer} from '../servers/zoom.ts'
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
