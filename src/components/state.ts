// What the interface shows, as a pure function of the event stream.
import {bytes} from './format.ts'
import type {ErrorInfo, Event, Json, Preview, Question, RunStatus, SelectedTool, Task, Timings} from '../core/types.ts'

export interface TaskView {
  task: Task
  status: 'waiting' | 'asking' | 'running' | 'done' | 'failed' | 'skipped'
  args?: {[name: string]: Json}
  summary?: string
  error?: ErrorInfo
  reason?: string
  message?: string
  fraction?: number
  /** what it stands in the place of: a call of the last request */
  insteadOf?: string
  /** done by the last request, and not again */
  isEarlier?: boolean
  /** the user's rule that let it go unasked */
  rule?: string
  ms?: number
}

export interface RunView {
  request: string
  /** what a follow-up was understood as */
  as?: string
  dryRun: boolean
  /** what the request names and was read, a line each */
  attached?: string[]
  tools: SelectedTool[]
  /** the line of the plan that is being written */
  partial: string
  tasks: TaskView[]
  planned: boolean
  timings?: Timings
  repairs: string[]
  /** the plan is one that the user approved before */
  isExample?: boolean
  previews: {id: number; preview: Preview}[]
  asking?: {id: number; question?: Question; preview?: Preview}
  replan?: string
  answer?: string
  error?: ErrorInfo
  status?: RunStatus
  ms?: number
}

const update = (run: RunView, id: number, change: Partial<TaskView>): RunView =>
  ({...run, tasks: run.tasks.map(t => t.task.id === id ? {...t, ...change} : t)})

const without = (run: RunView): RunView => { const {asking: _asking, ...rest} = run; return rest }

/** The run after one event; a `request` starts a new one. */
export function reduce(run: RunView | undefined, event: Event): RunView | undefined {
  if (event.type === 'request') {
    return {request: event.request, ...(event.as !== undefined && {as: event.as}), dryRun: event.dryRun, tools: [], partial: '', tasks: [], planned: false, repairs: [], previews: []}
  }
  if (!run) return undefined
  switch (event.type) {
    case 'attached': return {...run, attached: event.files.map(f => `attached: ${f.from} (${bytes(f.bytes)}, ${f.type})`)}
    case 'tools-selected': return {...run, tools: event.tools}
    case 'plan-delta': {
      const text = run.partial + event.text
      return {...run, partial: text.slice(text.lastIndexOf('\n') + 1)}
    }
    case 'task-added': return {...run, tasks: [...run.tasks, {task: event.task, status: 'waiting', ...(event.insteadOf !== undefined && {insteadOf: event.insteadOf})}]}
    case 'plan-done': return {...run, partial: '', planned: true, timings: event.timings, ...(event.example && {isExample: true}), repairs: event.repairs, tasks: run.tasks.filter(t => !event.dropped.includes(t.task.id))}
    case 'question-asked': return {...update(run, event.id, {status: 'asking'}), asking: {id: event.id, question: event.question}}
    case 'question-answered': return without(update(run, event.id, {status: 'running'}))
    case 'preview': return {...run, previews: [...run.previews, {id: event.id, preview: event.preview}]}
    case 'confirm-asked': return {...update(run, event.id, {status: 'asking'}), asking: {id: event.id, preview: event.preview}}
    case 'confirm-answered': return without(update(run, event.id, {status: 'waiting', ...(event.rule !== undefined && {rule: event.rule})}))
    case 'task-started': return update(run, event.id, {status: 'running', args: event.args})
    case 'task-progress': return update(run, event.id, {message: event.message, ...(event.fraction !== undefined && {fraction: event.fraction})})
    case 'task-done': return update(run, event.id, {status: 'done', summary: event.result.summary, ms: event.ms, ...(event.isEarlier && {isEarlier: true})})
    case 'task-failed': return update(run, event.id, {status: 'failed', error: event.error, ms: event.ms})
    case 'task-skipped': return update(run, event.id, {status: 'skipped', reason: event.reason})
    // The next plan has the same numbers; of the one that failed only the reason is kept.
    case 'replan': return {...run, partial: '', tasks: [], planned: false, replan: event.reason}
    case 'answer': return {...run, answer: event.text}
    case 'error': return {...run, error: event.error}
    case 'done': return {...without(run), partial: '', status: event.status, ms: event.ms}
    default: return run
  }
}

export interface TreeLine {
  view: TaskView
  depth: number
  /** 'ref': the step stands above in full */
  kind: 'full' | 'ref'
}

/** The plan as a tree: final steps are roots, inputs their children; a step used twice is full once and referred to after that. */
export function tree(tasks: TaskView[]): TreeLine[] {
  const byId = new Map(tasks.map(t => [t.task.id, t]))
  const used = new Set(tasks.flatMap(t => t.task.dependsOn))
  const shown = new Set<number>()
  const lines: TreeLine[] = []
  const visit = (view: TaskView, depth: number): void => {
    const again = shown.has(view.task.id)
    shown.add(view.task.id)
    lines.push({view, depth, kind: again ? 'ref' : 'full'})
    if (again) return
    for (const id of view.task.dependsOn) {
      const input = byId.get(id)
      if (input) visit(input, depth + 1)
    }
  }
  for (const t of tasks) if (!used.has(t.task.id)) visit(t, 0)
  return lines
}
