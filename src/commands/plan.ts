// `tinyagent plan "..."`: the plan alone, as text or as one JSON object (DESIGN.md, "The command line").
import {PlanError, UsageError} from '../core/errors.ts'
import {taskJson} from '../core/plan-file.ts'
import {parsePlan} from '../core/plan-parser.ts'
import {localTime, selectTools, startPlan, type Planning} from '../core/run.ts'
import {jsonLine, printable} from '../core/text.ts'
import type {Json, SelectedTool, Timings, ToolSpec} from '../core/types.ts'
import {resourcesIn} from './attach.ts'
import {standingInstructions} from './instructions.ts'
import {readRequest} from './request.ts'
import type {Session} from './session.ts'
import {listen} from './voice.ts'

export async function planCommand(words: string[], session: Session, signal: AbortSignal): Promise<number> {
  const {audio, voice} = session.options
  if (voice) {
    if (words.length > 0 || audio !== undefined) throw new UsageError('--voice takes the request from the microphone: leave out the words and --audio')
    const spoken = await listen(session, undefined, signal)
    return spoken === undefined ? (signal.aborted ? 130 : 1) : plan(spoken, session, signal)
  }
  const text = audio === undefined ? await readRequest(words, signal) : await (await import('./transcribe.ts')).spokenRequest(audio, words, session, signal)
  if (text === undefined) throw new UsageError('There is no request: tinyagent plan "remind me to ..."')
  return plan(text, session, signal)
}

async function plan(text: string, session: Session, signal: AbortSignal): Promise<number> {
  const object = await planOf(text, session, signal)
  process.stdout.write(session.options.json ? `${jsonLine(object)}\n` : `${printable(object.plan)}\n`)
  return 0
}

export interface PlanObject { request: string; now: string; model: string; tools: SelectedTool[]; plan: string; tasks: Json[]; timings: Timings }

/** The plan of a request; nothing runs. */
export async function planOf(text: string, session: Session, signal: AbortSignal): Promise<PlanObject> {
  if ((await resourcesIn(text, session)).length > 0) throw new UsageError('A plan alone holds no resources of MCP servers (@SERVER:URI); `tinyagent --dry-run` shows what such a request would do')
  const now = session.now()
  const deps = {retriever: session.retriever, planner: session.planner, instructions: standingInstructions(session), signal}
  const {selected, ...selection} = await selectTools<ToolSpec>(text, (await session.tools()).tools, deps)
  const write = async (attempt: number, previous?: {plan: string; error: string}): Promise<Planning> => {
    const planning = await startPlan({request: {text, now}, ...selection, attempt, previous}, deps, () => undefined)
    try {
      // Nothing waits for the tasks; the plan is complete when their stream has ended.
      for await (const task of planning.tasks) void task
      return planning
    } catch (error) {
      if (!(error instanceof PlanError) || attempt > 0) throw error
      return write(attempt + 1, {plan: planning.text, error: error.message})
    }
  }
  const planning = await write(0)
  const {name: model} = await session.planner()
  // Which mail was open is part of what a reply or a forward means.
  const isAboutMail = planning.resolved.tasks.some(t => t.tool === 'reply_to_email' || t.tool === 'forward_email')
  const mail = isAboutMail ? (await (await session.tools()).backends.mail.openMail())?.where : undefined
  return {
    request: text, now: localTime(now), model, tools: selected, plan: planning.text,
    tasks: parsePlan(planning.text).tasks.map(task => taskJson(task, selection.tools.find(t => t.name === task.tool))),
    ...(mail && {mail}), timings: planning.timings,
  }
}
