// WebDAV's XML requests and answers by tsdav, over our own client, and what is read out of its answers.
import {davRequest, DAVNamespace, type DAVRequest, type DAVResponse} from 'tsdav'
import type {DavAnswer, DavClient, DavRequest} from './client.ts'

/** Elements by name with their prefix (d, c, card, cs): {'d:prop': {'d:getetag': {}}}. What they hold is escaped. */
export interface Elements { [name: string]: string | number | string[] | Elements }
export interface Found { url: string; status: number; props: Props }
type Props = Record<string, unknown>

const namespaces = {
  'xmlns:d': DAVNamespace.DAV, 'xmlns:c': DAVNamespace.CALDAV, 'xmlns:card': DAVNamespace.CARDDAV, 'xmlns:cs': DAVNamespace.CALENDAR_SERVER,
}

/** The empty elements of a request. */
export const asked = (...names: string[]): Elements => Object.fromEntries(names.map(name => [name, {}]))

/** Sends one element as the body of a request. */
export async function sendXml(client: DavClient, method: string, url: string, name: string, content: Elements, request: DavRequest = {}): Promise<{answer: DavAnswer; replies: DAVResponse[]}> {
  let answer: DavAnswer | undefined
  const replies = await davRequest({
    url,
    // tsdav's type lists the methods that it uses itself; it passes any on.
    init: {method: method as DAVRequest['method'], namespace: 'd', body: {[name]: {_attributes: namespaces, ...content}}},
    fetch: async (_input, init) => {
      answer = await client.send(method, url, {...request, headers: {'content-type': 'application/xml; charset=utf-8', ...request.headers}, body: String(init?.body)})
      return new Response(answer.text || null, {status: answer.status, headers: answer.headers})
    },
  })
  return {answer: answer!, replies}
}

/** PROPFIND and REPORT (RFC 4918, 13). Nothing is found where the status is not 207. */
export async function multistatus(client: DavClient, method: 'PROPFIND' | 'REPORT', url: string, name: string, content: Elements, depth: '0' | '1', request: DavRequest = {}): Promise<{found: Found[]; status: number}> {
  const {answer, replies} = await sendXml(client, method, url, name, content, {...request, headers: {depth}})
  if (answer.status !== 207) return {found: [], status: answer.status}
  return {
    status: 207,
    found: replies.filter(reply => reply.href !== undefined).map(reply => ({url: new URL(String(reply.href), answer.url).href, status: reply.status, props: reply.props ?? {}})),
  }
}

const child = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Props)[name] : undefined

/** The text of an element: tsdav turns digits into numbers, and keeps CDATA apart. */
export function textOf(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  const inner = child(value, '_cdata') ?? child(value, '_text')
  return inner === undefined ? '' : [inner].flat().map(String).join('')
}

/** The addresses in a property such as current-user-principal. */
export const hrefs = (value: unknown): string[] => [value].flat().flatMap(v => list(v, 'href')).map(textOf).filter(Boolean)

export const has = (value: unknown, name: string): boolean => child(value, name) !== undefined
export const list = (value: unknown, name: string): unknown[] => [child(value, name)].flat().filter(v => v !== undefined)
export const attribute = (value: unknown, name: string): string => textOf(child(child(value, '_attributes'), name))
