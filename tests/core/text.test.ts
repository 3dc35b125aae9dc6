import {describe, expect, it} from 'vitest'
import fc from 'fast-check'
import {jsonLine, oneLine, printable} from '../../src/core/text.ts'

describe('printable', () => {
  it('shows escape sequences instead of sending them', () => {
    expect(printable('a\u001b[2Jb')).toBe('a\\x1b[2Jb')
    expect(printable('\u009b31m')).toBe('\\x9b31m')
    expect(printable('x\u202egnp.exe')).toBe('x\\u{202e}gnp.exe')
    expect(printable('a\u{E0041}')).toBe('a\\u{e0041}')
  })
  it('keeps ordinary text of any script, emoji, tabs and line ends', () => {
    const text = 'Žofie 北京 👩‍👩‍👧 नमस्ते\tb\nc'
    expect(printable(text)).toBe(text)
    expect(printable('a\r\nb')).toBe('a\nb')
  })
  it('lets no control character through, whatever the text', () => {
    fc.assert(fc.property(fc.string({unit: 'binary'}), text => {
      expect(printable(text)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
      expect(oneLine(text)).not.toMatch(/[\n\t]/)
    }))
  })
})

describe('jsonLine', () => {
  it('is the same value for programs, and holds nothing that a terminal obeys, whatever the text', () => {
    expect(jsonLine({a: '\u009b31m\u202e\u{E0041}\u007f é\n'})).toBe('{"a":"\\u009b31m\\u202e\\udb40\\udc41\\u007f é\\n"}')
    fc.assert(fc.property(fc.string({unit: 'binary'}), text => {
      const line = jsonLine([text])
      expect(JSON.parse(line)).toEqual([text])
      expect(line).toBe(printable(line))
    }))
  })
})
