// An editor on the screen: text with its cursor, at most `rows` rows of it.
import {Text} from 'ink'
import {printable} from '../core/text.ts'
import {borders, type Editor} from './editor.ts'
import {marks, wrap} from './format.ts'

const cursorMark = '\u0007'

export function Line({editor, prefix, width, rows, placeholder}: {editor: Editor; prefix: string; width: number; rows: number; placeholder?: string}) {
  const {text, cursor} = editor
  if (text === '') return <Text>{prefix}<Text inverse> </Text>{placeholder ? <Text dimColor> {placeholder}</Text> : ''}</Text>
  const next = borders(text).find(b => b > cursor) ?? text.length
  const under = text.slice(cursor, next)
  const isEnd = under === '' || under === '\n'
  // The mark takes the place of the character under the cursor while lines are broken, so that its row is known.
  const safe = (part: string): string => printable(part)
  const marked = `${safe(text.slice(0, cursor))}${cursorMark}${isEnd ? ' ' : safe(under)}${cursorMark}${under === '\n' ? '\n' : ''}${safe(text.slice(next))}`
  const all = wrap(prefix + marked, width - 1)
  const at = all.findIndex(row => row.includes(cursorMark))
  const from = Math.max(0, Math.min(at - rows + 1, all.length - rows))
  const shown = all.slice(from, from + rows)
  if (from > 0) shown[0] = `${marks.more} ${from + 1} earlier lines`
  return (
    <Text>
      {shown.map((row, i) => {
        const [left = '', here, right = ''] = row.split(cursorMark)
        return <Text key={i}>{left}{here !== undefined && <Text inverse>{here === '' ? ' ' : here}</Text>}{right}{i < shown.length - 1 ? '\n' : ''}</Text>
      })}
    </Text>
  )
}
