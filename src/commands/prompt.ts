// Questions in plain lines, and what a setup reads where nobody can be asked; a password is not shown while it is typed.
import {createInterface} from 'node:readline'
import {Writable} from 'node:stream'
import {ToolError, UsageError} from '../core/errors.ts'
import {oneLine, printable} from '../core/text.ts'
import type {AskOptions, Candidate, Prompter} from '../core/types.ts'

/** A line of a setup, on standard output. */
export const say = (line: string): void => { process.stdout.write(`${printable(line)}\n`) }

/** The user left a question, and wants nothing changed. */
export class Left extends UsageError {
  constructor() { super('setup was left; nothing was changed') }
}

/** On a terminal it asks in lines; elsewhere it reads a secret from standard input, and asks nothing. */
export function plainPrompter(signal: AbortSignal): Prompter {
  const canAsk = process.stdin.isTTY === true && process.stdout.isTTY === true
  const line = async (question: string, {isHidden = false, preset = '', until = signal}: LineOptions): Promise<string> => {
    const answer = await readLine(question, {isHidden, preset}, until)
    if (answer === undefined) throw new Left()
    return answer
  }
  return {
    canAsk,
    say: (text, mark) => say(mark ? `  ${text}` : text),
    ask: (question, {preset = '', check, signal: own} = {}) => checked(check, () => line(question, {preset, ...(own && {until: AbortSignal.any([signal, own])})})),
    async choose(question, choices, preset) {
      say(question)
      choices.forEach(({label, detail}, i) => say(`  ${i + 1} ${oneLine(label)}${detail ? `  ${oneLine(detail)}` : ''}`))
      const first = choices.findIndex(c => c.value === preset)
      for (;;) {
        const answer = await line('Number', {preset: String(Math.max(0, first) + 1)})
        const chosen = choiceOf(answer, choices)
        if (chosen) return chosen.value
        say(`  Type a number from 1 to ${choices.length}.`)
      }
    },
    secret: (question, {check} = {}) => canAsk ? checked(check, () => line(question, {isHidden: true})) : firstLine(),
    async progress(what, work) {
      say(`${what} ...`)
      try {
        return await work(signal)
      } catch (error) {
        signal.throwIfAborted()
        throw error
      }
    },
  }
}

/** Asks until the answer is right. */
async function checked(check: AskOptions['check'], ask: () => Promise<string>): Promise<string> {
  for (;;) {
    const answer = await ask()
    const problem = check?.(answer)
    if (problem === undefined) return answer
    say(`  ${problem}`)
  }
}

/** Of what has to be there. */
export const notEmpty = (what: string) => (answer: string): string | undefined => answer.trim() === '' ? `It takes the ${what}.` : undefined

/** What the user does about what did not work; where nobody can be asked, nothing. */
export async function remedy<T extends string>({canAsk, choose, say}: Prompter, own: (Candidate & {value: T})[], preset: T | 'again' = 'again'): Promise<T | 'again' | 'leave'> {
  const all = [...own, {value: 'again', label: 'Try again as it is'} as const, {value: 'leave', label: 'Leave it'} as const]
  const answer = canAsk ? await choose<T | 'again' | 'leave'>('What now?', all, preset) : 'leave'
  if (answer === 'leave') say('Nothing was changed.')
  return answer
}

interface Remedy { label: string; run(): Promise<void> | void }

/** Tries until it works; undefined where the user leaves it. `other`: what else may be done about it, and is the first choice. */
export async function tried<T>(prompter: Prompter, work: () => Promise<T>, other?: Remedy): Promise<T | undefined> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ToolError)) throw error
      prompter.say(error.message, 'failed')
      const next = await remedy(prompter, other ? [{value: 'other', label: other.label}] : [], other ? 'other' : 'again')
      if (next === 'leave') return undefined
      if (next === 'other') await other?.run()
    }
  }
}

/** By its number, its value ("yes") or the beginning of its label. */
function choiceOf<T extends Candidate>(answer: string, choices: T[]): T | undefined {
  const typed = answer.toLowerCase()
  return choices[Number(typed) - 1] ?? choices.find(c => c.value === typed) ?? (typed === '' ? undefined : choices.find(c => c.label.toLowerCase().startsWith(typed)))
}

interface LineOptions { isHidden?: boolean; preset?: string; until?: AbortSignal }

/** The answer, trimmed unless it is hidden; '' for none. Undefined when the user leaves (Ctrl-D). Rejects when `signal` aborts. */
function readLine(question: string, {isHidden, preset}: {isHidden: boolean; preset: string}, signal: AbortSignal): Promise<string | undefined> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const silent = new Writable({write: (_chunk, _encoding, done) => done()})
    const shown = printable(`${question}${preset && ` [${preset}]`}: `)
    if (isHidden) process.stdout.write(shown)
    const reader = createInterface({input: process.stdin, output: isHidden ? silent : process.stdout, terminal: true, historySize: 0, prompt: isHidden ? '' : shown})
    let answer: string | undefined
    const onAbort = (): void => reader.close()
    signal.addEventListener('abort', onAbort, {once: true})
    reader.on('line', line => {
      answer = isHidden ? line : line.trim() || preset
      reader.close()
    })
    // The terminal is in raw mode, so that Ctrl-C is a key; it means what it means everywhere.
    reader.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
    reader.on('close', () => {
      signal.removeEventListener('abort', onAbort)
      if (isHidden || answer === undefined) process.stdout.write('\n')
      if (signal.aborted) reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      else resolve(answer)
    })
    reader.prompt()
  })
}

/** The first line of what is piped in. */
async function firstLine(maxBytes = 4096): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin) {
    text += String(chunk)
    if (text.includes('\n') || text.length > maxBytes) break
  }
  return text.split(/\r?\n/)[0]!
}
