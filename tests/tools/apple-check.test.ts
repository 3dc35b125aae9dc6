import {expect, test} from 'vitest'
import {defaultConfig} from '../../src/core/config.ts'
import {pathsOf} from '../../src/core/paths.ts'
import {appsOf, checkApp} from '../../src/tools/apple/check.ts'
import {apps, failingMac, mac} from './apple-apps.ts'
import {toolError} from './vdir-programs.ts'

test.each(Object.keys(apps) as (keyof typeof apps)[])('doctor asks %s for something that its dictionary has', async app => {
  expect(await checkApp(app, undefined, mac(app))).toMatch(/^may be asked, and has \d+ [a-z]+$/)
})

test('an app that may not be asked says which setting to change', async () => {
  expect((await toolError(checkApp('Notes', undefined, failingMac('execution error: Error: Not authorized to send Apple events to Notes. (-1743)')))).message)
    .toBe('macOS does not let this terminal control Notes. Allow it in System Settings > Privacy & Security > Automation, below your terminal\'s name, and try again.')
})

test('only the apps of the config are asked', () => {
  const config = defaultConfig(pathsOf({env: {}, platform: 'darwin', userHome: '/Users/ana'}))
  expect(appsOf(config)).toEqual([])
  const {values} = config
  expect(appsOf({...config, values: {...values, notes: {...values.notes, backend: 'apple'}, sms: {...values.sms, gateway: 'apple'}}})).toEqual(['Notes', 'Messages'])
})
