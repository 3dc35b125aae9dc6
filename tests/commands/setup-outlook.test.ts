import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, test, vi} from 'vitest'
import {plainPrompter} from '../../src/commands/prompt.ts'
import {setupOutlook} from '../../src/commands/setup-outlook.ts'
import {getKey, loadConfig} from '../../src/core/config.ts'
import {pathsOf} from '../../src/core/paths.ts'
import {outlookAreas, outlookAreasOf} from '../../src/tools/outlook/check.ts'
import {windowsWith} from '../tools/outlook-app.ts'
import {tempFolder} from '../tools/vdir-programs.ts'

const prompter = plainPrompter(new AbortController().signal)
let temp: Awaited<ReturnType<typeof tempFolder>>
beforeEach(async () => { temp = await tempFolder() })
afterEach(async () => { vi.restoreAllMocks(); await temp.remove() })
const paths = () => pathsOf({env: {}, platform: 'win32', userHome: temp.path})

test('setup outlook sets what may be asked for, keeps what was chosen before, and says that nobody has tried it on Windows', async () => {
  const file = join(temp.path, 'config.toml')
  await writeFile(file, '[calendar]\nbackend = "caldav" # mine\n')
  let said = ''
  vi.spyOn(process.stdout, 'write').mockImplementation(text => { said += String(text); return true })
  const windows = windowsWith()
  windows.world.add(13, 3, {Subject: 'Call'})
  expect(await setupOutlook({config: loadConfig(paths(), file)}, prompter, windows)).toBe(0)
  const config = loadConfig(paths(), file)
  expect(outlookAreas.map(area => getKey(config, `${area}.backend`))).toEqual(['outlook', 'caldav', 'outlook', 'outlook', 'outlook'])
  expect(outlookAreasOf(config)).toEqual(['reminders', 'notes', 'contacts', 'mail'])
  expect(said).toContain('Nobody has run this on a real Windows yet')
  expect(said).toContain('Outlook\'s reminders: may be asked, and has 1 tasks; reminders.backend = "outlook"')
})

test('what a setup has found is written as a whole or not at all', async () => {
  const file = join(temp.path, 'config.toml')
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
  const text = 'mail = {auth = "password"} # mail.backend, the last key, has no line here\n'
  await writeFile(file, text)
  await expect(setupOutlook({config: loadConfig(paths(), file)}, prompter, windowsWith())).rejects.toMatchObject({code: 'config'})
  expect(await readFile(file, 'utf8')).toBe(text)
})

test('without classic Outlook nothing is written, and off Windows it is not asked', async () => {
  const file = join(temp.path, 'config.toml')
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
  expect(await setupOutlook({config: loadConfig(paths(), file)}, prompter, windowsWith({missing: '80040154'}))).toBe(1)
  expect(outlookAreasOf(loadConfig(paths(), file))).toEqual([])
  await expect(setupOutlook({config: loadConfig(paths(), file)}, prompter, {platform: 'linux'})).rejects.toThrow('on Windows only')
})
