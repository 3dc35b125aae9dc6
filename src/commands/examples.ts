// `tinyagent examples` and /examples: plans that were approved, which the same request gets again.
import path from 'node:path'
import {UsageError} from '../core/errors.ts'
import {approvedPlan, exampleFor, readExamples, withExample, writeExamples} from '../core/examples.ts'
import {printable} from '../core/text.ts'
import type {Event, Plan, Tool} from '../core/types.ts'
import {standingInstructions} from './instructions.ts'
import type {Session} from './session.ts'

const fileOf = ({config}: Session): string => path.join(config.paths.state, 'examples.json')

/** The plan of the same request, where the user has approved one. */
export const knownPlan = (request: string, session: Session, tools: Tool[]): Plan | undefined =>
  exampleFor(readExamples(fileOf(session)), {request, instructions: standingInstructions(session)}, tools)

/** Keeps the plan of a run that the user has approved as it was. */
export async function learn(request: string, events: Event[], session: Session, tools: Tool[]): Promise<void> {
  const plan = approvedPlan(events, tools)
  if (plan === undefined) return
  await writeExamples(fileOf(session), withExample(readExamples(fileOf(session)), {request, plan, instructions: standingInstructions(session)}))
}

export async function examplesAnswer(session: Session, argument: string): Promise<string> {
  const examples = readExamples(fileOf(session))
  const [, action = 'list', rest = ''] = /^(\S+)\s*(.*)$/.exec(argument.trim()) ?? []
  switch (action) {
    case 'list': return examples.length === 0
      ? 'There are no examples yet: a plan whose steps you confirm unchanged is kept, and the same request gets it again.'
      : examples.map((e, i) => `${i + 1}. ${e.request.replace(/\s+/g, ' ')}\n${e.plan.replace(/^/gm, '     ')}`).join('\n')
    case 'remove': {
      const n = Number(rest)
      if (rest !== 'all' && (!Number.isInteger(n) || n < 1 || n > examples.length)) throw new UsageError(`Which example? Its number, from 1 to ${examples.length}, or all`)
      await writeExamples(fileOf(session), rest === 'all' ? [] : examples.filter((_, i) => i !== n - 1))
      return rest === 'all' ? 'Removed all examples.' : `Removed: ${examples[n - 1]!.request}`
    }
    default: throw new UsageError(`examples ${action}: there is list, remove NUMBER and remove all`)
  }
}

export async function examplesCommand(words: string[], session: Session): Promise<number> {
  process.stdout.write(`${printable(await examplesAnswer(session, words.join(' ')))}\n`)
  return 0
}
