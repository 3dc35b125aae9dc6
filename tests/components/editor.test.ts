import {describe, expect, it} from 'vitest'
import fc from 'fast-check'
import {borders, edit, editorOf, emptyEditor, insert, vertical, type Editor} from '../../src/components/editor.ts'
import {KeyParser, type Key} from '../../src/components/keys.ts'

const type = (e: Editor, bytes: string): Editor => new KeyParser().feed(bytes).reduce(edit, e)

describe('the input line', () => {
  it('deletes an emoji or a family of them with one Backspace', () => {
    expect(type(emptyEditor, 'a👩‍👩‍👧\u007f').text).toBe('a')
    expect(type(emptyEditor, 'é\u007f').text).toBe('')
  })
  it('moves and cuts by words as readline does', () => {
    expect(type(emptyEditor, 'text Ana now\u001bb\u0017').text).toBe('text now')
    expect(type(emptyEditor, 'one two\u0001\u000b').text).toBe('')
    expect(type(emptyEditor, 'one two\u0015x\u0019').text).toBe('xone two')
    expect(type(emptyEditor, 'ab\u001b[Dc').text).toBe('acb')
  })
  it('inserts a paste as it is, with its line ends, and reads what follows as keys', () => {
    const keys = new KeyParser().feed('\u001b[200~a\rb\u001b[201~c')
    expect(keys).toEqual([{name: 'paste', text: 'a\nb'}, {name: 'text', text: 'c'}])
  })
  it('keeps a paste whole however the terminal cuts it', () => {
    const whole = '\u001b[200~line 1\r\nline 2\u001b[201~'
    for (let cut = 7; cut < whole.length; cut++) {
      const parser = new KeyParser()
      expect([...parser.feed(whole.slice(0, cut)), ...parser.feed(whole.slice(cut))]).toEqual([{name: 'paste', text: 'line 1\nline 2'}])
    }
  })
  it('moves up and down within the text and stops at its edges', () => {
    const e = editorOf('first\nsecond')
    const up = vertical(e, -1)
    expect(up?.cursor).toBe(5)
    expect(vertical(up!, -1)).toBeUndefined()
    expect(vertical(e, 1)).toBeUndefined()
  })
  it('keeps the cursor on a grapheme border, and undo restores every text', () => {
    const key = fc.oneof(
      fc.string({unit: 'grapheme', minLength: 1}).map((text): Key => ({name: 'text', text: text.replace(/[\u0000-\u001f\u007f]/g, 'x')})),
      fc.constantFrom<Key>(...(['backspace', 'delete', 'left', 'right', 'home', 'end', 'newline'] as const).map(name => ({name, text: ''})),
        {name: 'left', text: '', word: true}, {name: 'alt', text: 'd'}, {name: 'ctrl', text: 'w'}, {name: 'ctrl', text: 'k'}, {name: 'ctrl', text: 'y'}),
    )
    fc.assert(fc.property(fc.array(key, {maxLength: 30}), keys => {
      let e = emptyEditor
      const texts = ['']
      for (const k of keys) {
        const before = e.text
        e = edit(e, k)
        expect(borders(e.text)).toContain(e.cursor)
        if (e.text !== before) texts.push(e.text)
      }
      for (const text of texts.reverse()) {
        expect(e.text).toBe(text)
        e = edit(e, {name: 'ctrl', text: '_'})
      }
    }))
  })
  it('puts the cursor after what was inserted', () => {
    expect(insert(editorOf('ab'), 'cd').cursor).toBe(4)
  })
})
