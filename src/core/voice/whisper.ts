// whisper.cpp by smart-whisper, in a process of its own (whisper-process.mjs): a crash there is an error here, and an abort ends it at once.
import type {ChildProcess} from 'node:child_process'
import {existsSync} from 'node:fs'
import {createRequire} from 'node:module'
import path from 'node:path'
import {fileURLToPath} from 'node:url'
import {z} from 'zod'
import {ModelError, ToolError} from '../errors.ts'
import {startNode} from '../exec.ts'
import {sampleRate} from './activity.ts'

/** `absent`: the package is not installed; `not-built`: it is, and was not compiled. */
export type WhisperBuild = 'absent' | 'not-built' | 'built'

export const buildCommand = 'tinyagent setup voice'

/** The folder of smart-whisper; undefined where it is not installed. */
export function whisperFolder(): string | undefined {
  try {
    return path.dirname(path.dirname(createRequire(import.meta.url).resolve('smart-whisper')))
  } catch {
    return undefined
  }
}

export function whisperBuild(folder = whisperFolder()): WhisperBuild {
  if (folder === undefined) return 'absent'
  return existsSync(path.join(folder, 'build/Release/smart-whisper.node')) ? 'built' : 'not-built'
}

export const whatToInstall: Record<Exclude<WhisperBuild, 'built'>, string> = {
  absent: 'smart-whisper is not installed; `npm install` in the folder of tinyagent fetches it',
  'not-built': `smart-whisper is not compiled yet; \`${buildCommand}\` does that once (it needs a C++ compiler, make and Python)`,
}

/** A text with the part of the samples it was heard in, in milliseconds. */
export interface Heard { from: number; to: number; text: string }

export interface Whisper {
  /** At most 30 seconds. Throws the signal's reason or ModelError. One at a time. */
  hear(samples: Float32Array, options: {prompt: string; threads: number; signal: AbortSignal}): Promise<Heard[]>
  close(): void
}

const reply = z.union([
  z.object({ready: z.literal(true)}),
  z.object({segments: z.array(z.object({from: z.number(), to: z.number(), text: z.string()}))}),
  z.object({error: z.string()}),
])
type Reply = z.infer<typeof reply>

/** Throws ToolError 'unavailable' where smart-whisper is not there or not built; ModelError where the model can't be loaded. */
export async function openWhisper(model: string, {gpu = process.platform === 'darwin'}: {gpu?: boolean} = {}): Promise<Whisper> {
  const build = whisperBuild()
  if (build !== 'built') throw new ToolError('unavailable', `Voice is not available: ${whatToInstall[build]}.`)
  let child: ChildProcess | undefined
  let said = ''
  const start = async (signal?: AbortSignal): Promise<ChildProcess> => {
    said = ''
    const started = startNode(fileURLToPath(new URL('whisper-process.mjs', import.meta.url)), [model, gpu ? 'gpu' : 'cpu'])
    child = started
    started.stderr?.on('data', (chunk: Buffer) => { said = (said + chunk.toString()).slice(-2000) })
    await next(started, undefined, signal)
    return started
  }
  const stop = (): void => {
    child?.kill('SIGKILL')
    child = undefined
  }

  /** Sends one message, where there is one, and waits for the answer or the end of the process. */
  const next = (to: ChildProcess, message: object | undefined, signal?: AbortSignal): Promise<Reply> => new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      to.removeListener('message', onMessage)
      to.removeListener('exit', onExit)
      to.removeListener('error', onError)
      signal?.removeEventListener('abort', onAbort)
      end()
    }
    const onMessage = (answer: unknown): void => settle(() => resolve(reply.parse(answer)))
    const onExit = (code: number | null, by: string | null): void => settle(() => {
      if (child === to) child = undefined
      reject(new ModelError(`Whisper stopped (${by ?? `exit code ${code}`}) with the model ${model}; \`tinyagent doctor\` checks it, \`${buildCommand}\` compiles Whisper again`, said))
    })
    const onError = (cause: Error): void => settle(() => reject(new ModelError(`Whisper could not be started (${cause.message}); \`${buildCommand}\` compiles it again`, cause)))
    const onAbort = (): void => settle(() => {
      stop()
      reject(signal?.reason as Error)
    })
    to.once('message', onMessage)
    to.once('exit', onExit)
    to.once('error', onError)
    signal?.addEventListener('abort', onAbort, {once: true})
    // A process that has just ended can't be written to; its exit is on the way.
    if (message) to.send(message, () => undefined)
  })

  await start()
  return {
    async hear(samples, {prompt, threads, signal}) {
      signal.throwIfAborted()
      const answer = await next(child ?? await start(signal), {samples: padded(samples), params: params(samples.length, prompt, threads)}, signal)
      if ('segments' in answer) return answer.segments
      throw new ModelError(`Whisper failed: ${'error' in answer ? answer.error : 'an answer out of turn'}`)
    },
    close: stop,
  }
}

/** Whisper says nothing to less than a second. */
const shortest = 1.5 * sampleRate

function padded(samples: Float32Array): Float32Array {
  // A copy either way: what is sent is the whole buffer behind a part of it.
  const out = new Float32Array(Math.max(shortest, samples.length))
  out.set(samples)
  return out
}

/** Greedy: as many words right as with a beam of five, and faster (whisper base, 17 recordings). A key that is undefined is an error there. */
const params = (length: number, prompt: string, threads: number): object => ({
  strategy: 0, best_of: 1, language: 'en', n_threads: threads, audio_ctx: audioContext(length), ...(prompt !== '' && {initial_prompt: prompt}),
})

/** The encoder's frames of 20 ms: those of the sound and a margin, not those of 30 seconds, which costs two to three times as much. */
const audioContext = (length: number): number => Math.min(1500, Math.ceil(Math.max(shortest, length) / 320 / 64) * 64 + 128)
