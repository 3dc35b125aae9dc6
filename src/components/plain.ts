// Plain output: labelled lines and numbered answers, for pipes, dumb terminals and screen readers. The answer and the
// dry run's cards go to `out`, everything else to `err`. Nothing is redrawn.
import {oneLine, printable} from '../core/text.ts'
import type {Answer, Ask, Confirm, ConfirmAnswer, Emit, Event, Json, Preview, Question, Source} from '../core/types.ts'
import {argText, bytes, duration} from './format.ts'

export interface PlainDeps {
  out(text: string): void
  err(text: string): void
  /** one line typed by the user; undefined at the end of input */
  readLine(prompt: string, signal: AbortSignal): Promise<string | undefined>
}

const origin: Record<Source, string> = {user: 'typed by you', lookup: 'looked up', model: 'written by a model', document: 'FROM A DOCUMENT OR MAIL'}

/** The card of a step: every field, every recipient, the full text, and where each part came from. */
export function card(preview: Preview): string {
  const {sources, body} = preview
  const from = ({arg, source = arg === undefined ? undefined : sources?.[arg]}: {arg?: string; source?: Source}): string =>
    source === undefined ? '' : ` (${origin[source]})`
  const lines = [printable(preview.title)]
  for (const field of preview.fields) {
    const value = [field.value].flat().map(v => oneLine(v)).join(', ')
    if (value !== '') lines.push(`  ${field.label}: ${value}${from(field)}`)
  }
  for (const a of preview.attachments ?? []) lines.push(`  Attachment: ${oneLine(a.name)} (${bytes(a.bytes)}, ${a.type}) ${oneLine(a.path)}${a.from === undefined ? '' : ` (${origin.document}: ${oneLine(a.from)})`}`)
  if (body) lines.push(`  Text${from(body)}:`, ...printable(body.text).split('\n').map(line => `    ${line}`))
  if (preview.notice) lines.push(`  Note: ${oneLine(preview.notice)}`)
  return lines.join('\n')
}

const skipped: Record<Extract<Event, {type: 'task-skipped'}>['reason'], string> = {
  'dependency': 'an earlier step failed', 'user': 'as you wished', 'dropped': 'not needed', 'cancelled': 'stopped',
  'nobody': 'nobody is there to confirm', 'dry-run': 'dry run',
}

/** The line of an event, without its label's colour; undefined for those that plain output does not show. */
function lineOf(event: Event): string | undefined {
  switch (event.type) {
    case 'request': return event.as === undefined ? undefined : `as: ${event.as}`
    case 'attached': return event.files.map(f => `attached: ${oneLine(f.from)} (${bytes(f.bytes)}, ${f.type})`).join('\n  ')
    case 'tools-selected': return `tools: ${event.tools.map(t => t.name).join(', ') || 'none'}`
    case 'task-added': return `step ${event.task.id}: ${event.task.tool} ${event.task.args.map(argText).filter(Boolean).join(' | ')}`.trimEnd() + (event.insteadOf === undefined ? '' : `, instead of: ${event.insteadOf}`)
    case 'task-done': return event.isEarlier ? `done before ${event.id}: ${event.result.summary}` : `done ${event.id}: ${event.result.summary} (${duration(event.ms)})`
    case 'task-failed': return `failed ${event.id}: ${event.error.message}${choices(event)}`
    case 'task-skipped': return event.reason === 'dry-run' || event.reason === 'dropped' ? undefined : `skipped ${event.id}: ${skipped[event.reason]}${event.kept === undefined ? '' : `; ${event.kept}`}`
    case 'plan-done': return event.example ? 'plan: as you approved it before (/examples)' : undefined
    case 'confirm-answered': return event.rule === undefined ? undefined : `allowed ${event.id}: ${event.rule}`
    case 'task-progress': return `step ${event.id}: ${event.message}`
    case 'replan': return `planning again (${event.attempt}): ${event.reason}`
    case 'error': return `error: ${event.error.message}`
    default: return undefined
  }
}

/** Those that the message does not name already. */
const choices = ({error}: Extract<Event, {type: 'task-failed'}>): string =>
  (error.candidates ?? []).filter(c => !error.message.includes(c.label)).map(c => `\n  ${c.label}${c.detail ? `, ${c.detail}` : ''}`).join('')

export function plainReader(deps: PlainDeps): {emit: Emit; confirm: Confirm; ask: Ask} {
  const {out} = deps
  // While a line is being typed, what happens meanwhile is held back: it must not run into the answer.
  let held: string[] | undefined
  const err = (text: string): void => { if (held) held.push(text); else deps.err(text) }
  const readLine: PlainDeps['readLine'] = async (prompt, signal) => {
    held = []
    try {
      return await deps.readLine(prompt, signal)
    } finally {
      const late = held
      held = undefined
      late.forEach(err)
    }
  }
  const emit: Emit = event => {
    if (event.type === 'answer') out(`${printable(event.text)}\n`)
    else if (event.type === 'preview') out(`step ${event.id}: ${event.preview.effect === 'outward' ? 'would ask: ' : ''}${card(event.preview)}\n`)
    else {
      const line = lineOf(event)
      // What goes on over several lines stays below its label: no text of others can pass for a line of ours.
      if (line !== undefined) err(`${printable(line).replace(/\n(?! {2})/g, '\n  ')}\n`)
    }
  }
  const choose = async (prompt: string, count: number, signal: AbortSignal): Promise<number | undefined> => {
    for (;;) {
      const line = await readLine(prompt, signal)
      if (line === undefined) return undefined
      const number = Number(line.trim())
      if (Number.isInteger(number) && number >= 1 && number <= count) return number
      err(`Please type a number from 1 to ${count}.\n`)
    }
  }

  const confirm: Confirm = async (preview, signal): Promise<ConfirmAnswer> => {
    err(`ask: ${card(preview)}\n`)
    const fields = editable(preview)
    for (;;) {
      const answers = ['send', 'skip this step', 'stop everything', ...(fields.length > 0 ? ['edit'] : [])]
      const choice = await choose(`${answers.map((a, i) => `${i + 1} ${a}`).join(', ')}: `, answers.length, signal)
      if (choice === undefined || choice === 3) return 'stop'
      if (choice === 1) return 'yes'
      if (choice === 2) return 'skip'
      const which = await choose(`${fields.map((f, i) => `${i + 1} ${f.label}`).join(', ')}: `, fields.length, signal)
      const field = which === undefined ? undefined : fields[which - 1]
      if (!field) return 'stop'
      const text = await readLine(`${field.label}${field.isList ? ' (several with commas)' : ' (\\n for a new line)'}: `, signal)
      if (text !== undefined) return {edit: {[field.arg]: valueOf(text, field.isList)}}
    }
  }

  const ask: Ask = async (question: Question, signal): Promise<Answer> => {
    err(`ask: ${printable(question.title)}\n`)
    if (question.type === 'pick') {
      question.candidates.forEach((c, i) => err(`  ${i + 1} ${oneLine(c.label)}${c.detail ? `, ${oneLine(c.detail)}` : ''}\n`))
      const none = question.candidates.length + 1
      err(`  ${none} none of these\n`)
      const choice = await choose('number: ', none, signal)
      const chosen = choice === undefined ? undefined : question.candidates[choice - 1]
      return chosen && {value: chosen.value}
    }
    const value = (await readLine(question.isOptional ? 'answer (may be empty): ' : 'answer (empty for none): ', signal))?.trim()
    if (value === undefined || (value === '' && !question.isOptional)) return undefined
    if (!question.save) return {value}
    return {value, save: await choose(`Keep it in the contacts under ${oneLine(question.save.name)}? 1 yes, 2 no: `, 2, signal) === 1}
  }
  return {emit, confirm, ask}
}

interface Field { label: string; arg: string; isList: boolean }

function editable(preview: Preview): Field[] {
  const fields = preview.fields.flatMap(f => f.arg === undefined ? [] : [{label: f.label, arg: f.arg, isList: Array.isArray(f.value)}])
  return preview.body?.arg === undefined ? fields : [...fields, {label: 'Text', arg: preview.body.arg, isList: false}]
}

const valueOf = (text: string, isList: boolean): Json =>
  isList ? text.split(/[,;]/).map(t => t.trim()).filter(t => t !== '') : text.replaceAll('\\n', '\n')
