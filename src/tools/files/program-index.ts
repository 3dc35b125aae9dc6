// Paths from a program that keeps an index of the disk: a list of candidates, never the last word. What it names is checked against the
// disk, the roots and the excludes by find.ts.
import {realpath} from 'node:fs/promises'
import path from 'node:path'
import {ToolError} from '../../core/errors.ts'
import {exec} from '../../core/exec.ts'
import type {FileIndex} from './find.ts'

/** Half a million paths of 256 bytes. */
const maxBytes = 128 * 1024 * 1024

/** Paths with a NUL after each. */
const byNul = (stdout: string): string[] => stdout.split('\0')

/**
 * Everything that `program` knows below a root. `argsOf` gets the root, and the root with a separator at its end; `pathsOf` gets what
 * the program prints. Undefined where it cannot say: no program, no index, an error, no answer in time. Throws the signal's reason only.
 */
export const programIndex = (program: string, argsOf: (root: string, below: string) => string[], pathsOf = byNul): FileIndex => async (root, signal) => {
  try {
    // An index has real paths; a root may be a link.
    const real = await realpath(root)
    const below = real.endsWith(path.sep) ? real : real + path.sep
    const {code, stdout} = await exec(program, argsOf(real, below), {signal, maxBytes})
    if (code !== 0) return undefined
    return pathsOf(stdout).filter(file => file.startsWith(below)).map(file => path.join(root, file.slice(below.length)))
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ToolError || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
}
