// The paper's planners: their prompt, and a recorded answer in their notation through the code that reads a real one's. No file of theirs is run here.
import {afterEach, expect, test} from 'vitest'
import {openEndpoint} from '../../src/core/model/endpoints.ts'
import {printPlan} from '../../src/core/plan-parser.ts'
import {planWith} from '../../src/core/planner.ts'
import {resolvePlan} from '../../src/core/resolve.ts'
import {buildTinyAgentChat, planLine, promptForm} from '../../src/core/tinyagent.ts'
import type {PlanInput, PlanSummary, Planner} from '../../src/core/types.ts'
import {specs} from '../../src/tools/specs.ts'
import {eventsOf, fakeChat, inPieces, type ChatAnswer, type FakeChat} from '../servers/chat-completions.ts'

let server: FakeChat | undefined
afterEach(() => server?.stop())

const now = new Date(2026, 2, 3, 9, 15)
const input = (request: string, more: Partial<PlanInput> = {}): PlanInput => ({request, now, tools: specs, signal: new AbortController().signal, ...more})
const byName = new Map(specs.map(s => [s.name, s]))

async function planned(planner: Planner, request: string): Promise<{text: string; summary: PlanSummary}> {
  const plan = planner.plan(input(request))
  let text = ''
  for (;;) {
    const {value, done} = await plan.next()
    if (done) return {text, summary: value}
    if ('delta' in value) text += value.delta
  }
}
const at = async (answer: ChatAnswer, model = 'tinyagent-1.1b-q8_0'): Promise<Planner> => {
  server = await fakeChat([answer])
  return openEndpoint({name: 'mine', url: server.url, model, auth: 'none', apiVersion: '', grammar: 'none', timeoutMs: 20_000, key: async () => ''})
}

const request = 'Create a Zoom meeting about the budget with Bo Peters on Friday at 3pm, put it in my calendar and remind me of it on Thursday'
const recorded = `1. get_email_address("Bo Peters")
2. get_zoom_meeting_link('Budget', '2026-03-06 15:00:00', 60, "$1")
3. create_calendar_event("Budget", "2026-03-06 15:00:00", "2026-03-06 16:00:00", "$2", ["$1"], "", None)
Thought: I have created the event, the reminder is left.
4. create_reminder("Bo's budget", "2026-03-05", None, "", 0, True)
5. join()<END_OF_PLAN>
###
Question: and so on`
const ours = `1. get_email_address("Bo Peters")
2. get_zoom_meeting_link("Budget", "2026-03-06 15:00:00", 60, ["$1"])
3. create_calendar_event("Budget", "2026-03-06 15:00:00", "2026-03-06 16:00:00", "$2", ["$1"], "", "")
4. create_reminder("Bo's budget", "2026-03-05", "", "", 0, true)
5. join()`

test.each([5, 11, 500])('a recorded answer is a plan of ours, however it is cut (%i)', async size => {
  const {text, summary} = await planned(await at(response => inPieces(response, eventsOf(recorded, {size}), [1000, 370])), request)
  expect(text.trimEnd()).toBe(ours)
  expect(printPlan(resolvePlan(summary.plan, specs, now))).toBe(ours)
  const [{body} = expect.fail('nothing came')] = server!.received
  expect(body.messages.map(m => m.role)).toEqual(['system', 'user'])
  expect(body.messages[1]!.content).toBe(`Question: ${request}`)
})

test('an address that nobody gave, and a call that is none, are refused as from any model', async () => {
  const planner = await at('1. compose_new_email(["bo@example.org"], [], "Hi", "Hi", [])\n2. join()<END_OF_PLAN>')
  await expect(planned(planner, 'Mail Bo hi')).rejects.toThrow('"bo@example.org" is neither in the request nor a result')
  await server?.stop()
  await expect(planned(await at('1. get_contact_info("Bo")\n2. join()<END_OF_PLAN>'), 'Mail Bo hi')).rejects.toThrow('there is no tool "get_contact_info"')
})

test('the prompt has their form: numbered signatures, the clock, examples with their end, and the question', () => {
  const [system, user] = buildTinyAgentChat(input('Text Bo hi', {instructions: 'Always cc Sid.'})).map(m => m.content)
  expect(system).toMatch(/^Given a user query, create a plan to solve it with the utmost parallelizability\. Each plan should comprise an action from the following 17 types:\n1\. get_phone_number\(name: str\) -> str\n - /)
  expect(system).toContain('create_calendar_event(title: str, start_date: str, end_date: str, location: str, invitees: list[str], notes: str, calendar: str) -> str\n')
  expect(system).toContain('create_reminder(name: str, due_date: str, notes: str, list_name: str, priority: int, all_day: bool) -> str\n')
  expect(system).toContain('17. join():\n')
  expect(system).toContain(" - Today's date is Tuesday 2026-03-03 09:15\n")
  expect(system).toContain(' - Always cc Sid.\n')
  expect(system).toMatch(/\nQuestion: .*\n1\. get_phone_number\(.*\n2\. .*\n3\. join\(\)<END_OF_PLAN>\n###\n/)
  expect(user).toBe('Question: Text Bo hi')
  const again = buildTinyAgentChat(input('Text Bo hi', {tools: specs.slice(0, 2), previous: {plan: '1. join()', error: 'no\nplan'}})).map(m => m.content)
  expect(again[0]).not.toContain('send_sms')
  expect(again[1]).toBe('Question: Text Bo hi\nPrevious Plan:\n\n1. join()\nObservation: no plan You MUST correct this error and try again!\n\nCurrent Plan:\n\n')
})

test.each([
  [`1. send_sms("$2", 'It\\'s "late"\\n')`, '1. send_sms(["$2"], "It\'s \\"late\\"\\n")'],
  ['2. send_sms([$1], "Hi")  # the text', '2. send_sms(["$1"], "Hi")'],
  ['3. open_note("Trip", None)', '3. open_note("Trip", "")'],
  ['4. compose_new_email(["$1"], None, "Hi", "", "")', '4. compose_new_email(["$1"], [], "Hi", "", [])'],
  ['5. join()<END_OF_PLAN>', '5. join()'],
  ['Thought: I have sent it.', ''],
  ['6. open_note("Trip, None)', '6. open_note("Trip, None)'],
  ['7. open_note(name="Trip")', '7. open_note(name="Trip")'],
])('%s', (line, plan) => {
  expect(planLine(line, byName)).toBe(plan)
})

test('a file of theirs in this process gets their prompt, and may write dates with seconds', async () => {
  const prompts: unknown[] = []
  const lines = [' create_reminder("Budget", "2026-03-05 10:00:00", "", "", 0, false)', ' join']
  const grammars: string[] = []
  const planner = planWith({
    isGeneral: true, written: 1, begin: async prompt => { prompts.push(prompt); return 1 }, close: async () => undefined,
    async *line(asked) { grammars.push(asked.grammar); yield lines.shift()! },
  }, 'TinyAgent-7B', {prompt: 'tinyagent'})
  const {summary} = await planned(planner, 'Remind me of the budget on Thursday at 10')
  expect(prompts).toEqual([buildTinyAgentChat(input('Remind me of the budget on Thursday at 10'))])
  expect(printPlan(resolvePlan(summary.plan, specs, now))).toContain('"2026-03-05 10:00:00", "", "", 0, false)')
  expect(grammars[0]).toContain('([:.h] [0-9] [0-9] (":" [0-9] [0-9])?)?')
})

test('they are known by their names, or by the config\'s word', () => {
  expect(promptForm('auto', [undefined, 'TinyAgent-1.1B-Q8_0'])).toBe('tinyagent')
  expect(promptForm('auto', ['squeeze-ai-lab/TinyAgent-7B-GGUF'])).toBe('tinyagent')
  expect(promptForm('auto', ['Tinyagent 1.1B', 'model'])).toBe('tinyagent')
  for (const name of ['tinyagent-135m-q4_0', 'TinyLlama-1.1B', 'TinyAgent-ToolRAG', 'qwen3:8b']) expect(promptForm('auto', [name])).toBe('general')
  expect(promptForm('tinyagent', ['model'])).toBe('tinyagent')
  expect(promptForm('general', ['TinyAgent-7B'])).toBe('general')
})
