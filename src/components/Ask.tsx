// A question that is not a confirmation: which of several people, or an address that is missing.
import {Box, Text} from 'ink'
import {oneLine, printable} from '../core/text.ts'
import type {Answer, Candidate, Question} from '../core/types.ts'
import {edit, emptyEditor, insert, sharedStart} from './editor.ts'
import {marks, truncate, wrap} from './format.ts'
import {Line} from './Line.tsx'
import {useArmed, type Arming} from './useArmed.ts'
import {useKeys} from './useKeys.ts'
import {useLatest} from './useLatest.ts'

interface Props extends Arming { question: Question; width: number; rows: number; answer: (answer: Answer) => void }

export const Ask = (props: Props) => props.question.type === 'pick' ? <Pick {...props} question={props.question} /> : <Input {...props} question={props.question} />

interface PickProps extends Props {
  question: Extract<Question, {type: 'pick'}>
  /** the candidate that Enter takes at first */
  start?: number
  hint?: string
  nothing?: string
}

export function Pick({question, width, rows, answer, start = 0, hint = 'Arrows and Enter, a digit, or type to search; Esc for none', nothing = 'Nobody fits. Backspace widens the search.', ...arming}: PickProps) {
  const {now, set: setFilter} = useLatest(emptyEditor)
  const filter = now()
  const at = useLatest(start)
  const matching = (): Candidate[] => question.candidates.filter(c => `${c.label} ${c.detail ?? ''}`.toLowerCase().includes(now().text.toLowerCase()))
  const chosenOf = (found: Candidate[]): number => Math.min(at.now(), Math.max(0, found.length - 1))
  const found = matching()
  const chosen = chosenOf(found)
  const room = Math.max(1, rows - 3)
  const first = Math.max(0, Math.min(chosen - room + 1, found.length - room))
  const armed = useArmed(0, arming)
  useKeys(key => {
    const found = matching()
    const digit = key.name === 'text' && now().text === '' && /^[1-9]$/.test(key.text) ? found[Number(key.text) - 1] : undefined
    if (digit) answer({value: digit.value})
    else if (key.name === 'escape') answer(undefined)
    else if (key.name === 'enter') { const c = found[chosenOf(found)]; if (c) answer({value: c.value}) }
    else if (key.name === 'up') at.set(Math.max(0, chosenOf(found) - 1))
    else if (key.name === 'down') at.set(Math.min(found.length - 1, chosenOf(found) + 1))
    else { setFilter(e => edit(e, key)); at.set(0) }
  }, armed)
  return (
    <Box flexDirection="column">
      <Text bold>{wrap(printable(question.title), width).join('\n')}</Text>
      {found.slice(first, first + room).map((c, i) => (
        <Text key={`${first + i}`} inverse={first + i === chosen} wrap="truncate">
          {truncate(`${first + i < 9 ? first + i + 1 : ' '} ${oneLine(c.label)}${c.detail ? `  ${oneLine(c.detail)}` : ''}`, width)}
        </Text>))}
      {found.length === 0 && <Text color="yellow">{nothing}</Text>}
      <Text color="yellow" wrap="truncate">{filter.text ? `${marks.prompt} ${oneLine(filter.text)}` : hint}</Text>
    </Box>
  )
}

function Input({question, width, answer, overTyping, onArmed}: Props & {question: Extract<Question, {type: 'input'}>}) {
  const {now, set: setEditor} = useLatest(emptyEditor)
  const value = useLatest<string | undefined>(undefined)
  const fitting = (): string[] => (question.suggestions ?? []).filter(s => s.toLowerCase().startsWith(now().text.toLowerCase()))
  const armed = useArmed(0, {...(overTyping && {overTyping}), ...(onArmed && {onArmed})})
  useKeys(key => {
    if (key.name === 'escape') { answer(undefined); return }
    const known = value.now()
    if (known !== undefined) {
      if (key.name === 'text' && /^[yn]$/i.test(key.text)) answer({value: known, save: key.text.toLowerCase() === 'y'})
      return
    }
    if (key.name === 'tab') {
      const fill = sharedStart(fitting())
      if (fill !== '') setEditor(e => ({...insert({...e, text: '', cursor: 0}, fill), undo: [...e.undo, e]}))
      return
    }
    if (key.name !== 'enter') { setEditor(e => edit(e, key)); return }
    const typed = now().text.trim()
    if (typed === '' && !question.isOptional) return
    if (question.save) value.set(typed)
    else answer({value: typed})
  }, armed)
  return (
    <Box flexDirection="column">
      <Text bold>{wrap(printable(question.title), width).join('\n')}</Text>
      <Line editor={now()} prefix={`${marks.prompt} `} width={width} rows={3} {...(question.placeholder && {placeholder: question.placeholder})} />
      {fitting().length > 0 && <Text color="blue" wrap="truncate">{truncate(`Tab: ${fitting().map(oneLine).join('  ')}`, width)}</Text>}
      {value.now() !== undefined && question.save
        ? <Text color="yellow">{wrap(`Keep it in the contacts as ${oneLine(question.save.name)}? [y]es [n]o`, width).join('\n')}</Text>
        : <Text color="yellow">{question.isOptional ? 'Enter to go on, also with nothing; Esc leaves' : 'Enter to go on, Esc for none'}</Text>}
    </Box>
  )
}
