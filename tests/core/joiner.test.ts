import {expect, test} from 'vitest'
import {z} from 'zod'
import type {Report, SkipReason} from '../../src/core/executor.ts'
import {join} from '../../src/core/joiner.ts'
import {arg} from '../../src/core/params.ts'
import {tool, type Effect} from '../../src/core/types.ts'

const made = (description: string, effect: Effect) => tool({
  name: description, description, args: z.object({text: arg.text()}), effect, returns: 'text',
  preview: async () => ({effect, title: '', fields: []}), run: async () => ({value: '', summary: ''}),
})
const look = made("Look up a person's phone number.", 'read')
const text = made('Send a text message.', 'outward')
const remind = made('Create a reminder or to-do.', 'local')
const find = made('Find and open a file, get its path.', 'read')

const report = (id: number, tool: typeof look, more: Partial<Report>, dependsOn: number[] = []): Report =>
  ({status: 'done', task: {id, tool: tool.name, args: [], dependsOn}, tool, effect: tool.effect, source: 'user', touchedWorld: false, ...more})
const done = (summary: string) => ({result: {value: '', summary}})
const skipped = (reason: SkipReason) => ({status: 'skipped' as const, reason})

test('what was done is one sentence in the tools\' own words, without the look-ups on the way', () => {
  expect(join([
    report(1, remind, done("Added 'Dentist' for Wed 4 Mar 2026, 15:00")),
    report(2, look, done('Found +44 20 7946 0018 for Ana')),
    report(3, text, done('Texted Ana Silva (+44 20 7946 0018)'), [2]),
  ], 'done', false)).toBe("Added 'Dentist' for Wed 4 Mar 2026, 15:00; and texted Ana Silva (+44 20 7946 0018).")
})

test('a look-up that the user asked for is the answer', () => {
  expect(join([report(1, look, done("Ana's number is +44 20 7946 0018"))], 'done', false)).toBe("Ana's number is +44 20 7946 0018.")
})

test('a failure says why, and what was left out because of it', () => {
  expect(join([
    report(1, look, {status: 'failed', error: {code: 'not-found', message: 'Nobody named Zed is in the contacts'}}),
    report(2, text, skipped('dependency'), [1]),
    report(3, remind, done("Added 'Call Zed'")),
  ], 'partly', false)).toBe("Added 'Call Zed'. Could not look up a person's phone number: Nobody named Zed is in the contacts. So this was not done: send a text message.")
})

test('what nobody could confirm, what the user skipped and what was stopped are said apart', () => {
  expect(join([report(1, text, skipped('nobody'))], 'needs-confirmation', false)).toMatch(/^Nobody was there to confirm, so this was not done: send a text message/)
  expect(join([report(1, text, skipped('user')), report(2, find, skipped('cancelled'))], 'cancelled', false))
    .toBe('Skipped as you wished: send a text message. Stopped before this was done: find and open a file.')
})

test('a plan of join() alone says that no tool can do it, a dry run that nothing was done', () => {
  expect(join([], 'done', false)).toBe('None of the tools here can do that.')
  expect(join([report(1, text, skipped('dry-run'))], 'done', true)).toBe('Dry run: nothing was done.')
})

test('of a follow-up only what it did is told, and what was taken back for it; where all was done, that', () => {
  const before = report(1, remind, {...done("Added 'Tea'"), isEarlier: true})
  expect(join([before, report(2, remind, {...done("Added 'Dentist' at 16:00"), tookBack: "Removed the reminder: Added 'Dentist' at 15:00"})], 'done', false)).toBe("Added 'Dentist' at 16:00. Removed the reminder: Added 'Dentist' at 15:00.")
  expect(join([before, report(2, text, skipped('user'))], 'done', false)).toBe('Skipped as you wished: send a text message.')
  expect(join([before], 'done', false)).toBe("That is done already. Added 'Tea'.")
})
