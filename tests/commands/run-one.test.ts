import {expect, test} from 'vitest'
import {isAllowed} from '../../src/commands/run-one.ts'
import type {Preview} from '../../src/core/types.ts'

const typed: Preview = {effect: 'outward', title: 'Mail', fields: [{label: 'To', value: ['ana@example.org'], arg: 'to'}], body: {text: 'hi', arg: 'text'}, sources: {to: 'lookup', text: 'user'}}
const policy = {send: 'allow', other: 'ask'} as const

test('a policy allows its own tool, and never what somebody else wrote', () => {
  expect(isAllowed('send', typed, {yes: false, policy})).toBe(true)
  expect(isAllowed('other', typed, {yes: false, policy})).toBe(false)
  expect(isAllowed('third', typed, {yes: false, policy})).toBe(false)
  const foreign: Preview[] = [
    {...typed, sources: {to: 'user', text: 'document'}},
    {...typed, fields: [{label: 'To', value: ['eve@example.org'], source: 'document'}]},
    {...typed, body: {text: '> quoted', arg: 'text', source: 'document'}},
  ]
  for (const preview of foreign) expect(isAllowed('send', preview, {yes: false, policy})).toBe(false)
})

test('--yes allows every step of its request', () => {
  expect(isAllowed('third', {...typed, sources: {text: 'document'}}, {yes: true, policy: {}})).toBe(true)
})
