import {chmod, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import fc from 'fast-check'
import {afterEach, describe, expect, test, vi} from 'vitest'
import {loadConfig} from '../../src/core/config.ts'
import {systemOpener} from '../../src/core/exec.ts'
import {pathsOf} from '../../src/core/paths.ts'
import type {Tool} from '../../src/core/types.ts'
import {openTools} from '../../src/tools/index.ts'
import {mapsTools, placeLink, routeLink, type MapsOptions, type MapsProvider} from '../../src/tools/maps/maps.ts'
import {contextFor, hostileTexts, tempFolder, toolError} from './vdir-programs.ts'

const providers: MapsProvider[] = ['openstreetmap', 'google', 'apple']
const named = (name: string, options?: MapsOptions): Tool => mapsTools(options).find(t => t.name === name) ?? expect.fail(`no ${name}`)
const query = (link: string): Record<string, string> => Object.fromEntries(new URL(link).searchParams)

describe('links', () => {
  test('a place', () => {
    expect(providers.map(p => placeLink(p, 'Café Müller, 5th Ave & 3rd'))).toEqual([
      'https://www.openstreetmap.org/search?query=Caf%C3%A9%20M%C3%BCller%2C%205th%20Ave%20%26%203rd',
      'https://www.google.com/maps/search/?api=1&query=Caf%C3%A9%20M%C3%BCller%2C%205th%20Ave%20%26%203rd',
      'https://maps.apple.com/?q=Caf%C3%A9%20M%C3%BCller%2C%205th%20Ave%20%26%203rd',
    ])
  })

  test('a way from a place, and from here', () => {
    expect(providers.map(p => query(routeLink(p, 'Home', 'Work & play', 'w')))).toEqual([
      {from: 'Home', to: 'Work & play', engine: 'fossgis_osrm_foot'},
      {api: '1', origin: 'Home', destination: 'Work & play', travelmode: 'walking'},
      {saddr: 'Home', daddr: 'Work & play', dirflg: 'w'},
    ])
    expect(providers.map(p => query(routeLink(p, ' ', 'Work', 'd')))).toEqual([
      {to: 'Work', engine: 'fossgis_osrm_car'}, {api: '1', destination: 'Work', travelmode: 'driving'}, {daddr: 'Work', dirflg: 'd'},
    ])
    expect(providers.map(p => query(routeLink(p, '', 'Work', 'r')))).toEqual([{to: 'Work'}, {api: '1', destination: 'Work', travelmode: 'transit'}, {daddr: 'Work', dirflg: 'r'}])
  })

  test.each(hostileTexts)('%j stays one value of the link', text => {
    const place = Buffer.from(text.replace(/[\s\p{Cc}]+/gu, ' ').trim()).toString().slice(0, 500)
    for (const provider of providers) {
      const link = placeLink(provider, place)
      expect(link).toMatch(/^https:\/\/[\w.]+\/[\w/]*\?[\w.~%&=-]+$/)
      expect(Object.values(query(link))).toContain(place)
      expect(new URL(link).hash).toBe('')
    }
  })

  test('any place at all comes back from the link as it was, and adds nothing to it', () => {
    fc.assert(fc.property(fc.string({unit: 'grapheme', minLength: 1, maxLength: 40}).map(s => s.replace(/[\s\p{Cc}]+/gu, ' ').trim()).filter(Boolean), fc.constantFrom(...providers), (place, provider) => {
      const link = routeLink(provider, place, place, 'd')
      expect(Object.values(query(link)).filter(value => value === place)).toHaveLength(2)
      expect(Object.keys(query(link)).length).toBeLessThanOrEqual(4)
    }))
  })
})

describe('the tools', () => {
  test('without an opener the link is printed, and is the result for a later step', async () => {
    const result = await named('maps_open_location').run({location: 'Alexanderplatz'}, contextFor())
    const link = 'https://www.openstreetmap.org/search?query=Alexanderplatz'
    expect(result).toEqual({value: link, summary: `Made the link of the map of Alexanderplatz: ${link}`, where: link})
  })

  test('the preview shows the link that will be opened, and opens nothing', async () => {
    const opened: string[] = []
    const directions = named('maps_show_directions', {provider: 'google', opener: async link => { opened.push(link); return true }})
    const args = {start_location: '', end_location: 'Gare du Nord', transport: 'r'}
    const {fields} = await directions.preview(args, contextFor())
    expect(opened).toEqual([])
    expect(fields.map(f => [f.label, f.value])).toEqual([['From', 'here'], ['To', 'Gare du Nord'], ['How', 'by public transport'], ['Link', routeLink('google', '', 'Gare du Nord', 'r')]])
    const result = await directions.run(args, contextFor())
    expect(opened).toEqual([routeLink('google', '', 'Gare du Nord', 'r')])
    expect(result.summary).toMatch(/^Opened the directions to Gare du Nord by public transport: https:/)
  })

  test('an opener that fails leaves the link', async () => {
    const result = await named('maps_open_location', {opener: async () => false}).run({location: 'Rome'}, contextFor())
    expect(result.summary).toMatch(/^Made the link of/)
  })

  test('OpenStreetMap says that it has no timetables', async () => {
    const args = {start_location: 'A', end_location: 'B', transport: 'r'}
    expect((await named('maps_show_directions').preview(args, contextFor())).notice).toContain('no timetables')
    expect((await named('maps_show_directions').run(args, contextFor())).summary).toContain('no timetables')
    expect((await named('maps_show_directions', {provider: 'apple'}).preview(args, contextFor())).notice).toBeUndefined()
  })

  test.each([['no', ' '], ['only a line end as', '\n'], ['a page as', 'x'.repeat(501)]])('%s place is refused with one line', async (_, location) => {
    const error = await toolError(named('maps_open_location').run({location}, contextFor()))
    expect([error.code, error.message.includes('\n')]).toEqual(['invalid-args', false])
  })

  test('nothing opens once the request is cancelled', async () => {
    const open = named('maps_open_location', {opener: async () => expect.fail('opened')})
    await expect(open.run({location: 'Rome'}, contextFor({signal: AbortSignal.abort()}))).rejects.toThrow('aborted')
  })
})

describe.skipIf(process.platform !== 'linux')('the opener of a desktop', () => {
  afterEach(() => { vi.unstubAllEnvs() })

  /** A folder with an opener that writes down what it was given. */
  async function desktop(program = 'xdg-open') {
    const {path, remove} = await tempFolder()
    const said = join(path, 'said')
    await writeFile(join(path, program), `#!/bin/sh\nprintf '%s\\n' "$#" "$@" > '${said}'\n`)
    await chmod(join(path, program), 0o755)
    return {env: {PATH: path, DISPLAY: ':0'}, said: () => readFile(said, 'utf8'), remove}
  }

  test.each(['$(touch x) `id` ; & | > y', "it's \"quoted\" %0A", '-rf /'])('gets the link of %j as one argument, with no shell between', async location => {
    const {env, said, remove} = await desktop()
    const opener = systemOpener({platform: 'linux', env})
    const result = await named('maps_open_location', {opener}).run({location}, contextFor())
    expect(result.summary).toMatch(/^Opened /)
    expect(await said()).toBe(`1\n${placeLink('openstreetmap', location)}\n`)
    await remove()
  })

  test.each(['$(touch x) `id` ; & | > y', 'a&calc.exe|b^c %PATH% "q"'])('of Windows gets the link of %j as one argument of rundll32, with no shell between', async location => {
    const {env, said, remove} = await desktop('rundll32.exe')
    const opener = systemOpener({platform: 'win32', env: {PATH: env.PATH}})
    await named('maps_open_location', {opener}).run({location}, contextFor())
    const link = placeLink('openstreetmap', location)
    expect(await said()).toBe(`2\nurl.dll,FileProtocolHandler\n${link}\n`)
    expect(link).not.toMatch(/[\s"]/) // else Windows would get it in quotes, which rundll32 passes on
    await remove()
  })

  test.each([[true, 'Opened the map'], [false, 'Made the link of the map']])('is used when the config says maps.open = %s: "%s"', async (open, said) => {
    const {env, remove} = await desktop()
    vi.stubEnv('PATH', env.PATH)
    vi.stubEnv('DISPLAY', env.DISPLAY)
    vi.stubEnv('SSH_CONNECTION', undefined)
    const paths = pathsOf({home: join(env.PATH, 'home'), platform: 'linux'})
    const file = join(env.PATH, 'config.toml')
    await writeFile(file, `[maps]\nopen = ${open}\n`)
    const {tools} = openTools(loadConfig(paths, file), {warn: () => {}, embed: async () => []})
    const result = await tools.find(t => t.name === 'maps_open_location')?.run({location: 'Rome'}, contextFor())
    expect(result?.summary).toContain(said)
    await remove()
  })

  test('is there only where somebody sees what it opens', async () => {
    const {env, remove} = await desktop()
    const {PATH} = env
    expect(systemOpener({platform: 'linux', env: {PATH}})).toBeUndefined()
    expect(systemOpener({platform: 'linux', env: {PATH, SSH_CONNECTION: '1.2.3.4 5 6.7.8.9 22'}})).toBeUndefined()
    expect(systemOpener({platform: 'linux', env: {PATH: '/nowhere', DISPLAY: ':0'}})).toBeUndefined()
    expect(systemOpener({platform: 'linux', env: {PATH, WAYLAND_DISPLAY: 'wayland-0'}})).toBeTypeOf('function')
    await remove()
  })
})
