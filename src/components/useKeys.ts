// Keys reach whoever is listening, through one source: the terminal feeds it, tests feed it.
import {EventEmitter} from 'node:events'
import {createContext, useContext, useLayoutEffect, useRef} from 'react'
import {KeyParser, type Key} from './keys.ts'

/** Gives keys to the component that listened last; a dialog that opens takes the keys from the input line. */
export class KeySource {
  private readonly parser = new KeyParser()
  private readonly emitter = new EventEmitter()

  feed(chunk: string): void { for (const key of this.parser.feed(chunk)) this.emitter.emit('key', key) }
  listen(handler: (key: Key) => void): () => void {
    this.emitter.on('key', handler)
    return () => this.emitter.off('key', handler)
  }
}

export const Keys = createContext(new KeySource())

/** Calls `handler` for every key while `active`. */
export function useKeys(handler: (key: Key) => void, active = true): void {
  const source = useContext(Keys)
  const latest = useRef(handler)
  latest.current = handler
  // In the layout phase: no key that is typed at what the screen shows may come too early.
  useLayoutEffect(() => active ? source.listen(key => latest.current(key)) : undefined, [source, active])
}
