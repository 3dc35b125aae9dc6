// --json: one event a line, nothing else on stdout.
import type {Emit} from '../core/types.ts'

export const jsonReader = (write: (text: string) => void): Emit => event => write(`${JSON.stringify(event)}\n`)
