// The terminal's modes: raw keys and bracketed paste on, and off again on every way out.
import type {KeySource} from './useKeys.ts'

const pasteOn = '\u001b[?2004h'
const pasteOff = '\u001b[?2004l'
const showCursor = '\u001b[?25h'

/** Feeds keys from the terminal to `keys`; the function it gives restores the terminal, and may be called again. */
export function openTerminal(keys: KeySource, stdin: NodeJS.ReadStream = process.stdin, stdout: NodeJS.WriteStream = process.stdout): {restore: () => void; suspend: () => () => void} {
  let on = false
  const onData = (chunk: string): void => keys.feed(chunk)
  const start = (): void => {
    if (on) return
    on = true
    stdin.setEncoding('utf8')
    stdin.setRawMode(true)
    stdin.on('data', onData)
    stdin.resume()
    stdout.write(pasteOn)
  }
  const stop = (): void => {
    if (!on) return
    on = false
    stdin.off('data', onData)
    stdin.setRawMode(false)
    stdin.pause()
    stdout.write(pasteOff + showCursor)
  }
  // Before the modes are on, so that no way out is missed.
  const onSignal = (signal: NodeJS.Signals): void => { stop(); process.kill(process.pid, signal) }
  process.once('exit', stop)
  process.once('SIGTERM', onSignal)
  process.once('SIGHUP', onSignal)
  start()
  return {
    restore: () => {
      process.off('exit', stop)
      process.off('SIGTERM', onSignal)
      process.off('SIGHUP', onSignal)
      stop()
    },
    suspend: () => { stop(); return start },
  }
}
