// Meeting links from the command line: which provider the config chooses, and what `setup zoom` does without a network.
import fs from 'node:fs'
import path from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {linesOf, newHome} from './program.ts'

let home: ReturnType<typeof newHome>
beforeEach(() => { home = newHome() })
afterEach(() => home.remove())

const env = {TINYAGENT_NO_KEYRING: '1'}
const plan = (): string => home.write('plan.json', JSON.stringify({tasks: [{id: 1, tool: 'get_zoom_meeting_link', args: {topic: 'Budget', start_time: '2026-03-04 15:00:00', duration: 45, meeting_invitees: []}}]}))
const config = (...lines: string[]): void => void home.write('config/config.toml', `${lines.join('\n')}\n`)

test('with Jitsi the link is made offline and unasked, and is one of the server in the config', async () => {
  config('[meetings]', 'provider = "jitsi"', '[meetings.jitsi]', 'url = "https://meet.example.org"')
  const {code, stdout} = await home.run(['--offline', 'run', plan()], {env})
  expect(code).toBe(0)
  expect(stdout).toMatch(/Made the Jitsi meeting 'Budget' on Wed 4 Mar 2026, 15:00 to 15:45: https:\/\/meet\.example\.org\/[a-z2-7-]{29}/)
  expect((await home.run(['doctor', '--network'], {env})).stdout).toContain('No host')
})

test('with Zoom the meeting asks first, its hosts are listed, and --offline makes none', async () => {
  config('[meetings]', 'provider = "zoom"', '[meetings.zoom]', 'account_id = "acc"', 'client_id = "client"')
  const zoom = {...env, TINYAGENT_ZOOM_PASSWORD: 'canary'}
  expect((await home.run(['run', plan()], {env: zoom})).code).toBe(3)
  const card = await home.run(['--dry-run', 'run', plan()], {env: zoom})
  expect(card.stdout).toContain('Zoom makes the meeting in your account')
  expect(linesOf((await home.run(['doctor', '--network'], {env})).stdout).slice(0, 2)).toEqual(['zoom.us  lets your Zoom app in', 'api.zoom.us  makes the Zoom meetings that you confirm'])
  const offline = await home.run(['--offline', '--yes', 'run', plan()], {env: zoom})
  expect(offline).toMatchObject({code: 1, stdout: expect.stringContaining('zoom.us cannot be reached: --offline')})
  expect(fs.existsSync(path.join(home.dir, 'data/meetings')) ? fs.readdirSync(path.join(home.dir, 'data/meetings')) : []).toEqual([])
})

test('with Zoom and no ids the key is named', async () => {
  config('[meetings]', 'provider = "zoom"')
  expect(await home.run(['run', plan()], {env})).toMatchObject({code: 2, stderr: expect.stringMatching(/meetings\.zoom\.account_id: is not set.*`tinyagent setup zoom`/)})
})

test('setup zoom says what is missing, and writes nothing when Zoom is out of reach', async () => {
  config('')
  expect(await home.run(['setup', 'zoom'], {env})).toMatchObject({code: 2, stderr: expect.stringContaining('setup zoom needs --account-id ID')})
  const away = await home.run(['--offline', 'setup', 'zoom', '--account-id', 'acc', '--client-id', 'client'], {env, stdin: 'canary\n'})
  expect(away.code).toBe(1)
  expect(away.stdout).toMatch(/zoom\.us cannot be reached: --offline\.\n *Nothing was changed/)
  expect(away.stdout + away.stderr).not.toContain('canary')
  expect(fs.readFileSync(path.join(home.dir, 'config/config.toml'), 'utf8')).toBe('\n')
  expect(fs.existsSync(path.join(home.dir, 'config/secrets'))).toBe(false)
})

test('with Zoom by a sign-in the key that is missing is named, and its hosts are listed', async () => {
  config('[meetings]', 'provider = "zoom"', '[meetings.zoom]', 'auth = "user"')
  expect(await home.run(['run', plan()], {env})).toMatchObject({code: 2, stderr: expect.stringMatching(/oauth\.zoom\.client_id: is not set \(nor TINYAGENT_ZOOM_CLIENT_ID\)/)})
  const signedIn = {...env, TINYAGENT_ZOOM_CLIENT_ID: 'public'}
  expect(linesOf((await home.run(['doctor', '--network'], {env: signedIn})).stdout).slice(0, 2)).toEqual(['zoom.us  renews your sign-in for video meetings', 'api.zoom.us  makes the Zoom meetings that you confirm'])
  expect(await home.run(['--yes', 'run', plan()], {env: signedIn})).toMatchObject({code: 1, stdout: expect.stringContaining('There is no sign-in at Zoom on this machine: `tinyagent setup zoom` signs in again.')})
})

test('with Google Meet the room asks first, its hosts are listed, and --offline makes none', async () => {
  config('[meetings]', 'provider = "meet"', '[oauth.google]', 'client_id = "id"')
  expect((await home.run(['run', plan()], {env})).code).toBe(3)
  expect((await home.run(['--dry-run', 'run', plan()], {env})).stdout).toContain('Google makes a room in your account and gets nothing of what is above')
  expect(linesOf((await home.run(['doctor', '--network'], {env})).stdout).slice(0, 2)).toEqual(['oauth2.googleapis.com  renews your sign-in for video meetings', 'meet.googleapis.com  makes the Google Meet rooms that you confirm'])
  home.write('config/secrets/meet-oauth', 'refresh-canary')
  fs.chmodSync(path.join(home.dir, 'config/secrets/meet-oauth'), 0o600)
  const offline = await home.run(['--offline', '--yes', 'run', plan()], {env})
  expect(offline).toMatchObject({code: 1, stdout: expect.stringContaining('oauth2.googleapis.com cannot be reached: --offline')})
  expect(offline.stdout + offline.stderr).not.toContain('refresh-canary')
})

test.each([
  [['zoom', '--kind', 'both'], 'setup zoom --kind both: expected server or user'],
  [['zoom', '--kind', 'user'], 'oauth.zoom.client_id: is not set'],
  [['zoom', '--kind', 'user', '--client-id', 'public', '--device'], 'signing in needs the provider, and --offline is on'],
  [['meet'], 'oauth.google.client_id: is not set'],
])('setup %j says what is missing, and writes nothing', async (words, message) => {
  config('')
  expect(await home.run(['--offline', 'setup', ...words], {env})).toMatchObject({code: 2, stderr: expect.stringContaining(message)})
  expect(fs.readFileSync(path.join(home.dir, 'config/config.toml'), 'utf8')).toBe('\n')
  expect(fs.existsSync(path.join(home.dir, 'config/secrets'))).toBe(false)
})
