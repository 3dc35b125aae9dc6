// The input line of the REPL: its own editor with history and completion.
import {Box, Text} from 'ink'
import {useState} from 'react'
import {oneLine} from '../core/text.ts'
import {edit, editorOf, emptyEditor, insert, sharedStart, vertical, type Editor} from './editor.ts'
import {marks, truncate} from './format.ts'
import {startWalk, step, type Walk} from './history.ts'
import {Line} from './Line.tsx'
import {useKeys} from './useKeys.ts'
import {useLatest, type Latest} from './useLatest.ts'

/** `note`: why there are no more */
export interface Completion { from: number; options: string[]; note?: string }
/** What may stand at the cursor: slash commands, @contacts, files after "/" or "~". */
export type Complete = (text: string, cursor: number) => Promise<Completion>

interface Props {
  editor: Latest<Editor>
  isShown: boolean
  /** something runs: what is sent off waits, and Ctrl-C, Ctrl-D and Ctrl-T are not for the input line */
  isAhead: boolean
  takesKeys: boolean
  /** false: Enter was on its way before what is in the line could be seen */
  isSeen: () => boolean
  /** told of every key but Enter */
  typed: () => void
  width: number
  history: readonly string[]
  submit: (text: string) => void
  exit: () => void
  complete: Complete
  /** the words come in at the cursor */
  speak: () => void
}

/** of what is typed, on the screen */
export const inputRows = 6

export function Input({editor: {now, set: setEditor}, isShown, isAhead, isSeen, takesKeys, typed, width, history, submit, exit, complete, speak}: Props) {
  const walk = useLatest<Walk>(startWalk(history))
  const [options, setOptions] = useState<string[]>([])
  const note = useLatest('')

  const go = (by: -1 | 1): void => {
    const editor = now()
    const inside = vertical(editor, by)
    if (inside) { setEditor(inside); return }
    const next = step(walk.now(), by, editor.text)
    if (!next) return
    walk.set(next.walk)
    setEditor(editorOf(next.text))
  }
  const tab = async (): Promise<void> => {
    const {text, cursor} = now()
    const {from, options: found, note: reason} = await complete(text, cursor)
    const typed = text.slice(from, cursor)
    const shared = sharedStart(found)
    setOptions(found.length > 1 ? found : [])
    if (reason !== undefined) note.set(reason)
    // A folder, a key or a server's name goes on.
    const fill = found.length === 1 ? (/[/=:]$/.test(found[0]!) ? found[0]! : `${found[0]!} `) : shared.length > typed.length ? shared : undefined
    // The text may have changed while files were looked up: then the answer is too late.
    if (fill) setEditor(e => e.text === text ? {...insert({...e, text: text.slice(0, from) + text.slice(cursor), cursor: from}, fill), undo: [...e.undo, {text, cursor}]} : e)
  }

  useKeys(key => {
    const editor = now()
    if (isAhead && key.name === 'ctrl' && /^[cdt]$/.test(key.text)) return
    if (key.name !== 'enter' && key.name !== 'escape') typed()
    setOptions([])
    const wasAsked = note.now() !== ''
    note.set('')
    switch (key.name) {
      case 'enter':
        if (editor.text.endsWith('\\') && editor.cursor === editor.text.length) { setEditor(insert({...editor, text: editor.text.slice(0, -1), cursor: editor.cursor - 1}, '\n')); return }
        if (editor.text.trim() === '' || !isSeen()) return
        submit(editor.text)
        setEditor(emptyEditor)
        walk.set(startWalk([...history.filter(h => h !== editor.text.trim()), editor.text.trim()]))
        return
      case 'up': go(-1); return
      case 'down': go(1); return
      case 'tab': void tab().catch(() => note.set('Nothing to complete here')); return
      case 'escape': return
      case 'ctrl':
        if (key.text === 'c') {
          if (editor.text === '') { if (wasAsked) exit(); else note.set('Ctrl-C again leaves') } else setEditor(emptyEditor)
          return
        }
        if (key.text === 't') { speak(); return }
        if (key.text === 'd' && editor.text === '') { exit(); return }
    }
    setEditor(e => edit(e, key))
  }, takesKeys)

  if (!isShown) return null
  return (
    <Box flexDirection="column">
      <Line editor={now()} prefix={`${marks.prompt} `} width={width} rows={isAhead ? 2 : inputRows} placeholder="What shall I do? /help shows how" />
      {!isAhead && options.length > 0 && <Text color="blue" wrap="truncate">{truncate(options.map(oneLine).join('  '), width)}</Text>}
      {!isAhead && note.now() !== '' && <Text color="yellow">{note.now()}</Text>}
    </Box>
  )
}
