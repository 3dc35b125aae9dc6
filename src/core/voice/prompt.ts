// The names that Whisper is told before it listens, so that it spells them as the user does.

/** Whisper's prompt holds 224 tokens, a token is three letters of a name or more. */
const maxLetters = 500

/** The likeliest names first; what is too long for the prompt is left out. '' for none. */
export function promptOf(names: string[]): string {
  const chosen: string[] = []
  let letters = 0
  for (const name of new Set(names.map(n => n.replace(/[\s,]+/g, ' ').trim()))) {
    if (name === '' || letters + name.length + 2 > maxLetters) continue
    chosen.push(name)
    letters += name.length + 2
  }
  return chosen.length > 0 ? `Names: ${chosen.join(', ')}.` : ''
}
