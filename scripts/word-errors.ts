// Word error rate: the fewest words to put in, take out and replace, over the words of the reference.

const numbers = 'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'.split(' ')

/** Words as they count: no case, no punctuation, small numbers in figures, "9:30 am" as "9 30am". */
export const wordsOf = (text: string): string[] => text.toLowerCase()
  .replace(/(\d)\s?([ap])\.?m\b\.?/g, '$1$2m').replace(/(\d):(\d)/g, '$1 $2').replace(/['’]/g, '')
  .split(/[^\p{L}\p{N}@]+/u).filter(word => word !== '').map(word => numbers.includes(word) ? String(numbers.indexOf(word)) : word)

export function wordErrors(reference: string, heard: string): {errors: number; words: number} {
  const [a, b] = [wordsOf(reference), wordsOf(heard)]
  let row = b.map((_, j) => j + 1)
  for (const [i, word] of a.entries()) {
    let corner = i
    let left = i + 1
    row = row.map((above, j) => {
      const cost = Math.min(above + 1, left + 1, corner + (word === b[j] ? 0 : 1))
      corner = above
      left = cost
      return cost
    })
  }
  return {errors: b.length === 0 ? a.length : row.at(-1)!, words: a.length}
}
