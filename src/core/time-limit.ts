// A time limit that stands still while a person thinks.

/** Why a signal was aborted, as an error whatever it was given. */
export const abortReason = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new DOMException('This operation was aborted', 'AbortError')

/** Settles with `work`, or rejects once the signal aborts; `work` goes on, and what becomes of it is no longer looked at. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(abortReason(signal))
    signal.addEventListener('abort', onAbort, {once: true})
  })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

export interface TimeLimit {
  signal: AbortSignal
  end(): void
  /** The whole time again, for what comes next. */
  renew(): void
  /** Time spent in `wait` does not count. */
  pause<T>(wait: Promise<T>): Promise<T>
  /**
   * Settles with `work`, or rejects once the signal aborts, also when `work` ignores it. A side effect in flight
   * gets a grace to come to its own end, so that what was done is known.
   */
  race<T>(work: Promise<T>, isEffect: boolean): Promise<T>
}

/** Aborts `signal` after `ms` of its own time, or with `parent`. Call `end` when the work is over. */
export function timeLimit(ms: number, graceMs: number, parent: AbortSignal): TimeLimit {
  const own = new AbortController()
  const signal = AbortSignal.any([parent, own.signal])
  let left = ms
  let startedAt = 0
  let waits = 0
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  const start = (): void => {
    if (isOver) return // a wait may end after the work that began it
    startedAt = performance.now()
    timer = setTimeout(() => own.abort(new DOMException('The time limit has passed', 'TimeoutError')), left)
  }
  const stop = (): void => {
    clearTimeout(timer)
    left -= performance.now() - startedAt
  }
  start()
  return {
    signal,
    end: () => {
      isOver = true
      clearTimeout(timer)
    },
    renew: () => {
      if (waits === 0) stop()
      left = ms
      if (waits === 0) start()
    },
    async pause(wait) {
      if (waits++ === 0) stop()
      try { return await wait } finally { if (--waits === 0) start() }
    },
    async race(work, isEffect) {
      let grace: NodeJS.Timeout | undefined
      let onAbort = (): void => undefined
      const aborted = new Promise<never>((_, reject) => {
        onAbort = () => {
          if (isEffect) grace = setTimeout(() => reject(abortReason(signal)), graceMs)
          else reject(abortReason(signal))
        }
      })
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, {once: true})
      try {
        return await Promise.race([work, aborted])
      } finally {
        clearTimeout(grace)
        signal.removeEventListener('abort', onAbort)
      }
    },
  }
}
