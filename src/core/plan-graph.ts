// When two plans are the same plan: plan success as the TinyAgent paper measures it, by isomorphism of the graphs of calls.
import {paramsOf} from './params.ts'
import type {Arg, Kind, Plan, Ref, Task, ToolSpec} from './types.ts'

/**
 * True when the calls can be paired one to one so that tool names and dependencies agree, whatever the
 * order and the arguments. A plan of join() alone equals only such a plan.
 */
export const samePlan = (a: Plan, b: Plan): boolean => isomorphic(a, b, () => true)

/**
 * True when the calls can be paired as in `samePlan` and their arguments agree too. Resolve both plans first
 * (core/resolve.ts). References agree when the calls they point to are paired; dates, numbers, booleans and choices
 * when they are equal; names, files, places, labels, addresses and phones when their letters and digits are, in any case;
 * lists as sets. Free text (titles, texts) agrees when its references do and its words overlap with F1 of 0.5 or more,
 * in lower case and without stop words; beside a reference, words that only one side has are not held against it.
 * Arguments of tools that are not ours agree as names do, or, from three words on, as free text does.
 */
export function sameArgs(a: Plan, b: Plan, specs: ToolSpec[]): boolean {
  const kinds = new Map(specs.map(s => [s.name, paramsOf(s).map(p => p.kind)]))
  return isomorphic(a, b, (x, y, pairs) => x.args.length === y.args.length &&
    x.args.every((arg, i) => sameArg(arg, y.args[i]!, kinds.get(x.tool)?.[i] ?? 'any', pairs)))
}

/** ids of the first plan -> ids of the second, for the calls paired so far */
type Pairs = ReadonlyMap<number, number>

/** Backtracking over calls of one colour; ids ascend along dependencies, so what a call depends on is paired before it. */
function isomorphic(a: Plan, b: Plan, agree: (x: Task, y: Task, pairs: Pairs) => boolean): boolean {
  if (a.tasks.length !== b.tasks.length) return false
  const colourOfA = colours(a), colourOfB = colours(b)
  if ([...colourOfA.values()].sort().join('\n') !== [...colourOfB.values()].sort().join('\n')) return false
  const pairs = new Map<number, number>()
  const used = new Set<number>()
  const pairFrom = (index: number): boolean => {
    const x = a.tasks[index]
    if (!x) return true
    for (const y of b.tasks) {
      if (used.has(y.id) || colourOfA.get(x.id) !== colourOfB.get(y.id)) continue
      if (!x.dependsOn.every(d => y.dependsOn.includes(pairs.get(d)!)) || !agree(x, y, pairs)) continue
      pairs.set(x.id, y.id)
      used.add(y.id)
      if (pairFrom(index + 1)) return true
      pairs.delete(x.id)
      used.delete(y.id)
    }
    return false
  }
  return pairFrom(0)
}

/** A call's tool, refined by the colours of what it depends on and of what depends on it: few pairs are left to try. */
function colours(plan: Plan): Map<number, string> {
  let colour = new Map(plan.tasks.map(t => [t.id, t.tool]))
  for (let round = 0; round < 2; round++) {
    const of = (ids: number[]): string => ids.map(id => colour.get(id)).sort().join(',')
    colour = new Map(plan.tasks.map(t =>
      [t.id, `${t.tool}(${of(t.dependsOn)})(${of(plan.tasks.filter(u => u.dependsOn.includes(t.id)).map(u => u.id))})`]))
  }
  return colour
}

function sameArg(a: Arg, b: Arg, kind: Kind, pairs: Pairs): boolean {
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) &&
      a.every(x => b.some(y => sameArg(x, y, kind, pairs))) && b.every(y => a.some(x => sameArg(x, y, kind, pairs)))
  }
  if (isPlain(a) && isPlain(b)) return typeof a === 'string' && typeof b === 'string' ? sameText(a, b, kind) : a === b
  return isTextual(a) && isTextual(b) && sameReferences(a, b, kind, pairs)
}

const isPlain = (a: Arg): a is string | number | boolean => typeof a !== 'object'
const isTextual = (a: Arg): boolean => typeof a === 'string' || typeof a === 'object'

function pieces(a: Arg): {refs: number[]; words: string} {
  const all: (string | Ref)[] = typeof a === 'string' ? [a] : typeof a !== 'object' || Array.isArray(a) ? [] : 'ref' in a ? [a] : a.template
  return {
    refs: [...new Set(all.flatMap(p => typeof p === 'object' ? [p.ref] : []))],
    words: all.map(p => typeof p === 'string' ? p : ' ').join('').trim(),
  }
}

/** Text of which at least one side holds a reference. */
function sameReferences(a: Arg, b: Arg, kind: Kind, pairs: Pairs): boolean {
  const x = pieces(a), y = pieces(b)
  if (x.refs.length !== y.refs.length || !x.refs.every(r => y.refs.includes(pairs.get(r)!))) return false
  return tokens(x.words).length === 0 || tokens(y.words).length === 0 || sameText(x.words, y.words, kind)
}

function sameText(a: string, b: string, kind: Kind): boolean {
  switch (kind) {
    case 'title':
    case 'text': return sameName(a, b) || overlap(a, b) >= 0.5
    case 'any': return sameName(a, b) || Math.min(tokens(a).length, tokens(b).length) >= 3 && overlap(a, b) >= 0.5
    case 'when':
    case 'until':
    case 'choice': return a === b
    default: return sameName(a, b)
  }
}

const letters = (text: string): string => text.normalize('NFKC').toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

/** Equal but for case, spaces and punctuation; what has no letters at all ("+", an emoji) has to be the same. */
const sameName = (a: string, b: string): boolean => a === b || letters(a) !== '' && letters(a) === letters(b)

const stopWords = new Set(('a an the and or but of to in on at by for from with about as is are was were be been am do does did have has had will would can could ' +
  'should shall may i you he she it we they me him her us them my your his its our their this that these those there here so please hi hello dear').split(' '))

function tokens(text: string): string[] {
  const words = text.normalize('NFKC').toLowerCase().replace(/['’]/g, '').match(/[\p{L}\p{N}]+/gu) ?? []
  const telling = words.filter(w => !stopWords.has(w))
  return telling.length > 0 ? telling : words
}

/** F1 of the two bags of words. */
function overlap(a: string, b: string): number {
  const left = tokens(a), right = tokens(b)
  const counts = new Map<string, number>()
  for (const w of left) counts.set(w, (counts.get(w) ?? 0) + 1)
  let shared = 0
  for (const w of right) {
    const n = counts.get(w) ?? 0
    if (n > 0) { shared++; counts.set(w, n - 1) }
  }
  return left.length + right.length === 0 ? 1 : 2 * shared / (left.length + right.length)
}
