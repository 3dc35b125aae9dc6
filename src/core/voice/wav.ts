// WAV files (RIFF/WAVE, Microsoft's "Multimedia Programming Interface" of 1991 and WAVE_FORMAT_EXTENSIBLE), a second at a time:
// any number of channels, any sample rate, integers of 8 to 32 bits and floats.
import {open, type FileHandle} from 'node:fs/promises'
import {UsageError} from '../errors.ts'
import {sampleRate} from './activity.ts'

export interface Sound {
  durationMs: number
  /** mono, 16 kHz, in [-1, 1], about a second at a time; once */
  samples(signal: AbortSignal): AsyncGenerator<Float32Array>
  close(): Promise<void>
}

interface Format { isFloat: boolean; channels: number; rate: number; bytes: number; from: number; size: number }

/** Throws UsageError for what is no WAV file or holds a coding other than plain numbers. */
export async function openWav(name: string): Promise<Sound> {
  const file = await open(name)
  try {
    const format = await readFormat(file, name)
    const step = format.bytes * format.channels
    return {
      durationMs: Math.floor(format.size / step) / format.rate * 1000,
      close: () => file.close(),
      async *samples(signal) {
        const resample = resampler(format.rate)
        const buffer = Buffer.alloc(step * format.rate)
        for (let at = 0; at < format.size;) {
          signal.throwIfAborted()
          const {bytesRead} = await file.read(buffer, 0, Math.min(buffer.length, format.size - at), format.from + at)
          const count = Math.floor(bytesRead / step)
          if (count === 0) break // cut short
          at += count * step
          yield resample(mono(buffer, count, format))
        }
        yield resample(undefined)
      },
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

export async function isWav(name: string): Promise<boolean> {
  const file = await open(name)
  try {
    const head = Buffer.alloc(12)
    await file.read(head, 0, 12, 0)
    return head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WAVE'
  } finally {
    await file.close()
  }
}

async function readFormat(file: FileHandle, name: string): Promise<Format> {
  const wrong = (reason: string): UsageError => new UsageError(`${name} cannot be read as a WAV file: ${reason}`)
  const {size: fileSize} = await file.stat()
  const head = Buffer.alloc(40)
  let format: Omit<Format, 'from' | 'size'> | undefined
  for (let at = 12; at + 8 <= fileSize;) {
    await file.read(head, 0, 8, at)
    const id = head.toString('latin1', 0, 4)
    const size = head.readUInt32LE(4)
    if (id === 'fmt ') {
      if (size < 16) throw wrong('its format is cut short')
      await file.read(head, 0, Math.min(40, size), at + 8)
      format = formatOf(head, size, wrong)
    } else if (id === 'data') {
      if (!format) throw wrong('its sound comes before its format')
      // A recorder that writes to a pipe does not know the length: 0 or all ones.
      const left = fileSize - at - 8
      return {...format, from: at + 8, size: size === 0 ? left : Math.min(size, left)}
    }
    at += 8 + size + size % 2
  }
  throw wrong('it holds no sound')
}

function formatOf(head: Buffer, size: number, wrong: (reason: string) => UsageError): Omit<Format, 'from' | 'size'> {
  const tag = head.readUInt16LE(0)
  const code = tag === 0xfffe && size >= 40 ? head.readUInt16LE(24) : tag
  const channels = head.readUInt16LE(2)
  const rate = head.readUInt32LE(4)
  const bits = head.readUInt16LE(14)
  const isFloat = code === 3
  if (code !== 1 && !isFloat) throw wrong(`its coding (${code}) is not plain samples; ffmpeg can turn it into some: ffmpeg -i FILE -c:a pcm_s16le OUT.wav`)
  if (!(isFloat ? [32, 64] : [8, 16, 24, 32]).includes(bits)) throw wrong(`samples of ${bits} bits`)
  if (channels < 1 || channels > 64 || rate < 1000 || rate > 768_000) throw wrong(`${channels} channels at ${rate} Hz`)
  return {isFloat, channels, rate, bytes: bits / 8}
}

/** The mean of the channels. */
function mono(buffer: Buffer, count: number, {isFloat, bytes, channels}: Format): Float32Array {
  const read = isFloat
    ? (at: number): number => bytes === 4 ? buffer.readFloatLE(at) : buffer.readDoubleLE(at)
    // Eight bits have no sign.
    : bytes === 1 ? (at: number): number => (buffer[at]! - 128) / 128 : (at: number): number => buffer.readIntLE(at, bytes) / 2 ** (8 * bytes - 1)
  const out = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    let sum = 0
    for (let c = 0; c < channels; c++) sum += read((i * channels + c) * bytes)
    const mean = sum / channels
    out[i] = mean >= -1 && mean <= 1 ? mean : mean > 1 ? 1 : mean < -1 ? -1 : 0 // NaN is silence
  }
  return out
}

/** Zero crossings of the filter on each side; 16 keep a tone at 7 kHz and lose one at 9 kHz. */
const crossings = 16

/** From any rate to 16 kHz by a windowed sinc; what a call leaves over comes with the next, `undefined` is the end. */
export function resampler(rate: number): (samples: Float32Array | undefined) => Float32Array {
  if (rate === sampleRate) return samples => samples ?? new Float32Array()
  const step = rate / sampleRate
  // Downwards, what 16 kHz can't hold is taken out.
  const cut = Math.min(1, 1 / step) * 0.95
  const reach = Math.ceil(crossings / cut)
  let kept = new Float32Array(reach)
  /** of the next sample, in `kept` */
  let at = reach
  // Of a place between two samples, in 4096ths; there are few of them, since the rates have common divisors.
  const filters = new Map<number, Float32Array>()
  const filterAt = (phase: number): Float32Array => {
    const made = filters.get(phase) ?? new Float32Array(2 * reach)
    if (filters.has(phase)) return made
    for (let i = 0; i < made.length; i++) {
      const x = phase / 4096 + reach - 1 - i
      const window = 0.5 + 0.5 * Math.cos(Math.PI * x / (reach + 1))
      made[i] = window * (Math.abs(x) < 1e-9 ? cut : Math.sin(Math.PI * cut * x) / (Math.PI * x))
    }
    filters.set(phase, made)
    return made
  }
  const sample = (place: number): number => {
    const nearest = Math.round(place * 4096) / 4096
    const middle = Math.floor(nearest)
    const filter = filterAt(Math.round((nearest - middle) * 4096))
    let sum = 0
    for (let i = 0; i < filter.length; i++) sum += (kept[middle - reach + 1 + i] ?? 0) * filter[i]!
    return sum
  }
  return samples => {
    const fresh = samples ?? new Float32Array(reach)
    const all = new Float32Array(kept.length + fresh.length)
    all.set(kept)
    all.set(fresh, kept.length)
    kept = all
    const count = Math.max(0, Math.ceil((kept.length - reach - at) / step))
    const out = new Float32Array(count)
    for (let i = 0; i < count; i++) out[i] = sample(at + i * step)
    at += count * step
    const gone = Math.max(0, Math.floor(at) - reach)
    kept = kept.slice(gone)
    at -= gone
    return out
  }
}
