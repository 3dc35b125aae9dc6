// Paths from Spotlight, by mdfind. The query is a constant; what fits is said by find.ts.
import type {FileIndex} from './find.ts'
import {programIndex} from './program-index.ts'

export const spotlightIndex = (): FileIndex =>
  programIndex('mdfind', root => ['-0', '-onlyin', root, 'kMDItemFSName == "*" && kMDItemContentType != "public.folder"'])
