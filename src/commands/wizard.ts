// Who a setup talks with: the Ink wizard on a terminal, where Esc goes back one question, else plain lines.
import type {OpenWizard} from '../components/Wizard.tsx'
import {oneLine} from '../core/text.ts'
import type {Prompter} from '../core/types.ts'
import {Left, plainPrompter} from './prompt.ts'
import {isPlain, type Session} from './session.ts'

export interface Talk {
  prompter: Prompter
  /** Runs one part of the setup. Rejects with Left when the user leaves it. */
  part<T>(run: (prompter: Prompter) => Promise<T>): Promise<T>
}

export async function withTalk<T>(session: Session, signal: AbortSignal, run: (talk: Talk) => Promise<T>): Promise<T> {
  if (isPlain(session)) {
    const prompter = plainPrompter(signal)
    return run({prompter, part: part => part(prompter)})
  }
  const {openWizard} = await import('../components/Wizard.tsx')
  // The terminal is in raw mode, so that Ctrl-C is a key; it means what it means everywhere.
  const wizard = openWizard(() => process.kill(process.pid, 'SIGINT'))
  try {
    const prompter = inkPrompter(wizard, signal)
    return await run({prompter, part: part => withBack(prompter, part)})
  } finally {
    await wizard.close()
  }
}

function inkPrompter(wizard: OpenWizard, signal: AbortSignal): Prompter {
  const ask = async (question: Parameters<OpenWizard['ask']>[0], until = signal): Promise<string> => {
    const answer = await wizard.ask(question, until)
    until.throwIfAborted()
    if (answer === undefined) throw new Left()
    return answer
  }
  const answered = (title: string, answer: string): void => wizard.say(`${title}${title.endsWith('?') ? '' : ':'} ${answer === '' ? '(none)' : oneLine(answer)}`, 'done')
  return {
    canAsk: true,
    say: (line, mark) => wizard.say(line, mark),
    async ask(title, {preset = '', check = () => undefined, signal: own} = {}) {
      const answer = await ask({type: 'text', title, preset, check}, own && AbortSignal.any([signal, own]))
      answered(title, answer)
      return answer
    },
    async choose(title, choices, preset) {
      const answer = await ask({type: 'choice', title, choices, preset})
      const chosen = choices.find(c => c.value === answer)!
      answered(title, chosen.label)
      return chosen.value
    },
    async secret(title, {check = () => undefined} = {}) {
      const answer = await ask({type: 'secret', title, check})
      answered(title, answer && '(not shown)')
      return answer
    },
    async progress(what, work) {
      const back = new AbortController()
      const until = AbortSignal.any([signal, back.signal])
      const end = wizard.work(what, () => back.abort(new Left()))
      try {
        return await work(until)
      } catch (error) {
        until.throwIfAborted()
        throw error
      } finally {
        end()
      }
    },
  }
}

/** A step that was done; the result of a question is its answer, which the user may give anew. */
interface Step { kind: 'question' | 'secret' | 'work'; result: Promise<unknown> }

/**
 * Goes back one question where the user leaves one: `run` is run again, with what was answered and found before, and without asking or looking
 * anything up twice. So all that it does before its last question has to come by its prompter, and it writes nothing before.
 */
async function withBack<T>(prompter: Prompter, run: (prompter: Prompter) => Promise<T>): Promise<T> {
  let known: Step[] = []
  let preset: unknown
  for (;;) {
    const steps = known
    try {
      return await run(remembering(prompter, steps, preset))
    } catch (error) {
      const last = steps.findLastIndex(step => step.kind !== 'work')
      if (!(error instanceof Left) || last < 0) throw error
      preset = steps[last]!.kind === 'question' ? await steps[last]!.result : undefined
      known = steps.slice(0, last)
    }
  }
}

/** `known` steps are not done again, and later ones are put beside them. `preset`: of the first that is asked. */
function remembering(prompter: Prompter, known: Step[], preset: unknown): Prompter {
  const before = known.length
  let at = 0
  let isInStep = false
  async function step<R>(kind: Step['kind'], take: () => Promise<R>): Promise<R> {
    if (isInStep) return take() // a question within a progress belongs to it
    const done = known[at++]
    if (done) return done.result as Promise<R> // the same call of the same run
    isInStep = true
    const result = take()
    try {
      await result
    } catch (error) {
      if (!(error instanceof Left)) known.push({kind, result})
      throw error
    } finally {
      isInStep = false
    }
    known.push({kind, result})
    return result
  }
  const isFirst = (): boolean => at === before + 1
  return {
    ...prompter,
    say: (line, mark) => { if (at >= before) prompter.say(line, mark) },
    ask: (question, options) => step('question', () => prompter.ask(question, {...options, ...(isFirst() && typeof preset === 'string' && {preset})})),
    choose: (question, choices, chosen) => step('question', () => prompter.choose(question, choices, isFirst() ? choices.find(c => c.value === preset)?.value ?? chosen : chosen)),
    secret: (question, options) => step('secret', () => prompter.secret(question, options)),
    progress: (what, work) => step('work', () => prompter.progress(what, work)),
  }
}
