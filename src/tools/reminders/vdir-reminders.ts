// Reminders as VTODOs: files in a vdir, a list a sub-folder (todoman, vdirsyncer and every CalDAV client behind it read them), or a CalDAV server.
import ICAL from 'ical.js'
import {icalItems, icalText, icalTime, plainLine, plainText, stamp, textOf, whenOf} from '../calendar/ical.ts'
import {absolute} from '../calendar/when.ts'
import {itemOf, type ItemStore} from '../item-store.ts'
import {Vdir, uidOf, type Warn} from '../vdir.ts'
import type {NewReminder, ReminderEntry, RemindersBackend} from './reminders.ts'

const defaultList = 'reminders'

/** Sorts after every date. */
const last = '9999-99'

/** The lists in `dir`, a sub-folder each. */
export const openVdirReminders = (dir: string, warn?: Warn): RemindersBackend => openStoredReminders(new Vdir(dir, '.ics', warn))

export function openStoredReminders(vdir: ItemStore): RemindersBackend {
  const list = async (name: string): Promise<{name: string; exists: boolean}> => {
    const wanted = name.trim()
    const existing = await (wanted ? vdir.find(wanted) : vdir.usual?.()) ?? await vdir.find(wanted || defaultList)
    if (existing) return {name: existing.name, exists: true}
    const rest = bare(wanted)
    if (rest) return list(rest)
    return {name: wanted || defaultList, exists: false}
  }
  return {
    list,
    create: async (reminder, uid, now, signal) => {
      const collection = await vdir.findOrMake((await list(reminder.list)).name, signal)
      const {path, hash} = await vdir.create(collection.folder, uidOf(uid), icalText(reminderItem(reminder, uid, now)), signal)
      return {where: path, undo: {path, hash}}
    },
    made: async (uid, signal) => {
      const found = await itemOf(vdir, uidOf(uid), signal)
      return found && {undo: {...found}}
    },
    remove: async (undo, signal) => vdir.takeBack(undo, signal),
    reminders: async () => {
      const found: ReminderEntry[] = []
      for await (const {path, text, collection} of vdir.items()) {
        try {
          found.push(...icalItems(text, 'vtodo').map(item => entryOf(item, collection)))
        } catch (error) {
          vdir.warn(path, error)
        }
      }
      return found.sort((a, b) => (a.due || last).localeCompare(b.due || last) || a.name.localeCompare(b.name))
    },
  }
}

/** "my shopping list" is the list "shopping"; '' where there is nothing to take off. */
export function bare(name: string): string {
  const rest = name.replace(/^(?:my|the|our) /i, '').replace(/ list$/i, '').trim()
  return rest === name ? '' : rest
}

function reminderItem(reminder: NewReminder, uid: string, now: Date): ICAL.Component {
  const item = new ICAL.Component('vtodo')
  const title = plainLine(reminder.name)
  item.addPropertyWithValue('uid', uidOf(uid))
  item.addPropertyWithValue('dtstamp', stamp(now))
  item.addPropertyWithValue('created', stamp(now))
  item.addPropertyWithValue('summary', title)
  item.addPropertyWithValue('status', 'NEEDS-ACTION')
  if (reminder.notes) item.addPropertyWithValue('description', plainText(reminder.notes))
  if (reminder.priority) item.addPropertyWithValue('priority', reminder.priority)
  if (reminder.due) item.addPropertyWithValue('due', icalTime(reminder.due))
  if (reminder.due?.time) item.addSubcomponent(alarmItem(title)) // a whole day has no time to ring at
  return item
}

/** RFC 5545, 3.6.6: rings at the to-do's end, which is when it is due. */
function alarmItem(title: string): ICAL.Component {
  const alarm = new ICAL.Component('valarm')
  alarm.addPropertyWithValue('action', 'DISPLAY')
  alarm.addPropertyWithValue('description', title)
  alarm.addPropertyWithValue('trigger', ICAL.Duration.fromSeconds(0)).setParameter('related', 'END')
  return alarm
}

function entryOf(item: ICAL.Component, list: string): ReminderEntry {
  const due = item.getFirstPropertyValue('due')
  return {
    uid: textOf(item, 'uid'),
    name: textOf(item, 'summary'),
    due: due instanceof ICAL.Time ? absolute(whenOf(due)) : '',
    list,
    priority: Number(textOf(item, 'priority')) || 0,
    isDone: textOf(item, 'status') === 'COMPLETED' || item.hasProperty('completed'),
  }
}
