// Items of Outlook's folders, by which scripts that define `Seen` (what is compared) find and take back what they made.
import {z} from 'zod'
import {removal} from '../app-items.ts'
import type {Script} from './powershell.ts'

export const itemToken = z.object({id: z.string().min(1), folder: z.string(), seen: z.string()})

export const removed = z.object({state: removal})
/** Of an `itemToken`, where it is still in its folder and as it was. `seen`: PowerShell that defines `Seen`. */
export const removeItem = (seen: string): Script => ({isChange: true, source: seen + String.raw`
function Main($asked) {
  $item = ItemOf $asked.id
  if ($null -eq $item -or $item.Parent.EntryID -cne $asked.folder) { return @{ state = 'gone' } }
  if ((Seen $item) -cne $asked.seen) { return @{ state = 'changed' } }
  [void]$item.Delete()
  return @{ state = 'removed' }
}
`})
