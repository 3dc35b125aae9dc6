import fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import {PlanError} from '../../src/core/errors.ts'
import {parseLine, parsePlan, PlanParser, printPlan, textArg} from '../../src/core/plan-parser.ts'
import type {Arg, Plan, Ref, Task} from '../../src/core/types.ts'

/** Texts that look like references, amounts and plan text, beside any other text. */
const words = fc.oneof(
  fc.string({unit: 'grapheme', maxLength: 12}),
  fc.string({unit: 'binary', maxLength: 6}),
  fc.array(fc.constantFrom('$', '{', '}', '1', '15', '.', ',', '"', '\\', '\n', '2. join()', ' ', ']', ')', '\u2028', 'ü', '👩‍🚒'), {maxLength: 8}).map(p => p.join('')),
)

/** A text argument as the parser makes it, with references to calls before `id`. */
const text = (id: number): fc.Arbitrary<Arg> => id < 2 ? words.map(w => textArg(w, id)) : fc.oneof(
  words.map(w => textArg(w, id)),
  fc.integer({min: 1, max: id - 1}).map((ref): Ref => ({ref})),
  fc.array(fc.oneof(words, fc.integer({min: 1, max: id - 1}).map(ref => `\${${ref}}`)), {maxLength: 5}).map(p => textArg(p.join(''), id)),
)

const arg = (id: number): fc.Arbitrary<Arg> => fc.oneof(
  {weight: 4, arbitrary: text(id)},
  fc.boolean(),
  fc.integer(),
  fc.double({noNaN: true, noDefaultInfinity: true}).map(n => n + 0),
  fc.array(text(id), {maxLength: 3}),
)

const refsOf = (a: Arg): number[] => Array.isArray(a) ? a.flatMap(refsOf)
  : typeof a !== 'object' ? [] : 'ref' in a ? [a.ref] : a.template.flatMap(p => typeof p === 'object' ? [p.ref] : [])

const task = (id: number): fc.Arbitrary<Task> => fc.tuple(fc.constantFrom('open_note', 'a', 'mcp.tool-2', 'joiner', '_x'), fc.array(arg(id), {maxLength: 5}))
  .map(([tool, args]) => ({id, tool, args, dependsOn: [...new Set(args.flatMap(refsOf))].sort((a, b) => a - b)}))

const plan: fc.Arbitrary<Plan> = fc.tuple(fc.nat(6), fc.tuple(...[1, 2, 3, 4, 5, 6].map(task))).map(([length, tasks]) => ({tasks: tasks.slice(0, length)}))

/** The text in pieces, cut at the given places. */
const cut = (whole: string, places: number[]): string[] => {
  const ends = [...new Set(places.map(p => p % (whole.length + 1)))].sort((a, b) => a - b)
  return [...ends, whole.length].map((end, i) => whole.slice(i === 0 ? 0 : ends[i - 1], end))
}

describe('any plan', () => {
  test('parse(print(plan)) is the plan', () => {
    fc.assert(fc.property(plan, p => { expect(parsePlan(printPlan(p))).toEqual(p) }), {numRuns: 300})
  })

  test('gives the same tasks however its text is cut into chunks', () => {
    fc.assert(fc.property(plan, fc.array(fc.nat(5000)), fc.boolean(), (p, places, lastNewline) => {
      const parser = new PlanParser()
      const tasks = cut(printPlan(p) + (lastNewline ? '\n' : ''), places).flatMap(chunk => parser.feed(chunk))
      expect([...tasks, ...parser.end()]).toEqual(p.tasks)
      expect(parser.joined).toBe(true)
    }))
  })

  test('a broken line costs no task before it, however the text is cut', () => {
    fc.assert(fc.property(plan, fc.array(fc.nat(5000)), (p, places) => {
      const whole = printPlan(p).replace(/\d+\. join\(\)$/, 'this is no call\n9. join()\n')
      const parser = new PlanParser()
      const tasks: Task[] = []
      expect(() => {
        for (const chunk of cut(whole, places)) tasks.push(...parser.feed(chunk))
        tasks.push(...parser.end())
      }).toThrow(PlanError)
      expect(tasks).toEqual(p.tasks)
    }))
  })
})

test('any text is a plan or a PlanError', () => {
  fc.assert(fc.property(words, line => {
    try { parsePlan(`1. a(${line})\n2. join()`) } catch (error) { expect(error).toBeInstanceOf(PlanError) }
  }), {numRuns: 500})
})

test('a task comes out as soon as its line is whole, before the next one begins', () => {
  const parser = new PlanParser()
  expect(parser.feed('1. open_note("a", "")')).toEqual([])
  expect(parser.feed('\n2')).toHaveLength(1)
})

describe('references and money', () => {
  test('"$15" in an early call stays money', () => {
    expect(textArg('pay $15 to $1', 2)).toEqual({template: ['pay $15 to ', {ref: 1}]})
    expect(textArg('$15', 15)).toBe('$15')
  })

  test('amounts with a fraction or thousands stay money, a sentence may end after a reference', () => {
    expect(textArg('it costs $2.50 or $2,000', 4)).toBe('it costs $2.50 or $2,000')
    expect(textArg('The link is $2.', 4)).toEqual({template: ['The link is ', {ref: 2}, '.']})
    expect(textArg('$0 and $', 4)).toBe('$0 and $')
  })

  test('a reference followed by a digit is printed so that it is read again', () => {
    const args = [textArg('${1}5 dollars', 2), textArg('${1}.5', 2)]
    expect(args).toEqual([{template: [{ref: 1}, '5 dollars']}, {template: [{ref: 1}, '.5']}])
    const p: Plan = {tasks: [{id: 1, tool: 'a', args: [], dependsOn: []}, {id: 2, tool: 'b', args, dependsOn: [1]}]}
    expect(parsePlan(printPlan(p))).toEqual(p)
  })

  test('calls that were dropped leave no gap, and references follow', () => {
    const {tasks} = parsePlan('1. a()\n2. b()\n3. c("$2", "$30")\n4. join()')
    expect(printPlan({tasks: tasks.slice(1)})).toBe('1. b()\n2. c("$1", "$30")\n3. join()')
  })
})

describe('what is no plan names its line', () => {
  test.each<{reason: string; whole: string; line: number}>([
    {reason: 'does not end with join()', whole: '1. a()', line: 2},
    {reason: 'numbered 2', whole: '2. a()\n3. join()', line: 1},
    {reason: 'a string does not end', whole: '1. a("x)\n2. join()', line: 1},
    {reason: 'a string is not JSON', whole: '1. a("\\x")\n2. join()', line: 1},
    {reason: 'expected "," or ")"', whole: '1. a()\n2. b(1 2)\n3. join()', line: 2},
    {reason: 'text after the call', whole: '1. a() b\n2. join()', line: 1},
    {reason: 'join takes no arguments', whole: '1. join("x")', line: 1},
    {reason: 'a number is too large', whole: '1. a(1e999)\n2. join()', line: 1},
    {reason: 'lists are nested too deep', whole: `1. a(${'['.repeat(20_000)})`, line: 1},
  ])('$reason', ({reason, whole, line}) => {
    const error = (() => { try { return parsePlan(whole) } catch (e) { return e } })()
    expect(error).toBeInstanceOf(PlanError)
    expect(error).toMatchObject({line, message: expect.stringContaining(reason) as string})
  })
})

test('spaces between the parts of a line and Windows line ends do not matter', () => {
  expect(parsePlan(' 1 . a ( "x" ,[ 1,-2.5 ] , true )\r\n2. join()\r\n').tasks).toEqual([{id: 1, tool: 'a', args: ['x', [1, -2.5], true], dependsOn: []}])
  expect(parseLine('3. join()', 3)).toBe('join')
})
