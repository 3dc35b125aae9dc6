import {describe, expect, test} from 'vitest'
import {z} from 'zod'
import {arg, foreignSpec, foreignTool, unrequired} from '../../src/core/params.ts'
import {parseLine, parsePlan, printPlan} from '../../src/core/plan-parser.ts'
import {isSameCall, repairPlan, repairTask} from '../../src/core/repair.ts'
import {resolveTask} from '../../src/core/resolve.ts'
import type {Task, ToolSpec} from '../../src/core/types.ts'
import {specs} from '../../src/tools/specs.ts'

const call = (line: string, id = 4): Task => parseLine(`${id}. ${line}`, id) as Task // none of them is join()
const one = (line: string): {call: string; repairs: string[]} => {
  const task = call(line)
  const {task: repaired, repairs} = repairTask(task, specs.find(s => s.name === task.tool)!)
  return {call: printPlan({tasks: [{...repaired, id: 4}]}).replace(/^1\. |\n.*$/g, ''), repairs}
}
const whole = (request: string, ...lines: string[]): {plan: string[]; repairs: string[]; dropped: number[]} => {
  const text = [...lines, 'join()'].map((line, i) => `${i + 1}. ${line}`).join('\n')
  const {plan, repairs, dropped} = repairPlan(parsePlan(text), request)
  return {plan: printPlan(plan).split('\n').slice(0, -1), repairs, dropped}
}

describe('one call', () => {
  test('repeated-item: nobody stands twice in a list', () => {
    expect(repairTask(call('send_sms(["$1", "$1", "$2"], "Hi")'), specs.find(s => s.name === 'send_sms')!)).toMatchObject({
      task: {args: [[{ref: 1}, {ref: 2}], 'Hi'], dependsOn: [1, 2]}, repairs: ['repeated-item'],
    })
    expect(one('send_sms(["A@x.org", "a@x.org"], "Hi")').repairs).toEqual(['repeated-item'])
  })

  test('a list of a tool that is not ours may hold a thing twice', () => {
    const order = foreignSpec(foreignTool.parse({name: 'order_pizza', description: 'Order pizza.', parameters: [{name: 'dishes', type: 'array'}]}))
    expect(repairTask(call('order_pizza(["margherita", "margherita"])'), order)).toMatchObject({task: {args: [['margherita', 'margherita']]}, repairs: []})
  })

  test.each([
    [['Manchester United', 'Manchester', ''], ['Manchester United', '', '']],
    [['Fortnite', 'Fortnite', 'Fortnite'], ['Fortnite', '', '']],
    [['Paris', 'Trip to Paris', 'trip to paris!'], ['Paris', 'Trip to Paris', '']],
    [['Ana', 'Anatolia', 'news'], ['Ana', 'Anatolia', 'news']],
    [['', '', ''], ['', '', '']],
  ])('said-twice: of %j, where only the first is required, %j is left', (written, left) => {
    const spec: ToolSpec = {...foreignSpec(foreignTool.parse({name: 'find'})), args: z.object({what: arg.any(), place: unrequired(arg.any()), kind: unrequired(arg.any())})}
    const {task, repairs} = repairTask(call(`find(${written.map(w => JSON.stringify(w)).join(', ')})`), spec)
    expect(task.args).toEqual(left)
    expect(repairs).toEqual(left.join() === written.join() ? [] : ['said-twice'])
  })

  test('copy-to-recipient: who gets the mail gets no copy of it', () => {
    const {task, repairs} = repairTask(call('compose_new_email(["$1"], ["$1", "$2"], "Hi", "Hi", [])'), specs.find(s => s.name === 'compose_new_email')!)
    expect(task.args[1]).toEqual([{ref: 2}])
    expect(repairs).toEqual(['copy-to-recipient'])
  })

  test.each([
    ['an hour before', 'an hour before friday 4pm'],
    ['the day before that', 'the day before friday 4pm'],
    ['30 minutes earlier', '30 minutes before friday 4pm'],
    ['an hour after', 'an hour after friday 4pm'],
    ['the day before Monday', 'the day before Monday'],
    ['two hours later', 'two hours later'],
    ['', ''],
  ])('time-of-another: "%s" after an event on "friday 4pm" is "%s"', (words, due) => {
    const all = new Map(specs.map(s => [s.name, s]))
    const earlier = [call('create_calendar_event("Dentist", "friday 4pm", "", "", [], "", "")', 1), call('open_note("Teeth", "")', 2)]
    const {task, repairs} = repairTask(call(`create_reminder("Dentist", "${words}", "", "", 0, false)`), all.get('create_reminder')!, earlier, all)
    expect(task.args[1]).toBe(due)
    expect(repairs).toEqual(due === words ? [] : ['time-of-another'])
    if (due !== '' && due !== words) expect(resolveTask(task, all.get('create_reminder')!, new Date('2026-03-03T09:15:00')).args[1]).toMatch(/^2026-03-0[56]/)
  })

  test('time-of-another: with no time before it the words stay', () => {
    expect(one('create_reminder("Dentist", "an hour before", "", "", 0, false)').repairs).toEqual([])
  })

  test.each([
    ['Pack on Friday at 6pm', 'on Friday at 6pm', 'Pack'],
    ['Pack, on friday at 6pm', 'Friday at 6pm', 'Pack'],
    ['Friday at 6pm', 'Friday at 6pm', 'Friday at 6pm'],
    ['Meat-free Friday', 'Friday', 'Meat-free Friday'],
    ['Pack for tomorrow 6pm', 'Friday 6pm', 'Pack for tomorrow 6pm'],
  ])('time-in-title: the title "%s" at "%s" is "%s"', (name, due, title) => {
    const {task, repairs} = repairTask(call(`create_reminder("${name}", "${due}", "", "", 0, false)`), specs.find(s => s.name === 'create_reminder')!)
    expect(task.args.slice(0, 2)).toEqual([title, due])
    expect(repairs).toEqual(title === name ? [] : ['time-in-title'])
  })

  test('a right call is left as it is', () => {
    expect(one('compose_new_email(["a@x.org"], ["b@x.org"], "Hi", "Hi", [])').repairs).toEqual([])
  })
})

test('two calls are the same whatever their numbers and capitals', () => {
  expect(isSameCall(call('open_note("Ideas", "")', 1), call('open_note("ideas", "")', 2))).toBe(true)
  expect(isSameCall(call('open_note("Ideas", "")'), call('open_note("Ideas", "Work")'))).toBe(false)
})

describe('the whole plan', () => {
  test('same-look-up-twice: made once, and the later references follow', () => {
    expect(whole('Text Ana hi, then text Ana bye', 'get_phone_number("Ana")', 'send_sms(["$1"], "Hi")', 'get_phone_number("ana")', 'send_sms(["$3"], "Bye")')).toEqual({
      plan: ['1. get_phone_number("Ana")', '2. send_sms(["$1"], "Hi")', '3. send_sms(["$1"], "Bye")'], repairs: ['same-look-up-twice'], dropped: [3],
    })
  })

  test('unused-look-up: dropped, unless the request asks for it', () => {
    const lines = ['get_email_address("Ana")', 'create_reminder("Call Ana", "4pm", "", "", 0, false)']
    expect(whole('Remind me at 4pm to call Ana', ...lines)).toEqual({plan: ['1. create_reminder("Call Ana", "4pm", "", "", 0, false)'], repairs: ['unused-look-up'], dropped: [1]})
    expect(whole('Remind me at 4pm to call Ana, and the telephone of Bo', 'get_phone_number("Bo")', lines[1]!).dropped).toEqual([])
    expect(whole("What is Ana's address? And remind me at 4pm to call Ana", ...lines).dropped).toEqual([])
    expect(whole('remind me at 4pm to call Ana, and the mail adress of Ana please', ...lines).dropped).toEqual([])
  })

  test('a look-up that is all there is stays', () => {
    expect(whole('How do I reach Ana', 'get_phone_number("Ana")')).toMatchObject({repairs: [], dropped: []})
    expect(whole('Ana', 'get_phone_number("Ana")')).toMatchObject({repairs: [], dropped: []})
    const three = ['get_email_address("Ana")', 'get_phone_number("Ana")', 'open_and_get_file_path("bill.pdf")']
    expect(whole('I could do with the email and the phone of Ana, and bill.pdf', ...three).dropped).toEqual([])
    expect(whole("Ana's and Bo's numbers and both their emails", 'get_phone_number("Ana")', 'get_email_address("Bo")')).toMatchObject({repairs: [], dropped: []})
  })

  test('where a mail is written, "email" is the mail and not the address', () => {
    expect(whole("Reply to Ana's email: thanks", 'get_email_address("Ana")', 'reply_to_email([], "Thanks.", [])').dropped).toEqual([1])
  })

  test('place-and-directions: no map of the place beside the way to it', () => {
    const lines = ['maps_open_location("Ritz")', 'maps_show_directions("", "Ritz", "d")']
    expect(whole('How do I get to the Ritz', ...lines)).toMatchObject({plan: ['1. maps_show_directions("", "Ritz", "d")'], repairs: ['place-and-directions'], dropped: [1]})
    expect(whole('Show the Ritz on the map, and the way to it', ...lines).dropped).toEqual([])
    expect(whole('Show me where the Ritz is, then the drive there', ...lines).dropped).toEqual([])
    expect(whole('How do I get to the Ritz from the Savoy', 'maps_open_location("Bo")', 'maps_show_directions("Savoy", "Ritz", "d")').dropped).toEqual([])
  })

  test('ids stay, and a right plan is left as it is', () => {
    const lines = ['get_phone_number("Ana")', 'maps_open_location("Ritz")', 'send_sms(["$1"], "Here: $2")']
    expect(whole('Send Ana the Ritz', ...lines)).toEqual({plan: lines.map((l, i) => `${i + 1}. ${l}`), repairs: [], dropped: []})
  })
})
