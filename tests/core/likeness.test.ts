import {describe, expect, test} from 'vitest'
import {likeTools} from '../../src/core/likeness.ts'
import {foreignSpec, foreignTool} from '../../src/core/params.ts'
import type {ToolSpec} from '../../src/core/types.ts'

const tool = (name: string, description = '', ...parameters: string[]): ToolSpec => foreignSpec(foreignTool.parse({name, description, parameters: parameters.map(p => ({name: p}))}))
const factory = Array.from({length: 200}, (_, i) => tool(`factory.gadget_${i}`, `Turn gadget number ${i} of the factory on.`, 'speed'))
const best = (request: string, tools: ToolSpec[]): string | undefined => likeTools(request, tools)[0]?.name

describe('of two hundred tools', () => {
  const tools = [...factory, tool('home.setThermostat', 'Heat a room.', 'room', 'celsius'), tool('bank.transfer_money', 'Pay someone from an account.', 'payee', 'amount'), tool('music.queue_track', 'Queue a song.', 'artist')]

  test.each([
    ['turn the thermostat in the bedroom up to 21', 'home.setThermostat'],
    ['please pay Dinesh 240 euros from my joint account', 'bank.transfer_money'],
    ['queue up some songs by Fela Kuti', 'music.queue_track'],
  ])('%s', (request, name) => { expect(best(request, tools)).toBe(name) })

  test('those that share nothing with the request are not among them', () => {
    const found = likeTools('pay Dinesh from my joint account', tools).map(t => t.name)
    expect(found).toContain('bank.transfer_money')
    expect(found).not.toContain('home.setThermostat')
  })
})

test('other words, another script, or no words at all find nothing and fail nothing', () => {
  expect(likeTools('zzzz', factory)).toEqual([])
  expect(likeTools('', factory)).toEqual([])
  expect(likeTools('anything', [])).toEqual([])
  expect(best('明日の天気', [tool('a.weather', '明日の天気を調べる'), tool('b.other', '音楽'), tool('c.third', '電話'), tool('d.fourth', '手紙')])).toBe('a.weather')
})
