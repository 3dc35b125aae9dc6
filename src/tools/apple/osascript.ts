// The Mac's own apps, asked by osascript in JavaScript. A script is a constant; what it is about goes in as one argument of JSON in ASCII, so that
// nothing that anybody wrote is ever program text or an option, and comes back the same way.
import {ToolError} from '../../core/errors.ts'
import {exec} from '../../core/exec.ts'
import {asciiJson, oneLine} from '../../core/text.ts'
import type {Json} from '../../core/types.ts'

export type App = 'Reminders' | 'Notes' | 'Calendar' | 'Contacts' | 'Messages' | 'Mail'

/** `source` defines `main(input)`, whose result is JSON. `made()` in it says that the change is done: what fails later leaves it 'unknown'. */
export interface Script { app: App; source: string; /** it changes something: no answer is then 'unknown', and not just a timeout */ isChange?: boolean }

/** What stands for the Mac; tests hand in another one. */
export interface Mac { platform?: NodeJS.Platform; exec?: typeof exec }

/** Runs a script; throws ToolError. */
export type Osascript = (script: Script, input: Json, signal?: AbortSignal) => Promise<unknown>

/** The first time macOS asks the user whether we may, and the app may have to start. */
const timeoutMs = 60_000
/** Thousands of contacts or notes. */
const maxBytes = 64 * 1024 * 1024

const frame = String.raw`
let isMade = false
const made = () => { isMade = true }
const same = (a, b) => String(a).normalize('NFC').trim().toLowerCase() === String(b).normalize('NFC').trim().toLowerCase()
const ms = date => date === null || date === undefined ? null : date.getTime()
const midnight = day => { const [y, m, d] = day.split('-').map(Number); return new Date(y, m - 1, d) }
function run(argv) {
  const input = JSON.parse(argv[0])
  let answer
  try {
    answer = {value: main(input)}
  } catch (error) {
    if (!isMade) throw error
    answer = {madeBut: String(error && error.message || error)}
  }
  return JSON.stringify(answer).replace(/[^\x20-\x7e]/g, c => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'))
}
`

export function osascript({platform = process.platform, exec: run = exec}: Mac = {}): Osascript {
  return async (script, input, signal) => {
    const {app, source, isChange = false} = script
    if (platform !== 'darwin') throw new ToolError('unavailable', 'The apple backend needs macOS. Set another backend in the config (`tinyagent config edit`).')
    const unheard = (why: string): ToolError => isChange
      ? new ToolError('unknown', `${app} ${why}, so it may have been done all the same. Look there before you do it again.`)
      : new ToolError('timeout', `${app} ${why}. If macOS asks whether it may be controlled, say yes, and try again.`)
    const {code, stdout, stderr} = await run('osascript', ['-l', 'JavaScript', '-e', frame + source, asciiJson(input)], {timeoutMs, maxBytes, ...(signal && {signal})})
      .catch((error: unknown) => {
        if (error instanceof ToolError && error.code === 'timeout') throw unheard(`did not answer within ${timeoutMs / 1000} seconds`)
        throw error
      })
    if (code !== 0) throw failure(app, stderr, unheard)
    const answer = readAnswer(stdout)
    if (!answer) throw unheard('gave no answer that can be read')
    if ('madeBut' in answer) throw new ToolError('unknown', `${app} has done it, and then failed (${oneLine(String(answer.madeBut)).slice(0, 200)}). Look there before you do it again.`)
    return answer.value
  }
}

function readAnswer(stdout: string): {value: unknown} | {madeBut: unknown} | undefined {
  try {
    const answer: unknown = JSON.parse(stdout)
    return typeof answer === 'object' && answer !== null && ('value' in answer || 'madeBut' in answer) ? answer : undefined
  } catch {
    return undefined
  }
}

/** Apple's numbers (MacErrors.h): what they mean, and what to do. */
function failure(app: App, stderr: string, unheard: (why: string) => ToolError): ToolError {
  const said = oneLine(stderr).replace(/^.*?execution error: /, '').replace(/^(?:Error: )+/, '').slice(0, 200)
  switch (/\((-\d+)\)$/.exec(oneLine(stderr))?.[1]) {
    case '-1743': // errAEEventNotPermitted
      return new ToolError('unavailable', `macOS does not let this terminal control ${app}. Allow it in System Settings > Privacy & Security > Automation, below your terminal's name, and try again.`)
    case '-1744': // errAEEventWouldRequireUserConsent
      return new ToolError('unavailable', `macOS has to ask you whether this terminal may control ${app}, and could not. Try again at the Mac itself.`)
    case '-1712': // errAETimeout
      return unheard('did not answer in time')
    case '-609': // connectionInvalid: the app has ended in the middle
      return unheard('has ended while it was asked')
    case '-600': // procNotFound
      return new ToolError('unavailable', `${app} is not running and could not be started. Open it, and try again.`)
    case '-10814': // kLSApplicationNotFoundErr
      return noApp(app)
  }
  return /application can.t be found/i.test(said) ? noApp(app) : new ToolError('failed', `${app} could not do it${said ? `: ${said}` : ''}.`)
}

const noApp = (app: App): ToolError => new ToolError('unavailable', `${app} is not on this Mac. Install it from the App Store, or set another backend in the config.`)
