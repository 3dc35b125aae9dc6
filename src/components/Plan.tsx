// The plan as a tree that grows while the model writes it.
import {Box, Text} from 'ink'
import {oneLine, printable} from '../core/text.ts'
import {argText, duration, marks, toolName, truncate, valueText} from './format.ts'
import {tree, type RunView, type TreeLine} from './state.ts'

const color = {waiting: undefined, asking: 'yellow', running: 'cyan', done: 'green', failed: 'red', skipped: 'yellow'} as const
const reasons: Record<string, string> = {
  dependency: 'needs a step that did not work', user: 'skipped by you', dropped: 'not needed', cancelled: 'cancelled',
  nobody: 'nobody was there to say yes', 'dry-run': 'preview only',
}

/** One step on one row: mark, what it does, with what, and what it waits for or what came of it. */
export function TaskLine({line, frame, width}: {line: TreeLine; frame: number; width: number}) {
  const {view, depth, kind} = line
  const {task, status} = view
  const indent = depth === 0 ? '' : '  '.repeat(depth - 1) + marks.branch
  if (kind === 'ref') return <Text wrap="truncate">{truncate(`${indent}${marks.up} step ${task.id}`, width)}</Text>
  const mark = status === 'running' ? marks.spinner[frame % marks.spinner.length] : marks[status]
  const args = view.args ? Object.values(view.args).map(valueText) : task.args.map(argText)
  const tail = status === 'done' && view.isEarlier ? `${oneLine(view.summary ?? '')} (done before)`
    : status === 'done' ? `${oneLine(view.summary ?? '')}${view.rule === undefined ? '' : `, allowed by ${oneLine(view.rule)}`} ${view.ms !== undefined ? `(${duration(view.ms)})` : ''}`
    : status === 'failed' ? oneLine(view.error?.message ?? 'failed')
    : status === 'skipped' ? reasons[view.reason ?? ''] ?? 'skipped'
    : status === 'asking' ? 'waits for you'
    : view.message ? `${oneLine(view.message)}${view.fraction !== undefined ? ` ${Math.round(view.fraction * 100)}%` : ''}`
    : (status === 'waiting' || status === 'running') && view.insteadOf !== undefined ? `instead of: ${oneLine(view.insteadOf)}`
    : status === 'waiting' && task.dependsOn.length > 0 ? `waits for ${task.dependsOn.map(id => `step ${id}`).join(', ')}` : ''
  const what = `${task.id}. ${toolName(task.tool)}`
  // Done and failed steps say what came of them instead of what went in.
  const detail = (status === 'done' && view.summary) || status === 'failed' || status === 'skipped' ? tail : [args.filter(Boolean).join(', '), tail].filter(Boolean).join('  - ')
  const room = Math.max(0, width - indent.length - 2 - what.length - 2)
  return (
    <Text wrap="truncate">
      {indent}<Text {...(color[status] && {color: color[status]})}>{mark}</Text> <Text bold>{truncate(what, Math.max(8, width - indent.length - 2))}</Text>
      {room > 3 && detail ? `  ${truncate(detail, room)}` : ''}
    </Text>
  )
}

const steps = (n: number, where: string): string => `${marks.more} ${n} ${where} ${n === 1 ? 'step' : 'steps'}`

/** The rows of the tree to show in `room`: its end, unless the step that the user is asked about stands above it. */
function windowOf(lines: TreeLine[], room: number): {from: number; to: number} {
  const {length} = lines
  if (length <= room) return {from: 0, to: length}
  const end = Math.max(0, length - Math.max(1, room - 1))
  const asked = lines.findIndex(l => l.view.status === 'asking')
  if (asked < 0 || asked >= end) return {from: end, to: length}
  const shown = Math.max(1, room - 2) // a mark above and one below
  return {from: asked, to: Math.min(length, asked + shown)}
}

/** `rows`: the most rows to use; a longer tree is cut to a window. */
export function Plan({run, frame, width, rows}: {run: RunView; frame: number; width: number; rows: number}) {
  const lines = tree(run.tasks)
  const {from, to} = windowOf(lines, Math.max(1, rows - (run.partial ? 1 : 0)))
  return (
    <Box flexDirection="column">
      {from > 0 && <Text>{steps(from, 'earlier')}</Text>}
      {lines.slice(from, to).map((line, i) => <TaskLine key={`${from + i}`} line={line} frame={frame} width={width} />)}
      {to < lines.length && <Text>{steps(lines.length - to, 'later')}</Text>}
      {run.partial !== '' && <Text wrap="truncate" dimColor>{truncate(printable(run.partial), width)}</Text>}
    </Box>
  )
}
