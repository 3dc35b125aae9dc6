// Files that a mail carries: looked at for the preview, read when it goes.
import {open, stat} from 'node:fs/promises'
import {basename, isAbsolute} from 'node:path'
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import {isMissing} from '../files/durable.ts'

export interface Attachment { name: string; path: string; bytes: number; type: string; read(): Promise<Buffer> }

/** Most mail servers refuse more. */
export const maxAttachedBytes = 25 * 1024 * 1024

/** Throws ToolError for a path that is no file of ours to send: relative, missing, a folder, a device, too large. */
export async function readAttachments(paths: string[]): Promise<Attachment[]> {
  const {detectMimeType} = paths.length > 0 ? await import('nodemailer/lib/mime-funcs') : {detectMimeType: () => ''}
  const found = await Promise.all([...new Set(paths)].map(async (path): Promise<Attachment> => {
    if (!isAbsolute(path)) throw new ToolError('invalid-args', `"${oneLine(path)}" is not a whole path. Name the file, so that it can be found, or give its path from the root folder.`)
    const info = await stat(path).catch((cause: unknown) => {
      throw new ToolError(isMissing(cause) ? 'not-found' : 'failed', `The file ${oneLine(path)} ${isMissing(cause) ? 'is not there' : 'can\'t be looked at'}. Nothing was sent.`, {cause})
    })
    if (!info.isFile()) throw new ToolError('invalid-args', `${oneLine(path)} is not a file. A folder has to be packed first.`)
    return {name: basename(path), path, bytes: info.size, type: detectMimeType(basename(path)) || 'application/octet-stream', read: () => readSame(path, info.size)}
  }))
  return checkSize(found)
}

/** The same attachments. Throws ToolError 'refused' when together they are more than a mail carries. */
export function checkSize(found: Attachment[]): Attachment[] {
  const bytes = found.reduce((sum, a) => sum + a.bytes, 0)
  if (bytes > maxAttachedBytes) {
    throw new ToolError('refused', `${found.map(a => oneLine(a.name)).join(', ')}: ${(bytes / 1024 / 1024).toFixed(1)} MB is more than a mail carries (25 MB). Send a link instead.`)
  }
  return found
}

/** The bytes of a file that still has the size which was shown. */
async function readSame(path: string, size: number): Promise<Buffer> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw new ToolError('failed', `The file ${oneLine(path)} can't be read. Nothing was sent.`, {cause})
  })
  try {
    const now = await handle.stat()
    if (!now.isFile() || now.size !== size) throw new ToolError('failed', `The file ${oneLine(path)} has changed just now. Nothing was sent; try again.`)
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}
