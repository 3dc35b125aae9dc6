// The text of a PDF, page by page (pdf.js as unpdf carries it), with limits on its size.
import {readFile, stat} from 'node:fs/promises'
import path from 'node:path'
import type {PDFDocumentProxy} from 'unpdf/pdfjs'
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import {errno, isMissing} from '../files/durable.ts'

const maxBytes = 64 * 1024 ** 2
const maxPages = 500
const maxCharacters = 2_000_000

/** One text a page. Throws ToolError saying what is wrong with the file. */
export async function readPdf(file: string, signal: AbortSignal): Promise<string[]> {
  const name = oneLine(path.basename(file))
  if (!path.isAbsolute(file)) throw new ToolError('invalid-args', `"${oneLine(file)}" is not an absolute path: name the file, and it is looked for`)
  const info = await stat(file).catch((cause: unknown) => {
    if (isMissing(cause)) throw new ToolError('not-found', `There is no file ${oneLine(file)}: check its name`, {cause})
    throw new ToolError('failed', `${name} can't be read (${errno(cause) ?? String(cause)}): check its permissions`, {cause})
  })
  if (!info.isFile()) throw new ToolError('invalid-args', `${name} is not a file`)
  if (info.size > maxBytes) throw new ToolError('refused', `${name} is too large: ${Math.round(info.size / 1024 ** 2)} MB, at most ${maxBytes / 1024 ** 2} MB`)
  const data = new Uint8Array(await readFile(file, {signal}).catch((cause: unknown) => {
    if (signal.aborted) throw cause
    throw new ToolError('failed', `${name} can't be read (${errno(cause) ?? String(cause)}): check its permissions`, {cause})
  }))
  if (!Buffer.from(data.subarray(0, 1024)).includes('%PDF-')) throw new ToolError('invalid-args', `${name} is not a PDF`)
  const {getDocumentProxy} = await import('unpdf')
  const document = await getDocumentProxy(data, {verbosity: 0}).catch((cause: unknown) => {
    const locked = cause instanceof Error && cause.name === 'PasswordException'
    throw new ToolError('failed', locked ? `${name} is locked with a password: save a copy without one` : `${name} is damaged and cannot be read`, {cause})
  })
  try {
    if (document.numPages > maxPages) throw new ToolError('refused', `${name} has ${document.numPages} pages, at most ${maxPages} are read`)
    const pages: string[] = []
    let length = 0
    for (let n = 1; n <= document.numPages && length < maxCharacters; n++) {
      signal.throwIfAborted()
      const text = await textOf(document, n).catch((cause: unknown) => {
        throw new ToolError('failed', `${name} is damaged: page ${n} cannot be read`, {cause})
      })
      length += text.length
      pages.push(text)
    }
    if (pages.every(p => p.trim() === '')) throw new ToolError('failed', `${name} holds no text, perhaps pictures of it: run it through OCR first`)
    return pages
  } finally {
    await document.destroy()
  }
}

/** A wider gap than between lines, and letters of another size, begin a new paragraph. */
const paragraphGap = 1.7
const sizeChange = 1.15

/** The page's text, lines ended by one line end and paragraphs by two. */
async function textOf(document: PDFDocumentProxy, number: number): Promise<string> {
  const page = await document.getPage(number)
  const {items} = await page.getTextContent()
  page.cleanup()
  let text = ''
  let last: {y: number; height: number} | undefined
  for (const item of items) {
    if (!('str' in item)) continue
    if (item.str.trim() !== '') {
      const y = Number(item.transform[5])
      const sizes = [item.height, last?.height ?? item.height]
      if (last && text.endsWith('\n') && (last.y - y > paragraphGap * Math.max(...sizes) || Math.max(...sizes) > sizeChange * Math.min(...sizes))) text += '\n'
      last = {y, height: item.height}
    }
    text += item.str + (item.hasEOL ? '\n' : '')
  }
  return text
}
