import {readFileSync} from 'node:fs'
import {expect, test} from 'vitest'
import {followUp, type Turn} from '../../src/core/follow-up.ts'
import {retimed, timesIn} from '../../src/core/follow-up-times.ts'
import {parsePlan} from '../../src/core/plan-parser.ts'

const turn = (text: string, plan: string): Turn => ({text, tasks: parsePlan(plan).tasks})
const lunch = turn('Schedule lunch with Ana tomorrow at 1', '1. get_email_address("Ana")\n2. create_calendar_event("Lunch with Ana", "tomorrow at 1", "", "", ["$1"], "", "")\n3. join()')
const late = turn("Text my brother Bo that I'm running late", '1. get_phone_number("Bo")\n2. send_sms(["$1"], "I\'m running late.")\n3. join()')
const mail = turn('Mail Ana that the draft is ready', '1. get_email_address("Ana")\n2. compose_new_email(["$1"], [], "Draft", "The draft is ready.", [])\n3. join()')
const dentist = turn('remind me to call the dentist at 3pm', '1. create_reminder("Call the dentist", "3pm", "", "", 0, false)\n2. join()')
const summary = turn('summarize lease.pdf', '1. open_and_get_file_path("lease.pdf")\n2. summarize_pdf("$1")\n3. join()')
const shopping = turn('add eggs to the note Shopping', '1. append_note_content("Shopping", "Eggs", "")\n2. join()')
const two = turn('Text Ana and Bo that I am late', '1. get_phone_number("Ana")\n2. get_phone_number("Bo")\n3. send_sms(["$1", "$2"], "I am late")\n4. join()')

test.each([
  [lunch, 'make it 2 instead', 'Schedule lunch with Ana tomorrow at 2'],
  [lunch, 'no, Thursday.', 'Schedule lunch with Ana Thursday at 1'],
  [lunch, 'Friday at noon', 'Schedule lunch with Ana Friday at noon'],
  [lunch, 'make it two hours', 'Schedule lunch with Ana tomorrow at 1 for two hours'],
  [lunch, 'sorry, with Priya Raman', 'Schedule lunch with Priya Raman tomorrow at 1'],
  [lunch, 'not Ana, Bo', 'Schedule lunch with Bo tomorrow at 1'],
  [lunch, 'at Café Luna', 'Schedule lunch with Ana tomorrow at 1 at Café Luna'],
  [lunch, 'and invite Tom', 'Schedule lunch with Ana and Tom tomorrow at 1'],
  [dentist, 'make it 4', 'remind me to call the dentist at 4pm'],
  [dentist, 'no wait, tomorrow at 9', 'remind me to call the dentist at 9 tomorrow'],
  [dentist, 'make it high priority', 'remind me to call the dentist at 3pm, make it high priority'],
  [late, 'no, I meant Ana', "Text Ana that I'm running late"],
  [mail, 'cc Bo too', 'Mail Ana that the draft is ready, cc Bo'],
])('a correction changes the last request: %#', (last, said, text) => {
  expect(followUp(said, last)).toEqual({text, isChange: true})
})

test.each([
  [late, 'also text it to Ana', "Text Ana that I'm running late"],
  [late, 'email him the same', "mail Bo that I'm running late"],
  [late, "what's his email?", "what's Bo's email"],
  [late, "tell him I'll bring the cake", "tell Bo I'll bring the cake"],
  [lunch, 'also remind me an hour before', 'remind me of Lunch with Ana an hour before tomorrow at 1'],
  [lunch, 'same on Friday', 'Schedule lunch with Ana Friday at 1'],
  [summary, 'mail it to Tomasz', 'summarize lease.pdf and mail it to Tomasz'],
  [shopping, 'and milk', 'add milk to the note Shopping'],
])('an addition comes on top: %#', (last, said, text) => {
  expect(followUp(said, last)).toEqual({text, isChange: false})
})

test.each([
  [lunch, 'text Ana that we could make it 2 instead'], [lunch, 'also remind me to buy stamps'], [lunch, 'remind me to call her at 5'], [lunch, 'Invite Tom to a sync on Friday at 9'],
  [lunch, 'No meetings on Friday, put that in my calendar'], [late, 'forward this to Ana'], [late, 'tell Tom I love him'], [dentist, 'make a note: move it to 4'], [dentist, ''],
  [two, 'text her that it got later'], [turn('what is the weather', '1. join()'), 'make it tomorrow'],
])('what stands by itself, or has nobody that it can mean, is none: %#', (last, said) => {
  expect(followUp(said, last)).toBeUndefined()
})

test('the hand-written rows that stand alone are never taken for a follow-up, nor is any request of the row sets', () => {
  const read = (name: string): {query: string; plan: string; first: string; firstPlan: string; independent?: true}[] => readFileSync(`training/data/${name}.jsonl`, 'utf8').trim().split('\n').map(line => JSON.parse(line) as never)
  const own = read('follow-ups')
  expect(own.filter(row => row.independent && followUp(row.query, turn(row.first, row.firstPlan)))).toEqual([])
  const alone = ['validation', 'test', 'wild'].flatMap(read).filter(row => row.query.length < 100) // those that could be one
  expect(alone.length).toBeGreaterThan(600)
  const turns = own.filter((row, i) => row.first !== own[i - 1]?.first).map(row => turn(row.first, row.firstPlan))
  expect(alone.flatMap(row => turns.some(last => followUp(row.query, last)) ? [row.query] : [])).toEqual([])
})

test('times are told from other words, and one of two that may be meant is not changed', () => {
  expect(timesIn('next Friday at half past 4')).toEqual({day: 'next Friday', clock: 'at half past 4'})
  expect(timesIn('in two days')).toEqual({day: 'in two days'})
  expect(timesIn('Thursday at Rosa')).toBeUndefined()
  expect(retimed('from Monday at 9 to Tuesday at 5', {clock: '6'}, true)).toBeUndefined()
  expect(retimed('Yoga on Friday at 7, pack the mat on Friday', {day: 'Saturday'}, true)).toBe('Yoga on Saturday at 7, pack the mat on Saturday')
  expect(retimed('2 tickets, remind me tomorrow', {clock: '4'}, true)).toBe('2 tickets, remind me tomorrow at 4')
  expect(retimed('text Ana hello', {clock: '4'}, false)).toBeUndefined()
})
