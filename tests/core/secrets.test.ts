import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {exec} from '../../src/core/exec.ts'
import {deleteSecret, readSecret, writeSecret, type Keyring, type SecretConfig} from '../../src/core/secrets.ts'

let home: string
let config: SecretConfig
beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'secrets-'))
  config = {paths: {config: home}, env: {}, keyring: async () => undefined}
})
afterEach(() => fs.rmSync(home, {recursive: true, force: true}))

const file = () => path.join(home, 'secrets', 'mail')
const canary = 'canary "q" $(x) é'

/** A keyring in memory, of the same shape as the system's. */
const keyringOf = (kept: Map<string, string>): Keyring => ({
  read: async account => kept.get(account),
  write: async (account, secret) => void kept.set(account, secret),
  remove: async account => void kept.delete(account),
})
const hanging: Keyring = {read: () => new Promise(() => undefined), write: () => new Promise(() => undefined), remove: () => new Promise(() => undefined)}

test('without a keyring the secret is in a file of its owner, and the user is told', async () => {
  const place = await writeSecret('mail', canary, config)
  expect(place.warning).toContain(file())
  expect(place.warning).not.toContain(canary)
  expect(fs.statSync(file()).mode & 0o777).toBe(0o600)
  expect(fs.statSync(path.dirname(file())).mode & 0o777).toBe(0o700)
  expect(await readSecret('mail', config)).toBe(canary)
  await deleteSecret('mail', config)
  expect(fs.existsSync(file())).toBe(false)
})

test('what can\'t be kept is said, without the secret', async () => {
  fs.writeFileSync(path.join(home, 'secrets'), '')
  await expect(writeSecret('mail', canary, config)).rejects.toMatchObject({code: 'failed', message: expect.stringMatching(/^There is no keyring, and .*mail cannot be written: [^"$]*\. The password is not kept\.$/)})
})

test('with a keyring there is no file, and an old one goes', async () => {
  await writeSecret('mail', 'old', config)
  const kept = new Map<string, string>()
  const place = await writeSecret('mail', canary, {...config, keyring: async () => keyringOf(kept)})
  expect(place).toEqual({where: 'the system\'s keyring'})
  expect(fs.existsSync(file())).toBe(false)
  expect([...kept.values()]).toEqual([canary])
  expect(await readSecret('mail', {...config, keyring: async () => keyringOf(kept)})).toBe(canary)
  await deleteSecret('mail', {...config, keyring: async () => keyringOf(kept)})
  expect(kept.size).toBe(0)
})

test('two installations do not share a secret of the same name', async () => {
  const kept = new Map<string, string>()
  const keyring = async () => keyringOf(kept)
  await writeSecret('mail', 'one', {...config, keyring})
  await expect(readSecret('mail', {paths: {config: path.join(home, 'other')}, env: {}, keyring})).rejects.toMatchObject({code: 'unavailable'})
})

test('a keyring that never answers, refuses, or gives nothing back is passed over', async () => {
  const refusing: Keyring = {...hanging, write: async () => { throw new Error('locked') }, read: async () => { throw new Error('locked') }}
  const forgetful: Keyring = {...keyringOf(new Map()), read: async () => undefined}
  for (const keyring of [hanging, refusing, forgetful]) {
    const place = await writeSecret('mail', canary, {...config, keyring: async () => keyring})
    expect(place.where).toBe(file())
    expect(await readSecret('mail', {...config, keyring: async () => keyring})).toBe(canary)
  }
})

test('a command gives the first line that it prints; it wins over the keyring, the environment over all', async () => {
  const command = [process.execPath, '-e', 'console.log("from the command"); console.log("user: ana")']
  await writeSecret('mail', 'from the file', config)
  expect(await readSecret('mail', {...config, command})).toBe('from the command')
  expect(await readSecret('mail', {...config, command, env: {TINYAGENT_MAIL_PASSWORD: 'from the environment'}})).toBe('from the environment')
})

test('a command that fails is named, and what it printed is not', async () => {
  const failing = [process.execPath, '-e', `console.log(${JSON.stringify(canary)}); console.error(${JSON.stringify(canary)}); process.exit(3)`]
  const error: unknown = await readSecret('mail', {...config, command: failing}).catch((e: unknown) => e)
  expect(error).toMatchObject({code: 'unavailable', message: expect.stringMatching(/exit code 3/)})
  expect(String(error)).not.toContain('canary')
  await expect(readSecret('mail', {...config, command: [process.execPath, '-e', '']})).rejects.toMatchObject({message: expect.stringMatching(/printed nothing/)})
  await expect(readSecret('mail', {...config, command: ['no-such-program-here']})).rejects.toMatchObject({code: 'unavailable', message: 'no-such-program-here is not installed.'})
})

test('no secret anywhere says how to give one', async () => {
  await expect(readSecret('mail', config)).rejects.toMatchObject({code: 'unavailable', message: expect.stringMatching(/tinyagent setup mail.*TINYAGENT_MAIL_PASSWORD/)})
})

test.skipIf(process.platform === 'win32')('a file that others can read is refused', async () => {
  await writeSecret('mail', canary, config)
  fs.chmodSync(file(), 0o644)
  await expect(readSecret('mail', config)).rejects.toMatchObject({code: 'refused', message: expect.stringContaining(`chmod 600 ${file()}`)})
})

test('a name that is a path stays in the folder', async () => {
  const {where} = await writeSecret('../../x/mail', canary, config)
  expect(path.dirname(where)).toBe(path.join(home, 'secrets'))
})

test('programs that we start do not see the passwords of our environment', async () => {
  const {stdout} = await exec(process.execPath, ['-e', 'console.log(JSON.stringify(process.env))'], {env: {...process.env, TINYAGENT_MAIL_PASSWORD: canary, TINYAGENT_HOME: '/x'}})
  expect(JSON.parse(stdout)).not.toHaveProperty('TINYAGENT_MAIL_PASSWORD')
  expect(JSON.parse(stdout)).toHaveProperty('TINYAGENT_HOME', '/x')
})
