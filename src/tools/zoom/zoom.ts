// Video meetings: at Zoom, at Google Meet, at Jitsi Meet, or a place for a link. The tool's name is that of the models' training.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {arg} from '../../core/params.ts'
import {oneLine} from '../../core/text.ts'
import {tool, type CutOff, type Effect, type Tool, type ToolSpec} from '../../core/types.ts'
import {splitAddresses} from '../contacts/address.ts'
import {addMinutes, parseWhen, saySpan, sayWhen, type When} from '../calendar/when.ts'

export interface NewMeeting { topic: string; start: When; minutes: number; /** addresses */ invitees: string[] }

export interface ZoomBackend {
  /** what making a meeting does: `outward` with an account, `local` where nothing is made */
  readonly effect: Effect
  /** the one line that the user has to know before, if any */
  readonly notice?: string
  /** what cards and answers call it; default "Zoom" */
  readonly name?: string
  /** a meeting of a day without a time can't be made */
  readonly needsTime?: boolean
  /** `key` is the same when the same call is made again. Throws ToolError: 'unknown' where the meeting may have been made all the same, any other code where it was not. */
  createMeeting(meeting: NewMeeting, key: string, signal: AbortSignal): Promise<{link: string; isReal: boolean}>
  /** The meeting of a call that was cut off; undefined: none was made; 'unknown': it may have been made. Absent: one whose link was lost is found by nobody. */
  made?(meeting: NewMeeting, key: string, call: CutOff): Promise<{link: string} | 'unknown' | undefined>
}

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

export const zoomTools = (backend: ZoomBackend): Tool[] => [tool({
  ...getZoomMeetingLink,
  preview: async args => {
    const meeting = readMeeting(args, backend)
    return {
      effect: backend.effect,
      title: `${backend.name ?? 'Zoom'} meeting`,
      fields: [
        {label: 'Topic', value: meeting.topic, arg: 'topic'},
        {label: 'When', value: said(meeting), arg: 'start_time'},
        {label: 'Minutes', value: String(meeting.minutes), arg: 'duration'},
        ...(meeting.invitees.length > 0 ? [{label: 'Invitees', value: meeting.invitees, arg: 'meeting_invitees'}] : []),
      ],
      ...(backend.notice && {notice: backend.notice}),
    }
  },
  run: async (args, {key, signal}) => {
    signal.throwIfAborted()
    const meeting = readMeeting(args, backend)
    const {link, isReal} = await backend.createMeeting(meeting, key, signal)
    const about = aboutOf(meeting)
    if (!isReal) return {value: link, summary: `No Zoom account is set up: left a place for the link of ${about}`}
    return {value: link, summary: `Made the ${backend.name ?? 'Zoom'} meeting ${about}: ${oneLine(link)}`, where: link}
  },
  settle: async (args, call) => {
    const meeting = readMeeting(args, backend)
    const name = backend.name ?? 'Zoom'
    if (!backend.made) return {state: 'failed', summary: `No link came for the ${name} meeting ${aboutOf(meeting)}.`}
    const made = await backend.made(meeting, call.key, call)
    if (made === 'unknown') return {state: 'unknown', summary: `the ${name} meeting ${aboutOf(meeting)}. Look at your meetings there before you make it again.`}
    return made ? {state: 'done', summary: `Made the ${name} meeting ${aboutOf(meeting)}: ${oneLine(made.link)}`} : {state: 'failed', summary: `No ${name} meeting ${aboutOf(meeting)} was made.`}
  },
})]

const aboutOf = (meeting: NewMeeting): string => `'${oneLine(meeting.topic)}' on ${said(meeting)}`

const defaultMinutes = 60 // LABELLING.md

function readMeeting(args: z.infer<typeof getZoomMeetingLink.args>, {needsTime, name = 'Zoom'}: ZoomBackend): NewMeeting {
  if (!oneLine(args.topic)) throw new ToolError('invalid-args', 'The meeting has no topic. Say what it is about.')
  const start = parseWhen(args.start_time, 'start')
  if (needsTime && !start.time) throw new ToolError('invalid-args', `${name} wants the time of day at which the meeting begins. Say one such as "at 15:00".`)
  return {
    topic: args.topic,
    start,
    minutes: args.duration || defaultMinutes,
    invitees: [...new Set(args.meeting_invitees.flatMap(splitAddresses))],
  }
}

const said = ({start, minutes}: NewMeeting): string =>
  start.time ? saySpan(start, addMinutes(start, minutes)).replace(/^on /, '') : sayWhen(start)

export const zoomSpecs: ToolSpec[] = [getZoomMeetingLink]
