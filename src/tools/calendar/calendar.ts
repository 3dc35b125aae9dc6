// Calendar: events, with invitations where people are invited.
import {z} from 'zod'
import {ToolError, errorInfo, isAbort} from '../../core/errors.ts'
import {arg} from '../../core/params.ts'
import {oneLine} from '../../core/text.ts'
import {tool, type Json, type Preview, type PreviewField, type Tool, type ToolSpec} from '../../core/types.ts'
import {splitAddresses} from '../contacts/address.ts'
import {whoField, type NameOf} from '../contacts/who.ts'
import {addMinutes, parseWhen, saySpan, sayWhen, type When} from './when.ts'

/** Of whole days `end` is the last one. */
export interface NewEvent {
  title: string
  start: When
  end: When
  location: string
  notes: string
  /** addresses */
  invitees: string[]
  calendar: string
}

export interface Person { address: string; name?: string }

/** `start` and `end` as local "YYYY-MM-DD[ HH:MM:SS]"; of whole days `end` is the last one. */
export interface CalendarEntry { uid: string; title: string; start: string; end: string; location: string; calendar: string }

export interface CalendarBackend {
  /** The calendar that `name` means ('' is the default one), and whether it is there already. */
  calendar(name: string): Promise<{name: string; exists: boolean}>
  /**
   * Stores the event under `uid`, making its calendar if need be. Throws 'refused' when that UID is there. `undo` is for `remove`.
   * `organizer`: a server that is a `scheduler` for this person invites the invitees in that name.
   */
  create(event: NewEvent, uid: string, now: Date, options?: {organizer?: Person; signal?: AbortSignal}): Promise<{where: string; undo: Json}>
  /** What `create` made under `uid`; undefined: it is not there. Throws ToolError where that can't be known. */
  made(uid: string, signal: AbortSignal): Promise<{undo: Json} | undefined>
  /** Takes back what `create` made; throws ToolError 'refused' when it has changed since. */
  remove(undo: Json, signal?: AbortSignal): Promise<void>
  /** The host that sends the invitations of this person itself (RFC 6638); absent or undefined: none does. */
  scheduler?(organizer: Person): Promise<string | undefined>
  /** Events that touch the time between the two instants, in order, repeating ones spelled out. */
  events(from: Date, to: Date): Promise<CalendarEntry[]>
}

/** Sends an iTIP invitation (RFC 5546, METHOD:REQUEST). The mail family provides it. */
export interface InvitationSender {
  /** what the user has to know before an invitation goes, if any */
  readonly notice?: string
  /** Throws when the invitation surely did not leave. `isQueued`: it waits, nothing has left. */
  send(message: Invitation, signal: AbortSignal): Promise<{isQueued: boolean}>
  /** What became of an invitation on whose way the program was killed; `note`: where it is, or where to look. */
  settle?(message: Invitation, signal: AbortSignal): Promise<Fate>
}
/** `isQueued`: it waits, nothing has left. `again`: who could tell was not to be reached. */
export interface Fate { state: 'done' | 'failed' | 'unknown'; isQueued?: boolean; note: string; again?: boolean }
export interface Invitation { to: string[]; subject: string; text: string; /** the part of type text/calendar; method=REQUEST */ ics: string }

export interface CalendarDeps {
  /** absent: invitees are only recorded in the event */
  invitations?: InvitationSender
  /** who invites; RFC 5546 asks for one */
  organizer?: Person
  nameOf?: NameOf
}

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

type Args = z.infer<typeof createCalendarEvent.args>

export const calendarTools = (backend: CalendarBackend, deps: CalendarDeps = {}): Tool[] => [tool({
  ...createCalendarEvent,
  preview: async args => {
    const event = readEvent(args)
    const calendar = await backend.calendar(event.calendar)
    return previewOf(event, calendar, {...deps, ...await senderFor(event, backend, deps)})
  },
  run: async (args, {key, now, signal}) => {
    signal.throwIfAborted()
    const event = readEvent(args)
    const {name, exists} = await backend.calendar(event.calendar)
    // Made first: what cannot be made must not leave an event without its invitation.
    const {invitations, scheduler} = await senderFor(event, backend, deps)
    const invitation = event.invitees.length > 0 && invitations && await invitationOf(event, key, now, deps.organizer)
    const {where, undo} = await backend.create(event, key, now, {signal, ...(scheduler !== undefined && deps.organizer && {organizer: deps.organizer})})
    const added = addedTo(args, event, exists ? oneLine(name) : `the new calendar ${oneLine(name)}`)
    if (event.invitees.length === 0) return {value: event.title, summary: added, undo, where}
    // No undo: the server has told them.
    if (scheduler !== undefined) return {value: event.title, summary: `${added}, and ${scheduler} invites ${said(event.invitees)}`, where}
    if (!invitation || !invitations) return {value: event.title, summary: `${added}, with ${said(event.invitees)} noted as invited`, undo, where}
    const sent = await invitations.send(invitation, signal).catch(async (error: unknown) => {
      if (isAbort(error) || errorInfo(error).code === 'unknown') throw error // may have left: the event stays, the run's report says so
      const why = errorInfo(error).message
      await backend.remove(undo).catch((left: unknown) => {
        throw new ToolError('failed', `The invitation could not be sent: ${strip(why)}. '${oneLine(event.title)}' is in the calendar all the same: ${errorInfo(left).message}`, {cause: error})
      })
      throw new ToolError('failed', `The invitation could not be sent, so '${oneLine(event.title)}' was not added: ${why}`, {cause: error})
    })
    // No undo: an invitation can't be taken back.
    const invited = sent.isQueued ? `put the invitation to ${said(event.invitees)} in the outbox` : `invited ${said(event.invitees)}`
    return {value: event.title, summary: `${added}, and ${invited}`, where}
  },
  settle: async (args, {key, signal}) => {
    const event = readEvent(args)
    const title = `'${oneLine(event.title)}'`
    const made = await backend.made(key, signal)
    const {invitations, scheduler} = await senderFor(event, backend, deps)
    const added = addedTo(args, event, oneLine(event.calendar))
    const fate = event.invitees.length > 0 && invitations ? await invitations.settle?.(await invitationOf(event, key, new Date(), deps.organizer), signal) : undefined
    if (!fate && invitations && event.invitees.length > 0) throw new ToolError('unknown', 'nobody can tell whether the invitation went')
    if (!fate) {
      if (!made) return {state: 'failed', summary: `${title} is not in the calendar.`}
      if (scheduler !== undefined) return {state: 'done', summary: `${added}, and ${scheduler} invites ${said(event.invitees)}`}
      return {state: 'done', summary: event.invitees.length > 0 ? `${added}, with ${said(event.invitees)} noted as invited` : added, ...made}
    }
    const {state, isQueued, note, again} = fate
    if (state === 'done' && made) return {state, summary: `${added}, and ${isQueued ? `put the invitation to ${said(event.invitees)} in the outbox` : `invited ${said(event.invitees)}`}`}
    const where = `${title} is ${made ? '' : 'not '}in the calendar`
    if (state === 'done') return {state: 'unknown', summary: `${where}, but ${said(event.invitees)} ${isQueued ? 'have an invitation in the outbox' : 'have got an invitation'} (${note}).`}
    if (state === 'unknown') return {state, summary: `${where}. Whether the invitation to ${said(event.invitees)} went is not known. ${note}`, ...(again && {again})}
    return {state, summary: `${where}, and the invitation to ${said(event.invitees)} did not go. ${note}`.trim()}
  },
  undo: async (token, {signal}) => {
    await backend.remove(token, signal)
    return 'Took the event out of the calendar'
  },
})]

/** "Added 'Dentist' to work on ..."; `calendar` is named where the user named one. */
const addedTo = (args: Args, {title, start, end}: NewEvent, calendar: string): string =>
  `Added '${oneLine(title)}'${args.calendar.trim() ? ` to ${calendar}` : ''} ${saySpan(start, end)}`

/** Who tells the invitees: the calendar's server where it does so by itself, else the mail family; never both. */
async function senderFor({invitees}: NewEvent, backend: CalendarBackend, {invitations, organizer}: CalendarDeps): Promise<{invitations?: InvitationSender | undefined; scheduler?: string}> {
  const scheduler = invitees.length > 0 && organizer ? await backend.scheduler?.(organizer) : undefined
  return scheduler === undefined ? {invitations} : {scheduler, invitations: undefined}
}

const strip = (sentence: string): string => sentence.replace(/\.$/, '')
const said = (names: string[]): string => names.map(oneLine).join(', ')

/** What the arguments mean; throws 'invalid-args' for what can't be an event. */
export function readEvent(args: Args): NewEvent {
  const title = oneLine(args.title) && args.title
  if (!title) throw new ToolError('invalid-args', 'The event has no title. Say what it is.')
  const start = parseWhen(args.start_date, 'start')
  return {
    title, start, end: readEnd(args.end_date, start), location: args.location, notes: args.notes, calendar: args.calendar,
    invitees: [...new Set(args.invitees.flatMap(splitAddresses))],
  }
}

/** LABELLING.md: no end is 60 minutes, or the one day. */
function readEnd(text: string, start: When): When {
  if (!text.trim()) return start.time ? addMinutes(start, 60) : start
  const end = parseWhen(text, 'end')
  if (Boolean(end.time) !== Boolean(start.time)) {
    throw new ToolError('invalid-args', `The event starts ${start.time ? 'at a time' : 'on a day'} and ends ${end.time ? 'at a time' : 'on a day'} (${text}). Say both as times, or both as days.`)
  }
  if (end.at < start.at || (start.time && end.at.getTime() === start.at.getTime())) {
    throw new ToolError('invalid-args', `The event ends (${text}) before it starts. Say a later end.`)
  }
  return end
}

/** The mail that carries the invitation; the preview shows this very text. */
function messageOf(event: NewEvent): {to: string[]; subject: string; text: string} {
  const zone = event.start.time ? ` (${Intl.DateTimeFormat().resolvedOptions().timeZone})` : ''
  const span = saySpan(event.start, event.end)
  const lines = [
    `You are invited: ${oneLine(event.title)}`,
    `When: ${span.replace(/^on /, '')}${zone}`,
    ...(event.location ? [`Where: ${oneLine(event.location)}`] : []),
    ...(event.notes ? ['', event.notes] : []),
  ]
  return {to: event.invitees, subject: `Invitation: ${oneLine(event.title)}`, text: lines.join('\n')}
}

async function invitationOf(event: NewEvent, key: string, now: Date, organizer: Person | undefined): Promise<Invitation> {
  const {invitationText} = await import('./event.ts') // ical.js is loaded when it is needed
  return {...messageOf(event), ics: invitationText(event, key, now, organizer)}
}

/** Start and end, each to be edited; a single whole day is one field. */
const whenFields = ({start, end}: NewEvent): PreviewField[] => !start.time && start.day === end.day
  ? [{label: 'Day', value: sayWhen(start), arg: 'start_date'}]
  : [{label: 'Start', value: sayWhen(start), arg: 'start_date'}, {label: 'End', value: sayWhen(end), arg: 'end_date'}]

const from = ({name, address}: Person): string => name ? `${name} <${address}>` : address

async function previewOf(event: NewEvent, calendar: {name: string; exists: boolean}, deps: Omit<CalendarDeps, 'invitations'> & {invitations?: InvitationSender | undefined; scheduler?: string}): Promise<Preview> {
  const isInvitation = event.invitees.length > 0
  const notices = [
    calendar.exists ? '' : `The calendar "${oneLine(calendar.name)}" is new: it will be made.`,
    isInvitation && deps.scheduler !== undefined ? `${deps.scheduler} sends the invitations, in words of its own.` : '',
    isInvitation && !deps.invitations && deps.scheduler === undefined ? 'No mail account is set up: the invitees are only recorded in the event, nothing is sent.' : '',
    isInvitation ? deps.invitations?.notice ?? '' : '',
  ].filter(Boolean)
  return {
    effect: isInvitation ? 'outward' : 'local',
    title: isInvitation ? 'Calendar event with invitations' : 'Calendar event',
    fields: [
      ...(isInvitation && (deps.invitations || deps.scheduler !== undefined) && deps.organizer ? [{label: 'From', value: from(deps.organizer)}] : []),
      {label: 'Title', value: event.title, arg: 'title'},
      ...whenFields(event),
      ...(event.location ? [{label: 'Where', value: event.location, arg: 'location'}] : []),
      ...(isInvitation ? [{label: 'Invitees', value: event.invitees, arg: 'invitees'}, ...await whoField(event.invitees, deps.nameOf)] : []),
      ...(event.notes ? [{label: 'Notes', value: event.notes, arg: 'notes'}] : []),
      {label: 'Calendar', value: calendar.name, arg: 'calendar'},
    ],
    ...(isInvitation && deps.invitations && {body: {text: messageOf(event).text}}),
    ...(notices.length > 0 && {notice: notices.join(' ')}),
  }
}

export const calendarSpecs: ToolSpec[] = [createCalendarEvent]
