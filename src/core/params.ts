// The argument schemas of tools: zod types that carry their Kind, and the Param list read off them.
// The prompt, the grammar, the date resolver and the training data follow from these.
import {z} from 'zod'
import type {Kind, Param, ToolSpec} from './types.ts'

const kinds = z.registry<{kind: Kind; values?: (string | number)[]; optional?: true}>()

const text = (kind: Kind) => z.string().register(kinds, {kind})

/** One constructor a kind. The order of keys in a tool's z.object is the order in a plan. */
export const arg = {
  person: () => text('person'),
  address: () => text('address'),
  phone: () => text('phone'),
  file: () => text('file'),
  path: () => text('path'),
  place: () => text('place'),
  when: () => text('when'),
  until: () => text('until'),
  label: () => text('label'),
  title: () => text('title'),
  text: () => text('text'),
  any: () => text('any'),
  minutes: () => z.number().int().min(0).register(kinds, {kind: 'minutes'}),
  integer: () => z.number().int().register(kinds, {kind: 'integer'}),
  number: () => z.number().register(kinds, {kind: 'number'}),
  boolean: () => z.boolean().register(kinds, {kind: 'boolean'}),
  allDay: () => z.boolean().register(kinds, {kind: 'all-day'}),
  choice: <const V extends readonly (string | number)[]>(...values: V): z.ZodLiteral<V[number]> => {
    const schema = z.literal(values)
    // A literal of strings and numbers; the registry's type wants the widest schema.
    kinds.add(schema as z.ZodType, {kind: 'choice', values: [...values]})
    return schema
  },
}

const cache = new WeakMap<z.ZodObject, Param[]>()

/** The parameters of a tool, in plan order. Throws on a schema that was not made of `arg`. */
export function paramsOf(spec: Pick<ToolSpec, 'args' | 'name'>): Param[] {
  const known = cache.get(spec.args)
  if (known) return known
  const params = Object.entries(spec.args.shape).map(([name, schema]): Param => {
    const list = schema instanceof z.ZodArray
    // zod's registry is keyed by any schema; the element of an array is one.
    const item = (list ? schema.element : schema) as z.ZodType
    const meta = kinds.get(item)
    if (!meta) throw new Error(`${spec.name}.${name}: not made of arg.*()`)
    const description = schema.description
    return {name, list, kind: meta.kind, ...(meta.values && {values: meta.values}), ...(meta.optional && {optional: meta.optional}), ...(description && {description})}
  })
  cache.set(spec.args, params)
  return params
}

/** A tool as a labelled row or a plug-in lists it (LABELLING.md, "Rows"). */
export const foreignTool = z.object({
  name: z.string().regex(/^[A-Za-z_][\w.-]{0,63}$/),
  description: z.string().max(2000).default(''),
  parameters: z.array(z.object({
    name: z.string().regex(/^[A-Za-z_][\w.-]{0,63}$/),
    type: z.string().default('string'),
    description: z.string().max(1000).default(''),
  })).max(30).default([]),
})
export type ForeignTool = z.infer<typeof foreignTool>

const foreignKind: Record<string, () => z.ZodType> = {
  array: () => z.array(arg.any()),
  list: () => z.array(arg.any()),
  integer: arg.integer,
  int: arg.integer,
  number: arg.number,
  float: arg.number,
  boolean: arg.boolean,
  bool: arg.boolean,
}

/** The spec of a tool that is not ours. Its own word on effects is a hint only, so it counts as outward. */
export function foreignSpec(row: ForeignTool): ToolSpec {
  const shape = Object.fromEntries(row.parameters.map(p => {
    const schema = (foreignKind[p.type.toLowerCase()] ?? arg.any)()
    return [p.name, p.description ? described(schema, p.description) : schema]
  }))
  return {name: row.name, description: row.description, args: z.object(shape), effect: 'outward', returns: 'any', source: 'document', foreign: true}
}

/** `.describe()` makes a copy that has lost its Kind; this one keeps it. */
export function described(schema: z.ZodType, description: string): z.ZodType {
  const copy = schema.describe(description)
  const meta = kinds.get(schema)
  if (meta) kinds.add(copy, meta)
  return copy
}

/** The schema of an argument that may be left unsaid. Lists may be empty anyway. */
export function unrequired(schema: z.ZodType): z.ZodType {
  const meta = kinds.get(schema)
  return meta ? schema.clone().register(kinds, {...meta, optional: true}) : schema
}
