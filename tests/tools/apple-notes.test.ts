// The scripts themselves, run in Node against Notes' scripting dictionary. Not on a Mac.
import {expect, test} from 'vitest'
import {plainText} from '../../src/tools/calendar/ical.ts'
import {openAppleNotes} from '../../src/tools/notes/apple.ts'
import {notesTools} from '../../src/tools/notes/notes.ts'
import {mac} from './apple-apps.ts'
import {notesContract} from './notes-contract.ts'
import {contextFor, hostileTexts, toolError} from './vdir-programs.ts'

notesContract('the app Notes', async () => ({backend: openAppleNotes(mac('Notes')), close: async () => undefined}), {kept: plainText})

const open = () => {
  const apple = mac('Notes')
  return {apple, backend: openAppleNotes(apple), things: () => apple.worldOf('Notes').root.elements['notes']!}
}

test('a note is HTML in which nothing of the text is markup', async () => {
  const {backend, things} = open()
  await backend.create('A <b> & "c"', '<script>x</script>\n\n  two  blanks\tand a tab\n&amp;', '')
  expect(things().map(n => n.values['body'])).toEqual(['<div><h1>A &lt;b&gt; &amp; &quot;c&quot;</h1></div><div>&lt;script&gt;x&lt;/script&gt;</div><div><br></div>'
    + '<div>&nbsp; two&nbsp; blanks&nbsp;&nbsp;&nbsp;&nbsp;and a tab</div><div>&amp;amp;</div>'])
  const [note] = await backend.find('a <b> & "c"', '')
  expect(await backend.read(note!)).toBe('<script>x</script>\n\n  two  blanks    and a tab\n&amp;')
})

test.each([...hostileTexts, '<h1>x</h1>', 'x'.repeat(10_000), '--'])('%j changes no script', async text => {
  const {apple, backend} = open()
  const plain = open()
  for (const {backend: one, name} of [{backend, name: text}, {backend: plain.backend, name: 'Shopping'}]) {
    const {note} = await one.create(name, name, name)
    const {undo} = await one.append(note, name)
    await one.undo(undo)
  }
  expect(new Set(apple.calls.map(c => c.source))).toEqual(new Set(plain.apple.calls.map(c => c.source)))
})

test.each([
  ['a checklist', '<div>Shopping</div><ul><li>milk</li></ul>'], ['a font', '<div><font face="Courier">x</font></div>'], ['a table', '<div><object><table></table></object></div>'],
])('a note with %s is left as it is, since setting it would lose that', async (_what, body) => {
  const {backend, things} = open()
  const {note} = await backend.create('Shopping', 'milk', '')
  things()[0]!.values['body'] = body
  expect((await toolError(backend.append(note, 'bread'))).message).toContain('add to it in Notes')
  expect(things()[0]!.values['body']).toBe(body)
})

test('a note with an attachment, and one with a password, are left as they are', async () => {
  const {apple, backend, things} = open()
  const {note} = await backend.create('Shopping', 'milk', '')
  const world = apple.worldOf('Notes')
  things()[0]!.elements['attachments']!.push(world.make('Attachment', {name: 'a.pdf'}))
  expect((await toolError(backend.append(note, 'bread'))).code).toBe('refused')
  things()[0]!.values['passwordProtected'] = true
  expect((await toolError(backend.append(note, 'bread'))).message).toContain('locked')
  expect((await toolError(backend.read(note))).message).toContain('locked')
})

test('a note that was taken back is in the app\'s folder of deleted notes, and is not deleted there', async () => {
  const {backend, things} = open()
  const {undo} = await backend.create('Shopping', 'milk', '')
  await backend.undo(undo)
  expect((await toolError(backend.undo(undo))).code).toBe('refused')
  expect(things().map(n => n.parent?.values['name'])).toEqual(['Recently Deleted'])
})

test('after a crash a note that was made is known by its name, time and text, an addition is unclear', async () => {
  const {backend, things} = open()
  const before = new Date(Date.now() - 1_000)
  const {undo} = await backend.create('Shopping', 'milk', '')
  expect(await backend.made('shopping', 'milk', '', before)).toMatchObject({undo})
  expect(await backend.made('shopping', 'bread', '', before)).toBe('unclear')
  expect(await backend.made('Other', 'milk', '', before)).toBeUndefined()
  const [note] = await backend.find('Shopping', '')
  expect(await backend.added(note!, 'x', before)).toBe('unclear')
  things()[0]!.values['modificationDate'] = new Date(0)
  expect(await backend.added(note!, 'x', before)).toBeUndefined()
})

test('the tools make, open and add to a note', async () => {
  const {backend} = open()
  const [create, read, add] = notesTools(backend)
  await create!.run({name: 'Shopping', content: 'milk', folder: ''}, contextFor())
  await add!.run({name: 'my shopping note', content: 'bread', folder: ''}, contextFor())
  expect((await read!.run({name: 'shopping', folder: ''}, contextFor())).value).toBe('milk\nbread')
})
