// The microphone, through real recorder programs: a small one that behaves as told, and arecord and sox on an ALSA device that plays a file.
import {chmodSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {describe as every, expect, it as one} from 'vitest'
import {installRecorder, record, recorderName} from '../../src/core/recorder.ts'
import {ToolError} from '../../src/core/errors.ts'
import {microphone, running, samplesOf, speech, tempFolder, until} from '../microphone.ts'
import {hasVoice} from '../voice-programs.ts'

const isHere = hasVoice('sox', 'rec', 'arecord', 'espeak-ng')
const describe = every.skipIf(!isHere)
const it = one.skipIf(!isHere)

const withPath = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({PATH: process.env['PATH'], ...env})
const never = new AbortController().signal

/** Everything that comes, and how it ended. */
async function all(env: NodeJS.ProcessEnv, {signal = never, device = ''} = {}): Promise<{samples: number[]; error?: ToolError}> {
  const samples: number[] = []
  try {
    for await (const block of record({signal, device, env: withPath(env)})) samples.push(...block)
    return {samples}
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    return {samples, error}
  }
}

/** A program of that name in a folder, that stands for the real one. */
function program(folder: string, name: string, script: string): void {
  const file = path.join(folder, name)
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
}

describe('a command of the user\'s own', () => {
  it('gives every sample it writes, whatever the size of its blocks, and its end is the end', async () => {
    const file = speech('Good morning')
    const {samples, error} = await all(microphone('all', file))
    expect(error).toBeUndefined()
    expect(Float32Array.from(samples)).toEqual(samplesOf(file))
  })
  it('may write half a sample: the other half is waited for', async () => {
    const folder = tempFolder()
    const file = path.join(folder, 'odd.raw')
    writeFileSync(file, Buffer.from([0x00, 0x40, 0x00, 0xc0, 0xff]))
    const {samples} = await all({TINYAGENT_RECORDER: `sh -c "head -c 1 '${file}'; sleep 0.1; tail -c +2 '${file}'"`.replaceAll("'", '')})
    expect(samples).toEqual([0.5, -0.5])
  })
  it('is split into words without a shell: what a shell would run is a word', async () => {
    const {error} = await all({TINYAGENT_RECORDER: `"${process.execPath}" -e "process.stderr.write(process.argv[1]);process.exit(3)" $(whoami);`})
    expect(error?.message).toContain('($(whoami);)')
  })
  it('that is not there is named', async () => {
    const {error} = await all({TINYAGENT_RECORDER: 'no-such-recorder -x'})
    expect([error?.code, error?.message]).toEqual(['unavailable', 'no-such-recorder is not installed.'])
  })
})

describe('the end', () => {
  it('of the signal ends the recorder, and what came before it was given', async () => {
    const fake = microphone('play', speech('Good morning'))
    const stop = new AbortController()
    let samples = 0
    for await (const block of record({signal: stop.signal, env: withPath(fake)})) {
      samples += block.length
      if (samples > 4_000) stop.abort()
    }
    expect(samples).toBeGreaterThan(4_000)
    expect(running(fake)).toEqual([])
  })
  it('of the reader\'s interest ends the recorder', async () => {
    const fake = microphone('flood')
    for await (const block of record({signal: never, env: withPath(fake)})) { expect(block.length).toBeGreaterThan(0); break }
    expect(running(fake)).toEqual([])
  })
  it('comes also to a recorder that does not listen to SIGTERM', async () => {
    const fake = microphone('stubborn')
    for await (const _ of record({signal: never, env: withPath(fake)})) break
    expect(running(fake)).toEqual([])
  })
  it('comes also to what a wrapper has started', async () => {
    const fake = microphone('stubborn')
    const folder = tempFolder()
    program(folder, 'wrapper', `${fake.TINYAGENT_RECORDER} &\nwait`)
    for await (const _ of record({signal: never, env: withPath({...fake, TINYAGENT_RECORDER: path.join(folder, 'wrapper')})})) break
    await until(() => running(fake).length === 0)
    expect(readFileSync(fake.RECORDER_PIDS, 'utf8')).toMatch(/^\d+\n$/)
  })
  it('comes at once where the signal has aborted before: nothing is started', async () => {
    const fake = microphone('zeros')
    expect(await all(fake, {signal: AbortSignal.abort()})).toEqual({samples: []})
    expect(running(fake)).toEqual([])
  })
  it('of a device in the middle is an error after what was heard', async () => {
    const file = speech('Hello')
    const fake = microphone('dies', file)
    const {samples, error} = await all(fake)
    expect(Float32Array.from(samples.slice(0, 8_000))).toEqual(samplesOf(file).slice(0, 8_000))
    expect([error?.code, error?.message]).toEqual(['failed', 'The microphone was lost (arecord: pcm_read:2221: read error: No such device).'])
    expect(running(fake)).toEqual([])
  })
  it('of patience: a recorder that gives no sound is given up', async () => {
    const fake = microphone('mute')
    const {error} = await all(fake)
    expect(error?.code).toBe('unavailable')
    expect(error?.message).toContain('gives no sound; check that the microphone is plugged in')
    expect(running(fake)).toEqual([])
  })
})

describe('a recorder that cannot record says what to do', () => {
  it.each([
    ['arecord: main:831: audio open error: No such file or directory', 'there is no such microphone'],
    ['sox FAIL sox: Sorry, there is no default audio device configured', 'there is no such microphone'],
    ['arecord: main:831: audio open error: Device or resource busy', 'another program is using the microphone'],
    ['arecord: main:831: audio open error: Permission denied', 'permission to use the microphone'],
    ["sox FAIL formats: no handler for given file type `alsa'", 'without its sound drivers'],
    ['something new', '(something new); check the microphone'],
  ])('%s', async (said, advice) => {
    const {error, samples} = await all(microphone('refuses', said))
    expect([error?.code, samples]).toEqual(['unavailable', []])
    expect(error?.message).toContain(advice)
  })
})

describe('the recorders of the system', () => {
  const alsa = (file: string): NodeJS.ProcessEnv => {
    const conf = path.join(tempFolder(), 'asound.conf')
    writeFileSync(conf, `pcm.null { type null }\npcm.!default { type file slave.pcm "null" file "/dev/null" infile "${file}" format "raw" }\npcm.second { type file slave.pcm "null" file "/dev/null" infile "${file}" format "raw" }\n`)
    return {ALSA_CONFIG_PATH: conf}
  }
  /** A folder with links to these programs alone. */
  const only = (...names: string[]): {PATH: string} => {
    const folder = tempFolder()
    for (const name of names) program(folder, name, `exec /usr/bin/${name} "$@"`)
    return {PATH: folder}
  }
  const heard = async (env: NodeJS.ProcessEnv, device = ''): Promise<Float32Array> => {
    const samples: number[] = []
    for await (const block of record({signal: never, env, device})) {
      samples.push(...block)
      if (samples.length >= 16_000) break
    }
    return Float32Array.from(samples.slice(0, 16_000))
  }

  it('arecord records the default microphone, and one by name', async () => {
    const file = speech('This is what the microphone hears')
    expect(await heard({...alsa(file), ...only('arecord')})).toEqual(samplesOf(file).slice(0, 16_000))
    expect(await heard({...alsa(file), ...only('arecord')}, 'second')).toEqual(samplesOf(file).slice(0, 16_000))
  })
  it.each(['sox', 'rec'])('%s records as well', async name => {
    const samples = await heard({...alsa(speech('This is what the microphone hears')), ...only(name)})
    expect(samples.some(s => Math.abs(s) > 0.05)).toBe(true)
  })
  it('one that cannot record leaves it to the next', async () => {
    const file = speech('Hello')
    const {PATH} = only('arecord')
    program(PATH, 'sox', 'echo "sox FAIL sox: Sorry, there is no default audio device configured" >&2; exit 1')
    expect(await heard({...alsa(file), PATH})).toEqual(samplesOf(file).slice(0, 16_000))
  })
  it('where none is installed it says what to install', async () => {
    const env = {PATH: tempFolder()}
    const {error} = await all(env)
    expect([error?.code, error?.message]).toEqual(['unavailable', `There is no recorder for the microphone: ${installRecorder()}.`])
    expect(recorderName(env)).toBeUndefined()
    expect(installRecorder('linux')).toContain('apt install alsa-utils')
    expect(installRecorder('darwin')).toContain('brew install sox')
  })
  it('where none finds a microphone it says so', async () => {
    const conf = path.join(tempFolder(), 'empty.conf')
    writeFileSync(conf, '')
    const {error} = await all({ALSA_CONFIG_PATH: conf})
    expect(error?.message).toContain('there is no such microphone: plug one in')
  })
  it('the first that is installed is named, or the user\'s own', () => {
    expect(recorderName(only('arecord'))).toBe('arecord')
    expect(recorderName(only('arecord', 'sox'))).toBe('sox')
    expect(recorderName({...only('sox'), TINYAGENT_RECORDER: 'my-recorder --loud'})).toBe('my-recorder')
  })
})
