// How many threads a model may use now: llama.cpp's threads spin where they wait for each other, so a thread that shares its core
// with another program stops all of them. On two cores, one of them busy: 7 ms a token with one thread, 90 ms with two.
import {cpus} from 'node:os'

/** Milliseconds since the machine's start: of all cores together, of those at work, and of this process at work. */
export interface Load { all: number; busy: number; own: number }

export function readLoad(): Load {
  const load = {all: 0, busy: 0, own: 0}
  for (const {times} of cpus()) {
    const busy = times.user + times.nice + times.sys + times.irq
    load.busy += busy
    load.all += busy + times.idle
  }
  const {user, system} = process.cpuUsage()
  load.own = (user + system) / 1000
  return load
}

/** The clocks tick every 10 ms. */
const shortestMs = 50

/** One thread for each core that other programs left free between the two; `undefined` when that was too short to tell. */
export function freeThreads(before: Load, after: Load, cores: number, most: number): number | undefined {
  const wallMs = (after.all - before.all) / cores
  if (!(wallMs >= shortestMs)) return undefined
  const others = Math.max(0, after.busy - before.busy - (after.own - before.own)) / wallMs
  return Math.max(1, Math.min(most, Math.round(cores - others)))
}
