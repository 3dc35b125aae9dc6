// Calendars, lists or contacts on a CalDAV or CardDAV server, with a copy on this disk: look-ups read the copy, which is brought up to date
// beside them, so they are quick and work without a network. Changes go to the server at once or fail; nothing waits to be sent.
//
// At most once: an item's address is made of its UID, which the journal has before, and is created with If-None-Match: *. After a lost
// answer the server is asked for that address; only where it does not say either is the outcome unknown, and nothing is tried again.
import {readFile} from 'node:fs/promises'
import {dirname} from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import {z} from 'zod'
import {isAbort, reasonOf, ToolError} from '../../core/errors.ts'
import {makeFolder} from '../../core/paths.ts'
import {oneLine} from '../../core/text.ts'
import {untilAborted} from '../../core/time-limit.ts'
import type {Json} from '../../core/types.ts'
import {plainLine} from '../calendar/ical.ts'
import type {ItemStore} from '../item-store.ts'
import {safeName, sha256, type Collection, type Made, type VdirItem, type Warn} from '../vdir.ts'
import {DavClient, NoAnswer, type DavAccount, type DavAnswer} from './client.ts'
import {copySchema, kinds, makeCollection, sync, type Copy, type ItemKind, type RemoteCollection} from './sync.ts'

export interface DavStoreOptions {
  account: DavAccount
  kind: ItemKind
  /** where the copy is kept; the folder is made */
  file: string
  /** the collection that the user wants new items in; '' leaves it to the server */
  usual?: string
  warn?: Warn
  clock?: () => Date
  /** the limits below */
  limits?: Partial<typeof defaultLimits>
}

const defaultLimits = {
  /** how long a look-up waits for news where there is a copy of today; it goes on beside it */
  patienceMs: 1_500,
  /** ... and where the copy is older */
  longPatienceMs: 10_000,
  /** of one synchronisation */
  syncMs: 50_000,
  /** a copy that is younger is as good as new */
  freshMs: 30_000,
}
const dayMs = 24 * 3_600_000

/** Names of collections that hold what has no place of its own, on servers that do not say. */
const usualNames = ['personal', 'default', 'calendar', 'contacts', 'home', 'tasks', 'reminders']

const made = z.object({path: z.string(), hash: z.string()})

const fold = (name: string): string => plainLine(name).normalize('NFKC').toLowerCase()

export class DavStore implements ItemStore {
  readonly client: DavClient
  readonly #options: DavStoreOptions
  readonly #limits: typeof defaultLimits
  readonly #clock: () => Date
  #copy: Copy | undefined
  #loaded: Promise<void> | undefined
  #syncing: Promise<void> | undefined
  /** of the last success, on the clock that only goes forward */
  #syncedAt = -Infinity
  #hasWarned = false
  /** what we have changed since the running synchronisation began: it may not have seen it */
  #changes: ((copy: Copy) => void)[] = []
  #saved: Promise<void> = Promise.resolve()
  #making = new Map<string, Promise<Collection>>()

  constructor(options: DavStoreOptions) {
    this.#options = options
    this.#limits = {...defaultLimits, ...options.limits}
    this.#clock = options.clock ?? (() => new Date())
    this.client = new DavClient(options.account)
  }

  async collections(): Promise<Collection[]> {
    return (await this.#current()).collections.map(asCollection)
  }

  async find(name: string): Promise<Collection | undefined> {
    return findIn(await this.#current(), name)
  }

  /** The user's choice, the server's, the one that is called so, or the first that can be written to. */
  async usual(): Promise<Collection | undefined> {
    const copy = await this.#current()
    const wanted = this.#options.usual ?? ''
    if (wanted) return findIn(copy, wanted)
    const writable = copy.collections.filter(c => c.isWritable)
    const found = writable.find(c => c.url === copy.home.usual) ?? usualNames.map(name => writable.find(c => fold(c.name) === name || lastPart(c.url) === name)).find(c => c) ?? writable[0]
    return found && asCollection(found)
  }

  /** The addresses that the server sends invitations for (RFC 6638), in lower case. */
  async organizers(): Promise<string[]> {
    return (await this.#current()).home.organizers
  }

  async findOrMake(name: string, signal?: AbortSignal): Promise<Collection> {
    const wanted = plainLine(name)
    const existing = await this.find(wanted)
    if (existing) return existing
    const running = this.#making.get(fold(wanted))
    if (running) return running
    const making = this.#make(wanted, signal).finally(() => this.#making.delete(fold(wanted)))
    this.#making.set(fold(wanted), making)
    return making
  }

  async #make(name: string, signal: AbortSignal | undefined): Promise<Collection> {
    const {kind} = this.#options
    await this.#news(signal) // another program may have made it
    const copy = this.#copy!
    const existing = findIn(copy, name)
    if (existing) return existing
    const home = copy.home.urls[0]
    if (home === undefined || copy.home.isCollection) throw new ToolError('refused', `${this.client.host} has no place for a new "${oneLine(name)}": the account's url is that of one collection.`)
    const base = safeName(name).toLowerCase()
    for (let n = 1; n < 100; n++) {
      const url = new URL(`${encodeURIComponent(n === 1 ? base : `${base}-${n}`)}/`, home.endsWith('/') ? home : `${home}/`).href
      if (copy.collections.some(c => c.url === url)) continue // of another name
      const answer = await this.#orLost(() => makeCollection(this.client, kind, url, name, signal))
      await this.#news(signal)
      const now = this.#copy!.collections.find(c => c.url === url)
      if (now) return {name: now.name, folder: now.url}
      if (answer && !isTaken(answer)) throw this.#refusal(answer, `"${oneLine(name)}" was not made`)
      if (!answer) throw new ToolError('failed', `${this.client.host} broke the connection, and "${oneLine(name)}" was not made. Try again.`)
    }
    throw new ToolError('failed', `${this.client.host} has too many collections that are called like "${oneLine(name)}".`)
  }

  async news(signal: AbortSignal): Promise<void> {
    await untilAborted(this.#news(signal), signal)
  }

  async textOf(path: string, signal: AbortSignal): Promise<string> {
    const {status, text} = await this.#read(this.#within(path), signal)
    if (status !== 200) throw new ToolError('unavailable', `${this.client.host} does not show ${oneLine(path)} (HTTP ${status}).`)
    return text
  }

  async *items(): AsyncGenerator<VdirItem> {
    for (const {name, items} of (await this.#current()).collections) {
      for (const [path, {text}] of Object.entries(items)) if (text !== '') yield {path, text, collection: name}
    }
  }

  warn(path: string, error: unknown): void {
    this.#options.warn?.(oneLine(`Skipped ${path}: ${reasonOf(error).slice(0, 200)} (repair it in another program)`))
  }

  async create(folder: string, uid: string, text: string, signal?: AbortSignal): Promise<Made> {
    const url = this.#within(new URL(`${encodeURIComponent(safeName(uid))}${kinds[this.#options.kind].extension}`, folder).href)
    const name = this.#copy?.collections.find(c => c.url === folder)?.name ?? ''
    const place = `"${oneLine(name)}" on ${this.client.host}`
    const put = () => this.client.send('PUT', url, {body: text, headers: {'content-type': kinds[this.#options.kind].type, 'if-none-match': '*'}, signal})
    for (let isSecond = false; ; isSecond = true) {
      const answer = await this.#orLost(put)
      if (answer && answer.status !== 412 && answer.status >= 300 && answer.status < 500) throw this.#refusal(answer, `Nothing was added to ${place}`)
      // The server may keep it in words of its own, and a lost answer or a server's failure may have come after it was kept.
      const kept = await this.#read(url).catch((cause: unknown) => {
        if (answer && answer.status < 300) return {status: 200, etag: '', text} // it said yes
        throw unknown(place, cause)
      })
      if (kept.status === 200) {
        const isOurs = answer?.status === 412 ? isSecond : uidIn(kept.text) === uidIn(text)
        if (!isOurs) throw new ToolError('refused', `${oneLine(url)} is there already. Nothing was changed.`)
        await this.#change(folder, url, kept)
        return {path: url, hash: sha256(kept.text)}
      }
      if (kept.status !== 404 && kept.status !== 410) throw unknown(place, undefined)
      // It is not there. The second try is as exclusive as the first.
      if (isSecond || answer) throw answer ? this.#refusal(answer, `Nothing was added to ${place}`) : new ToolError('failed', `${this.client.host} broke the connection twice, and nothing was added to ${place}. Try again.`)
    }
  }

  async replace(path: string, before: string, text: string, signal?: AbortSignal): Promise<void> {
    const url = this.#within(path)
    const collection = this.#copy?.collections.find(c => c.items[url])
    const known = collection?.items[url]
    const changed = new ToolError('refused', `${oneLine(path)} was changed by another program just now. Try again.`)
    if (!collection || known?.text !== before || known.etag === '') throw changed
    const place = `"${oneLine(collection.name)}" on ${this.client.host}`
    const answer = await this.#orLost(() => this.client.send('PUT', url, {body: text, headers: {'content-type': kinds[this.#options.kind].type, 'if-match': known.etag}, signal}))
    if (answer?.status === 412) {
      await this.#news(signal).catch(() => undefined) // so that trying again helps
      throw changed
    }
    if (answer && answer.status >= 300 && answer.status < 500) throw this.#refusal(answer, `Nothing was changed in ${place}`)
    const kept = await this.#read(url).catch((cause: unknown) => {
      if (answer && answer.status < 300) return {status: 200, etag: '', text}
      throw unknown(place, cause)
    })
    const isDone = answer && answer.status < 300
    if (!isDone && kept.etag === known.etag) throw new ToolError('failed', `${this.client.host} ${answer ? `failed (HTTP ${answer.status})` : 'broke the connection'}, and nothing was changed in ${place}. Try again.`)
    await this.#change(collection.url, url, kept.status === 200 ? kept : undefined)
  }

  async takeBack(token: Json, signal?: AbortSignal): Promise<void> {
    const parsed = made.safeParse(token)
    if (!parsed.success) throw new ToolError('refused', 'The journal does not say what to take back.')
    await this.#current()
    const url = this.#within(parsed.data.path)
    const kept = await this.#read(url, signal)
    const folder = this.#copy?.collections.find(c => url.startsWith(c.url))?.url ?? ''
    if (kept.status === 404 || kept.status === 410) {
      await this.#change(folder, url, undefined)
      throw new ToolError('refused', `${oneLine(url)} is gone already.`)
    }
    if (kept.status !== 200) throw new ToolError('unavailable', `${this.client.host} does not show ${oneLine(url)} (HTTP ${kept.status}), so it is left alone.`)
    const hasChanged = new ToolError('refused', `${oneLine(url)} has changed since, so it is left alone. Change it in your calendar program.`)
    if (sha256(kept.text) !== parsed.data.hash) throw hasChanged
    const answer = await this.#orLost(() => this.client.send('DELETE', url, {headers: kept.etag ? {'if-match': kept.etag} : {}, signal}))
    if (answer?.status === 412) throw hasChanged
    if (answer ? answer.status >= 300 && answer.status !== 404 : (await this.#read(url)).status === 200) {
      throw answer ? this.#refusal(answer, 'Nothing was taken back') : new ToolError('failed', `${this.client.host} broke the connection, and nothing was taken back. Try again.`)
    }
    await this.#change(folder, url, undefined)
  }

  /** The answer; undefined when it was lost and the request may have arrived. What surely did not leave is an error. */
  async #orLost(send: () => Promise<DavAnswer>): Promise<DavAnswer | undefined> {
    try {
      return await send()
    } catch (cause) {
      if (cause instanceof NoAnswer && cause.mayHaveArrived) return undefined
      if (cause instanceof NoAnswer) throw new ToolError('unavailable', `${cause.message}, so nothing was changed. Try again when it can be reached.`, {cause})
      throw cause
    }
  }

  /** Asks for an item, with its own time: the caller's may be over. One more try, since the connection may have been the trouble. */
  async #read(url: string, signal?: AbortSignal): Promise<{status: number; etag: string; text: string}> {
    const ask = () => this.client.send('GET', url, {timeoutMs: 8_000, signal})
    const {status, headers, text} = await ask().catch((cause: unknown) => { if (cause instanceof NoAnswer) return ask(); throw cause })
    return {status, etag: headers.get('etag') ?? '', text}
  }

  #refusal({status, text}: DavAnswer, what: string): ToolError {
    const {host} = this.client
    if (status === 403 || status === 405) return new ToolError('refused', `${what}: ${host} does not allow it (HTTP ${status}).`)
    if (status === 404 || status === 409) return new ToolError('not-found', `${what}: ${host} says that it is not there any more, or that the UID is taken (HTTP ${status}).`)
    if (status === 507) return new ToolError('refused', `${what}: ${host} has no room left for you.`)
    return new ToolError('failed', `${what}: ${host} answered HTTP ${status}${text && !text.startsWith('<') ? ` (${oneLine(text).slice(0, 100)})` : ''}.`)
  }

  /** Only what lies in a collection of the account: a token comes from a file, a folder from a name. */
  #within(url: string): string {
    const href = URL.canParse(url) ? new URL(url).href : ''
    if (this.#copy?.collections.some(c => href.startsWith(c.url)) && !/%2f/i.test(href)) return href
    throw new ToolError('refused', `${oneLine(url)} is not in the account on ${this.client.host}, so it is left alone.`)
  }

  /** Keeps the copy as we know the server now. */
  #change(folder: string, url: string, item: {etag: string; text: string} | undefined): Promise<void> {
    const apply = (copy: Copy): void => {
      const collection = copy.collections.find(c => c.url === folder)
      if (!collection) return
      if (item) collection.items[url] = {etag: item.etag, text: item.text}
      else delete collection.items[url]
      collection.ctag = collection.syncToken = '' // the server's has moved on; the ETags tell what has changed
    }
    this.#changes.push(apply)
    if (this.#copy) apply(this.#copy)
    return this.#save()
  }

  /** The copy, as new as a short wait makes it. Throws when there is none and the server can't be reached. */
  async #current(): Promise<Copy> {
    await (this.#loaded ??= this.#load())
    if (performance.now() - this.#syncedAt < this.#limits.freshMs) return this.#copy!
    const news = this.#news()
    if (!this.#copy) {
      await news
      return this.#copy!
    }
    const {patienceMs, longPatienceMs} = this.#limits
    const isOld = this.#clock().getTime() - Date.parse(this.#copy.at) > dayMs
    let timer: NodeJS.Timeout | undefined
    const enough = new Promise<void>(resolve => { timer = setTimeout(resolve, isOld ? longPatienceMs : patienceMs) })
    await Promise.race([news.catch((error: unknown) => this.#warnOfAge(error)), enough])
    clearTimeout(timer)
    return this.#copy
  }

  #warnOfAge(error: unknown): void {
    if (this.#hasWarned || isAbort(error)) return
    this.#hasWarned = true
    const at = new Date(this.#copy?.at ?? 0)
    this.#options.warn?.(oneLine(`${reasonOf(error).replace(/\.$/, '')}; what it had on ${at.toISOString().slice(0, 16).replace('T', ' at ')} UTC is used`))
  }

  /** Brings the copy up to date; one at a time, whoever asks. */
  async #news(signal?: AbortSignal): Promise<void> {
    const run = async (): Promise<void> => {
      await (this.#loaded ??= this.#load())
      this.#changes = []
      const limit = AbortSignal.timeout(this.#limits.syncMs)
      const copy = await sync(this.client, this.#options.kind, this.#copy, this.#clock(), limit).catch((cause: unknown) => {
        if (cause instanceof NoAnswer) throw new ToolError('unavailable', `${cause.message}. Try again when it can be reached.`, {cause})
        if (limit.aborted) throw new ToolError('timeout', `${this.client.host} did not answer within ${this.#limits.syncMs / 1000} seconds.`, {cause})
        throw cause
      })
      for (const change of this.#changes) change(copy)
      this.#copy = copy
      this.#syncedAt = performance.now()
      await this.#save()
    }
    signal?.throwIfAborted()
    return this.#syncing ??= run().finally(() => { this.#syncing = undefined })
  }

  async #load(): Promise<void> {
    try {
      const parsed = copySchema.safeParse(JSON.parse(await readFile(this.#options.file, 'utf8')))
      if (parsed.success) this.#copy = parsed.data
    } catch { /* none yet, or damaged: it is only a copy */ }
  }

  /** One after the other, so that the last state is the one that stays. A full disk costs the copy and nothing else. */
  #save(): Promise<void> {
    return this.#saved = this.#saved.then(() => this.#write())
  }

  async #write(): Promise<void> {
    try {
      makeFolder(dirname(this.#options.file))
      await writeFileAtomic(this.#options.file, JSON.stringify(this.#copy), {mode: 0o600, fsync: false})
    } catch (error) {
      if (!this.#hasWarned) this.#options.warn?.(oneLine(`The copy of ${this.client.host} could not be kept: ${reasonOf(error)}`))
      this.#hasWarned = true
    }
  }
}

/** Something else is there: an address book of that name, where calendars and address books are in one place. RFC 4918, 9.3.1 and RFC 4791, 5.3.1. */
const isTaken = ({status, text}: DavAnswer): boolean => status === 405 || ((status === 403 || status === 409) && /resource-must-be-null/.test(text))

const asCollection = ({name, url}: RemoteCollection): Collection => ({name, folder: url})
const lastPart = (url: string): string => decodeURIComponent(new URL(url).pathname.split('/').findLast(Boolean) ?? '').toLowerCase()

function findIn({collections}: Copy, name: string): Collection | undefined {
  const found = collections.find(c => fold(c.name) === fold(name)) ?? collections.find(c => lastPart(c.url) === fold(name))
  return found && asCollection(found)
}

const uidIn = (text: string): string => /^UID[^:\r\n]*:(.*)$/im.exec(text.replace(/\r?\n[ \t]/g, ''))?.[1]?.trim() ?? ''

const unknown = (place: string, cause: unknown): ToolError =>
  new ToolError('unknown', `The connection broke, and it is not known whether this was added to ${place}. Look there before you do it again.`, {cause})
