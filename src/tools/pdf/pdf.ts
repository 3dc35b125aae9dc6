// PDF documents: an extractive summary that quotes them.
import {z} from 'zod'
import {arg} from '../../core/params.ts'
import type {ToolSpec} from '../../core/types.ts'

export const summarizePdf = {
  name: 'summarize_pdf',
  description: 'Summarize a PDF file.',
  args: z.object({pdf_path: arg.path()}),
  effect: 'read',
  returns: 'text',
  source: 'document',
} satisfies ToolSpec

export const pdfSpecs: ToolSpec[] = [summarizePdf]
