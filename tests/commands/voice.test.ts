// What a dictation is told, so that names are spelled as the user has them; and what doctor says of the microphone.
import {existsSync} from 'node:fs'
import path from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {recorderCheck} from '../../src/commands/doctor.ts'
import {openSession} from '../../src/commands/session.ts'
import {asContacts, spokenNames} from '../../src/commands/voice.ts'
import {newHome} from './program.ts'

let home: ReturnType<typeof newHome>
beforeEach(() => { home = newHome() })
afterEach(() => home.remove())

const card = (uid: string, name: string): string => `BEGIN:VCARD\r\nVERSION:3.0\r\nUID:${uid}\r\nFN:${name}\r\nEND:VCARD\r\n`

test('are those of lists, folders and people; people of late requests come first; a damaged card costs its name alone', async () => {
  for (const [uid, name] of Object.entries({1: 'Ana Duarte', 2: 'Bo Lindqvist', 3: 'Lutfi Eren'})) home.write(`data/contacts/people/${uid}.vcf`, card(uid, name))
  home.write('data/contacts/people/broken.vcf', 'not a card')
  home.write('data/notes/Recipes/Bread.md', 'flour\n')
  home.write('data/reminders/Groceries/a.ics', 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:a\r\nSUMMARY:Milk\r\nEND:VTODO\r\nEND:VCALENDAR\r\n')
  const session = openSession({home: home.dir})
  for (const [i, request] of ['text bo that I am late', 'mail Lutfi the report'].entries()) {
    await session.journal.reader(`run-${i}`)({type: 'request', id: `run-${i}`, request, now: '2026-03-03T09:00:00', dryRun: false})
  }
  expect(await spokenNames(session)).toEqual({
    names: ['Groceries', 'Recipes', 'Lutfi Eren', 'Bo Lindqvist', 'Ana Duarte'], people: ['Lutfi Eren', 'Bo Lindqvist', 'Ana Duarte'],
  })
  await session.close()
})

test('a name of a contact is written as the contact has it, and what was heard is said', () => {
  expect(asContacts('Invite Jeffrey Lee and Catherine.', ['Geoffrey Leigh', 'Katherine Meyer'])).toEqual({
    text: 'Invite Geoffrey Leigh and Katherine.', note: "heard 'Jeffrey Lee', wrote Geoffrey Leigh; heard 'Catherine', wrote Katherine",
  })
  expect(asContacts('Invite Ana.', ['Geoffrey Leigh'])).toEqual({text: 'Invite Ana.'})
})

test('are none in an empty home', async () => {
  const session = openSession({home: home.dir})
  expect(await spokenNames(session)).toEqual({names: [], people: []})
  await session.close()
})

test('doctor says what records, or what to install, and opens no microphone', async () => {
  expect(recorderCheck({PATH: home.dir})).toMatchObject({state: 'note', detail: expect.stringContaining('no recorder: install')})
  expect(recorderCheck({PATH: home.dir, TINYAGENT_RECORDER: 'no-such-recorder -x'})).toMatchObject({state: 'bad', detail: expect.stringContaining('names no-such-recorder, which is not there')})
  const opens = `"${process.execPath}" -e 'require("fs").writeFileSync("${home.dir}/opened", "")'`
  const checks: unknown = JSON.parse((await home.run(['doctor', '--json'], {env: {TINYAGENT_RECORDER: opens}})).stdout)
  expect(checks).toContainEqual({name: 'microphone', state: 'ok', detail: `recorded by ${process.execPath} (TINYAGENT_RECORDER)`})
  expect(existsSync(path.join(home.dir, 'opened'))).toBe(false)
})
