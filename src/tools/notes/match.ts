// Which notes a name means, and which names can be those of a note.
import path from 'node:path'
import {ToolError} from '../../core/errors.ts'
import {plainLine} from '../calendar/ical.ts'
import type {Note} from './notes.ts'

export const plain = (text: string): string => text.normalize('NFC').trim().toLowerCase()
const words = (text: string): string[] => plain(text).split(/[^\p{L}\p{M}\p{N}]+/u).filter(Boolean)
const maxName = 60

/** Windows takes these for devices, whatever follows the first dot. */
const device = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i

/** A name that is readable and safe on every file system: what cannot stand in a file name becomes a dash, what hides or reorders text goes. */
export function fileName(name: string, what = 'note'): string {
  const safe = Buffer.from(name).toString().normalize('NFC')
    .replace(/[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '')
    .replace(/[\p{Cc}\u2028\u2029<>:"/\\|?*]+/gu, '-')
    .replace(/^[.\s-]+/, '')
  const short = shortened(safe).replace(/[.\s]+$/, '')
  if (short === '') throw new ToolError('invalid-args', `The ${what} has no name: say how it is called`)
  return short.replace(device, '$&_')
}

/** As many whole characters as a file name holds (255 bytes with what a writer adds). */
function shortened(text: string): string {
  let name = ''
  for (const {segment} of new Intl.Segmenter().segment(text)) {
    if ([...name].length >= maxName || Buffer.byteLength(name + segment) > 4 * maxName) break
    name += segment
  }
  return name
}

/** A title on one line, without what hides or reorders text. */
export const titleOf = (name: string, what = 'note'): string => {
  const title = plainLine(name.replace(/[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, ''))
  if (title === '') throw new ToolError('invalid-args', `The ${what} has no name: say how it is called`)
  return title
}

const safeOr = (name: string): string => { try { return fileName(name) } catch { return name } }

/** "the shopping note" is the note Shopping, "todo.md" the note todo. */
const bare = (name: string): string => plain(name).replace(/\.md$/, '').replace(/^(?:my|the|our)\s+/, '').replace(/\s+notes?$/, '')

/** Whether a folder is the one that is meant, by its path or by its own name. */
export const isIn = (folder: string, wanted: string): boolean => plain(folder) === wanted || plain(path.posix.basename(folder)) === wanted

/** The notes of that name in that folder ('' is any), exact names before similar ones. */
export function notesNamed(notes: Note[], name: string, folder: string): Note[] {
  const within = plain(folder)
  const all = notes.filter(n => within === '' || isIn(n.folder, within))
  const named = (wanted: string): Note[] => wanted === '' ? [] : all.filter(n => plain(n.name) === wanted)
  for (const wanted of [plain(name), plain(safeOr(name)), bare(name), plain(safeOr(bare(name)))]) {
    const exact = named(wanted)
    if (exact.length > 0) return exact
  }
  // A longer name that holds all the words ("packing" for "Packing list").
  const said = words(bare(name))
  return said.length === 0 ? [] : all.filter(n => { const has = words(n.name); return said.every(w => has.includes(w)) })
}

/** What a note of an app says below its title, which is its first line. */
export function textBelow(name: string, text: string): string {
  const [first = '', ...rest] = text.split('\n')
  return (plain(first) === plain(name) ? rest.join('\n') : [first, ...rest].join('\n')).trimEnd()
}
