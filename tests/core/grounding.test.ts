import {expect, test} from 'vitest'
import {ungrounded} from '../../src/core/grounding.ts'

const given = "tell Ana Duarte that I can't make it to the review at 3pm on Tuesday, I have 2 dentist appointments, see https://example.org/plan and mail bo@example.org, it is $15\nSid"

test.each([
  'Hi Ana,\n\nUnfortunately I can’t make it to the review on Tuesday at 3 p.m., because I have two dentist appointments.',
  'Please see https://example.org/plan. You can mail Bo@example.org.',
  'I am sorry, but I will not be there. It is $15.',
  "Ana Duarte, I can't make it to the review.\n\nKind regards,\nSid",
])('what was given passes: %s', text => {
  expect(ungrounded(text, given)).toBeUndefined()
})

test.each([
  ['I can make it to the review at 4pm on Tuesday.', 'number 4pm'],
  ['I have 3 dentist appointments on Tuesday.', 'number 3'],
  ['I have three dentist appointments on Tuesday.', 'three'],
  ['I have 2 meetings on Tuesday.', '"meetings" after a number'],
  ["I can't make it to the review tomorrow.", 'tomorrow'],
  ["I can't make it to the review on Wednesday.", 'wednesday'],
  ["I can't make it. Bo Peters will be there.", 'Bo Peters'],
  ['Peter will be at the review, I can not make it.', 'Peter'],
  ["I can't make it, so ask Ana Peters to be there.", 'Ana Peters'],
  ['It is 15 euros, see the plan.', 'euro'],
  ['It is €15, see the plan.', '€'],
  ['Please see https://example.org/other for it.', 'https://example.org/other'],
  ['You can mail eve@example.org about it.', 'eve@example.org'],
  ['It is on example.com, please see it there.', 'example.com'],
  ['Dear [Name], I can not make it.', '[Name]'],
  ['I can\u200b not make it to the review.', 'cannot be seen'],
  ['Ich kann leider nicht zur Besprechung kommen.', 'another language'],
  ['I can not make it to the review 東京.', '東京'],
])('what nobody gave is named: %s', (text, what) => {
  expect(ungrounded(text, given)).toContain(what)
})

test('a list of given words is one in any language', () => {
  expect(ungrounded('Milch\nEier\nBrot', 'milch, eier und brot')).toBeUndefined()
  expect(ungrounded('Milch\nEier\nButter', 'milch, eier und brot')).toContain('another language')
})
