// An editor in a component's state whose newest value is there at once: several keys may come in one chunk,
// before React has rendered the first of them.
import {useRef, useState} from 'react'
import {emptyEditor, type Editor} from './editor.ts'

export function useEditor(initial: Editor = emptyEditor): {now: () => Editor; set: (change: Editor | ((e: Editor) => Editor)) => void} {
  const latest = useRef(initial)
  const [, setShown] = useState(initial)
  return {
    now: () => latest.current,
    set: change => {
      latest.current = typeof change === 'function' ? change(latest.current) : change
      setShown(latest.current)
    },
  }
}
