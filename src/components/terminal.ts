// The terminal's modes: raw keys and bracketed paste on, and off again on every way out. And stdout as Ink gets it.
import {stripVTControlCharacters} from 'node:util'
import stringWidth from 'string-width'
import type {KeySource} from './useKeys.ts'

const pasteOn = '\u001b[?2004h'
const pasteOff = '\u001b[?2004l'
const showCursor = '\u001b[?25h'

/** What is drawn waits here while another program has the terminal. */
export class Gate {
  private held: (() => void)[] | undefined
  hold(): void { this.held ??= [] }
  open(): void {
    const late = this.held ?? []
    this.held = undefined
    late.forEach(write => write())
  }
  /** Does it now, or once the gate opens. */
  pass(write: () => void): void { if (this.held) this.held.push(write); else write() }
}

/** Feeds keys from the terminal to `keys`; the function it gives restores the terminal, and may be called again. */
export function openTerminal(keys: KeySource, gate: Gate, stdin: NodeJS.ReadStream = process.stdin, stdout: NodeJS.WriteStream = process.stdout): {restore: () => void; suspend: () => () => void} {
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
  const onHangUp = (): void => { stop(); process.kill(process.pid, 'SIGHUP') }
  process.once('exit', stop)
  process.once('SIGHUP', onHangUp)
  start()
  return {
    restore: () => {
      process.off('exit', stop)
      process.off('SIGHUP', onHangUp)
      stop()
    },
    suspend: () => {
      gate.hold()
      stop()
      return () => { start(); gate.open() }
    },
  }
}

/** Terminals that leave rows as they are when they become narrower; the others break them into more rows. */
const keepsRows = ({XTERM_VERSION, TERM = ''}: NodeJS.ProcessEnv): boolean => XTERM_VERSION !== undefined || /^(linux|rxvt)/.test(TERM)

/** Colours of the text and behind it; bold and inverse stay, since the cursor and the chosen row are shown by them. */
const colours = /\u001b\[(?:[34]\d|9[0-7]|10[0-7])(?:;\d+)*m/g

/**
 * Stdout for Ink, which obeys NO_COLOR (chalk does not) and repairs two things of its redrawing: on a window that becomes narrower it erases as many rows as it
 * wrote, though they are more by then, and on one that becomes lower than the live part it clears the scrollback too.
 */
export function inkStdout(gate: Gate, stdout: NodeJS.WriteStream = process.stdout, env: NodeJS.ProcessEnv = process.env): NodeJS.WriteStream {
  let frame = ''
  let width = stdout.columns
  const write = stdout.write.bind(stdout)
  // Before Ink hears of it: it starts from where the cursor is then.
  stdout.prependListener('resize', () => {
    const lines = frame.split('\n').slice(0, -1)
    const reflowed = lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(stringWidth(line) / stdout.columns)), 0)
    const more = keepsRows(env) ? 0 : reflowed - lines.length
    if (stdout.columns < width && more > 0) write(`\u001b[${more}A\u001b[J`)
    width = stdout.columns
  })
  const drawn = (chunk: unknown): unknown => {
    if (typeof chunk !== 'string') return chunk
    const text = stripVTControlCharacters(chunk)
    if (text !== '') frame = text // what Ink writes last is the live part
    return env['NO_COLOR'] ? chunk.replace(colours, '') : chunk
  }
  return new Proxy(stdout, {
    get(target, name) {
      if (name === 'rows') return Infinity
      const value: unknown = Reflect.get(target, name, target)
      if (name === 'write') return (chunk: unknown, ...rest: unknown[]) => { gate.pass(() => { Reflect.apply(target.write, target, [drawn(chunk), ...rest]) }); return true }
      return typeof value === 'function' ? value.bind(target) as unknown : value
    },
  })
}
