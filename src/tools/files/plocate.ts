// Paths from plocate's database, which the system renews (most often once a day).
import type {FileIndex} from './find.ts'
import {programIndex} from './program-index.ts'

/** plocate(1): a pattern with * ? or [ is a glob over the whole path, a backslash takes the next character as it is. */
const asGlob = (text: string): string => text.replace(/[\\*?[\]]/g, '\\$&')

/** `database`: a file made by `updatedb -o`, default the system's. */
export const plocateIndex = (database?: string): FileIndex =>
  programIndex('plocate', (_root, below) => ['-0', ...(database !== undefined ? ['-d', database] : []), '--', `${asGlob(below)}*`])
