// Reminders: things to do, with or without a time.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {arg} from '../../core/params.ts'
import {oneLine} from '../../core/text.ts'
import {tool, type Json, type Tool, type ToolSpec} from '../../core/types.ts'
import {parseWhen, sayWhen, type When} from '../calendar/when.ts'

export interface NewReminder {
  name: string
  /** a day, or a time; absent: some day */
  due?: When
  notes: string
  list: string
  priority: Priority
}
/** As in iCalendar: 0 none, 1 high, 5 medium, 9 low. */
export type Priority = 0 | 1 | 5 | 9

/** `due` as local "YYYY-MM-DD[ HH:MM:SS]" or ''. */
export interface ReminderEntry { uid: string; name: string; due: string; list: string; priority: number; isDone: boolean }

export interface RemindersBackend {
  /** The list that `name` means ('' is the default one), and whether it is there already. */
  list(name: string): Promise<{name: string; exists: boolean}>
  /** Stores the reminder under `uid`, making its list if need be. Throws 'refused' when that UID is there. `undo` is for `remove`. */
  create(reminder: NewReminder, uid: string, now: Date, signal?: AbortSignal): Promise<{where: string; undo: Json}>
  /** What `create` made under `uid`; undefined: it is not there. Throws ToolError where that can't be known. */
  made(uid: string, signal: AbortSignal): Promise<{undo: Json} | undefined>
  /** Takes back what `create` made; throws ToolError 'refused' when it has changed since. */
  remove(undo: Json, signal?: AbortSignal): Promise<void>
  /** All reminders; those with a date first, in order. */
  reminders(): Promise<ReminderEntry[]>
}

export const createReminder = {
  name: 'create_reminder',
  description: 'Create a reminder or to-do.',
  args: z.object({
    name: arg.title(),
    due_date: arg.when(),
    notes: arg.text(),
    list_name: arg.label(),
    priority: arg.choice(0, 1, 5, 9),
    all_day: arg.allDay(),
  }),
  effect: 'local',
  returns: 'none',
} satisfies ToolSpec

const priorities: Record<Priority, string> = {0: 'none', 1: 'high', 5: 'medium', 9: 'low'}

export const remindersTools = (backend: RemindersBackend): Tool[] => [tool({
  ...createReminder,
  touches: ({list_name}) => [{thing: `list:${list_name.trim().toLowerCase() || 'reminders'}`, writes: true}],
  preview: async args => {
    const {name, due, notes, priority, list: wanted} = readReminder(args)
    const list = await backend.list(wanted)
    return {
      effect: 'local',
      title: 'Reminder',
      fields: [
        {label: 'What', value: name, arg: 'name'},
        {label: 'Due', value: due ? sayWhen(due) : 'no date', arg: 'due_date'},
        ...(notes ? [{label: 'Notes', value: notes, arg: 'notes'}] : []),
        {label: 'List', value: list.name, arg: 'list_name'},
        ...(priority ? [{label: 'Priority', value: priorities[priority], arg: 'priority'}] : []),
      ],
      ...(!list.exists && {notice: `The list "${oneLine(list.name)}" is new: it will be made.`}),
    }
  },
  run: async (args, {key, now, signal}) => {
    signal.throwIfAborted()
    const reminder = readReminder(args)
    const list = await backend.list(reminder.list)
    const {where, undo} = await backend.create(reminder, key, now, signal)
    return {value: reminder.name, summary: addedTo(reminder, `${list.exists ? '' : 'the new list '}${oneLine(list.name)}`), undo, where}
  },
  settle: async (args, {key, signal}) => {
    const reminder = readReminder(args)
    const made = await backend.made(key, signal).catch((error: unknown) => {
      if (error instanceof ToolError && error.code === 'unknown') return error
      throw error
    })
    if (made instanceof ToolError) return {state: 'unknown', summary: `the reminder '${oneLine(reminder.name)}'. ${made.message}`}
    return made ? {state: 'done', summary: addedTo(reminder, oneLine(reminder.list)), ...made} : {state: 'failed', summary: `The reminder '${oneLine(reminder.name)}' is on no list.`}
  },
  undo: async (token, {signal}) => {
    await backend.remove(token, signal)
    return 'Took the reminder off its list'
  },
})]

/** The list is named where the user named one. */
const addedTo = ({name, due, list}: NewReminder, place: string): string =>
  `Added the reminder '${oneLine(name)}'${list.trim() ? ` to ${place}` : ''}${due ? ` for ${sayWhen(due)}` : ''}`

function readReminder(args: z.infer<typeof createReminder.args>): NewReminder {
  if (!oneLine(args.name)) throw new ToolError('invalid-args', 'The reminder has no text. Say what it is about.')
  const due = args.due_date.trim() ? parseWhen(args.due_date, 'due date') : undefined
  // all_day follows from the date's form (LABELLING.md); where the two disagree, the user's "all day" drops the time.
  const day = due?.time && args.all_day ? parseWhen(due.day, 'due date') : due
  return {name: args.name, ...(day && {due: day}), notes: args.notes, list: args.list_name, priority: args.priority}
}

export const remindersSpecs: ToolSpec[] = [createReminder]
