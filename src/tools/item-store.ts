// Where calendars, lists and contacts keep their items: a folder (vdir.ts) or a CalDAV or CardDAV server (dav/store.ts). The families know
// only this, so that what they promise holds for both.
import type {Json} from '../core/types.ts'
import type {Collection, Made, VdirItem} from './vdir.ts'

export interface ItemStore {
  /** Every collection. */
  collections(): Promise<Collection[]>
  /** The collection that `name` means, upper and lower case alike. */
  find(name: string): Promise<Collection | undefined>
  /** As `find`; makes the collection when there is none. */
  findOrMake(name: string, signal?: AbortSignal): Promise<Collection>
  /** Where the server or the user puts what names no collection; absent, or undefined: no such word, the family chooses. */
  usual?(): Promise<Collection | undefined>
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
