// When somebody begins and ends to speak, on espeak-ng's voices in the noise of a room, and on what is no speech.
import {execFileSync} from 'node:child_process'
import {readFileSync} from 'node:fs'
import {describe as every, expect, it as one} from 'vitest'
import {Endpoint} from '../../src/core/endpoint.ts'
import {samplesOf, speech} from '../microphone.ts'
import {hasVoice} from '../voice-programs.ts'

const isHere = hasVoice('sox', 'espeak-ng')
const describe = every.skipIf(!isHere)
const it = one.skipIf(!isHere)

/** `sox -n` with an effect, as samples. */
const sound = (seconds: number, ...effects: string[]): Float32Array => {
  const bytes = execFileSync('sox', ['-R', '-n', '-r', '16000', '-c', '1', '-b', '16', '-e', 'signed-integer', '-t', 'raw', '-', 'synth', String(seconds), ...effects], {maxBuffer: 64 * 1024 ** 2})
  return Float32Array.from({length: bytes.length >> 1}, (_, i) => bytes.readInt16LE(2 * i) / 32_768)
}
const fed = (samples: Float32Array, block = 1_600): Endpoint => {
  const endpoint = new Endpoint()
  for (let i = 0; i < samples.length; i += block) endpoint.feed(samples.subarray(i, i + block))
  return endpoint
}

describe.each([0, 0.002, 0.02])('in a room with noise of %f', noise => {
  it.each(['en-us', 'en-gb+f3', 'de'])('hears %s begin and end', voice => {
    const end = fed(samplesOf(speech('Remind me to call the dentist', {voice, noise: noise || 1e-6, before: 1, after: 2})))
    expect(end.hasSpoken).toBe(true)
    expect(end.silentMs).toBeGreaterThan(1_700)
    expect(end.silentMs).toBeLessThan(2_400)
  })
  it('does not take the pauses within a sentence for its end', () => {
    const samples = samplesOf(speech('Remind me to call the dentist tomorrow at three, and text Ana that I am late because of the weather, please', {noise: noise || 1e-6, after: 0}))
    const endpoint = new Endpoint()
    let longest = 0
    for (let i = 0; i < samples.length; i += 800) {
      endpoint.feed(samples.subarray(i, i + 800))
      if (endpoint.hasSpoken) longest = Math.max(longest, endpoint.silentMs)
    }
    expect(longest).toBeLessThan(900)
  })
})

describe('nobody speaks', () => {
  it.each([
    ['white noise', ['whitenoise', 'vol', '0.05']], ['loud pink noise', ['pinknoise', 'vol', '0.3']], ['brown noise', ['brownnoise', 'vol', '0.3']],
    ['the hum of the mains', ['sine', '50', 'vol', '0.3']], ['a steady tone', ['sine', '440', 'vol', '0.2']], ['nothing', ['sine', '0', 'vol', '0']],
  ])('in %s', (_, effects) => {
    const end = fed(sound(20, ...effects))
    expect([end.hasSpoken, end.ms, end.silentMs]).toEqual([false, 20_000, 20_000])
  })
  it('in a click', () => {
    const quiet = sound(3, 'whitenoise', 'vol', '0.002')
    quiet.fill(0.9, 16_000, 16_400)
    expect(fed(quiet).hasSpoken).toBe(false)
  })
  it('in the noise that begins a moment after the recorder does', () => {
    const noise = sound(5, 'whitenoise', 'vol', '0.1')
    noise.fill(0, 0, 4_000)
    expect(fed(noise).hasSpoken).toBe(false)
  })
})

describe('the meter', () => {
  it('has a bar for each tenth of a second, low in silence and high in speech', () => {
    const file = speech('Hello there', {before: 1, after: 0})
    const {levels} = fed(samplesOf(file))
    expect(levels.length).toBe(Math.floor(readFileSync(file).length / 3_200))
    expect(Math.max(...levels.slice(2, 9))).toBeLessThan(0.3)
    expect(Math.max(...levels.slice(10))).toBeGreaterThan(0.6)
    for (const level of levels) expect(level >= 0 && level <= 1).toBe(true)
  })
  it('tells a microphone that gives nothing from a quiet room', () => {
    expect(fed(new Float32Array(32_000)).isDead).toBe(true)
    expect(fed(sound(2, 'whitenoise', 'vol', '0.001')).isDead).toBe(false)
  })
  it('is the same however the samples are cut', () => {
    const samples = samplesOf(speech('Hello there'))
    const {levels, silentMs, hasSpoken} = fed(samples)
    for (const block of [7, 320, 5_000, samples.length]) expect(fed(samples, block)).toMatchObject({levels, silentMs, hasSpoken})
  })
})
