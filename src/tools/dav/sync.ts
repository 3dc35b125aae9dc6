// A copy of the server's collections and what brings it up to date. A collection that has not changed (its ctag or sync-token) costs
// nothing; of another one the changed items are fetched (RFC 6578 where the server has it, else by comparing ETags).
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import type {DavAnswer, DavClient, DavRequest} from './client.ts'
import {discover, type Home} from './discovery.ts'
import {asked, attribute, has, list, multistatus, sendXml, textOf, type Elements, type Found} from './xml.ts'

/** What is kept of the server: events, to-dos or contact cards. */
export type ItemKind = 'event' | 'todo' | 'card'

export const kinds = {
  event: {service: 'caldav', component: 'VEVENT', begin: /^BEGIN:VEVENT/im, data: 'c:calendar-data', prop: 'calendarData', multiget: 'c:calendar-multiget', type: 'text/calendar; charset=utf-8', extension: '.ics'},
  todo: {service: 'caldav', component: 'VTODO', begin: /^BEGIN:VTODO/im, data: 'c:calendar-data', prop: 'calendarData', multiget: 'c:calendar-multiget', type: 'text/calendar; charset=utf-8', extension: '.ics'},
  card: {service: 'carddav', component: '', begin: /^BEGIN:VCARD/im, data: 'card:address-data', prop: 'addressData', multiget: 'card:addressbook-multiget', type: 'text/vcard; charset=utf-8', extension: '.vcf'},
} as const

const itemSchema = z.object({etag: z.string(), /** '' for an item of another kind */ text: z.string()})
const collectionSchema = z.object({
  url: z.string(), name: z.string(), isWritable: z.boolean(),
  /** '' where the server has none */
  ctag: z.string(), syncToken: z.string(),
  /** by address */
  items: z.record(z.string(), itemSchema),
})
export const copySchema = z.object({
  version: z.literal(1),
  /** when the server was last asked with success */
  at: z.iso.datetime(),
  home: z.object({urls: z.array(z.string()), isCollection: z.boolean(), organizers: z.array(z.string()), usual: z.string()}),
  collections: z.array(collectionSchema),
})
export type RemoteCollection = z.infer<typeof collectionSchema>
export type Copy = z.infer<typeof copySchema>

/** Servers limit the size of a request; 100 addresses are some 10 KB. */
const batch = 100
/** A whole address book of pictures takes a while. */
const reportMs = 40_000

/** The copy as the server has it at `now`; `before` is not changed. Throws ToolError; the server's state is then unknown and `before` stays right. */
export async function sync(client: DavClient, kind: ItemKind, before: Copy | undefined, now: Date, signal: AbortSignal, {withItems = true} = {}): Promise<Copy> {
  const {service} = kinds[kind]
  let home = before?.home ?? await discover(client, service, signal)
  let listed = await listCollections(client, kind, home, signal)
  if (!listed && before) { // the account has moved
    home = await discover(client, service, signal)
    listed = await listCollections(client, kind, home, signal)
  }
  if (!listed) throw new ToolError('unavailable', `${client.host} does not list what it has for ${oneLine(client.account.user)}.`)
  const known = new Map(before?.collections.map(c => [c.url, c]))
  const collections = await Promise.all(listed.map(async remote => ({...remote, items: withItems ? await changed(client, kind, remote, known.get(remote.url), signal) : {}})))
  return {version: 1, at: now.toISOString(), home, collections}
}

type Listed = Omit<RemoteCollection, 'items'>

async function listCollections(client: DavClient, kind: ItemKind, home: Home, signal: AbortSignal): Promise<Listed[] | undefined> {
  const props = asked('d:displayname', 'd:resourcetype', 'cs:getctag', 'd:sync-token', 'd:current-user-privilege-set', ...kind === 'card' ? [] : ['c:supported-calendar-component-set'])
  const lists = await Promise.all(home.urls.map(url => multistatus(client, 'PROPFIND', url, 'd:propfind', {'d:prop': props}, home.isCollection ? '0' : '1', {signal})))
  if (lists.some(l => l.status !== 207)) return undefined
  return lists.flatMap(l => l.found).filter(f => holds(f, kind)).map(({url, props}) => ({
    url: client.resolve(url.endsWith('/') ? url : `${url}/`, url),
    name: nameOf(url, oneLine(textOf(props['displayname']))),
    isWritable: isWritable(props['currentUserPrivilegeSet']),
    ctag: textOf(props['getctag']), syncToken: textOf(props['syncToken']),
  }))
}

/** Radicale gives a collection without a name its path ("ana/work"). */
function nameOf(url: string, name: string): string {
  const path = decodeURIComponent(new URL(url).pathname).replace(/\/$/, '')
  return name && !path.endsWith(`/${name}`) ? name : path.slice(path.lastIndexOf('/') + 1)
}

function holds({props}: Found, kind: ItemKind): boolean {
  if (kind === 'card') return has(props['resourcetype'], 'addressbook')
  if (!has(props['resourcetype'], 'calendar')) return false
  const components = list(props['supportedCalendarComponentSet'], 'comp').map(comp => attribute(comp, 'name').toUpperCase())
  return components.length === 0 || components.includes(kinds[kind].component) // RFC 4791, 5.2.3: without the property all
}

/** RFC 3744; a server that does not say leaves it to the attempt. */
function isWritable(privileges: unknown): boolean {
  const all = list(privileges, 'privilege')
  return all.length === 0 || all.some(p => ['all', 'write', 'bind', 'writeContent'].some(name => has(p, name)))
}

type Items = RemoteCollection['items']

async function changed(client: DavClient, kind: ItemKind, remote: Listed, before: RemoteCollection | undefined, signal: AbortSignal): Promise<Items> {
  const isSame = before && ((remote.ctag !== '' && remote.ctag === before.ctag) || (remote.syncToken !== '' && remote.syncToken === before.syncToken))
  if (isSame) return before.items
  const since = before && before.syncToken !== '' && remote.syncToken !== '' ? await changesSince(client, remote.url, before.syncToken, signal) : undefined
  const items: Items = since ? {...before?.items} : {}
  const wanted: string[] = []
  for (const {url, status, props} of since ?? await members(client, remote.url, signal)) {
    const etag = textOf(props['getetag'])
    const known = before?.items[url]
    if (status === 404) delete items[url]
    else if (known && etag !== '' && known.etag === etag) items[url] = known
    else wanted.push(url)
  }
  for (let i = 0; i < wanted.length; i += batch) {
    Object.assign(items, await fetchItems(client, kind, remote.url, wanted.slice(i, i + batch), signal))
  }
  return items
}

/** Undefined where the server does not answer so (it has forgotten that state, or has cut its answer short): all of it is compared then. */
async function changesSince(client: DavClient, url: string, token: string, signal: AbortSignal): Promise<Found[] | undefined> {
  const content = {'d:sync-token': token, 'd:sync-level': 1, 'd:prop': asked('d:getetag')}
  const {found, status} = await multistatus(client, 'REPORT', url, 'd:sync-collection', content, '0', slow(signal))
  if (status !== 207 || found.some(f => f.status === 507)) return undefined
  return found.filter(f => !isCollectionItself(f, url))
}

async function members(client: DavClient, url: string, signal: AbortSignal): Promise<Found[]> {
  const {found, status} = await multistatus(client, 'PROPFIND', url, 'd:propfind', {'d:prop': asked('d:getetag', 'd:resourcetype')}, '1', slow(signal))
  if (status !== 207) throw new ToolError('unavailable', `${client.host} does not list ${oneLine(url)} (HTTP ${status}).`)
  return found.filter(f => !isCollectionItself(f, url) && !has(f.props['resourcetype'], 'collection'))
}

const isCollectionItself = (found: Found, url: string): boolean => found.url.replace(/\/$/, '') === url.replace(/\/$/, '')

async function fetchItems(client: DavClient, kind: ItemKind, url: string, wanted: string[], signal: AbortSignal): Promise<Items> {
  const {multiget, data, prop, begin} = kinds[kind]
  const content = {'d:prop': asked('d:getetag', data), 'd:href': wanted.map(w => new URL(w).pathname)}
  const {found, status} = await multistatus(client, 'REPORT', url, multiget, content, '1', slow(signal))
  if (status !== 207) throw new ToolError('unavailable', `${client.host} does not give out ${oneLine(url)} (HTTP ${status}).`)
  return Object.fromEntries(found.flatMap(({url: at, status: s, props}) => {
    const text = textOf(props[prop])
    return s === 404 || text === '' ? [] : [[at, {etag: textOf(props['getetag']), text: begin.test(text) ? text : ''}]]
  }))
}

/** MKCALENDAR (RFC 4791, 5.3.1), or for an address book MKCOL (RFC 5689); `name` is one line without controls. */
export async function makeCollection(client: DavClient, kind: ItemKind, url: string, name: string, signal: AbortSignal | undefined): Promise<DavAnswer> {
  const set = (props: Elements): Elements => ({'d:set': {'d:prop': {'d:displayname': name, ...props}}})
  const {answer} = kind === 'card'
    ? await sendXml(client, 'MKCOL', url, 'd:mkcol', set({'d:resourcetype': asked('d:collection', 'card:addressbook')}), {signal})
    : await sendXml(client, 'MKCALENDAR', url, 'c:mkcalendar', set({'c:supported-calendar-component-set': {'c:comp': {_attributes: {name: kinds[kind].component}}}}), {signal})
  return answer
}

const slow = (signal: AbortSignal): DavRequest => ({signal, timeoutMs: reportMs})
