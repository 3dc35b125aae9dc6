// The REPL: its editor, history, completion and slash commands.
import {readdirSync, readFileSync, statSync} from 'node:fs'
import path from 'node:path'
import {describe, expect, it} from 'vitest'
import {keys, open, openRepl, paste, put, testHome} from './fixtures.ts'

describe('the prompt', () => {
  it.each([40, 80, 120, 200])('comes at once at %i columns, and /exit restores the terminal', async columns => {
    const t = await openRepl({columns})
    expect(t.modes()).toEqual({bracketedPaste: true, isCursorHidden: true})
    t.type('/exit\r')
    expect(await t.exits()).toBe(0)
    expect(t.modes()).toEqual({bracketedPaste: false, isCursorHidden: false})
  })
  it('Ctrl-C clears what is typed, then asks, then leaves', async () => {
    const t = await openRepl()
    t.type('half a thought')
    await t.shows('half a thought')
    t.type(keys.ctrlC)
    await t.loses('half a thought')
    t.type(keys.ctrlC)
    await t.shows('Ctrl-C again leaves')
    t.type(keys.ctrlC)
    expect(await t.exits()).toBe(0)
    expect(t.modes()).toEqual({bracketedPaste: false, isCursorHidden: false})
  })
  it('--yes is a word on one request: without one there is no REPL that says yes to everything', async () => {
    for (const how of [[], ['--plain']]) {
      const t = open(['--yes', ...how])
      await t.shows('--yes needs a request')
      expect(await t.exits()).toBe(2)
    }
  })
  it('Ctrl-D leaves', async () => {
    const t = await openRepl()
    t.type(keys.ctrlD)
    expect(await t.exits()).toBe(0)
  })
})

describe('the editor', () => {
  it('takes a paste as text, with its line ends, and never submits it', async () => {
    const t = await openRepl({plan: 'nothing'})
    t.type(paste('first line\r\nsecond line\r'))
    await t.shows('first line\nsecond line')
    expect(t.text()).not.toContain('Planning')
    t.type('end\r')
    await t.shows('❯ first line\nsecond line\nend')
    await t.shows('What shall I do?')
  })
  it('moves and erases by what the eye sees: emoji, flags, accents, wide characters', async () => {
    const t = await openRepl()
    t.type('日本👨‍👩‍👧e\u0301🇵🇹x')
    await t.shows('x')
    t.type(keys.left + keys.backspace)
    await t.loses('🇵🇹')
    t.type(keys.backspace)
    await t.loses('e\u0301')
    t.type(keys.backspace)
    await t.shows('日本x')
    t.type(keys.left + keys.backspace + '語')
    await t.shows('語本x')
  })
  it('starts a new line with Ctrl-J and with a backslash before Enter; Ctrl-_ undoes', async () => {
    const t = await openRepl()
    t.type('one\ntwo\\\rthree')
    await t.shows('❯ one\ntwo\nthree')
    t.type('\u001f')
    await t.loses('three')
  })
})

describe('history', () => {
  it('is kept between runs, for its owner only, and Up keeps the draft', async () => {
    const home = testHome()
    const first = await openRepl({home, plan: 'nothing'})
    first.type('water the plants\r')
    await first.shows(/None of the tools here can do that\.[^]*What shall I do\?/)
    first.type('/exit\r')
    await first.exits()
    const file = path.join(home, 'state/history')
    expect(readFileSync(file, 'utf8')).toBe('"water the plants"\n"/exit"\n')
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600)

    const second = await openRepl({home})
    second.type('a draft')
    await second.shows('❯ a draft')
    second.type(keys.up)
    await second.shows('❯ /exit')
    second.type(keys.up)
    await second.shows('❯ water the plants')
    second.type(keys.down + keys.down)
    await second.shows('❯ a draft')
  })
})

describe('Tab', () => {
  it('completes a slash command, and shows the choices where there are several', async () => {
    const t = await openRepl()
    t.type('/cal\t')
    await t.shows('❯ /calendar')
    t.type('\u0015/c\t')
    await t.shows('/calendar  /clear  /config')
  })
  it('completes a contact after @', async () => {
    const t = await openRepl()
    t.type('text @pri\t')
    await t.shows('❯ text Priya Raman')
  })
  it('completes a file', async () => {
    const home = testHome()
    put(home, 'Papers/budget plan.pdf', 'x')
    const t = await openRepl({home})
    t.type('mail ./Pap\t')
    await t.shows('❯ mail ./Papers/')
  })
})

describe('slash commands', () => {
  it('answer', async () => {
    const home = testHome()
    const t = await openRepl({home, plan: 'note'})
    const answers: [string, string][] = [
      ['/help', 'Tab: complete'], ['/tools', 'create_reminder'], ['/mail', 'The inbox is empty.'], ['/notes', 'No notes yet.'],
      ['/calendar', 'Nothing in the next 14 days.'], ['/log', 'Nothing was done yet.'], ['/undo', 'There is nothing to undo'],
      ['/config', 'sam@example.org'], ['/model', 'In use:'],
      ['/plan', 'Plans are only shown from now on'], ['/nots', 'Did you mean /notes?'],
    ]
    for (const [command, answer] of answers) {
      t.type(`${command}\r`)
      await t.shows(answer)
      await t.shows('What shall I do?')
      expect(t.text()).toContain(`❯ ${command}`)
    }
    t.type('note that the tickets are booked\r')
    await t.shows(/preview only[^]*What shall I do\?/)
    t.type('/plan\r')
    await t.shows('Plans are carried out again')
    t.type('note that the tickets are booked\r')
    await t.shows('✓ 1. New note')
    await t.shows('What shall I do?')
    t.type('/notes\r')
    await t.shows('\nTrip\n')
    t.type('/undo\r/log\r') // typed ahead: one after the other
    await t.shows('undone: ')
  })
  it('/plan with a request shows the plan and runs nothing', async () => {
    const t = await openRepl({plan: 'sms'})
    t.type('/plan text that I am late\r')
    await t.shows('Running ten minutes late\n')
    await t.shows('What shall I do?')
    t.type('/log\r')
    await t.shows('Nothing was done yet.')
  })
  it('/clear leaves the prompt alone on the screen', async () => {
    const t = await openRepl()
    t.type('/help\r')
    await t.shows('Tab: complete')
    t.type('/clear\r')
    await t.loses('Tab: complete')
    await t.shows('What shall I do?')
    expect(t.text().trim()).toMatch(/^❯ +What shall I do\?/)
  })
})

it('what is passed over while a request runs, such as a damaged contact, is said above the live part', async () => {
  const home = testHome()
  put(home, 'data/contacts/people/broken.vcf', 'not a card at all')
  const t = await openRepl({home, plan: 'text-ana'})
  t.type('text Ana\r')
  await t.shows('Which "Ana" is meant?')
  expect(t.text().match(/broken\.vcf/g)).toHaveLength(1)
  expect(t.text().match(/❯ text Ana/g)).toHaveLength(1)
})

describe('what is typed while a request runs', () => {
  it('is the next request, also in plain lines', async () => {
    const home = testHome()
    const t = open(['--plain'], {home, plan: 'note'})
    await t.shows('you:')
    t.type('note that the tickets are booked\n/notes\n')
    await t.shows(/you: \/notes\n[^]*Trip\n/)
    t.type('/exit\n')
    expect(await t.exits()).toBe(0)
  })
  it('stays in the input line until the request is done', async () => {
    const t = await openRepl({plan: 'silent'})
    t.type('put milk on my list and text it\r')
    await t.shows('Planning')
    t.type('/log')
    await t.shows('❯ /log')
    t.type(keys.ctrlC)
    await t.shows('Cancelled')
    t.type('\r')
    await t.shows(/\d{8}T\d{6}-\S+ +Added the reminder 'Buy milk'/) // the log
  })
})

describe('a follow-up', () => {
  const request = 'remind me to call the dentist tomorrow at 3pm and text +1 202 555-0143 that I\'m out tomorrow'
  const reminders = (home: string): string[] => {
    const folder = path.join(home, 'data/reminders')
    return readdirSync(folder, {recursive: true, withFileTypes: true}).filter(e => e.name.endsWith('.ics')).map(e => readFileSync(path.join(e.parentPath, e.name), 'utf8'))
  }
  it('changes what was done on this machine, and sends nothing twice', async () => {
    const home = testHome()
    const t = await openRepl({home, plan: 'follow-up', columns: 120})
    t.type(`${request}\r`)
    await t.shows('[s]end')
    t.type('s')
    await t.shows(/in the\s+outbox\.[^]*What shall I do\?/)
    t.type('make it 4 instead\r')
    await t.shows('as: remind me to call the dentist tomorrow at 4pm and text')
    await t.shows(/Text message .*\(done before\)[^]*What shall I do\?/) // no card in between
    expect(reminders(home)).toHaveLength(1)
    expect(reminders(home)[0]).toMatch(/DUE[^\n]*T160000/)
    t.type('/log\r')
    await t.shows(/undone: Added the reminder 'Call the dentist' for .*15:00/)
    t.type('/undo\r')
    await t.shows(/❯ \/undo\n[^\n]*: Added the reminder[^]*What shall I do\?/)
    expect(reminders(home)).toHaveLength(0)
    t.type('make it 5\r') // what /undo took back is done again, and still nothing is sent twice
    await t.shows(/as: remind me to call the dentist tomorrow at 5pm[^]*Added the reminder[^]*What shall I do\?/)
    expect(reminders(home)).toHaveLength(1)
  })
  it('/new starts afresh, and so does a config without them', async () => {
    const t = await openRepl({plan: 'follow-up', columns: 120})
    for (const text of [request, 'make it 4 instead']) {
      t.type(`${text}\r`)
      await t.shows('[s]end')
      t.type('k')
      await t.shows(/Skipped as you wished[^]*What shall I do\?/)
      t.type('/new\r/clear\r')
      await t.loses('Skipped as you wished')
      expect(t.text()).not.toContain('as: ')
    }
    const home = testHome()
    put(home, 'config/config.toml', '[conversation]\nfollow_ups = false\n')
    const plain = open(['--plain'], {home, plan: 'two-reminders'})
    await plain.shows('you:')
    plain.type('remind me to buy milk\nmake it tomorrow\n')
    await plain.shows(/you: make it tomorrow[^]*Added the reminder[^]*you:/)
    expect(plain.text()).not.toContain('as: ')
  })
})
