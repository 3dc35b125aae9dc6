// A bar on standard error for what takes longer than a second; nothing where nobody looks.
import {printable} from '../core/text.ts'

export interface Progress {
  /** `fraction` from 0 to 1, undefined where nobody knows; `note` is short */
  show(fraction: number | undefined, note?: string): void
  /** takes the bar away */
  end(): void
}

export function progressBar(what: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY || process.env.TERM === 'dumb') return {show: () => undefined, end: () => undefined}
  const started = performance.now()
  let last = ''
  return {
    show(fraction, note = '') {
      if (performance.now() - started < 1000) return
      const width = Math.max(10, stream.columns ?? 80)
      const percent = fraction === undefined ? '' : `${Math.floor(fraction * 100)}%`.padStart(5)
      const room = Math.min(30, width - 1 - what.length - percent.length - note.length - 4)
      const bar = fraction === undefined || room < 8 ? '' : ` [${'#'.repeat(Math.round(fraction * room)).padEnd(room, '.')}]`
      const line = printable(`${what}${bar}${percent}${note && ` ${note}`}`).slice(0, width - 1)
      if (line !== last) stream.write(`\r${line.padEnd(Math.min(width - 1, last.length))}`)
      last = line
    },
    end() {
      if (last !== '') stream.write(`\r${' '.repeat(last.length)}\r`)
      last = ''
    },
  }
}
