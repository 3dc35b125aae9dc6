// Speech to test with: the voices of espeak-ng and flite, noise by sox, and recordings of people from Debian's pocketsphinx-testdata.
import {execFileSync} from 'node:child_process'
import {readFileSync} from 'node:fs'
import path from 'node:path'
import {sampleRate} from '../src/core/voice/activity.ts'

/** "espeak-ng en-us 150": a voice and its words a minute; "flite slt": a voice. */
export type Voice = string

/** Says `text` into `file`, 16 kHz mono, 16 bits. `snr`: pink noise so many decibels below the voice. */
export function speak(voice: Voice, text: string, file: string, snr?: number): void {
  const raw = `${file}.raw.wav`
  const [program, name = '', speed = '150'] = voice.split(' ')
  if (program === 'espeak-ng') execFileSync(program, ['-v', name, '-s', speed, '-w', raw, text])
  else execFileSync('flite', ['-voice', name, '-t', text, '-o', raw])
  const clean = snr === undefined ? file : `${file}.clean.wav`
  // Half a second of room before and after, as a person leaves it.
  execFileSync('sox', ['-R', raw, '-r', String(sampleRate), '-b', '16', '-c', '1', clean, 'norm', '-6', 'pad', '0.5', '0.5'])
  if (snr === undefined) return
  const noise = `${file}.noise.wav`
  const level = rms(samplesOf(clean))
  execFileSync('sox', ['-R', '-n', '-r', String(sampleRate), '-b', '16', '-c', '1', noise, 'synth', String(samplesOf(clean).length / sampleRate), 'pinknoise', 'vol', '0.5'])
  execFileSync('sox', ['-R', '-m', '-v', '1', clean, '-v', String(level / 10 ** (snr / 20) / rms(samplesOf(noise))), noise, '-b', '16', file])
}

/** Of a WAV file with a plain header: 16 kHz, mono, 16 bits. */
export function samplesOf(file: string): Float32Array {
  const bytes = readFileSync(file)
  const from = bytes.indexOf('data') + 8
  return Float32Array.from({length: (bytes.length - from) >> 1}, (_, i) => bytes.readInt16LE(from + 2 * i) / 32768)
}

const rms = (samples: Float32Array): number => Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length)

/** People who read aloud (LibriVox, and playing cards), with what they say. */
export function humanSpeech(folder = '/usr/share/pocketsphinx/test/data'): {file: string; text: string}[] {
  return [['librivox', 'transcription'], ['cards', 'cards.transcription']].flatMap(([part = '', list = '']) =>
    readFileSync(path.join(folder, part, list), 'utf8').split('\n').flatMap(line => {
      const [, text, name] = /^<s> (.*?) *<\/s> \((.*)\)$/.exec(line) ?? []
      return text === undefined ? [] : [{file: path.join(folder, part, `${name}.wav`), text}]
    }))
}
