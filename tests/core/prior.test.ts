import {expect, test} from 'vitest'
import {openings} from '../../src/core/prior.ts'

const tools = [{name: 'get_phone_number', returns: 'phone'}, {name: 'send_sms', returns: 'none'}] as const
const chances = (given: Record<string, number[]>): Map<string, number[]> => new Map(Object.entries(given))
/** chance of each opening, in percent */
const percent = (made: string[], given: Record<string, number[]>): Record<string, number> =>
  Object.fromEntries(openings([...tools], made, chances(given)).map(o => [o.text, Math.round(100 * o.weight)]))

test('the chances of all openings sum to one, and the end comes as no tool is needed any more', () => {
  expect(percent([], {get_phone_number: [0.9, 0], send_sms: [0.5, 0]})).toEqual({' get_phone_number': 86, ' send_sms': 9, ' join': 5})
  expect(percent(['send_sms', 'get_phone_number'], {get_phone_number: [0.9, 0.001], send_sms: [0.5, 0.001]})[' join']).toBe(100)
  expect(percent([], {get_phone_number: [0, 0], send_sms: [0, 0]})[' join']).toBe(100)
})

test('another call of a tool has the chance that its number of calls leaves', () => {
  const twice = {get_phone_number: [0.8, 0.4, 0], send_sms: [0, 0]}
  expect(percent(['get_phone_number'], twice)).toEqual({' get_phone_number': 50, ' send_sms': 0, ' join': 50})
  expect(percent(['get_phone_number', 'get_phone_number'], twice)[' join']).toBe(100)
})

test('what finds something comes before what can use it, as far as it is needed', () => {
  const [both, one] = [percent([], {get_phone_number: [1, 0], send_sms: [1, 0]}), percent([], {get_phone_number: [0.3, 0], send_sms: [1, 0]})]
  expect(both).toEqual({' get_phone_number': 91, ' send_sms': 9, ' join': 0})
  expect(one[' send_sms']).toBeGreaterThan(70)
  expect(percent(['get_phone_number'], {get_phone_number: [1, 0], send_sms: [1, 0]})[' send_sms']).toBe(100)
})

test('beyond what was counted, one more call is as likely as the last one that was', () => {
  expect(percent(Array<string>(5).fill('send_sms'), {get_phone_number: [0, 0], send_sms: [0.8, 0.4]})[' send_sms']).toBe(50)
})

test('nothing is impossible', () => {
  for (const {weight} of openings([...tools], [], chances({get_phone_number: [0, 0], send_sms: [1, 1]}))) expect(weight).toBeGreaterThan(0)
})

test('without chances for every tool there are none at all', () => {
  expect(openings([...tools], [], chances({send_sms: [1, 0]}))).toEqual([])
  expect(openings([...tools], [], undefined)).toEqual([])
  expect(openings([], [], chances({}))).toEqual([])
})
