import {readFileSync} from 'node:fs'
import fc from 'fast-check'
import {getLlama, LlamaGrammar, LlamaLogLevel} from 'node-llama-cpp'
import {describe, expect, test} from 'vitest'
import {z} from 'zod'
import {lineGrammar, type LineState} from '../../src/core/grammar.ts'
import {arg, foreignSpec, foreignTool, paramsOf, unrequired} from '../../src/core/params.ts'
import {parseLine, parsePlan, printTask} from '../../src/core/plan-parser.ts'
import type {Arg, Task, ToolSpec} from '../../src/core/types.ts'
import {specs} from '../../src/tools/specs.ts'
import {write} from './gbnf.ts'

const llama = await getLlama({build: 'never', gpu: false, logLevel: LlamaLogLevel.disabled, progressLogs: false})

/** Whether llama.cpp itself lets the planner write `call` as the next line. */
function allows(call: string, text: string, before: string[] = [], tools: ToolSpec[] = specs): boolean {
  const tasks = before.map((line, i) => parseLine(`${i + 1}. ${line}`, i + 1) as Task) // none of them is join()
  const grammar = new LlamaGrammar(llama, {grammar: lineGrammar({id: tasks.length + 1, tools, tasks, text})})
  return (grammar as unknown as {_testText(text: string): boolean})._testText(` ${call}`) // what node-llama-cpp's own tests use
}

const lookUps = ['get_email_address("Ana")', 'get_phone_number("Ana")', 'open_and_get_file_path("q3.pdf")', 'get_zoom_meeting_link("Q3", "5pm", 60, [])']
const extra = foreignSpec(foreignTool.parse({name: 'lights.set', description: 'Set the lights.', parameters: [{name: 'room', type: 'string'}, {name: 'level', type: 'number'}, {name: 'tags', type: 'array'}]}))

describe('every text that the grammar allows', () => {
  const word = fc.oneof(fc.constantFrom('Ana', "Ana's", 'O’Brien', 'Zoë', '漢字', 'شكرا', '😀', '"Q3', 'plan"', '$20', '5pm', 'a@b.org', '+44 7700 900123', '~/q3.pdf', 'a\\b', 'dot', 'at', 'oh', 'seven'), fc.string({minLength: 1, maxLength: 8}))
  const request = fc.array(word, {maxLength: 8}).map(words => words.join(' '))
  const state = fc.record({
    text: request,
    tools: fc.subarray([...specs, extra], {minLength: 0}),
    tasks: fc.subarray(lookUps).map(lines => lines.map((line, i) => parseLine(`${i + 1}. ${line}`, i + 1) as Task)),
  }).map((s): LineState => ({...s, id: s.tasks.length + 1}))

  test('parses, and calls a selected tool with as many arguments as it has, each of its type', () => {
    fc.assert(fc.property(state, fc.nat(), (state, seed) => {
      const line = `${state.id}.${write(lineGrammar(state), seed)}`
      const parsed = parseLine(line, state.id)
      if (parsed === 'join') return
      const spec = state.tools.find(t => t.name === parsed.tool)
      expect(spec, line).toBeDefined()
      const params = paramsOf(spec!)
      expect(parsed.args, line).toHaveLength(params.length)
      params.forEach((p, i) => { expect(Array.isArray(parsed.args[i]), `${line}: ${p.name}`).toBe(p.list) })
      expect(parsed.dependsOn.every(id => state.tasks.some(t => t.id === id)), line).toBe(true)
    }), {numRuns: 200})
  })

  test('is allowed by llama.cpp as well', () => {
    fc.assert(fc.property(state, fc.nat(), (state, seed) => {
      const grammar = lineGrammar(state)
      const text = write(grammar, seed)
      const tester = new LlamaGrammar(llama, {grammar}) as unknown as {_testText(text: string): boolean}
      expect(tester._testText(text), text).toBe(true)
    }), {numRuns: 100})
  })

  test('refers only to results of the right kind', () => {
    const returns: Record<string, string> = Object.fromEntries(specs.map(s => [s.name, s.returns]))
    const tasks = lookUps.map((line, i) => parseLine(`${i + 1}. ${line}`, i + 1) as Task)
    const refsOf = (arg: Arg): number[] => Array.isArray(arg) ? arg.flatMap(refsOf) : typeof arg === 'object' && 'ref' in arg ? [arg.ref] : []
    fc.assert(fc.property(fc.nat(), seed => {
      const state = {id: 5, tools: specs, tasks, text: 'Send Ana q3.pdf'}
      const parsed = parseLine(`5.${write(lineGrammar(state), seed)}`, 5)
      if (parsed === 'join') return
      paramsOf(specs.find(s => s.name === parsed.tool)!).forEach((p, i) => {
        if (!['address', 'phone', 'path'].includes(p.kind)) return
        for (const ref of refsOf(parsed.args[i]!)) expect(returns[tasks[ref - 1]!.tool]).toBe(p.kind)
      })
    }), {numRuns: 300})
  })
})

describe('what cannot be written', () => {
  test('a tool that was not selected, or that nobody has', () => {
    const [phone] = specs
    expect(allows('get_phone_number("Ana")', 'Text Ana', [], [phone!])).toBe(true)
    expect(allows('get_email_address("Ana")', 'Text Ana', [], [phone!])).toBe(false)
    expect(allows('open_and_get_phone_number("Ana")', 'Text Ana')).toBe(false)
  })

  test('too few or too many arguments', () => {
    expect(allows('open_note("Ideas", "")', 'Open Ideas')).toBe(true)
    expect(allows('open_note("Ideas")', 'Open Ideas')).toBe(false)
    expect(allows('open_note("Ideas", "", "")', 'Open Ideas')).toBe(false)
  })

  test('a person, a file, a place or a folder that the request does not name', () => {
    const text = 'Mail Bo the plan from Work and show the Ritz'
    expect(allows('get_email_address("Bo")', text)).toBe(true)
    expect(allows('get_email_address("Bob")', text)).toBe(false)
    expect(allows('get_email_address("Ana")', text)).toBe(false)
    expect(allows('open_and_get_file_path("plan")', text)).toBe(true)
    expect(allows('open_and_get_file_path("plan.pdf")', text)).toBe(false)
    expect(allows('maps_open_location("the Ritz")', text)).toBe(true)
    expect(allows('maps_open_location("Savoy")', text)).toBe(false)
    expect(allows('open_note("plan", "Work")', text)).toBe(true)
    expect(allows('open_note("plan", "Home")', text)).toBe(false)
  })

  test('a file looked up as a person, or an address as a file', () => {
    const text = 'Mail mortgage_offer.pdf to Dr. Osei, J.R. and bo@x.org'
    expect(allows('get_email_address("mortgage_offer.pdf")', text)).toBe(false)
    expect(allows('get_email_address("Dr. Osei")', text)).toBe(true)
    expect(allows('get_email_address("J.R.")', text)).toBe(true)
    expect(allows('open_and_get_file_path("bo@x.org")', text)).toBe(false)
    expect(allows('open_and_get_file_path("mortgage_offer.pdf")', text)).toBe(true)
  })

  test('the look-up of an address, a number, or a name that begins with "the" or "by"', () => {
    expect(allows('get_email_address("bo@x.org")', 'Mail bo@x.org')).toBe(false)
    expect(allows('get_phone_number("555 0199")', 'Text 555 0199')).toBe(false)
    expect(allows('get_phone_number("plumber")', 'Text the plumber')).toBe(true)
    expect(allows('get_phone_number("the plumber")', 'Text the plumber')).toBe(false)
    expect(allows('get_email_address("By")', 'My students hear it by mail')).toBe(false)
    expect(allows('get_email_address("Head of Sales")', 'Mail the Head of Sales')).toBe(true)
  })

  test('an address or a number that was neither typed nor looked up', () => {
    expect(allows('send_sms(["555 0199"], "Hi")', 'Text 555 0199 hi')).toBe(true)
    expect(allows('send_sms(["555 0198"], "Hi")', 'Text 555 0199 hi')).toBe(false)
    expect(allows('send_sms([], "Hi")', 'Text 555 0199 hi')).toBe(false)
    expect(allows('compose_new_email(["bo@x.org"], [], "Hi", "Hi", [])', 'Mail bo@x.org hi')).toBe(true)
    expect(allows('compose_new_email(["bob@x.org"], [], "Hi", "Hi", [])', 'Mail bo@x.org hi')).toBe(false)
    expect(allows('compose_new_email(["Bo"], [], "Hi", "Hi", [])', 'Mail Bo hi')).toBe(false)
  })

  test('a reference of the wrong type, to a later line, or to nothing', () => {
    const text = 'Send Ana q3.pdf'
    const mail = (to: string, file: string): boolean => allows(`compose_new_email(["${to}"], [], "Q3", "Here it is.", ["${file}"])`, text, lookUps)
    expect(mail('$1', '$3')).toBe(true)
    expect(mail('$2', '$3')).toBe(false)
    expect(mail('$1', '$1')).toBe(false)
    expect(mail('$1', '$5')).toBe(false)
    expect(allows('send_sms(["$2"], "Here: $4")', text, lookUps)).toBe(true)
    expect(allows('send_sms(["$1"], "Here: $4")', text, lookUps)).toBe(false)
    expect(allows('send_sms(["$2"], "Here: $7")', text, lookUps)).toBe(false)
    expect(allows('summarize_pdf("$1")', text, lookUps)).toBe(false)
    expect(allows('summarize_pdf("$3")', text, lookUps)).toBe(true)
  })
})

describe('spans of the request', () => {
  const found = (name: string, text: string): boolean => allows(`get_phone_number(${JSON.stringify(name)})`, text)
  test.each([
    ['Ana', 'Text Ana.'],
    ['Ana', "Text Ana's sister"],
    ['Ana', 'Text “Ana” now'],
    ['Dr. Osei', 'text Dr. Osei, please'],
    ["Siobhán O'Brien-Wu", "Text Siobhán O'Brien-Wu the time"],
    ['O’Brien', 'text O’Brien'],
    ['漢字', 'Text 漢字 hello'],
    ['Мария Иванова', 'напиши Мария Иванова'],
    ['ليلى', 'راسل ليلى الآن'],
    ['Zoë 😀', 'Text Zoë 😀 hi'],
    ['Mom', 'text mom i am late'],
    ['Ana', 'text Ana/Bo'],
  ])('%s in: %s', (name, text) => { expect(found(name, text)).toBe(true) })

  test('money in free text is text, never a reference', () => {
    expect(allows('send_sms(["555 0199"], "You owe me $15.")', 'Text 555 0199 that he owes me $15')).toBe(true)
    expect(allows('send_sms(["555 0199"], "You owe me $16.")', 'Text 555 0199 that he owes me $15')).toBe(false)
  })

  test('paths with spaces, and quotation marks in free text', () => {
    expect(allows('summarize_pdf("/home/bo/My Files/q3.pdf")', 'Summarize /home/bo/My Files/q3.pdf')).toBe(true)
    expect(allows('summarize_pdf("/etc/passwd")', 'Summarize /home/bo/q3.pdf')).toBe(false)
    expect(allows('send_sms(["555 0199"], "He said \\"no\\".")', 'Text 555 0199')).toBe(true)
  })

  test('times in their plain form, and as dates', () => {
    const due = (when: string): boolean => allows(`create_reminder("Tea", "${when}", "", "", 0, false)`, 'Tea at four pm on friday')
    expect(['4pm', 'Friday 4pm', 'four pm on friday', '2026-03-06', ''].filter(w => !due(w))).toEqual([])
    expect(due('whenever')).toBe(false)
  })
})

describe('tools of others', () => {
  const orders = foreignSpec(foreignTool.parse({name: 'shop.order', description: '', parameters: [{name: 'what', type: 'string'}, {name: 'note', type: 'string'}]}))
  test.each([
    ['shop.order("two pizzas", "")', 'Order two pizzas'],
    ['shop.order("pizzas", "ring twice")', 'Order pizzas, and they should ring twice'],
    ['shop.order("Pizza", "I\'m hungry")', "pizza please, I'm hungry"],
    ['shop.order("A+", "--dry-run")', 'Order two bags of A+, with --dry-run.'],
    ['shop.order("pizza for $1", "#late: $1.")', 'Order pizza for the boys, note #late'],
  ])('%s is made of the words of "%s"', (call, request) => {
    expect(allows(call, request, ['open_note("boys", "")'], [...specs, orders])).toBe(true)
  })
  test('nothing is added to them, unless a general model plans', () => {
    expect(allows('shop.order("two large pizzas", "")', 'Order two pizzas', [], [orders])).toBe(false)
    const grammar = new LlamaGrammar(llama, {grammar: lineGrammar({id: 1, tools: [orders], tasks: [], text: 'Order two pizzas', mayRephrase: true})})
    expect((grammar as unknown as {_testText(text: string): boolean})._testText(' shop.order("two large pizzas", "")')).toBe(true)
  })
  test.each([[0, true], [2, true], [120, true], [5, false]])('an optional number may be what the request says, in another unit, or 0: %d', (n, allowed) => {
    const timer: ToolSpec = {...extra, name: 'timer', args: z.object({seconds: unrequired(arg.integer())})}
    expect(allows(`timer(${n})`, 'a timer of two minutes', [], [timer])).toBe(allowed)
  })
})

test('only join() is left without tools', () => {
  expect(allows('join()', 'What is the weather?', [], [])).toBe(true)
  expect(allows('get_phone_number("weather")', 'What is the weather?', [], [])).toBe(false)
})

test.each([
  ['open_and_get_file_path("dia_flyer.pdf")', 'open the flyer (dia_flyer.pdf)'],
  ['open_and_get_file_path("plan (final).pdf")', 'open plan (final).pdf'],
  ['get_email_address("Crew 4")', 'mail the crew (the list is called Crew 4)'],
  [`get_email_address("beekeepers' club")`, "the beekeepers' club has an address, no?"],
  ['get_phone_number("Séverine")', 'fwd→Séverine'],
  ['create_reminder("Call", "nine in the morning", "", "", 0, false)', 'Nine in the morning, remind me to call'],
])('%s can be written for "%s"', (call, request) => { expect(allows(call, request)).toBe(true) })

test('every gold plan of the validation rows can be written', () => {
  interface Row { query: string; plan: string; instructions?: string; tools?: unknown[] }
  const rows = readFileSync('training/data/validation.jsonl', 'utf8').trim().split('\n').map(line => JSON.parse(line) as Row) // our own file
  const refused = rows.flatMap(row => {
    const {tasks} = parsePlan(row.plan)
    const tools = [...specs, ...(row.tools ?? []).map(t => foreignSpec(foreignTool.parse(t)))].filter(t => tasks.some(task => task.tool === t.name))
    return tasks.flatMap((task, i) => {
      const grammar = lineGrammar({id: i + 1, tools, tasks: tasks.slice(0, i), text: `${row.query} ${row.instructions ?? ''}`})
      const tester = new LlamaGrammar(llama, {grammar}) as unknown as {_testText(text: string): boolean}
      return tester._testText(printTask(task).replace(/^\d+\./, '')) ? [] : [`${row.query} -> ${printTask(task)}`]
    })
  })
  expect(rows.length).toBeGreaterThan(100)
  // Texts for tools of others are made of the request's words, and a few labels are not ("O negative" -> "O-").
  const reworded = /^(?:get the blood stock for O negative|Draft for the boss)/
  expect(refused.filter(line => !reworded.test(line))).toEqual([])
})
