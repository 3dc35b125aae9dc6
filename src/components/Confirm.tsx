// The card of an outward step: exactly what will leave, where each part came from, and the user's word on it.
import {Box, Text} from 'ink'
import {printable} from '../core/text.ts'
import type {ConfirmAnswer, Json, Preview, Source} from '../core/types.ts'
import {edit, editorOf, emptyEditor} from './editor.ts'
import {bytes, marks, wrap} from './format.ts'
import {Line} from './Line.tsx'
import {useArmed, type Arming} from './useArmed.ts'
import {useKeys} from './useKeys.ts'
import {useLatest} from './useLatest.ts'

interface Row { text: string; color?: string; bold?: boolean }
const from: Record<Source, string> = {user: 'typed by you', lookup: 'looked up', model: 'written by a model', document: 'FROM A DOCUMENT OR MAIL'}

const origin = (preview: Preview, {arg, source}: {arg?: string; source?: Source}): Source | undefined => source ?? (arg === undefined ? undefined : preview.sources?.[arg])

/** The whole card as rows of at most `width` columns: every field, every recipient, the full text. */
export function cardRows(preview: Preview, width: number): Row[] {
  const rows: Row[] = []
  const add = (text: string, style: Omit<Row, 'text'> = {}): void => { for (const row of wrap(printable(text), width)) rows.push({text: row, ...style}) }
  add(preview.title, {bold: true})
  for (const field of preview.fields) {
    const source = origin(preview, field)
    const values = Array.isArray(field.value) ? field.value : [field.value]
    if (values.every(v => v === '')) continue
    // A value is one line: its own line ends are shown, so that it cannot pass for another field.
    add(`${field.label}: ${values.map(v => v.replace(/\r?\n/g, '\\n')).join(', ')}${source ? `  (${from[source]})` : ''}`, source === 'document' ? {color: 'red'} : {})
  }
  for (const a of preview.attachments ?? []) add(`Attachment: ${a.name} (${bytes(a.bytes)}, ${a.type}) ${a.path}${a.from === undefined ? '' : `  (${from.document}: ${a.from})`}`, a.from === undefined ? {} : {color: 'red'})
  if (preview.body) {
    const source = origin(preview, preview.body)
    add('')
    if (source === 'document') add(`The text below holds text ${from.document}:`, {color: 'red'})
    for (const row of wrap(printable(preview.body.text), width - 2)) rows.push({text: `${marks.bar} ${row}`})
  }
  if (preview.notice) { add(''); add(preview.notice, {color: 'yellow'}) }
  return rows
}

const Rows = ({rows}: {rows: Row[]}) => (
  <Box flexDirection="column">
    {rows.map((r, i) => <Text key={i} wrap="truncate" {...(r.color && {color: r.color})} {...(r.bold && {bold: true})}>{r.text === '' ? ' ' : r.text}</Text>)}
  </Box>
)

/** The card without keys, for the dry run. */
export const Card = ({preview, width}: {preview: Preview; width: number}) =>
  <Box marginTop={1}><Rows rows={cardRows(preview, width)} /></Box>

interface Field { label: string; arg: string; text: string; list: boolean }
function editable(preview: Preview): Field[] {
  const fields = preview.fields.flatMap((f): Field[] =>
    f.arg === undefined ? [] : [{label: f.label, arg: f.arg, list: Array.isArray(f.value), text: Array.isArray(f.value) ? f.value.join(', ') : f.value}])
  const body = preview.body
  return body?.arg === undefined ? fields : [...fields, {label: 'Text', arg: body.arg, list: false, text: body.text}]
}

const split = (text: string): string[] => text.split(/[,;\n]/).map(t => t.trim()).filter(Boolean)

export interface ConfirmProps extends Arming {
  preview: Preview
  width: number
  rows: number
  answer: (answer: ConfirmAnswer) => void
  /** opens the user's $EDITOR on a text; undefined where there is none */
  openEditor?: ((text: string) => Promise<string>) | undefined
}

export function Confirm({preview, width, rows, answer, openEditor, ...arming}: ConfirmProps) {
  const top = useLatest(0)
  const mode = useLatest<'card' | 'choosing' | Field>('card')
  const {now, set: setEditor} = useLatest(emptyEditor)
  // It listens, and says so, only after its first frame has been out for a moment.
  const armed = useArmed(250, arming)

  const all = cardRows(preview, width)
  const fields = editable(preview)
  const shown = mode.now()
  const field = typeof shown === 'object' ? shown : undefined
  const room = Math.max(3, rows - (shown === 'choosing' ? fields.length + 1 : field ? 8 : 2))
  const last = Math.max(0, all.length - room)
  const first = Math.min(top.now(), last)
  const start = (f: Field): void => { mode.set(f); setEditor(editorOf(f.text)) }
  const finish = (f: Field, text: string): void => {
    const value: Json = f.list ? split(text) : text
    answer({edit: {[f.arg]: value}})
  }

  useKeys(key => {
    if (!armed) return
    const at = mode.now()
    if (typeof at === 'object') {
      if (key.name === 'escape') mode.set('card')
      else if (key.name === 'enter') finish(at, now().text)
      else if (key.name === 'ctrl' && key.text === 'g' && openEditor) void openEditor(now().text).then(text => setEditor(editorOf(text)), () => undefined)
      else setEditor(e => edit(e, key))
      return
    }
    if (at === 'choosing') {
      const chosen = key.name === 'text' ? fields[Number(key.text) - 1] : undefined
      if (chosen) start(chosen)
      else if (key.name === 'escape') mode.set('card')
      return
    }
    if (key.name === 'down') top.set(t => Math.min(last, t + 1))
    else if (key.name === 'up') top.set(t => Math.max(0, t - 1))
    else if (key.name === 'pagedown') top.set(t => Math.min(last, t + room - 1))
    else if (key.name === 'pageup') top.set(t => Math.max(0, t - room + 1))
    else if (key.name === 'text') {
      const k = key.text.toLowerCase()
      if (k === 's') answer('yes')
      else if (k === 'k') answer('skip')
      else if (k === 'q') answer('stop')
      else if (k === 'e' && fields.length > 0) mode.set('choosing')
    } else if (key.name === 'escape') answer('stop')
  })

  return (
    <Box flexDirection="column">
      <Rows rows={all.slice(first, first + room)} />
      {last > 0 && <Text color="yellow" wrap="truncate">{`rows ${first + 1} to ${first + room} of ${all.length}, arrow keys show the rest`}</Text>}
      {shown === 'choosing' && fields.map((f, i) => <Text key={f.arg} wrap="truncate">{`${i + 1} ${f.label}`}</Text>)}
      {field && <Line editor={now()} prefix={`${field.label}: `} width={width} rows={6} />}
      <Text color="yellow" wrap="truncate">
        {field ? `Enter keeps it, Ctrl-J starts a line, Esc leaves it${openEditor ? ', Ctrl-G opens your editor' : ''}`
          : shown === 'choosing' ? 'Which one? Its number, or Esc' : armed ? '[s]end  [e]dit  s[k]ip  [q]uit' : ' '}
      </Text>
    </Box>
  )
}
