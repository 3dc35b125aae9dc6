// Paths from Spotlight, by mdfind: candidates, as plocate's are. The query is a constant; what fits is said by find.ts, and held against the disk.
import {realpath} from 'node:fs/promises'
import path from 'node:path'
import {ToolError} from '../../core/errors.ts'
import {exec} from '../../core/exec.ts'
import type {FileIndex} from './find.ts'

/** Half a million paths of 256 bytes. */
const maxBytes = 128 * 1024 * 1024

/** Everything that Spotlight knows below a root. Undefined where it cannot say: another system, or an error. Throws the signal's reason only. */
export const spotlightIndex = (): FileIndex => async (root, signal) => {
  try {
    // Spotlight has real paths; a root may be a link.
    const real = await realpath(root)
    const below = real.endsWith(path.sep) ? real : real + path.sep
    const {code, stdout} = await exec('mdfind', ['-0', '-onlyin', real, 'kMDItemFSName == "*" && kMDItemContentType != "public.folder"'], {signal, maxBytes})
    if (code !== 0) return undefined
    return stdout.split('\0').filter(file => file.startsWith(below)).map(file => path.join(root, file.slice(below.length)))
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ToolError || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
}
