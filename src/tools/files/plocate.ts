// Paths from plocate's database, which the system renews (most often once a day): a list of candidates, never the last word.
// What it names is checked against the disk, the roots and the excludes by find.ts.
import {realpath} from 'node:fs/promises'
import path from 'node:path'
import {ToolError} from '../../core/errors.ts'
import {exec} from '../../core/exec.ts'
import type {FileIndex} from './find.ts'

/** Half a million paths of 256 bytes. */
const maxBytes = 128 * 1024 * 1024

/** plocate(1): a pattern with * ? or [ is a glob over the whole path, a backslash takes the next character as it is. */
const asGlob = (text: string): string => text.replace(/[\\*?[\]]/g, '\\$&')

/**
 * Everything that plocate knows below a root. `database`: a file made by `updatedb -o`, default the system's.
 * Undefined where it cannot say: no program, no database, nothing below this root. Throws the signal's reason only.
 */
export const plocateIndex = (database?: string): FileIndex => async (root, signal) => {
  try {
    // The database has real paths; a root may be a link.
    const real = await realpath(root)
    const below = real.endsWith(path.sep) ? real : real + path.sep
    const {code, stdout} = await exec('plocate', ['-0', ...(database !== undefined ? ['-d', database] : []), '--', `${asGlob(below)}*`], {signal, maxBytes})
    if (code !== 0) return undefined
    return stdout.split('\0').filter(file => file.startsWith(below)).map(file => path.join(root, file.slice(below.length)))
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ToolError || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
}
