// The paper's planners, TinyAgent-1.1B and TinyAgent-7B (arXiv 2409.00608; github.com/SqueezeAILab/TinyAgent): the prompt that they were trained on, in its form, and
// their answers, in Python's notation, as plan text. Their sixteen tools have our names and the order of our arguments; dates are absolute.
import type {ChatMessage} from './model/openai.ts'
import {paramsOf} from './params.ts'
import {nothing} from './plan-file.ts'
import type {Json, Param, PlanInput, ToolSpec} from './types.ts'

export type PromptForm = 'general' | 'tinyagent'

/** `names`: what the model's file or server calls it. TinyAgent's ToolRAG is no planner. */
export const promptForm = (chosen: 'auto' | PromptForm, names: (string | undefined)[]): PromptForm =>
  chosen !== 'auto' ? chosen : names.some(name => name !== undefined && /\btiny[-_ ]?agent[-_ ]?(?:1\.1|7)b/i.test(name)) ? 'tinyagent' : 'general'

const endOfPlan = '<END_OF_PLAN>'
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()

/** "recipients: list[str]" */
function typed({name, kind, list}: Param): string {
  const type = kind === 'minutes' || kind === 'integer' || (kind === 'choice' && name === 'priority') ? 'int' : kind === 'number' ? 'float' : kind === 'boolean' || kind === 'all-day' ? 'bool' : 'str'
  return `${name}: ${list ? `list[${type}]` : type}`
}

/** What their own descriptions say beside the signature, by the kinds of the arguments. */
function notes(spec: ToolSpec): string[] {
  const params = paramsOf(spec)
  const of = (...kinds: Param['kind'][]): string => params.filter(p => kinds.includes(p.kind)).map(p => p.name).join(', ')
  const [dates, texts, minutes] = [of('when', 'until'), of('label', 'place'), of('minutes')]
  return [
    spec.description,
    ...(dates ? [`The format of ${dates} is 'YYYY-MM-DD HH:MM:SS'${of('all-day') ? `; 'YYYY-MM-DD' if ${of('all-day')} is True` : ''}.`] : []),
    ...(texts ? [`Use an empty string for ${texts} if not applicable.`] : []),
    ...(minutes ? [`${minutes} is in minutes.`] : []),
    ...params.flatMap(p => p.kind === 'choice' ? [`${p.name} is one of ${(p.values ?? []).map(v => JSON.stringify(v)).join(', ')}; the first if not specified.`] : p.kind === 'path' && !p.list ? [`${p.name} is the result of open_and_get_file_path.`] : []),
  ]
}

const describe = (spec: ToolSpec, i: number): string => `${i + 1}. ${spec.name}(${paramsOf(spec).map(typed).join(', ')}) -> str\n${notes(spec).map(note => ` - ${note}\n`).join('')}`

const guidelines = [
  'Each action described above has its input and output types, which you MUST follow.',
  'Each action in the plan is one of the above types, in the conventions of Python.',
  'Each action MUST have a unique ID, which is strictly increasing.',
  'Inputs are constants or the outputs of preceding actions; for an output write $id with the ID of that action.',
  `Always call join as the last action in the plan. Say '${endOfPlan}' after you call join`,
  'Ensure the plan maximizes parallelizability.',
  'Only use the provided action types. If a query cannot be addressed using these, invoke the join action.',
  'Never explain the plan with comments (e.g. #).',
  'Never introduce new actions other than the ones provided.',
]

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const two = (n: number): string => String(n).padStart(2, '0')
const clock = (now: Date): string => `${days[now.getDay()]} ${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())} ${two(now.getHours())}:${two(now.getMinutes())}`

const rules = (now: Date, instructions: string | undefined): string[] => [
  "You need to start your plan with the '1.' call",
  `Today's date is ${clock(now)}`,
  'Unless otherwise specified, the default meeting duration is 60 minutes.',
  'Do not use named arguments in your tool calls.',
  'You MUST fill every argument in the tool calls, even if they are optional.',
  "The format for dates MUST be in ISO format of 'YYYY-MM-DD HH:MM:SS', unless other specified.",
  'Before sending an email or an SMS, you MUST look up the address or the phone number of each recipient, unless you are explicitly given it.',
  "The words of an email go into 'context'.",
  ...(instructions?.trim() ? [oneLine(instructions)] : []),
]

/** Ours, in their form. */
const examples: {request: string; plan: string}[] = [
  {request: 'Text Farida that the ferry is late.', plan: '1. get_phone_number("Farida")\n2. send_sms(["$1"], "The ferry is late.")\n3. join()'},
  {request: 'Set up a call about the lease with Petra Lindholm on the 14th of October 2026 at half past ten.', plan: '1. get_email_address("Petra Lindholm")\n2. create_calendar_event("Call about the lease", "2026-10-14 10:30:00", "2026-10-14 11:30:00", "", ["$1"], "", "")\n3. join()'},
  {request: 'Mail tenancy.pdf to the housing office, they wanted it signed.', plan: '1. get_email_address("housing office")\n2. open_and_get_file_path("tenancy.pdf")\n3. compose_new_email(["$1"], [], "Signed tenancy", "Here is the signed tenancy.", ["$2"])\n4. join()'},
  {request: 'How do I get to the Old Mill?', plan: '1. maps_show_directions("", "the Old Mill", "d")\n2. join()'},
]

/** Ends with the question; on a replan with the plan that could not be used, and why. */
export function buildTinyAgentChat({request, now, tools, instructions, previous}: Pick<PlanInput, 'request' | 'now' | 'tools' | 'instructions' | 'previous'>): ChatMessage[] {
  const names = new Set([...tools.map(t => t.name), 'join'])
  const fitting = examples.filter(({plan}) => [...plan.matchAll(/^\d+\. (\w+)/gm)].every(m => names.has(m[1]!)))
  const list = (lines: string[]): string => lines.map(line => ` - ${line}\n`).join('')
  const system = [
    `Given a user query, create a plan to solve it with the utmost parallelizability. Each plan should comprise an action from the following ${tools.length + 1} types:\n`,
    ...tools.map(describe),
    `${tools.length + 1}. join():\n - Collects and combines results from prior actions.\n - join should always be the last action in the plan.\n\n`,
    `Guidelines:\n${list(guidelines)}\n${list(rules(now, instructions))}\n`,
    ...(previous ? [list(['You are given "Previous Plan" with what went wrong (Observation). You MUST use it to write the whole plan anew under "Current Plan".'])] : []),
    `Here are some examples:\n\n${fitting.map(e => `Question: ${e.request}\n${e.plan}${endOfPlan}\n###\n`).join('')}`,
  ].join('')
  const question = `Question: ${oneLine(request)}`
  return [
    {role: 'system', content: system},
    {role: 'user', content: previous ? `${question}\nPrevious Plan:\n\n${previous.plan.trim()}\nObservation: ${oneLine(previous.error)} You MUST correct this error and try again!\n\nCurrent Plan:\n\n` : question},
  ]
}

/** A value in Python's notation; undefined where the text is none. */
function readPython(text: string): Json[] | undefined {
  let at = 0
  const skip = (): void => { while (/\s/.test(text[at] ?? '')) at++ }
  const list = (close: string): Json[] | undefined => {
    const items: Json[] = []
    for (;;) {
      skip()
      if (text[at] === close || (close === '' && at === text.length)) { at++; return items }
      const item = value()
      if (item === undefined) return undefined
      items.push(item)
      skip()
      if (text[at] === ',') at++
      else if (text[at] !== close && !(close === '' && at === text.length)) return undefined
    }
  }
  const value = (): Json | undefined => {
    const rest = text.slice(at)
    const opened = /^[[(]/.exec(rest)?.[0]
    if (opened) { at++; return list(opened === '[' ? ']' : ')') }
    const string = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')/.exec(rest)
    const word = string ? undefined : /^(?:None|True|False|-?\d+(?:\.\d+)?|\$\{?\d+\}?)(?![\w.])/.exec(rest)?.[0]
    at += string?.[0].length ?? word?.length ?? 0
    if (string) return (string[1] ?? string[2] ?? '').replace(/\\(.)/g, (_, c: string) => c === 'n' ? '\n' : c === 't' ? '\t' : c)
    if (word === undefined) return undefined
    return word === 'None' ? null : word === 'True' ? true : word === 'False' ? false : word.startsWith('$') ? word : Number(word)
  }
  return list('')
}

/** None, one instead of a list, and "" as an item are as nothing was said, a list of one, and no item. */
function fitted(value: Json, param: Param | undefined): Json {
  if (!param) return value ?? ''
  if (value === null) return nothing(param)
  if (!param.list) return value
  return [value].flat().filter(item => item !== '' && item !== null)
}

/** One line of an answer as a line of our plan text; '' for a thought. What it cannot read stays, and is for the parser to refuse. */
export function planLine(line: string, specs: ReadonlyMap<string, ToolSpec>): string {
  const bare = line.replaceAll(endOfPlan, '').trimEnd()
  if (/^\s*(?:Thought:|###|Current Plan:)/.test(bare)) return ''
  const call = /^\s*(\d+)\s*\.\s*(\w+)\((.*)\)(?:\s*#.*)?$/.exec(bare)
  const args = call && readPython(call[3]!)
  if (!call || !args) return bare
  const spec = specs.get(call[2]!)
  const params = spec ? paramsOf(spec) : []
  return `${call[1]}. ${call[2]}(${args.map((value, i) => JSON.stringify(fitted(value, params[i]))).join(', ')})`
}

/** As `planLine`, line by line; nothing comes after the plan's end. */
export function planLines(specs: ReadonlyMap<string, ToolSpec>): (line: string) => string {
  let isOver = false
  return line => {
    if (isOver) return ''
    isOver = line.includes(endOfPlan)
    return planLine(line, specs)
  }
}
