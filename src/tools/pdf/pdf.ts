// PDF documents: an extractive summary that quotes them.
import path from 'node:path'
import {z} from 'zod'
import {arg} from '../../core/params.ts'
import {oneLine} from '../../core/text.ts'
import {tool, type Tool, type ToolSpec} from '../../core/types.ts'
import {readPdf} from './read.ts'
import {summarize, type Embed} from './summary.ts'

export const summarizePdf = {
  name: 'summarize_pdf',
  description: 'Summarize a PDF file.',
  args: z.object({pdf_path: arg.path()}),
  effect: 'read',
  returns: 'text',
  source: 'document',
} satisfies ToolSpec

export const pdfSpecs: ToolSpec[] = [summarizePdf]

/** What the user's writing model gets, of at most 600 characters each. */
const forWriting = 15

/** `embed` gives unit vectors; without it (no model) sentences are ranked by the words they share. */
export const pdfTools = ({embed}: {embed?: Embed}): Tool[] => [tool({
  ...summarizePdf,
  preview: async a => ({effect: 'read', title: 'Summarize PDF', fields: [{label: 'File', value: a.pdf_path, arg: 'pdf_path'}]}),
  run: async (a, {signal, progress, write}) => {
    progress('reading')
    const pages = await readPdf(a.pdf_path, signal)
    progress('choosing sentences')
    const summary = await summarize(pages, embed, signal)
    const name = `${oneLine(path.basename(a.pdf_path))} (${pages.length} ${pages.length === 1 ? 'page' : 'pages'})`
    const written = await write?.({form: 'summary', words: await summarize(pages, embed, signal, {wanted: forWriting, isQuoted: false}), known: pages})
    return written?.text === undefined
      ? {value: summary, summary: `Quoted the main sentences of ${name}${written ? `. ${written.notice}` : ''}`, where: a.pdf_path}
      : {value: written.text, summary: `Summed up ${name}. ${written.notice}`, where: a.pdf_path}
  },
})]
