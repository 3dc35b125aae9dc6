// Plan repair: rules that code can check, of one call as it is written and of the whole plan. Each repair is named in
// `repairs`, so that they can be counted.
import {paramsOf} from './params.ts'
import {references} from './plan-parser.ts'
import type {Arg, Param, Plan, Task, ToolSpec} from './types.ts'

/** The argument with its references renamed; text stays text. */
function rename(arg: Arg, to: ReadonlyMap<number, number>): Arg {
  if (Array.isArray(arg)) return arg.map(a => rename(a, to))
  if (typeof arg !== 'object') return arg
  if ('ref' in arg) return {ref: to.get(arg.ref) ?? arg.ref}
  return {template: arg.template.map(p => typeof p === 'string' ? p : {ref: to.get(p.ref) ?? p.ref})}
}

const keyOf = (arg: Arg): string => JSON.stringify(arg).toLowerCase()

/** Whether both calls would do the same. */
export const isSameCall = (a: Task, b: Task): boolean => a.tool === b.tool && keyOf(a.args) === keyOf(b.args)

/** "an hour before", "the day before that": before what the plan has just put down, as in "dentist at 4, remind me an hour before" */
const besideNothing = /^(.*\S) (?:(before|earlier|ahead|beforehand)|(after|afterwards))(?: (?:that|it|then))?[.!]?$/i

/** The nearest time among the calls so far, in the plan's words. */
function lastTime(earlier: readonly Task[], specs: ReadonlyMap<string, Pick<ToolSpec, 'args' | 'name'>>): string | undefined {
  const times = earlier.flatMap(({tool, args}) => {
    const spec = specs.get(tool)
    return spec ? paramsOf(spec).flatMap(({kind}, i) => kind === 'when' ? [args[i]] : []) : []
  })
  return times.findLast(time => typeof time === 'string' && time.trim() !== '') as string | undefined
}

/**
 * One call, before it can start. Rules: `repeated-item`: nobody stands twice in a list; `copy-to-recipient`: who gets the mail
 * gets no copy of it; `time-of-another`: a time before or after nothing is beside that of the nearest earlier call; `time-in-title`: a
 * title does not end with its own time ("Pack on Friday at 6pm"); `said-twice`: of a tool of others, what may be left unsaid is not filled with
 * words of another argument ("Manchester" as the place of "Manchester United"). Lists of tools that are not ours may mean to say a thing twice ("two margheritas"). `earlier`: the calls so far, and the tools that they call.
 */
export function repairTask(task: Task, spec: Pick<ToolSpec, 'args' | 'name' | 'foreign'>, earlier: readonly Task[] = [], specs: ReadonlyMap<string, Pick<ToolSpec, 'args' | 'name'>> = new Map()): {task: Task; repairs: string[]} {
  const params = paramsOf(spec)
  if (spec.foreign) return repairForeign(task, params)
  const repairs = new Set<string>()
  const recipients = task.args[params.findIndex(p => p.name === 'recipients')]
  const receiving = new Set(Array.isArray(recipients) ? recipients.map(keyOf) : [])
  // One word may belong to the title: "Meat-free Friday".
  const times = task.args.filter((arg, i): arg is string => params[i]?.kind === 'when' && typeof arg === 'string' && arg.trim().includes(' ')).map(t => t.toLowerCase())
  const args = task.args.map((arg, i) => {
    const time = typeof arg === 'string' && params[i]?.kind === 'title' ? times.find(t => arg.toLowerCase().endsWith(` ${t}`)) : undefined
    const title = time === undefined ? '' : (arg as string).slice(0, -time.length).replace(/(?:[ ,]+(?:on|at|for|by))?[ ,]+$/i, '')
    if (title !== '') {
      repairs.add('time-in-title')
      return title
    }
    const beside = typeof arg === 'string' && params[i]?.kind === 'when' ? besideNothing.exec(arg) : null
    const anchor = beside && lastTime(earlier, specs)
    if (anchor) {
      repairs.add('time-of-another')
      return `${beside[1]} ${beside[2] ? 'before' : 'after'} ${anchor}`
    }
    if (!Array.isArray(arg)) return arg
    const seen = new Set<string>()
    return arg.filter(item => {
      const key = keyOf(item)
      const rule = seen.has(key) ? 'repeated-item' : params[i]?.name === 'cc' && receiving.has(key) ? 'copy-to-recipient' : undefined
      seen.add(key)
      if (rule) repairs.add(rule)
      return rule === undefined
    })
  })
  return {task: {...task, args, dependsOn: references(args)}, repairs: [...repairs]}
}

function repairForeign(task: Task, params: Param[]): {task: Task; repairs: string[]} {
  const words = (arg: Arg | undefined): string => typeof arg === 'string' ? ` ${arg.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ').trim()} ` : ''
  const isFilled = (i: number): boolean => params[i]?.kind === 'any' && words(task.args[i]).trim() !== ''
  const args = task.args.map((arg, i) => {
    // Of two optional ones that say the same the first stays.
    const isTwice = params[i]?.optional && isFilled(i)
      && task.args.some((other, k) => k !== i && isFilled(k) && (words(other) === words(arg) ? !params[k]?.optional || k < i : words(other).includes(words(arg))))
    return isTwice ? '' : arg
  })
  return args.some((arg, i) => arg !== task.args[i]) ? {task: {...task, args}, repairs: ['said-twice']} : {task, repairs: []}
}

/** "address", as it is misspelt as well. */
const address = /\bad+r?es+(es)?\b/i

/** Words that ask for the number or the address itself: in a request that only looks up, and in one that does something else too. */
const asksFor: Record<string, {alone: RegExp; besides: RegExp}> = {
  get_phone_number: {alone: /\b(numbers?|phone|mobile|cell|landline|tel|digits|reach|ring|call|text)\b/i, besides: /\b(numbers?|digits|mobile|cell|landline|(tele)?phone of)\b/i},
  get_email_address: {alone: new RegExp(`${address.source}|\\be-?m(ai|ia)ls?\\b|\\bmail\\b`, 'i'), besides: new RegExp(`${address.source}|['’]s e-?m(ai|ia)ls?\\b`, 'i')},
}
/** Whether the call only finds a person or a file: made twice it is made once, and one that nothing uses does no harm. */
export const isLookUp = (tool: string): boolean => tool in asksFor || tool === 'open_and_get_file_path'
const writesMail = new Set(['compose_new_email', 'reply_to_email', 'forward_email'])

/**
 * The whole plan. Rules: `same-look-up-twice` is made once; `unused-look-up` of a person is dropped, unless it is all there is or
 * the request asks for it; `place-and-directions`: a place on the map that nothing uses is dropped where directions to it are shown.
 * Ids stay; `dropped` lists the calls that were taken out.
 */
export function repairPlan(plan: Plan, request: string): {plan: Plan; repairs: string[]; dropped: number[]} {
  const repairs: string[] = []
  const dropped: number[] = []
  const drop = (task: Task, rule: string): void => { dropped.push(task.id); repairs.push(rule) }

  const same = new Map<number, number>()
  const tasks: Task[] = []
  for (const written of plan.tasks) {
    const args = written.args.map(a => rename(a, same))
    const task = {...written, args, dependsOn: references(args)}
    const earlier = isLookUp(task.tool) ? tasks.find(t => isSameCall(t, task)) : undefined
    if (earlier) { same.set(task.id, earlier.id); drop(task, 'same-look-up-twice') } else tasks.push(task)
  }

  const used = new Set(tasks.flatMap(t => t.dependsOn))
  const isAlone = tasks.every(t => isLookUp(t.tool))
  const isAsked = ({tool}: Task): boolean => {
    const words = asksFor[tool]
    if (!words) return true
    // Where a mail is written, "Ana's email" may be the mail.
    if (tool === 'get_email_address' && tasks.some(t => writesMail.has(t.tool))) return address.test(request)
    return (isAlone ? words.alone : words.besides).test(request)
  }
  const kept = tasks.filter(task => {
    if (used.has(task.id)) return true
    if (task.tool in asksFor && !isAsked(task) && tasks.some(t => t !== task && isAsked(t))) drop(task, 'unused-look-up')
    else if (task.tool === 'maps_open_location' && !/\bmaps?\b|\bwhere\b|\bpin\b|\blocat/i.test(request) && tasks.some(t => t.tool === 'maps_show_directions' && leadsTo(t, task))) drop(task, 'place-and-directions')
    else return true
    return false
  })
  return {plan: {tasks: kept}, repairs, dropped: dropped.sort((a, b) => a - b)}
}

/** Directions from or to the place that `shown` shows. */
const leadsTo = (directions: Task, shown: Task): boolean =>
  directions.args.slice(0, 2).some(place => keyOf(place) === keyOf(shown.args[0] ?? ''))
