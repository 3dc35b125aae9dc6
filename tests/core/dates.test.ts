// The rules of LABELLING.md, "Dates and times", one table a rule.
import {readdirSync, readFileSync} from 'node:fs'
import fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import {resolveUntil, resolveWhen} from '../../src/core/dates.ts'
import {paramsOf} from '../../src/core/params.ts'
import {parsePlan} from '../../src/core/plan-parser.ts'
import {specs} from '../../src/tools/specs.ts'

/** Tuesday, 24 November 2026, 14:30 */
const now = new Date(2026, 10, 24, 14, 30)
const when = (words: string, clock = now): string | undefined => resolveWhen(words, clock)?.text

const rule = (name: string, cases: [words: string, expected: string | undefined][], clock = now): void => {
  describe(name, () => { test.each(cases)('"%s" is %s', (words, expected) => { expect(when(words, clock)).toBe(expected) }) })
}

rule('an absolute text passes through', [
  ['2026-12-07', '2026-12-07'],
  ['2026-12-07 15:00:00', '2026-12-07 15:00:00'],
  ['2026-12-07T15:00', '2026-12-07 15:00:00'],
  ['2026-02-30', undefined],
  ['2026-12-07 25:00:00', undefined],
])

rule('a weekday is the next one after today', [
  ['Friday', '2026-11-27'],
  ['Monday 9:30', '2026-11-30 09:30:00'],
  ['thu', '2026-11-26'],
  ['this coming Friday at 5 past 10', '2026-11-27 10:05:00'],
  ['on Saturday at noon', '2026-11-28 12:00:00'],
])

rule('a weekday named on its own day means seven days later, unless with "today" or "this"', [
  ['Tuesday', '2026-12-01'],
  ['Tuesday at 4', '2026-12-01 16:00:00'],
  ['this Tuesday', '2026-11-24'],
  ['today, Tuesday, at 5', '2026-11-24 17:00:00'],
])

rule('"this Friday" is of the current week, "next Friday" of the following one; weeks begin on Monday', [
  ['this Friday', '2026-11-27'],
  ['next Friday', '2026-12-04'],
  ['next Monday at 11', '2026-11-30 11:00:00'],
  ['next Tuesday 3pm', '2026-12-01 15:00:00'],
  ['next Sunday', '2026-12-06'],
  ['next week Wednesday', '2026-12-02'],
  ['the Tuesday after next', '2026-12-08'],
])
rule('said on a Sunday, which ends its week', [
  ['this Sunday', '2026-11-29'],
  ['next Sunday', '2026-12-06'],
  ['next Monday', '2026-11-30'],
  ['Monday', '2026-11-30'],
  ['this Monday', '2026-11-30'],
], new Date(2026, 10, 29, 10, 0))

rule('weekdays counted in weeks', [
  ['Tuesday week', '2026-12-08'],
  ['a week on Monday', '2026-12-07'],
  ['a week from Friday 8:30', '2026-12-04 08:30:00'],
  ['Monday in two weeks', '2026-12-07'],
])

rule('a time with no day is today when it is still to come, else tomorrow', [
  ['3pm', '2026-11-24 15:00:00'],
  ['at 2:30', '2026-11-25 14:30:00'],
  ['at 8am', '2026-11-25 08:00:00'],
  ['noon', '2026-11-25 12:00:00'],
  ['14h31', '2026-11-24 14:31:00'],
])

rule('"at 3" is the one between 07:00 and 18:59', [
  ['tomorrow at 3', '2026-11-25 15:00:00'],
  ['tomorrow at 7', '2026-11-25 07:00:00'],
  ['tomorrow at 6:59', '2026-11-25 18:59:00'],
  ['tomorrow at 12', '2026-11-25 12:00:00'],
  ['tomorrow 5:30', '2026-11-25 17:30:00'],
  ['Friday 8.40', '2026-11-27 08:40:00'],
])

rule('a word says otherwise', [
  ['Friday evening at 7', '2026-11-27 19:00:00'],
  ['tonight at 8', '2026-11-24 20:00:00'],
  ['tomorrow at 7 for breakfast', '2026-11-25 07:00:00'],
  ['tomorrow, dinner at 7', '2026-11-25 19:00:00'],
  ['early flight at 6', '2026-11-25 06:00:00'],
  ['six thirty tomorrow morning', '2026-11-25 06:30:00'],
  ['the 8th at two in the afternoon', '2026-12-08 14:00:00'],
  ['tomorrow 05:30', '2026-11-25 05:30:00'],
  ['tonight at 1', '2026-11-25 01:00:00'],
  ['today at 8', '2026-11-24 20:00:00'],
])

rule('parts of the day', [
  ['tomorrow morning', '2026-11-25 09:00:00'],
  ['Friday noon', '2026-11-27 12:00:00'],
  ['this afternoon', '2026-11-24 15:00:00'],
  ['Wednesday evening', '2026-11-25 18:00:00'],
  ['tonight', '2026-11-24 20:00:00'],
  ['Sunday night', '2026-11-29 20:00:00'],
  ['end of day tomorrow', '2026-11-25 17:00:00'],
  ['first thing tomorrow', '2026-11-25 09:00:00'],
])

rule('midnight is 00:00 of the next day', [
  ['midnight', '2026-11-25 00:00:00'],
  ['midnight tonight', '2026-11-25 00:00:00'],
  ['Friday at midnight', '2026-11-28 00:00:00'],
  ['a quarter to midnight', '2026-11-24 23:45:00'],
])

rule('"in 20 minutes" counts from now, "in two weeks" is a day', [
  ['in 20 minutes', '2026-11-24 14:50:00'],
  ['In an hour and a half', '2026-11-24 16:00:00'],
  ['half an hour from now', '2026-11-24 15:00:00'],
  ['in two weeks', '2026-12-08'],
  ['two weeks from now', '2026-12-08'],
  ['in three days', '2026-11-27'],
  ['in three days at 16:20', '2026-11-27 16:20:00'],
  ['two weeks from today at 10am', '2026-12-08 10:00:00'],
  ['in a month', '2026-12-24'],
])

rule('a day and month with no year is the next such day', [
  ['1st of May', '2027-05-01'],
  ['Dec 10', '2026-12-10'],
  ['24 November at 17:00', '2026-11-24 17:00:00'],
  ['24 November at 10am', '2027-11-24 10:00:00'],
  ['29 February', '2028-02-29'],
  ['30 February', undefined],
  ['21 March 2027', '2027-03-21'],
  ['Friday 17 April 20:30', '2027-04-17 20:30:00'],
  ['Oct 11, 2026 at 1:15 PM', '2026-10-11 13:15:00'],
  ['04/07', '2027-07-04'],
  ['23/10/2027 18:00', '2027-10-23 18:00:00'],
  ['2 December 5', '2026-12-02 17:00:00'],
])

rule('a day of the month is the next one there is', [
  ['the 19th', '2026-12-19'],
  ['the 31st', '2026-12-31'],
  ['Saturday the 5th, 7pm', '2026-12-05 19:00:00'],
  ['the 18th of next month 2:30 pm', '2026-12-18 14:30:00'],
  ['next month on the 3rd', '2026-12-03'],
  ['the last day of this month', '2026-11-30'],
  ['first Sunday in May 15:00', '2027-05-02 15:00:00'],
  ['last Friday in June at four', '2027-06-25 16:00:00'],
  ['Easter Sunday at 4pm', '2027-03-28 16:00:00'],
])

rule('days and moments beside other ones', [
  ['the day after tomorrow 8:15', '2026-11-26 08:15:00'],
  ['the day before 3 July', '2027-07-02'],
  ['an hour before Monday 4:15pm', '2026-11-30 15:15:00'],
])

rule('clocks in words, in short and with slips', [
  ['half past two', '2026-11-25 14:30:00'],
  ['Half five', '2026-11-24 17:30:00'],
  ['quarter to five', '2026-11-24 16:45:00'],
  ['twenty to nine tomorrow', '2026-11-25 08:40:00'],
  ['wendesday at ten fifteen', '2026-11-25 10:15:00'],
  ['tmrw 7pm', '2026-11-25 19:00:00'],
  ['2moro 6pm', '2026-11-25 18:00:00'],
  ['Thursday 1630', '2026-11-26 16:30:00'],
  ['4:05 p.m.', '2026-11-24 16:05:00'],
  ['twenty first of December at 8 o\'clock', '2026-12-21 08:00:00'],
])

rule('words that mean no day and no time are not guessed at', [
  ['', undefined], ['later', undefined], ['after the meeting', undefined], ['every Monday', undefined],
  ['25:10', undefined], ['Tuesday at 13pm', undefined], ['$1', undefined], ['Priya Raman', undefined],
])

rule('spoken, short and foreign clocks', [
  ['half four', '2026-11-24 16:30:00'],
  ['quarter to nine tonight', '2026-11-24 20:45:00'],
  ['ten of six', '2026-11-24 17:50:00'],
  ['five before nine tomorrow', '2026-11-25 08:55:00'],
  ['five-ish', '2026-11-24 17:00:00'],
  ['fiveish', '2026-11-24 17:00:00'],
  ['half six-ish', '2026-11-24 18:30:00'],
  ['about 5 or so', '2026-11-24 17:00:00'],
  ['0900 hours', '2026-11-25 09:00:00'],
  ['oh nine hundred tomorrow', '2026-11-25 09:00:00'],
  ['sixteen hundred hours', '2026-11-24 16:00:00'],
  ['17h30', '2026-11-24 17:30:00'],
  ['at 17 hours', '2026-11-24 17:00:00'],
  ['7h30 tomorrow morning', '2026-11-25 07:30:00'],
  ['6 pm on the dot', '2026-11-24 18:00:00'],
  ['3 on the nose', '2026-11-24 15:00:00'],
  ['noon sharp', '2026-11-25 12:00:00'],
  ['12 tonight', '2026-11-25 00:00:00'],
  ['7p', '2026-11-24 19:00:00'],
  ['tomorrow am', '2026-11-25 09:00:00'],
  ['tomorrow 5 o clock evening', '2026-11-25 17:00:00'],
  ['this arvo at 4', '2026-11-24 16:00:00'],
  ['tomoz at 6', '2026-11-25 18:00:00'],
])

rule('parts of the working day, and meals', [
  ['first thing on Monday morning', '2026-11-30 09:00:00'],
  ['close of business Friday', '2026-11-27 17:00:00'],
  ['end of the work day on Friday', '2026-11-27 17:00:00'],
  ['EOB tomorrow', '2026-11-25 17:00:00'],
  ['tomorrow by close of play', '2026-11-25 17:00:00'],
  ['teatime', '2026-11-24 17:00:00'],
  ['dinnertime tomorrow', '2026-11-25 19:00:00'],
  ['at breakfast tomorrow', '2026-11-25 08:00:00'],
  ['lunch time on Friday', '2026-11-27 12:00:00'],
  ['before lunch tomorrow', '2026-11-25 12:00:00'],
  ['after lunch on Thursday', '2026-11-26 13:00:00'],
  ['after dinner', '2026-11-24 20:00:00'],
  ['after work on Friday', '2026-11-27 18:00:00'],
  ['before bed', '2026-11-24 22:00:00'],
  ['mid-morning tomorrow', '2026-11-25 10:00:00'],
  ['bright and early tomorrow', '2026-11-25 09:00:00'],
  ['last thing tonight', '2026-11-24 22:00:00'],
])

rule('limits are their moment', [
  ['before noon', '2026-11-25 12:00:00'],
  ['after 6', '2026-11-24 18:00:00'],
  ['any time after 3 tomorrow', '2026-11-25 15:00:00'],
  ['not before 9 tomorrow', '2026-11-25 09:00:00'],
  ['no later than Friday noon', '2026-11-27 12:00:00'],
  ['by Friday at the latest', '2026-11-27'],
  ['on or before December 5', '2026-12-05'],
  ['just after 3', '2026-11-24 15:00:00'],
])

rule('counted from a day or from now', [
  ['a week on Saturday', '2026-12-05'],
  ['Saturday week', '2026-12-05'],
  ['Saturday fortnight', '2026-12-12'],
  ['a fortnight on Saturday', '2026-12-12'],
  ['a week this Saturday', '2026-12-05'],
  ['tomorrow week', '2026-12-02'],
  ['three weeks on Thursday', '2026-12-17'],
  ['the evening before Friday', '2026-11-26 18:00:00'],
  ['the night before the 14th', '2026-12-13 20:00:00'],
  ['two days before the 14th', '2026-12-12'],
  ['the Monday before Christmas', '2026-12-21'],
  ['the Friday before Christmas at noon', '2026-12-18 12:00:00'],
  ['the first Monday after Christmas', '2026-12-28'],
  ['the weekend before Christmas', '2026-12-19'],
  ['after the weekend', '2026-11-30'],
  ['after Christmas', '2026-12-26'],
  ['this time tomorrow', '2026-11-25 14:30:00'],
  ['this time next week', '2026-12-01 14:30:00'],
  ['this day next week', '2026-12-01'],
  ['in five', '2026-11-24 14:35:00'],
  ['in 1 hr 15', '2026-11-24 15:45:00'],
  ['in 1½ hours', '2026-11-24 16:00:00'],
  ['in exactly 2 hours', '2026-11-24 16:30:00'],
  ['in an hour or so', '2026-11-24 15:30:00'],
  ['immediately', '2026-11-24 14:30:00'],
])

rule('a span that has begun is its last day, one to come its first', [
  ['this week', '2026-11-27'],
  ['later this week', '2026-11-27'],
  ['end of the week', '2026-11-27'],
  ['next week', '2026-11-30'],
  ['late next week', '2026-12-04'],
  ['mid next week', '2026-12-02'],
  ['the week after next', '2026-12-07'],
  ['Monday the week after next', '2026-12-07'],
  ['the week of the 14th', '2026-12-14'],
  ['w/c 7 Dec', '2026-12-07'],
  ['this weekend', '2026-11-28'],
  ['the weekend after next', '2026-12-12'],
  ['this month', '2026-11-30'],
  ['next month', '2026-12-01'],
  ['this year', '2026-12-31'],
  ['next year', '2027-01-01'],
])

rule('said on a Sunday, which is the end of its week', [
  ['this week', '2026-11-29'],
  ['this weekend', '2026-11-29'],
  ['the weekend', '2026-12-05'],
  ['end of the month', '2026-11-30'],
], new Date(2026, 10, 29, 10, 0))

rule('of a month and of a year', [
  ['mid-March', '2027-03-15'],
  ['mid-month', '2026-12-15'],
  ['late January', '2027-01-25'],
  ['early March', '2027-03-01'],
  ['the last Friday of the month', '2026-11-27'],
  ['the first Monday of the month', '2026-12-07'],
  ['the 1st of the month', '2026-12-01'],
  ['last working day of the month', '2026-11-30'],
  ['the first weekend of December', '2026-12-05'],
  ['month end', '2026-11-30'],
  ['EOM', '2026-11-30'],
  ['end of next month', '2026-12-31'],
  ['year-end', '2026-12-31'],
  ['end of the quarter', '2026-12-31'],
  ['24.12', '2026-12-24'],
  ['on 31.12. at 20:00', '2026-12-31 20:00:00'],
  ['tomorrow, 25 November, at 3', '2026-11-25 15:00:00'],
])

rule('holidays', [
  ['Christmas Eve', '2026-12-24'],
  ['NYE', '2026-12-31'],
  ['New Year\'s Day', '2027-01-01'],
  ['Thanksgiving at 3', '2026-11-26 15:00:00'],
  ['Black Friday', '2026-11-27'],
  ['St Stephen\'s Day', '2026-12-26'],
  ['Pancake Day', '2027-02-09'],
  ['Whit Monday', '2027-05-17'],
])

rule('a range means its start', [
  ['between 3 and 4', '2026-11-24 15:00:00'],
  ['3-4pm', '2026-11-24 15:00:00'],
  ['3–4pm', '2026-11-24 15:00:00'],
  ['11-1pm on Friday', '2026-11-27 11:00:00'],
  ['tomorrow 10:00-11:30', '2026-11-25 10:00:00'],
  ['1400-1530 Thursday', '2026-11-26 14:00:00'],
  ['Monday 9 to 5', '2026-11-30 09:00:00'],
  ['from 9 till noon tomorrow', '2026-11-25 09:00:00'],
  ['from ten to four on Monday', '2026-11-30 10:00:00'],
  ['7 to 9 tonight', '2026-11-24 19:00:00'],
  ['3-5 December', '2026-12-03'],
  ['December 3-5', '2026-12-03'],
  ['Dec 5 to 7', '2026-12-05'],
  ['Mon-Wed', '2026-11-30'],
  ['Dec 3 to Dec 5', '2026-12-03'],
])

rule('what is not told is not guessed at', [
  ['the day before', undefined],
  ['the Friday after', undefined],
  ['an hour before my flight', undefined],
  ['Saturday or Sunday', undefined],
  ['in a bit', undefined],
  ['2026-12', undefined],
  ['32 December', undefined],
])

describe('the end', () => {
  test.each<[words: string, start: string, expected: string]>([
    ['', '2026-12-01 15:00:00', ''],
    ['45 minutes', '2026-12-01 15:00:00', '2026-12-01 15:45:00'],
    ['an hour and a half', '2026-12-01 15:00:00', '2026-12-01 16:30:00'],
    ['an hour and three quarters', '2026-12-01 15:00:00', '2026-12-01 16:45:00'],
    ['two hours and a quarter', '2026-12-01 15:00:00', '2026-12-01 17:15:00'],
    ['2.5 hours', '2026-12-01 15:00:00', '2026-12-01 17:30:00'],
    ['two and a half hours', '2026-12-01 15:00:00', '2026-12-01 17:30:00'],
    ['2h', '2026-12-01 15:00:00', '2026-12-01 17:00:00'],
    ['16h', '2026-12-01 15:00:00', '2026-12-01 16:00:00'],
    ['4:30', '2026-12-01 15:00:00', '2026-12-01 16:30:00'],
    ['12', '2026-12-01 09:00:00', '2026-12-01 12:00:00'],
    ['11', '2026-12-01 19:00:00', '2026-12-01 23:00:00'],
    ['3am', '2026-12-01 21:00:00', '2026-12-02 03:00:00'],
    ['midnight', '2026-12-01 20:00:00', '2026-12-02 00:00:00'],
    ['Sunday 8am', '2026-12-12 08:00:00', '2026-12-13 08:00:00'],
    ['seven thirty this evening', '2026-11-24 18:00:00', '2026-11-24 19:30:00'],
    ['the 20th', '2026-12-17', '2026-12-20'],
    ['three days', '2026-12-17', '2026-12-19'],
    ['two hours', '2026-12-17', ''],
    ['2026-12-01 16:00:00', '2026-12-01 15:00:00', '2026-12-01 16:00:00'],
    ['until half five', '2026-12-01 15:00:00', '2026-12-01 17:30:00'],
    ['for an hour and a half', '2026-12-01 15:00:00', '2026-12-01 16:30:00'],
    ['hour and a half', '2026-12-01 15:00:00', '2026-12-01 16:30:00'],
    ['1½ hours', '2026-12-01 15:00:00', '2026-12-01 16:30:00'],
    ['1:30 hours', '2026-12-01 15:00:00', '2026-12-01 16:30:00'],
    ['an hour thirty', '2026-12-01 15:00:00', '2026-12-01 16:30:00'],
    ['90 mins', '2026-12-01 15:00:00', '2026-12-01 16:30:00'],
    ['half-hour', '2026-12-01 15:00:00', '2026-12-01 15:30:00'],
    ['at most 30 minutes', '2026-12-01 15:00:00', '2026-12-01 15:30:00'],
    ['30\'', '2026-12-01 15:00:00', '2026-12-01 15:30:00'],
    ['a quarter hour', '2026-12-01 15:00:00', '2026-12-01 15:15:00'],
    ['an hour and fifteen', '2026-12-01 15:00:00', '2026-12-01 16:15:00'],
    ['3-4pm', '2026-12-01 15:00:00', '2026-12-01 16:00:00'],
    ['sixteen hundred', '2026-12-01 15:00:00', '2026-12-01 16:00:00'],
    ['finishing at 4:30', '2026-12-01 15:00:00', '2026-12-01 16:30:00'],
    ['COB', '2026-12-01 15:00:00', '2026-12-01 17:00:00'],
    ['noon the next day', '2026-12-01 15:00:00', '2026-12-02 12:00:00'],
    ['the following morning', '2026-12-01 15:00:00', '2026-12-02 09:00:00'],
    ['6 the same evening', '2026-12-01 15:00:00', '2026-12-01 18:00:00'],
    ['from 9 till noon', '2026-12-01 09:00:00', '2026-12-01 12:00:00'],
    ['through the 15th', '2026-12-12', '2026-12-15'],
    ['the following Friday', '2026-12-12', '2026-12-18'],
    ['for 2 nights', '2026-12-12', '2026-12-14'],
    ['all day', '2026-12-12', ''],
    ['the weekend', '2026-12-11', '2026-12-13'],
  ])('"%s" after %s is "%s"', (words, start, expected) => expect(resolveUntil(words, start, now)?.text).toBe(expected))

  test('words that mean no end are not guessed at', () => {
    expect(resolveUntil('when Ana leaves', '2026-12-01 15:00:00', now)).toBeUndefined()
    expect(resolveUntil('45 minutes', 'some day', now)).toBeUndefined()
  })

  test('a time alone is the first one after the start', () => {
    fc.assert(fc.property(fc.integer({min: 0, max: 23}), fc.integer({min: 0, max: 59}), fc.integer({min: 1, max: 12}), (hour, minute, end) => {
      const start = `2026-12-01 ${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}:00`
      const text = resolveUntil(String(end), start, now)!.text
      const hours = (Date.parse(text.replace(' ', 'T')) - Date.parse(start.replace(' ', 'T'))) / 3_600_000
      expect(hours).toBeGreaterThan(0)
      expect(hours).toBeLessThanOrEqual(12)
    }))
  })
})

test('what comes out is absolute and passes through unchanged, whatever goes in', () => {
  fc.assert(fc.property(fc.string({unit: 'grapheme'}), fc.date({min: new Date(2020, 0, 1), max: new Date(2040, 0, 1), noInvalidDate: true}), (words, clock) => {
    const first = resolveWhen(words, clock)
    if (first) expect(resolveWhen(first.text, clock)).toEqual(first)
  }), {numRuns: 300})
})

test('every `when` and `until` of the seeds resolves', () => {
  const folder = new URL('../../training/seeds/', import.meta.url)
  const byName = new Map(specs.map(s => [s.name, s]))
  const unresolved: string[] = []
  for (const file of readdirSync(folder)) {
    for (const line of readFileSync(new URL(file, folder), 'utf8').split('\n').filter(Boolean)) {
      const {plan} = JSON.parse(line) as {plan?: string}
      if (plan === undefined) continue
      for (const task of parsePlan(plan).tasks) {
        const spec = byName.get(task.tool)
        let start = ''
        if (spec) paramsOf(spec).forEach(({kind}, i) => {
          const words = task.args[i]
          if (typeof words !== 'string' || words === '') return
          if (kind === 'when') {
            start = when(words) ?? ''
            if (start === '') unresolved.push(words)
          }
          if (kind === 'until' && start !== '' && !resolveUntil(words, start, now)) unresolved.push(`${start} to ${words}`)
        })
      }
    }
  }
  expect(unresolved).toEqual([])
})
