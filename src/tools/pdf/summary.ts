// An extractive summary: the document's own sentences, word for word, so that it cannot invent. Sentences are ranked by how
// near they are to the whole document, and against those already chosen (maximal marginal relevance, Carbonell & Goldstein 1998).
export type Embed = (texts: string[], signal: AbortSignal) => Promise<Float32Array[]>

interface Sentence { text: string; page: number }
const maxRanked = 200
/** weight of being near the document against being unlike the chosen ones */
const relevance = 0.7

/** After these a full stop ends no sentence. */
const abbreviation = /(?:^|[\s(])(?:Dr|Mr|Mrs|Ms|Prof|St|Sr|Jr|vs|cf|e\.g|i\.e|approx|No|Nos|Fig|Figs|Eq|Sec|Art|Vol|p|pp|al|z\.B|bzw|ca|\p{Lu})\.$/u

/**
 * The sentences of all pages. Lines of a paragraph are joined; a word cut by a hyphen at a line's end is put together,
 * unless the document has it with its hyphen elsewhere ("well-known").
 */
export function sentencesOf(pages: string[]): Sentence[] {
  const segmenter = new Intl.Segmenter('en', {granularity: 'sentence'})
  const hyphened = new Set(pages.join('\n').match(/\p{Ll}+-\p{Ll}+/gu) ?? [])
  const whole = (cut: string, before: string, after: string): string => hyphened.has(`${before}-${after}`) ? `${before}-${after}` : before + after
  const found = pages.flatMap((page, i) => page.split(/\n[^\S\n]*\n/).flatMap(paragraph => {
    const text = paragraph.replace(/(\p{Ll}+)-\n(\p{Ll}+)/gu, whole).replace(/\s+/g, ' ').trim()
    const sentences: string[] = []
    for (const {segment} of segmenter.segment(text)) {
      const before = sentences.at(-1)
      if (before !== undefined && abbreviation.test(before.trimEnd())) sentences[sentences.length - 1] = before + segment
      else sentences.push(segment)
    }
    return sentences.map(s => ({text: s.trim(), page: i + 1}))
      // Headings, page numbers and table rows are no sentences.
      .filter(s => s.text.length >= 25 && s.text.length <= 600 && s.text.split(' ').length >= 5)
  }))
  // One that goes on over the end of a page would be quoted by half, and half of it may say the opposite.
  const complete = found.filter(s => !/^\p{Ll}/u.test(s.text) && /[.!?\u2026:\u3002][)\]"'\u201d\u2019\u00bb]*$/u.test(s.text))
  return complete.length > 0 ? complete : found
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0)

/** Unit vectors of word counts, for when there is no model. */
export const wordVectors = (texts: string[]): Float32Array[] => {
  const bags = texts.map(t => t.toLowerCase().match(/\p{L}{4,}/gu) ?? [])
  const place = new Map([...new Set(bags.flat())].map((w, i) => [w, i]))
  return bags.map(bag => {
    const vector = new Float32Array(place.size)
    for (const w of bag) vector[place.get(w)!]! += 1
    const length = Math.hypot(...vector) || 1
    return vector.map(x => x / length)
  })
}

/** At most five sentences in the document's order, each quoted with its page: "\u201c...\u201d (p. 3)"; or as many as are wanted, without marks. */
export async function summarize(pages: string[], embed: Embed | undefined, signal: AbortSignal, {wanted = 5, isQuoted = true} = {}): Promise<string> {
  const all = sentencesOf(pages)
  const quote = (s: Pick<Sentence, 'text'> & {page?: number}): string => !isQuoted ? s.text : `\u201c${s.text}\u201d${s.page !== undefined && pages.length > 1 ? ` (p. ${s.page})` : ''}`
  if (all.length <= wanted) return (all.length > 0 ? all.map(quote) : [quote({text: pages.join(' ').replace(/\s+/g, ' ').trim().slice(0, 600)})]).join('\n')
  // A long document is sampled evenly.
  const step = Math.max(1, all.length / maxRanked)
  const sentences = Array.from({length: Math.min(all.length, maxRanked)}, (_, i) => all[Math.floor(i * step)]!)
  const texts = sentences.map(s => s.text)
  const vectors = embed ? await embed(texts, signal) : wordVectors(texts)
  const centre = new Float32Array(vectors[0]!.length)
  for (const v of vectors) v.forEach((x, i) => { centre[i]! += x / vectors.length })
  const near = vectors.map(v => dot(v, centre))
  const chosen: number[] = []
  while (chosen.length < wanted) {
    let best = -1, bestScore = -Infinity
    vectors.forEach((v, i) => {
      if (chosen.includes(i)) return
      const like = Math.max(0, ...chosen.map(c => dot(v, vectors[c]!)))
      const score = relevance * near[i]! - (1 - relevance) * like
      if (score > bestScore) { best = i; bestScore = score }
    })
    chosen.push(best)
  }
  return chosen.sort((a, b) => a - b).map(i => quote(sentences[i]!)).join('\n')
}
