// Calendars, reminders and contacts on a CalDAV and CardDAV account.
import type {CalendarBackend} from '../calendar/calendar.ts'
import {openStoredCalendar} from '../calendar/vdir-calendar.ts'
import type {ContactsBackend} from '../contacts/contacts.ts'
import {openStoredContacts} from '../contacts/vdir-contacts.ts'
import type {RemindersBackend} from '../reminders/reminders.ts'
import {openStoredReminders} from '../reminders/vdir-reminders.ts'
import {DavStore, type DavStoreOptions} from './store.ts'

type Options = Omit<DavStoreOptions, 'kind'>

export function openDavCalendar(options: Options): CalendarBackend {
  const store = new DavStore({...options, kind: 'event'})
  return {
    ...openStoredCalendar(store),
    scheduler: async ({address}) => (await store.organizers()).includes(address.toLowerCase()) ? store.client.host : undefined,
  }
}

export const openDavReminders = (options: Options): RemindersBackend => openStoredReminders(new DavStore({...options, kind: 'todo'}))

export const openDavContacts = (options: Options): ContactsBackend => openStoredContacts(new DavStore({...options, kind: 'card'}))
