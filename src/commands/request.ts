// The text of a request: from the command line or standard input, and what makes one.
import {addAbortSignal} from 'node:stream'
import {UsageError} from '../core/errors.ts'

const maxLength = 4000

/** The words of the command line, or standard input for "-" and where nothing was typed; undefined: the REPL. */
export async function readRequest(words: string[], signal: AbortSignal): Promise<string | undefined> {
  const text = words.join(' ')
  if (text === '-' || (words.length === 0 && !process.stdin.isTTY)) return readStdin(signal)
  return words.length === 0 ? undefined : checkRequest(text)
}

async function readStdin(signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of addAbortSignal(signal, process.stdin)) {
    const bytes = Buffer.from(chunk as Uint8Array)
    chunks.push(bytes)
    size += bytes.length
    if (size > maxLength * 8) break // too long in any writing; the rest is not needed to say so
  }
  const bytes = Buffer.concat(chunks)
  try {
    const text = new TextDecoder('utf-8', {fatal: size <= maxLength * 8}).decode(bytes)
    return checkRequest(text)
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError('The request on standard input is not text', error)
    throw error
  }
}

export function checkRequest(text: string): string {
  const request = text.trim()
  // C0 controls but tab and line ends: no keyboard writes them into a request.
  if (/[\u0000-\u0008\u000e-\u001f\u007f]/.test(request)) throw new UsageError('The request is not text: it holds control characters')
  if (request === '') throw new UsageError('The request is empty: tinyagent "remind me to ..."')
  if (isTooLong(request)) throw new UsageError(`The request is too long: ${[...request].length} characters, ${maxLength} at most`)
  return request
}

export const isTooLong = (request: string): boolean => [...request].length > maxLength
