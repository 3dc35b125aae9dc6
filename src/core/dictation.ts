// One dictation: listens to a microphone until the speaker is silent, and has the words written down. The model loads while
// the user speaks, and of a long dictation each part is written down while the next one is spoken.
import {Endpoint} from './endpoint.ts'
import {ToolError} from './errors.ts'
import type {Dictation, DictationView} from './types.ts'
import type {Transcriber} from './voice.ts'

/** Nobody has said anything for so long: the microphone is not left open. */
const nobodyMs = 15_000
/** When to say what to check. */
const hintMs = 3_000
const limitMs = 300_000
/** A part of a long dictation has at least this length and ends in a pause, so that no word is cut and little context is lost. */
const partMs = 12_000
const pauseMs = 500
/** A microphone that was lost after less than this has given nothing to keep. */
const keptMs = 300

export interface DictationDeps {
  /** the microphone; it ends when `signal` aborts */
  sound: (signal: AbortSignal) => AsyncIterable<Float32Array>
  /** being loaded */
  transcriber: Promise<Transcriber>
  /** how names are spelled */
  names: Promise<string[]>
  /** that much silence after speech ends it; 0: only the user does */
  silenceMs: number
  stop: AbortSignal
  signal: AbortSignal
  onView: (view: DictationView) => void
}

/** Throws the reason of `signal`, what the microphone throws before it has given anything, or what the transcriber throws. */
export async function dictate({sound, transcriber, names, silenceMs, stop, signal, onView}: DictationDeps): Promise<Dictation> {
  const heard = new Endpoint()
  const over = new AbortController()
  let blocks: Float32Array[] = []
  let partStart = 0
  let texts: string[] = []
  let current = ''
  let failure: unknown
  let writing: Promise<void> = Promise.resolve()
  let phase: DictationView['phase'] = 'opening'
  const partial = (): string => [...texts, current].filter(text => text !== '').join(' ')
  const show = (): void => onView({phase, ms: heard.ms, levels: heard.levels, hasSpoken: heard.hasSpoken, partial: partial(), ...hintOf(heard, phase)})
  const fail = (error: unknown): void => {
    failure ??= error
    over.abort()
  }
  // Nobody should speak for a minute to be told then that there is no model.
  transcriber.catch(fail)
  const write = (samples: Float32Array): void => {
    writing = writing.then(async () => {
      if (failure !== undefined) return
      const {text} = await (await transcriber).transcribe(samples, {
        names: await names, signal, onPartial: text => { current = text; show() },
      })
      current = ''
      texts = [...texts, text]
      show()
    }).catch(fail)
  }
  const takePart = (): void => {
    const samples = joined(blocks)
    blocks = []
    partStart = heard.ms
    if (samples.length > 0) write(samples)
  }

  show()
  let notice: string | undefined
  try {
    for await (const block of sound(AbortSignal.any([over.signal, stop, signal]))) {
      phase = 'listening'
      blocks.push(block)
      heard.feed(block)
      show()
      if (silenceMs > 0 && heard.hasSpoken && heard.silentMs >= silenceMs) break
      if (!heard.hasSpoken && heard.ms >= nobodyMs) break
      if (heard.ms >= limitMs) { notice = `Recording ends after ${limitMs / 60_000} minutes.`; break }
      if (heard.ms - partStart >= partMs && heard.silentMs >= pauseMs) takePart()
    }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof ToolError) || heard.ms < keptMs) throw error
    notice = `${error.message} What was heard until then is kept.`
  }
  signal.throwIfAborted()
  phase = 'writing'
  show()
  takePart()
  await writing
  signal.throwIfAborted()
  if (failure !== undefined) throw failure
  const text = partial()
  if (text === '') notice = notice === undefined || heard.isDead ? nothingHeard(heard) : `${notice} There were no words in it.`
  return {text, ...(notice !== undefined && {notice})}
}

const allow = process.platform === 'darwin'
  ? 'The microphone gives nothing: is it muted, or is this terminal not allowed to use it (System Settings, Privacy & Security, Microphone)?'
  : 'The microphone gives nothing: is it muted, or the wrong one (voice.device in the config names another)?'

const hintOf = (heard: Endpoint, phase: DictationView['phase']): {hint?: string} =>
  phase !== 'listening' || heard.hasSpoken || heard.ms < hintMs ? {} : {hint: heard.isDead ? allow : 'Nothing heard yet: speak up, or check the microphone.'}

const nothingHeard = (heard: Endpoint): string => heard.isDead ? allow : 'Nothing was understood: speak closer to the microphone, or check that it is the right one.'

function joined(blocks: Float32Array[]): Float32Array {
  const all = new Float32Array(blocks.reduce((length, block) => length + block.length, 0))
  let at = 0
  for (const block of blocks) { all.set(block, at); at += block.length }
  return all
}

