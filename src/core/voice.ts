// Speech to text on this machine (Whisper by smart-whisper): samples in, what a person would have typed out.
import {ToolError} from './errors.ts'
export {hasSpeech} from './voice/activity.ts'
export {spokenToTyped} from './voice/typed.ts'

export interface Segment { fromMs: number; toMs: number; text: string }

export interface Transcript {
  /** what a person would have typed; '' where nobody spoke */
  text: string
  segments: Segment[]
}

export interface Transcriber {
  /**
   * `samples`: mono, 16 kHz, in [-1, 1]. `names`: spelled as the user has them (contacts, lists, folders).
   * `onPartial` gets the text so far, during long dictation. Throws the signal's reason, or ModelError.
   */
  transcribe(samples: Float32Array, options: {names?: string[]; signal: AbortSignal; onPartial?: (text: string) => void}): Promise<Transcript>
  close(): Promise<void>
}

/** `model`: a ggml file. Throws ModelError where it is missing or damaged, ToolError 'unavailable' where smart-whisper is not built. */
export async function openTranscriber(options: {model: string; threads?: number}): Promise<Transcriber> {
  throw new ToolError('unavailable', `Voice needs smart-whisper, which is not there (for ${options.model}).`)
}
