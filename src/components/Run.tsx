// One request from its first word to its answer: chips, tree, answer.
import {Box, Text} from 'ink'
import stringWidth from 'string-width'
import {oneLine, printable} from '../core/text.ts'
import {duration, marks, toolName, wrap} from './format.ts'
import {Card} from './Confirm.tsx'
import {Plan} from './Plan.tsx'
import type {RunView} from './state.ts'

export const Request = ({text, width}: {text: string; width: number}) =>
  <Text bold>{wrap(`${marks.prompt} ${printable(text)}`, width).join('\n')}</Text>

/** What a follow-up was understood as. */
const As = ({text, width}: {text: string; width: number}) => <Text dimColor>{wrap(`as: ${oneLine(text)}`, width).join('\n')}</Text>

const between = `  ${marks.bullet} `

/** Items on as many rows as they need, none broken. */
const flow = (items: string[], width: number): string[] => items.reduce<string[]>((rows, item) => {
  const row = rows.at(-1)
  return row === undefined || stringWidth(row + between + item) > width ? [...rows, item] : [...rows.slice(0, -1), row + between + item]
}, [])

/** The selected tools with their scores, on as many rows as they need; `oneRow` cuts them to one. */
export function Chips({run, width, oneRow}: {run: RunView; width: number; oneRow: boolean}) {
  if (run.tools.length === 0) return null
  const chips = run.tools.map(t => `${toolName(t.name)} ${t.score.toFixed(2)}`)
  return <Text color="blue" wrap="truncate">{oneRow ? chips.join(between) : flow(chips, width).join('\n')}</Text>
}

const verdict: Record<string, string> = {
  failed: 'Failed', partly: 'Partly done', cancelled: 'Cancelled', 'needs-confirmation': 'Needs your word',
}

/** A finished run in full, for the scrollback. */
export function FinishedRun({run, width}: {run: RunView; width: number}) {
  return (
    <Box flexDirection="column" marginBottom={1}>
      <Request text={run.request} width={width} />
      {run.as !== undefined && <As text={run.as} width={width} />}
      {run.attached?.map((text, i) => <Text key={i} dimColor>{wrap(oneLine(text), width).join('\n')}</Text>)}
      <Chips run={run} width={width} oneRow={false} />
      {run.isExample && <Text dimColor>As you approved it before (/examples)</Text>}
      <Plan run={run} frame={0} width={width} rows={Infinity} />
      {run.tasks.filter(t => t.error).map(t =>
        <Text key={t.task.id} color="red">{wrap(`${marks.failed} ${oneLine(t.error?.message ?? '')}`, width).join('\n')}</Text>)}
      {run.previews.map(p => <Card key={p.id} preview={p.preview} width={width} />)}
      {run.replan && <Text color="yellow">{wrap(`Planned again: ${oneLine(run.replan)}`, width).join('\n')}</Text>}
      {run.error && <Text color="red">{wrap(`${marks.failed} ${printable(run.error.message)}`, width).join('\n')}</Text>}
      {run.answer && <Text>{wrap(printable(run.answer), width).join('\n')}</Text>}
      <Text dimColor>{[run.status ? verdict[run.status] : undefined, run.ms !== undefined ? duration(run.ms) : undefined].filter(Boolean).join(`  ${marks.bullet} `)}</Text>
    </Box>
  )
}

/** What runs now, never higher than `rows`. */
export function LiveRun({run, frame, width, rows}: {run: RunView; frame: number; width: number; rows: number}) {
  const request = wrap(`${marks.prompt} ${printable(run.request)}`, width)
  const shown = request.slice(0, Math.max(1, Math.min(3, rows - 4)))
  const state = !run.tools.length ? 'Choosing tools' : !run.planned ? 'Planning' : ''
  const used = shown.length + (run.as === undefined ? 0 : 1) + (run.tools.length ? 1 : 0) + (state ? 1 : 0) + (run.replan ? 1 : 0)
  return (
    <Box flexDirection="column">
      <Text bold>{shown.join('\n')}</Text>
      {run.as !== undefined && <Text dimColor wrap="truncate">{`as: ${oneLine(run.as)}`}</Text>}
      <Chips run={run} width={width} oneRow />
      {run.replan && <Text color="yellow" wrap="truncate">{`Planning again: ${oneLine(run.replan)}`}</Text>}
      <Plan run={run} frame={frame} width={width} rows={Math.max(1, rows - used)} />
      {state && <Text color="cyan">{`${marks.spinner[frame % marks.spinner.length]} ${state}`}</Text>}
    </Box>
  )
}
