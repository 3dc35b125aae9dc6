// The example of docs/adding-a-tool.md.
import {z} from 'zod'
import {ToolError} from '../../src/core/errors.ts'
import {arg} from '../../src/core/params.ts'
import {tool, type Tool, type ToolSpec} from '../../src/core/types.ts'

export interface TimerBackend {
  /** Starts a timer under `key`; the same key twice is one timer. */
  start(minutes: number, label: string, key: string, signal: AbortSignal): Promise<void>
  /** Throws ToolError 'refused' when it has rung already. */
  cancel(key: string): Promise<void>
}

export const setTimer = {
  name: 'set_timer',
  description: 'Start a timer.',
  args: z.object({minutes: arg.minutes(), label: arg.title()}),
  effect: 'local',
  returns: 'none',
} satisfies ToolSpec

export const timerTools = (backend: TimerBackend): Tool[] => [tool({
  ...setTimer,
  preview: async ({minutes, label}) => ({
    effect: 'local', title: 'Timer',
    fields: [{label: 'Minutes', value: String(minutes), arg: 'minutes'}, {label: 'For', value: label, arg: 'label'}],
  }),
  run: async ({minutes, label}, {key, signal}) => {
    if (minutes === 0) throw new ToolError('invalid-args', 'A timer of 0 minutes has rung already. Say how many minutes.')
    await backend.start(minutes, label, key, signal)
    return {value: label, summary: `Started the timer '${label}' for ${minutes} minutes`, undo: key}
  },
  undo: async token => {
    await backend.cancel(String(token))
    return 'Stopped the timer'
  },
})]
