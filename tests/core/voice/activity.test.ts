// Where somebody speaks: not in silence, noise or tones, however long; and in speech of people and machines, also with noise.
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {humanSpeech, samplesOf, speak} from '../../../scripts/speech.ts'
import {hasSpeech, sampleRate, speechPieces, speechSpans} from '../../../src/core/voice/activity.ts'
import {hasVoice} from '../../voice-programs.ts'

const spoken = test.skipIf(!hasVoice('sox', 'flite', 'espeak-ng', 'people'))

let dir: string
beforeAll(() => { dir = mkdtempSync(path.join(tmpdir(), 'tinyagent-activity-')) })
afterAll(() => rmSync(dir, {recursive: true, force: true}))

const minute = 60 * sampleRate

/** The same numbers each time, evenly from -1 to 1. */
function random(seed = 1): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
}

function sound(length: number, at: (i: number, next: () => number) => number): Float32Array {
  const next = random()
  const out = new Float32Array(length)
  for (let i = 0; i < length; i++) out[i] = at(i, next)
  return out
}

function brown(volume: number): (i: number, next: () => number) => number {
  let last = 0
  return (_, next) => (last = 0.998 * last + volume * next())
}

/** Three one-pole filters over white noise (Paul Kellet's economy method), within 0.5 dB of pink. */
function pink(volume: number): (i: number, next: () => number) => number {
  let [a, b, c] = [0, 0, 0]
  return (_, next) => {
    const white = next()
    a = 0.99765 * a + white * 0.099046
    b = 0.963 * b + white * 0.2965164
    c = 0.57 * c + white * 1.0526913
    return volume * (a + b + c + white * 0.1848)
  }
}

test.each<[string, () => (i: number, next: () => number) => number]>([
  ['silence', () => () => 0],
  ['a constant', () => () => 0.4],
  ['the last bit of a microphone', () => (_, next) => Math.round(next()) / 32768],
  ['soft white noise', () => (_, next) => 0.01 * next()],
  ['loud white noise', () => (_, next) => 0.5 * next()],
  ['pink noise', () => pink(0.1)],
  ['brown noise', () => brown(0.02)],
  ['a fan that comes and goes', () => (i, next) => (0.05 + 0.04 * Math.sin(i / 40_000)) * next()],
  ['mains hum', () => (i, next) => 0.1 * Math.sin(2 * Math.PI * 50 * i / sampleRate) + 0.03 * Math.sin(2 * Math.PI * 150 * i / sampleRate) + 0.002 * next()],
  ['keys on a keyboard', () => (i, next) => (i % 5000 < 60 ? 0.4 : 0.003) * next()],
// Ten kinds, ten minutes.
])('a minute of %s holds no speech', (_what, make) => {
  expect(speechSpans(sound(minute, make()))).toEqual([])
}, 120_000)

test('a telephone that rings is a tone, and no speech', () => {
  expect(hasSpeech(sound(20 * sampleRate, i => i % (3 * sampleRate) < sampleRate ? 0.3 * Math.sin(2 * Math.PI * 440 * i / sampleRate) : 0))).toBe(false)
})

test.each([0, 1, 319, 640, 5000])('%i samples are no speech and no error', length => {
  expect(hasSpeech(sound(length, (_, next) => 0.5 * next()))).toBe(false)
})

test('numbers that are none are no speech', () => {
  expect(hasSpeech(new Float32Array(sampleRate).fill(NaN))).toBe(false)
})

spoken('people who read aloud are heard in every recording', () => {
  const clips = humanSpeech()
  expect(clips.length).toBe(10)
  expect(clips.filter(({file}) => !hasSpeech(samplesOf(file)))).toEqual([])
})

spoken.each(['espeak-ng en-us 140', 'espeak-ng en-gb-x-rp 190', 'flite slt', 'flite rms'])('%s is heard in quiet and in noise, and its pauses are not', voice => {
  for (const snr of [undefined, 15, 8]) {
    const file = path.join(dir, 'voice.wav')
    speak(voice, 'Remind me to call the dentist tomorrow afternoon', file, snr)
    const speech = samplesOf(file)
    const silence = 4 * sampleRate
    const noise = sound(speech.length + 2 * silence, (_, next) => 0.002 * next())
    noise.set(speech, silence)
    const spans = speechSpans(noise)
    expect(spans.length, `${snr} dB`).toBeGreaterThan(0)
    // Speech begins half a second into the clip; a margin of a third of a second stays on each side.
    if (snr !== undefined) continue
    expect(spans[0]!.from / sampleRate).toBeCloseTo(4.3, 0)
    expect((noise.length - spans.at(-1)!.to) / sampleRate).toBeCloseTo(4.2, 0)
  }
})

spoken('long speech comes in pieces of at most 28 seconds that leave nothing out, and long pauses are in none', () => {
  const file = path.join(dir, 'long.wav')
  speak('flite slt', 'The boiler is fixed and the plumber wants to be paid before the end of the month', file)
  const clip = samplesOf(file)
  const gap = 5 * sampleRate
  const long = new Float32Array(8 * clip.length + gap + 8 * clip.length)
  for (let i = 0; i < 16; i++) long.set(clip, i * clip.length + (i < 8 ? 0 : gap))
  const pieces = speechPieces(long)
  expect(pieces.length).toBeGreaterThan(1)
  expect(pieces.filter(p => p.to - p.from > 28 * sampleRate)).toEqual([])
  const middle = 8 * clip.length + gap / 2
  expect(pieces.filter(p => p.from < middle && p.to > middle)).toEqual([])
  const covered = pieces.reduce((sum, p) => sum + p.to - p.from, 0)
  const speech = speechSpans(long).reduce((sum, s) => sum + s.to - s.from, 0)
  expect(covered).toBeGreaterThanOrEqual(speech)
})

test('somebody who draws no breath is cut all the same', () => {
  // A pitch that wanders, without a pause, for 70 seconds.
  let phase = 0
  const voice = sound(70 * sampleRate, (i, next) => {
    phase += 2 * Math.PI * (120 + 20 * Math.sin(i / 9000)) / sampleRate
    const level = 0.55 + 0.45 * Math.sin(i / 1300)
    return 0.2 * level * (Math.sin(phase) + 0.6 * Math.sin(2 * phase) + 0.5 * Math.sin(5 * phase) + 0.3 * Math.sin(9 * phase)) + 0.001 * next()
  })
  const pieces = speechPieces(voice)
  expect(pieces.length).toBeGreaterThan(2)
  for (const [i, piece] of pieces.entries()) {
    expect(piece.to - piece.from).toBeLessThanOrEqual(28 * sampleRate)
    if (i > 0) expect(piece.from).toBe(pieces[i - 1]!.to)
  }
})
