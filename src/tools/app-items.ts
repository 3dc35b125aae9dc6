// What the backends share that ask an app for its items, Apple's and Outlook.
import {z} from 'zod'
import {ToolError} from '../core/errors.ts'

/** The app's own name (of a calendar, a list) that is meant, in any case; `bare` takes off what people say around one. */
export function nameIn(names: string[], wanted: string, bare: (name: string) => string): {name: string; exists: boolean} {
  const known = [wanted, bare(wanted)].filter(Boolean).map(n => names.find(k => k.trim().toLowerCase() === n.toLowerCase())).find(n => n !== undefined)
  return known === undefined ? {name: bare(wanted) || wanted, exists: false} : {name: known, exists: true}
}

/** What became of an item that was to be taken back. */
export const removal = z.enum(['removed', 'gone', 'changed'])

/** Throws ToolError 'refused' where `what` ("event") was not taken back. */
export function checkRemoval(state: z.infer<typeof removal>, what: string, app: string): void {
  if (state === 'gone') throw new ToolError('refused', `The ${what} is gone already.`)
  if (state === 'changed') throw new ToolError('refused', `The ${what} has changed since, so it is left alone. Change it in ${app}.`)
}
