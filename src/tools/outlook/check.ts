// For `doctor` and `setup`: whether classic Outlook may be asked, and what it has. Nothing is changed.
import {z} from 'zod'
import type {Config} from '../../core/config.ts'
import {askOutlook, type Script, type Windows} from './powershell.ts'

export const outlookAreas = ['reminders', 'calendar', 'notes', 'contacts', 'mail'] as const
export type OutlookArea = typeof outlookAreas[number]

const folders: Record<OutlookArea, {folder: number; what: string}> = {
  reminders: {folder: 13, what: 'tasks'}, calendar: {folder: 9, what: 'events'}, notes: {folder: 12, what: 'notes'}, contacts: {folder: 10, what: 'contacts'},
  mail: {folder: 6, what: 'mails in the inbox'},
}
const count: Script = {source: String.raw`
function Main($asked) { return @{ count = $session.GetDefaultFolder($asked.folder).Items.Count } }
`}

/** The areas that Outlook stands behind, by the config. */
export const outlookAreasOf = ({values}: Config): OutlookArea[] => outlookAreas.filter(area => values[area].backend === 'outlook')

/** What it has, in words. Throws ToolError. */
export async function checkOutlook(area: OutlookArea, signal?: AbortSignal, windows: Windows = {}): Promise<string> {
  const {folder, what} = folders[area]
  const answer = z.object({count: z.number()}).parse(await askOutlook(windows)(count, {folder}, signal))
  return `may be asked, and has ${answer.count} ${what}`
}
