// JSON Schemas of MCP tools as arguments of a plan, and back.
import fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import {lineGrammar} from '../../src/core/grammar.ts'
import {paramsOf} from '../../src/core/params.ts'
import {resolveTask} from '../../src/core/resolve.ts'
import type {ToolSpec} from '../../src/core/types.ts'
import {callShape} from '../../src/tools/mcp/schema.ts'

const object = (properties: Record<string, unknown>, ...required: string[]): unknown => ({type: 'object', properties, required})
const specOf = (schema: unknown): ToolSpec => ({name: 'x.y', description: '', args: callShape(schema).args, effect: 'outward', returns: 'any', foreign: true})
const kinds = (schema: unknown): unknown[] => paramsOf(specOf(schema)).map(({name, kind, list, values}) => [name, list ? `${kind}[]` : kind, ...(values ? [values] : [])])

test('types become kinds, in the order of the schema, those that are required first where there are many', () => {
  expect(kinds(object({
    text: {type: 'string'}, count: {type: 'integer'}, ratio: {type: 'number'}, on: {type: 'boolean'}, tags: {type: 'array', items: {type: 'string'}},
    unit: {enum: ['C', 'F']}, day: {type: 'string', format: 'date'}, any: {},
  }, 'text', 'unit'))).toEqual([
    ['text', 'any'], ['unit', 'choice', ['C', 'F']], ['count', 'integer'], ['ratio', 'number'], ['on', 'boolean'], ['tags', 'any[]'], ['day', 'when'], ['any', 'any'],
  ])
})

test('objects are taken apart and put together again', () => {
  const shape = callShape(object({place: object({city: {type: 'string'}, at: object({floor: {type: 'integer'}}, 'floor')}, 'city', 'at'), kind: {const: 'home'}}, 'place', 'kind'))
  expect(Object.keys(shape.args.shape)).toEqual(['place_city', 'place_at_floor'])
  expect(shape.toCall({place_city: 'Oslo', place_at_floor: 3})).toEqual({place: {city: 'Oslo', at: {floor: 3}}, kind: 'home'})
})

test('what may be left out and was not said is left out; what is required is sent', () => {
  const shape = callShape(object({a: {type: 'string'}, b: {type: 'string'}, n: {type: 'integer'}, m: {type: 'integer'}, l: {type: 'array', items: {type: 'string'}}, u: {enum: ['x', 'y']}, f: {type: 'boolean'}}, 'a', 'n'))
  expect(shape.toCall({a: '', b: '', n: 0, m: 0, l: [], u: '', f: false})).toEqual({a: '', n: 0})
  expect(shape.toCall({a: 'q', b: 'r', n: 1, m: 2, l: ['s'], u: 'y', f: true})).toEqual({a: 'q', b: 'r', n: 1, m: 2, l: ['s'], u: 'y', f: true})
  expect(shape.sent({a: '', b: '', n: 0, m: 5, l: [], u: '', f: false})).toEqual({a: '', n: 0, m: 5})
})

test('a yes or no whose default is yes is left to the server, since "not said" would be no', () => {
  expect(kinds(object({a: {type: 'boolean', default: true}, b: {type: 'boolean', default: false}}))).toEqual([['b', 'boolean']])
})

test('nullable types, references and choices of types are read', () => {
  expect(kinds({
    ...object({a: {anyOf: [{type: 'string'}, {type: 'null'}]}, b: {type: ['integer', 'null']}, c: {$ref: '#/$defs/Unit'}, d: {oneOf: [{type: 'array', items: {type: 'string'}}, {type: 'string'}]}}, 'c') as object,
    $defs: {Unit: {type: 'string', enum: ['C', 'F']}},
  })).toEqual([['c', 'choice', ['C', 'F']], ['a', 'any'], ['b', 'integer'], ['d', 'any']])
})

describe('what a plan cannot write', () => {
  test.each([
    ['a list of objects', object({rows: {type: 'array', items: object({a: {type: 'string'}})}}, 'rows'), 'rows is a list of objects or lists'],
    ['an object of any form', object({data: {type: 'object'}}, 'data'), 'data is an object of any form'],
    ['a circle', {...object({a: {$ref: '#/$defs/A'}}, 'a') as object, $defs: {A: {$ref: '#/$defs/A'}}}, 'a is described by something that is not there'],
    ['a name that is no name', object({'a\nb': {type: 'string'}}, 'a\nb'), 'has a name that a plan cannot hold'],
    ['a key of every object', object({toString: {type: 'string'}}, 'toString'), 'toString has a name that a plan cannot hold'],
    ['a required argument that is not there', object({}, 'ghost'), 'ghost is required and not described'],
  ])('%s is named where it is required', (_, schema, reason) => { expect(() => callShape(schema)).toThrow(reason) })

  test('and is left out where it is not', () => {
    expect(kinds(object({rows: {type: 'array', items: {type: 'object'}}, data: {type: 'object'}, 'a b': {type: 'string'}, ok: {type: 'string'}}))).toEqual([['ok', 'any']])
  })
})

test('a date in the user\'s words is resolved by the program and sent as RFC 3339', () => {
  const schema = object({from: {type: 'string', format: 'date-time'}, until: {type: 'string', format: 'date'}}, 'from', 'until')
  const shape = callShape(schema)
  const {args: [from, until]} = resolveTask({id: 1, tool: 'x.y', args: ['tomorrow at 3pm', 'next Friday'], dependsOn: []}, specOf(schema), new Date('2026-03-03T09:15:00'))
  expect(shape.toCall({from: from as string, until: until as string})).toEqual({from: expect.stringMatching(/^2026-03-04T15:00:00(?:Z|[+-]\d\d:\d\d)$/) as string, until: '2026-03-13'})
  expect(() => shape.toCall({from: 'when it suits', until: '2026-03-13'})).toThrow('"when it suits" is no time that I know')
})

test('any JSON at all as a schema is a shape with a grammar, or a reason', () => {
  fc.assert(fc.property(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue()), (schema, properties) => {
    for (const given of [schema, {type: 'object', properties, required: Object.keys(properties)}, {type: 'object', properties}]) {
      try {
        const spec = specOf(given)
        expect(lineGrammar({id: 1, tools: [spec], text: 'do it', tasks: []})).toContain('root ::=')
      } catch (error) {
        expect(error).toMatchObject({code: 'invalid-args'})
      }
    }
  }))
})

test('a schema of a hundred arguments gives a prompt that stays short', () => {
  const many = Object.fromEntries(Array.from({length: 100}, (_, i) => [`a${i}`, {type: 'string', description: 'word '.repeat(100)}]))
  const params = paramsOf(specOf(object(many, 'a99')))
  expect(params).toHaveLength(12)
  expect(params[0]!.name).toBe('a99')
  for (const p of params) expect(p.description!.length).toBeLessThan(90)
})
