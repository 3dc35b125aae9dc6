// A request on a terminal: the plan grows, the user stays in charge, and every way out leaves the terminal as it was.
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import stringWidth from 'string-width'
import {describe, expect, it} from 'vitest'
import {wrap} from '../../src/components/format.ts'
import {keys, open, openRepl, put, testHome} from './fixtures.ts'
import type {Terminal} from './terminal.ts'

const card = '[s]end  [e]dit  s[k]ip  [q]uit'
const outbox = (home: string): string[] => {
  const folder = path.join(home, 'data/sms')
  if (!existsSync(folder)) return []
  return readdirSync(folder, {recursive: true, withFileTypes: true}).filter(e => e.isFile()).map(e => readFileSync(path.join(e.parentPath, e.name), 'utf8'))
}
const restored = (t: Terminal): void => {
  expect(t.modes()).toEqual({bracketedPaste: false, isCursorHidden: false})
}

describe('a request is planned, confirmed and done', () => {
  it.each([40, 80, 120, 200])('at %i columns, with a look-up that two steps share', async columns => {
    const home = testHome()
    const t = open(['meet Priya Raman on Friday at 3pm about the budget for 45 minutes, and mail her to bring the numbers'], {home, plan: 'meeting', columns})
    await t.shows(card)
    const asked = t.text()
    expect(asked).toContain('Calendar event with invitations')
    expect(asked).toMatch(/Invitees: .*priya@example\.org/)
    expect(asked.match(/1\. E-mail address/g)?.length ?? 0).toBeLessThanOrEqual(1)
    for (const row of asked.split('\n')) expect(stringWidth(row)).toBeLessThanOrEqual(columns)
    t.type('s')
    await t.shows('Please bring the numbers.\n') // the text of the mail on its card
    await t.shows(card)
    t.type('s')
    expect(await t.exits()).toBe(0)
    expect(t.text()).toContain('└ ↑ step 1')
    expect(t.text()).not.toContain('[s]end')
    restored(t)
  })

  it('shows each step as soon as it is written, and does it while later ones are being written', async () => {
    const t = await openRepl({plan: 'silent'})
    t.type('put milk on my list and text it\r')
    await t.shows("Added the reminder 'Buy milk'")
    await t.shows('2. Text message')
    await t.shows('Planning')
    expect(t.text()).not.toContain('[s]end') // nobody is asked about half a plan
  })

  it('says where each argument came from, and nothing of what the request left open', async () => {
    const t = open(['--dry-run', 'buy milk'], {plan: 'two-reminders'})
    expect(await t.exits()).toBe(0)
    expect(t.text()).toMatch(/Buy milk +\(typed by you\)/)
    expect(t.text()).not.toMatch(/(List|Priority): .*typed by you/)
  })
})

describe('the confirmation', () => {
  it('sends', async () => {
    const home = testHome()
    const t = open(['text +1 202 555-0143 that I run ten minutes late'], {home, plan: 'sms'})
    await t.shows(card)
    expect(t.text()).toContain('Running ten minutes late')
    expect(t.text()).toContain('+12025550143')
    t.type('s')
    expect(await t.exits()).toBe(0)
    expect(outbox(home).join()).toContain('Running ten minutes late')
  })
  it('edits a field, shows the card again, and sends what it then says', async () => {
    const home = testHome()
    const t = open(['text +1 202 555-0143 that I run ten minutes late'], {home, plan: 'sms'})
    await t.shows(card)
    t.type('e')
    await t.shows('Which one?')
    t.type('2')
    await t.shows('Enter keeps it')
    t.type(' 🐌')
    await t.shows('late 🐌')
    t.type('\r')
    await t.shows(card)
    expect(t.text()).toContain('Running ten minutes late 🐌')
    t.type('s')
    expect(await t.exits()).toBe(0)
    expect(outbox(home).join()).toContain('late 🐌')
  })
  it('opens $EDITOR on a text and takes the terminal back', async () => {
    const home = testHome()
    put(home, 'editor.mjs', "import {writeFileSync} from 'node:fs'; writeFileSync(process.argv[2], 'Written in the editor')\n")
    const t = open(['text'], {home, plan: 'sms', env: {EDITOR: `${process.execPath} ${home}/editor.mjs`}})
    await t.shows(card)
    t.type('e')
    await t.shows('Which one?')
    t.type('2')
    await t.shows('Ctrl-G opens your editor')
    t.type('\u0007')
    await t.shows('Text: Written in the editor')
    t.type('\r')
    await t.shows(card)
    t.type('s')
    expect(await t.exits()).toBe(0)
    expect(outbox(home).join()).toContain('Written in the editor')
  })
  it.each([['k', 'skipped by you', 0], ['q', 'Cancelled', 130], [keys.escape, 'Cancelled', 130], [keys.ctrlC, 'Cancelled', 130]])(
    'sends nothing after %j', async (key, says, code) => {
      const home = testHome()
      const t = open(['text'], {home, plan: 'sms'})
      await t.shows(card)
      t.type(key)
      expect(await t.exits()).toBe(code)
      expect(t.text()).toContain(says)
      expect(outbox(home)).toEqual([])
      restored(t)
    })
  it('the dry run shows the same card and runs nothing', async () => {
    const home = testHome()
    const asked = open(['text'], {home, plan: 'sms'})
    await asked.shows(card)
    const rows = (t: Terminal): string[] => {
      const all = t.text().split('\n').map(r => r.trimEnd())
      const from = all.indexOf('Text message')
      return all.slice(from, all.findIndex((r, i) => i > from && r.includes('goes to the outbox')) + 1)
    }
    const dry = open(['--dry-run', 'text'], {home, plan: 'sms'})
    expect(await dry.exits()).toBe(0)
    expect(rows(dry).length).toBeGreaterThan(3)
    expect(rows(dry)).toEqual(rows(asked))
    expect(outbox(home)).toEqual([])
  })
})

describe('people', () => {
  it('of one name bring a picker, and the one who was picked gets the message', async () => {
    const home = testHome()
    const t = open(['text Ana that I am on my way'], {home, plan: 'text-ana'})
    await t.shows('Which "Ana" is meant?')
    await t.shows('Ana Duarte')
    t.type('silva')
    await t.loses('Ana Duarte')
    t.type('\r')
    await t.shows(card)
    expect(t.text()).toContain('+12025550102')
    t.type('s')
    expect(await t.exits()).toBe(0)
    expect(outbox(home).join()).toContain('+12025550102')
  })
  it('without an address bring a question, and the answer is kept in the contacts', async () => {
    const home = testHome()
    const t = open(['text Bruno that I am on my way'], {home, plan: 'text-bruno'})
    await t.shows('What is the phone number?')
    t.type('+1 202 555 0177\r')
    await t.shows('Keep it in the contacts as Bruno?')
    t.type('y')
    await t.shows(card)
    t.type('s')
    expect(await t.exits()).toBe(0)
    const again = open(['text Bruno that I am on my way'], {home, plan: 'text-bruno'})
    await again.shows(card)
    expect(again.text()).toContain('+12025550177')
  })
})

describe('Esc and Ctrl-C', () => {
  it.each([['Esc', keys.escape], ['Ctrl-C', keys.ctrlC]])('%s stops the planning and says what was done before', async (_name, key) => {
    const t = await openRepl({plan: 'silent'})
    t.type('milk\r')
    await t.shows("Added the reminder 'Buy milk'")
    t.type(key)
    await t.shows('Cancelled')
    await t.shows('What shall I do?')
    expect(t.text()).toContain("Added the reminder 'Buy milk'. Stopped before this was done: send a text")
    expect(t.text()).not.toContain('aborted')
    t.type('/exit\r')
    expect(await t.exits()).toBe(0)
    restored(t)
  })
  it('stop a request on the command line with exit code 130', async () => {
    const t = open(['milk'], {plan: 'silent'})
    await t.shows('Planning')
    t.type(keys.ctrlC)
    expect(await t.exits()).toBe(130)
    restored(t)
  })
  it('Esc in a picker is none of them: what needs it is skipped', async () => {
    const t = open(['text Ana'], {plan: 'text-ana'})
    await t.shows('Which "Ana" is meant?')
    t.type(keys.escape)
    expect(await t.exits()).toBe(1)
    expect(t.text()).toContain('needs a step that did not work')
  })
  it('Ctrl-C in a picker stops the request', async () => {
    const t = open(['text Ana'], {plan: 'text-ana'})
    await t.shows('Which "Ana" is meant?')
    t.type(keys.ctrlC)
    expect(await t.exits()).toBe(130)
    restored(t)
  })
  it.each(['SIGTERM', 'SIGINT'])('%s from outside ends the REPL and restores the terminal', async signal => {
    const t = await openRepl({plan: 'silent'})
    t.type('milk\r')
    await t.shows('Planning')
    t.signal(signal)
    expect(await t.exits()).toBe(130)
    restored(t)
  })
})

describe('the live part', () => {
  it('stays lower than the window when the plan is longer, and the whole plan goes to the scrollback', async () => {
    const t = open(['forty things'], {plan: 'long', rows: 16})
    await t.shows('41.')
    await t.shows('earlier steps')
    expect(t.text().split('\n').length).toBeLessThan(16)
    t.type(keys.ctrlC)
    await t.exits()
    for (const n of [1, 20, 40]) expect(t.text()).toContain(`${n}. Reminder`)
  })
  it('is drawn anew without remains when the window changes its width', async () => {
    const request = 'meet Priya Raman on Friday at 3pm about the budget for 45 minutes, and mail her to bring the numbers'
    const t = open([request], {plan: 'meeting', columns: 120, rows: 40})
    await t.shows(card)
    for (const columns of [60, 40, 200, 44, 80]) {
      t.resize(columns, 40)
      await t.shows(wrap(`❯ ${request}`, columns).join('\n'))
      await t.shows(card)
    }
    t.type('q')
    await t.exits()
    expect(t.text().match(/meet Priya/g)).toHaveLength(1)
    expect(t.text().match(/1\. E-mail address/g)).toHaveLength(1)
  })
  it('leaves what was on the screen before where it is when the window gets lower', async () => {
    const t = await openRepl({plan: 'silent'})
    t.type('/tools\r')
    await t.shows('send_sms')
    t.type('milk\r')
    await t.shows('Planning')
    t.resize(80, 9)
    t.type(keys.escape)
    await t.shows('Cancelled')
    expect(t.text()).toContain('send_sms')
    expect(t.raw).not.toContain('\u001b[3J')
  })
})

it('the program goes on while the editor is open: nothing is drawn over it, and Ctrl-C is its own', async () => {
  const home = testHome()
  put(home, 'editor.mjs', `
    import {writeFileSync} from 'node:fs'
    process.on('SIGINT', () => console.log('interrupted'))
    console.log('the editor')
    process.stdin.once('data', () => { writeFileSync(process.argv[2], 'Later still'); process.exit(0) })`)
  const t = open(['text'], {home, plan: 'sms', env: {EDITOR: `${process.execPath} ${home}/editor.mjs`}})
  await t.shows(card)
  t.type('e')
  await t.shows('Which one?')
  t.type('2')
  await t.shows('Ctrl-G opens your editor')
  t.type('\u0007')
  await t.shows('the editor')
  t.type(keys.ctrlC)
  await t.shows('interrupted')
  t.type('\n')
  await t.shows('Text: Later still')
  t.type('\r')
  await t.shows(card)
  t.type('s')
  expect(await t.exits()).toBe(0)
  expect(outbox(home).join()).toContain('Later still')
})
