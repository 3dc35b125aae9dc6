// Zoom meetings.
import {z} from 'zod'
import {arg} from '../../core/params.ts'
import type {ToolSpec} from '../../core/types.ts'

export const getZoomMeetingLink = {
  name: 'get_zoom_meeting_link',
  description: 'Create a Zoom meeting, get its link.',
  args: z.object({
    topic: arg.title(),
    start_time: arg.when(),
    duration: arg.minutes(),
    meeting_invitees: z.array(arg.address()),
  }),
  effect: 'outward',
  returns: 'link',
} satisfies ToolSpec

export const zoomSpecs: ToolSpec[] = [getZoomMeetingLink]
