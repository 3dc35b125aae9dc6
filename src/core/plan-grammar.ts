// Tools -> GBNF for a whole plan: selected tools, the right number and types of arguments, the numbers of the lines, and join(). For servers
// that take one grammar for a whole answer; what grammar.ts knows line by line (which results are there) is checked afterwards.
import {paramsOf} from './params.ts'
import type {Param, ToolSpec} from './types.ts'

const literal = (text: string): string => JSON.stringify(text)

function itemOf({kind, values}: Param): string {
  switch (kind) {
    case 'choice': return `(${(values ?? []).map(v => literal(JSON.stringify(v))).join(' | ')})`
    case 'minutes': return 'count'
    case 'integer': return 'integer'
    case 'number': return 'number'
    case 'boolean': case 'all-day': return '("true" | "false")'
    default: return 'string'
  }
}

const valueOf = (p: Param): string => p.list ? `"[" (${itemOf(p)} (", " ${itemOf(p)})*)? "]"` : itemOf(p)

/** `maxCalls`: as many lines as a plan may have before its join(). */
export function planGrammar(tools: ToolSpec[], maxCalls: number): string {
  const calls = tools.map((spec, i) => `t${i} ::= ${literal(`${spec.name}(`)} ${paramsOf(spec).map(valueOf).join(' ", " ') || '""'} ")"`)
  const most = tools.length === 0 ? 0 : maxCalls
  const lines = Array.from({length: most}, (_, i) => `l${i + 1} ::= "${i + 1}. " ("join()" | call "\\n" l${i + 2})`)
  return [
    'root ::= l1',
    ...lines,
    `l${most + 1} ::= "${most + 1}. join()"`,
    ...(tools.length > 0 ? [`call ::= ${tools.map((_, i) => `t${i}`).join(' | ')}`, ...calls] : []),
    'string ::= "\\"" char* "\\""',
    'char ::= [^"\\\\\\x00-\\x1f] | "\\\\" ["\\\\/nt]',
    'count ::= [0-9] [0-9]? [0-9]? [0-9]?',
    'integer ::= "-"? [0-9]+',
    'number ::= "-"? [0-9]+ ("." [0-9]+)?',
  ].join('\n') + '\n'
}
