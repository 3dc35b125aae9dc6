// WAV files as sox writes them, in every coding, and those that are broken.
import {execFileSync} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {openWav, resampler} from '../../../src/core/voice/wav.ts'
import {hasVoice} from '../../voice-programs.ts'

const spoken = test.skipIf(!hasVoice('sox'))

let dir: string
beforeAll(() => { dir = mkdtempSync(path.join(tmpdir(), 'tinyagent-wav-')) })
afterAll(() => rmSync(dir, {recursive: true, force: true}))

const never = new AbortController().signal

async function read(file: string): Promise<{samples: Float32Array; durationMs: number}> {
  const sound = await openWav(file)
  try {
    const parts: Float32Array[] = []
    for await (const part of sound.samples(never)) parts.push(part)
    const samples = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0))
    let at = 0
    for (const part of parts) { samples.set(part, at); at += part.length }
    return {samples, durationMs: sound.durationMs}
  } finally {
    await sound.close()
  }
}

/** A tone of 2.5 seconds at half of full scale. */
function tone(name: string, coding: string[], hz = 440): string {
  const file = path.join(dir, name)
  execFileSync('sox', ['-D', '-n', ...coding, file, 'synth', '2.5', 'sine', String(hz), 'vol', '0.5'])
  return file
}

const rms = (samples: Float32Array): number => Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length)

spoken.each([
  ['16 bits, mono', ['-r', '16000', '-b', '16', '-c', '1']],
  ['8 bits', ['-r', '16000', '-b', '8', '-c', '1', '-e', 'unsigned']],
  ['24 bits', ['-r', '16000', '-b', '24', '-c', '1']],
  ['32 bits', ['-r', '16000', '-b', '32', '-c', '1', '-e', 'signed']],
  ['float', ['-r', '16000', '-b', '32', '-c', '1', '-e', 'floating-point']],
  ['double', ['-r', '16000', '-b', '64', '-c', '1', '-e', 'floating-point']],
  ['CD, stereo', ['-r', '44100', '-b', '16', '-c', '2']],
  ['48 kHz, six channels', ['-r', '48000', '-b', '24', '-c', '6']],
  ['a telephone', ['-r', '8000', '-b', '16', '-c', '1']],
])('%s: the same tone', async (name, coding) => {
  const {samples, durationMs} = await read(tone(`${name}.wav`, coding))
  expect(durationMs).toBeCloseTo(2500, 0)
  expect(samples.length / 16_000).toBeCloseTo(2.5, 2)
  const middle = samples.subarray(4000, 36_000)
  expect(rms(middle)).toBeCloseTo(0.5 / Math.SQRT2, 1)
  // 440 Hz cross zero 880 times a second.
  let crossings = 0
  for (let i = 1; i < middle.length; i++) if (middle[i - 1]! < 0 && middle[i]! >= 0) crossings++
  expect(crossings).toBeGreaterThanOrEqual(879)
  expect(crossings).toBeLessThanOrEqual(881)
})

spoken('what 16 kHz cannot hold is taken out, and does not fold down', async () => {
  expect(rms((await read(tone('high.wav', ['-r', '48000', '-b', '16', '-c', '1'], 11_000))).samples)).toBeLessThan(0.01)
  expect(rms((await read(tone('low.wav', ['-r', '48000', '-b', '16', '-c', '1'], 6000))).samples)).toBeGreaterThan(0.3)
})

spoken('resampled sound is the same however it is cut into parts', () => {
  const whole = Float32Array.from({length: 44_100}, (_, i) => Math.sin(i / 20))
  const all = (sizes: number[]): number[] => {
    const resample = resampler(44_100)
    const out: number[] = []
    let at = 0
    for (const size of sizes) { out.push(...resample(whole.subarray(at, at + size))); at += size }
    return [...out, ...resample(undefined)]
  }
  const once = all([44_100])
  const parts = all([1, 10, 999, 20_000, 7, 23_083])
  expect(once.length).toBeCloseTo(16_000, -1)
  expect(parts.length).toBe(once.length)
  expect(Math.max(...once.map((s, i) => Math.abs(s - parts[i]!)))).toBeLessThan(1e-5)
})

spoken('a recorder that did not know the length is read to the end of the file', async () => {
  const file = tone('plain.wav', ['-r', '16000', '-b', '16', '-c', '1'])
  for (const length of [0, 0xffffffff]) {
    const bytes = readFileSync(file)
    bytes.writeUInt32LE(length, bytes.indexOf('data') + 4)
    const open = path.join(dir, 'open.wav')
    writeFileSync(open, bytes)
    expect((await read(open)).samples.length).toBe(40_000)
  }
})

spoken('a file that was cut short gives what is there', async () => {
  const file = tone('whole.wav', ['-r', '16000', '-b', '16', '-c', '1'])
  const cut = path.join(dir, 'cut.wav')
  writeFileSync(cut, readFileSync(file).subarray(0, 20_001))
  const {samples} = await read(cut)
  expect(samples.length).toBeGreaterThan(9900)
  expect(samples.length).toBeLessThan(10_001)
})

spoken('samples that are no numbers are silence, and those over full scale are full scale', async () => {
  const file = tone('float.wav', ['-r', '16000', '-b', '32', '-c', '1', '-e', 'floating-point'])
  const bytes = readFileSync(file)
  const data = bytes.indexOf('data') + 8
  bytes.writeFloatLE(NaN, data)
  bytes.writeFloatLE(Infinity, data + 4)
  bytes.writeFloatLE(-7, data + 8)
  writeFileSync(file, bytes)
  expect([...(await read(file)).samples.subarray(0, 3)]).toEqual([0, 1, -1])
})

spoken.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
  ['without sound', bytes => bytes.subarray(0, 36), /it holds no sound/],
  ['of a coding that is not plain', bytes => { bytes.writeUInt16LE(0x55, 20); return bytes }, /its coding \(85\) is not plain samples; ffmpeg can/],
  ['of no channels', bytes => { bytes.writeUInt16LE(0, 22); return bytes }, /0 channels at 16000 Hz/],
  ['of 12 bits', bytes => { bytes.writeUInt16LE(12, 34); return bytes }, /samples of 12 bits/],
  ['with its head cut off', bytes => bytes.subarray(0, 14), /it holds no sound/],
])('a file %s is refused with the reason', async (_what, spoil, reason) => {
  const file = path.join(dir, 'bad.wav')
  writeFileSync(file, spoil(readFileSync(tone('good.wav', ['-r', '16000', '-b', '16', '-c', '1']))))
  await expect(openWav(file)).rejects.toThrow(reason)
})
