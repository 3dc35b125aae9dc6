// Voice activity: where somebody speaks. Whisper invents words for silence and noise ("Thank you."), so it gets none of either.
// A frame is voice where it stands out of the noise round it and repeats itself at the pitch of a voice; noise has no pitch,
// and a tone has one but nothing else. A whisper has no pitch either: it is not heard.

export const sampleRate = 16_000

/** Samples [from, to) of a recording. */
export interface Span { from: number; to: number }

/** Frames are looked at in 8 kHz: every 16 ms, 40 ms long. */
const half = 2
const hop = 128
const frame = 320
/** Pitch from 400 to 70 Hz, in samples at 8 kHz. */
const shortestLag = 20
const longestLag = 114
/** Half of a frame's power repeats itself: the noise is no louder than the voice. White noise reaches 0.3 in 40 ms. */
const leastPitch = 0.5
const overNoiseDb = 6
/** Below this nobody speaks, whatever the noise: the last two bits of 16 or so. */
const quietestDb = -62
/** A tone is foretold by its last two samples to within this share of its power; a vowel is not. */
const toneResidue = 0.004
/** The noise of a place changes slowly. */
const floorFrames = Math.round(10 * 8000 / hop)
/** 80 ms of pitch in a fifth of a second are a syllable. */
const voicedOf = {frames: 12, least: 5}
/** Consonants before and after the vowels, which have no pitch. */
const before = Math.round(0.3 * sampleRate)
const after = Math.round(0.4 * sampleRate)

/** `samples`: mono, 16 kHz, in [-1, 1]. */
export const hasSpeech = (samples: Float32Array): boolean => speechSpans(samples).length > 0

/** Where somebody speaks, in order and apart from each other, with a margin for soft consonants. */
export function speechSpans(samples: Float32Array): Span[] {
  const voiced = voicedFrames(samples)
  const spans: Span[] = []
  let count = 0
  for (let i = 0; i < voiced.length; i++) {
    count += voiced[i]! - (voiced[i - voicedOf.frames] ?? 0)
    if (count < voicedOf.least) continue
    const from = Math.max(0, (i - voicedOf.frames + 1) * hop * half - before)
    const to = Math.min(samples.length, (i * hop + frame) * half + after)
    const last = spans.at(-1)
    if (last && from <= last.to) last.to = to
    else spans.push({from, to})
  }
  return spans
}

function voicedFrames(samples: Float32Array): Uint8Array {
  const sound = withoutRumble(halved(samples))
  const count = Math.max(0, Math.floor((sound.length - frame) / hop) + 1)
  whiten(sound, levels(sound, count))
  const level = levels(sound, count)
  const floor = noiseFloor(level)
  const voiced = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    if (level[i]! >= Math.max(floor[i]! + overNoiseDb, quietestDb) && isVoice(sound.subarray(i * hop, i * hop + frame))) voiced[i] = 1
  }
  return voiced
}

/** Half the samples, without what would fold down. */
function halved(samples: Float32Array): Float32Array {
  const out = new Float32Array(samples.length >> 1)
  for (let i = 0; i < out.length; i++) out[i] = ((samples[2 * i - 1] ?? 0) + 2 * samples[2 * i]! + samples[2 * i + 1]!) / 4
  return out
}

/** A high-pass at 80 Hz: mains hum, wind on the microphone, a constant. */
function withoutRumble(sound: Float32Array): Float32Array {
  const keep = Math.exp(-2 * Math.PI * 80 / 8000)
  let previous = sound[0] ?? 0
  let out = 0
  for (let i = 0; i < sound.length; i++) {
    const sample = sound[i]!
    out = keep * (out + sample - previous)
    previous = sample
    sound[i] = out
  }
  return sound
}

/** Of each frame, in dB of full scale. */
function levels(sound: Float32Array, count: number): Float32Array {
  const level = new Float32Array(count)
  for (let i = 0; i < count; i++) level[i] = 10 * Math.log10(dot(sound, i * hop, i * hop, frame) / frame + 1e-12)
  return level
}

/** Flattens the noise, in place, by what its quietest fifth looks like: brown noise repeats itself a little at any lag, white noise does not. */
function whiten(sound: Float32Array, level: Float32Array): void {
  const limit = percentile(level, 0.2)
  let power = 1e-9
  let next = 0
  for (let i = 0; i < level.length; i++) {
    if (level[i]! > limit) continue
    power += dot(sound, i * hop, i * hop, frame - 1)
    next += dot(sound, i * hop, i * hop + 1, frame - 1)
  }
  // Without any noise: the slope of a voice itself.
  const slope = power < 1e-6 ? 0.9 : Math.min(0.98, Math.max(0, next / power))
  let previous = 0
  for (let i = 0; i < sound.length; i++) {
    const sample = sound[i]!
    sound[i] = sample - slope * previous
    previous = sample
  }
}

/** The level of the noise at each frame: that of the quiet frames of the ten seconds round it. */
function noiseFloor(level: Float32Array): Float32Array {
  const floor = new Float32Array(level.length)
  const step = Math.max(1, floorFrames >> 3)
  for (let i = 0; i < level.length; i += step) {
    const near = level.subarray(Math.max(0, i - floorFrames / 2), i + floorFrames / 2)
    // Within a second there may be no pause to learn the noise from.
    floor.fill(near.length * hop < 8000 ? Math.min(-50, percentile(near, 0.1)) : percentile(near, 0.1), i, i + step)
  }
  return floor
}

function isVoice(part: Float32Array): boolean {
  const span = frame - longestLag
  const power = dot(part, 0, 0, span)
  if (power === 0 || isTone(part)) return false
  let later = dot(part, shortestLag, shortestLag, span)
  for (let lag = shortestLag; lag <= longestLag; lag++) {
    if (dot(part, 0, lag, span) > leastPitch * Math.sqrt(power * later)) return true
    later = Math.max(1e-12, later + part[lag + span]! ** 2 - part[lag]! ** 2)
  }
  return false
}

/** Linear prediction of the second order: what is left is next to nothing for one tone alone. */
function isTone(part: Float32Array): boolean {
  const span = frame - 2
  const power = dot(part, 0, 0, span)
  const first = dot(part, 0, 1, span) / power
  const second = dot(part, 0, 2, span) / power
  const left = 1 - first ** 2
  return left <= 0 || left * (1 - ((second - first ** 2) / left) ** 2) < toneResidue
}

function dot(sound: Float32Array, a: number, b: number, count: number): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += sound[a + i]! * sound[b + i]!
  return sum
}

function percentile(values: Float32Array, share: number): number {
  return values.slice().sort()[Math.floor(share * (values.length - 1))] ?? -Infinity
}

/** Whisper hears 30 seconds at once. */
const longestPiece = 28 * sampleRate
/** A pause after which a new piece begins; shorter ones help Whisper to see the sentence. */
const pause = 2 * sampleRate

/** The speech in pieces that Whisper can hear at once, cut in pauses where there are any, without long silence. */
export function speechPieces(samples: Float32Array): Span[] {
  const pieces: Span[] = []
  for (const span of speechSpans(samples).flatMap(s => shortened(samples, s))) {
    const last = pieces.at(-1)
    if (last && span.from - last.to < pause && span.to - last.from <= longestPiece) last.to = span.to
    else pieces.push({...span})
  }
  return pieces
}

/** Somebody who draws no breath for half a minute is cut where the voice is lowest. */
function shortened(samples: Float32Array, span: Span): Span[] {
  const spans: Span[] = []
  let {from} = span
  while (span.to - from > longestPiece) {
    const cut = quietest(samples, from + longestPiece / 2, from + longestPiece)
    spans.push({from, to: cut})
    from = cut
  }
  return [...spans, {from, to: span.to}]
}

/** The middle of the quietest tenth of a second in [from, to). */
export function quietest(samples: Float32Array, from: number, to: number): number {
  const width = sampleRate / 10
  let best = from
  let least = Infinity
  for (let at = from; at + width <= to; at += width / 4) {
    const power = dot(samples, at, at, width)
    if (power < least) [best, least] = [at, power]
  }
  return best + width / 2
}
