// New files that are whole or absent, fsynced, readable by their owner only, and never written over another.
import {randomUUID} from 'node:crypto'
import {access, copyFile, constants, link, mkdir, open, unlink} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {ToolError} from '../../core/errors.ts'

export const errno = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

export const isMissing = (error: unknown): boolean => errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR'

/** Throws where that can't be known, e.g. for a folder that may not be read. */
export const isThere = (path: string): Promise<boolean> => access(path).then(() => true, (error: unknown) => {
  if (isMissing(error)) return false
  throw error
})

/** A file that could not be written, as people are told it. */
export const notWritten = (path: string, error: unknown): ToolError => error instanceof ToolError ? error
  : new ToolError('failed', `${path} could not be written (${errno(error) ?? String(error)}). Check the disk's space and the folder's permissions.`, {cause: error})

/** What was written down of a deed that can't be read any more: nothing is known of the deed, and not that it was never done. */
export const damaged = (path: string, cause?: unknown): ToolError =>
  new ToolError('unknown', `${path} is damaged, and nothing else says whether this was done. Look before you do it again.`, {cause})

/**
 * Makes `path` with these bytes, by way of a file in `temporary` (same disk; default its own folder). False when there is
 * a file of that name: it stays as it is. Throws ToolError 'failed' when it can't be written; nothing is left then.
 */
export async function createWhole(path: string, bytes: Uint8Array | string, temporary = dirname(path)): Promise<boolean> {
  const half = join(temporary, `.${randomUUID()}.part`)
  for (const folder of new Set([dirname(path), temporary])) {
    await mkdir(folder, {recursive: true, mode: 0o700}).catch((error: unknown) => { throw notWritten(folder, error) })
  }
  try {
    const handle = await open(half, 'wx', 0o600)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    // Of two that link to one name, one gets it; a rename would replace the other's file.
    await link(half, path).catch(async (error: unknown) => {
      if (!noLinks.has(errno(error) ?? '')) throw error
      await copyFile(half, path, constants.COPYFILE_EXCL)
    })
    await syncFolder(dirname(path))
    return true
  } catch (error) {
    if (errno(error) === 'EEXIST') return false
    throw notWritten(path, error)
  } finally {
    await unlink(half).catch(() => undefined) // never made, or of no use any more
  }
}

/** What file systems without hard links (FAT, some network disks) say. */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/**
 * Makes a new name or a removal in `folder` last. Windows has no such call, and needs none; some network disks refuse it. What was
 * written is there all the same, so that is no reason to say that it was not.
 */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r').catch(() => undefined)
  try { await handle?.sync() } catch { /* refused */ } finally { await handle?.close() }
}
