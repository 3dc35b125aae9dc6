// The JSON Schema of an MCP tool's arguments -> arguments that a plan can write, and what a plan wrote -> JSON for the server.
// A plan has no optional arguments and no objects: "", [], 0 and false of what may be left out are left out, and objects are
// taken apart ("place.city" is the argument place_city). What a plan cannot say is left to the server's own default.
import {z} from 'zod'
import {parseAbsolute} from '../../core/dates.ts'
import {ToolError} from '../../core/errors.ts'
import {arg, described, unrequired} from '../../core/params.ts'
import {oneLine} from '../../core/text.ts'
import type {Json} from '../../core/types.ts'

type Schema = Record<string, unknown>
type Item = 'text' | 'integer' | 'number' | 'boolean' | 'date' | 'date-time' | {choice: (string | number)[]}

interface Field {
  name: string
  /** the keys that lead to it in what the server gets */
  path: string[]
  isRequired: boolean
  item: Item
  isList: boolean
  description: string
}

/** What is sent whatever the plan says: the only value that the schema allows. */
interface Constant { path: string[]; value: Json }

export interface CallShape {
  args: z.ZodObject
  /** What of the arguments is sent, under the names that the plan has for them. Throws as toCall does. */
  sent(args: Record<string, Json>): Record<string, Json>
  /** Throws ToolError 'invalid-args' for a time that is none. Never holds text of the server. */
  toCall(args: Record<string, Json>): Record<string, Json>
}

/** Prompts stay short, and a model of this size cannot use more. */
const maxFields = 12
const maxDepth = 3
const maxValues = 20
const maxDescription = 80

/** Throws ToolError 'invalid-args' with what the plan language cannot say of it, where an argument is required. */
export function callShape(schema: unknown): CallShape {
  const root = isObject(schema) ? schema : {}
  const fields: Field[] = []
  const constants: Constant[] = []
  walk(root, root, [], true, fields, constants)
  const names = new Set<string>()
  const kept = [...fields.filter(f => f.isRequired), ...fields.filter(f => !f.isRequired)].slice(0, Math.max(maxFields, fields.filter(f => f.isRequired).length))
  for (const field of kept) {
    if (names.has(field.name)) throw cannot(field.path, 'has the name of another one')
    names.add(field.name)
  }
  const args = z.object(Object.fromEntries(kept.map(field => [field.name, zodOf(field)])))
  const sent = (values: Record<string, Json>): Record<string, Json> => sentOf(values, kept)
  return {args, sent, toCall: values => nest(sent(values), kept, constants)}
}

const isObject = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value)
const cannot = (path: string[], why: string): ToolError => new ToolError('invalid-args', `its argument ${oneLine(path.join('.')).slice(0, 100)} ${why}`)

/** A name that can stand in a prompt and as a key of a plain object. */
const isName = (name: string): boolean => /^[\p{L}_$@][\p{L}\p{N}_$@.-]{0,63}$/u.test(name) && !(name in {})

function walk(schema: Schema, root: Schema, path: string[], isRequired: boolean, fields: Field[], constants: Constant[]): void {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : [])
  for (const name of required) if (typeof name === 'string' && !(name in properties)) throw cannot([...path, name], 'is required and not described')
  for (const [name, raw] of Object.entries(properties)) {
    const own = [...path, name]
    const needed = isRequired && required.has(name)
    const skip = (why: string): void => { if (needed) throw cannot(own, why) }
    if (!isName(name)) { skip('has a name that a plan cannot hold'); continue }
    const node = plain(raw, root)
    if (!node) { skip('is described by something that is not there'); continue }
    if ('const' in node) {
      if (needed) constants.push({path: own, value: node['const'] as Json}) // the schema came as JSON
      continue
    }
    if (node['type'] === 'object' || isObject(node['properties'])) {
      if (!isObject(node['properties'])) skip('is an object of any form')
      else if (own.length >= maxDepth) skip('is an object too deep inside others')
      else walk(node, root, own, needed, fields, constants)
      continue
    }
    const isList = node['type'] === 'array'
    const inner = isList ? plain(node['items'] ?? {}, root) : node
    const found = inner && itemOf(inner)
    // Only single times are resolved.
    const item = isList && (found === 'date' || found === 'date-time') ? 'text' : found
    if (!item) { skip('is a list of objects or lists'); continue }
    // "false" would have to mean both "no" and "not said".
    if (item === 'boolean' && !needed && node['default'] === true) continue
    const text = [node['description'], node['title']].find(t => typeof t === 'string' && t.trim() !== '')
    fields.push({name: own.join('_'), path: own, isRequired: needed, item, isList, description: typeof text === 'string' ? short(text) : ''})
  }
}

const short = (text: string): string => {
  const line = oneLine(text)
  return line.length <= maxDescription ? line : `${line.slice(0, maxDescription).replace(/\s+\S*$/, '')} ...`
}

/** References of the same document and choices with null resolved; undefined where one leads nowhere or round in a circle. */
function plain(node: unknown, root: Schema, depth = 0): Schema | undefined {
  if (!isObject(node)) return node === true ? {} : undefined
  if (depth > 8) return undefined
  const reference = node['$ref']
  if (typeof reference === 'string') {
    if (!reference.startsWith('#/')) return undefined
    let target: unknown = root
    for (const key of reference.slice(2).split('/')) target = isObject(target) ? target[key.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined
    const found = plain(target, root, depth + 1)
    return found && {...found, ...Object.fromEntries(Object.entries(node).filter(([key]) => key !== '$ref'))}
  }
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const list = node[key]
    if (!Array.isArray(list)) continue
    const branches = list.map(branch => plain(branch, root, depth + 1)).filter(branch => branch !== undefined && branch['type'] !== 'null')
    // The first that a plan can write: a text before a list of texts.
    const branch = branches.find(b => b && itemOf(b)) ?? branches[0]
    return branch && {...branch, ...Object.fromEntries(Object.entries(node).filter(([k]) => k !== key))}
  }
  const type = node['type']
  return Array.isArray(type) ? {...node, type: type.find(t => t !== 'null')} : node
}

function itemOf(node: Schema): Item | undefined {
  const values = node['enum']
  if (Array.isArray(values)) {
    const simple = values.filter(v => typeof v === 'string' || typeof v === 'number')
    if (simple.length === values.length && simple.length > 0 && simple.length <= maxValues) return {choice: simple}
  }
  switch (node['type']) {
    case 'integer': return 'integer'
    case 'number': return 'number'
    case 'boolean': return 'boolean'
    case 'array': case 'object': return undefined
    default: return node['format'] === 'date' || node['format'] === 'date-time' ? node['format'] : isObject(node['properties']) ? undefined : 'text'
  }
}

function zodOf({item, isList, isRequired, description}: Field): z.ZodType {
  const one = typeof item === 'object'
    ? arg.choice(...(isRequired || isList || item.choice.includes('') ? item.choice : ['', ...item.choice]))
    : item === 'text' ? arg.any() : item === 'date' || item === 'date-time' ? arg.when() : arg[item]()
  const schema = isList ? z.array(one) : isRequired ? one : unrequired(one)
  return description === '' ? schema : described(schema, description)
}

const isUnsaid = (value: Json | undefined): boolean => value === undefined || value === '' || value === 0 || value === false || (Array.isArray(value) && value.length === 0)

function sentOf(args: Record<string, Json>, fields: Field[]): Record<string, Json> {
  return Object.fromEntries(fields.flatMap(({name, item, isRequired}): [string, Json][] => {
    const value = args[name]
    if (value === undefined || (!isRequired && isUnsaid(value))) return []
    return [[name, item === 'date' || item === 'date-time' ? time(value, item, name) : value]]
  }))
}

function nest(sent: Record<string, Json>, fields: Field[], constants: Constant[]): Record<string, Json> {
  const call: Record<string, Json> = {}
  const put = (path: string[], value: Json): void => {
    let at = call
    for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as Record<string, Json> // only this function puts objects there
    at[path.at(-1)!] = value
  }
  for (const {path, value} of constants) put(path, value)
  for (const {name, path} of fields) if (sent[name] !== undefined) put(path, sent[name])
  return call
}

/** RFC 3339, in the machine's own zone; a day alone is its first moment. */
function time(value: Json, item: 'date' | 'date-time', name: string): string {
  const absolute = typeof value === 'string' ? parseAbsolute(value) : undefined
  if (!absolute) throw new ToolError('invalid-args', `${name}: "${oneLine(String(value)).slice(0, 60)}" is no time that I know. Say a day or a time, e.g. "tomorrow at 3pm".`)
  const {date, when} = absolute
  if (item === 'date') return when.text.slice(0, 10)
  const two = (n: number): string => String(n).padStart(2, '0')
  const offset = -date.getTimezoneOffset()
  const zone = offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
  return `${when.text.slice(0, 10)}T${when.hasTime ? when.text.slice(11) : '00:00:00'}${zone}`
}
