// A tool that nobody trained on, on a terminal with the real models: approved, asked for in plain words, confirmed, done.
import {existsSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {expect, it} from 'vitest'
import {open, put, testHome} from './fixtures.ts'
import {root} from './terminal.ts'

it('a tool of an MCP server is read and approved, found by its description, shown before it is called, and called once', async () => {
  const home = testHome()
  const log = path.join(home, 'log')
  put(home, 'config/mcp.json', JSON.stringify({mcpServers: {home: {command: process.execPath, args: [path.join(root, 'tests/servers/mcp-server.mjs'), 'ordinary', log]}}}))

  const approval = open(['tools', 'approve', 'home'], {home, columns: 120, rows: 60})
  await approval.shows('Start it and ask for its tools? [y/N]')
  approval.type('y\r')
  await approval.shows('Approve this tool of home? [y/N]')
  expect(approval.text()).toContain('| Set the brightness of the lights in a room.')
  approval.type('y\r')
  await approval.shows('Approved: home.set_lights.')
  expect(await approval.exits()).toBe(0)

  const t = open(['set the lights in the kitchen to 40'], {home, columns: 120, rows: 40})
  await t.shows('home: set_lights')
  await t.shows('room: kitchen')
  await t.shows('[s]end')
  expect(existsSync(log)).toBe(false)
  t.type('s')
  await t.shows('The lights of the kitchen are at 40%.')
  expect(await t.exits()).toBe(0)
  expect(readFileSync(log, 'utf8')).toBe('{"room":"kitchen","level":40}\n')
})

it('no to the first question starts nothing', async () => {
  const home = testHome()
  const log = path.join(home, 'log')
  put(home, 'config/mcp.json', JSON.stringify({mcpServers: {home: {command: process.execPath, args: [path.join(root, 'tests/servers/mcp-server.mjs'), 'helper', log]}}}))
  const approval = open(['tools', 'approve', 'home'], {home})
  await approval.shows('Start it and ask for its tools? [y/N]')
  approval.type('\r')
  await approval.shows('Nothing was approved.')
  expect(await approval.exits()).toBe(0)
  expect(existsSync(log)).toBe(false)
})
