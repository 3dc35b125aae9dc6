// Notes in the Mac's own app. A note there is HTML, and setting it again would lose what its HTML does not show (checklists, attachments, fonts), so
// only a note of plain lines is added to.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneAtATime} from '../../core/one-at-a-time.ts'
import {oneLine} from '../../core/text.ts'
import {osascript, type Mac, type Script} from '../apple/osascript.ts'
import {plainLine, plainText} from '../calendar/ical.ts'
import {slackMs} from '../claims.ts'
import {notesNamed, plain, textBelow, titleOf} from './match.ts'
import type {Note, NotesBackend} from './notes.ts'

/** The app's folder of deleted notes has no mark but its name. */
const folders = String.raw`
function foldersOf(app) {
  const usual = app.defaultAccount().defaultFolder().id()
  const found = new Map()
  const add = folder => {
    const id = folder.id()
    if (found.has(id) || /^recently deleted$/i.test(folder.name())) return
    found.set(id, {folder, id, name: id === usual ? '' : folder.name()})
    folder.folders().forEach(add)
  }
  app.accounts().forEach(account => account.folders().forEach(add))
  return [...found.values()]
}
`
const rich = String.raw`
const isRich = note => note.attachments.length > 0 || /<(?!\/?(?:div|br|h[1-3]|b|i|u)\s*\/?>)/i.test(note.body())
`

const listed = z.array(z.object({path: z.string(), name: z.string(), folder: z.string()}))
const list: Script = {app: 'Notes', source: folders + String.raw`
function main() {
  return foldersOf(Application('Notes')).flatMap(({folder, name}) => {
    const names = folder.notes.name()
    return folder.notes.id().map((path, i) => ({path, name: names[i], folder: name}))
  })
}
`}

const content = z.union([z.object({name: z.string(), text: z.string(), body: z.string(), folder: z.string(), created: z.number(), modified: z.number()}), z.enum(['gone', 'locked'])])
const read: Script = {app: 'Notes', source: String.raw`
function main({id}) {
  const note = Application('Notes').notes.byId(id)
  if (!note.exists()) return 'gone'
  if (note.passwordProtected()) return 'locked'
  return {name: note.name(), text: note.plaintext(), body: note.body(), folder: note.container().id(), created: ms(note.creationDate()), modified: ms(note.modificationDate())}
}
`}

const createdNote = z.union([z.object({id: z.string().min(1), name: z.string(), body: z.string(), folder: z.string(), folderName: z.string()}), z.object({taken: z.string()})])
const create: Script = {app: 'Notes', isChange: true, source: folders + String.raw`
function main({folder, title, html}) {
  const app = Application('Notes')
  const known = foldersOf(app)
  let into = folder === '' ? known.find(f => f.name === '') : known.find(f => same(f.name, folder))
  if (!into) {
    const added = app.Folder({name: folder})
    app.defaultAccount().folders.push(added)
    into = {folder: added, id: added.id(), name: folder}
  }
  const taken = into.folder.notes.name().find(name => same(name, title))
  if (taken !== undefined) return {taken}
  const note = app.Note({body: html})
  into.folder.notes.push(note)
  made()
  return {id: note.id(), name: note.name(), body: note.body(), folder: into.id, folderName: into.name}
}
`}

const appended = z.union([z.object({before: z.string(), body: z.string()}), z.enum(['gone', 'locked', 'rich'])])
const append: Script = {app: 'Notes', isChange: true, source: rich + String.raw`
function main({id, html}) {
  const note = Application('Notes').notes.byId(id)
  if (!note.exists()) return 'gone'
  if (note.passwordProtected()) return 'locked'
  if (isRich(note)) return 'rich'
  const before = note.body()
  note.body = before + html
  made()
  return {before, body: note.body()}
}
`}

const token = z.discriminatedUnion('type', [
  z.object({type: z.literal('create'), id: z.string(), name: z.string(), folder: z.string(), body: z.string()}),
  z.object({type: z.literal('append'), id: z.string(), name: z.string(), body: z.string(), before: z.string()}),
])
const undone = z.enum(['done', 'changed'])
const undo: Script = {app: 'Notes', isChange: true, source: rich + String.raw`
function main({type, id, folder, body, before}) {
  const app = Application('Notes')
  const note = app.notes.byId(id)
  if (!note.exists() || note.body() !== body || isRich(note)) return 'changed'
  if (type === 'append') {
    note.body = before
    return 'done'
  }
  // Deleted, it goes to another folder; deleted there, it is gone for good.
  if (note.container().id() !== folder) return 'changed'
  app.delete(note)
  return 'done'
}
`}

const escaped = (line: string): string => line
  .replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
  .replace(/\t/g, '&nbsp;&nbsp;&nbsp;&nbsp;').replace(/^ | (?= )| $/g, '&nbsp;') // HTML has no other blanks in a row

const linesOf = (text: string): string => {
  const lines = plainText(text).replace(/\n$/, '').split('\n')
  return lines.map(line => `<div>${escaped(line) || '<br>'}</div>`).join('')
}

const textOf = ({name, text}: {name: string; text: string}): string => textBelow(name, text.replace(/\u00a0/g, ' '))

export function openAppleNotes(mac: Mac = {}): NotesBackend {
  const ask = osascript(mac)
  const inTurn = oneAtATime() // reading a note and setting it are two steps
  const all = async (): Promise<Note[]> => listed.parse(await ask(list, {}))
  const contentOf = async (note: Note) => {
    const found = content.parse(await ask(read, {id: note.path}))
    if (typeof found === 'string') throw problem(found, note.name)
    return found
  }
  const folderOf = (folder: string): string => folder.trim() === '' ? '' : titleOf(folder, 'folder')
  return {
    list: all,
    find: async (name, folder) => notesNamed(await all(), plainLine(name) && titleOf(name), folder),
    read: async note => textOf(await contentOf(note)),
    create: (name, text, folder) => inTurn(async () => {
      const title = titleOf(name)
      const made = createdNote.parse(await ask(create, {folder: folderOf(folder), title, html: `<div><h1>${escaped(title)}</h1></div>${text === '' ? '' : linesOf(text)}`}))
      if ('taken' in made) throw new ToolError('refused', `There is a note "${oneLine(made.taken)}" already: add to it, or give the new one another name`)
      return {note: {name: made.name, folder: made.folderName, path: made.id}, undo: {type: 'create', id: made.id, name: made.name, folder: made.folder, body: made.body}}
    }),
    append: (note, text) => inTurn(async () => {
      const done = appended.parse(await ask(append, {id: note.path, html: linesOf(text)}))
      if (typeof done === 'string') throw problem(done, note.name)
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
      const {data: made} = token.safeParse(json)
      if (!made) throw new ToolError('refused', 'The journal does not say which note to take back.')
      const name = `'${oneLine(made.name)}'`
      const what = await inTurn(async () => undone.parse(await ask(undo, made)))
      if (what === 'changed') throw new ToolError('refused', `The note ${name} has changed since: it is left as it is`)
      return made.type === 'create' ? `Removed the note ${name}` : `Took the last lines out of the note ${name}`
    },
  }
}

const problem = (what: 'gone' | 'locked' | 'rich', name: string): ToolError => {
  const note = `The note '${oneLine(name)}'`
  if (what === 'gone') return new ToolError('not-found', `${note} is gone: /notes lists those that there are`)
  if (what === 'locked') return new ToolError('refused', `${note} is locked with a password: unlock it in Notes`)
  return new ToolError('refused', `${note} has a checklist, an attachment or a format that would be lost: add to it in Notes`)
}
