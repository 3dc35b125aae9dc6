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
