// Does somebody speak, and since when not: loudness against the room's own, frame by frame, as the samples come. It ends
// a recording and moves the level meter; whether there was speech at all is decided over the whole recording (hasSpeech).
import {sampleRate} from './voice/activity.ts'

const frameMs = 20
const frame = sampleRate * frameMs / 1000
/** The quietest frame of this long is the room's own noise. Between two words there always is one. */
const floorFrames = 4_000 / frameMs
/** Speech is this much louder than the room, and louder than this at all (dBFS); a click is shorter than this. */
const above = 10
const quietest = -55
const nothing = -80
const shortestFrames = 120 / frameMs
/** One bar of the meter. */
const barFrames = 100 / frameMs
/** What the meter shows: nothing at the first, full at the second (dBFS). */
const meterFrom = -60
const meterTo = -12

export class Endpoint {
  /** milliseconds of sound so far */
  ms = 0
  /** milliseconds since somebody spoke last; since the start where nobody did */
  silentMs = 0
  hasSpoken = false
  /** No sample was anything but zero: a microphone that is muted, or that this program may not use. */
  isDead = true
  /** loudness from 0 to 1, a tenth of a second each, the newest last; only the newest are kept */
  levels: number[] = []

  private rest = new Float32Array(0)
  private readonly recent: number[] = []
  private smooth: number | undefined
  private loudFrames = 0
  private bar: number[] = []
  private filter = {x: 0, y: 0}

  feed(samples: Float32Array): void {
    const all = new Float32Array(this.rest.length + samples.length)
    all.set(this.rest)
    all.set(samples, this.rest.length)
    let at = 0
    for (; at + frame <= all.length; at += frame) this.frame(all.subarray(at, at + frame))
    this.rest = all.slice(at)
  }

  private frame(samples: Float32Array): void {
    const loudness = this.loudness(samples)
    // No room is as quiet as nothing: at the start that is a microphone which has not begun, and tells nothing of the room.
    const hasBegun = loudness > nothing || this.recent.length > 0
    this.smooth = hasBegun ? ((this.smooth ?? loudness) + loudness) / 2 : undefined
    if (this.smooth !== undefined) this.recent.push(this.smooth)
    if (this.recent.length > floorFrames) this.recent.shift()
    const isLoud = this.smooth !== undefined && this.smooth > Math.max(Math.min(...this.recent) + above, quietest)
    this.loudFrames = isLoud ? this.loudFrames + 1 : 0
    this.ms += frameMs
    this.silentMs += frameMs
    if (this.loudFrames >= shortestFrames) {
      this.hasSpoken = true
      this.silentMs = 0
    }
    this.bar.push(Math.min(1, Math.max(0, (loudness - meterFrom) / (meterTo - meterFrom))))
    if (this.bar.length === barFrames) {
      this.levels = [...this.levels.slice(-199), Math.max(...this.bar)]
      this.bar = []
    }
  }

  /** dBFS of a frame without its lowest tones: cheap microphones hum, and give a constant besides. */
  private loudness(samples: Float32Array): number {
    let sum = 0
    for (const x of samples) {
      if (x !== 0) this.isDead = false
      this.filter.y = x - this.filter.x + 0.97 * this.filter.y
      this.filter.x = x
      sum += this.filter.y ** 2
    }
    return Math.max(nothing, 10 * Math.log10(sum / samples.length + 1e-12))
  }
}
