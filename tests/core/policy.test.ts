import {expect, test} from 'vitest'
import {decide, parseRule, type Call} from '../../src/core/policy.ts'

const people: Record<string, string[]> = {Mom: ['mom@example.org', '+12025550101'], 'Ana Duarte': ['ana@work.org']}
const channelsOf = async (name: string) => people[name]
const tuesday = new Date('2026-03-03T09:15:00')
const say = async (rules: string[], call: Partial<Call>) => {
  const decision = await decide(rules, {tool: 'send_sms', now: tuesday, ...call}, channelsOf)
  return decision && `${decision.word} ${decision.number}`
}

test('without a rule that fits nothing is decided', async () => {
  expect(await say([], {recipients: ['+12025550101']})).toBeUndefined()
  expect(await say(['allow compose_new_email'], {recipients: ['+12025550101']})).toBeUndefined()
})

test('an allowing rule has to fit every recipient; one who is not in it, a name that is nobody\'s and a tool that tells nobody are not allowed', async () => {
  const rule = ['allow send_sms to Mom or "Ana Duarte"']
  expect(await say(rule, {recipients: ['+1 202 555 0101']})).toBe('allow 1')
  expect(await say(rule, {recipients: ['MOM@example.org', 'ana@work.org']})).toBe('allow 1')
  expect(await say(rule, {recipients: ['mom@example.org', 'eve@evil.org']})).toBeUndefined()
  expect(await say(rule, {recipients: []})).toBeUndefined()
  expect(await say(rule, {})).toBeUndefined()
  expect(await say(['allow send_sms to Zed'], {recipients: ['+12025550101']})).toBeUndefined()
})

test('a domain is that domain and none that ends like it', async () => {
  const rule = ['allow anything to @work.org']
  expect(await say(rule, {recipients: ['ana@WORK.org']})).toBe('allow 1')
  for (const other of ['ana@evilwork.org', 'ana@work.org.evil.org', 'ana@sub.work.org', 'work.org']) expect(await say(rule, {recipients: [other]})).toBeUndefined()
})

test('a rule that asks goes before one that allows, wherever it stands, and fits as soon as one recipient does', async () => {
  const rules = ['allow anything', 'ask anything outside @work.org or Mom', 'ask anything over 2 recipients']
  expect(await say(rules, {recipients: ['ana@work.org', 'mom@example.org']})).toBe('allow 1')
  expect(await say(rules, {recipients: ['ana@work.org', 'eve@evil.org']})).toBe('ask 2')
  expect(await say(rules, {recipients: ['a@work.org', 'b@work.org', 'c@work.org']})).toBe('ask 3')
  expect(await say(rules, {})).toBe('ask 2') // nobody can tell whom it reaches
  expect(await say(['allow anything', 'ask anything to Zed'], {recipients: ['a@work.org']})).toBe('ask 2')
  expect(await say(['allow anything', 'ask anything to Mom'], {recipients: ['a@work.org']})).toBe('allow 1')
})

test('times and days are those of the request, over midnight too', async () => {
  const at = (time: string) => ({recipients: ['+12025550101'], now: new Date(time)})
  const day = ['allow send_sms to Mom between 08:00 and 20:00 on weekdays']
  expect(await say(day, at('2026-03-03T08:00:00'))).toBe('allow 1')
  expect(await say(day, at('2026-03-03T20:01:00'))).toBeUndefined()
  expect(await say(day, at('2026-03-07T10:00:00'))).toBeUndefined() // a Saturday
  const night = ['ask anything between 22:00 and 7:00', 'allow anything']
  expect(await say(night, at('2026-03-03T23:30:00'))).toBe('ask 1')
  expect(await say(night, at('2026-03-03T06:59:00'))).toBe('ask 1')
  expect(await say(night, at('2026-03-03T12:00:00'))).toBe('allow 2')
  expect(await say(['allow anything on Mon, Tue'], at('2026-03-03T12:00:00'))).toBe('allow 1')
})

test.each([
  ['', 'begins with allow or ask'], ['never send_sms', 'begins with allow or ask'], ['allow', 'names a tool'], ['allow to Mom', 'names a tool'],
  ['allow send_sms Mom', '"Mom" is none of'], ['allow send_sms to', 'needs a name'], ['allow send_sms to or', 'needs a name'], ['allow anything to @', 'needs a name'],
  ['ask anything over many', 'needs a number'], ['ask anything between 9 and 5', 'needs two times'], ['ask anything on holidays', 'needs weekdays'],
  ['allow anything outside @work.org', 'for rules that ask'], ['allow anything over 5', 'for rules that ask'],
])('%j is no rule: %s', (text, reason) => {
  expect(() => parseRule(text)).toThrow(reason)
})
