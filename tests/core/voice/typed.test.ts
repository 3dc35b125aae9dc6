// What was said becomes what a person would have typed, and ordinary sentences stay as they are.
import {expect, test} from 'vitest'
import {spokenToTyped} from '../../../src/core/voice/typed.ts'

test.each([
  ['Email ana at example dot org about the budget.', 'Email ana@example.org about the budget.'],
  ['Send it to Ana dot Lopez at mail dot example dot com and Bob at Example.org.', 'Send it to ana.lopez@mail.example.com and bob@example.org.'],
  ['Send an email to Ana @example.org about lunch.', 'Send an email to ana@example.org about lunch.'],
  ['Her address is sid underscore k at example dot co dot uk.', 'Her address is sid_k@example.co.uk.'],
  ['Mail J-O-N at example.com.', 'Mail jon@example.com.'],
  ['ana at example dot org', 'ana@example.org'],
  ['Note that the manual is on www dot example dot com.', 'Note that the manual is on www.example.com.'],
])('an address that was spelled out: %s', (said, typed) => {
  expect(spokenToTyped(said)).toBe(typed)
})

test.each([
  ['Remind me to call the dentist tomorrow at 3 p.m.', 'Remind me to call the dentist tomorrow at 3pm.'],
  ['At 3 p.m. call Ana and at 4 P.M. call Bob', 'At 3pm call Ana and at 4pm call Bob'],
  ['Lunch is at 12.30 p.m. Then we go.', 'Lunch is at 12:30pm. Then we go.'],
  ['Wake me at 9.30.', 'Wake me at 9:30.'],
  ['Wake me at 930 a.m. tomorrow', 'Wake me at 9:30am tomorrow'],
  ['Wake me at nine thirty tomorrow', 'Wake me at 9:30 tomorrow'],
  ['From nine oh five a.m. to three pm', 'From 9:05am to 3pm'],
])('a time: %s', (said, typed) => {
  expect(spokenToTyped(said)).toBe(typed)
})

test.each([
  ['Call 5 5 5 0 1 2 3', 'Call 5550123'],
  ['Text plus four four, two oh, seven nine double four', 'Text +44207944'],
  ['Buy twenty-five eggs and thirty six apples', 'Buy 25 eggs and 36 apples'],
  ['It is three hundred and twenty kilometres', 'It is 320 kilometres'],
  ['Two thousand five hundred people', '2500 people'],
  ['It grew by two point five percent', 'It grew by 2.5%'],
  ['The rate rose to 9.30 percent.', 'The rate rose to 9.30%.'],
])('a number: %s', (said, typed) => {
  expect(spokenToTyped(said)).toBe(typed)
})

test.each([
  ['Dear Ana, comma, new line, I am late, full stop.', 'Dear Ana,\nI am late.'],
  ['Note colon milk comma eggs', 'Note: milk, eggs'],
  ['Text Ana are you coming question mark', 'Text Ana are you coming?'],
  ['That is great exclamation mark see you soon', 'That is great! See you soon'],
  ['First line. New paragraph. second part', 'First line\n\nSecond part'],
  ['I am late. Period. Start without me.', 'I am late. Start without me.'],
  ['She said quote never again unquote to me', 'She said "never again" to me'],
])('a mark that was said: %s', (said, typed) => {
  expect(spokenToTyped(said)).toBe(typed)
})

test.each([
  'Have a look at example.org before the meeting.', 'You can find us at example.com.', 'Meet me at the station at 5.', 'The dot com bubble burst.',
  'A comma is missing in the first sentence.', 'The trial period ends on Friday.', 'This is the end of the trial period.', 'Book a colon screening for my father.',
  'We need a new line of products.', 'The train came to a full stop.', 'He is a question mark to me.', 'One of them has two sisters.', 'Remind me in ten minutes.',
  'It is ten to four.', 'I told you a hundred times.', 'The price is 9.30 euros.', 'We won 3-1 and then 2-2.', 'One, two, three, go!', 'I am Ana.', 'At five thirty people were there.',
  'Version 2.15 is out.', 'The quote is too high.', 'Dr. A. M. Smith is here.', "I'm 25.", 'Add milk, eggs and bread to Shopping.',
])('an ordinary sentence stays as it is: %s', sentence => {
  expect(spokenToTyped(sentence)).toBe(sentence)
})

test('typed text stays as it is when it is read again', () => {
  const typed = 'Email ana@example.org at 9:30am,\n"never again", 25% of 2500 to +442079460000.'
  expect(spokenToTyped(typed)).toBe(typed)
})

test('white space round the words goes', () => {
  expect(spokenToTyped('  Call   Ana. ')).toBe('Call Ana.')
  expect(spokenToTyped('')).toBe('')
})
