// The list of families, and which backend each one gets: the one place that chooses.
import path from 'node:path'
import type {Config} from '../core/config.ts'
import {ConfigError} from '../core/errors.ts'
import {systemOpener} from '../core/exec.ts'
import {readSecret} from '../core/secrets.ts'
import type {Tool} from '../core/types.ts'
import {openAppleCalendar} from './calendar/apple.ts'
import {calendarTools, type CalendarBackend} from './calendar/calendar.ts'
import {openOutlookCalendar} from './calendar/outlook.ts'
import {openVdirCalendar} from './calendar/vdir-calendar.ts'
import {openAppleContacts} from './contacts/apple.ts'
import {contactsTools, type ContactsBackend} from './contacts/contacts.ts'
import {openOutlookContacts} from './contacts/outlook.ts'
import {openVdirContacts} from './contacts/vdir-contacts.ts'
import {davOptions} from './dav/account.ts'
import {openDavCalendar, openDavContacts, openDavReminders} from './dav/open.ts'
import {filesTools} from './files/files.ts'
import type {FileIndex} from './files/find.ts'
import {localsearchIndex} from './files/localsearch.ts'
import {plocateIndex} from './files/plocate.ts'
import {spotlightIndex} from './files/spotlight.ts'
import {accountOf} from './mail/account.ts'
import {openAppleMail} from './mail/apple.ts'
import {mailInvitations} from './mail/invitations.ts'
import {mailTools, type MailBackend} from './mail/mail.ts'
import {openMaildir} from './mail/maildir.ts'
import {openOutlookMail} from './mail/outlook.ts'
import {openImapMail} from './mail/smtp-imap.ts'
import {mapsTools} from './maps/maps.ts'
import {outboxTools} from './outbox/outbox.ts'
import {openAppleNotes} from './notes/apple.ts'
import {openJoplinNotes, type JoplinOptions} from './notes/joplin.ts'
import {openMarkdownNotes} from './notes/markdown.ts'
import {notesTools, type NotesBackend} from './notes/notes.ts'
import {openOutlookNotes} from './notes/outlook.ts'
import {pdfTools} from './pdf/pdf.ts'
import {openAppleReminders} from './reminders/apple.ts'
import {openOutlookReminders} from './reminders/outlook.ts'
import {remindersTools, type RemindersBackend} from './reminders/reminders.ts'
import {openTodoistReminders, type TodoistOptions} from './reminders/todoist.ts'
import {openVdirReminders} from './reminders/vdir-reminders.ts'
import {appleSms} from './sms/apple.ts'
import {adbSms} from './sms/adb.ts'
import {openSmsOutbox} from './sms/outbox.ts'
import {kdeConnectSms} from './sms/kdeconnect.ts'
import {modemManagerSms} from './sms/modemmanager.ts'
import {smsTools, type SmsBackend} from './sms/sms.ts'
import {termuxSms} from './sms/termux.ts'
import {twilioSms} from './sms/twilio.ts'
import {specs} from './specs.ts'
import {meetTokens, zoomLogin} from './zoom/account.ts'
import {googleMeet} from './zoom/google-meet.ts'
import {jitsiMeet} from './zoom/jitsi.ts'
import {placeholderZoom} from './zoom/placeholder.ts'
import {zoomMeetings} from './zoom/zoom-meetings.ts'
import {zoomTools, type ZoomBackend} from './zoom/zoom.ts'

export interface ToolDeps {
  /** one line about something that was passed over, e.g. a damaged file */
  warn(message: string): void
  /** unit vectors, from the retriever's model */
  embed(texts: string[], signal: AbortSignal): Promise<Float32Array[]>
  /** --mail: the mail that replies and forwards are about; default the newest of the inbox */
  openMail?: string
}

/** What the REPL's /calendar, /notes and /mail show, and where @names are completed from. */
export interface Backends {
  calendar: CalendarBackend
  reminders: RemindersBackend
  contacts: ContactsBackend
  notes: NotesBackend
  mail: MailBackend
}

/** Every tool, in the order of `specs`, with the backends behind them. */
export function openTools(config: Config, {warn, embed, openMail}: ToolDeps): {tools: Tool[]; backends: Backends} {
  const {user, files, maps} = config
  const contacts = openContacts(config, warn)
  const mailOptions = {warn, ...(openMail !== undefined && {file: openMail})}
  const mail = openTheMail(config, mailOptions)
  const calendar = openCalendar(config, warn)
  const reminders = openReminders(config, warn)
  const notes = openNotes(config)
  const me = user.email ? {address: user.email, ...(user.name && {name: user.name})} : undefined
  const index = fileIndexOf(config)
  const open = maps.open ? systemOpener() : undefined
  const nameOf = (channel: string): Promise<string | undefined> => contacts.nameOf(channel)
  const tools = [
    ...contactsTools(contacts, {country: user.region}),
    ...calendarTools(calendar, {invitations: mailInvitations(mail, me), nameOf, ...(me && {organizer: me})}),
    ...filesTools({roots: files.roots, exclude: files.exclude, ...(index && {index})}),
    ...pdfTools({embed}),
    ...mailTools(mail, {nameOf, ...(me && {from: me}), ...(user.name && {userName: user.name})}),
    ...mapsTools({provider: maps.provider, ...(open && {opener: open})}),
    ...notesTools(notes),
    ...remindersTools(reminders),
    ...smsTools(openSms(config), {country: user.region, nameOf}),
    ...zoomTools(openMeetings(config)),
  ]
  return {tools: inOrder(tools), backends: {calendar, reminders, contacts, notes, mail}}
}

/** What is asked before the folders are walked; undefined: nothing. */
export function fileIndexOf({files: {index, database}}: Pick<Config, 'files'>): FileIndex | undefined {
  switch (index) {
    case 'walk': return undefined
    case 'plocate': return plocateIndex(database)
    case 'localsearch': return localsearchIndex()
    case 'spotlight': return spotlightIndex()
  }
}

/** Where it is written down what was handed to an app. */
const handedTo = ({paths}: Config, of: 'apple' | 'outlook', app: string): string => path.join(paths.state, of, app)

function openTheMail(config: Config, options: {warn: ToolDeps['warn']; file?: string}): MailBackend {
  const {mail, dirs} = config
  const inApp = () => ({drafts: openMaildir(dirs.mail, options), ...(options.file !== undefined && {file: options.file})})
  switch (mail.backend) {
    case 'folder': return openMaildir(dirs.mail, options)
    case 'imap': return openImapMail(accountOf(config), {dir: dirs.mail, ...options})
    case 'apple': return openAppleMail(handedTo(config, 'apple', 'mail'), inApp())
    case 'outlook': return openOutlookMail(handedTo(config, 'outlook', 'mail'), inApp())
  }
}

function openContacts(config: Config, warn: ToolDeps['warn']): ContactsBackend {
  switch (config.values.contacts.backend) {
    case 'folder': return openVdirContacts(config.dirs.contacts, warn)
    case 'carddav': return openDavContacts(davOptions(config, 'contacts', warn))
    case 'apple': return openAppleContacts()
    case 'outlook': return openOutlookContacts()
  }
}

function openCalendar(config: Config, warn: ToolDeps['warn']): CalendarBackend {
  const {backend, default: usual} = config.values.calendar
  switch (backend) {
    case 'folder': return openVdirCalendar(config.dirs.calendar, warn)
    case 'caldav': return openDavCalendar(davOptions(config, 'calendar', warn))
    case 'apple': return openAppleCalendar(handedTo(config, 'apple', 'calendar'), {usual})
    case 'outlook': return openOutlookCalendar(handedTo(config, 'outlook', 'calendar'), {usual})
  }
}

function openReminders(config: Config, warn: ToolDeps['warn']): RemindersBackend {
  const {backend, default: usual} = config.values.reminders
  switch (backend) {
    case 'folder': return openVdirReminders(config.dirs.reminders, warn)
    case 'caldav': return openDavReminders(davOptions(config, 'reminders', warn))
    case 'todoist': return openTodoistReminders(todoistOptions(config))
    case 'apple': return openAppleReminders(handedTo(config, 'apple', 'reminders'), {usual})
    case 'outlook': return openOutlookReminders(handedTo(config, 'outlook', 'reminders'), {usual})
  }
}

function openNotes(config: Config): NotesBackend {
  switch (config.values.notes.backend) {
    case 'folder': return openMarkdownNotes(config.dirs.notes)
    case 'joplin': return openJoplinNotes(joplinOptions(config))
    case 'apple': return openAppleNotes()
    case 'outlook': return openOutlookNotes()
  }
}

export const todoistOptions = ({paths, values: {reminders}}: Config): TodoistOptions => ({
  usual: reminders.default, dir: path.join(paths.data, 'todoist'),
  token: signal => readSecret('todoist', {paths, command: reminders.todoist.token_command}, signal),
})

export const joplinOptions = ({paths, values: {notes: {joplin}}}: Config): JoplinOptions => ({
  url: joplin.url, notebook: joplin.notebook, dir: paths.state,
  token: () => readSecret('joplin', {paths, command: joplin.token_command}),
})

function openMeetings(config: Config): ZoomBackend {
  switch (config.meetings.provider) {
    case 'none': return placeholderZoom()
    case 'zoom': return zoomMeetings(path.join(config.paths.data, 'meetings'), zoomLogin(config))
    case 'meet': return googleMeet(meetTokens(config))
    case 'jitsi': return jitsiMeet(config.meetings.jitsi.url)
  }
}

/** What `tinyagent outbox` sends and deletes by; no planner is offered these. */
export const openOutbox = (config: Config, {mail}: Pick<Backends, 'mail'>): Tool[] => {
  const {dirs, user} = config
  return outboxTools({
    mailDir: dirs.mail, smsDir: dirs.sms,
    ...(config.mail.backend !== 'folder' && {mail}),
    ...(config.values.sms.gateway !== 'outbox' && {sms: openSms(config)}),
    ...(user.email && {from: {address: user.email, ...(user.name && {name: user.name})}}),
  })
}

function openSms({file, dirs, values: {sms}, paths}: Config): SmsBackend {
  switch (sms.gateway) {
    case 'outbox': return openSmsOutbox(dirs.sms)
    case 'kdeconnect': return kdeConnectSms(dirs.sms, sms.device)
    case 'modemmanager': return modemManagerSms(dirs.sms, sms.device)
    case 'apple': return appleSms(dirs.sms, sms.device)
    case 'adb': return adbSms(dirs.sms, sms.device)
    case 'termux': return termuxSms(dirs.sms)
    case 'twilio': {
      const {account_sid: accountSid, from, token_command: command} = sms.twilio
      if (!accountSid || !from) throw new ConfigError(`${file}: sms.twilio.${accountSid ? 'from' : 'account_sid'}: is not set, and sms.gateway = "twilio" needs it`)
      return twilioSms(dirs.sms, {accountSid, from, token: signal => readSecret('twilio', {paths, command}, signal)})
    }
  }
}

/** The planner was trained with the tools in this order. */
function inOrder(tools: Tool[]): Tool[] {
  const place = new Map(specs.map((s, i) => [s.name, i]))
  return tools.sort((a, b) => (place.get(a.name) ?? specs.length) - (place.get(b.name) ?? specs.length))
}
