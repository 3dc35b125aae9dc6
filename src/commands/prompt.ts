// Questions of `setup` on a plain line: they work on any terminal, narrow or without colour, and with a screen reader.
import {createInterface} from 'node:readline'
import {printable} from '../core/text.ts'

/** Is somebody there to ask? */
export const isAskable = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true

/** One line, trimmed; `known` is what Enter alone means. Rejects with the signal's reason, also on Ctrl-C and Ctrl-D. */
export const ask = (question: string, known: string, signal: AbortSignal): Promise<string> =>
  line(`${printable(question)}${known ? ` [${printable(known)}]` : ''}: `, false, signal).then(typed => typed.trim() || known)

/** One line that is not shown. */
export const askSecret = (question: string, signal: AbortSignal): Promise<string> => line(`${printable(question)} (not shown): `, true, signal)

function line(question: string, isSecret: boolean, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = createInterface({input: process.stdin, output: process.stderr, terminal: true, historySize: 0})
    if (isSecret) {
      process.stderr.write(question)
      // readline draws what it writes; without this it would draw the password.
      Object.assign(reader, {_writeToOutput: () => undefined})
    }
    let isDone = false
    const end = (settle: () => void): void => {
      if (isDone) return
      isDone = true
      signal.removeEventListener('abort', onAbort)
      reader.close()
      if (isSecret) process.stderr.write('\n')
      settle()
    }
    const stopped = (): Error => new DOMException('Nobody answered', 'AbortError')
    const onAbort = (): void => end(() => reject(stopped()))
    signal.addEventListener('abort', onAbort, {once: true})
    reader.on('SIGINT', () => { end(() => reject(stopped())); process.kill(process.pid, 'SIGINT') })
    reader.on('close', () => end(() => reject(stopped())))
    reader.question(isSecret ? '' : question, answer => end(() => resolve(answer)))
  })
}
