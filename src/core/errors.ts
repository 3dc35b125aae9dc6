// Every error has a code, a message that says what happened and what to do next, and its cause (STYLE: Errors).
// Creating one prints nothing.
import type {Candidate, ErrorInfo} from './types.ts'

class TinyagentError extends Error {
  readonly code: string
  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : {cause})
    this.name = new.target.name
    this.code = code
  }
}

/** The command line or the request is wrong; exit 2. */
export class UsageError extends TinyagentError {
  constructor(message: string, cause?: unknown) { super('usage', message, cause) }
}

/** A setting is wrong; the message names file, key and what would be right; exit 2. */
export class ConfigError extends TinyagentError {
  constructor(message: string, cause?: unknown) { super('config', message, cause) }
}

/** The planner wrote something that is not a plan. Repaired, or one replan with `reason`. */
export class PlanError extends TinyagentError {
  readonly line: number
  constructor(line: number, reason: string) { super('plan', `line ${line}: ${reason}`); this.line = line }
}

/** `unknown`: it may have happened, and nobody who was asked could tell; it must not be done again unseen. */
export type ToolErrorCode = 'not-found' | 'ambiguous' | 'invalid-args' | 'unavailable' | 'refused' | 'timeout' | 'failed' | 'unknown'

/** A call failed; what depends on it is skipped, the rest goes on. */
export class ToolError extends TinyagentError {
  readonly candidates: Candidate[] | undefined
  constructor(code: ToolErrorCode, message: string, options: {candidates?: Candidate[]; cause?: unknown} = {}) {
    super(code, message, options.cause)
    this.candidates = options.candidates
  }
}

/** The installation is broken: says which file and what `tinyagent doctor` would do; exit 1. */
export class ModelError extends TinyagentError {
  constructor(message: string, cause?: unknown) { super('model', message, cause) }
}

/** True for the error that an aborted signal throws. */
export const isAbort = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')

const reasons: Record<string, string> = {
  ENOSPC: 'the disk is full', EDQUOT: 'your share of the disk is used up', EROFS: 'the disk is read-only',
  EACCES: 'no permission', EPERM: 'no permission', ENOENT: 'it is not there', ENOTDIR: 'a part of the path is a file',
  EFBIG: 'the file would be too large', EEXIST: 'there is a file of that name', EISDIR: 'it is a folder', ELOOP: 'a link that leads to itself',
}

/** The system's codes (a full disk, no permission) in words; other errors say it themselves. */
export const reasonOf = (error: unknown): string =>
  (isSystemError(error) && reasons[error.code]) || (error instanceof Error ? error.message : String(error))

/** A full disk, a folder without permission: no bug of ours. */
const isSystemError = (error: unknown): error is Error & {code: string; syscall: string; path?: string} =>
  error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'

/** What events and readers see of an error: never a stack. */
export function errorInfo(error: unknown): ErrorInfo {
  if (error instanceof ToolError && error.candidates) return {code: error.code, message: error.message, candidates: error.candidates}
  if (error instanceof TinyagentError) return {code: error.code, message: error.message}
  if (isSystemError(error) && reasons[error.code]) return {code: 'system', message: `${error.path ?? error.syscall} cannot be used: ${reasonOf(error)}`}
  return {code: 'bug', message: error instanceof Error ? error.message : String(error)}
}
