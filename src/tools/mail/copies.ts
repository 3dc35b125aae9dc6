// Attachments as files, for apps that take nothing else.
import {mkdir, readdir, rm, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {notWritten} from '../files/durable.ts'
import {uidOf} from '../vdir.ts'

/** The app may read them after it has taken the mail. */
const keptMs = 24 * 60 * 60 * 1000

/** Files of exactly what was shown, under their names; those of mails that went a day ago are removed. Throws ToolError 'failed', and leaves none then. */
export async function copies(dir: string, id: string, attachments: {name: string; content: Buffer}[]): Promise<string[]> {
  for (const old of await readdir(dir).catch(() => [])) {
    const folder = join(dir, old)
    const info = await stat(folder).catch(() => undefined)
    if (info && performance.timeOrigin + performance.now() - info.mtimeMs > keptMs) await rm(folder, {recursive: true, force: true})
  }
  const own = join(dir, uidOf(id))
  const paths: string[] = []
  try {
    for (const [i, {name, content}] of attachments.entries()) {
      const folder = join(own, String(i))
      await mkdir(folder, {recursive: true, mode: 0o700})
      const path = join(folder, /^\.*$/.test(name) ? 'attachment' : name)
      await writeFile(path, content, {mode: 0o600})
      paths.push(path)
    }
    return paths
  } catch (error) {
    await rm(own, {recursive: true, force: true}).catch(() => undefined)
    throw notWritten(own, error)
  }
}
