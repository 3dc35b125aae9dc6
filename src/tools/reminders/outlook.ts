// Reminders as tasks in classic Outlook. Its due dates have no time: a timed one rings at its time, and that is read as when it is due. Each
// task carries a mark, by which it is found after a crash.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneAtATime} from '../../core/one-at-a-time.ts'
import {oneLine} from '../../core/text.ts'
import {plainLine, plainText} from '../calendar/ical.ts'
import {absolute, atTime} from '../calendar/when.ts'
import {checkRemoval, nameIn} from '../app-items.ts'
import {claims} from '../claims.ts'
import {itemToken, removed, removeItem} from '../outlook/items.ts'
import {askOutlook, type Script, type Windows} from '../outlook/powershell.ts'
import {uidOf} from '../vdir.ts'
import type {ReminderEntry, RemindersBackend} from './reminders.ts'
import {bare} from './vdir-reminders.ts'

const listed = z.object({names: z.array(z.string()).min(1)})
/** The default one is the first. */
const lists: Script = {source: String.raw`
function Main($asked) { return @{ names = @(foreach ($folder in (FoldersOf 13 3)) { [string]$folder.Name }) } }
`}

/** What is compared before a task is taken back. */
const seen = String.raw`
function Seen($item) {
  return Json @([string]$item.Subject, [string]$item.Body, (Ms $item.DueDate), $item.Importance, $item.Complete, $item.ReminderSet)
}
`

const create: Script = {isChange: true, source: seen + String.raw`
function Main($asked) {
  $folder = Named 13 3 $asked.list
  $item = $folder.Items.Add(3)
  $item.Subject = $asked.name
  $item.Body = $asked.notes
  $item.Importance = $asked.importance
  $item.Mileage = $asked.mark
  if ($null -ne $asked.dueDay) { $item.DueDate = Day $asked.dueDay }
  $item.ReminderSet = $null -ne $asked.dueMs
  if ($null -ne $asked.dueMs) { $item.ReminderTime = When $asked.dueMs }
  Made
  [void]$item.Save()
  return @{ id = [string]$item.EntryID; folder = [string]$folder.EntryID; seen = (Seen $item) }
}
`}

const found = z.object({items: z.array(itemToken)})
const find: Script = {source: seen + String.raw`
function Main($asked) {
  return @{ items = @(foreach ($folder in (FoldersOf 13 3)) {
    $items = $folder.Items
    [void]$items.Sort('[LastModificationTime]', $true)
    foreach ($item in $items) {
      if ((Ms $item.LastModificationTime) -lt $asked.since) { break }
      if ($item.Class -eq 48 -and $item.Mileage -ceq $asked.mark) { @{ id = [string]$item.EntryID; folder = [string]$folder.EntryID; seen = (Seen $item) } }
    }
  }) }
}
`}

const remove = removeItem(seen)

const open = z.object({items: z.array(z.object({uid: z.string(), name: z.string(), list: z.string(), importance: z.number(), dueMs: z.number().nullable(), ringsMs: z.number().nullable()}))})
const all: Script = {source: String.raw`
function Main($asked) {
  return @{ items = @(foreach ($folder in (FoldersOf 13 3)) {
    foreach ($item in $folder.Items) {
      if ($item.Class -ne 48 -or $item.Complete) { continue }
      $rings = $null
      if ($item.ReminderSet) { $rings = Ms $item.ReminderTime }
      @{ uid = [string]$item.EntryID; name = [string]$item.Subject; list = [string]$folder.Name; importance = $item.Importance; dueMs = (Ms $item.DueDate); ringsMs = $rings }
    }
  }) }
}
`}

const claimed = z.object({name: z.string()})
/** Outlook's three, "normal" for none and medium. */
const importanceOf = {0: 1, 1: 2, 5: 1, 9: 0} as const
const priorityOf = (importance: number): number => importance === 2 ? 1 : importance === 0 ? 9 : 0

/** `dir`: where it is written down what was handed to Outlook. `usual`: the list that gets what names none; '' is Outlook's default. */
export function openOutlookReminders(dir: string, {usual = '', ...windows}: Windows & {usual?: string} = {}): RemindersBackend {
  const ask = askOutlook(windows)
  const claim = claims(dir, 'Outlook')
  const inTurn = oneAtATime()
  const list = async (name: string): Promise<{name: string; exists: boolean}> => {
    const {names} = listed.parse(await ask(lists, {}))
    const wanted = plainLine(name) || usual || names[0]!
    return nameIn(names, wanted, bare)
  }
  return {
    list,
    create: async (reminder, uid, _now, signal) => {
      const name = plainLine(reminder.name)
      // One after the other: two may need the same new list.
      const {undo} = await claim.once(uid, {name}, () => inTurn(async () => {
        const {due} = reminder
        const undo = itemToken.parse(await ask(create, {
          list: (await list(reminder.list)).name.trim(), name, notes: plainText(reminder.notes).replaceAll('\n', '\r\n'), importance: importanceOf[reminder.priority], mark: uidOf(uid),
          dueDay: due ? due.day : null, dueMs: due?.time ? due.at.getTime() : null,
        }, signal))
        return {undo}
      }))
      return {where: undo.id, undo}
    },
    made: (uid, signal) => claim.made(
      uid,
      async (_what, since) => found.parse(await ask(find, {mark: uidOf(uid), since}, signal)).items,
      what => `Outlook has several '${oneLine(claimed.parse(what).name)}' of this request. Look which one is too many.`,
    ),
    remove: async (undo, signal) => {
      const {data: made} = itemToken.safeParse(undo)
      if (!made) throw new ToolError('refused', 'The journal does not say which reminder to take back.')
      checkRemoval(removed.parse(await ask(remove, made, signal)).state, 'reminder', 'Outlook')
    },
    reminders: async () => {
      const reminders = open.parse(await ask(all, {})).items.map(({dueMs, ringsMs, importance, ...entry}): ReminderEntry => {
        const day = dueMs === null ? undefined : atTime(new Date(dueMs)).day
        const rings = ringsMs === null ? undefined : atTime(new Date(ringsMs))
        return {...entry, due: rings && (day === undefined || rings.day === day) ? absolute(rings) : day ?? '', priority: priorityOf(importance), isDone: false}
      })
      return reminders.sort((a, b) => (a.due || '9999-99').localeCompare(b.due || '9999-99') || a.name.localeCompare(b.name))
    },
  }
}
