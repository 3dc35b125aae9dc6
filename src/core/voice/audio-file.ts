// A file of sound -> samples -> text. WAV is read here; other formats go through ffmpeg, where there is one.
import {rm, stat} from 'node:fs/promises'
import path from 'node:path'
import {reasonOf, ToolError, UsageError} from '../errors.ts'
import {exec} from '../exec.ts'
import {makeTempFolder} from '../temp-folder.ts'
import type {Segment, Transcriber, Transcript} from '../voice.ts'
import {quietest, sampleRate} from './activity.ts'
import {isWav, openWav, type Sound} from './wav.ts'

/** Throws UsageError where there is no such file or no sound in it, ToolError 'unavailable' where it takes ffmpeg and there is none. */
export async function openAudio(name: string, signal: AbortSignal): Promise<Sound> {
  const file = path.resolve(name)
  let isFile: boolean
  try {
    isFile = (await stat(file)).isFile()
    if (isFile && await isWav(file)) return await openWav(file)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${name} cannot be read: ${reasonOf(error)}`, error)
  }
  if (!isFile) throw new UsageError(`${name} is not a file`)
  return convert(file, name, signal)
}

/** Through a WAV file in a folder of our own, which goes when the sound is closed. */
async function convert(file: string, name: string, signal: AbortSignal): Promise<Sound> {
  const folder = await makeTempFolder()
  const remove = (): Promise<void> => rm(folder, {recursive: true, force: true})
  try {
    const wav = path.join(folder, 'sound.wav')
    // Only files: a playlist may name addresses on the network. "file:" keeps a name from being an option or a protocol.
    const {code, stderr} = await exec('ffmpeg', ['-nostdin', '-v', 'error', '-protocol_whitelist', 'file', '-i', `file:${file}`, '-vn', '-ac', '1', '-ar', String(sampleRate), '-c:a', 'pcm_s16le', wav],
      {signal, timeoutMs: 30 * 60_000})
    if (code !== 0) throw new UsageError(`${name} holds no sound that ffmpeg can read (${stderr.trim().split('\n').at(-1) ?? `exit code ${code}`})`)
    const sound = await openWav(wav)
    return {...sound, close: async () => { await sound.close(); await remove() }}
  } catch (error) {
    await remove()
    if (error instanceof ToolError && error.code === 'unavailable') {
      throw new ToolError('unavailable', `${name} is not a WAV file, and other formats take ffmpeg, which is not installed: install it, or give a WAV file.`, {cause: error})
    }
    throw error
  }
}

/** Handed to the transcriber at once: whole sentences, and little memory. */
const most = 60 * sampleRate

export interface FileOptions {
  names?: string[]
  signal: AbortSignal
  /** `fraction` from 0 to 1 of the sound is done; `text` so far */
  onProgress?: (fraction: number, text: string) => void
}

/** The text of a sound of any length, a minute at a time, cut where it is quiet. */
export async function transcribeSound(sound: Sound, transcriber: Transcriber, {names = [], signal, onProgress}: FileOptions): Promise<Transcript> {
  const texts: string[] = []
  const segments: Segment[] = []
  let offset = 0
  let waiting = new Float32Array(most * 2)
  let length = 0
  const hear = async (count: number): Promise<void> => {
    const startMs = offset / sampleRate * 1000
    const heard = await transcriber.transcribe(waiting.slice(0, count), {names, signal})
    if (heard.text !== '') texts.push(heard.text)
    segments.push(...heard.segments.map(s => ({...s, fromMs: s.fromMs + startMs, toMs: s.toMs + startMs})))
    waiting.copyWithin(0, count, length)
    length -= count
    offset += count
    onProgress?.(Math.min(1, offset / sampleRate * 1000 / sound.durationMs), texts.join(' '))
  }
  for await (const samples of sound.samples(signal)) {
    if (length + samples.length > waiting.length) waiting = grown(waiting, length + samples.length)
    waiting.set(samples, length)
    length += samples.length
    while (length >= most) await hear(quietest(waiting, most * 2 / 3, most))
  }
  if (length > 0) await hear(length)
  return {text: texts.join(' '), segments}
}

function grown(samples: Float32Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(length)
  out.set(samples)
  return out
}
