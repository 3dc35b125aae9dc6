// Files that go along with a request (resources of MCP servers): the planner knows them by name, calls take their paths, and texts say what they say.
import {paramsOf} from './params.ts'
import type {Arg, Attached, Preview, Task, ToolSpec} from './types.ts'

const baseName = ({path}: Attached): string => path.split(/[\\/]/).at(-1)!
/** As a planner may spell it, "Today-1a2b3c.txt" at the beginning of a message. */
const nameIn = (file: Attached): RegExp => new RegExp(baseName(file).replace(/[^\w-]/g, '\\$&'), 'gi')
/** Whether it names one of the files. */
export const namesAny = (arg: string | number | boolean, attached: readonly Attached[]): boolean => typeof arg === 'string' && attached.some(file => nameIn(file).test(arg))

/** The planner knows an attached file by its name, which no other has; a call takes it by its path. */
export function withPaths(task: Task, tool: ToolSpec, attached: readonly Attached[] = []): Task {
  const params = paramsOf(tool)
  if (attached.length === 0 || task.args.length !== params.length) return task
  const change = (arg: Arg): Arg => Array.isArray(arg) ? arg.map(change)
    : typeof arg === 'string' ? attached.find(file => baseName(file).toLowerCase() === arg.toLowerCase())?.path ?? arg : arg
  return {...task, args: task.args.map((arg, i) => params[i]!.kind === 'path' || params[i]!.kind === 'file' ? change(arg) : arg)}
}

/**
 * The call with what an attached file says in the place of its path or name, or of a look-up of it, where an argument is text. A call that takes the file itself, and
 * text for a file that is none, has its name there.
 */
export function withTexts(task: Task, tool: ToolSpec, inputs: readonly {task: Task; tool: ToolSpec | undefined}[], attached: readonly Attached[] = []): Task {
  const params = paramsOf(tool)
  if (attached.length === 0 || task.args.length !== params.length) return task
  const lookedUp = (arg: Arg): Attached | undefined => {
    const input = typeof arg === 'object' && 'ref' in arg ? inputs.find(i => i.task.id === arg.ref) : undefined
    return input?.tool?.returns === 'path' ? attached.find(file => file.path === input.task.args[0]) : undefined
  }
  const isTaken = (file: Attached): boolean => params.some((p, i) => p.kind === 'path' && [task.args[i]!].flat().some(arg => arg === file.path || lookedUp(arg) === file))
  const saying = (file: Attached): string => isTaken(file) ? baseName(file) : file.text ?? baseName(file)
  /** Said once: where a look-up of the file stands beside its name, that one is what it says. */
  const spoken = (text: string, beside: (Attached | undefined)[] = []): string => attached.reduce((all, file) =>
    all.replaceAll(file.path, baseName(file)).replace(nameIn(file), () => beside.includes(file) ? baseName(file) : saying(file)), text)
  const change = (arg: Arg): Arg => {
    if (Array.isArray(arg)) return arg.map(change)
    if (typeof arg === 'string') return spoken(arg)
    if (typeof arg !== 'object') return arg
    if ('template' in arg) {
      const beside = arg.template.map(piece => typeof piece === 'string' ? undefined : lookedUp(piece))
      return {template: arg.template.map((piece, i) => { const file = beside[i]; return typeof piece === 'string' ? spoken(piece, beside) : file ? saying(file) : piece })}
    }
    const file = lookedUp(arg)
    return file ? saying(file) : arg
  }
  return {...task, args: task.args.map((arg, i) => params[i]!.kind === 'text' || params[i]!.kind === 'any' ? change(arg) : arg)}
}

/** Whose each file is that goes along. */
export const withOrigins = (preview: Preview, attached: readonly Attached[] = []): Preview => !preview.attachments || attached.length === 0 ? preview : {
  ...preview,
  attachments: preview.attachments.map(a => { const file = attached.find(f => f.path === a.path); return file ? {...a, from: file.from} : a }),
}
