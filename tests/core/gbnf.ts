// Writes what a GBNF grammar allows, choosing at random: for the properties of core/grammar.ts. Knows what our grammars use.

type Node =
  | {text: string}
  | {rule: string}
  | {oneOf: Node[]}
  | {all: Node[]}
  | {repeat: Node; least: number; most: number}
  | {chars: string; not: boolean}

const escapes: Record<string, string> = {n: '\n', t: '\t', r: '\r'}
const unescape = (text: string): string => text.replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(.))/gis, (_, x?: string, u?: string, c = '') =>
  x ?? u ? String.fromCharCode(parseInt((x ?? u)!, 16)) : escapes[c as string] ?? (c as string))

function parseRule(source: string): Node {
  const tokens = source.match(/"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|\{\d*,?\d*\}|[A-Za-z][\w-]*|[()|*?+]/gs) ?? []
  let at = 0
  const either = (): Node => {
    const options = [sequence()]
    while (tokens[at] === '|') { at++; options.push(sequence()) }
    return {oneOf: options}
  }
  const sequence = (): Node => {
    const all: Node[] = []
    while (at < tokens.length && tokens[at] !== '|' && tokens[at] !== ')') all.push(repeated(one()))
    return {all}
  }
  const one = (): Node => {
    const token = tokens[at++]!
    if (token === '(') { const inner = either(); at++; return inner }
    if (token.startsWith('"')) return {text: unescape(token.slice(1, -1))}
    if (token.startsWith('[')) return {not: token[1] === '^', chars: unescape(token.slice(token[1] === '^' ? 2 : 1, -1))}
    return {rule: token}
  }
  const repeated = (node: Node): Node => {
    const sign = tokens[at]
    if (sign === undefined || !/^[*?+{]/.test(sign)) return node
    at++
    const [, least = '0', most = ''] = /^\{(\d*),?(\d*)\}$/.exec(sign) ?? []
    return sign === '?' ? {repeat: node, least: 0, most: 1} : {repeat: node, least: sign === '+' ? 1 : sign === '*' ? 0 : Number(least), most: most === '' ? 1000 : Number(most)}
  }
  return either()
}

/** What [^...] may give: letters of several scripts, an emoji, punctuation, and what would hurt if it were let through. */
const anything = [...'abz09 ,.\'!?()[]{}:;/&@-_éğ漢ش😀"\\$\n\u0000']

/** From 0 to below 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A text that the grammar allows, another one for each seed. */
export function write(grammar: string, seed: number): string {
  const random = randomFrom(seed)
  const rules = new Map(grammar.trim().split('\n').map(line => {
    const [name = '', body = ''] = line.split(/ ::= (.*)/s)
    return [name, parseRule(body)]
  }))
  const pick = <T>(items: T[]): T => items[Math.floor(random() * items.length)]!
  const visit = (node: Node): string => {
    if ('text' in node) return node.text
    if ('rule' in node) return visit(rules.get(node.rule) ?? fail(node.rule))
    if ('oneOf' in node) return visit(pick(node.oneOf))
    if ('all' in node) return node.all.map(visit).join('')
    if ('repeat' in node) {
      let text = ''
      for (let i = 0; i < node.most && (i < node.least || random() < 0.6); i++) text += visit(node.repeat)
      return text
    }
    return pick(members(node))
  }
  return visit({rule: 'root'})
}

function members({chars, not}: {chars: string; not: boolean}): string[] {
  const set = new Set<string>()
  const ranges: [number, number][] = []
  const all = [...chars]
  for (let i = 0; i < all.length; i++) {
    const from = all[i]!.codePointAt(0)!
    if (all[i + 1] === '-' && i + 2 < all.length) { ranges.push([from, all[i + 2]!.codePointAt(0)!]); i += 2 } else ranges.push([from, from])
  }
  const isIn = (c: string): boolean => ranges.some(([a, b]) => c.codePointAt(0)! >= a && c.codePointAt(0)! <= b)
  if (not) return anything.filter(c => !isIn(c))
  for (const [a, b] of ranges) for (let c = a; c <= b; c++) set.add(String.fromCodePoint(c))
  return [...set]
}

function fail(rule: string): never { throw new Error(`the grammar has no rule ${rule}`) }
