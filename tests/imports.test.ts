// The rules of STYLE.md on who may import whom.
import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {expect, test} from 'vitest'

const root = path.resolve(import.meta.dirname, '../src')
const sources = readdirSync(root, {recursive: true, encoding: 'utf8'}).filter(f => /\.tsx?$/.test(f)).map(f => f.split(path.sep).join('/'))

/** Our own files that a file imports, from src/; `import type` alone does not count where `isTypeFree`. */
function imports(file: string, {withTypes = true} = {}): string[] {
  const text = readFileSync(path.join(root, file), 'utf8')
  return [...text.matchAll(/^(?:import|export)(\s+type)?\s[^'"]*?from\s+'(\.[^']+)'|^import\s+'(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm)]
    .filter(m => withTypes || m[1] === undefined)
    .map(m => path.posix.join(path.posix.dirname(file), (m[2] ?? m[3] ?? m[4])!))
}

const offenders = (files: string[], isAllowed: (target: string, file: string) => boolean): string[] =>
  files.flatMap(file => imports(file).filter(target => !isAllowed(target, file)).map(target => `${file} imports ${target}`))

test('the core imports neither tools nor components nor commands', () => {
  expect(offenders(sources.filter(f => f.startsWith('core/')), target => target.startsWith('core/'))).toEqual([])
})

test('components import only the core\'s types and text, and each other', () => {
  const allowed = ['core/types.ts', 'core/text.ts']
  expect(offenders(sources.filter(f => f.startsWith('components/')), target => target.startsWith('components/') || allowed.includes(target))).toEqual([])
})

test('tools know nothing of plans, events, dialogs or commands', () => {
  const forbidden = ['core/run.ts', 'core/executor.ts', 'core/journal.ts', 'core/joiner.ts', 'core/planner.ts', 'core/plan-parser.ts', 'core/prompt.ts', 'core/grammar.ts']
  const files = sources.filter(f => f.startsWith('tools/'))
  expect(offenders(files, target => (target.startsWith('core/') || target.startsWith('tools/')) && !forbidden.includes(target))).toEqual([])
})

test('types.ts imports nothing of ours', () => {
  expect(imports('core/types.ts')).toEqual([])
})

test('no file imports itself round a circle', () => {
  const state = new Map<string, 'open' | 'closed'>()
  const circles: string[] = []
  const visit = (file: string, trail: string[]): void => {
    if (state.get(file) === 'closed') return
    if (state.get(file) === 'open') { circles.push([...trail.slice(trail.indexOf(file)), file].join(' -> ')); return }
    state.set(file, 'open')
    for (const target of imports(file, {withTypes: false})) visit(target, [...trail, file])
    state.set(file, 'closed')
  }
  for (const file of sources) visit(file, [])
  expect(circles).toEqual([])
})

test('every import of ours names a file that is there', () => {
  expect(sources.flatMap(file => imports(file).filter(target => !sources.includes(target) && !target.endsWith('package.json')).map(target => `${file} imports ${target}`))).toEqual([])
})
