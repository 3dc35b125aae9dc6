// The program is ended by SIGKILL before every single change that it makes on disk, the journal's lines among them, and within those that are
// written piece by piece: nothing is there twice, nothing is half there, and what the next start says of the step is so.
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'
import {pathToFileURL} from 'node:url'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi} from 'vitest'
import {startRadicale, type DavServer} from '../servers/dav.ts'
import {startFaultProxy, type Fault, type FaultProxy} from '../servers/fault-proxy.ts'
import {canRunMailServers, password, startMailServers, type MailServers} from '../servers/mail-servers.ts'
import {freePort} from '../servers/process.ts'
import {program} from '../tools/vdir-programs.ts'
import {linesOf, newHome, root, type Finished} from './program.ts'

vi.setConfig({testTimeout: 900_000, hookTimeout: 120_000}) // the program starts a hundred times a test, on a busy machine
type Home = ReturnType<typeof newHome>
let home: Home
beforeEach(() => { home = newHome() })
afterEach(() => home.remove())

interface Case {
  plan: string
  args?: string[]
  env?: Record<string, string>
  /** what is there before */
  prepare?(home: Home): void | Promise<void>
  /** How many times it was done. Throws for what is half done. */
  count(home: Home): number | Promise<number>
  /** What else has to hold after the next start; `line` is what it said. */
  check?(line: string, where: string): void | Promise<void>
}

const files = (...folder: string[]): string[] => {
  const dir = path.join(home.dir, ...folder)
  return existsSync(dir) ? readdirSync(dir).filter(name => !name.startsWith('.')) : []
}
const read = (...file: string[]): string => readFileSync(path.join(home.dir, ...file), 'utf8')
/** A run of the case that `kill` can end wherever it is. */
const begun = (one: Case): Promise<Finished> => home.run(request(one), {plan: one.plan, env: one.env ?? {}, by: 'echo $$ > pid; exec "$@"', cwd: home.dir})
const kill = (): void => { process.kill(Number(read('pid')), 'SIGKILL') }

/** The journal's lines, as many as are whole. */
const journal = (): {type: string; key?: string; effect?: string}[] => files('state/journal').flatMap(day => linesOf(read('state/journal', day)).flatMap(line => {
  try { return [JSON.parse(line) as {type: string; key?: string; effect?: string}] } catch { return [] }
}))
/** Steps that the journal has begun and not ended. */
const open = (): number => {
  const lines = journal()
  return lines.filter(l => l.type === 'task-started' && !lines.some(other => other.key === l.key && (other.type === 'task-done' || other.type === 'task-failed'))).length
}

const request = ({args = []}: Case): string[] => ['--yes', '--now', '2026-03-03T09:15:00', ...args, 'do it']
const news = ({stderr}: Finished): string[] => linesOf(stderr).filter(line => line.includes('cut off'))
const nothing = '1. get_email_address("Nobody")\n2. join()\n'

const crash = (at: number, how: 'before' | 'torn') => ({
  NODE_OPTIONS: `--import ${pathToFileURL(path.join(root, 'tests/fixtures/crash.mjs')).href}`,
  TINYAGENT_CRASH: JSON.stringify({under: home.dir, at, how, log: path.join(home.dir, 'crash.log')}),
})

/** One run to its end, which says what there is to be broken; then one for each of those. */
async function everywhere(one: Case): Promise<{said: Map<string, string[]>}> {
  await one.prepare?.(home)
  expect(await home.run(request(one), {plan: one.plan, env: {...one.env, ...crash(0, 'before')}})).toMatchObject({code: 0})
  expect(await one.count(home)).toBe(1)
  const points = linesOf(read('crash.log')).map(line => line.replace(/^\d+ /, ''))
  expect(points.filter(point => point.startsWith('write state/journal')).length).toBeGreaterThanOrEqual(4)
  const said = new Map<string, string[]>()
  for (const [i, point] of points.entries()) {
    for (const how of /^(?:write|appendFile|handle\.)/.test(point) ? ['before', 'torn'] as const : ['before'] as const) {
      home.remove()
      home = newHome()
      await one.prepare?.(home)
      const where = `${how} ${i + 1}: ${point}`
      expect((await home.run(request(one), {plan: one.plan, env: {...one.env, ...crash(i + 1, how)}})).code, where).toBe(-1)
      said.set(where, await afterwards(one, where))
    }
  }
  return {said}
}

/** What the next starts say and do after a run was killed; gives back the words on the outcome. */
async function afterwards(one: Case, where: string): Promise<string[]> {
  const isOpen = open()
  const next = await home.run([...one.args ?? [], 'nothing'], {plan: nothing, env: one.env ?? {}})
  const lines = news(next)
  expect(lines, where).toHaveLength(isOpen)
  const count = await one.count(home)
  const outcome = lines.map(line => /\. (It was done|It was not done|It is not known whether this was done): /.exec(line)?.[1] ?? line)
  if (outcome[0] === 'It was done') expect(count, `${where}: ${lines[0]}`).toBe(1)
  if (outcome[0] === 'It was not done') expect(count, `${where}: ${lines[0]}`).toBe(0)
  if (lines[0] !== undefined) await one.check?.(lines[0], where)
  if (isOpen === 0) expect(count, where).toBe(journal().some(l => l.type === 'task-done' && l.key !== undefined) ? 1 : 0)
  expect(next.stdout, where).not.toContain('cut off')
  // Asked for once more by the user where it was not done; told once in any case.
  if (count === 1 || outcome[0]?.includes('not known')) expect(news(await home.run([...one.args ?? [], 'nothing'], {plan: nothing, env: one.env ?? {}})), where).toEqual([])
  else {
    const again = await home.run(request(one), {plan: one.plan, env: one.env ?? {}})
    expect(again, where).toMatchObject({code: 0})
    expect(news(again), where).toEqual([])
    expect(await one.count(home), where).toBe(1)
  }
  return outcome
}

const whole = (text: string, pattern: RegExp): number => {
  expect(text).toMatch(pattern)
  return 1
}
const onDisk: Record<string, Case> = {
  'a new note': {
    plan: '1. create_note("Shopping", "milk", "")\n2. join()\n',
    count: () => files('data/notes').reduce((sum, name) => sum + whole(`${name} ${read('data/notes', name)}`, /^Shopping\.md milk\n$/), 0),
  },
  'a line in a note': {
    plan: '1. append_note_content("Shopping", "eggs", "")\n2. join()\n',
    prepare: h => { h.write('data/notes/Shopping.md', 'milk\n') },
    count: () => {
      const text = read('data/notes/Shopping.md')
      if (text === 'milk\neg') return 0.5 // an addition is no new file: what is broken within it is told as unknown
      expect(text).toMatch(/^milk\n(?:eggs\n)*$/)
      return text.split('eggs').length - 1
    },
  },
  'a reminder': {
    plan: '1. create_reminder("Milk", "tomorrow at 3pm", "", "", 0, false)\n2. join()\n',
    count: () => files('data/reminders/reminders').filter(n => n.endsWith('.ics')).reduce((sum, name) => sum + whole(read('data/reminders/reminders', name), /^BEGIN:VCALENDAR\r\n[^]*SUMMARY:Milk\r\n[^]*END:VCALENDAR\r\n$/), 0),
  },
  'an event': {
    plan: '1. create_calendar_event("Dentist", "tomorrow at 3pm", "", "", [], "", "")\n2. join()\n',
    count: () => files('data/calendar/personal').filter(n => n.endsWith('.ics')).reduce((sum, name) => sum + whole(read('data/calendar/personal', name), /^BEGIN:VCALENDAR\r\n[^]*SUMMARY:Dentist\r\n[^]*END:VCALENDAR\r\n$/), 0),
  },
  'a text message in the outbox': {
    plan: '1. send_sms(["+14155550123"], "Late")\n2. join()\n',
    count: () => files('data/sms').filter(n => n.endsWith('.json')).reduce((sum, name) => sum + ((JSON.parse(read('data/sms', name)) as {message: string}).message === 'Late' ? 1 : 100), 0),
  },
  'a mail in the outbox': {
    plan: '1. compose_new_email(["ana@example.org"], [], "Lunch", "lunch at noon", [])\n2. join()\n',
    count: () => files('data/mail/outbox/new').reduce((sum, name) => sum + whole(read('data/mail/outbox/new', name), /^Subject: Lunch$[^]*unch at noon[^]*\n$/m), 0),
  },
}

describe('killed before each change on disk', () => {
  test.each(Object.keys(onDisk))('%s is there once or not at all, whole, and the next start knows which', async name => {
    const {said} = await everywhere(onDisk[name]!)
    const unknown = [...said].filter(([, outcome]) => outcome.some(o => o.includes('not known'))).map(([where]) => where)
    expect(unknown).toEqual(name === 'a line in a note' ? [expect.stringMatching(/^torn \d+: handle\.appendFile data\/notes\/Shopping\.md$/)] : [])
    expect([...said.values()].flat()).toEqual(expect.arrayContaining(['It was done', 'It was not done']))
  })
})

const canRunMail = await canRunMailServers()
describe.skipIf(!canRunMail)('a mail by SMTP', () => {
  let servers: MailServers
  let proxy: FaultProxy
  beforeAll(async () => {
    servers = await startMailServers()
    proxy = await startFaultProxy(servers.ports.smtp)
  })
  afterAll(async () => {
    await proxy?.close()
    await servers?.stop()
  })

  const mail = (smtp: () => number, imap = () => servers.ports.imap): Case => ({
    plan: '1. compose_new_email(["ana@example.org"], [], "Lunch", "lunch at noon", [])\n2. join()\n',
    env: {TINYAGENT_NO_KEYRING: '1', TINYAGENT_MAIL_PASSWORD: password},
    prepare: async h => {
      await servers.clear()
      h.write('config/config.toml', ['[user]', 'email = "me@example.org"', '[mail]', 'backend = "imap"', '[mail.imap]', 'host = "127.0.0.1"', `port = ${imap()}`, '[mail.smtp]', 'host = "127.0.0.1"', `port = ${smtp()}`, ''].join('\n'))
    },
    count: async () => (await servers.mails('ana@example.org')).reduce((sum, raw) => sum + whole(raw.toString(), /^Subject: Lunch$[^]*unch at noon[^]*\n$/m), 0),
    check: async (line, where) => {
      const copies = (await servers.mails('me@example.org', 'Sent Mail')).length
      const drafts = (await servers.mails('me@example.org', 'Drafts')).length
      // Sent once, and then with one copy; or not, and then in the drafts once it was begun.
      if (line.includes('It was done')) expect([copies, drafts], where).toEqual([1, 0])
      else expect([copies, drafts], where).toEqual([0, line.includes('It is in the drafts: Drafts on 127.0.0.1') ? 1 : 0])
      if (line.includes('not known')) expect(line, where).toMatch(/Look at Sent, or ask the recipients, before you send it again/)
    },
  })

  test('goes once or not at all, and only what was cut off from its last byte on is unknown', async () => {
    const {said} = await everywhere(mail(() => servers.ports.smtp))
    const places = (what: string): string[] => [...said].filter(([, outcome]) => outcome.includes(what)).map(([where]) => where.replace(/^\w+ \d+: /, '').replace(/[^/]*\.part$/, 'PART'))
    expect(places('It was not done').length).toBeGreaterThan(3)
    expect(places('It was done').length).toBeGreaterThan(1)
    // From the mark that the last byte may be out until the mark that it went.
    const unknown = new Set(places('It is not known whether this was done'))
    expect(unknown.size).toBeGreaterThan(0)
    for (const where of unknown) expect(where).toMatch(/^(?:unlink|mkdir|link|handle\.writeFile) data\/mail\/sending/)
  })

  test.each<[string, Fault, string]>([
    ['before its text', {from: 'client', match: 'DATA\r\n', how: 'silence'}, 'It was not done'],
    ['before the server said "go ahead"', {from: 'server', match: '\r\n354', how: 'silence'}, 'It was not done'],
    ['after its last byte, before the answer', {from: 'client', match: '\r\n.\r\n', how: 'silence'}, 'It is not known whether this was done'],
  ])('whose program is killed %s', async (_place, fault, outcome) => {
    const one = mail(() => proxy.port)
    await one.prepare?.(home)
    proxy.set(fault)
    const isCut = proxy.cut()
    const run = begun(one)
    await isCut
    // It is still at it, for all that another start can tell.
    expect(open()).toBe(1)
    expect(news(await home.run(['nothing'], {plan: nothing, env: one.env ?? {}}))).toEqual([])
    kill()
    expect((await run).code).toBe(-1)
    proxy.set()
    expect(await afterwards(one, outcome)).toEqual([outcome])
  })

  test('that the server does not take is in the drafts once, also where the program is killed before it is there', async () => {
    const closed = await freePort()
    const one = mail(() => closed)
    const drafts = async (): Promise<number> => (await servers.mails('me@example.org', 'Drafts')).length + files('data/mail/drafts/new').length
    const run = (at: number): Promise<Finished> => home.run(request(one), {plan: one.plan, env: {...one.env, ...crash(at, 'before')}})
    await one.prepare?.(home)
    expect(await run(0)).toMatchObject({code: 1, stdout: expect.stringContaining('kept in the drafts: Drafts on 127.0.0.1')})
    expect(await drafts()).toBe(1)
    const points = linesOf(read('crash.log'))
    const claimed = points.findIndex(point => /link data\/mail\/sending\/.*\.eml$/.test(point))
    expect(claimed).toBeGreaterThan(0)
    for (let at = claimed + 1; at <= points.length; at++) {
      home.remove()
      home = newHome()
      await one.prepare?.(home)
      expect((await run(at)).code).toBe(-1)
      const isOpen = open()
      const said = news(await home.run(['nothing'], {plan: nothing, env: one.env ?? {}}))
      expect(said, points[at - 1]).toEqual(isOpen ? [expect.stringContaining('It was not done: Did not send the mail')] : [])
      expect(await drafts(), points[at - 1]).toBe(at === claimed + 1 ? 0 : 1)
      expect(files('data/mail/sending'), points[at - 1]).toEqual([])
    }
  })

  test('in doubt is told before the next card, also where the server takes its time, and by one of two starts at once', async () => {
    const imap = await startFaultProxy(servers.ports.imap)
    try {
      const one = mail(() => proxy.port, () => imap.port)
      await one.prepare?.(home)
      proxy.set({from: 'client', match: '\r\n.\r\n', how: 'silence'})
      const isCut = proxy.cut()
      const run = begun(one)
      await isCut
      kill()
      await run
      imap.set({from: 'server', cutAfter: 0, how: 'silence'})
      const text = {plan: '1. send_sms(["+14155550123"], "Late")\n2. join()\n', env: one.env ?? {}, by: '"$@" 2>&1'}
      const [first, second] = await Promise.all([home.run(['--json', '--yes', 'text'], text), home.run(['--json', '--yes', 'text'], text)])
      const told = [first, second].filter(({stdout}) => stdout.includes('It is not known whether this was done: the mail'))
      expect(told).toHaveLength(1)
      const [{stdout}] = told as [Finished]
      expect(stdout).toContain('127.0.0.1 could not be asked')
      expect(stdout.indexOf('cut off')).toBeLessThan(stdout.indexOf('"type":"confirm-asked"'))
      expect(stdout.indexOf('cut off')).toBeGreaterThan(stdout.indexOf('"type":"task-added"')) // the work had begun beside it
    } finally {
      await imap.close()
    }
  })

  test('that is an invitation: the event and the mail are each there once or not at all, and it is said which', async () => {
    const {prepare, env = {}} = mail(() => servers.ports.smtp)
    const invitation: Case = {
      plan: '1. create_calendar_event("Lunch", "tomorrow at noon", "", "", ["ana@example.org"], "", "")\n2. join()\n', env, ...(prepare && {prepare}),
      count: async () => {
        const mails = await servers.mails('ana@example.org')
        return mails.reduce((sum, raw) => sum + whole(raw.toString(), /method=REQUEST/), 0)
      },
      check: async (line, where) => {
        const events = files('data/calendar/personal').filter(n => n.endsWith('.ics')).map(name => whole(read('data/calendar/personal', name), /^BEGIN:VCALENDAR\r\n[^]*SUMMARY:Lunch\r\n[^]*END:VCALENDAR\r\n$/)).length
        expect(events, `${where}: ${line}`).toBe(line.includes('is not in the calendar') ? 0 : 1)
      },
    }
    const {said} = await everywhere(invitation)
    expect(new Set([...said.values()].flat())).toEqual(new Set(['It was done', 'It was not done', 'It is not known whether this was done']))
  })
})

const canRunDav = await program('radicale') !== undefined
describe.skipIf(!canRunDav)('an event on a CalDAV server', () => {
  let server: DavServer
  let proxy: FaultProxy
  let account: Awaited<ReturnType<DavServer['newAccount']>>
  beforeAll(async () => {
    server = (await startRadicale())!
    proxy = await startFaultProxy(Number(new URL(server.origin).port))
  })
  afterAll(async () => {
    await proxy?.close()
    await server?.stop()
  })

  const authorization = (): string => `Basic ${Buffer.from(`${account.user}:${account.password}`).toString('base64')}`
  const event = (origin: () => string): Case => ({
    plan: '1. create_calendar_event("Dentist", "tomorrow at 3pm", "", "", [], "", "")\n2. join()\n',
    env: {TINYAGENT_NO_KEYRING: '1', TINYAGENT_DAV_PASSWORD: 'päss"wörd: 1'},
    prepare: async h => {
      account = await server.newAccount()
      h.write('config/config.toml', ['[dav]', `url = "${origin()}/"`, `user = "${account.user}"`, '[calendar]', 'backend = "caldav"', ''].join('\n'))
    },
    // As another program sees it: all of the calendar in one.
    count: async () => {
      const answer = await fetch(`${server.origin}/${account.user}/personal/`, {headers: {authorization: authorization()}})
      return answer.status === 404 ? 0 : (await answer.text()).match(/^SUMMARY:Dentist\r?$/gm)?.length ?? 0
    },
  })

  test('is there once or not at all, and the server is asked which', async () => {
    const {said} = await everywhere(event(() => server.origin))
    expect(new Set([...said.values()].flat())).toEqual(new Set(['It was done', 'It was not done']))
  })

  test.each<[string, Fault, string]>([
    ['while it is sent', {from: 'client', match: 'PUT /', how: 'silence'}, 'It was not done'],
    ['before the answer', {from: 'server', match: ' 201 ', how: 'silence'}, 'It was done'],
  ])('whose program is killed %s', async (_place, fault, outcome) => {
    const one = event(() => `http://127.0.0.1:${proxy.port}`)
    await one.prepare?.(home)
    // Its calendar is there: that is another request, with a 201 of its own.
    expect((await fetch(`${server.origin}/${account.user}/personal/`, {method: 'MKCALENDAR', headers: {authorization: authorization()}})).status).toBe(201)
    proxy.set(fault)
    const isCut = proxy.cut()
    const run = begun(one)
    await isCut
    kill()
    expect((await run).code).toBe(-1)
    proxy.set()
    expect(await afterwards(one, outcome)).toEqual([outcome])
  })

  test('that can\'t be asked is told as unknown once, and asked again at a later start', async () => {
    const one = event(() => `http://127.0.0.1:${proxy.port}`)
    await one.prepare?.(home)
    await fetch(`${server.origin}/${account.user}/personal/`, {method: 'MKCALENDAR', headers: {authorization: authorization()}})
    proxy.set({from: 'server', match: ' 201 ', how: 'silence'})
    const isCut = proxy.cut()
    const run = begun(one)
    await isCut
    kill()
    await run
    proxy.set()
    const start = async (...args: string[]): Promise<string[]> => news(await home.run([...args, 'nothing'], {plan: nothing, env: one.env ?? {}}))
    expect(await start('--offline')).toEqual([expect.stringMatching(/It is not known whether this was done: create calendar event: Dentist, .*Look whether it was before you do it again\.$/)])
    expect(proxy.connections()).toBe(0)
    expect(await start('--offline')).toEqual([])
    expect(await start('--json')).toEqual([expect.stringMatching(/It was done: Added 'Dentist' on Wed 4 Mar 2026, 15:00 to 16:00\.$/)])
    expect(await start()).toEqual([])
    expect(await home.run(['undo'], {env: one.env ?? {}})).toMatchObject({code: 0, stdout: expect.stringContaining('Took the event out of the calendar')})
    expect(await one.count(home)).toBe(0)
  })
})
