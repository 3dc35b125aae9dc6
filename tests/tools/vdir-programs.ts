// The real programs that read what we write (khal, todoman, khard), in a home of their own.
import {execFile} from 'node:child_process'
import {access, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {delimiter, dirname, join} from 'node:path'
import {promisify} from 'node:util'
import {ToolError} from '../../src/core/errors.ts'
import type {Answer, Question, Result, ToolContext} from '../../src/core/types.ts'

/** The first of `names` that is installed. CI has to have one; elsewhere the test is skipped by name. */
export async function program(...names: string[]): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name)
      if (await access(path).then(() => true, () => false)) return path
    }
  }
  if (process.env['CI']) throw new Error(`${names.join(' or ')} is not installed`)
  return undefined
}

export const tempFolder = async (): Promise<{path: string; remove(): Promise<void>}> => {
  const path = await mkdtemp(join(tmpdir(), 'tinyagent-test-'))
  return {path, remove: () => rm(path, {recursive: true, force: true})}
}

/** Runs a program with `home` as its home and `configs` (paths below the home) as its settings; gives back its stdout. */
export async function runProgram(path: string, args: string[], home: string, configs: {[file: string]: string}, timeZone = 'UTC'): Promise<string> {
  for (const [file, text] of Object.entries(configs)) {
    await mkdir(dirname(join(home, file)), {recursive: true})
    await writeFile(join(home, file), text)
  }
  const env = {
    PATH: process.env['PATH'], HOME: home, TZ: timeZone, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', PYTHONWARNINGS: 'ignore',
    XDG_CONFIG_HOME: join(home, '.config'), XDG_DATA_HOME: join(home, '.local/share'), XDG_CACHE_HOME: join(home, '.cache'),
  }
  const {stdout} = await promisify(execFile)(path, args, {env, cwd: home, timeout: 60_000})
  return stdout
}

/** What a tool gets from the executor; `answers` are the user's, one a question, then nobody is there. */
export function contextFor(options: {key?: string; now?: Date; answers?: Answer[]; signal?: AbortSignal} = {}): ToolContext & {questions: Question[]; asides: {args: object; result: Result}[]} {
  const questions: Question[] = []
  const asides: {args: object; result: Result}[] = []
  const answers = [...options.answers ?? []]
  return {
    questions,
    asides,
    key: options.key ?? 'run-1-task-1',
    now: options.now ?? new Date('2026-03-03T09:15:00Z'),
    signal: options.signal ?? new AbortController().signal,
    progress: () => {},
    aside: async (args, change) => {
      const result = await change()
      asides.push({args, result})
      return result
    },
    ask: async question => {
      questions.push(question)
      return answers.shift()
    },
  }
}

/** The ToolError that a promise rejects with. */
export async function toolError(promise: Promise<unknown>): Promise<ToolError> {
  const error = await promise.then(() => undefined, (e: unknown) => e)
  if (!(error instanceof ToolError)) throw new Error(`expected a ToolError, got ${String(error)}`)
  return error
}

/** Texts that break out of careless formats. */
export const hostileTexts = [
  'plain "quoted" \'text\'',
  'one, two; three: four\\five \\n six',
  'first\nsecond',
  'x\r\nBEGIN:VEVENT\r\nSUMMARY:injected\r\nEND:VEVENT',
  'x\rEND:VCALENDAR\rBEGIN:VCALENDAR',
  'x\u2028BEGIN:VEVENT\u0085END:VEVENT',
  '$(touch /tmp/x) `id` %s {0} ${x}',
  '\u202eevil\u202c שלום ',
  'emoji 👩‍👩‍👧 and a very long line '.repeat(12).trim(),
  'half a pair \ud83d here',
  ';VALUE=URI:mailto:x^n^\'',
]
