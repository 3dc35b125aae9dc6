// `tinyagent plan "..."`: the plan alone, as text or as one JSON object (DESIGN.md, "The command line").
import {UsageError} from '../core/errors.ts'
import {taskJson} from '../core/plan-file.ts'
import {parsePlan} from '../core/plan-parser.ts'
import {localTime, selectTools, startPlan} from '../core/run.ts'
import {jsonLine, printable} from '../core/text.ts'
import type {SelectedTool} from '../core/types.ts'
import {specs} from '../tools/specs.ts'
import {standingInstructions} from './instructions.ts'
import {readRequest} from './request.ts'
import type {Session} from './session.ts'

export async function planCommand(words: string[], session: Session, signal: AbortSignal): Promise<number> {
  const text = await readRequest(words, signal)
  if (text === undefined) throw new UsageError('There is no request: tinyagent plan "remind me to ..."')
  const now = session.now()
  const deps = {retriever: session.retriever, planner: session.planner, instructions: standingInstructions(session), signal}
  const {selected, tools, retrieveMs} = await selectTools(text, specs, deps)
  const planning = await startPlan({request: {text, now}, tools, retrieveMs, attempt: 0, previous: undefined}, deps, () => undefined)
  // Nothing waits for the tasks; the plan is complete when their stream has ended.
  for await (const task of planning.tasks) void task
  if (!session.options.json) {
    process.stdout.write(`${printable(planning.text)}\n`)
    return 0
  }
  const {name: model} = await session.planner()
  // Which mail was open is part of what a reply or a forward means.
  const isAboutMail = planning.resolved.tasks.some(t => t.tool === 'reply_to_email' || t.tool === 'forward_email')
  const mail = isAboutMail ? (await (await session.tools()).backends.mail.openMail())?.where : undefined
  const object = {
    request: text, now: localTime(now), model, tools: selected satisfies SelectedTool[], plan: planning.text,
    tasks: parsePlan(planning.text).tasks.map(task => taskJson(task, tools.find(t => t.name === task.tool))),
    ...(mail && {mail}), timings: planning.timings,
  }
  process.stdout.write(`${jsonLine(object)}\n`)
  return 0
}
