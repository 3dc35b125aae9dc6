// The microphone, as a stream of samples: a recorder program is started, and has ended, with all that it started, when the
// stream ends, whatever ended it. Command lines by node-record-lpcm16; docs/decisions.md says why not its start.
import type {ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {addAbortSignal} from 'node:stream'
import arecord from 'node-record-lpcm16/recorders/arecord.js'
import rec from 'node-record-lpcm16/recorders/rec.js'
import sox from 'node-record-lpcm16/recorders/sox.js'
import {ToolError} from './errors.ts'
import {isInstalled, notStarted, start} from './exec.ts'
import {sampleRate} from './voice/activity.ts'

/** Between asking a recorder to end and making it; it has nothing to save. */
const graceMs = 300
/** From the end of its sound to its exit code and the reason for it, on a machine that is busy. */
const lastWordsMs = 3_000
/** A microphone writes all the time, also when nobody speaks. The first sound may wait for a Bluetooth headset. */
const stallMs = 5_000

export interface RecordOptions {
  /** ends the recording; what came until then has been given */
  signal: AbortSignal
  /** the microphone by the recorder's name for it; '' is the default one */
  device?: string
  /** the recorder's environment; TINYAGENT_RECORDER in it names another command */
  env?: NodeJS.ProcessEnv
}

interface Command { program: string; args: string[]; env: NodeJS.ProcessEnv; /** the user's own: it may end when it has played all */ isOwn: boolean }

/** The words of a command line; quotes keep blanks. No shell reads them. */
const argv = (line: string): string[] => [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(m => m[1] ?? m[2] ?? m[3]!)

/** What could record, best first. `rec` is sox under another name, and cannot be given a device. */
function commands(device: string, env: NodeJS.ProcessEnv): Command[] {
  const [program, ...args] = argv(env['TINYAGENT_RECORDER'] ?? '')
  if (program !== undefined) return [{program, args, env, isOwn: true}]
  const options = {sampleRate, channels: 1, audioType: 'raw', ...(device && {device})}
  return [sox, ...(device ? [] : [rec]), arecord].map(recorder => {
    const {cmd, args} = recorder(options)
    return {program: cmd, args: args.map(String), env: device ? {...env, AUDIODEV: device} : env, isOwn: false}
  })
}

const executable = (program: string, platform: NodeJS.Platform): string => platform === 'win32' ? `${program}.exe` : program

/** The recorder that would be used; undefined where none is installed. */
export function recorderName(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return commands('', env).find(c => c.isOwn || isInstalled(executable(c.program, process.platform), env))?.program
}

const install: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'install sox (brew install sox)', win32: 'install sox and put it on the PATH',
}
/** What to do where there is no recorder. */
export const installRecorder = (platform: NodeJS.Platform = process.platform): string =>
  `${install[platform] ?? 'install alsa-utils or sox (apt install alsa-utils)'}, or set TINYAGENT_RECORDER to a command that writes 16 kHz mono s16le`

/**
 * Samples in [-1, 1], mono, 16 kHz, in blocks as they come. Throws ToolError 'unavailable' (no recorder, no microphone, no
 * permission) with what to do, or 'failed' when the recorder dies after it had given something.
 */
export async function* record({signal, device = '', env = process.env}: RecordOptions): AsyncGenerator<Float32Array, void, undefined> {
  let failure: ToolError | undefined
  for (const command of commands(device, env)) {
    try {
      yield* play(command, signal)
      return
    } catch (error) {
      if (!(error instanceof ToolError) || error.code !== 'unavailable' || command.isOwn) throw error
      // The reason that is worth telling is that of a recorder that is there; sox may lack the driver that arecord has.
      const isMissing = error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'ENOENT'
      if (!isMissing) failure = error
    }
  }
  throw failure ?? new ToolError('unavailable', `There is no recorder for the microphone: ${installRecorder()}.`)
}

async function* play(command: Command, signal: AbortSignal): AsyncGenerator<Float32Array, void, undefined> {
  if (signal.aborted) return
  const {program} = command
  // A group of its own, so that what a wrapper script has started ends with it.
  const child = start(program, command.args, {stdio: ['ignore', 'pipe', 'pipe'], env: command.env, detached: process.platform !== 'win32'})
  let failure: unknown
  const ended = once(child, 'exit').catch((error: unknown) => { failure = error }) // no such program
  const closed = once(child, 'close').catch(() => undefined) // ended, and all that it said was read
  const stdout = child.stdout!
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => { said = (said + text).slice(-4_000) })
  const release = killOnExit(child)
  let samples = 0
  try {
    addAbortSignal(signal, stdout)
    const stalled = (): void => { stdout.destroy(new ToolError('failed', `${program} gives no sound; check that the microphone is plugged in and that no other program holds it.`)) }
    let timer = setTimeout(stalled, stallMs)
    let odd = Buffer.alloc(0)
    try {
      for await (const chunk of stdout) {
        clearTimeout(timer)
        const bytes = Buffer.concat([odd, chunk as Buffer])
        odd = bytes.subarray(bytes.length & ~1)
        const block = toSamples(bytes)
        samples += block.length
        if (block.length > 0) yield block
        timer = setTimeout(stalled, stallMs)
      }
    } catch (error) {
      if (signal.aborted) return
      throw error instanceof ToolError && samples === 0 ? new ToolError('unavailable', error.message) : error
    } finally {
      clearTimeout(timer)
    }
    // Its pipe is closed, so it is about to end; one that does not is made to.
    await Promise.race([closed, delay(lastWordsMs)])
    if (signal.aborted) return
    if (failure !== undefined) throw notStarted(program, failure)
    if (samples > 0 && command.isOwn && child.exitCode === 0) return
    throw new ToolError(samples > 0 ? 'failed' : 'unavailable', reason(program, said, samples > 0))
  } finally {
    await end(child, ended)
    release()
  }
}

const delay = (ms: number): Promise<void> => new Promise(resolve => { setTimeout(resolve, ms).unref() })

function toSamples(bytes: Buffer): Float32Array {
  const samples = new Float32Array(bytes.length >> 1)
  for (let i = 0; i < samples.length; i++) samples[i] = bytes.readInt16LE(2 * i) / 32_768
  return samples
}

/** The recorder and what it has started. */
function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill(signal)
    else process.kill(-child.pid, signal)
  } catch { /* it has ended */ }
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.stdout?.destroy()
  child.stderr?.destroy()
  kill(child, 'SIGTERM')
  const timer = setTimeout(() => kill(child, 'SIGKILL'), graceMs)
  if (child.pid !== undefined) await ended
  clearTimeout(timer)
  kill(child, 'SIGKILL') // what it has started, where that did not listen
}

/** No way out of this program leaves a microphone open. Gives the function that is called when there is nothing left to kill. */
function killOnExit(child: ChildProcess): () => void {
  const now = (): void => kill(child, 'SIGKILL')
  const onHangUp = (): void => { now(); process.kill(process.pid, 'SIGHUP') }
  process.once('exit', now)
  process.once('SIGHUP', onHangUp)
  return () => {
    process.off('exit', now)
    process.off('SIGHUP', onHangUp)
  }
}

const advice: [RegExp, string][] = [
  [/permission denied|not permitted|not authorized/i, process.platform === 'darwin'
    ? 'this terminal may not use the microphone: allow it in System Settings, Privacy & Security, Microphone'
    : 'there is no permission to use the microphone: add yourself to the group "audio" and log in again'],
  [/busy/i, 'another program is using the microphone: close it and try again'],
  [/no handler for/i, 'it was installed without its sound drivers (apt install libsox-fmt-all)'],
  [/no such (file|device)|no default audio device|cannot (find|get) card|can't open input|connection refused|host is down/i,
    'there is no such microphone: plug one in, or name another with `tinyagent config set voice.device NAME` (`arecord -L` lists them)'],
]

/** In one line why a recorder has ended, and what to do. ALSA's library tells its own story before the program does. */
function reason(program: string, said: string, wasHeard: boolean): string {
  const lines = said.split('\n').map(line => line.trim()).filter(line => line !== '' && !line.startsWith('ALSA lib'))
  const last = lines.at(-1) ?? ''
  if (wasHeard) return `The microphone was lost${last ? ` (${last})` : ''}.`
  const known = advice.find(([pattern]) => pattern.test(last))
  return known ? `${program}: ${known[1]}.` : `${program} could not record${last ? ` (${last})` : ''}; check the microphone, and that ${program} works on its own.`
}
