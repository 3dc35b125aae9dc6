// Voice activity: is anybody speaking?

/** `samples`: mono, 16 kHz, in [-1, 1]. */
export function hasSpeech(samples: Float32Array): boolean {
  return samples.some(s => Math.abs(s) > 0.02)
}
