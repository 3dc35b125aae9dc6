// A change here needs a new model: the training data is built with this function.
import {expect, test} from 'vitest'
import {foreignSpec, foreignTool} from '../../src/core/params.ts'
import {buildPrompt, signature} from '../../src/core/prompt.ts'
import {specs} from '../../src/tools/specs.ts'

const named = (...names: string[]): typeof specs => specs.filter(s => names.includes(s.name))

test('tools in their order, instructions, the request', () => {
  expect(buildPrompt({request: '  Text Ana\n that I am late ', instructions: 'Always sign\nas Bo.', tools: named('send_sms', 'get_phone_number')})).toMatchInlineSnapshot(`
    "Tools:
    get_phone_number(name) Look up a person's phone number.
    send_sms(recipients[], message) Send a text message.
    Always: Always sign as Bo.
    Q: Text Ana that I am late
    A:
    "
  `)
})

test('the sixteen signatures', () => {
  expect(specs.map(signature).join('\n')).toMatchInlineSnapshot(`
    "get_phone_number(name) Look up a person's phone number.
    get_email_address(name) Look up a person's email address.
    create_calendar_event(title, start_date, end_date, location, invitees[], notes, calendar) Create a calendar event.
    open_and_get_file_path(file_name) Find and open a file, get its path.
    summarize_pdf(pdf_path) Summarize a PDF file.
    compose_new_email(recipients[], cc[], subject, context, attachments[]) Write and send a new email.
    reply_to_email(cc[], context, attachments[]) Reply to the open email.
    forward_email(recipients[], cc[], context, attachments[]) Forward the open email.
    maps_open_location(location) Show a place on the map, get its link.
    maps_show_directions(start_location, end_location, transport: d|w|r) Show directions, get their link.
    create_note(name, content, folder) Create a note.
    open_note(name, folder) Open a note, get its text.
    append_note_content(name, content, folder) Add text to an existing note.
    create_reminder(name, due_date, notes, list_name, priority: 0|1|5|9, all_day: bool) Create a reminder or to-do.
    send_sms(recipients[], message) Send a text message.
    get_zoom_meeting_link(topic, start_time, duration: number, meeting_invitees[]) Create a Zoom meeting, get its link."
  `)
})

test('a tool that is not ours shows what its arguments are', () => {
  const lights = foreignTool.parse({name: 'lights.set', description: 'Set the\nlights.', parameters: [{name: 'room', description: 'which room'}, {name: 'level', type: 'integer', description: '0 to\n100'}, {name: 'tags', type: 'array'}, {name: 'now', type: 'boolean'}]})
  expect(signature(foreignSpec(lights))).toMatchInlineSnapshot(`"lights.set(room (which room), level: number (0 to 100), tags[], now: bool) Set the lights."`)
})

test('on a replan, what was tried and what went wrong', () => {
  expect(buildPrompt({request: 'Text Ana hi', tools: named('send_sms'), previous: {plan: '1. send_sms(["$1"], "Hi")\n2. join()', error: 'Nobody is\ncalled Ana'}})).toMatchInlineSnapshot(`
    "Tools:
    send_sms(recipients[], message) Send a text message.
    Q: Text Ana hi
    Tried:
    1. send_sms(["$1"], "Hi")
    2. join()
    Error: Nobody is called Ana
    A:
    "
  `)
})

test('in-context examples stand between the tools and the request, in its own form', () => {
  const tools = named('send_sms')
  const plain = buildPrompt({request: 'Text Ana hi', instructions: 'Be brief.', tools})
  const example = {request: 'Text\n555-0100 hello', plan: '1. send_sms(["555-0100"], "Hello")\n2. join()'}
  expect(buildPrompt({request: 'Text Ana hi', instructions: 'Be brief.', tools, examples: [example]}))
    .toBe(plain.replace('Q: ', 'Q: Text 555-0100 hello\nA:\n1. send_sms(["555-0100"], "Hello")\n2. join()\nQ: '))
  expect(buildPrompt({request: 'Text Ana hi', instructions: 'Be brief.', tools, examples: []})).toBe(plain)
})
