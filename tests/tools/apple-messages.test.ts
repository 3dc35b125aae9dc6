// The script itself, run in Node against Messages' scripting dictionary. Not on a Mac.
import {afterEach, beforeEach, expect, test} from 'vitest'
import {appleSms} from '../../src/tools/sms/apple.ts'
import {smsTools} from '../../src/tools/sms/sms.ts'
import {failingMac, mac, sentBy} from './apple-apps.ts'
import {contextFor, hostileTexts, tempFolder, toolError} from './vdir-programs.ts'

const {signal} = new AbortController()
let temp: Awaited<ReturnType<typeof tempFolder>>
beforeEach(async () => { temp = await tempFolder() })
afterEach(() => temp.remove())

function open(types: [string, boolean][] = [['iMessage', true], ['SMS', true]], type = '') {
  const apple = mac('Messages')
  const world = apple.worldOf('Messages')
  for (const [serviceType, enabled] of types) world.put(world.root, 'accounts', world.make('Account', {serviceType, enabled}))
  return {apple, backend: appleSms(temp.path, type, apple), sent: () => sentBy(world)}
}

test.each([...hostileTexts, '$(touch /tmp/x)', '-e', 'x'.repeat(10_000), '<b>'])('%j is sent as it is, by a script that it does not change', async text => {
  const {apple, backend, sent} = open()
  await backend.send(['+12025550101'], text, 'a', signal)
  await backend.send(['+12025550101'], 'Hi', 'b', signal)
  expect(sent()).toEqual([{by: 'SMS', to: '+12025550101', message: text}, {by: 'SMS', to: '+12025550101', message: 'Hi'}])
  expect(new Set(apple.calls.map(c => c.source)).size).toBe(1)
})

test('each recipient gets one message, the card says so, and the same call again sends nothing', async () => {
  const {backend, sent} = open([['iMessage', true], ['SMS', false]])
  const [tool] = smsTools(backend)
  const args = {recipients: ['+12025550101', '+12025550102'], message: 'Hi'}
  expect((await tool!.preview(args, contextFor())).notice).toBe('Messages sends it: by SMS where your iPhone passes them on, else by iMessage; it does not say whether it arrived. Each of the 2 gets a message of their own.')
  await tool!.run(args, contextFor())
  expect((await toolError(tool!.run(args, contextFor()))).code).toBe('refused')
  expect(sent()).toEqual(['+12025550101', '+12025550102'].map(to => ({by: 'iMessage', to, message: 'Hi'})))
})

test('sms.device chooses the kind, and one that is not there says which are', async () => {
  const {backend, sent} = open(undefined, 'iMessage')
  await backend.send(['+12025550101'], 'Hi', 'a', signal)
  expect(sent().map(s => s.by)).toEqual(['iMessage'])
  expect((await toolError(open([['iMessage', true]], 'SMS').backend.send(['+12025550101'], 'Hi', 'b', signal))).message).toContain('no account of the type "SMS" that is switched on (it has iMessage)')
  expect((await toolError(open([]).backend.send(['+12025550101'], 'Hi', 'c', signal))).message).toContain('Messages has no account that is switched on')
})

test('no answer leaves it unknown, no permission says that it did not go', async () => {
  const send = (stderr: string, key: string) => toolError(appleSms(temp.path, '', failingMac(stderr)).send(['+12025550101'], 'Hi', key, signal))
  expect((await send('execution error: AppleEvent timed out. (-1712)', 'a')).code).toBe('unknown')
  const refused = await send('execution error: Not authorized to send Apple events to Messages. (-1743)', 'b')
  expect([refused.code, refused.message]).toEqual(['failed', expect.stringContaining('Automation')])
})
