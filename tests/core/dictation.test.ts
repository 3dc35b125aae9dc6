// One dictation from the microphone to the words. The microphone is a real program; the transcriber here writes down how much it was given.
import {describe as every, expect, it as one} from 'vitest'
import {dictate, type DictationDeps} from '../../src/core/dictation.ts'
import {ModelError} from '../../src/core/errors.ts'
import {record} from '../../src/core/recorder.ts'
import type {Dictation, DictationView} from '../../src/core/types.ts'
import type {Transcriber} from '../../src/core/voice.ts'
import {microphone, running, samplesOf, speech} from '../microphone.ts'
import {hasVoice} from '../voice-programs.ts'

const isHere = hasVoice('sox', 'espeak-ng')
const describe = every.skipIf(!isHere)
const it = one.skipIf(!isHere)

const never = new AbortController().signal

/** Says how many samples it was given, or nothing where they are all quiet. */
const counting = (parts: Float32Array[] = [], before: Promise<void> = Promise.resolve()): Transcriber => ({
  async transcribe(samples, {signal, onPartial}) {
    await before
    signal.throwIfAborted()
    parts.push(samples)
    const text = samples.some(s => Math.abs(s) > 0.05) ? `${samples.length} samples` : ''
    onPartial?.(text)
    return {text, segments: []}
  },
  close: () => Promise.resolve(),
})

interface Run { fake?: ReturnType<typeof microphone>; views: DictationView[]; result: Promise<Dictation> }

function start(sound: ReturnType<typeof microphone> | (() => AsyncIterable<Float32Array>), changes: Partial<DictationDeps> = {}): Run {
  const views: DictationView[] = []
  const result = dictate({
    sound: typeof sound === 'function' ? sound : signal => record({signal, env: {PATH: process.env['PATH'], ...sound}}),
    transcriber: Promise.resolve(counting()), names: Promise.resolve([]), silenceMs: 1_200, stop: never, signal: never,
    onView: view => { views.push(view); changes.onView?.(view) },
    ...Object.fromEntries(Object.entries(changes).filter(([key]) => key !== 'onView')),
  })
  return {views, result}
}

/** Samples as a microphone would give them, with no time between the blocks. */
async function* blocks(...parts: Float32Array[]): AsyncGenerator<Float32Array> {
  for (const samples of parts) for (let i = 0; i < samples.length; i += 1_600) yield samples.subarray(i, i + 1_600)
}
const silence = (seconds: number): Float32Array => Float32Array.from({length: 16_000 * seconds}, (_, i) => (i % 7 - 3) / 10_000)

describe('a dictation ends', () => {
  it('in silence after speech, and the words are those of all that was heard', async () => {
    const fake = microphone('play', speech('Call Ana', {before: 0.5}))
    const {views, result} = start(fake)
    expect((await result).text).toMatch(/^\d+ samples$/)
    expect((await result).notice).toBeUndefined()
    expect([...new Set(views.map(v => v.phase))]).toEqual(['opening', 'listening', 'writing'])
    expect(views.find(v => v.phase === 'listening')?.hasSpoken).toBe(false)
    expect(views.at(-1)?.hasSpoken).toBe(true)
    expect(Math.max(...views.at(-1)!.levels)).toBeGreaterThan(0.5)
    expect(running(fake)).toEqual([])
  })
  it('when the user says so, at once', async () => {
    const file = speech('Call Ana and Priya and Bo and tell them all that the meeting was moved', {before: 0})
    const fake = microphone('play', file)
    const stop = new AbortController()
    const {result} = start(fake, {stop: stop.signal, silenceMs: 0, onView: view => { if (view.ms > 700) stop.abort() }})
    const samples = Number(/\d+/.exec((await result).text))
    expect(samples).toBeGreaterThan(16_000 * 0.6)
    expect(samples).toBeLessThan(samplesOf(file).length)
    expect(running(fake)).toEqual([])
  })
  it('not in silence where the config says 0', async () => {
    const said = samplesOf(speech('Call Ana'))
    const {result} = start(() => blocks(said, silence(4), said), {silenceMs: 0})
    expect(await result).toEqual({text: `${2 * said.length + 64_000} samples`})
  })
  it('when nobody speaks for a quarter of a minute, and says what to check', async () => {
    const {views, result} = start(() => blocks(silence(60)))
    expect(await result).toEqual({text: '', notice: 'Nothing was understood: speak closer to the microphone, or check that it is the right one.'})
    expect(views.at(-1)?.ms).toBeLessThanOrEqual(15_100)
    expect(views.find(v => v.hint)?.ms).toBe(3_000)
  })
  it('when the microphone is muted, and says that', async () => {
    const {views, result} = start(() => blocks(new Float32Array(16_000 * 20)))
    expect((await result).notice).toContain('The microphone gives nothing')
    expect(views.find(v => v.hint)?.hint).toContain('is it muted')
  })
  it('after five minutes, with what was said, and says so', async () => {
    const said = samplesOf(speech('And then I went on and on', {after: 0.1}))
    const {result} = start(() => blocks(...Array.from({length: Math.ceil(310 * 16_000 / said.length)}, () => said)), {silenceMs: 0})
    const {text, notice} = await result
    expect(notice).toBe('Recording ends after 5 minutes.')
    const total = [...text.matchAll(/(\d+) samples/g)].reduce((sum, m) => sum + Number(m[1]), 0)
    expect(Math.abs(total - 300 * 16_000)).toBeLessThan(3_200)
  })
  it('with a flood, which is bounded and leaves no process', async () => {
    const fake = microphone('flood')
    const {views, result} = start(fake, {silenceMs: 0})
    await result
    expect(views.at(-1)!.ms).toBeLessThan(310_000)
    expect(running(fake)).toEqual([])
  })
})

describe('a microphone that is lost', () => {
  it('in the middle costs nothing of what was heard, and it is said', async () => {
    const file = speech('Call Ana tomorrow')
    const fake = microphone('dies', file)
    const {result} = start(fake)
    const {text, notice} = await result
    expect(Number(/\d+/.exec(text))).toBeGreaterThan(samplesOf(file).length - 1_600)
    expect(notice).toBe('The microphone was lost (arecord: pcm_read:2221: read error: No such device). What was heard until then is kept.')
  })
  it('before anybody spoke says both', async () => {
    const {result} = start(async function* () { yield silence(1); throw new (await import('../../src/core/errors.ts')).ToolError('failed', 'The microphone was lost.') })
    expect(await result).toEqual({text: '', notice: 'The microphone was lost. What was heard until then is kept. There were no words in it.'})
  })
  it('or is not there at all is an error that says what to do', async () => {
    const {result} = start(microphone('refuses', 'arecord: main:831: audio open error: No such file or directory'))
    await expect(result).rejects.toThrow('there is no such microphone: plug one in')
  })
})

describe('thrown away', () => {
  it('while it listens: nothing is written down, and no process is left', async () => {
    const fake = microphone('stubborn')
    const parts: Float32Array[] = []
    const cancel = new AbortController()
    const {result} = start(fake, {signal: cancel.signal, transcriber: Promise.resolve(counting(parts)), onView: view => { if (view.ms > 200) cancel.abort(new Error('thrown away')) }})
    await expect(result).rejects.toThrow('thrown away')
    expect(parts).toEqual([])
    expect(running(fake)).toEqual([])
  })
  it('while it is written down', async () => {
    const cancel = new AbortController()
    const said = samplesOf(speech('Call Ana'))
    const {result} = start(() => blocks(said), {signal: cancel.signal, onView: view => { if (view.phase === 'writing') cancel.abort(new Error('thrown away')) }})
    await expect(result).rejects.toThrow('thrown away')
  })
})

describe('the model', () => {
  it('loads while the user speaks: it need not be there before the end', async () => {
    let loaded = (_: Transcriber): void => undefined
    const {result} = start(() => blocks(samplesOf(speech('Call Ana'))), {
      transcriber: new Promise<Transcriber>(resolve => { loaded = resolve }), onView: view => { if (view.phase === 'writing') loaded(counting()) },
    })
    expect((await result).text).toMatch(/samples$/)
  })
  it('that is not there is said at once, not after a minute of speech', async () => {
    const fake = microphone('zeros')
    const {result} = start(fake, {transcriber: Promise.reject(new ModelError('There is no model'))})
    await expect(result).rejects.toThrow('There is no model')
    expect(running(fake)).toEqual([])
  })
  it('that fails fails the dictation', async () => {
    const broken: Transcriber = {transcribe: () => Promise.reject(new ModelError('It broke')), close: () => Promise.resolve()}
    await expect(start(() => blocks(samplesOf(speech('Call Ana'))), {transcriber: Promise.resolve(broken)}).result).rejects.toThrow('It broke')
  })
  it('is told how names are spelled', async () => {
    let told: string[] | undefined
    const listening: Transcriber = {transcribe: async (_, {names}) => { told = names; return {text: 'x', segments: []} }, close: () => Promise.resolve()}
    await start(() => blocks(samplesOf(speech('Call Ana'))), {transcriber: Promise.resolve(listening), names: Promise.resolve(['Ana Duarte'])}).result
    expect(told).toEqual(['Ana Duarte'])
  })
})

it('a long dictation is written down part by part, cut in its pauses, and shown while it goes on', async () => {
  const said = samplesOf(speech('This is a long story that goes on for a while, and nobody knows how it will end', {before: 0, after: 0.1}))
  const pause = silence(0.8)
  const parts: Float32Array[] = []
  const all = Array.from({length: 8}, () => [said, pause]).flat()
  async function* sound(): AsyncGenerator<Float32Array> {
    for await (const block of blocks(...all)) { yield block; await new Promise(resolve => setImmediate(resolve)) }
  }
  const {views, result} = start(sound, {transcriber: Promise.resolve(counting(parts)), silenceMs: 3_000})
  const {text} = await result
  expect(parts.length).toBeGreaterThan(1)
  expect(parts.reduce((sum, part) => sum + part.length, 0)).toBe(all.reduce((sum, part) => sum + part.length, 0))
  for (const part of parts.slice(0, -1)) {
    expect(part.length).toBeGreaterThanOrEqual(12 * 16_000)
    expect(Math.max(...part.slice(-4_000).map(Math.abs))).toBeLessThan(0.01)
  }
  expect(text).toBe(parts.map(part => `${part.length} samples`).join(' '))
  expect(views.find(v => v.partial !== '')?.phase).toBe('listening')
})
