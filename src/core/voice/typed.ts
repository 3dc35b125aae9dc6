// What was said, as a person would have typed it.

export function spokenToTyped(text: string): string {
  return text.trim()
}
