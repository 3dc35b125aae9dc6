// From the address of a server to the user's calendars and address books: RFC 6764 (well-known addresses), RFC 5397 (the principal),
// RFC 4791 and 6352 (home sets), RFC 6638 (whether the server sends invitations).
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'
import type {DavClient, DavRequest} from './client.ts'
import {asked, has, hrefs, multistatus, type Found} from './xml.ts'

export type Service = 'caldav' | 'carddav'

/** What the server says of a user. Addresses are whole. */
export interface Home {
  /** where the collections are */
  urls: string[]
  /** the address is one of a collection, and there is no more */
  isCollection: boolean
  /** RFC 6638: the server tells the invitees of these organizers; none: it does not */
  organizers: string[]
  /** RFC 6638, 9.2: '' where the server names none */
  usual: string
}

/** Throws ToolError 'unavailable' naming host and reason, or 'not-found' where the host has no such service. */
export async function discover(client: DavClient, service: Service, signal?: AbortSignal, timeoutMs?: number): Promise<Home> {
  const request: DavRequest = {signal, ...(timeoutMs !== undefined && {timeoutMs})}
  const homeSet = service === 'caldav' ? 'calendarHomeSet' : 'addressbookHomeSet'
  const homeSetName = service === 'caldav' ? 'c:calendar-home-set' : 'card:addressbook-home-set'
  const props = (url: string, ...names: string[]) => multistatus(client, 'PROPFIND', url, 'd:propfind', {'d:prop': asked(...names)}, '0', request)
  let lastStatus = 0
  for (const url of startingPoints(client.account.url, service)) {
    const {found: [own], status} = await props(url, 'd:current-user-principal', 'd:resourcetype', homeSetName)
    lastStatus = status
    if (!own) continue
    const [principal] = hrefs(own.props['currentUserPrincipal'])
    const principalUrl = principal === undefined ? own.url : client.resolve(principal, own.url)
    const {found: [person]} = await props(principalUrl, homeSetName, 'c:calendar-user-address-set', 'c:schedule-inbox-URL', 'd:resourcetype')
    const homes = hrefs((person ?? own).props[homeSet]).map(href => client.resolve(href, principalUrl))
    const isCollection = homes.length === 0 && has(own.props['resourcetype'], service === 'caldav' ? 'calendar' : 'addressbook')
    if (homes.length === 0 && !isCollection) continue
    const urls = isCollection ? [own.url] : homes
    return {urls, isCollection, ...await scheduling(client, service, urls[0]!, person?.props ?? {}, principalUrl, request)}
  }
  const what = service === 'caldav' ? 'calendars' : 'contacts'
  throw new ToolError('not-found', `${client.host} has no ${what} for ${oneLine(client.account.user)} at ${oneLine(new URL(client.account.url).pathname)}${lastStatus ? ` (HTTP ${lastStatus})` : ''}. Look the ${service === 'caldav' ? 'CalDAV' : 'CardDAV'} address up at your provider and set it as url.`)
}

/** RFC 6764, 6: a bare host is asked at the well-known address first. */
function startingPoints(url: string, service: Service): string[] {
  const wellKnown = new URL(`/.well-known/${service}`, url).href
  const root = new URL('/', url).href
  const given = new URL(url)
  return given.pathname === '/' ? [wellKnown, root] : [...new Set([given.href, wellKnown, root])]
}

/** RFC 6638, 2: the DAV header of the calendar home says "calendar-auto-schedule". */
async function scheduling(client: DavClient, service: Service, home: string, person: Found['props'], principal: string, request: DavRequest): Promise<Pick<Home, 'organizers' | 'usual'>> {
  if (service === 'carddav') return {organizers: [], usual: ''}
  const {headers} = await client.send('OPTIONS', home, request)
  if (!/\bcalendar-auto-schedule\b/i.test(headers.get('dav') ?? '')) return {organizers: [], usual: ''}
  const organizers = hrefs(person['calendarUserAddressSet'])
    .map(href => href.replace(/%3a/i, ':').replace(/%40/, '@')) // Xandikos escapes the whole of it
    .filter(href => /^mailto:/i.test(href)).map(href => href.slice(7).toLowerCase())
  const [inbox] = hrefs(person['scheduleInboxURL'])
  if (inbox === undefined) return {organizers, usual: ''}
  const url = client.resolve(inbox, principal)
  const {found: [box]} = await multistatus(client, 'PROPFIND', url, 'd:propfind', {'d:prop': asked('c:schedule-default-calendar-URL')}, '0', request)
  const [usual] = hrefs(box?.props['scheduleDefaultCalendarURL'])
  return {organizers, usual: usual === undefined ? '' : client.resolve(usual, url)}
}
