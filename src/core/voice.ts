// Speech to text on this machine (Whisper by smart-whisper): samples in, what a person would have typed out.
import {availableParallelism} from 'node:os'
import {statSync} from 'node:fs'
import {ModelError} from './errors.ts'
import {freeThreads, readLoad, type Load} from './model/threads.ts'
import {sampleRate, speechPieces} from './voice/activity.ts'
import {promptOf} from './voice/prompt.ts'
import {spokenToTyped} from './voice/typed.ts'
import {openWhisper, type Heard} from './voice/whisper.ts'
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
   * `samples`: mono, 16 kHz, in [-1, 1]. `names`: spelled as the user has them (contacts, lists, folders), the likeliest first.
   * `onPartial` gets the text so far, after each piece of at most half a minute. Throws the signal's reason, or ModelError.
   */
  transcribe(samples: Float32Array, options: {names?: string[]; signal: AbortSignal; onPartial?: (text: string) => void}): Promise<Transcript>
  close(): Promise<void>
}

/**
 * `model`: a ggml file; `threads`: default one for each core that other programs leave free. Throws ModelError where the model is
 * missing or damaged, ToolError 'unavailable', which says what to do, where smart-whisper is not there or not compiled.
 */
export async function openTranscriber({model, threads}: {model: string; threads?: number}): Promise<Transcriber> {
  checkModel(model)
  const whisper = await openWhisper(model)
  const cores = availableParallelism()
  let before: Load = readLoad()
  let free = cores
  const threadsNow = (): number => {
    const load = readLoad()
    const found = freeThreads(before, load, cores, cores)
    if (found !== undefined) [free, before] = [found, load]
    return free
  }
  // One after the other: two at once would share the cores.
  let turn: Promise<unknown> = Promise.resolve()
  return {
    transcribe(samples, {names = [], signal, onPartial}) {
      const mine = turn.then(async () => {
        const segments: Segment[] = []
        const text = (): string => spokenToTyped(segments.map(s => s.text).join(' '))
        const pieces = speechPieces(samples)
        for (const [i, {from, to}] of pieces.entries()) {
          const heard = await whisper.hear(samples.subarray(from, to), {prompt: promptOf(names), threads: threads ?? threadsNow(), signal})
          segments.push(...cleaned(heard, from / sampleRate * 1000, to / sampleRate * 1000))
          if (i < pieces.length - 1) onPartial?.(text())
        }
        signal.throwIfAborted()
        return {text: text(), segments}
      })
      turn = mine.catch(() => undefined)
      return mine
    },
    async close() {
      whisper.close()
    },
  }
}

/** Of another size than its header says it ends whisper.cpp's process, which says less than this. */
function checkModel(model: string): void {
  const stats = statSync(model, {throwIfNoEntry: false})
  if (!stats?.isFile()) throw new ModelError(`${model} is missing: install tinyagent again; \`tinyagent doctor\` checks all files`)
  if (stats.size < 1_000_000) throw new ModelError(`${model} is damaged (${stats.size} bytes): install tinyagent again; \`tinyagent doctor\` checks all files`)
}

/** "[BLANK_AUDIO]", "(wind howling)", "♪": what Whisper says of sounds that are no speech. */
const aside = /\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|[♪♫]+/g

/** The segments of one piece, at their place in the recording. */
function cleaned(heard: Heard[], fromMs: number, toMs: number): Segment[] {
  return heard.flatMap(({from, to, text}) => {
    const words = text.replace(aside, ' ').replace(/\s+/g, ' ').trim()
    if (!/[\p{L}\p{N}]/u.test(words)) return []
    return [{fromMs: Math.round(fromMs + from), toMs: Math.round(Math.min(toMs, fromMs + to)), text: words}]
  })
}
