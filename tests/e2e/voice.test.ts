// Speech to a request in the built program: a recorder that plays espeak-ng's voice, the real model, a real terminal. And no way
// out leaves a process that listens.
import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {describe as every, expect, it as one} from 'vitest'
import {microphone, running, speech, tempFolder, until} from '../microphone.ts'
import {keys, open, openRepl, put, testHome} from './fixtures.ts'
import {recording, runProgram, type Terminal} from './terminal.ts'
import {hasVoice} from '../voice-programs.ts'

const isHere = hasVoice('whisper', 'sox', 'espeak-ng')
const describe = every.skipIf(!isHere)
const it = one.skipIf(!isHere)

const request = 'Remind me to call the dentist tomorrow at three p m'
const words = /remind me to call the dentist/i
/** Until the recorder runs and is heard. */
const hears = (t: Terminal): Promise<void> => t.shows('Enter ends it')

describe('in the REPL', () => {
  it('/voice shows that it hears, and the words lie in the input line until Enter sends them', async () => {
    const fake = microphone('play', speech(request, {before: 1}))
    const t = await openRepl({plan: 'note', env: fake})
    t.type('/voice\r')
    await t.shows(/● 0:0\d [▁▂▃▄▅▆▇█]+/)
    await t.shows('Writing it down')
    expect(running(fake)).toEqual([])
    await t.shows(/❯ remind me to call the dentist[^]*$/i)
    expect(t.text()).not.toContain('New note')
    t.type('\r')
    await t.shows('✓ 1. New note')
    await t.shows('What shall I do?')
    expect(t.text()).toMatch(words)
  })
  it('Ctrl-T adds to what is typed; Enter ends it before the silence does; nothing of it is kept where it is not sent', async () => {
    const home = testHome()
    const fake = microphone('play', speech(`${request}. And then I will go on for as long as nobody ends it. And on and on.`))
    const t = await openRepl({home, plan: 'note', env: fake})
    t.type('Please, ')
    await t.shows('❯ Please,')
    t.type('\u0014')
    await t.shows(/● 0:(0[4-9]|1\d)/)
    t.type(keys.enter)
    await t.shows(/❯ Please, remind me to call the dentist/i)
    expect(t.text()).not.toMatch(/on and on/i)
    expect(running(fake)).toEqual([])
    t.type(`${keys.ctrlC}/exit\r`)
    expect(await t.exits()).toBe(0)
    const kept = readdirSync(home, {recursive: true, withFileTypes: true}).filter(entry => entry.isFile()).map(entry => readFileSync(path.join(entry.parentPath, entry.name), 'latin1'))
    expect(kept.some(text => text.includes('/exit'))).toBe(true)
    expect(kept.filter(text => words.test(text) || text.startsWith('RIFF'))).toEqual([])
  })
  it('a device that dies in the middle is said, and what was heard is in the input line', async () => {
    const fake = microphone('dies', speech(request))
    const home = testHome()
    put(home, 'config/config.toml', '[voice]\nsend = true\n')
    const t = await openRepl({home, plan: 'note', env: fake})
    t.type('/voice\r')
    await t.shows(/The microphone was lost \(arecord: pcm_read:2221: read error: No such device\)\.\s+What was heard\s+until then is kept\.[^]*❯ remind me/i)
    expect(t.text()).not.toContain('New note')
    expect(running(fake)).toEqual([])
  })
  it('Esc throws it away: the line is as it was, and nothing listens', async () => {
    const fake = microphone('stubborn')
    const t = await openRepl({env: fake})
    t.type('half a thought\u0014')
    await hears(t)
    t.type(keys.escape)
    await t.shows('❯ half a thought')
    await until(() => running(fake).length === 0)
    t.type('\u0015/exit\r')
    expect(await t.exits()).toBe(0)
  })
  it('a microphone that cannot be used is one line that says what to do', async () => {
    const fake = microphone('refuses', 'arecord: main:831: audio open error: Permission denied')
    const t = await openRepl({env: fake})
    t.type('/voice\r')
    await t.shows(/permission to use the microphone|may not use the microphone/)
    await t.shows('What shall I do?')
    const none = await openRepl({env: {PATH: tempFolder()}})
    none.type('/voice\r')
    await none.shows('There is no recorder for the microphone')
    await none.shows('What shall I do?')
  })
  it('is drawn in 40 columns, and without colours where NO_COLOR says so', async () => {
    const fake = microphone('zeros')
    const t = await openRepl({columns: 40, env: {...fake, NO_COLOR: '1'}})
    t.type('/voice\r')
    await t.shows(/○ 0:(0[4-9]|1\d) ▁{33}$/m)
    await t.shows('The microphone gives nothing')
    t.type(keys.ctrlC)
    await t.shows('What shall I do?')
    expect(t.raw).not.toMatch(/\u001b\[(?:[34]\d|9[0-7]|10[0-7])m/)
  })
})

describe('--voice', () => {
  it('takes one request: spoken, looked at, sent, done', async () => {
    const fake = microphone('play', speech(request))
    const t = open(['--voice'], {plan: 'note', env: fake})
    await t.shows(/❯ remind me to call the dentist/i)
    t.type('\r')
    expect(await t.exits()).toBe(0)
    expect(t.text()).toContain('✓ 1. New note')
    expect(t.text()).not.toContain('What shall I do?')
  })
  it('in plain lines says what it does, and takes other words in place of those it heard', async () => {
    const fake = microphone('play', speech(request))
    const t = open(['--plain', '--voice'], {plan: 'note', env: fake})
    await t.shows('voice: listening; silence or Enter ends it, q and Enter throws it away')
    await t.shows('voice: I hear you')
    await t.shows(/voice: heard: remind me to call the dentist/i)
    t.type('note that the tickets are booked\r')
    expect(await t.exits()).toBe(0)
    expect(t.text()).toContain('done 1:')
  })
  it('in plain lines q throws it away', async () => {
    const fake = microphone('stubborn')
    const t = open(['--plain', '--voice'], {plan: 'note', env: fake})
    await t.shows('voice: listening')
    await until(() => running(fake).length === 1)
    t.type('q\r')
    expect(await t.exits()).toBe(1)
    expect(t.text()).toContain('voice: thrown away')
    expect(running(fake)).toEqual([])
  })
  it('works where there is no terminal: silence ends it, and the events are those of a typed request', async () => {
    const fake = microphone('play', speech(request))
    const {code, stdout, stderr} = await runProgram(testHome(), ['--voice', '--json'], {env: {...recording('note'), ...fake}})
    expect([code, stderr]).toEqual([0, expect.stringContaining('voice: heard: ')])
    const [first] = stdout.split('\n')
    expect(JSON.parse(first!)).toMatchObject({type: 'request', request: expect.stringMatching(words) as string})
    expect(running(fake)).toEqual([])
  })
  it('goes with no words, and with nobody\'s yes beforehand', async () => {
    for (const [args, says] of [[['--voice', 'text Ana'], 'leave out the words'], [['--voice', '--yes'], '--yes cannot go with --voice']] as const) {
      const {code, stderr} = await runProgram(testHome(), [...args])
      expect([code, stderr]).toEqual([2, expect.stringContaining(says)])
    }
  })
})

describe('no way out leaves a recorder behind', () => {
  const started = async (how: string, args: string[] = []): Promise<{t: Terminal; fake: ReturnType<typeof microphone>}> => {
    const fake = microphone(how)
    const t = open(['--voice', ...args], {env: fake})
    await (args.length > 0 ? t.shows('voice: listening') : hears(t))
    await until(() => running(fake).length === 1)
    return {t, fake}
  }
  it.each([['Esc', keys.escape], ['Ctrl-C', keys.ctrlC]])('%s', async (_, key) => {
    const {t, fake} = await started('stubborn')
    t.type(key)
    expect(await t.exits()).toBe(130)
    expect(running(fake)).toEqual([])
    expect(t.modes()).toEqual({bracketedPaste: false, isCursorHidden: false})
  })
  it.each(['SIGTERM', 'SIGHUP'])('%s', async signal => {
    for (const args of [[], ['--plain']]) {
      const {t, fake} = await started('stubborn', args)
      t.signal(signal)
      await t.exits()
      await until(() => running(fake).length === 0)
    }
  })
  it('SIGKILL: the recorder ends at its next block', async () => {
    const {t, fake} = await started('zeros')
    t.signal('SIGKILL')
    await t.exits()
    await until(() => running(fake).length === 0)
  })
  it('Ctrl-C in plain lines', async () => {
    const {t, fake} = await started('stubborn', ['--plain'])
    t.type(keys.ctrlC)
    expect(await t.exits()).toBe(130)
    expect(running(fake)).toEqual([])
  })
})
