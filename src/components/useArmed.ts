// When a dialog begins to listen. Keys that were typed before it could be read must not answer it: they arrive in the same turn of
// the event loop as the dialog, or while it is drawn, or they are the rest of a word that the user is typing.
import {useEffect, useReducer, useState} from 'react'
import {useKeys} from './useKeys.ts'

export interface Arming {
  /** the user was typing when the dialog opened: it listens once the keys have been quiet for a while */
  overTyping?: boolean
  /** told when the dialog takes the keys */
  onArmed?: () => void
}

const quietMs = 600

/** Whether the dialog listens: `delayMs` after its first frame. */
export function useArmed(delayMs: number, {overTyping = false, onArmed}: Arming): boolean {
  const wait = overTyping ? quietMs : delayMs
  // With nothing to wait for, from the first frame on: no key that is typed at it is lost.
  const [armed, setArmed] = useState(wait === 0)
  const [keys, count] = useReducer((n: number) => n + 1, 0)
  useEffect(() => {
    if (wait === 0) { onArmed?.(); return }
    if (armed) return
    const timer = setTimeout(() => { setArmed(true); onArmed?.() }, wait)
    return () => clearTimeout(timer)
    // Anew with each key; what a parent hands in anew with each frame is no reason.
  }, [keys])
  useKeys(count, !armed && overTyping)
  return armed
}
