// The real Whisper: people and machines are understood, silence is not, and what goes wrong there is an error here.
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {humanSpeech, samplesOf, speak} from '../../../scripts/speech.ts'
import {wordErrors} from '../../../scripts/word-errors.ts'
import {modelFiles, openModels} from '../../../src/core/models.ts'
import {sampleRate} from '../../../src/core/voice/activity.ts'
import {promptOf} from '../../../src/core/voice/prompt.ts'
import {whisperBuild} from '../../../src/core/voice/whisper.ts'
import {openTranscriber, type Transcriber} from '../../../src/core/voice.ts'
import {hasVoice} from '../../voice-programs.ts'

const spoken = test.skipIf(!hasVoice('whisper', 'sox', 'flite', 'espeak-ng', 'people'))

const [model = ''] = modelFiles(openModels(), 'whisper')
const never = new AbortController().signal
let dir: string
let transcriber: Transcriber
beforeAll(async () => {
  if (whisperBuild() !== 'built') return
  dir = mkdtempSync(path.join(tmpdir(), 'tinyagent-transcriber-'))
  transcriber = await openTranscriber({model})
}, 60_000)
afterAll(async () => {
  if (whisperBuild() !== 'built') return
  await transcriber.close()
  rmSync(dir, {recursive: true, force: true})
})

function say(text: string, voice = 'flite slt', snr?: number): Float32Array {
  const file = path.join(dir, 'spoken.wav')
  speak(voice, text, file, snr)
  return samplesOf(file)
}

spoken('people who read aloud are understood', async () => {
  let [errors, words] = [0, 0]
  for (const {file, text} of humanSpeech().filter(clip => clip.file.includes('librivox'))) {
    const heard = await transcriber.transcribe(samplesOf(file), {signal: never})
    const counted = wordErrors(text, heard.text)
    errors += counted.errors
    words += counted.words
    expect(heard.segments.length).toBeGreaterThan(0)
  }
  expect(words).toBe(71)
  expect(errors / words).toBeLessThan(0.15)
}, 240_000)

spoken.each([['flite slt', undefined, 0], ['flite rms', 15, 4], ['espeak-ng en-us 140', undefined, 2]] as const)('a request by %s (noise: %s dB) has at most %i words wrong', async (voice, snr, most) => {
  const {text, segments} = await transcriber.transcribe(say('Remind me to call the dentist tomorrow at three p.m.', voice, snr), {signal: never})
  expect(wordErrors('Remind me to call the dentist tomorrow at 3pm.', text).errors, text).toBeLessThanOrEqual(most)
  // Half a second of silence stands before the first word.
  expect(segments[0]!.fromMs).toBeLessThan(1000)
  expect(segments.at(-1)!.toMs).toBeGreaterThan(2000)
}, 120_000)

spoken('silence, noise and a second of nothing give no text, and cost nothing', async () => {
  for (const samples of [new Float32Array(), new Float32Array(100), new Float32Array(30 * sampleRate), Float32Array.from({length: 30 * sampleRate}, (_, i) => 0.1 * Math.sin(i * i % 7919))]) {
    expect(await transcriber.transcribe(samples, {signal: never})).toEqual({text: '', segments: []})
  }
})

spoken('long dictation gives its text piece by piece, and its segments in order', async () => {
  const first = say('The boiler is fixed and the plumber wants to be paid.')
  const second = say('The next meeting is on the first of March.')
  const both = new Float32Array(first.length + 4 * sampleRate + second.length)
  both.set(first)
  both.set(second, first.length + 4 * sampleRate)
  const partial: string[] = []
  const {text, segments} = await transcriber.transcribe(both, {signal: never, onPartial: so => partial.push(so)})
  expect(partial.length).toBe(1)
  expect(partial[0]).toMatch(/^The boiler is fixed/)
  expect(partial[0]).not.toMatch(/meeting/)
  expect(text.startsWith(partial[0]!)).toBe(true)
  expect(text).toMatch(/next meeting/)
  expect(segments.map(s => s.fromMs)).toEqual(segments.map(s => s.fromMs).sort((a, b) => a - b))
  expect(segments.at(-1)!.fromMs).toBeGreaterThan((first.length + 3 * sampleRate) / sampleRate * 1000)
}, 120_000)

spoken('an abort ends the work at once with its reason, and the next dictation is understood', async () => {
  const stop = new AbortController()
  const work = transcriber.transcribe(say('Remind me to call the dentist tomorrow'), {signal: stop.signal})
  const reason = new Error('thrown away')
  setImmediate(() => stop.abort(reason))
  await expect(work).rejects.toBe(reason)
  await expect(transcriber.transcribe(new Float32Array(sampleRate), {signal: stop.signal})).rejects.toBe(reason)
  const {text} = await transcriber.transcribe(say('Remind me to call the dentist tomorrow'), {signal: never})
  expect(text).toMatch(/call the dentist tomorrow/)
}, 120_000)

spoken('two at once wait for each other, and both are understood', async () => {
  const [one, two] = await Promise.all([
    transcriber.transcribe(say('The boiler is fixed.'), {signal: never}),
    transcriber.transcribe(say('The meeting is on Friday.'), {signal: never}),
  ])
  expect(one.text).toMatch(/boiler is fixed/i)
  expect(two.text).toMatch(/meeting is on friday/i)
}, 120_000)

spoken('a model that is missing, empty or cut short is an error that names it', async () => {
  const missing = path.join(dir, 'none.bin')
  await expect(openTranscriber({model: missing})).rejects.toMatchObject({code: 'model', message: expect.stringContaining(`${missing} is missing`)})
  const empty = path.join(dir, 'empty.bin')
  writeFileSync(empty, '')
  await expect(openTranscriber({model: empty})).rejects.toMatchObject({code: 'model', message: expect.stringContaining(`${empty} is damaged`)})
  // whisper.cpp ends its process here; ours goes on.
  const short = path.join(dir, 'short.bin')
  writeFileSync(short, readFileSync(model).subarray(0, 20_000_000))
  await expect(openTranscriber({model: short})).rejects.toMatchObject({code: 'model', message: expect.stringMatching(/Whisper stopped .*short\.bin; `tinyagent doctor`/)})
}, 60_000)

test('the prompt names each once, the likeliest first, and stays within what Whisper takes', () => {
  expect(promptOf(['Ana Duarte', 'Work', 'Ana Duarte', ' ', 'a,\nb'])).toBe('Names: Ana Duarte, Work, a b.')
  expect(promptOf([])).toBe('')
  const long = promptOf(Array.from({length: 1000}, (_, i) => `Person ${i}`))
  expect(long.length).toBeLessThan(520)
  expect(long).toMatch(/^Names: Person 0, Person 1, /)
})
