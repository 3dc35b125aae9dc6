// Which servers an address has, and how the account in the config is read. Look-ups go to loopback only.
import {createServer, type Server as HttpServer, type RequestListener} from 'node:http'
import type {AddressInfo} from 'node:net'
import path from 'node:path'
import {afterEach, describe, expect, test} from 'vitest'
import {configSchema, type Config} from '../../src/core/config.ts'
import {pathsOf} from '../../src/core/paths.ts'
import {accountOf, isLoopback, serverError, tlsOf} from '../../src/tools/mail/account.ts'
import {findServers, knownServers, readAutoconfig, type Lookups} from '../../src/tools/mail/providers.ts'

const open: HttpServer[] = []
afterEach(() => { for (const server of open.splice(0)) { server.closeAllConnections(); server.close() } })

async function web(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  open.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/config-v1.1.xml` // a TCP server's
}

const nowhere: Lookups = {urls: () => [], srv: async () => [], mx: async () => []}
const {signal} = new AbortController()

/** As the ISPDB writes it: POP3 first, an old server without TLS, entities, placeholders. */
const ispdb = `<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1"><emailProvider id="example.com"><domain>example.com</domain><displayName>Tom &amp; Co</displayName>
<incomingServer type="pop3"><hostname>pop.example.com</hostname><port>995</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></incomingServer>
<incomingServer type="imap"><hostname>open.example.com</hostname><port>143</port><socketType>plain</socketType><username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></incomingServer>
<incomingServer type="imap"><hostname>oauth.example.com</hostname><port>993</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username><authentication>OAuth2</authentication></incomingServer>
<incomingServer type="imap"><hostname>imap.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType><username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication></incomingServer>
<outgoingServer type="smtp"><hostname>smtp.example.com</hostname><port>587</port><socketType>STARTTLS</socketType><username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></outgoingServer>
</emailProvider></clientConfig>`
const fromIspdb = {
  imap: {host: 'imap.example.com', port: 993, security: 'tls', user: 'ana.b'},
  smtp: {host: 'smtp.example.com', port: 587, security: 'starttls', user: 'ana.b@example.com'},
}

describe('the servers of an address', () => {
  test('of a common provider are known without asking anybody', async () => {
    const asked: string[] = []
    const found = await findServers('Ana@GMail.com', signal, {...nowhere, urls: domain => { asked.push(domain); return [] }})
    expect(found).toMatchObject({imap: {host: 'imap.gmail.com', port: 993, security: 'tls', user: 'Ana@GMail.com'}, smtp: {host: 'smtp.gmail.com', port: 465, security: 'tls'}, advice: expect.stringContaining('app password')})
    expect(asked).toEqual([])
    expect(knownServers('ana@icloud.com')?.smtp).toMatchObject({port: 587, security: 'starttls'})
  })

  test('are read from the domain\'s autoconfig: the first with TLS and a password, placeholders filled in', async () => {
    let asked = ''
    const url = await web((request, answer) => { asked = `${request.url} ${JSON.stringify(request.headers)}`; answer.end(ispdb) })
    expect(await findServers('ana.b@example.com', signal, {...nowhere, urls: () => [url]})).toEqual({...fromIspdb, source: new URL(url).host})
    expect(asked).not.toContain('ana.b') // the domain is enough for the look-up
  })

  test('come from the best that knows them: a missing page, a broken one and a silent one are passed over', async () => {
    const missing = await web((_, answer) => { answer.statusCode = 404; answer.end(ispdb) })
    const broken = await web((_, answer) => { answer.end('<clientConfig><incomingServer type="imap"><hostname>x') })
    const silent = await web(() => undefined)
    const good = await web((_, answer) => { answer.end(ispdb) })
    expect(await findServers('ana.b@example.com', signal, {...nowhere, urls: () => [missing, broken, silent, good]})).toMatchObject(fromIspdb)
  })

  test('an endless answer is given up', async () => {
    const url = await web((_, answer) => {
      const more = (): void => { while (!answer.destroyed && answer.write('<x>'.repeat(10_000))); }
      answer.on('drain', more)
      more()
    })
    expect(await findServers('ana@example.com', signal, {...nowhere, urls: () => [url]})).toBeUndefined()
  })

  test.each([
    ['a host that is a path', 'imap.%EMAILDOMAIN%', '../../etc'],
    ['a host with a line end', 'imap.%EMAILDOMAIN%', 'imap.example.com&#13;&#10;X'],
    ['a port that is none', '<port>993</port><socketType>SSL</socketType><username>%EMAILLOCALPART%', '<port>99300</port><socketType>SSL</socketType><username>x'],
    ['a user name with a line end', '%EMAILLOCALPART%', 'a&#10;b'],
  ])('%s is not taken', async (_, from, to) => {
    expect(ispdb).toContain(from)
    expect(await readAutoconfig(ispdb.replace(from, to), 'ana.b@example.com')).toBeUndefined()
  })

  test('are found by DNS where the domain has them there, the lowest priority first', async () => {
    const records: Record<string, {name: string; port: number; priority: number}[]> = {
      '_imaps._tcp.example.com': [{name: 'second.example.com', port: 993, priority: 20}, {name: 'first.example.com', port: 993, priority: 10}],
      '_submission._tcp.example.com': [{name: 'out.example.com', port: 587, priority: 0}],
    }
    const srv: Lookups['srv'] = async name => records[name] ?? Promise.reject(new Error('ENOTFOUND'))
    expect(await findServers('ana@example.com', signal, {...nowhere, srv})).toEqual({
      imap: {host: 'first.example.com', port: 993, security: 'tls', user: 'ana@example.com'},
      smtp: {host: 'out.example.com', port: 587, security: 'starttls', user: 'ana@example.com'},
      source: 'DNS of example.com',
    })
  })

  test('of a domain of one\'s own at a common provider are told by its mail exchanger', async () => {
    const mx: Lookups['mx'] = async () => [{exchange: 'alt1.aspmx.l.google.com', priority: 5}, {exchange: 'aspmx.l.google.com', priority: 1}]
    expect(await findServers('ana@her-firm.example', signal, {...nowhere, mx})).toMatchObject({imap: {host: 'imap.gmail.com', user: 'ana@her-firm.example'}})
    // The name of a stranger's server that only looks like it
    expect(await findServers('ana@her-firm.example', signal, {...nowhere, mx: async () => [{exchange: 'google.com.evil.example', priority: 1}]})).toBeUndefined()
  })

  test('a cancel ends the look-ups at once', async () => {
    const silent = await web(() => undefined)
    const cancel = new AbortController()
    const work = findServers('ana@example.com', cancel.signal, {...nowhere, urls: () => [silent]})
    setImmediate(() => cancel.abort())
    await expect(work).rejects.toMatchObject({name: 'AbortError'})
  })
})

const paths = pathsOf({home: '/home-of-the-test'})
type MailValues = Record<string, unknown>
const configWith = (email: string, mail: MailValues): Config => {
  const values = configSchema.parse({user: {email}, mail: {backend: 'imap', ...mail}})
  const dir = (name: string): string => path.join(paths.data, name)
  return {
    ...values, values, paths, file: 'config.toml', files: {roots: [], exclude: [], index: 'walk'},
    dirs: {calendar: dir('calendar'), reminders: dir('reminders'), contacts: dir('contacts'), notes: dir('notes'), mail: dir('mail'), sms: dir('sms')},
  }
}

describe('the account in the config', () => {
  test('of a common provider needs the address only', () => {
    expect(accountOf(configWith('ana@gmail.com', {}))).toMatchObject({
      imap: {host: 'imap.gmail.com', port: 993, security: 'tls', user: 'ana@gmail.com'}, smtp: {host: 'smtp.gmail.com', port: 465, security: 'tls'},
    })
  })

  test.each([
    [{host: 'mail.example.com'}, {port: 993, security: 'tls'}],
    [{host: 'mail.example.com', port: 143}, {port: 143, security: 'starttls'}],
    [{host: 'mail.example.com', security: 'starttls'}, {port: 143, security: 'starttls'}],
    [{host: '127.0.0.1', port: 1143}, {port: 1143, security: 'none'}],
    [{host: 'localhost', port: 993, user: 'ana'}, {port: 993, security: 'tls', user: 'ana'}],
  ])('%j is %j', (imap, expected) => {
    expect(accountOf(configWith('me@example.com', {imap, smtp: {host: 'mail.example.com'}})).imap).toMatchObject(expected)
  })

  test.each([
    ['', {}, /user\.email: the mail account has no address/],
    ['me@example.com', {}, /mail\.imap\.host: is not set, and example\.com is no provider that tinyagent knows; `tinyagent setup mail`/],
    ['me@example.com', {imap: {host: 'mail.example.com'}}, /mail\.smtp\.host: is not set/],
    ['me@example.com', {imap: {host: 'a b'}}, /mail\.imap\.host: expected a host's name/],
    ['me@example.com', {imap: {host: 'mail.example.com', security: 'none'}}, /"none" would send the password to mail\.example\.com in the open/],
    ['me@example.com', {imap: {host: '127.evil.example', security: 'none'}}, /in the open/],
  ])('%j with %j is an error that names the key', (email, mail, message) => {
    expect(() => accountOf(configWith(email, mail))).toThrow(expect.objectContaining({code: 'config', message: expect.stringMatching(message)}))
  })

  test('certificates count everywhere but on the machine itself', () => {
    const server = (host: string) => ({host, port: 993, security: 'tls' as const, user: ''})
    expect(tlsOf(server('mail.example.com'))).toMatchObject({rejectUnauthorized: true, servername: 'mail.example.com'})
    expect(tlsOf(server('127.0.0.1')).rejectUnauthorized).toBe(false)
    expect(['localhost', '127.9.9.9', '::1'].map(isLoopback)).toEqual([true, true, true])
    expect(['localhost.example.com', '127.evil.example', '128.0.0.1'].map(isLoopback)).toEqual([false, false, false])
  })

  test('what a server says is one line without the password, and moves no cursor', () => {
    const server = {host: 'mail.example.com', port: 993, security: 'tls' as const, user: 'me'}
    const answer = Object.assign(new Error('x'), {code: 'EAUTH', response: `535 no: s3cret ${Buffer.from('s3cret').toString('base64')}\r\n\u001b[2Jmore`})
    const {message} = serverError(answer, server, 's3cret')
    expect(message).toMatch(/^mail\.example\.com:993 does not accept the password of me \(it says: 535 no: \*\*\* \*\*\* \\x1b\[2Jmore\)/)
    for (const [code, words] of [['ENOTFOUND', 'was not found'], ['ETIMEDOUT', 'did not answer in time'], ['DEPTH_ZERO_SELF_SIGNED_CERT', 'no certificate that proves its name'], ['CERT_HAS_EXPIRED', 'no longer valid']]) {
      expect(serverError(Object.assign(new Error('x'), {code}), server, '').message).toContain(words)
    }
  })
})
