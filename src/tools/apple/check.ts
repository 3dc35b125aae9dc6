// For `doctor`: whether each app of the Mac that the config names may be asked. Nothing is changed.
import {z} from 'zod'
import type {Config} from '../../core/config.ts'
import {osascript, type App, type Mac} from './osascript.ts'

const questions: Record<App, {source: string; what: string}> = {
  Reminders: {what: 'lists', source: String.raw`function main() { return Application('Reminders').lists.name().length }`},
  Notes: {what: 'folders', source: String.raw`function main() { return Application('Notes').folders.name().length }`},
  Calendar: {what: 'calendars', source: String.raw`function main() { return Application('Calendar').calendars.name().length }`},
  Contacts: {what: 'people', source: String.raw`function main() { return Application('Contacts').people.id().length }`},
  Messages: {what: 'accounts', source: String.raw`function main() { return Application('Messages').accounts.id().length }`},
  Mail: {what: 'accounts', source: String.raw`function main() { return Application('Mail').accounts.name().length }`},
}

/** The apps that stand behind tools, by the config. */
export const appsOf = ({values: {reminders, notes, calendar, contacts, sms, mail}}: Config): App[] => [
  ...(reminders.backend === 'apple' ? ['Reminders' as const] : []),
  ...(notes.backend === 'apple' ? ['Notes' as const] : []),
  ...(calendar.backend === 'apple' ? ['Calendar' as const] : []),
  ...(contacts.backend === 'apple' ? ['Contacts' as const] : []),
  ...(sms.gateway === 'apple' ? ['Messages' as const] : []),
  ...(mail.backend === 'apple' ? ['Mail' as const] : []),
]

/** What it has, in words. Throws ToolError. */
export async function checkApp(app: App, signal?: AbortSignal, mac: Mac = {}): Promise<string> {
  const {source, what} = questions[app]
  return `may be asked, and has ${z.number().parse(await osascript(mac)({app, source}, {}, signal))} ${what}`
}
