// What a server brings that a folder does not: a network that fails, other programs at the same items, zones, logins, invitations.
import {createServer, request, type IncomingHttpHeaders, type Server} from 'node:http'
import type {AddressInfo} from 'node:net'
import {readFile, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest'
import {ToolError} from '../../src/core/errors.ts'
import type {Json} from '../../src/core/types.ts'
import {calendarTools, type NewEvent} from '../../src/tools/calendar/calendar.ts'
import {isSameSite, serverUrl} from '../../src/tools/dav/client.ts'
import {findServers} from '../../src/tools/dav/find-server.ts'
import {openDavCalendar, openDavContacts, openDavReminders} from '../../src/tools/dav/open.ts'
import {parseWhen} from '../../src/tools/calendar/when.ts'
import {startRadicale, startXandikos, xandikosUser, type DavServer} from '../servers/dav.ts'
import {freePort} from '../servers/process.ts'
import {startFaultProxy, type FaultProxy} from '../servers/fault-proxy.ts'
import {contextFor, program, runProgram, tempFolder, toolError} from './vdir-programs.ts'

const timeZone = 'America/New_York'
const zoneBefore = process.env['TZ']
const hasRadicale = await program('radicale') !== undefined
const hasXandikos = await program('xandikos') !== undefined
const hasReaders = await program('vdirsyncer') !== undefined && await program('khal') !== undefined
let server: DavServer
let proxy: FaultProxy
beforeAll(async () => {
  process.env['TZ'] = timeZone
  if (!hasRadicale) return
  server = (await startRadicale())!
  proxy = await startFaultProxy(Number(new URL(server.origin).port))
}, 120_000)
afterAll(async () => {
  if (zoneBefore === undefined) delete process.env['TZ']
  else process.env['TZ'] = zoneBefore
  await proxy?.close()
  await server?.stop()
})

let temp: Awaited<ReturnType<typeof tempFolder>>
let account: {url: string; user: string; password: string}
let warnings: string[]
/** called before each request */
let onRequest: () => void
beforeEach(async () => {
  temp = await tempFolder()
  warnings = []
  onRequest = () => undefined
  if (!hasRadicale) return
  proxy.set()
  account = {...await server.newAccount(), url: `http://127.0.0.1:${proxy.port}/`}
})
afterEach(() => temp.remove())

const options = (change: {file?: string; url?: string; password?: string; usual?: string; limits?: object} = {}) => ({
  account: {url: change.url ?? account.url, user: account.user, password: async () => { onRequest(); return change.password ?? account.password }},
  file: join(temp.path, change.file ?? 'copy.json'), warn: (message: string) => { warnings.push(message) }, usual: change.usual ?? '', limits: change.limits ?? {},
})
const now = new Date('2026-03-03T09:15:00Z')
const event = (change: Partial<NewEvent> = {}): NewEvent =>
  ({title: 'Dentist', start: parseWhen('2026-03-04 08:40:00', 'start'), end: parseWhen('2026-03-04 09:40:00', 'end'), location: '', notes: '', invitees: [], calendar: '', ...change})
const march = [new Date('2026-03-01T00:00:00'), new Date('2026-04-01T00:00:00')] as const
const titles = async (calendar: ReturnType<typeof openDavCalendar>): Promise<string[]> => (await calendar.events(...march)).map(e => e.title)

/** Another program at the same account, by the server itself. */
const other = (method: string, path: string, body?: string, headers: Record<string, string> = {}) => fetch(`${server.origin}/${account.user}/${path}`, {
  method, headers: {authorization: `Basic ${Buffer.from(`${account.user}:${account.password}`).toString('base64')}`, 'content-type': 'text/calendar', ...headers}, ...(body !== undefined && {body}),
})
const item = (uid: string, ...lines: string[]): string => ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:other', 'BEGIN:VEVENT', `UID:${uid}`, 'DTSTAMP:20260101T000000Z', ...lines, 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n')
/** Every item of a calendar that the server has. */
const onServer = async (calendar: string): Promise<string[]> => (await (await other('GET', `${calendar}/`)).text()).match(/^BEGIN:VEVENT/gm) ?? []

describe.skipIf(!hasRadicale)('the copy', () => {
  test('answers at once while the server is silent, and without a network, and says of when it is', async () => {
    const first = openDavCalendar(options())
    await first.create(event(), 'a', now)
    await first.events(...march)
    proxy.set({from: 'client', cutAfter: 0, how: 'silence'})
    proxy.drop()
    const limits = {patienceMs: 30, longPatienceMs: 30}
    expect(await titles(openDavCalendar({...options({limits}), warn: () => undefined}))).toEqual(['Dentist'])
    proxy.set({from: 'client', cutAfter: 0, how: 'reset'})
    const offline = openDavCalendar(options())
    expect(await titles(offline)).toEqual(['Dentist'])
    expect(await offline.calendar('')).toEqual({name: 'personal', exists: true})
    expect(warnings).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+ broke the connection.*; what it had on 20\d\d-\d\d-\d\d at \d\d:\d\d UTC is used$/)])
  })

  test('is readable by its owner alone and holds no password', async () => {
    const calendar = openDavCalendar(options())
    await calendar.create(event(), 'a', now)
    expect((await stat(join(temp.path, 'copy.json'))).mode & 0o077).toBe(0)
    expect(await readFile(join(temp.path, 'copy.json'), 'utf8')).not.toContain(account.password)
  })

  test('that is damaged is made anew', async () => {
    await openDavCalendar(options()).create(event(), 'a', now)
    const {writeFile} = await import('node:fs/promises')
    await writeFile(join(temp.path, 'copy.json'), '{"version":1,"collections":')
    expect(await titles(openDavCalendar(options()))).toEqual(['Dentist'])
    expect(warnings).toEqual([])
  })

  test('without one and without a network a look-up fails with host and reason', async () => {
    const port = await freePort()
    const error = await toolError(openDavCalendar(options({url: `http://127.0.0.1:${port}/`})).events(...march))
    expect(error.code).toBe('unavailable')
    expect(error.message).toBe(`127.0.0.1:${port} cannot be reached: nothing answers at that address. Try again when it can be reached.`)
  })

  test('learns what other programs add, change and delete, and fetches no more than that', async () => {
    const limits = {freshMs: 0}
    const calendar = openDavCalendar(options({limits}))
    for (const key of ['a', 'b', 'c']) await calendar.create(event({title: key}), key, now)
    await titles(calendar)
    await other('PUT', 'personal/d.ics', item('d', 'DTSTART:20260305T100000Z', 'DTEND:20260305T110000Z', 'SUMMARY:d'))
    await other('PUT', 'personal/a.ics', item('a', 'DTSTART:20260304T134000Z', 'DTEND:20260304T144000Z', 'SUMMARY:a changed'))
    await other('DELETE', 'personal/b.ics')
    proxy.set()
    proxy.drop()
    expect(await titles(calendar)).toEqual(['a changed', 'c', 'd'])
    const asked = proxy.seen().client
    expect([...asked.matchAll(/<d:href>([^<]*)</g)].map(m => m[1]).sort()).toEqual([`/${account.user}/personal/a.ics`, `/${account.user}/personal/d.ics`])
    proxy.set()
    proxy.drop()
    expect(await titles(calendar)).toEqual(['a changed', 'c', 'd'])
    expect(proxy.seen().client).not.toContain('REPORT') // nothing has changed: one listing is all
  })

  test('a change without a network fails, and nothing is kept for later', async () => {
    const calendar = openDavCalendar(options())
    await titles(calendar)
    await calendar.create(event(), 'a', now)
    proxy.set({from: 'client', cutAfter: 0, how: 'reset'})
    proxy.drop()
    const error = await toolError(calendar.create(event({title: 'Lost'}), 'b', now))
    expect(['unavailable', 'unknown']).toContain(error.code)
    proxy.set()
    expect(await titles(openDavCalendar(options()))).toEqual(['Dentist'])
    expect(await onServer('personal')).toHaveLength(1)
  })
})

describe.skipIf(!hasRadicale)('a connection that breaks while an event is added', () => {
  // Of the request (some 800 bytes) and of its answer (some 300): the ends of the header and of the body lie between.
  const cuts = [...[0, 1, 40, 150, 300, 330, 360, 400, 500, 600, 700, 800].map(at => ['client', at] as const), ...[0, 1, 12, 60, 120, 150, 200].map(at => ['server', at] as const)]

  test.each(cuts)('after the %s\'s byte %i, and works again: it is there once', async (from, cutAfter) => {
    const calendar = openDavCalendar(options())
    await calendar.create(event({title: 'First'}), 'first', now)
    let requests = 0
    onRequest = () => {
      if (requests++ === 0) { proxy.set({from, cutAfter, how: cutAfter % 2 ? 'reset' : 'close'}); proxy.drop() }
      else proxy.set()
    }
    await calendar.create(event({title: 'Second'}), 'second', now)
    expect(await titles(calendar)).toEqual(['First', 'Second'])
    expect(await onServer('personal')).toHaveLength(2)
  })

  test.each(cuts)('after the %s\'s byte %i, for good: what is said is true', async (from, cutAfter) => {
    const calendar = openDavCalendar(options())
    await calendar.create(event({title: 'First'}), 'first', now)
    proxy.set({from, cutAfter, how: 'reset'})
    proxy.drop()
    const said = await calendar.create(event({title: 'Second'}), 'second', now).then(() => 'done', (error: ToolError) => error.code)
    const there = (await onServer('personal')).length
    // "Done" and "not done" are facts; only what nobody could tell is unknown.
    if (said === 'done') expect(there).toBe(2)
    else if (said !== 'unknown') expect([said, there]).toEqual([expect.stringMatching(/^(failed|unavailable)$/), 1])
    expect(there).toBeLessThanOrEqual(2)
  })

  test('what is unknown says where to look', async () => {
    const calendar = openDavCalendar(options())
    await calendar.create(event({title: 'First'}), 'first', now)
    proxy.set({from: 'server', cutAfter: 0, how: 'reset'})
    proxy.drop()
    const error = await toolError(calendar.create(event({title: 'Second'}), 'second', now))
    expect(error.code).toBe('unknown')
    expect(error.message).toBe(`The connection broke, and it is not known whether this was added to "personal" on 127.0.0.1:${proxy.port}. Look there before you do it again.`)
  })

  test('undo asks as well, and takes back once', async () => {
    const calendar = openDavCalendar(options())
    const {undo} = await calendar.create(event(), 'a', now)
    let requests = 0
    onRequest = () => {
      if (requests++ === 1) { proxy.set({from: 'server', cutAfter: 1, how: 'reset'}); proxy.drop() } // the DELETE's answer
      else proxy.set()
    }
    await calendar.remove(undo)
    expect(await onServer('personal')).toEqual([])
    expect((await toolError(calendar.remove(undo))).message).toContain('is gone already')
  })
})

describe.skipIf(!hasRadicale)('other programs', () => {
  test('what one of them has changed since is not taken back', async () => {
    const calendar = openDavCalendar(options())
    const {undo} = await calendar.create(event(), 'a', now)
    await other('PUT', 'personal/a.ics', item('a', 'DTSTART:20260304T134000Z', 'SUMMARY:Moved'))
    const error = await toolError(calendar.remove(undo))
    expect([error.code, error.message]).toEqual(['refused', expect.stringContaining('has changed since, so it is left alone')])
    expect(await onServer('personal')).toHaveLength(1)
  })

  test('a card that was changed elsewhere meanwhile is not written over', async () => {
    const contacts = openDavContacts(options())
    await contacts.save('Ana Duarte', 'email', 'ana@example.org')
    const [card] = await contacts.all()
    const path = new URL(card!.id.replace(/#0$/, '')).pathname.split('/').slice(2).join('/')
    await other('PUT', path, ['BEGIN:VCARD', 'VERSION:3.0', `UID:${path.split('/')[1]!.replace('.vcf', '')}`, 'FN:Ana Duarte', 'N:Duarte;Ana;;;', 'EMAIL:new@example.org', 'END:VCARD', ''].join('\r\n'), {'content-type': 'text/vcard'})
    expect((await toolError(contacts.save('Ana Duarte', 'phone', '+12025550101'))).code).toBe('refused')
    await contacts.save('Ana Duarte', 'phone', '+12025550101') // it has seen the change now
    expect((await contacts.all()).map(c => [c.emails[0]?.value, c.phones[0]?.value])).toEqual([['new@example.org', '+12025550101']])
  })

  test.each(['one after the other', 'at the same moment'])('calendars, lists and contacts of a new account are made %s, though two want one name in one place', async way => {
    const makers = [
      () => openDavContacts(options({file: 'contacts.json'})).save('Ana', 'email', 'ana@example.org'),
      () => openDavCalendar(options({file: 'calendar.json'})).create(event(), 'a', now),
      () => openDavReminders(options({file: 'lists.json'})).create({name: 'Milk', notes: '', list: '', priority: 0}, 'b', now),
    ]
    if (way === 'at the same moment') await Promise.all(makers.map(make => make()))
    else for (const make of makers) await make()
    expect(await titles(openDavCalendar(options()))).toEqual(['Dentist'])
    expect((await openDavContacts(options({file: 'contacts.json'})).all()).map(c => c.name)).toEqual(['Ana'])
    expect((await openDavReminders(options({file: 'lists.json'})).reminders()).map(r => r.name)).toEqual(['Milk'])
    const home = await (await other('PROPFIND', '', undefined, {depth: '1'})).text()
    expect(home.match(/<response>/g)).toHaveLength(4) // with itself
  })

  test('a token from another place is not followed', async () => {
    const calendar = openDavCalendar(options())
    const {undo} = await calendar.create(event(), 'a', now)
    for (const path of [`${server.origin}/${account.user}/personal/a.ics`, `${account.url}user0/x/a.ics`, '/etc/passwd', `${(undo as {path: string}).path}/../../../x.ics`]) {
      expect((await toolError(calendar.remove({...undo as object, path} as Json))).code).toBe('refused')
    }
    expect(await onServer('personal')).toHaveLength(1)
  })

  test.skipIf(!hasReaders)('vdirsyncer and khal show what was added, with text, time and list as they were given', async () => {
    const notes = 'Line, one; "two"\nBEGIN:VEVENT\n'.repeat(320).trim() // 10,000 characters
    const calendar = openDavCalendar(options())
    await calendar.create(event({title: 'Plan, review; "Q3"', notes, location: 'Room 2', calendar: 'Work'}), 'a', now)
    await calendar.create(event({title: 'Trip', start: parseWhen('2026-03-07', 'start'), end: parseWhen('2026-03-09', 'end'), calendar: 'Work'}), 'b', now)
    await openDavReminders(options({file: 'todo.json'})).create({name: 'Call', notes: '', list: 'Errands', priority: 1, due: parseWhen('2026-03-05 10:00:00', 'due')}, 'c', now)
    const config = ['[general]', 'status_path = "status"', '[pair p]', 'a = "l"', 'b = "r"', 'collections = ["from b"]', '[storage l]', 'type = "filesystem"', 'path = "cal"', 'fileext = ".ics"',
      '[storage r]', 'type = "caldav"', `url = "${server.origin}/"`, `username = "${account.user}"`, `password = ${JSON.stringify(account.password)}`, ''].join('\n')
    const yes = async (...args: string[]) => runProgram('/bin/sh', ['-c', `yes | vdirsyncer -c ./vdirsyncer.conf ${args.join(' ')}`], temp.path, {'vdirsyncer.conf': config}, timeZone)
    await yes('discover')
    await yes('sync')
    const khal = ['[calendars]', '[[all]]', `path = ${temp.path}/cal/*`, 'type = discover', '[locale]', 'timeformat = %H:%M', 'dateformat = %Y-%m-%d', 'longdateformat = %Y-%m-%d',
      'datetimeformat = %Y-%m-%d %H:%M', 'longdatetimeformat = %Y-%m-%d %H:%M', `local_timezone = ${timeZone}`, `default_timezone = ${timeZone}`, '[sqlite]', `path = ${join(temp.path, 'khal.db')}`, ''].join('\n')
    const list = (format: string) => runProgram('khal', ['list', '--format', format, '--day-format', '', '2026-03-01', '31d'], temp.path, {'.config/khal/config': khal}, timeZone)
    const lines = (await list('{start-date} {start-time}-{end-time} {title} @{location} [{calendar}]')).split('\n').map(line => line.trim())
    expect(lines).toContain('2026-03-04 08:40-09:40 Plan, review; "Q3" @Room 2 [work]')
    expect(lines.filter(line => line.includes('Trip'))).toHaveLength(3)
    expect((await list('{description}')).replace(/\s+/g, ' ')).toContain(notes.replace(/\s+/g, ' '))
    expect(await readFile(join(temp.path, 'cal', 'errands', 'c.ics'), 'utf8')).toMatch(/BEGIN:VTODO[^]*SUMMARY:Call/)
  }, 120_000)
})

describe.skipIf(!hasRadicale)('calendars of other programs', () => {
  const berlin = ['BEGIN:VTIMEZONE', 'TZID:Mine', 'BEGIN:STANDARD', 'DTSTART:19701025T030000', 'TZOFFSETFROM:+0200', 'TZOFFSETTO:+0100', 'RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU', 'END:STANDARD',
    'BEGIN:DAYLIGHT', 'DTSTART:19700329T020000', 'TZOFFSETFROM:+0100', 'TZOFFSETTO:+0200', 'RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU', 'END:DAYLIGHT', 'END:VTIMEZONE']
  beforeEach(async () => {
    await other('MKCALENDAR', 'home/', `<c:mkcalendar xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:d="DAV:"><d:set><d:prop><d:displayname>Über uns &amp; 1</d:displayname></d:prop></d:set></c:mkcalendar>`, {'content-type': 'application/xml'})
  })

  test.each([
    ['described in the item', 'Mine', berlin], ['known by its name alone', 'Europe/Berlin', []],
  ])('an event in another zone, %s, is shown at the user\'s own time, over a change of the clocks', async (_how, zone, describing) => {
    // New York's clocks change on 8 March, Berlin's on the 29th.
    const weekly = item('w', `DTSTART;TZID=${zone}:20260304T180000`, `DTEND;TZID=${zone}:20260304T190000`, 'RRULE:FREQ=WEEKLY', 'SUMMARY:Choir').replace('BEGIN:VEVENT', [...describing, 'BEGIN:VEVENT'].join('\r\n'))
    expect((await other('PUT', 'home/w.ics', weekly)).status).toBe(201)
    const found = await openDavCalendar(options()).events(new Date('2026-03-01T00:00:00'), new Date('2026-04-03T00:00:00'))
    expect(found.map(e => e.start)).toEqual(['2026-03-04 12:00:00', '2026-03-11 13:00:00', '2026-03-18 13:00:00', '2026-03-25 13:00:00', '2026-04-01 12:00:00'])
  })

  test('a calendar is found by the name that people see, and new events go where the user wants them', async () => {
    await other('MKCALENDAR', 'work/')
    const calendar = openDavCalendar(options({usual: 'über UNS & 1'}))
    expect(await calendar.calendar('')).toEqual({name: 'Über uns & 1', exists: true})
    expect(await calendar.calendar('my work calendar')).toEqual({name: 'work', exists: true})
    await calendar.create(event(), 'a', now)
    expect(await onServer('home')).toHaveLength(1)
  })

  test('a list that holds no events is no calendar', async () => {
    await openDavReminders(options({file: 'todo.json'})).create({name: 'Milk', notes: '', list: 'Shopping', priority: 0}, 'a', now)
    expect(await openDavCalendar(options()).calendar('Shopping')).toEqual({name: 'Shopping', exists: false})
    expect((await openDavReminders(options({file: 'todo.json'})).reminders()).map(r => [r.name, r.list])).toEqual([['Milk', 'Shopping']])
  })
})

describe('the login', () => {
  test.skipIf(!hasRadicale)('that is refused names host and user, and not the password', async () => {
    const error = await toolError(openDavCalendar(options({password: 'wrong-one'})).events(...march))
    expect(error.code).toBe('unavailable')
    expect(error.message).toMatch(new RegExp(`^127\\.0\\.0\\.1:${proxy.port} does not take the password of ${account.user}\\.`))
    expect(JSON.stringify([error.message, String(error.cause), warnings])).not.toContain('wrong-one')
  })

  test.each(['http://dav.example.org', 'ftp://dav.example.org', 'https://me:secret@dav.example.org', 'dav.example.org', 'file:///etc/passwd'])('%s is no address for a password', url => {
    expect(() => serverUrl(url)).toThrow(ToolError)
  })

  test.each([
    ['https://caldav.icloud.com', 'https://p42-caldav.icloud.com/1/', true], ['https://a.example.co.uk', 'https://b.example.co.uk', true], ['https://a.org', 'https://a.org:8443', true],
    ['https://a.example.co.uk', 'https://evil.co.uk', false], ['https://dav.example.org', 'https://example.org.evil.net', false], ['https://dav.example.org', 'http://dav.example.org', false],
    ['https://dav.example.org', 'http://127.0.0.1', false], ['https://10.0.0.1', 'https://11.0.0.1', false], ['http://127.0.0.1:1', 'http://127.0.0.1:2', true],
  ])('from %s to %s: %s', (from, to, expected) => {
    expect(isSameSite(new URL(from), new URL(to))).toBe(expected)
  })

  test('a redirect to another host gets no login, and is told', async () => {
    const seen: IncomingHttpHeaders[] = []
    const fraud = await listen((req, res) => { seen.push(req.headers); res.writeHead(302, {location: 'http://localhost:9/steal'}).end() })
    try {
      const error = await toolError(openDavCalendar({account: {url: fraud.url, user: 'u', password: async () => 'p'}, file: join(temp.path, 'x.json')}).events(...march))
      expect([error.code, error.message]).toEqual(['refused', expect.stringContaining('sends us to localhost:9, which does not get your password')])
    } finally {
      await fraud.close()
    }
  })

  test('a server that asks for Digest gets a digest and never the password', async () => {
    const seen: string[] = []
    const digest = await listen((req, res) => {
      seen.push(req.headers.authorization ?? '')
      if (!/^Digest /.test(req.headers.authorization ?? '')) res.writeHead(401, {'www-authenticate': 'Digest realm="dav", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", qop="auth", opaque="5ccc069c"'}).end()
      else res.writeHead(404).end()
    })
    try {
      expect((await toolError(openDavCalendar({account: {url: digest.url, user: 'Mufasa', password: async () => 'Circle of Life'}, file: join(temp.path, 'x.json')}).events(...march))).code).toBe('not-found')
      const [, sent = ''] = seen
      const field = (name: string): string => new RegExp(`\\b${name}="?([^",]+)`).exec(sent)?.[1] ?? ''
      const {createHash} = await import('node:crypto')
      const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
      // RFC 7616, 3.4.1, worked out a second time.
      expect(field('response')).toBe(md5(`${md5('Mufasa:dav:Circle of Life')}:dcd98b7102dd2f0e8b11d0f600bfb0c093:${field('nc')}:${field('cnonce')}:auth:${md5('PROPFIND:/.well-known/caldav')}`))
      expect(field('opaque')).toBe('5ccc069c')
    } finally {
      await digest.close()
    }
  })
})

describe('the server of an address', () => {
  const signal = new AbortController().signal
  const finding = (lookUp: (name: string) => Promise<{name: string; port: number; priority: number; weight: number}[]>) => ({signal, lookUp, timeoutMs: 500})

  test('of a provider that is known needs no look-up', async () => {
    expect(await findServers('ana@me.com', finding(() => expect.fail('no look-up')))).toEqual({caldav: 'https://caldav.icloud.com', carddav: 'https://contacts.icloud.com', isElsewhere: false})
  })

  test('is what the domain\'s SRV records say, the first by priority, and one elsewhere is marked', async () => {
    const records: Record<string, {name: string; port: number; priority: number; weight: number}[]> = {
      '_caldavs._tcp.example.org': [{name: 'late.example.org', port: 443, priority: 20, weight: 1}, {name: 'cal.example.org', port: 8443, priority: 10, weight: 1}],
      '_carddavs._tcp.example.org': [{name: 'contacts.hoster.example', port: 443, priority: 0, weight: 0}],
    }
    expect(await findServers('ana@example.org', finding(async name => records[name] ?? []))).toEqual({caldav: 'https://cal.example.org:8443', carddav: 'https://contacts.hoster.example', isElsewhere: true})
  })

  test.each([['ana@gmail.com', 'refused'], ['ana@outlook.com', 'refused'], ['ana', 'invalid-args'], ['ana@-', 'invalid-args']])('%s is told why not', async (address, code) => {
    expect((await toolError(findServers(address, finding(async () => [])))).code).toBe(code)
  })
})

describe.skipIf(!hasXandikos)('a server that sends invitations', () => {
  let xandikos: DavServer
  let front: Awaited<ReturnType<typeof listen>>
  beforeAll(async () => {
    xandikos = (await startXandikos())!
    // Xandikos knows whose addresses it has, and offers no scheduling: the header is RFC 6638's, all else is its own.
    front = await listen((req, res) => {
      const upstream = request(new URL(req.url ?? '/', xandikos.origin), {method: req.method, headers: req.headers}, answer => {
        res.writeHead(answer.statusCode ?? 502, {...answer.headers, ...(answer.headers['dav'] && {dav: 'calendar-access, calendar-auto-schedule'})})
        answer.pipe(res)
      })
      req.pipe(upstream)
    })
  }, 120_000)
  afterAll(async () => { await front?.close(); await xandikos?.stop() })

  const withPeople = {title: 'Plan', start_date: '2026-03-04 08:40:00', end_date: '', location: '', invitees: ['ana@example.org'], notes: '', calendar: 'Work'}
  const opened = async (organizer: string) => {
    await xandikos.newAccount()
    const sent: unknown[] = []
    const calendar = openDavCalendar({account: {url: front.url, user: 'user', password: async () => 'x'}, file: join(temp.path, `${organizer}.json`)})
    const [create] = calendarTools(calendar, {organizer: {address: organizer, name: 'Sam Doe'}, invitations: {send: async message => { sent.push(message); return {isQueued: false} }}})
    return {create: create!, sent}
  }
  const stored = async (): Promise<string> => (await (await fetch(`${xandikos.origin}/user/calendars/work/run-1-task-1.ics`)).text()).replace(/\r?\n /g, '')

  test('gets the organizer, and no mail is sent beside it', async () => {
    const {create, sent} = await opened(xandikosUser)
    const preview = await create.preview(withPeople, contextFor())
    expect(preview.effect).toBe('outward')
    expect(preview.notice).toContain(`${new URL(front.url).host} sends the invitations, in words of its own.`)
    expect(preview.fields.find(f => f.label === 'From')?.value).toBe(`Sam Doe <${xandikosUser}>`)
    const result = await create.run(withPeople, contextFor())
    expect(result.summary).toContain(`${new URL(front.url).host} invites ana@example.org`)
    expect(result.undo).toBeUndefined()
    expect(sent).toEqual([])
    expect(await stored()).toMatch(/^ORGANIZER;CN="?Sam Doe"?:mailto:sam@example\.org\r?$/m)
    expect(await stored()).toMatch(/^ATTENDEE.*:mailto:ana@example\.org\r?$/m)
  })

  test('leaves the invitations to the mail account where the user is somebody else there', async () => {
    const {create, sent} = await opened('else@example.org')
    expect((await create.preview(withPeople, contextFor())).notice ?? '').not.toContain('sends the invitations')
    await create.run(withPeople, contextFor())
    expect(sent).toHaveLength(1)
    expect(await stored()).not.toContain('ORGANIZER')
  })
})

async function listen(handler: Parameters<typeof createServer>[1] & object): Promise<{url: string; close(): Promise<void>}> {
  const http: Server = createServer(handler)
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  const {port} = http.address() as AddressInfo // a TCP server's
  return {url: `http://127.0.0.1:${port}/`, close: () => new Promise(resolve => { http.closeAllConnections(); http.close(() => resolve()) })}
}
