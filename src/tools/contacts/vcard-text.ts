// vCard text before it is parsed: where the cards of a file are, and what vCard 2.1 writes in a way that ical.js does not read.

/** Each card from its BEGIN:VCARD to just before its END:VCARD; one that does not end is left out. */
export function splitCards(text: string): {start: number; end: number}[] {
  const found: {start: number; end: number}[] = []
  let start: number | undefined
  for (const {0: line, index} of text.matchAll(/^(?:BEGIN|END):VCARD[ \t]*\r?$/gim)) {
    if (/^begin/i.test(line)) start = index
    else if (start !== undefined) {
      found.push({start, end: index})
      start = undefined
    }
  }
  return found
}

/** Long lines joined, and bare parameters ("TEL;CELL:") and quoted-printable values of vCard 2.1 as vCard 3.0 has them. */
export function unfold(card: string): string {
  const joined = card.replace(/\r?\n[ \t]/g, '')
  const lines = joined.replace(/^([^:\r\n]*QUOTED-PRINTABLE[^:\r\n]*:(?:[^\r\n]*=\r?\n)*)/gim, soft => soft.replace(/=\r?\n/g, ''))
  return lines.split(/\r?\n/).map(modern).join('\r\n')
}

const isBare = /^(?!QUOTED-PRINTABLE$|BASE64$|B$|8BIT$|7BIT$)[A-Za-z-]+$/i

function modern(line: string): string {
  const head = /^([A-Za-z0-9.-]+)((?:;[^:;"]*)+):/.exec(line)
  if (!head) return line
  const [whole, name, parameters] = head as unknown as [string, string, string] // two groups that always match
  const kept = parameters.split(';').slice(1)
  const isQuoted = kept.some(p => /^(?:ENCODING=)?QUOTED-PRINTABLE$/i.test(p))
  const rest = kept.filter(p => p && !/^(?:ENCODING=)?QUOTED-PRINTABLE$|^CHARSET=/i.test(p)).map(p => isBare.test(p) ? `TYPE=${p}` : p)
  const value = line.slice(whole.length)
  return `${[name, ...rest].join(';')}:${isQuoted ? decode(value) : value}`
}

/** RFC 2045, 6.7, of UTF-8; a line end in it becomes vCard's \n. */
function decode(value: string): string {
  const bytes = Buffer.from(value.replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))), 'latin1')
  return bytes.toString('utf8').replace(/\r?\n/g, '\\n')
}
