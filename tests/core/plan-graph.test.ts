import fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import {foreignSpec} from '../../src/core/params.ts'
import {sameArgs, samePlan} from '../../src/core/plan-graph.ts'
import {parsePlan} from '../../src/core/plan-parser.ts'
import type {Plan} from '../../src/core/types.ts'
import {specs} from '../../src/tools/specs.ts'

const plan = (...lines: string[]): Plan => parsePlan([...lines.map((l, i) => `${i + 1}. ${l}`), `${lines.length + 1}. join()`].join('\n'))
const mail = (...recipients: string[]): string => `compose_new_email(${JSON.stringify(recipients)}, [], "Q3 budget", "Please look over the numbers before Thursday.", [])`

describe('samePlan', () => {
  test('the order of independent calls does not matter', () => {
    const a = plan('get_email_address("Priya")', 'open_and_get_file_path("Q3.xlsx")', 'compose_new_email(["$1"], [], "Q3", "", ["$2"])')
    const b = plan('open_and_get_file_path("Q3.xlsx")', 'get_email_address("Priya")', 'compose_new_email(["$2"], [], "Q3", "", ["$1"])')
    expect(samePlan(a, b)).toBe(true)
    expect(sameArgs(a, b, specs)).toBe(true)
  })

  test('a call too many, one too few, or another tool is another plan', () => {
    const one = plan('get_email_address("Priya")', mail('$1'))
    expect(samePlan(one, plan(mail('p@example.org')))).toBe(false)
    expect(samePlan(one, plan('get_email_address("Priya")', 'get_email_address("Ana")', mail('$1', '$2')))).toBe(false)
    expect(samePlan(one, plan('get_phone_number("Priya")', mail('$1')))).toBe(false)
  })

  test('a missing or wrongly placed dependency is another plan', () => {
    const look = ['get_email_address("Ana")', 'get_email_address("Bo")']
    expect(samePlan(plan(...look, mail('$1'), mail('$2')), plan(...look, mail('$1', '$2'), mail()))).toBe(false)
    expect(samePlan(plan(...look, mail('$1'), mail('$2')), plan(...look, mail('$1'), mail('$1')))).toBe(false)
  })

  test('join() alone equals only join() alone', () => {
    expect(samePlan(plan(), plan())).toBe(true)
    expect(samePlan(plan(), plan('open_note("Shopping", "")'))).toBe(false)
  })

  test('any plan is the same as itself in another order of lines, and not the same with an edge more', () => {
    const graph = fc.integer({min: 1, max: 8}).chain(n => fc.record({
      tools: fc.array(fc.constantFrom('a', 'b'), {minLength: n, maxLength: n}),
      edges: fc.array(fc.tuple(fc.nat(n - 1), fc.nat(n - 1)), {maxLength: 10}),
      keys: fc.array(fc.nat(1000), {minLength: n, maxLength: n}),
    }))
    fc.assert(fc.property(graph, ({tools, edges, keys}) => {
      const before = (i: number): number[] => [...new Set(edges.filter(([x, y]) => y === i && x < y).map(([x]) => x))]
      // An order of the lines in which what a call needs still comes first.
      const order: number[] = []
      while (order.length < tools.length) {
        const ready = tools.map((_, i) => i).filter(i => !order.includes(i) && before(i).every(d => order.includes(d)))
        order.push(ready.sort((x, y) => keys[x]! - keys[y]!)[0]!)
      }
      const text = (lines: number[], extra?: [number, number]): Plan => plan(...lines.map(i =>
        `${tools[i]}([${[...before(i), ...(extra?.[1] === i ? [extra[0]] : [])].map(d => `"$${lines.indexOf(d) + 1}"`).join(', ')}])`))
      const inOrder = tools.map((_, i) => i)
      expect(samePlan(text(inOrder), text(order))).toBe(true)
      const free = inOrder.flatMap(y => inOrder.filter(x => x < y && !before(y).includes(x)).map((x): [number, number] => [x, y]))[0]
      if (free) expect(samePlan(text(inOrder, free), text(order))).toBe(false)
    }))
  })
})

describe('sameArgs', () => {
  const agree = (a: string, b: string): boolean => sameArgs(plan(a), plan(b), specs)

  test('names agree in any case, spacing and punctuation, and not otherwise', () => {
    expect(agree('get_phone_number("Dr. Osei")', 'get_phone_number("dr osei")')).toBe(true)
    expect(agree('get_phone_number("Dr. Osei")', 'get_phone_number("Osei")')).toBe(false)
    expect(agree('send_sms(["+1 (415) 555-0100"], "Hello world")', 'send_sms(["+14155550100"], "Hello world")')).toBe(true)
  })

  test('lists agree as sets', () => {
    expect(agree('send_sms(["+1", "+2"], "Hello world")', 'send_sms(["+2", "+1"], "Hello world")')).toBe(true)
    expect(agree('send_sms(["+1", "+2"], "Hello world")', 'send_sms(["+1"], "Hello world")')).toBe(false)
    expect(agree('send_sms([], "Hello world")', 'send_sms(["+1"], "Hello world")')).toBe(false)
  })

  test('free text agrees when half of its words do', () => {
    expect(agree('send_sms(["+1"], "I\'ll be ten minutes late")', 'send_sms(["+1"], "Running ten minutes late.")')).toBe(true)
    expect(agree('send_sms(["+1"], "I\'ll be ten minutes late")', 'send_sms(["+1"], "Dinner is ready")')).toBe(false)
    expect(agree('send_sms(["+1"], "Dinner is ready")', 'send_sms(["+1"], "")')).toBe(false)
  })

  test('dates, numbers and booleans agree only when they are equal', () => {
    const reminder = (due: string, priority: number): string => `create_reminder("Dentist", "${due}", "", "", ${priority}, false)`
    expect(agree(reminder('2026-03-04 15:00:00', 0), reminder('2026-03-04 15:00:00', 0))).toBe(true)
    expect(agree(reminder('2026-03-04 15:00:00', 0), reminder('2026-03-04 03:00:00', 0))).toBe(false)
    expect(agree(reminder('2026-03-04 15:00:00', 0), reminder('2026-03-04 15:00:00', 1))).toBe(false)
  })

  test('references have to point to paired calls: who gets which text matters', () => {
    const lookUps = ['get_phone_number("Ana")', 'get_phone_number("Bo")']
    const a = plan(...lookUps, 'send_sms(["$1"], "Bring the tent")', 'send_sms(["$2"], "Buy milk")')
    const b = plan(...lookUps, 'send_sms(["$2"], "Bring the tent")', 'send_sms(["$1"], "Buy milk")')
    expect(samePlan(a, b)).toBe(true)
    expect(sameArgs(a, b, specs)).toBe(false)
    expect(sameArgs(a, plan(...lookUps, 'send_sms(["$2"], "Buy milk")', 'send_sms(["$1"], "Bring the tent")'), specs)).toBe(true)
  })

  test('words beside a reference may be left out', () => {
    const withWords = plan('maps_open_location("Cafe Uno")', 'send_sms(["+1"], "Meet me here: $1")')
    expect(sameArgs(withWords, plan('maps_open_location("Cafe Uno")', 'send_sms(["+1"], "$1")'), specs)).toBe(true)
    expect(sameArgs(withWords, plan('maps_open_location("Cafe Uno")', 'send_sms(["+1"], "Buy milk $1")'), specs)).toBe(false)
  })

  test('a swapped cc is the same plan with wrong arguments', () => {
    const look = ['get_email_address("Ana")', 'get_email_address("Bo")']
    const a = plan(...look, 'compose_new_email(["$1"], ["$2"], "Budget", "", [])')
    const b = plan(...look, 'compose_new_email(["$2"], ["$1"], "Budget", "", [])')
    expect(samePlan(a, b)).toBe(true)
    expect(sameArgs(a, b, specs)).toBe(false)
  })

  test('short arguments of tools that are not ours agree as names, long ones as free text', () => {
    const translate = foreignSpec({name: 'translate', description: '', parameters: [{name: 'text', type: 'string', description: ''}, {name: 'to', type: 'string', description: ''}]})
    const same = (a: string, b: string): boolean => sameArgs(plan(a), plan(b), [translate])
    expect(same('translate("good morning dear old friends", "English")', 'translate("Good morning old friends", "english")')).toBe(true)
    expect(same('translate("good morning dear old friends", "English")', 'translate("good morning dear old friends", "French")')).toBe(false)
  })
})
