// Events in classic Outlook. Where Outlook has an account of the organizer it invites by itself, with a meeting request; else invitees stand in
// the event's notes, and the mail family invites them. Each event carries a mark, by which it is found after a crash.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneAtATime} from '../../core/one-at-a-time.ts'
import {oneLine} from '../../core/text.ts'
import {checkRemoval, nameIn} from '../app-items.ts'
import {claims} from '../claims.ts'
import {itemToken, removed, removeItem} from '../outlook/items.ts'
import {askOutlook, type Script, type Windows} from '../outlook/powershell.ts'
import {uidOf} from '../vdir.ts'
import type {CalendarBackend, CalendarEntry} from './calendar.ts'
import {plainLine, plainText} from './ical.ts'
import {bare} from './vdir-calendar.ts'
import {absolute, atTime} from './when.ts'

const listed = z.object({names: z.array(z.string()).min(1)})
/** The default one is the first. */
const list: Script = {source: String.raw`
function Main($asked) { return @{ names = @(foreach ($folder in (FoldersOf 9 1)) { [string]$folder.Name }) } }
`}

/** What is compared before an event is taken back; in UTC, as the answer's times are. */
const seen = String.raw`
function Seen($item) {
  return Json @([string]$item.Subject, [string]$item.Location, [string]$item.Body, (Ms $item.Start), (Ms $item.End), $item.AllDayEvent, $item.IsRecurring)
}
`

const created = z.union([itemToken, z.object({not: z.string()})])
const create: Script = {isChange: true, source: seen + String.raw`
function Main($asked) {
  $folder = Named 9 1 $asked.calendar
  $item = $folder.Items.Add(1)
  $item.Subject = $asked.title
  $item.Location = $asked.location
  $item.Body = $asked.notes
  $item.Mileage = $asked.mark
  if ($null -ne $asked.startDay) {
    $item.AllDayEvent = $true
    $item.Start = Day $asked.startDay
    $item.End = (Day $asked.endDay).AddDays(1)
  } else {
    $item.Start = When $asked.startMs
    $item.End = When $asked.endMs
  }
  if ($null -ne $asked.organizer) {
    $account = AccountOf $asked.organizer
    if ($null -eq $account) { return @{ not = 'the sender (it has no account of ' + $asked.organizer + ')' } }
    $item.MeetingStatus = 1
    if (-not (SendBy $item $account)) { return @{ not = 'the sender' } }
    foreach ($guest in $asked.guests) {
      $added = $item.Recipients.Add($guest)
      $added.Type = 1
    }
    $isKnown = $item.Recipients.ResolveAll()
    $invited = @(foreach ($guest in $item.Recipients) { if ((AddressOf $guest) -ne $asked.organizer) { AddressOf $guest } })
    if (-not $isKnown -or ($invited -join ' ') -ne (@($asked.guests) -join ' ')) {
      [void]$item.Close(1)
      return @{ not = 'the guests' }
    }
  }
  Made
  [void]$item.Save()
  $answer = @{ id = [string]$item.EntryID; folder = [string]$folder.EntryID; seen = (Seen $item) }
  if ($null -ne $asked.organizer) { [void]$item.Send() }
  return $answer
}
`}

const found = z.object({items: z.array(itemToken.extend({isMeeting: z.boolean(), isInvited: z.boolean()}))})
/** "0x8229" is whether the request has gone (PidLidFInvited). */
const find: Script = {source: seen + String.raw`
function Main($asked) {
  return @{ items = @(foreach ($folder in (FoldersOf 9 1)) {
    $items = $folder.Items
    [void]$items.Sort('[LastModificationTime]', $true)
    foreach ($item in $items) {
      if ((Ms $item.LastModificationTime) -lt $asked.since) { break }
      if ($item.Mileage -cne $asked.mark) { continue }
      $sent = ''
      try { $sent = [string]$item.PropertyAccessor.GetProperty('http://schemas.microsoft.com/mapi/id/{00062002-0000-0000-C000-000000000046}/8229000B') } catch { $sent = '' }
      @{ id = [string]$item.EntryID; folder = [string]$folder.EntryID; seen = (Seen $item); isMeeting = ($item.MeetingStatus -ne 0); isInvited = ($sent -eq 'True') }
    }
  }) }
}
`}

const remove = removeItem(seen)

const entries = z.object({items: z.array(z.object({uid: z.string(), title: z.string(), location: z.string(), calendar: z.string(), startMs: z.number(), endMs: z.number(), isDay: z.boolean()}))})
/** Outlook spells repeating events out only for a filter, which takes times as the system's region writes them, in whole minutes. */
const between: Script = {source: String.raw`
function Main($asked) {
  $filter = "[Start] < '{0:g}' AND [End] > '{1:g}'" -f (When $asked.to).AddMinutes(1), (When $asked.from).AddMinutes(-1)
  return @{ items = @(foreach ($folder in (FoldersOf 9 1)) {
    $items = $folder.Items
    [void]$items.Sort('[Start]')
    $items.IncludeRecurrences = $true
    foreach ($item in $items.Restrict($filter)) {
      $start = Ms $item.Start
      $end = Ms $item.End
      if ($start -ge $asked.to -or $end -le $asked.from) { continue }
      @{ uid = [string]$item.EntryID; title = [string]$item.Subject; location = [string]$item.Location; calendar = [string]$folder.Name; startMs = $start; endMs = $end; isDay = $item.AllDayEvent }
    }
  }) }
}
`}

const addresses = z.object({addresses: z.array(z.string())})
const accounts: Script = {source: String.raw`
function Main($asked) { return @{ addresses = @(foreach ($account in $session.Accounts) { [string]$account.SmtpAddress }) } }
`}

const claimed = z.object({title: z.string()})

/** `dir`: where it is written down what was handed to Outlook. `usual`: the calendar that gets what names none; '' is Outlook's default. */
export function openOutlookCalendar(dir: string, {usual = '', ...windows}: Windows & {usual?: string} = {}): CalendarBackend {
  const ask = askOutlook(windows)
  const claim = claims(dir, 'Outlook')
  const inTurn = oneAtATime()
  const calendar = async (name: string): Promise<{name: string; exists: boolean}> => {
    const {names} = listed.parse(await ask(list, {}))
    const wanted = plainLine(name) || usual
    if (wanted === '') return {name: names[0]!, exists: true}
    return nameIn(names, wanted, bare)
  }
  return {
    calendar,
    scheduler: async ({address}) => addresses.parse(await ask(accounts, {})).addresses.some(a => a.toLowerCase() === address.toLowerCase()) ? 'Outlook' : undefined,
    create: async (event, uid, _now, {organizer, signal} = {}) => {
      const {start, end, invitees} = event
      const title = plainLine(event.title)
      const invites = organizer !== undefined && invitees.length > 0
      const notes = [plainText(event.notes), invitees.length > 0 && !invites ? `Invited: ${invitees.join(', ')}` : ''].filter(Boolean).join('\n\n')
      const {undo} = await claim.once(uid, {title}, () => inTurn(async () => {
        const made = created.parse(await ask(create, {
          calendar: (await calendar(event.calendar)).name.trim(), title, location: plainLine(event.location), notes: notes.replaceAll('\n', '\r\n'), mark: uidOf(uid),
          startMs: start.at.getTime(), endMs: end.at.getTime(), startDay: start.time ? null : start.day, endDay: start.time ? null : end.day,
          organizer: invites ? organizer.address : null, guests: invites ? invitees : [],
        }, signal))
        if ('not' in made) throw new ToolError('failed', `Outlook would have changed ${made.not}, so nothing was made and nobody was invited.`)
        return {undo: made}
      }))
      return {where: undo.id, undo}
    },
    made: (uid, signal) => claim.made(
      uid,
      async (what, since) => found.parse(await ask(find, {mark: uidOf(uid), since}, signal)).items.map(({isMeeting, isInvited, ...made}) => {
        if (isMeeting && !isInvited) throw new ToolError('unknown', `'${oneLine(claimed.parse(what).title)}' is in Outlook's calendar, and whether the invitation went is not known. Open it there: it says so, and can send it.`)
        return made
      }),
      what => `Outlook has several '${oneLine(claimed.parse(what).title)}' of this request. Look which one is too many.`,
    ),
    remove: async (undo, signal) => {
      const {data: made} = itemToken.safeParse(undo)
      if (!made) throw new ToolError('refused', 'The journal does not say which event to take back.')
      checkRemoval(removed.parse(await ask(remove, made, signal)).state, 'event', 'Outlook')
    },
    events: async (from, to) => {
      const {items} = entries.parse(await ask(between, {from: from.getTime(), to: to.getTime()}))
      const events = items.map(({startMs, endMs, isDay, ...entry}): CalendarEntry => {
        const start = atTime(new Date(startMs))
        // Outlook's whole days end with the beginning of the next.
        const end = atTime(new Date(isDay ? Math.max(startMs, endMs - 1_000) : endMs))
        return {...entry, start: isDay ? start.day : absolute(start), end: isDay ? end.day : absolute(end)}
      })
      return events.sort((a, b) => a.start < b.start ? -1 : a.start > b.start ? 1 : a.title.localeCompare(b.title))
    },
  }
}
