// A user who signs in at Zoom or Google for meetings: the setup, a meeting, and what doctor says of it. The requests of the program go to
// stand-ins that check them.
import {existsSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {pathToFileURL} from 'node:url'
import {expect, it, vi} from 'vitest'
import {startMeet} from '../servers/google-meet.ts'
import {startZoom, zoomPublicId} from '../servers/zoom.ts'
import {desktop, open, put, testHome} from './fixtures.ts'
import {root, runProgram} from './terminal.ts'

vi.setConfig({testTimeout: 120_000}) // the program starts many times

const routed = (routes: Record<string, string>): Record<string, string> => ({
  TINYAGENT_NO_KEYRING: '1', TINYAGENT_TEST_ROUTES: JSON.stringify(routes), NODE_OPTIONS: `--import ${pathToFileURL(path.join(root, 'tests/fixtures/routes.mjs')).href}`,
})
const config = (dir: string): string => readFileSync(path.join(dir, 'config/config.toml'), 'utf8')
const secret = (dir: string, name: string): string => readFileSync(path.join(dir, 'config/secrets', name), 'utf8')
/** A plan with one meeting. */
function plan(dir: string): string {
  put(dir, 'plan.json', JSON.stringify({tasks: [{id: 1, tool: 'get_zoom_meeting_link', args: {topic: 'Budget', start_time: '2026-03-04 15:00:00', duration: 45, meeting_invitees: []}}]}))
  return path.join(dir, 'plan.json')
}

it('at Zoom signs in by the browser that opens, makes the meeting, and keeps the newest refresh token', async () => {
  const zoom = await startZoom('made')
  try {
    const dir = testHome()
    const env = routed({'https://zoom.us': zoom.origin, 'https://api.zoom.us': zoom.origin})
    const {env: screen, opened} = desktop(dir)
    const t = open(['setup', 'zoom', '--kind', 'user', '--client-id', zoomPublicId], {home: dir, env: {...screen, ...env}, columns: 400})
    await fetch((await opened()).replace('https://zoom.us', zoom.origin))
    await t.shows('Written: ')
    expect(await t.exits()).toBe(0)
    expect(config(dir)).toMatch(/^provider = "zoom"$/m)
    expect(config(dir)).toMatch(/^auth = "user"$/m)
    expect(config(dir)).toMatch(new RegExp(`^client_id = "${zoomPublicId}"$`, 'm'))
    expect(secret(dir, 'zoom-oauth')).toBe('refresh-canary-1')
    expect(t.raw).not.toContain('canary')

    expect(await runProgram(dir, ['--yes', 'run', plan(dir)], {env})).toMatchObject({code: 0, stdout: expect.stringContaining('https://us02web.zoom.us/j/85746065?pwd=abc')})
    expect(secret(dir, 'zoom-oauth')).toBe('refresh-canary-2')
    expect((await runProgram(dir, ['doctor'], {env})).stdout).toMatch(/^ok +zoom: zoom\.us takes your sign-in$/m)
    zoom.endSignIn()
    expect((await runProgram(dir, ['doctor'], {env})).stdout).toMatch(/^bad +zoom: Zoom does not take this sign-in any more .*`tinyagent setup zoom` signs in again\.$/m)
    expect([zoom.counts.posts, zoom.problems]).toEqual([1, []])
  } finally {
    await zoom.close()
  }
})

it.each(['made', 'switched off once', 'switched off'] as const)('at Google signs in by the browser that opens, and is kept where rooms can be made, at once or when tried again (%s)', async answer => {
  const meet = await startMeet(answer)
  try {
    const dir = testHome()
    put(dir, 'client.json', '{"installed": {"client_id": "google-client", "client_secret": "google-secret-canary"}}')
    const before = config(dir)
    const env = routed({'https://oauth2.googleapis.com': meet.origin, 'https://meet.googleapis.com': meet.origin})
    const {env: screen, opened} = desktop(dir)
    const t = open(['setup', 'meet', '--client', path.join(dir, 'client.json')], {home: dir, env: {...screen, ...env}, columns: 400})
    await fetch((await opened()).replace('https://accounts.google.com', meet.origin))
    if (answer !== 'made') {
      await t.shows('2 Leave it')
      expect(t.text()).toContain('The Google Meet REST API is switched off in your project')
      t.type(answer === 'switched off' ? '2' : '1')
    }
    await t.shows(answer === 'switched off' ? 'Nothing was changed.' : 'Written: ')
    expect(await t.exits()).toBe(answer === 'switched off' ? 1 : 0)
    expect(t.raw).not.toContain('canary')
    expect(meet.rooms).toEqual([])
    if (answer === 'switched off') {
      expect(config(dir)).toBe(before)
      expect(existsSync(path.join(dir, 'config/secrets'))).toBe(false)
      return
    }
    expect(config(dir)).toMatch(/^provider = "meet"$/m)
    expect(secret(dir, 'meet-oauth')).toBe('google-refresh-canary')
    expect(await runProgram(dir, ['--yes', 'run', plan(dir)], {env})).toMatchObject({code: 0, stdout: expect.stringContaining('https://meet.google.com/abc-defg-hxy')})
    expect((await runProgram(dir, ['doctor'], {env})).stdout).toMatch(/^ok +google meet: meet\.googleapis\.com takes your sign-in$/m)
    expect([meet.rooms.length, meet.problems]).toEqual([1, []])
  } finally {
    await meet.close()
  }
})
