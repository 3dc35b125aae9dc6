// A microphone for tests: the command of a recorder program, speech for it, and whether what was started has ended.
import {execFileSync} from 'node:child_process'
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {onTestFinished} from 'vitest'

const recorder = path.join(import.meta.dirname, 'fixtures/recorder.mjs')

export const tempFolder = (): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tinyagent-voice-'))
  onTestFinished(() => rmSync(folder, {recursive: true, force: true}))
  return folder
}

/** TINYAGENT_RECORDER for the recorder of tests/fixtures, and where it leaves its process id. */
export function microphone(how: string, ...words: string[]): {TINYAGENT_RECORDER: string; RECORDER_PIDS: string} {
  return {TINYAGENT_RECORDER: [process.execPath, recorder, how, ...words].map(w => `"${w}"`).join(' '), RECORDER_PIDS: path.join(tempFolder(), 'pids')}
}

/** A file of 16 kHz mono s16le in which espeak-ng says `text` between two silences, with the noise of a room. */
export function speech(text: string, {voice = 'en-us', noise = 0.002, before = 0.3, after = 0.2} = {}): string {
  const folder = tempFolder()
  const wav = path.join(folder, 'speech.wav')
  const raw = path.join(folder, 'speech.raw')
  execFileSync('espeak-ng', ['-v', voice, '-w', wav, '--', text])
  const format = ['-r', '16000', '-c', '1', '-b', '16', '-e', 'signed-integer', '-t', 'raw']
  execFileSync('sox', ['-R', wav, ...format, `${raw}.clean`, 'pad', String(before), String(after), 'gain', '-n', '-6'])
  const seconds = readFileSync(`${raw}.clean`).length / 32_000
  const noiseFile = `${raw}.noise`
  execFileSync('sox', ['-R', '-n', ...format, noiseFile, 'synth', String(seconds), 'pinknoise', 'gain', '-n', String(20 * Math.log10(noise))])
  execFileSync('sox', ['-R', '-m', ...format, `${raw}.clean`, ...format, noiseFile, ...format, raw])
  return raw
}

export const samplesOf = (file: string): Float32Array => {
  const bytes = readFileSync(file)
  return Float32Array.from({length: bytes.length >> 1}, (_, i) => bytes.readInt16LE(2 * i) / 32_768)
}

/** The processes of a microphone that still run; a dead one that nobody has buried does not. */
export const running = ({RECORDER_PIDS: file}: {RECORDER_PIDS: string}): number[] =>
  !existsSync(file) ? [] : readFileSync(file, 'utf8').trim().split('\n').map(Number).filter(isRunning)

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Resolves when `test` holds. */
export const until = async (test: () => boolean): Promise<void> => { while (!test()) await new Promise(resolve => { setTimeout(resolve, 10) }) }
