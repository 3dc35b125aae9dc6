// `tinyagent transcribe FILE`, and the request in a sound file (--audio FILE).
import path from 'node:path'
import {UsageError} from '../core/errors.ts'
import {jsonLine, oneLine, printable} from '../core/text.ts'
import type {Transcript} from '../core/voice.ts'
import {openAudio, transcribeSound} from '../core/voice/audio-file.ts'
import {progressBar} from './progress.ts'
import {checkRequest} from './request.ts'
import type {Session} from './session.ts'
import {asContacts, spokenNames} from './voice.ts'

export async function transcribeCommand(file: string | undefined, session: Session, signal: AbortSignal): Promise<number> {
  if (file === undefined) throw new UsageError('transcribe needs a file: tinyagent transcribe memo.wav')
  const {text, segments, durationMs} = await transcribeFile(file, session, signal)
  if (session.options.json) process.stdout.write(`${jsonLine({file: path.resolve(file), durationMs: Math.round(durationMs), text, segments: segments.map(s => ({...s}))})}\n`)
  else if (text !== '') process.stdout.write(`${printable(text)}\n`)
  else process.stderr.write(`Nobody speaks in ${printable(file)}\n`)
  return 0
}

/** The request that is spoken in a file, with the names of contacts as they spell them; a transcript of others stays as it was heard. */
export async function spokenRequest(file: string, words: string[], session: Session, signal: AbortSignal): Promise<string> {
  if (words.length > 0) throw new UsageError('--audio takes the request from the file: leave out the words, or --audio')
  const {text: heard, people} = await transcribeFile(file, session, signal)
  if (heard === '') throw new UsageError(`Nobody speaks in ${file}: there is no request`)
  const {text, note} = asContacts(heard, people)
  if (note !== undefined) process.stderr.write(`voice: ${oneLine(note)}\n`)
  return checkRequest(text)
}

async function transcribeFile(file: string, session: Session, signal: AbortSignal): Promise<Transcript & {durationMs: number; people: string[]}> {
  const sound = await openAudio(file, signal)
  const bar = progressBar('Listening')
  try {
    const [transcriber, {names, people}] = await Promise.all([session.transcriber(), spokenNames(session).catch(() => ({names: [], people: []}))])
    const transcript = await transcribeSound(sound, transcriber, {names, signal, onProgress: fraction => bar.show(fraction)})
    return {...transcript, durationMs: sound.durationMs, people}
  } finally {
    bar.end()
    await sound.close()
  }
}
