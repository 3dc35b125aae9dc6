// Notes: Markdown in folders.
import {z} from 'zod'
import {arg} from '../../core/params.ts'
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import {tool, type Candidate, type CutOff, type Json, type Settled, type Tool, type ToolContext, type ToolSpec, type Writing} from '../../core/types.ts'

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

/** A note that exists: its name, its folder ("" for the top) and its file. */
export interface Note { name: string; folder: string; path: string }

export interface NotesBackend {
  /** notes of this name in this folder, or in any folder when it is "", exact names before similar ones */
  find(name: string, folder: string): Promise<Note[]>
  list(): Promise<Note[]>
  read(note: Note): Promise<string>
  /** Throws ToolError 'refused' when there is such a note already. */
  create(name: string, content: string, folder: string): Promise<{note: Note; undo: Json}>
  append(note: Note, content: string): Promise<{undo: Json}>
  /** What `create` made since then; undefined: there is no such note; 'unclear': there is one of that name with another text. */
  made(name: string, content: string, folder: string, since: Date): Promise<{note: Note; undo: Json} | 'unclear' | undefined>
  /** What `append` added since then; undefined: nobody has written to the note; 'unclear': somebody has. */
  added(note: Note, content: string, since: Date): Promise<{undo: Json} | 'unclear' | undefined>
  /** Throws ToolError 'refused' when the note has changed since. Returns what was taken back, for people. */
  undo(token: Json): Promise<string>
}

const thing = (name: string): string => `note:${name.trim().toLowerCase()}`
const said = (note: Note): string => `'${oneLine(note.name)}'${note.folder ? ` in ${oneLine(note.folder)}` : ''}`

const candidate = (n: Note): Candidate => ({value: n.path, label: n.name, ...(n.folder && {detail: n.folder})})

/** The one note that is meant; the user is asked where several are. undefined: there is none. */
async function choose(notes: NotesBackend, name: string, folder: string, ctx: ToolContext): Promise<Note | undefined> {
  const found = await notes.find(name, folder)
  if (found.length <= 1) return found[0]
  const candidates = found.map(candidate)
  const answer = await ctx.ask({type: 'pick', title: `Which note is "${oneLine(name)}"?`, candidates})
  const chosen = found.find(n => n.path === answer?.value)
  if (!chosen) throw new ToolError('ambiguous', `${found.length} notes fit "${oneLine(name)}": name one of them, or its folder`, {candidates})
  return chosen
}

const maxNear = 5

/** A note of a name that is only like this one (a typing error) is never taken silently: the user is asked. Throws 'not-found'. */
async function chooseNear(notes: NotesBackend, name: string, folder: string, ctx: ToolContext): Promise<Note> {
  const {default: Fuse} = await import('fuse.js') // only when a name fits nothing
  const near = new Fuse(await notes.list(), {keys: ['name'], threshold: 0.35}).search(name.trim(), {limit: maxNear}).map(r => r.item)
  const candidates = near.map(candidate)
  const missing = `There is no note "${oneLine(name)}"${folder ? ` in ${oneLine(folder)}` : ''}`
  if (near.length === 0) throw new ToolError('not-found', `${missing}: /notes lists them`)
  const answer = await ctx.ask({type: 'pick', title: `${missing}. Is it one of these?`, candidates})
  const chosen = near.find(n => n.path === answer?.value)
  if (!chosen) throw new ToolError('not-found', `${missing}: perhaps ${near.map(said).join(', ')} is meant`, {candidates})
  return chosen
}

async function settleNew(notes: NotesBackend, {name, content, folder}: {name: string; content: string; folder: string}, {at}: CutOff): Promise<Settled> {
  const made = await notes.made(name, content, folder, at)
  if (made === 'unclear') return unclear(name)
  return made ? {state: 'done', summary: `Made the note ${said(made.note)}`, undo: made.undo} : {state: 'failed', summary: `There is no note '${oneLine(name)}'.`}
}

const inWords = ({name, content}: {name: string; content: string}): Writing & {arg: 'content'} => ({arg: 'content', form: 'note', words: content, known: [name]})

const unclear = (name: string): Settled => ({state: 'unknown', summary: `the note '${oneLine(name)}'. Look whether the text is in it before you add it again.`})

export const notesTools = (notes: NotesBackend): Tool[] => [
  tool({
    ...createNote,
    writes: async a => inWords(a),
    touches: a => [{thing: thing(a.name), writes: true}],
    preview: async a => ({
      effect: 'local', title: 'New note',
      fields: [{label: 'Name', value: a.name, arg: 'name'}, {label: 'Folder', value: a.folder, arg: 'folder'}],
      body: {text: a.content, arg: 'content'},
    }),
    run: async a => {
      const {note, undo} = await notes.create(a.name, a.content, a.folder)
      return {value: note.path, summary: `Made the note ${said(note)}`, undo, where: note.path}
    },
    settle: (a, call) => settleNew(notes, a, call),
    undo: token => notes.undo(token),
  }),
  tool({
    ...openNote,
    touches: a => [{thing: thing(a.name), writes: false}],
    preview: async a => ({effect: 'read', title: 'Open note', fields: [{label: 'Name', value: a.name, arg: 'name'}, {label: 'Folder', value: a.folder, arg: 'folder'}]}),
    run: async (a, ctx) => {
      const note = await choose(notes, a.name, a.folder, ctx) ?? await chooseNear(notes, a.name, a.folder, ctx)
      return {value: await notes.read(note), summary: `Read the note ${said(note)}`, where: note.path}
    },
  }),
  tool({
    ...appendNoteContent,
    writes: async a => inWords(a),
    touches: a => [{thing: thing(a.name), writes: true}],
    preview: async a => {
      const exists = (await notes.find(a.name, a.folder)).length > 0
      return {
        effect: 'local', title: 'Add to note',
        fields: [{label: 'Name', value: a.name, arg: 'name'}, {label: 'Folder', value: a.folder, arg: 'folder'}],
        body: {text: a.content, arg: 'content'},
        ...(!exists && {notice: 'There is no such note yet: it will be made.'}),
      }
    },
    run: async (a, ctx) => {
      const note = await choose(notes, a.name, a.folder, ctx)
      if (!note) {
        const made = await notes.create(a.name, a.content, a.folder)
        return {value: made.note.path, summary: `Made the note ${said(made.note)}, since there was none`, undo: made.undo, where: made.note.path}
      }
      const {undo} = await notes.append(note, a.content)
      return {value: note.path, summary: `Added to the note ${said(note)}`, undo, where: note.path}
    },
    settle: async (a, call) => {
      const [note, ...others] = await notes.find(a.name, a.folder)
      if (!note) return {state: 'failed', summary: `There is no note '${oneLine(a.name)}', so nothing was added to it.`}
      if (others.length > 0) return unclear(a.name)
      const made = await notes.made(a.name, a.content, a.folder, call.at)
      if (made && made !== 'unclear') return {state: 'done', summary: `Made the note ${said(made.note)}, since there was none`, undo: made.undo}
      const added = await notes.added(note, a.content, call.at)
      if (added === 'unclear') return unclear(a.name)
      return added ? {state: 'done', summary: `Added to the note ${said(note)}`, ...added} : {state: 'failed', summary: `Nothing was added to the note ${said(note)}.`}
    },
    undo: token => notes.undo(token),
  }),
]
