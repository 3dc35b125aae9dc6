// Reminders: things to do, with or without a time.
import {z} from 'zod'
import {arg} from '../../core/params.ts'
import type {ToolSpec} from '../../core/types.ts'

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

export const remindersSpecs: ToolSpec[] = [createReminder]
