// Tools + examples + instructions + request -> the prompt that the fine-tuned planner was trained on.
// The training data is built with this function, so a change here needs a new model.
import {paramsOf} from './params.ts'
import type {Param, PlanInput, ToolSpec} from './types.ts'

/** The type mark after a parameter's name; plain strings have none, the model knows ours by their names. */
const mark = (p: Param): string => {
  if (p.list) return '[]'
  if (p.kind === 'choice') return `: ${p.values?.join('|')}`
  if (p.kind === 'integer' || p.kind === 'number' || p.kind === 'minutes') return ': number'
  if (p.kind === 'boolean' || p.kind === 'all-day') return ': bool'
  return ''
}

/** One line a tool: `send_sms(recipients[], message) Send a text message.` Foreign tools show what their arguments are. */
export function signature(spec: ToolSpec): string {
  const params = paramsOf(spec).map(p =>
    p.name + mark(p) + (spec.foreign && p.description ? ` (${oneLine(p.description)})` : ''))
  return `${spec.name}(${params.join(', ')}) ${oneLine(spec.description)}`.trimEnd()
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()

/** Ends with "A:\n"; the completion is the plan text, "1. ...". The part that changes least comes first. */
export function buildPrompt(input: Pick<PlanInput, 'request' | 'tools' | 'instructions' | 'previous' | 'examples'>): string {
  const lines = ['Tools:', ...input.tools.map(signature)]
  if (input.instructions?.trim()) lines.push(`Always: ${oneLine(input.instructions)}`)
  for (const {request, plan} of input.examples ?? []) lines.push(`Q: ${oneLine(request)}`, 'A:', plan)
  lines.push(`Q: ${oneLine(input.request)}`)
  if (input.previous) lines.push(`Tried:\n${input.previous.plan}`, `Error: ${oneLine(input.previous.error)}`)
  return lines.join('\n') + '\nA:\n'
}
