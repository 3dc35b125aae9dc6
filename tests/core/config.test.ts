import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {getKey, keys, loadConfig, setKeys, template} from '../../src/core/config.ts'
import {pathsOf} from '../../src/core/paths.ts'

let home: string
beforeEach(() => { home = fs.mkdtempSync(path.join(os.tmpdir(), 'config-')) })
afterEach(() => fs.rmSync(home, {recursive: true, force: true}))
const load = (text?: string) => {
  const paths = pathsOf({home})
  const file = path.join(paths.config, 'config.toml')
  if (text !== undefined) {
    fs.mkdirSync(paths.config, {recursive: true})
    fs.writeFileSync(file, text)
  }
  return loadConfig(paths)
}

test('without a file everything is a default, and lies under --home', () => {
  const config = load()
  expect(config.user).toEqual({name: '', email: '', region: 'US'})
  expect(config.dirs.calendar).toBe(path.join(home, 'data', 'calendar'))
  expect(config.files.roots).toEqual([path.join(home, 'documents')])
})

test('what setup writes is the defaults', () => {
  const before = load()
  expect(load(template(pathsOf({home}))).values).toEqual(before.values)
})

test('every key is in what setup writes', () => {
  const text = template(pathsOf({home}))
  expect(keys().filter(key => key !== 'confirm.policy' && key !== 'tools.shell' && key !== 'model.endpoints' && !new RegExp(`^# ${key.split('.').at(-1)} = `, 'm').test(text))).toEqual([])
})

test('a relative folder is relative to the config file, "~" is the home folder', () => {
  const config = load('[notes]\ndir = "my notes"\n[files]\nroots = ["~/papers"]\n')
  expect(config.dirs.notes).toBe(path.join(home, 'config', 'my notes'))
  expect(config.files.roots).toEqual([path.join(os.homedir(), 'papers')])
})

test.each([
  ['[user]\nname = "Ana"\nregion = "Germany"\n', /config\.toml:3: user\.region: expected two capital letters/],
  ['[user]\nnmae = "Ana"\n', /config\.toml:2: user\.nmae: there is no such key; known here: name, email, region/],
  ['[calender]\ndir = "x"\n', /config\.toml:1: calender: there is no such key; known here: user, instructions/],
  ['[user\nname = 1', /config\.toml:1:\d+: /],
  ['model.threads = "many"\n', /config\.toml:1: model\.threads: expected number, received string/],
  ['[confirm.policy]\nsend_sms = "always"\n', /config\.toml:2: confirm\.policy\.send_sms: .*"ask"\|"allow"/],
])('an error names file, line, key and what would be right: %j', (text, message) => {
  expect(() => load(text)).toThrow(expect.objectContaining({code: 'config', message: expect.stringMatching(message)}))
})

test('a config that is a folder is one clear error', () => {
  fs.mkdirSync(path.join(home, 'config', 'config.toml'), {recursive: true})
  expect(() => load()).toThrow(expect.objectContaining({code: 'config', message: expect.stringContaining('cannot be read')}))
})

test('set changes the values that are given, and leaves comments and the rest', async () => {
  const config = load('# mine\ninstructions = "cc Sid" # always\n\n[user]\nname = "Ana" # me\n\n[files]\nroots = [\n  "a",\n  "b",\n]\nexclude = []\n')
  await setKeys(config, [
    ['user.name', 'Ana "Bee" Silva'], ['user.email', 'ana@example.org'], ['files.roots', '["c"]'], ['confirm.policy.send_sms', 'allow'], ['model.threads', '2'],
  ])
  const text = fs.readFileSync(config.file, 'utf8')
  expect(text).toContain('# mine\ninstructions = "cc Sid" # always\n')
  const after = load()
  expect([after.user.name, after.user.email, after.files.roots, after.confirm.policy, after.model.threads, after.files.exclude])
    .toEqual(['Ana "Bee" Silva', 'ana@example.org', [path.join(home, 'config', 'c')], {send_sms: 'allow'}, 2, []])
  expect(getKey(after, 'user.name')).toBe('Ana "Bee" Silva')
  expect(fs.statSync(config.file).mode & 0o777).toBe(0o600)
})

test('set makes the file where there is none, and writes nothing that would be wrong', async () => {
  const config = load()
  await setKeys(config, [['user.name', 'Ana']])
  const before = fs.readFileSync(config.file, 'utf8')
  await expect(setKeys(config, [['user.name', 'Bo'], ['user.region', 'Germany']])).rejects.toMatchObject({code: 'config'})
  expect(fs.readFileSync(config.file, 'utf8')).toBe(before)
})

test('where it can\'t be written, that is one clear error', async () => {
  const config = load()
  fs.writeFileSync(path.join(home, 'file'), '')
  await expect(setKeys({...config, file: path.join(home, 'file', 'config.toml')}, [['user.name', 'Ana']])).rejects.toMatchObject({code: 'config', message: expect.stringContaining('cannot be written')})
})

test('folders follow the platform: XDG with absolute paths only, Library on macOS, AppData on Windows', () => {
  const linux = pathsOf({env: {XDG_CONFIG_HOME: '/cfg', XDG_STATE_HOME: 'relative'}, platform: 'linux', userHome: '/home/ana'})
  expect([linux.config, linux.state, linux.data]).toEqual(['/cfg/tinyagent', '/home/ana/.local/state/tinyagent', '/home/ana/.local/share/tinyagent'])
  expect(pathsOf({env: {}, platform: 'darwin', userHome: '/Users/ana'}).config).toBe('/Users/ana/Library/Application Support/tinyagent')
  expect(pathsOf({env: {APPDATA: '/r', LOCALAPPDATA: '/l'}, platform: 'win32', userHome: '/u'})).toMatchObject({config: '/r/tinyagent', state: '/l/tinyagent/state'})
})

test("what the system keeps in a home is passed over on its own platform only, and only at the top of a root", () => {
  const config = load('')
  expect(config.files.exclude).toEqual(['node_modules', '.git', '.cache', ...process.platform === 'darwin' ? ['/Library'] : process.platform === 'win32' ? ['/AppData'] : []])
})

test('the endpoint that setup writes as an example is one', () => {
  const text = template(pathsOf({home}))
  const example = text.slice(text.indexOf('# [model.endpoints.ollama]')).split('\n\n')[0]!.replace(/^# /gm, '')
  expect(load(example).model.endpoints).toEqual({ollama: {
    url: 'http://localhost:11434/v1', model: 'qwen3:8b', auth: 'none', key_command: [], api_version: '', grammar: 'none', timeout: 120,
  }})
})

test.each([
  ['http://192.168.1.5:11434/v1', /:2: model\.endpoints\.lan\.url: http:\/\/ is for servers on this machine only/],
  ['http://localhost.example.org/v1', /http:\/\/ is for servers on this machine only/],
  ['https://ana:sk-1@api.example.org/v1', /a key does not belong into the address/],
  ['https://api.example.org/v1?api-version=1', /without "\?" and "#"/],
  ['ftp://api.example.org', /expected an address such as/],
  ['ollama', /expected an address such as/],
])('%s is no address of an endpoint', (url, reason) => {
  expect(() => load(`[model.endpoints.lan]\nurl = "${url}"\n`)).toThrow(reason)
})

test('two endpoints do not share the variable of their keys', () => {
  const table = (name: string): string => `[model.endpoints.${name}]\nurl = "http://localhost:1234/v1"\nmodel = "m"\n`
  expect(() => load(table('my-box') + table('my_box'))).toThrow(/model\.endpoints: two names differ in "-" and "_" only/)
  expect(Object.keys(load(table('my-box') + table('mybox')).model.endpoints)).toEqual(['my-box', 'mybox'])
})

test.each(['http://localhost:1234/v1', 'http://127.0.0.1:8080/v1', 'http://[::1]:8080/v1', 'https://api.openai.com/v1'])('%s is one', url => {
  expect(load(`[model.endpoints.mine]\nurl = "${url}"\nmodel = "m"\n`).model.endpoints['mine']?.url).toBe(url)
})
