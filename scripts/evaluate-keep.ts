// What an evaluation has planned so far, in a file, so that an interrupted one can go on: a line of JSON for each prediction.
import {appendFileSync, existsSync, readFileSync, writeFileSync} from 'node:fs'
import type {Prediction} from '../src/commands/eval.ts'
import {UsageError} from '../src/core/errors.ts'

export interface Kept {
  /** by the row's id */
  of(variant: string, set: string): ReadonlyMap<string, Prediction>
  /** `line`: a prediction as JSON */
  add(variant: string, set: string, line: string): void
}

/** `state` stands for all that predictions depend on: those of another one are refused with UsageError. Without a file they are kept until the program ends. */
export function openKept(file: string | undefined, state: string): Kept {
  const kept = new Map<string, Map<string, Prediction>>()
  const of = (variant: string, set: string): Map<string, Prediction> => {
    const key = JSON.stringify([variant, set])
    const found = kept.get(key) ?? new Map<string, Prediction>()
    kept.set(key, found)
    return found
  }
  const put = (variant: string, set: string, line: string): void => {
    const prediction = JSON.parse(line) as Prediction // as runEval wrote it
    of(variant, set).set(prediction.id, prediction)
  }
  if (file !== undefined && existsSync(file)) {
    const [first, ...lines] = readFileSync(file, 'utf8').split('\n')
    if (first !== state) throw new UsageError(`${file} is of other code, models or rows (or is no such file): name another file, or delete it`)
    // A line without its end was cut off by the interruption.
    lines.pop()
    for (const line of lines) put(...JSON.parse(line) as [string, string, string]) // our own line
    writeFileSync(file, [first, ...lines, ''].join('\n'))
  } else if (file !== undefined) writeFileSync(file, `${state}\n`)
  return {
    of,
    add(variant, set, line) {
      put(variant, set, line)
      if (file !== undefined) appendFileSync(file, `${JSON.stringify([variant, set, line])}\n`)
    },
  }
}
