// Which processes there are, asked of the system.
import fs from 'node:fs'

/** Also one of another user's. */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** When a process began, in hundredths of a second since the machine started (proc(5), field 22); undefined where only Linux would tell. */
export function startTicks(pid: number): number | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) // the name before may hold blanks and brackets
    return Number.isFinite(ticks) ? ticks : undefined
  } catch {
    return undefined
  }
}
