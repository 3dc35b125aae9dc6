// Plug-ins: files of the user's own, loaded from a folder. (TypeScript without Vite is tested with the built program.)
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {describe, expect, onTestFinished, test} from 'vitest'
import {loadConfig} from '../../src/core/config.ts'
import {paramsOf} from '../../src/core/params.ts'
import {pathsOf} from '../../src/core/paths.ts'
import type {ToolContext} from '../../src/core/types.ts'
import {changeWord, wordFile} from '../../src/tools/approvals.ts'
import {openForeign} from '../../src/tools/foreign.ts'
import {example, loadPlugins} from '../../src/tools/plugins/plugins.ts'

const context: ToolContext = {signal: new AbortController().signal, now: new Date('2026-03-03T09:15:00'), key: 'k', ask: async () => undefined, aside: (_, change) => change(), progress: () => undefined}

function home(files: Record<string, string>): {dir: string; paths: ReturnType<typeof pathsOf>} {
  const dir = mkdtempSync(path.join(tmpdir(), 'tinyagent-plugins-'))
  onTestFinished(() => rmSync(dir, {recursive: true, force: true}))
  const paths = pathsOf({home: dir})
  mkdirSync(path.join(paths.config, 'tools'), {recursive: true})
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(paths.config, 'tools', name), text)
  return {dir: path.join(paths.config, 'tools'), paths}
}

const plugin = (fields: string): string => `export default ({tool, arg, z}) => [tool({name: 'count_sheep', description: 'Count sheep.', args: z.object({number: arg.integer(), until: arg.when()}), effect: 'read', returns: 'text',
  preview: async () => ({effect: 'read', title: 'Sheep', fields: []}), run: async ({number}) => ({value: String(number), summary: number + ' sheep'}), ${fields}})]`

test('the example that `tools new` writes is a plug-in', async () => {
  const {dir} = home({'drink_water.js': example('drink_water')})
  const {tools, problems} = await loadPlugins(dir)
  expect(problems).toEqual([])
  expect(tools.map(({tool}) => [tool.name, paramsOf(tool).map(p => p.kind), tool.foreign])).toEqual([['drink_water', ['number', 'choice'], true]])
  expect(await tools[0]!.tool.preview({amount: 2, unit: 'litres'}, context)).toMatchObject({effect: 'outward', fields: [{label: 'Amount', value: '2 litres'}, {label: 'File'}]})
  await expect(tools[0]!.tool.run({amount: 0, unit: 'litres'}, context)).rejects.toMatchObject({code: 'invalid-args'})
})

test('a file that is wrong is named with the reason, and the others are there', async () => {
  const {dir} = home({
    'a.js': plugin(''),
    'b.js': 'export default 5 +',
    'c.js': 'export const other = 1',
    'd.js': plugin('effect: "everything"'),
    'e.js': plugin('args: {}'),
    'f.js': plugin('name: "Two Words"'),
    'g.js': 'throw new Error("no luck")',
    'h.js': plugin('effect: "local"'),
    'i.js': plugin('run: 5'),
    'j.mjs': 'export default ({z}) => ({name: "j", description: "J.", args: z.object({a: z.string()}), effect: "read", preview() {}, run() {}})',
    '_shared.js': 'nothing', '.hidden.js': 'nothing', 'x.test.js': 'nothing', 'readme.md': 'nothing',
  })
  const {tools, problems} = await loadPlugins(dir)
  expect(tools.map(({tool, file}) => [tool.name, path.basename(file)])).toEqual([['count_sheep', 'a.js']])
  expect(problems.map(p => p.replace(`${dir}${path.sep}`, ''))).toEqual([
    expect.stringMatching(/^b\.js: /), expect.stringMatching(/^c\.js: it has no default export/), expect.stringMatching(/^d\.js: count_sheep: effect: expected "read", "local" or "outward"/),
    expect.stringMatching(/^e\.js: count_sheep: args: expected z\.object/), expect.stringMatching(/^f\.js: Two Words: name: expected a name/), 'g.js: no luck',
    expect.stringMatching(/^h\.js: count_sheep: undo: a tool with the effect "local" needs undo/), expect.stringMatching(/^i\.js: count_sheep: run: expected a function/), 'j.mjs: j.a: not made of arg.*()',
  ])
})

describe('what it may do without asking', () => {
  const previews = async (files: Record<string, string>, word?: 'read' | 'local'): Promise<unknown[]> => {
    const {paths} = home(files)
    if (word) await changeWord(wordFile(paths.config), all => { all.effects['count_sheep'] = word })
    const {tools} = await openForeign(loadConfig(paths), '1')
    return Promise.all(tools.map(async ({tool}) => (await tool.preview({number: 1, until: ''}, context)).effect))
  }
  test('nothing, whatever it says of itself, until the user says so', async () => {
    expect(await previews({'a.js': plugin('')})).toEqual(['outward'])
    expect(await previews({'a.js': plugin('')}, 'read')).toEqual(['read'])
  })
  test('and never more than it says of the call itself', async () => {
    expect(await previews({'a.js': plugin('effect: "outward", preview: async () => ({effect: "outward", title: "", fields: []})')}, 'read')).toEqual(['outward'])
    expect(await previews({'a.js': plugin('')}, 'local')).toEqual(['local'])
  })
})

test('two plug-ins of one name: the first counts, the second is a problem', async () => {
  const {paths} = home({'a.js': plugin(''), 'b.js': plugin('')})
  const {tools, problems} = await openForeign(loadConfig(paths), '1')
  expect(tools.map(t => path.basename(t.from))).toEqual(['a.js'])
  expect(problems).toEqual([expect.stringMatching(/b\.js: count_sheep: .*a\.js has a tool of this name already$/)])
})

test('a tools.json that is damaged counts for nothing and says so', async () => {
  const {paths} = home({'a.js': plugin('')})
  writeFileSync(wordFile(paths.config), '{"effects": {"count_sheep": "everything"}}')
  const {tools, problems} = await openForeign(loadConfig(paths), '1')
  expect(tools.map(t => t.word)).toEqual([undefined])
  expect(problems).toEqual([expect.stringMatching(/tools\.json cannot be read/)])
})
