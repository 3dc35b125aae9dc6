// Maps: places and directions as links, made of fixed templates.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import type {Opener} from '../../core/exec.ts'
import {arg} from '../../core/params.ts'
import {oneLine} from '../../core/text.ts'
import {tool, type Result, type Tool, type ToolSpec} from '../../core/types.ts'

export type MapsProvider = 'openstreetmap' | 'google' | 'apple'
export type Transport = 'd' | 'w' | 'r'

export interface MapsOptions {
  provider?: MapsProvider
  /** shows a link on the desktop; absent: the link is only printed */
  opener?: Opener | undefined
}

export const mapsOpenLocation = {
  name: 'maps_open_location',
  description: 'Show a place on the map, get its link.',
  args: z.object({location: arg.place()}),
  effect: 'read',
  returns: 'link',
} satisfies ToolSpec

export const mapsShowDirections = {
  name: 'maps_show_directions',
  description: 'Show directions, get their link.',
  args: z.object({start_location: arg.place(), end_location: arg.place(), transport: arg.choice('d', 'w', 'r')}),
  effect: 'read',
  returns: 'link',
} satisfies ToolSpec

const ways: Record<Transport, string> = {d: 'by car', w: 'on foot', r: 'by public transport'}

export function mapsTools({provider = 'openstreetmap', opener}: MapsOptions = {}): Tool[] {
  const show = async (link: string, what: string, signal: AbortSignal): Promise<Result> => {
    signal.throwIfAborted()
    const isShown = await opener?.(link) ?? false
    return {value: link, summary: `${isShown ? 'Opened' : 'Made the link of'} ${what}: ${link}`, where: link}
  }
  return [
    tool({
      ...mapsOpenLocation,
      preview: async ({location}) => ({
        effect: 'read', title: 'Map', fields: [{label: 'Place', value: location, arg: 'location'}, {label: 'Link', value: placeLink(provider, location)}],
      }),
      run: async ({location}, {signal}) => show(placeLink(provider, location), `the map of ${oneLine(location)}`, signal),
    }),
    tool({
      ...mapsShowDirections,
      preview: async ({start_location: start, end_location: end, transport}) => ({
        effect: 'read',
        title: 'Directions',
        fields: [
          {label: 'From', value: start.trim() || 'here', arg: 'start_location'},
          {label: 'To', value: end, arg: 'end_location'},
          {label: 'How', value: ways[transport], arg: 'transport'},
          {label: 'Link', value: routeLink(provider, start, end, transport)},
        ],
        ...(hasNoTransit(provider, transport) && {notice: noTransit}),
      }),
      run: async ({start_location: start, end_location: end, transport}, {signal}) => {
        const from = start.trim() ? ` from ${oneLine(start)}` : ''
        const result = await show(routeLink(provider, start, end, transport), `the directions${from} to ${oneLine(end)} ${ways[transport]}`, signal)
        return hasNoTransit(provider, transport) ? {...result, summary: `${result.summary} (${noTransit})`} : result
      },
    }),
  ]
}

const noTransit = 'OpenStreetMap has no timetables; maps.provider = "google" or "apple" has'
const hasNoTransit = (provider: MapsProvider, transport: Transport): boolean => provider === 'openstreetmap' && transport === 'r'

/** No address is longer, and browsers and maps cut long links. */
const maxPlace = 500

/**
 * A place as part of a link; half of a surrogate pair, which has no encoding, becomes U+FFFD. Quotes and brackets, which
 * encodeURIComponent leaves, would end the link in a mail, in Markdown or where it is pasted.
 */
function encoded(place: string): string {
  const text = Buffer.from(place.replace(/[\s\p{Cc}]+/gu, ' ').trim()).toString()
  if (!text) throw new ToolError('invalid-args', 'The map needs a place. Say which.')
  if (text.length > maxPlace) throw new ToolError('invalid-args', `The map needs a place of at most ${maxPlace} characters. Say it shorter.`)
  return encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** The link that shows a place. */
export function placeLink(provider: MapsProvider, place: string): string {
  const query = encoded(place)
  if (provider === 'google') return `https://www.google.com/maps/search/?api=1&query=${query}`
  if (provider === 'apple') return `https://maps.apple.com/?q=${query}`
  return `https://www.openstreetmap.org/search?query=${query}`
}

const googleModes: Record<Transport, string> = {d: 'driving', w: 'walking', r: 'transit'}
const osmEngines: Record<Transport, string> = {d: '&engine=fossgis_osrm_car', w: '&engine=fossgis_osrm_foot', r: ''}

/** The link that shows the way; from "" is from where the user is. */
export function routeLink(provider: MapsProvider, start: string, end: string, transport: Transport): string {
  const to = encoded(end)
  const from = start.trim() ? encoded(start) : ''
  if (provider === 'google') return `https://www.google.com/maps/dir/?api=1${from && `&origin=${from}`}&destination=${to}&travelmode=${googleModes[transport]}`
  if (provider === 'apple') return `https://maps.apple.com/?${from && `saddr=${from}&`}daddr=${to}&dirflg=${transport}`
  return `https://www.openstreetmap.org/directions?${from && `from=${from}&`}to=${to}${osmEngines[transport]}`
}

export const mapsSpecs: ToolSpec[] = [mapsOpenLocation, mapsShowDirections]
