// Requests typed before, kept between runs: one JSON string a line, 0600, newest last.
import {chmodSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'

const maxEntries = 1000

/** A missing or damaged file is an empty history: it is a convenience, never a reason to stop. */
export function readHistory(file: string): string[] {
  let text: string
  try { text = readFileSync(file, 'utf8') } catch { return [] }
  return text.split('\n').flatMap(line => {
    try { const entry: unknown = JSON.parse(line); return typeof entry === 'string' ? [entry] : [] } catch { return [] }
  })
}

/** The history with `entry` newest and once, written to `file`; what another instance added meanwhile stays. */
export function addToHistory(file: string, entry: string): string[] {
  const entries = [...readHistory(file).filter(e => e !== entry), entry].slice(-maxEntries)
  try {
    mkdirSync(path.dirname(file), {recursive: true, mode: 0o700})
    writeFileSync(file, entries.map(e => JSON.stringify(e)).join('\n') + '\n', {mode: 0o600})
    chmodSync(file, 0o600)
  } catch { /* a full or read-only disk: this session's history still works */ }
  return entries
}

/** Walking through history from a draft that is never lost: what was typed at each place stays there. */
export interface Walk { readonly entries: readonly string[]; readonly at: number; readonly edited: Readonly<Record<number, string>> }
export const startWalk = (entries: readonly string[]): Walk => ({entries, at: entries.length, edited: {}})

/** One step up (-1) or down (1) from the text as it stands; undefined at either end. */
export function step(walk: Walk, by: -1 | 1, text: string): {walk: Walk; text: string} | undefined {
  const at = walk.at + by
  if (at < 0 || at > walk.entries.length) return undefined
  const edited = {...walk.edited, [walk.at]: text}
  return {walk: {...walk, at, edited}, text: edited[at] ?? walk.entries[at] ?? ''}
}
