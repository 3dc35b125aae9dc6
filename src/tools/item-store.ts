// Where calendars, lists and contacts keep their items: a folder (vdir.ts) or a CalDAV or CardDAV server (dav/store.ts). The families know
// only this, so that what they promise holds for both.
import type {Json} from '../core/types.ts'
import {sha256, type Collection, type Made, type VdirItem} from './vdir.ts'

export interface ItemStore {
  /** Every collection. */
  collections(): Promise<Collection[]>
  /** The collection that `name` means, upper and lower case alike. */
  find(name: string): Promise<Collection | undefined>
  /** As `find`; makes the collection when there is none. */
  findOrMake(name: string, signal?: AbortSignal): Promise<Collection>
  /** Where the server or the user puts what names no collection; absent, or undefined: no such word, the family chooses. */
  usual?(): Promise<Collection | undefined>
  /** What is there now, and not a copy from before; absent: there is no copy. Throws ToolError where that can't be known. */
  news?(signal: AbortSignal): Promise<void>
  /** An item as `takeBack` compares it, where that may differ in its line ends from what `items` gives. Throws ToolError. */
  textOf?(path: string, signal: AbortSignal): Promise<string>
  /** Every readable item. */
  items(): AsyncGenerator<VdirItem>
  /** Says that an item's content is damaged and was skipped. */
  warn(path: string, error: unknown): void
  /** A new item; `folder` is a collection's. Throws 'refused' when there is one of that UID: nothing is ever written over. */
  create(folder: string, uid: string, text: string, signal?: AbortSignal): Promise<Made>
  /** Puts `text` in the place of `before`. Throws 'refused' when another program has changed the item meanwhile. */
  replace(path: string, before: string, text: string, signal?: AbortSignal): Promise<void>
  /** Takes back an item that `create` made; `token` comes from the journal. Throws 'refused' when it was changed since. */
  takeBack(token: Json, signal?: AbortSignal): Promise<void>
}

/** The item that `create` made under this UID, in whatever collection it is now; undefined: there is none. Throws ToolError where that can't be known. */
export async function itemOf(store: ItemStore, uid: string, signal: AbortSignal): Promise<Made | undefined> {
  await store.news?.(signal)
  for await (const {path, text} of store.items()) {
    // Of a UID that the journal made: letters, digits and dashes, so it stands in the name as it is.
    if (path.split(/[/\\]/).at(-1)?.replace(/\.\w+$/, '') === uid) return {path, hash: sha256(await store.textOf?.(path, signal) ?? text)}
  }
  return undefined
}
