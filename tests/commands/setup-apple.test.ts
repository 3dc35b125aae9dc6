import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, test, vi} from 'vitest'
import {plainPrompter} from '../../src/commands/prompt.ts'
import {setupApple} from '../../src/commands/setup-apple.ts'
import {getKey, loadConfig} from '../../src/core/config.ts'
import {pathsOf} from '../../src/core/paths.ts'
import {mac} from '../tools/apple-apps.ts'
import {tempFolder} from '../tools/vdir-programs.ts'

const prompter = plainPrompter(new AbortController().signal)
let temp: Awaited<ReturnType<typeof tempFolder>>
beforeEach(async () => { temp = await tempFolder() })
afterEach(async () => { vi.restoreAllMocks(); await temp.remove() })

test('setup apple sets what may be asked, keeps what was chosen before, and says what is missing', async () => {
  const file = join(temp.path, 'config.toml')
  const paths = pathsOf({env: {}, platform: 'darwin', userHome: temp.path})
  await writeFile(file, '[calendar]\nbackend = "caldav" # mine\n')
  let said = ''
  vi.spyOn(process.stdout, 'write').mockImplementation(text => { said += String(text); return true })
  expect(await setupApple({config: loadConfig(paths, file)}, prompter, mac('Reminders', 'Notes', 'Calendar', 'Contacts', 'Messages'))).toBe(1)
  const config = loadConfig(paths, file)
  expect(['reminders.backend', 'calendar.backend', 'notes.backend', 'contacts.backend', 'sms.gateway', 'mail.backend'].map(key => getKey(config, key))).toEqual(['apple', 'caldav', 'apple', 'apple', 'apple', 'folder'])
  expect(said.split('\n').filter(line => !line.endsWith(' ...'))).toEqual([
    '  Reminders: may be asked, and has 1 lists; reminders.backend = "apple"', '  Calendar: calendar.backend stays "caldav"', '  Notes: may be asked, and has 0 folders; notes.backend = "apple"',
    '  Contacts: may be asked, and has 0 people; contacts.backend = "apple"', '  Messages: may be asked, and has 0 accounts; sms.gateway = "apple"',
    '  Mail: Mail is not on this Mac. Install it from the App Store, or set another backend in the config.', '',
  ])
})

test('off macOS it says so, and writes nothing', async () => {
  const config = loadConfig(pathsOf({env: {}, platform: 'linux', userHome: temp.path}), join(temp.path, 'config.toml'))
  await expect(setupApple({config}, prompter, {platform: 'linux'})).rejects.toThrow('on macOS only')
  expect(getKey(loadConfig(config.paths, config.file), 'notes.backend')).toBe('folder')
})
