// The apps give ids of their own and take none, so what is handed to one is written down under our key before, with its id after. What is
// written down is not made again, also after a crash.
import {readFile, rm, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {isAbort, reasonOf, ToolError} from '../core/errors.ts'
import {oneLine} from '../core/text.ts'
import type {Json} from '../core/types.ts'
import {createWhole, damaged, isMissing} from './files/durable.ts'
import {uidOf} from './vdir.ts'

/** The clocks of an app and ours are the same; its dates have whole seconds. */
export const slackMs = 2_000

export interface Claim { /** what was handed over */ what: Json; /** when, by the system's clock */ at: Date; /** what takes it back; absent: no answer came */ undo?: Json }

/** Kept in `dir`. */
export function claims(dir: string, app: string) {
  const file = (key: string, ending: string): string => join(dir, `${uidOf(key)}${ending}`)
  const read = async (path: string): Promise<Json | undefined> => {
    const text = await readFile(path, 'utf8').catch((error: unknown) => { if (!isMissing(error)) throw error })
    if (text === undefined) return undefined
    try {
      return JSON.parse(text) as Json // written by createWhole: whole, or not there
    } catch (error) {
      throw damaged(path, error)
    }
  }
  const release = async (key: string): Promise<void> => {
    for (const ending of ['.done.json', '.json']) await rm(file(key, ending), {force: true})
  }
  const known = async (key: string): Promise<Claim | undefined> => {
    const what = await read(file(key, '.json'))
    if (what === undefined) return undefined
    const undo = await read(file(key, '.done.json'))
    return {what, at: (await stat(file(key, '.json'))).mtime, ...(undo !== undefined && {undo})}
  }
  return {
    /** Makes it once for `key`. Throws ToolError 'refused' when it was handed over before. What surely was not made, by `make`'s own ToolError, may be tried again. */
    async once<T extends {undo: Json}>(key: string, what: Json, make: () => Promise<T>): Promise<T> {
      if (!await createWhole(file(key, '.json'), JSON.stringify(what))) {
        throw new ToolError('refused', `This was handed to ${app} before. Look there before you do it again.`)
      }
      let made: T
      try {
        made = await make()
      } catch (error) {
        if (error instanceof ToolError && error.code !== 'unknown') await release(key).catch(() => undefined)
        if (error instanceof ToolError || isAbort(error)) throw error
        throw new ToolError('unknown', `${app} may have done it, and what it answered is not understood (${oneLine(reasonOf(error)).slice(0, 200)}). Look there before you do it again.`, {cause: error})
      }
      await createWhole(file(key, '.done.json'), JSON.stringify(made.undo)).catch(() => undefined) // it is made all the same
      return made
    },
    /**
     * After a crash: what takes back the thing that was made for `key`. `look`: the things in the app that may be it, made since a time in
     * ms. Where there is none it was not made, and may be. Throws ToolError 'unknown', in the words of `several`, where there are more.
     */
    async made<T extends Json>(key: string, look: (what: Json, since: number) => Promise<T[]>, several: (what: Json) => string): Promise<{undo: Json} | undefined> {
      const claim = await known(key)
      if (claim?.undo !== undefined) return {undo: claim.undo}
      if (!claim) return undefined
      const found = await look(claim.what, claim.at.getTime() - slackMs)
      if (found.length > 1) throw new ToolError('unknown', several(claim.what))
      if (!found[0]) await release(key)
      return found[0] && {undo: found[0]}
    },
    read: known,
    release,
  }
}
