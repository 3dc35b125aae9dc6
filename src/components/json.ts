// --json: one event a line, nothing else on stdout.
import {jsonLine} from '../core/text.ts'
import type {Emit} from '../core/types.ts'

export const jsonReader = (write: (text: string) => void): Emit => event => write(`${jsonLine(event)}\n`)
