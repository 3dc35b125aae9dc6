// `tinyagent eval`: opens what commands/eval.ts scores.
import {specs} from '../tools/specs.ts'
import {evalCommand, type EvalCommandOptions} from './eval.ts'
import type {Session} from './session.ts'

export async function runEvalCommand(file: string, session: Session, options: EvalCommandOptions, signal: AbortSignal): Promise<number> {
  const open = async () => {
    const [retriever, planner] = await Promise.all([session.retriever(), session.planner()])
    return {retriever, planner, specs}
  }
  await evalCommand(file, {...options, json: session.options.json ?? false}, open, {stdout: process.stdout, stderr: process.stderr, signal})
  return 0
}
