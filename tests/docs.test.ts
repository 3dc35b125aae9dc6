// The generated parts of the documentation say what the code says.
import {existsSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {expect, test} from 'vitest'
import {generate} from '../scripts/docs.ts'

const root = path.resolve(import.meta.dirname, '..')
const text = (file: string): string => readFileSync(path.join(root, file), 'utf8')

test.each(Object.entries(generate()))('%s is up to date (npm run docs)', (file, generated) => {
  expect(text(file)).toBe(generated)
})

test('the tool in docs/adding-a-tool.md is the one that a test runs', () => {
  const [, example = ''] = /```ts\n([^]*?)```/.exec(text('docs/adding-a-tool.md')) ?? []
  expect(text('tests/tools/example-tool.ts')).toContain(example)
})

test('every file that the documentation names is there', () => {
  for (const page of ['README.md', 'CONTRIBUTING.md', 'docs/adding-a-tool.md']) {
    const named = [...text(page).matchAll(/(?<![\w/.])((?:src|tests|docs|scripts|training|models)\/[\w./-]*\w)/g)].map(m => m[1]!)
    expect([page, named.filter(file => !existsSync(path.join(root, file)))]).toEqual([page, []])
  }
})
