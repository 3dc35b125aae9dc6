// Bytes of a terminal in raw mode -> keys. Bracketed paste (DEC 2004) is one key with its whole text, so that a
// paste can never submit or answer anything. No timers: an ESC that ends a chunk is the Escape key.
export interface Key {
  name: 'text' | 'paste' | 'enter' | 'newline' | 'tab' | 'backspace' | 'delete' | 'escape' | 'up' | 'down' | 'left' | 'right'
    | 'home' | 'end' | 'pageup' | 'pagedown' | 'ctrl' | 'alt' | 'unknown'
  /** the text typed or pasted; for `ctrl` and `alt` the letter */
  text: string
  /** with arrows: move by words */
  word?: boolean
}

const csi: Record<string, Key['name']> = {
  A: 'up', B: 'down', C: 'right', D: 'left', H: 'home', F: 'end',
  '1~': 'home', '7~': 'home', '4~': 'end', '8~': 'end', '3~': 'delete', '5~': 'pageup', '6~': 'pagedown',
}
const pasteEnd = '\u001b[201~'

export class KeyParser {
  private paste: string | undefined

  feed(chunk: string): Key[] {
    const keys: Key[] = []
    let rest = chunk
    while (rest !== '') {
      if (this.paste !== undefined) {
        // The end mark may be cut in two: look for it in everything so far.
        const all = this.paste + rest
        const end = all.indexOf(pasteEnd)
        if (end < 0) { this.paste = all; return keys }
        keys.push({name: 'paste', text: all.slice(0, end).replace(/\r\n?/g, '\n')})
        this.paste = undefined
        rest = all.slice(end + pasteEnd.length)
        continue
      }
      if (rest.startsWith('\u001b[200~')) { this.paste = ''; rest = rest.slice(6); continue }
      const [key, length] = one(rest)
      keys.push(key)
      rest = rest.slice(length)
    }
    return keys
  }
}

function one(rest: string): [Key, number] {
  const sequence = /^\u001b(?:\[|O)([\d;]*)([A-Za-z~])/.exec(rest)
  if (sequence) {
    const [whole, numbers = '', final = ''] = sequence
    const parts = numbers.split(';')
    const name = csi[final === '~' ? `${parts[0]}~` : final]
    // Modifier 3, 5, 7: Alt or Ctrl held.
    const word = parts.length > 1 && [3, 5, 7].includes(Number(parts[1]))
    // Enter with Shift, Alt or Ctrl in the CSI-u encoding.
    if (final === 'u' && parts[0] === '13') return [{name: 'newline', text: ''}, whole.length]
    return [name ? {name, text: '', ...(word && {word})} : {name: 'unknown', text: ''}, whole.length]
  }
  if (rest.startsWith('\u001b\r') || rest.startsWith('\u001b\n')) return [{name: 'newline', text: ''}, 2]
  if (rest.startsWith('\u001b\u007f')) return [{name: 'alt', text: 'backspace'}, 2]
  const alt = /^\u001b([A-Za-z])/.exec(rest)
  if (alt) return [{name: 'alt', text: alt[1]!.toLowerCase()}, 2]
  const c = rest[0]!
  if (c === '\u001b') return [{name: 'escape', text: ''}, 1]
  if (c === '\r') return [{name: 'enter', text: ''}, 1]
  if (c === '\n') return [{name: 'newline', text: ''}, 1]
  if (c === '\t') return [{name: 'tab', text: ''}, 1]
  if (c === '\u007f' || c === '\b') return [{name: 'backspace', text: ''}, 1]
  if (c < ' ') return [{name: 'ctrl', text: c === '\u001f' ? '_' : String.fromCharCode(c.charCodeAt(0) + 96)}, 1]
  const text = /^[^\u0000-\u001f\u007f]+/.exec(rest)![0]
  return [{name: 'text', text}, text.length]
}
