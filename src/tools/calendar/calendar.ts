// Calendar: events, with invitations where people are invited.
import {z} from 'zod'
import {arg} from '../../core/params.ts'
import type {ToolSpec} from '../../core/types.ts'

export const createCalendarEvent = {
  name: 'create_calendar_event',
  description: 'Create a calendar event.',
  args: z.object({
    title: arg.title(),
    start_date: arg.when(),
    end_date: arg.until(),
    location: arg.place(),
    invitees: z.array(arg.address()),
    notes: arg.text(),
    calendar: arg.label(),
  }),
  effect: 'outward',
  returns: 'none',
} satisfies ToolSpec

export const calendarSpecs: ToolSpec[] = [createCalendarEvent]
