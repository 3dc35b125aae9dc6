// Words, marks and line breaking for the interface; wide characters count as the terminal counts them.
import stringWidth from 'string-width'
import {oneLine} from '../core/text.ts'
import type {Arg, Json} from '../core/types.ts'

const utf8 = /utf-?8/i.test(process.env['LC_ALL'] ?? process.env['LC_CTYPE'] ?? process.env['LANG'] ?? (process.platform === 'win32' ? 'utf-8' : ''))

/** Marks with an ASCII form for terminals that are not UTF-8. */
export const marks = utf8
  ? {waiting: '·', done: '✓', failed: '✗', skipped: '⊘', asking: '?', up: '↑', more: '…', prompt: '❯', bar: '│', bullet: '•', spinner: [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'], branch: '└ ', open: '○', hears: '●', levels: [...'▁▂▃▄▅▆▇█']}
  : {waiting: '.', done: 'v', failed: 'x', skipped: '-', asking: '?', up: '^', more: '...', prompt: '>', bar: '|', bullet: '*', spinner: [...'|/-\\'], branch: '`- ', open: 'o', hears: '*', levels: [...'_.:-=+%#']}

const names: Record<string, string> = {
  get_phone_number: 'Phone number', get_email_address: 'E-mail address', create_calendar_event: 'Calendar event',
  open_and_get_file_path: 'Find file', summarize_pdf: 'Summarize PDF', compose_new_email: 'New mail', reply_to_email: 'Reply',
  forward_email: 'Forward', maps_open_location: 'Map', maps_show_directions: 'Directions', create_note: 'New note', open_note: 'Open note',
  append_note_content: 'Add to note', create_reminder: 'Reminder', send_sms: 'Text message', get_zoom_meeting_link: 'Zoom meeting',
}
/** A tool in the user's words. */
export const toolName = (tool: string): string => names[tool] ?? oneLine(tool.replace(/_/g, ' '))

/** An argument of the plan, shortly; references as "step 2". Empty ones give "". */
export function argText(arg: Arg): string {
  if (Array.isArray(arg)) return arg.map(argText).filter(Boolean).join(', ')
  if (typeof arg === 'object') return 'ref' in arg ? `step ${arg.ref}` : oneLine(arg.template.map(p => typeof p === 'string' ? p : `(step ${p.ref})`).join(''))
  return arg === false || arg === 0 ? '' : oneLine(String(arg))
}

/** A resolved argument, as `argText`. */
export function valueText(value: Json): string {
  if (Array.isArray(value)) return value.map(valueText).filter(Boolean).join(', ')
  return value === null || value === false || value === 0 ? '' : typeof value === 'object' ? oneLine(JSON.stringify(value)) : oneLine(String(value))
}

/** "0.4 s", "12 s", "2 min". */
export const duration = (ms: number): string =>
  ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`

/** "0:07", "12:30". */
export const clock = (ms: number): string => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, '0')}`

export const bytes = (n: number): string => n < 1024 ? `${n} B` : n < 1024 ** 2 ? `${Math.round(n / 1024)} kB` : `${(n / 1024 ** 2).toFixed(1)} MB`

const graphemes = new Intl.Segmenter(undefined, {granularity: 'grapheme'})

/** The text cut to `width` columns, with a mark where something is missing. */
export function truncate(text: string, width: number): string {
  if (stringWidth(text) <= width) return text
  let out = '', used = stringWidth(marks.more)
  for (const {segment} of graphemes.segment(text)) {
    const w = stringWidth(segment)
    if (used + w > width) break
    out += segment
    used += w
  }
  return out + marks.more
}

/** Breaks text into rows of at most `width` columns, at blanks where there are some; nothing is left out. */
export function wrap(text: string, width: number): string[] {
  const limit = Math.max(1, width)
  // A terminal draws a tab wider than it is counted, and the row would go on into the next.
  return text.replaceAll('\t', '    ').split('\n').flatMap(line => {
    const rows: string[] = []
    let row = '', used = 0
    for (const piece of line.split(/(?<=\s)/)) {
      if (used > 0 && used + stringWidth(piece.trimEnd()) > limit) { rows.push(row.trimEnd()); row = ''; used = 0 }
      for (const {segment} of graphemes.segment(piece)) {
        const w = stringWidth(segment)
        if (used + w > limit && segment.trim() !== '') { rows.push(row); row = ''; used = 0 }
        row += segment
        used += w
      }
    }
    return [...rows, row.trimEnd()]
  })
}
