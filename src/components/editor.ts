// The input line as pure functions: text, cursor (an offset that is always on a grapheme border) and undo.
import type {Key} from './keys.ts'

export interface Editor {
  readonly text: string
  readonly cursor: number
  readonly killed: string
  readonly undo: readonly {text: string; cursor: number}[]
}

export const emptyEditor: Editor = {text: '', cursor: 0, killed: '', undo: []}
export const editorOf = (text: string): Editor => ({...emptyEditor, text, cursor: text.length})

const graphemes = new Intl.Segmenter(undefined, {granularity: 'grapheme'})
const words = new Intl.Segmenter(undefined, {granularity: 'word'})
const maxUndo = 200

/** Offsets of all grapheme borders, 0 and the text's length included. */
export const borders = (text: string): number[] => [...[...graphemes.segment(text)].map(s => s.index), text.length]
const before = (e: Editor): number => borders(e.text).filter(b => b < e.cursor).at(-1) ?? 0
const after = (e: Editor): number => borders(e.text).find(b => b > e.cursor) ?? e.text.length
const wordBefore = (e: Editor): number =>
  [...words.segment(e.text)].filter(s => s.isWordLike && s.index < e.cursor).at(-1)?.index ?? 0
const wordAfter = (e: Editor): number => {
  const next = [...words.segment(e.text)].find(s => s.isWordLike && s.index + s.segment.length > e.cursor)
  return next ? next.index + next.segment.length : e.text.length
}
const lineStart = (e: Editor): number => e.text.lastIndexOf('\n', e.cursor - 1) + 1
const lineEnd = (e: Editor): number => { const i = e.text.indexOf('\n', e.cursor); return i < 0 ? e.text.length : i }

const move = (e: Editor, cursor: number): Editor => ({...e, cursor})

/** A change that undo can take back. The cursor is put on a grapheme border: inserted marks may join their neighbour. */
function change(e: Editor, text: string, cursor: number, killed = e.killed): Editor {
  if (text === e.text) return move(e, cursor)
  const at = borders(text).find(b => b >= cursor) ?? text.length
  return {text, cursor: at, killed, undo: [...e.undo.slice(-maxUndo), {text: e.text, cursor: e.cursor}]}
}

export const insert = (e: Editor, text: string): Editor =>
  change(e, e.text.slice(0, e.cursor) + text + e.text.slice(e.cursor), e.cursor + text.length)

/** Words at the cursor, with a blank where they would run into what is there. */
export const insertWords = (e: Editor, words: string): Editor =>
  insert(e, `${/\S$/.test(e.text.slice(0, e.cursor)) ? ' ' : ''}${words}${/^\S/.test(e.text.slice(e.cursor)) ? ' ' : ''}`)

/** What all of these begin with, in the first one's spelling. */
export const sharedStart = (texts: string[]): string => {
  let end = 0
  const first = texts[0] ?? ''
  while (end < first.length && texts.every(text => text[end]?.toLowerCase() === first[end]?.toLowerCase())) end++
  return first.slice(0, end)
}

const cut = (e: Editor, from: number, to: number, kill = false): Editor =>
  change(e, e.text.slice(0, from) + e.text.slice(to), from, kill && to > from ? e.text.slice(from, to) : e.killed)

/** Up or down one line within the text; undefined at its edge, where history takes over. */
export function vertical(e: Editor, by: -1 | 1): Editor | undefined {
  const start = lineStart(e)
  const column = e.cursor - start
  if (by < 0 && start === 0) return undefined
  if (by > 0 && lineEnd(e) === e.text.length) return undefined
  const target = by < 0 ? e.text.lastIndexOf('\n', start - 2) + 1 : lineEnd(e) + 1
  const end = lineEnd(move(e, target))
  const wanted = Math.min(target + column, end)
  return move(e, borders(e.text).filter(b => b <= wanted).at(-1) ?? 0)
}

/** What one key makes of the editor; keys that mean nothing to it leave it as it is. */
export function edit(e: Editor, key: Key): Editor {
  switch (key.name) {
    case 'text': case 'paste': return insert(e, key.text)
    case 'newline': return insert(e, '\n')
    case 'backspace': return e.cursor === 0 ? e : cut(e, before(e), e.cursor)
    case 'delete': return cut(e, e.cursor, after(e))
    case 'left': return move(e, key.word ? wordBefore(e) : before(e))
    case 'right': return move(e, key.word ? wordAfter(e) : after(e))
    case 'home': return move(e, lineStart(e))
    case 'end': return move(e, lineEnd(e))
    case 'alt': switch (key.text) {
      case 'b': return move(e, wordBefore(e))
      case 'f': return move(e, wordAfter(e))
      case 'd': return cut(e, e.cursor, wordAfter(e), true)
      case 'backspace': return cut(e, wordBefore(e), e.cursor, true)
      default: return e
    }
    case 'ctrl': switch (key.text) {
      case 'a': return move(e, lineStart(e))
      case 'e': return move(e, lineEnd(e))
      case 'b': return move(e, before(e))
      case 'f': return move(e, after(e))
      case 'h': return e.cursor === 0 ? e : cut(e, before(e), e.cursor)
      case 'd': return cut(e, e.cursor, after(e))
      case 'k': return cut(e, e.cursor, lineEnd(e), true)
      case 'u': return cut(e, lineStart(e), e.cursor, true)
      case 'w': return cut(e, wordBefore(e), e.cursor, true)
      case 'y': return insert(e, e.killed)
      case '_': case 'z': {
        const last = e.undo.at(-1)
        return last ? {...e, ...last, undo: e.undo.slice(0, -1)} : e
      }
      default: return e
    }
    default: return e
  }
}
