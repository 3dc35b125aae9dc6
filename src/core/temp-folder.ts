// Folders for files that are needed for a while. Whoever makes one removes it; where that process was killed, the next start does.
import {lstat, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {readlinkSync} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import {z} from 'zod'
import {isThere, startTicks} from './processes.ts'

const prefix = 'tinyagent-'
const ownerFile = '.owner'
const ownerSchema = z.object({
  pid: z.number(),
  /** as startTicks: a clock that is put right would make another process of this one */
  start: z.number().optional(),
  /** where the pid means something: a container that shares the folder has processes of its own */
  system: z.string(),
})
type Owner = z.infer<typeof ownerSchema>

function systemMark(): string {
  let space = ''
  try { space = readlinkSync('/proc/self/ns/pid') } catch { /* not Linux: one for the whole machine */ }
  return `${os.hostname()} ${space}`.trim()
}

/** A new one that only the user can read. */
export async function makeTempFolder(): Promise<string> {
  const dir = await mkdtemp(path.join(os.tmpdir(), prefix))
  const start = startTicks(process.pid)
  const owner: Owner = {pid: process.pid, ...(start !== undefined && {start}), system: systemMark()}
  try {
    await writeFile(path.join(dir, ownerFile), JSON.stringify(owner), {mode: 0o600})
    return dir
  } catch (error) {
    await rm(dir, {recursive: true, force: true})
    throw error
  }
}

/** Where it cannot be told whether a process is another one, it counts as the one that it was, and its folder stays. */
const isAlive = ({pid, start}: Owner): boolean => {
  const now = startTicks(pid)
  return isThere(pid) && (start === undefined || now === undefined || now === start)
}

/** Removes the folders of processes that are gone. Never rejects. */
export async function removeLeftOvers(): Promise<void> {
  const root = os.tmpdir()
  const names = await readdir(root).catch(() => [])
  await Promise.all(names.filter(name => name.startsWith(prefix)).map(async name => {
    const dir = path.join(root, name)
    try {
      const info = await lstat(dir)
      // Other users write there, too.
      if (!info.isDirectory() || (process.getuid && info.uid !== process.getuid())) return
      const owner = ownerSchema.parse(JSON.parse(await readFile(path.join(dir, ownerFile), 'utf8')))
      if (owner.system === systemMark() && !isAlive(owner)) await rm(dir, {recursive: true, force: true})
    } catch { /* made this moment, nobody's that is known here, or gone meanwhile: it stays */ }
  }))
}
