import {expect, test} from 'vitest'
import {placeholderLink, placeholderZoom} from '../../src/tools/zoom/placeholder.ts'
import {zoomTools, type NewMeeting} from '../../src/tools/zoom/zoom.ts'
import {contextFor, toolError} from './vdir-programs.ts'

const meeting = {topic: 'Q3 budget', start_time: '2026-03-04 15:00:00', duration: 45, meeting_invitees: ['ana@example.org']}
const withoutAccount = zoomTools(placeholderZoom())[0] ?? expect.fail('no tool')

test('without an account the meeting is local, touches nothing, and the preview says that none is made', async () => {
  const preview = await withoutAccount.preview(meeting, contextFor())
  expect(preview.effect).toBe('local')
  expect(preview.notice).toContain('No Zoom account is configured')
  expect(preview.fields).toContainEqual({label: 'When', value: 'Wed 4 Mar 2026, 15:00 to 15:45', arg: 'start_time'})
  expect(withoutAccount.touches?.(meeting) ?? []).toEqual([])
})

test('without an account the result stands in for the link and claims no meeting', async () => {
  const result = await withoutAccount.run(meeting, contextFor())
  expect(result.value).toBe(placeholderLink)
  expect(result.summary).toBe("No Zoom account is set up: left a place for the link of 'Q3 budget' on Wed 4 Mar 2026, 15:00 to 15:45")
  expect(result.where).toBeUndefined()
})

test('a backend with an account gets the meeting as the preview showed it, and its link is the result', async () => {
  const made: NewMeeting[] = []
  const zoom = zoomTools({effect: 'outward', createMeeting: async m => { made.push(m); return {link: 'https://zoom.example/j/1', isReal: true} }})[0] ?? expect.fail('no tool')
  const preview = await zoom.preview({...meeting, duration: 0, meeting_invitees: ['a@example.org, b@example.org', 'a@example.org']}, contextFor())
  const result = await zoom.run({...meeting, duration: 0, meeting_invitees: ['a@example.org, b@example.org', 'a@example.org']}, contextFor())
  expect(preview.effect).toBe('outward')
  expect(made).toHaveLength(1)
  expect(made[0]).toMatchObject({topic: 'Q3 budget', minutes: 60, invitees: ['a@example.org', 'b@example.org']})
  expect(preview.fields.find(f => f.label === 'Invitees')?.value).toEqual(made[0]?.invitees)
  expect(result.value).toBe('https://zoom.example/j/1')
})

test.each([[{start_time: 'tomorrow'}], [{start_time: ''}], [{topic: ' '}], [{meeting_invitees: ['ana']}]])('%j is refused', async change => {
  expect((await toolError(withoutAccount.run({...meeting, ...change}, contextFor()))).code).toBe('invalid-args')
})
