// Notes in classic Outlook: plain text, whose first line is the title.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneAtATime} from '../../core/one-at-a-time.ts'
import {oneLine} from '../../core/text.ts'
import {plainLine, plainText} from '../calendar/ical.ts'
import {slackMs} from '../claims.ts'
import {askOutlook, type Script, type Windows} from '../outlook/powershell.ts'
import {notesNamed, plain, textBelow, titleOf} from './match.ts'
import type {Note, NotesBackend} from './notes.ts'

const listed = z.object({notes: z.array(z.object({path: z.string(), name: z.string(), folder: z.string()}))})
/** The default folder's own name is none: what names no folder is in it. */
const list: Script = {source: String.raw`
function Main($asked) {
  $usual = $session.GetDefaultFolder(12).EntryID
  return @{ notes = @(foreach ($folder in (FoldersOf 12 5)) {
    $name = ''
    if ($folder.EntryID -cne $usual) { $name = [string]$folder.Name }
    foreach ($item in $folder.Items) { if ($item.Class -eq 44) { @{ path = [string]$item.EntryID; name = [string]$item.Subject; folder = $name } } }
  }) }
}
`}

const content = z.union([z.object({name: z.string(), body: z.string(), folder: z.string(), created: z.number(), modified: z.number()}), z.object({state: z.literal('gone')})])
const read: Script = {source: String.raw`
function Main($asked) {
  $item = ItemOf $asked.id
  if ($null -eq $item) { return @{ state = 'gone' } }
  return @{ name = [string]$item.Subject; body = [string]$item.Body; folder = [string]$item.Parent.EntryID; created = (Ms $item.CreationTime); modified = (Ms $item.LastModificationTime) }
}
`}

const made = z.object({id: z.string().min(1), name: z.string(), body: z.string(), folder: z.string(), folderName: z.string()})
const createdNote = z.union([made, z.object({taken: z.string()})])
const create: Script = {isChange: true, source: String.raw`
function Main($asked) {
  $folder = Named 12 5 $asked.folder
  foreach ($one in $folder.Items) { if (([string]$one.Subject).Trim() -eq $asked.title) { return @{ taken = [string]$one.Subject } } }
  $item = $folder.Items.Add(5)
  $item.Body = $asked.body
  Made
  [void]$item.Save()
  $name = ''
  if ($folder.EntryID -cne $session.GetDefaultFolder(12).EntryID) { $name = [string]$folder.Name }
  return @{ id = [string]$item.EntryID; name = [string]$item.Subject; body = [string]$item.Body; folder = [string]$folder.EntryID; folderName = $name }
}
`}

const appended = z.union([z.object({before: z.string(), body: z.string(), folder: z.string()}), z.object({state: z.literal('gone')})])
const append: Script = {isChange: true, source: String.raw`
function Main($asked) {
  $item = ItemOf $asked.id
  if ($null -eq $item) { return @{ state = 'gone' } }
  $before = [string]$item.Body
  $item.Body = $before.TrimEnd() + $asked.added
  Made
  [void]$item.Save()
  return @{ before = $before; body = [string]$item.Body; folder = [string]$item.Parent.EntryID }
}
`}

const token = z.discriminatedUnion('type', [
  z.object({type: z.literal('create'), id: z.string(), name: z.string(), folder: z.string(), body: z.string()}),
  z.object({type: z.literal('append'), id: z.string(), name: z.string(), folder: z.string(), body: z.string(), before: z.string()}),
])
const undone = z.object({state: z.enum(['done', 'changed'])})
const undo: Script = {isChange: true, source: String.raw`
function Main($asked) {
  $item = ItemOf $asked.id
  # Deleted, it is in another folder.
  if ($null -eq $item -or [string]$item.Body -cne $asked.body -or $item.Parent.EntryID -cne $asked.folder) { return @{ state = 'changed' } }
  if ($asked.type -eq 'append') {
    $item.Body = $asked.before
    [void]$item.Save()
  } else {
    [void]$item.Delete()
  }
  return @{ state = 'done' }
}
`}

/** Outlook's ends of lines are two characters. */
const toOutlook = (text: string): string => plainText(text).replace(/\n$/, '').replaceAll('\n', '\r\n')
const textOf = ({name, body}: {name: string; body: string}): string => textBelow(name, body.replace(/\r\n?/g, '\n'))

export function openOutlookNotes(windows: Windows = {}): NotesBackend {
  const ask = askOutlook(windows)
  const inTurn = oneAtATime() // reading a note and setting it are two steps
  const all = async (): Promise<Note[]> => listed.parse(await ask(list, {})).notes
  const contentOf = async (note: Note) => {
    const found = content.parse(await ask(read, {id: note.path}))
    if ('state' in found) throw gone(note.name)
    return found
  }
  const folderOf = (folder: string): string => folder.trim() === '' ? '' : titleOf(folder, 'folder')
  return {
    list: all,
    find: async (name, folder) => notesNamed(await all(), plainLine(name) && titleOf(name), folder),
    read: async note => textOf(await contentOf(note)),
    create: (name, text, folder) => inTurn(async () => {
      const title = titleOf(name)
      const note = createdNote.parse(await ask(create, {folder: folderOf(folder), title, body: text === '' ? title : `${title}\r\n${toOutlook(text)}`}))
      if ('taken' in note) throw new ToolError('refused', `There is a note "${oneLine(note.taken)}" already: add to it, or give the new one another name`)
      return {note: {name: note.name, folder: note.folderName, path: note.id}, undo: {type: 'create', id: note.id, name: note.name, folder: note.folder, body: note.body}}
    }),
    append: (note, text) => inTurn(async () => {
      const done = appended.parse(await ask(append, {id: note.path, added: `\r\n${toOutlook(text)}`}))
      if ('state' in done) throw gone(note.name)
      return {undo: {type: 'append', id: note.path, name: note.name, ...done}}
    }),
    made: async (name, text, folder, since) => {
      const note = (await all()).find(n => plain(n.name) === plain(titleOf(name)) && plain(n.folder) === plain(folder))
      if (!note) return undefined
      const found = await contentOf(note)
      if (found.created < since.getTime() - slackMs || textOf(found) !== plainText(text).trimEnd()) return 'unclear'
      return {note, undo: {type: 'create', id: note.path, name: note.name, folder: found.folder, body: found.body}}
    },
    // What the note was before is not known any more, so nothing could take it back.
    added: async (note, _text, since) => (await contentOf(note)).modified < since.getTime() - slackMs ? undefined : 'unclear',
    undo: async json => {
      const {data: note} = token.safeParse(json)
      if (!note) throw new ToolError('refused', 'The journal does not say which note to take back.')
      const name = `'${oneLine(note.name)}'`
      const {state} = await inTurn(async () => undone.parse(await ask(undo, note)))
      if (state === 'changed') throw new ToolError('refused', `The note ${name} has changed since: it is left as it is`)
      return note.type === 'create' ? `Removed the note ${name}` : `Took the last lines out of the note ${name}`
    },
  }
}

const gone = (name: string): ToolError => new ToolError('not-found', `The note '${oneLine(name)}' is gone: /notes lists those that there are`)
