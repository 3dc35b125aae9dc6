// Questions of `setup`, one line each, on a terminal; a password is not shown while it is typed.
import {createInterface} from 'node:readline'
import {Writable} from 'node:stream'
import {printable} from '../core/text.ts'

/** A line of a setup, on standard output. */
export const say = (line: string): void => { process.stdout.write(`${printable(line)}\n`) }

/** The answer, trimmed unless it is hidden; '' for none. Undefined when the user leaves (Ctrl-D). Rejects when `signal` aborts. */
export function prompt(question: string, {isHidden = false, preset = ''}: {isHidden?: boolean; preset?: string}, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const silent = new Writable({write: (_chunk, _encoding, done) => done()})
    const shown = printable(`${question}${preset && ` [${preset}]`}: `)
    if (isHidden) process.stdout.write(shown)
    const reader = createInterface({input: process.stdin, output: isHidden ? silent : process.stdout, terminal: true, historySize: 0, prompt: isHidden ? '' : shown})
    let answer: string | undefined
    const onAbort = (): void => reader.close()
    signal.addEventListener('abort', onAbort, {once: true})
    reader.on('line', line => {
      answer = isHidden ? line : line.trim() || preset
      reader.close()
    })
    // The terminal is in raw mode, so that Ctrl-C is a key; it means what it means everywhere.
    reader.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
    reader.on('close', () => {
      signal.removeEventListener('abort', onAbort)
      if (isHidden || answer === undefined) process.stdout.write('\n')
      if (signal.aborted) reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      else resolve(answer)
    })
    reader.prompt()
  })
}

/** The first line of what is piped in. */
export async function firstLine(maxBytes = 4096): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin) {
    text += String(chunk)
    if (text.includes('\n') || text.length > maxBytes) break
  }
  return text.split(/\r?\n/)[0]!
}
