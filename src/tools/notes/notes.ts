// Notes: Markdown in folders.
import {z} from 'zod'
import {arg} from '../../core/params.ts'
import type {ToolSpec} from '../../core/types.ts'

export const createNote = {
  name: 'create_note',
  description: 'Create a note.',
  args: z.object({name: arg.title(), content: arg.text(), folder: arg.label()}),
  effect: 'local',
  returns: 'none',
} satisfies ToolSpec

export const openNote = {
  name: 'open_note',
  description: 'Open a note, get its text.',
  args: z.object({name: arg.title(), folder: arg.label()}),
  effect: 'read',
  returns: 'text',
  source: 'document',
} satisfies ToolSpec

export const appendNoteContent = {
  name: 'append_note_content',
  description: 'Add text to an existing note.',
  args: z.object({name: arg.title(), content: arg.text(), folder: arg.label()}),
  effect: 'local',
  returns: 'none',
} satisfies ToolSpec

export const notesSpecs: ToolSpec[] = [createNote, openNote, appendNoteContent]
