// Maps: places and directions.
import {z} from 'zod'
import {arg} from '../../core/params.ts'
import type {ToolSpec} from '../../core/types.ts'

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

export const mapsSpecs: ToolSpec[] = [mapsOpenLocation, mapsShowDirections]
