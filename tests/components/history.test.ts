import {mkdtempSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {expect, it} from 'vitest'
import {addToHistory, readHistory, startWalk, step} from '../../src/components/history.ts'

const fresh = (): string => path.join(mkdtempSync(path.join(tmpdir(), 'history-')), 'state', 'history')

it('keeps requests between runs, each once, newest last, for the user alone', () => {
  const file = fresh()
  addToHistory(file, 'a\nb')
  addToHistory(file, 'c')
  expect(addToHistory(file, 'a\nb')).toEqual(['c', 'a\nb'])
  expect(readHistory(file)).toEqual(['c', 'a\nb'])
  expect(statSync(file).mode & 0o777).toBe(0o600)
})
it('reads past a damaged line', () => {
  const file = fresh()
  addToHistory(file, 'good')
  writeFileSync(file, readFileSync(file, 'utf8') + '"torn')
  expect(readHistory(file)).toEqual(['good'])
})
it('gives the draft back after a walk up, with what was typed on the way', () => {
  const up = step(startWalk(['old', 'new']), -1, 'draft')!
  expect(up.text).toBe('new')
  const higher = step(up.walk, -1, 'new, changed')!
  expect(higher.text).toBe('old')
  expect(step(higher.walk, -1, 'old')).toBeUndefined()
  const down = step(higher.walk, 1, 'old')!
  expect(down.text).toBe('new, changed')
  expect(step(down.walk, 1, 'new, changed')!.text).toBe('draft')
})
