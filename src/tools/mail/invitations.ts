// Invitations to events (RFC 6047, iMIP): a mail whose calendar part says method=REQUEST, sent by the mail backend.
import {createHash} from 'node:crypto'
import {ToolError} from '../../core/errors.ts'
import type {InvitationSender} from '../calendar/calendar.ts'
import type {MailBackend} from './mail.ts'
import {noAddress, rawMessage, type Person} from './message.ts'

/** The Message-ID follows from the event's UID and the guests, so that one invitation can't go twice. */
export function mailInvitations(backend: MailBackend, from?: Person): InvitationSender {
  const notice = [from ? '' : noAddress, backend.notice ?? ''].filter(Boolean).join(' ')
  const idOf = (lines: string[], to: string[]): string => {
    const of = createHash('sha256').update([valueOf(lines, 'UID'), valueOf(lines, 'SEQUENCE'), ...to].join('\n')).digest('hex').slice(0, 32)
    return `<invitation-${of}@${from?.address.split('@')[1] ?? 'tinyagent.invalid'}>`
  }
  return {
    ...(notice && {notice}),
    settle: ({to, ics}, signal) => backend.settle(idOf(linesOf(ics), to), signal),
    async send({to, subject, text, ics}, signal) {
      signal.throwIfAborted()
      if (to.length === 0) throw new ToolError('invalid-args', 'The invitation has no guests.')
      const lines = linesOf(ics)
      const id = idOf(lines, to)
      const raw = await rawMessage({
        id, ...(from && {from}), to: to.map(address => ({address})), cc: [], subject, text,
        date: stampOf(valueOf(lines, 'DTSTAMP')), calendar: {method: 'REQUEST', content: ics},
      }, [])
      const {isQueued} = await backend.send(raw, {from: from?.address ?? '', to}, id, signal)
      return {isQueued}
    },
  }
}

const linesOf = (ics: string): string[] => ics.replace(/\r?\n[ \t]/g, '').split(/\r?\n/)

const valueOf = (lines: string[], property: string): string =>
  lines.find(line => line.startsWith(`${property}:`))?.slice(property.length + 1) ?? ''

/** DTSTAMP is the request's clock: "20260303T091500Z". */
function stampOf(stamp: string): Date {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp)
  if (!parts) throw new ToolError('invalid-args', 'The invitation does not say when it was written (DTSTAMP).')
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number)
  return new Date(Date.UTC(year!, month! - 1, day!, hour!, minute!, second!))
}
