// `tinyagent run plan.json`: runs exactly the plan of a file, as `tinyagent plan --json` wrote it or as it was edited since.
import {readFile} from 'node:fs/promises'
import {text as textOf} from 'node:stream/consumers'
import {addAbortSignal} from 'node:stream'
import {reasonOf, UsageError} from '../core/errors.ts'
import {readPlanFile} from '../core/plan-file.ts'
import {runWith} from './run.ts'
import type {Session} from './session.ts'

export async function runPlanCommand(file: string, session: Session, signal: AbortSignal): Promise<number> {
  const read = file === '-' ? textOf(addAbortSignal(signal, process.stdin)) : readFile(file, 'utf8')
  const text = await read.catch((cause: unknown) => { throw new UsageError(`${file}: cannot be read: ${reasonOf(cause)}`, cause) })
  const {tools, backends} = await session.tools()
  const {request, plan, mail} = readPlanFile(text, file === '-' ? 'standard input' : file, {specs: tools, now: session.now()})
  // The mail that the plan was made about, whatever has come in since.
  if (mail !== undefined && session.options.mail === undefined) await backends.mail.open(mail)
  return runWith(request, session, signal, {plan})
}
