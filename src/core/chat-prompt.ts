// Tools + rules + examples + request -> messages for a general instruct model, which knows nothing of our plans (prompt.ts is for our own
// planner, which learned them). What changes least comes first, so that a server can keep what it has read.
import type {ChatMessage} from './model/openai.ts'
import {paramsOf} from './params.ts'
import type {Kind, Param, PlanInput, ResultKind, ToolSpec} from './types.ts'

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()

/** What may stand in an argument of each kind; those that say it by their type alone have none. */
const kindWords: Partial<Record<Kind, string>> = {
  person: 'the name of a person or group as the user says it, without "the", "my", "our"',
  address: 'an e-mail address that the user spelled out, or "$k" of get_email_address; never one that you make up',
  phone: 'a phone number that the user spelled out, or "$k" of get_phone_number; never one that you make up',
  file: 'a file as the user names it',
  path: '"$k" of open_and_get_file_path, or an absolute path that the user typed',
  place: 'a place as the user names it, or ""',
  when: 'a date or time in the user\'s own words, made to stand alone ("next Tuesday 3pm", "in 20 minutes"), or as "YYYY-MM-DD HH:MM:SS", or "YYYY-MM-DD" without a time; "" where none is said',
  until: 'the end: a time, a duration in words ("45 minutes"), or "" where none is said',
  minutes: 'a whole number of minutes, 0 where none is said',
  label: 'the name of a folder, list, calendar or note as the user says it, or ""',
  title: 'a few words, without "$k"',
  text: 'free text, may hold "$k"',
  'all-day': 'true where there is a day and no time',
}

/** Names of kinds as the model sees them; the rest are their own. */
const shown: Partial<Record<Kind, string>> = {'all-day': 'allDay', any: 'string', boolean: 'true|false'}
const kindName = (kind: Kind): string => shown[kind] ?? kind

const results: Partial<Record<ResultKind, string>> = {address: 'an e-mail address', phone: 'a phone number', path: 'a path', text: 'a text', link: 'a link'}

const typeOf = ({kind, list, values}: Param): string =>
  (kind === 'choice' ? (values ?? []).map(v => JSON.stringify(v)).join('|') : kindName(kind)) + (list ? '[]' : '')

function describe(spec: ToolSpec): string {
  const params = paramsOf(spec)
  const result = results[spec.returns]
  const notes = params.flatMap(p => p.description ? [`    ${p.name}: ${oneLine(p.description)}`] : [])
  return [`- ${spec.name}(${params.map(p => `${p.name}: ${typeOf(p)}`).join(', ')}): ${oneLine(spec.description)}${result ? ` Gives ${result}.` : ''}`, ...notes].join('\n')
}

/** LABELLING.md in short; each with the tools that it is about. */
const rules: {about: string[]; text: string}[] = [
  {about: ['get_email_address', 'get_phone_number'], text: 'A person or group without an address is looked up: get_email_address before a mail or an invitation, get_phone_number before a text message; one look-up a person. An address or number that the user spelled out is used as it is. "My brother Tomasz" is "Tomasz", "Dr. Osei" stays.'},
  {about: ['get_email_address', 'get_phone_number'], text: 'A request for somebody\'s number or address is that look-up and nothing else.'},
  {about: ['compose_new_email', 'send_sms', 'forward_email'], text: 'Several recipients get one message together, unless the user wants separate ones.'},
  {about: ['open_and_get_file_path'], text: 'A file that is attached or summarized goes through open_and_get_file_path first, unless the user typed an absolute path.'},
  {about: ['create_calendar_event'], text: 'Meeting, call or lunch WITH somebody that is to be scheduled: look the person up and invite them. "Put lunch with Ana in my calendar" invites nobody.'},
  {about: ['get_zoom_meeting_link'], text: 'A Zoom meeting is get_zoom_meeting_link, and its link goes into the notes of a create_calendar_event with the same people, or, where the user wants it mailed, texted or noted instead, there.'},
  {about: ['maps_open_location', 'maps_show_directions'], text: 'Directions and routes are maps_show_directions alone; to show a place is maps_open_location. Transport is "d" unless the user walks ("w") or takes public transport ("r"); start "" is here.'},
  {about: ['append_note_content', 'open_note'], text: 'To add to a note needs no open_note. To send a note is open_note, then its "$k".'},
  {about: ['reply_to_email', 'forward_email'], text: 'Reply and forward act on the mail that is open: no look-up of its sender.'},
  {about: ['compose_new_email', 'reply_to_email', 'forward_email'], text: 'context is what the mail is to say, "" where the user gives no words for it. A subject is two to five of the user\'s own key words.'},
  {about: ['create_reminder'], text: 'priority is 0 unless the user says high (1), medium (5) or low (9).'},
]
const always = 'Free text says what the user wants said and no more: no invented facts, names or promises. Names, files, places and quoted words are copied as the user has them.'

/** Our own, one idea each: references side by side, the defaults, a file, an end, and that there may be nothing to do. */
const examples: {request: string; plan: string}[] = [
  {request: 'How tall is the Eiffel Tower?', plan: '1. join()'},
  {request: 'let Farida and uncle Jens know by text that the ferry is late', plan: '1. get_phone_number("Farida")\n2. get_phone_number("Uncle Jens")\n3. send_sms(["$1", "$2"], "The ferry is late.")\n4. join()'},
  {request: 'Set up a call with Petra Lindholm on Monday at half past ten, 45 minutes, about the lease', plan: '1. get_email_address("Petra Lindholm")\n2. create_calendar_event("Call about the lease", "Monday at half past ten", "45 minutes", "", ["$1"], "", "")\n3. join()'},
  {request: 'Mail tenancy.pdf to the housing office, they wanted it signed', plan: '1. get_email_address("housing office")\n2. open_and_get_file_path("tenancy.pdf")\n3. compose_new_email(["$1"], [], "Signed tenancy", "Here is the signed tenancy.", ["$2"])\n4. join()'},
  {request: 'remind me on the 9th to water the neighbours\' plants', plan: '1. create_reminder("Water the neighbours\' plants", "the 9th", "", "", 0, true)\n2. join()'},
  {request: 'add oat milk to my Groceries note', plan: '1. append_note_content("Groceries", "Oat milk", "")\n2. join()'},
]
const maxExamples = 4

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
/** "Tuesday, 2026-03-03 09:15", on the user's own clock. */
function clock(now: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${days[now.getDay()]}, ${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())} ${two(now.getHours())}:${two(now.getMinutes())}`
}

function system({tools, instructions}: Pick<PlanInput, 'tools' | 'instructions'>): string {
  const names = new Set(tools.map(t => t.name))
  const kinds = new Set(tools.flatMap(t => paramsOf(t).map(p => p.kind)))
  const kindLines = [...kinds].flatMap(kind => kindWords[kind] ? [`- ${kindName(kind)}: ${kindWords[kind]}`] : [])
  const ruleLines = rules.filter(r => r.about.some(name => names.has(name))).map(r => `- ${r.text}`)
  return [
    `You turn a request into a plan of tool calls for an assistant program. Answer with the plan alone: no explanation, no Markdown.`,
    '',
    'A plan has one numbered call a line, with the arguments in the order of the signature, and join() as its last line. "$1" is the result of call 1.',
    '- Every argument is written. Texts are in double quotes as in JSON, lists in [ ], numbers plain, true or false. What does not apply is "", [], 0 or false.',
    '- A reference is in quotes, alone ("$1") or inside a text ("Here is the link: $2"), and only to a call before it.',
    '- There are no tools but those below. What they cannot do is left out; a request that none of them can serve is the plan "1. join()".',
    '- No call is made twice, and no result is fetched that nobody needs.',
    `- ${always}`,
    ...ruleLines,
    '',
    'Tools:',
    ...(tools.length > 0 ? tools.map(describe) : ['(none)']),
    ...(kindLines.length > 0 ? ['', 'What the arguments take:', ...kindLines] : []),
    ...(instructions?.trim() ? ['', `Standing instructions of the user, which count for every request: ${oneLine(instructions)}`] : []),
  ].join('\n')
}

const toolsOf = (plan: string): string[] => [...plan.matchAll(/^\d+\. (\w+)\(/gm)].map(m => m[1]!).filter(name => name !== 'join')

/** Ends with the request; on a replan with the plan that could not be used, and why. */
export function buildChat(input: Pick<PlanInput, 'request' | 'now' | 'tools' | 'instructions' | 'previous'>): ChatMessage[] {
  const {request, now, tools, previous} = input
  const names = new Set(tools.map(t => t.name))
  const fitting = examples.filter(e => toolsOf(e.plan).every(name => names.has(name))).slice(0, maxExamples)
  const asked = `It is ${clock(now)}.\nRequest: ${oneLine(request)}`
  return [
    {role: 'system', content: system(input)},
    ...fitting.flatMap(({request, plan}): ChatMessage[] => [{role: 'user', content: `Request: ${request}`}, {role: 'assistant', content: plan}]),
    // Chat formats want the roles by turns, so that an answer without a plan is left out.
    ...(previous === undefined ? [{role: 'user', content: asked} as const]
      : previous.plan.trim() === '' ? [{role: 'user', content: `${asked}\n${again(previous.error)}`} as const]
        : [{role: 'user', content: asked}, {role: 'assistant', content: previous.plan.trim()}, {role: 'user', content: again(previous.error)}] as const),
  ]
}

const again = (error: string): string => `Your last answer cannot be used: ${oneLine(error)}\nWrite the whole plan again, and nothing else.`
