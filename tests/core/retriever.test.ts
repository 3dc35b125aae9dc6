import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {describe, expect, test} from 'vitest'
import {foreignSpec, foreignTool} from '../../src/core/params.ts'
import {openRetriever, selectTools} from '../../src/core/retriever.ts'
import {specs} from '../../src/tools/specs.ts'

const scores = (given: Record<string, number>): Map<string, number[]> => new Map(specs.map(s => [s.name, [given[s.name] ?? 0.01, 0.001]]))
const select = (given: Record<string, number>, likeness: Record<string, number> = {}, tools = specs): [string, number][] =>
  selectTools(tools, scores(given), new Map(Object.entries(likeness)), 0.5).map(t => [t.name, t.score])
const foreign = (name: string, description = ''): (typeof specs)[number] => foreignSpec(foreignTool.parse({name, description}))

describe('selectTools', () => {
  test('takes what reaches the threshold, in the order of the tools', () => {
    expect(select({open_note: 0.5, get_phone_number: 0.9, send_sms: 0.49})).toEqual([['get_phone_number', 0.9], ['open_note', 0.5]])
  })

  test('takes a look-up at a lower score than a tool that does something', () => {
    const scored = scores({get_email_address: 0.018, compose_new_email: 0.018, create_note: 0.03})
    expect(selectTools(specs, scored, new Map(), 0.015).map(t => t.name)).toEqual(['get_email_address', 'create_note'])
  })

  test('adds the look-up that a chosen tool cannot do without, with its own score', () => {
    expect(select({send_sms: 0.9, get_phone_number: 0.2})).toEqual([['get_phone_number', 0.2], ['send_sms', 0.9]])
    expect(select({summarize_pdf: 0.9}).map(([name]) => name)).toEqual(['open_and_get_file_path', 'summarize_pdf'])
    expect(select({reply_to_email: 0.9}).map(([name]) => name)).toEqual(['reply_to_email'])
  })

  test('does not add a look-up that is not on offer', () => {
    const tools = specs.filter(s => s.name !== 'get_phone_number')
    const on = new Map([...scores({send_sms: 0.9})].filter(([name]) => name !== 'get_phone_number'))
    expect(selectTools(tools, on, new Map(), 0.5).map(t => t.name)).toEqual(['send_sms'])
  })

  test('takes the five tools of others that are called most probably, and none that is hardly called', () => {
    const tools = [...specs, ...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(n => foreign(n))]
    expect(select({}, {a: 0.2, b: 0.9, c: 0.3, d: 0.1, e: 0.4, f: 0.5, g: 0.6}, tools).map(([name]) => name)).toEqual(['b', 'c', 'e', 'f', 'g'])
    expect(select({}, {a: 0.015}, tools)).toEqual([])
  })

  test('hands on the chances of each tool; one of others is rarely called twice', () => {
    const tools = [...specs, foreign('lights.set')]
    expect(selectTools(tools, scores({create_note: 0.9}), new Map([['lights.set', 0.5]]), 0.5)).toEqual([
      {name: 'create_note', score: 0.9, calls: [0.9, 0.001]}, {name: 'lights.set', score: 0.5, calls: [0.5, 0.01]},
    ])
  })

  test('takes nothing where nothing fits', () => { expect(select({})).toEqual([]) })
})

describe('with the real model', () => {
  const signal = new AbortController().signal

  test('scores are from 0 to 1, the order is that of the tools, vectors have length one', {timeout: 60_000}, async () => {
    const retriever = await openRetriever({dir: path.resolve('models/retriever')})
    const tools = [...specs, foreign('lights.set', 'Set the lights of a room.')]
    const chosen = await retriever.select('Text Ana that I am late', tools, signal)
    const order = tools.map(t => t.name)
    expect(chosen.length).toBeGreaterThan(0)
    expect(chosen.map(t => order.indexOf(t.name))).toEqual(chosen.map(t => order.indexOf(t.name)).sort((a, b) => a - b))
    for (const {score, calls = []} of chosen) {
      expect(score >= 0 && score <= 1).toBe(true)
      expect(calls).toEqual([...calls].sort((a, b) => b - a))
    }
    expect(chosen.find(t => t.name === 'send_sms')?.calls).toHaveLength(4)
    const vectors = await retriever.embed(['', 'Text Ana', 'word '.repeat(2000), '漢字 😀'], signal)
    for (const v of vectors) expect(Math.hypot(...v)).toBeCloseTo(1, 3)
    expect(await retriever.embed([], signal)).toEqual([])
    expect(await retriever.select('Text Ana', [], signal)).toEqual([])
    await expect(retriever.select('Text Ana', specs, AbortSignal.abort())).rejects.toThrow('abort')
    await retriever.close()
  })

  test('a tool of others is offered where the request needs it, by its name and description alone', {timeout: 60_000}, async () => {
    const retriever = await openRetriever({dir: path.resolve('models/retriever')})
    const asked = [
      ['Turn the bedroom lights down to 20 percent', foreign('lights.set', 'Set the lights of a room.')],
      ['Switch off the kitchen lamp', foreign('light_switch', 'Turns a light on or off.')],
      ['make it 21 degrees in the hall', foreign('setThermostat', 'Sets the temperature of a room.')],
      ['play some jazz', foreign('spotify-play', 'Plays music.')],
      ['post in slack that I\'m late', foreign('slack.post_message', 'Posts a message to a channel.')],
      ['What will the weather be in Oslo tomorrow?', foreign('weatherForecast', 'The weather of the next days at a place.')],
    ] as const
    const others = asked.map(([, tool]) => tool)
    const chances = async (request: string, tools = others): Promise<Map<string, number>> => new Map((await retriever.select(request, [...specs, ...tools], signal)).map(t => [t.name, t.score]))
    const found = await Promise.all(asked.map(async ([request, tool]) => (await chances(request)).get(tool.name) ?? 0))
    expect(found.filter(score => score > 0.2).length).toBeGreaterThanOrEqual(5) // offered from 0.02 on
    const mail = await chances('Text Ana that I am late')
    expect(others.every(tool => (mail.get(tool.name) ?? 0) < 0.5)).toBe(true)
    // Of many, the words tell which are read.
    const many = Array.from({length: 40}, (_, i) => foreign(`machine.part${i}`, `Switches part ${i} of the machine.`))
    expect((await chances('Switch off the kitchen lamp', [...others, ...many])).get('light_switch') ?? 0).toBeGreaterThan(0.2)
    await retriever.close()
  })

  test('a folder without the model is a ModelError that names the file', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'retriever-'))
    await expect(openRetriever({dir})).rejects.toMatchObject({name: 'ModelError', message: expect.stringContaining('labels.json') as string})
    rmSync(dir, {recursive: true})
  })
})
