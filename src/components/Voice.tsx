// What is shown while somebody dictates: that it hears (the mark fills, the meter moves), for how long, the words so far, the keys.
import {Box, Text} from 'ink'
import {printable} from '../core/text.ts'
import type {DictationView} from '../core/types.ts'
import {clock, marks, truncate, wrap} from './format.ts'
import {useKeys} from './useKeys.ts'

interface Props { view: DictationView; frame: number; width: number; stop: () => void; cancel: () => void }

/** Rows of the words so far; the newest are at the end. */
const partialRows = 4
const widestMeter = 60

export function Voice({view, frame, width, stop, cancel}: Props) {
  useKeys(key => {
    if (key.name === 'enter') stop()
    else if (key.name === 'escape' || (key.name === 'ctrl' && key.text === 'c')) cancel()
  })
  const words = view.partial === '' ? [] : wrap(printable(view.partial), width).slice(-partialRows)
  const keys = view.phase === 'writing' ? 'Esc throws it away' : 'Enter ends it, Esc throws it away'
  return (
    <Box flexDirection="column">
      <Head view={view} frame={frame} width={width} />
      {words.length > 0 && <Text>{words.join('\n')}</Text>}
      {view.hint !== undefined && <Text color="yellow">{wrap(printable(view.hint), width).join('\n')}</Text>}
      <Text dimColor>{truncate(keys, width)}</Text>
    </Box>
  )
}

function Head({view: {phase, ms, levels, hasSpoken}, frame, width}: {view: DictationView; frame: number; width: number}) {
  if (phase === 'opening') return <Text>{truncate(`${marks.open} Opening the microphone`, width)}</Text>
  if (phase === 'writing') return <Text>{truncate(`${marks.spinner[frame % marks.spinner.length]} ${clock(ms)} Writing it down`, width)}</Text>
  const room = Math.min(widestMeter, width - clock(ms).length - 3)
  return (
    <Text>
      <Text color="red">{hasSpoken ? marks.hears : marks.open}</Text> {clock(ms)} <Text {...(hasSpoken && {color: 'green'})}>{meter(levels, room)}</Text>
    </Text>
  )
}

/** The newest levels that fit, a character each. */
const meter = (levels: number[], width: number): string =>
  levels.slice(-width).map(level => marks.levels[Math.min(marks.levels.length - 1, Math.floor(level * marks.levels.length))]).join('')
