// One process at a time renews a sign-in: a provider that gives a new refresh token each time takes a second use of the old one for a theft.
import {open, rm, stat} from 'node:fs/promises'
import path from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {makeFolder} from '../paths.ts'

/** A renewal has ended by then, or its process was killed. */
const staleMs = 40_000

/** Does `work` while nobody else does work of this file. Where no such file can be made, or one stays too long, it goes on all the same. */
export async function alone<T>(file: string, work: () => Promise<T>): Promise<T> {
  const isOurs = await claim(file)
  try {
    return await work()
  } finally {
    if (isOurs) await rm(file, {force: true})
  }
}

async function claim(file: string): Promise<boolean> {
  for (const begun = performance.now(); performance.now() - begun < staleMs;) {
    try {
      makeFolder(path.dirname(file))
      await (await open(file, 'wx', 0o600)).close()
      return true
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') return false // a folder that is read-only
    }
    const info = await stat(file).catch(() => undefined)
    if (info && Date.now() - info.mtimeMs > staleMs) await rm(file, {force: true})
    else await pause(50)
  }
  return false
}
