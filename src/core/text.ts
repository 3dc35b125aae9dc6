// Text of unknown origin (mail, PDF, model, server) made safe for a terminal: nothing in it can move the
// cursor, set a colour, open a link, or hide or reorder other text (CWE-150).

// C0 but \n and \t, DEL, C1; zero-width and bidi controls, line/paragraph separators, tag characters, BOM.
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\u{E0001}|[\u{E0020}-\u{E007F}]/gu

const escape = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}

/** Control, bidi and other invisible characters shown as escapes; line ends become \n, and those and tabs stay. */
export const printable = (text: string): string => text.replace(/\r\n/g, '\n').replace(unsafe, escape)

/** As `printable`, on one line: line ends and tabs become single blanks. */
export const oneLine = (text: string): string => printable(text.replace(/\s+/g, ' ').trim())

/** As JSON.stringify, with what `printable` escapes in JSON's own escapes: the same value for programs, and nothing for a terminal to obey. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value).replace(unsafe, character => [...Array(character.length).keys()]
    .map(i => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''))

/** JSON in ASCII, the same in every encoding of a system; half of a pair stays one. */
export const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[^\x20-\x7e]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
