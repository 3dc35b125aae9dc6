// State whose newest value is there at once: several keys may come in one chunk, before React has rendered the first of
// them, and each has to be understood by what the one before it made.
import {useRef, useState} from 'react'

export interface Latest<T> { now: () => T; set: (change: T | ((value: T) => T)) => void }

/** T is never a function. */
export function useLatest<T>(initial: T): Latest<T> {
  const latest = useRef(initial)
  const [, setShown] = useState<{value: T}>({value: initial})
  return {
    now: () => latest.current,
    set: change => {
      latest.current = typeof change === 'function' ? (change as (value: T) => T)(latest.current) : change // T is no function
      setShown({value: latest.current})
    },
  }
}
