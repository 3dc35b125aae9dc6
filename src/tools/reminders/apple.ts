// Reminders in the Mac's own app.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneAtATime} from '../../core/one-at-a-time.ts'
import {oneLine} from '../../core/text.ts'
import {checkRemoval, nameIn, removal} from '../app-items.ts'
import {claims} from '../claims.ts'
import {osascript, type Mac, type Script} from '../apple/osascript.ts'
import {plainLine, plainText} from '../calendar/ical.ts'
import {absolute, atTime} from '../calendar/when.ts'
import type {ReminderEntry, RemindersBackend} from './reminders.ts'
import {bare} from './vdir-reminders.ts'

const listed = z.object({names: z.array(z.string()), usual: z.string()})
const lists: Script = {app: 'Reminders', source: String.raw`
function main() {
  const app = Application('Reminders')
  return {names: app.lists.name(), usual: app.defaultList().name()}
}
`}

/** What is compared before a reminder is taken back. */
const seen = String.raw`
const seen = r => JSON.stringify([r.name(), r.body() || '', ms(r.dueDate()), r.priority(), r.completed()])
`

const token = z.object({id: z.string().min(1), seen: z.string()})
const create: Script = {app: 'Reminders', isChange: true, source: seen + String.raw`
function main({list, name, notes, dueMs, dueDay, priority}) {
  const app = Application('Reminders')
  let into = app.lists().find(l => same(l.name(), list))
  if (!into) {
    into = app.List({name: list})
    app.lists.push(into)
  }
  const properties = {name, priority}
  if (notes) properties.body = notes
  if (dueMs !== null) {
    properties.dueDate = new Date(dueMs)
    properties.remindMeDate = new Date(dueMs)
  }
  if (dueDay !== null) properties.alldayDueDate = midnight(dueDay)
  const reminder = app.Reminder(properties)
  into.reminders.push(reminder)
  made()
  return {id: reminder.id(), seen: seen(reminder)}
}
`}

const find: Script = {app: 'Reminders', source: seen + String.raw`
function main({name, since}) {
  const recent = Application('Reminders').reminders.whose({creationDate: {_greaterThan: new Date(since)}})()
  return recent.filter(r => r.name() === name).map(r => ({id: r.id(), seen: seen(r)}))
}
`}

const remove: Script = {app: 'Reminders', isChange: true, source: seen + String.raw`
function main(token) {
  const app = Application('Reminders')
  const reminder = app.reminders.byId(token.id)
  if (!reminder.exists()) return 'gone'
  if (seen(reminder) !== token.seen) return 'changed'
  app.delete(reminder)
  return 'removed'
}
`}

const open = z.array(z.object({uid: z.string(), name: z.string(), list: z.string(), priority: z.number(), dueMs: z.number().nullable(), isDay: z.boolean()}))
/** Property by property, since each question costs an Apple event. Those that are done may be thousands, and nobody asks for them. */
const all: Script = {app: 'Reminders', source: String.raw`
function main() {
  return Application('Reminders').lists().flatMap(list => {
    const open = list.reminders.whose({completed: false})
    const [ids, names, dues, days, priorities] = [open.id(), open.name(), open.dueDate(), open.alldayDueDate(), open.priority()]
    const where = list.name()
    return ids.map((uid, i) => {
      const due = dues[i] || days[i]
      return {uid, name: names[i] || '', list: where, priority: priorities[i] || 0, dueMs: ms(due), isDay: Boolean(due && days[i]) && due.getHours() + due.getMinutes() + due.getSeconds() === 0}
    })
  })
}
`}

const claimed = z.object({name: z.string()})

/** `dir`: where it is written down what was handed to the app. `usual`: the list that gets what names none; '' is the app's default. */
export function openAppleReminders(dir: string, {usual = '', ...mac}: Mac & {usual?: string} = {}): RemindersBackend {
  const ask = osascript(mac)
  const claim = claims(dir, 'Reminders')
  const inTurn = oneAtATime()
  const list = async (name: string): Promise<{name: string; exists: boolean}> => {
    const known = listed.parse(await ask(lists, {}))
    const wanted = plainLine(name) || usual || known.usual
    return nameIn(known.names, wanted, bare)
  }
  return {
    list,
    create: async (reminder, uid, _now, signal) => {
      const name = plainLine(reminder.name)
      // One after the other: two may need the same new list.
      const {undo} = await claim.once(uid, {name}, () => inTurn(async () => {
        const {due} = reminder
        const undo = token.parse(await ask(create, {
          list: (await list(reminder.list)).name, name, notes: plainText(reminder.notes), priority: reminder.priority,
          dueMs: due?.time ? due.at.getTime() : null, dueDay: due && !due.time ? due.day : null,
        }, signal))
        return {undo}
      }))
      return {where: undo.id, undo}
    },
    made: (uid, signal) => claim.made(
      uid,
      async (what, since) => z.array(token).parse(await ask(find, {...claimed.parse(what), since}, signal)),
      what => `Reminders has several '${oneLine(claimed.parse(what).name)}' from that time. Look which one is too many.`,
    ),
    remove: async (undo, signal) => {
      const {data: made} = token.safeParse(undo)
      if (!made) throw new ToolError('refused', 'The journal does not say which reminder to take back.')
      checkRemoval(removal.parse(await ask(remove, made, signal)), 'reminder', 'Reminders')
    },
    reminders: async () => {
      const found = open.parse(await ask(all, {})).map(({dueMs, isDay, ...entry}): ReminderEntry => {
        const due = dueMs === null ? undefined : atTime(new Date(dueMs))
        return {...entry, due: due ? isDay ? due.day : absolute(due) : '', isDone: false}
      })
      return found.sort((a, b) => (a.due || '9999-99').localeCompare(b.due || '9999-99') || a.name.localeCompare(b.name))
    },
  }
}
