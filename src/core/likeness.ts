// How like a request the words of a tool are (Okapi BM25 over pieces of words): which of many tools that nobody trained on are
// read by the retriever's model. Of 40 or of 80 strangers' tools its first five hold the needed ones of 95% of the wild rows.
import {paramsOf} from './params.ts'
import type {ToolSpec} from './types.ts'

const stopWords = new Set(('a an the and or but of to in on at by for from with about as is are was were be been am do does did have has had will would can could should ' +
  'shall may i you he she it we they me him her us them my your his its our their this that these those there here so please hi hello dear what which who how when where ' +
  'get set show make new').split(' '))
const pieceLength = 4
/** of BM25: how soon repetition stops counting, and how much long texts pay for their length */
const k1 = 1.2, b = 0.75
/** Under this nothing is shared but a piece or two; and far behind the best it is another matter. */
const floor = 2, share = 0.3

/** "volumes" and "volume" share most of their pieces of four letters. */
function pieces(text: string): string[] {
  const words = text.normalize('NFKC').replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2').toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  return words.filter(w => w.length > 1 && !stopWords.has(w)).flatMap(w => {
    const whole = `_${w}_`
    return w.length < pieceLength ? [whole] : Array.from({length: whole.length - pieceLength + 1}, (_, i) => whole.slice(i, i + pieceLength))
  })
}

const textOf = (spec: ToolSpec): string =>
  [spec.name.replace(/[_.-]+/g, ' '), spec.description, ...paramsOf(spec).map(p => `${p.name.replace(/[_.-]+/g, ' ')} ${p.description ?? ''}`)].join(' ')

/** The tools that are like the request at all, the likest first. */
export function likeTools(request: string, tools: ToolSpec[]): ToolSpec[] {
  const texts = tools.map(spec => pieces(textOf(spec)))
  const holding = new Map<string, number>()
  for (const text of texts) for (const piece of new Set(text)) holding.set(piece, (holding.get(piece) ?? 0) + 1)
  const length = texts.reduce((sum, text) => sum + text.length, 0) / Math.max(1, texts.length)
  const asked = new Set(pieces(request))
  const scores = texts.map(text => {
    const counts = new Map<string, number>()
    for (const piece of text) if (asked.has(piece)) counts.set(piece, (counts.get(piece) ?? 0) + 1)
    let score = 0
    for (const [piece, count] of counts) {
      const n = holding.get(piece)!
      score += Math.log(1 + (tools.length - n + 0.5) / (n + 0.5)) * count * (k1 + 1) / (count + k1 * (1 - b + b * text.length / length))
    }
    return score
  })
  const least = Math.max(floor, share * Math.max(0, ...scores))
  return tools.map((spec, i) => ({spec, score: scores[i]!})).filter(({score}) => score >= least).sort((a, b) => b.score - a.score).map(({spec}) => spec)
}
