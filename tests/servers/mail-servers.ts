// Dovecot (IMAP, LMTP) and Postfix (submission) on loopback, in a folder of their own: mail that is sent arrives.
import {execFile} from 'node:child_process'
import {chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir, userInfo} from 'node:os'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {promisify} from 'node:util'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import {program} from '../tools/vdir-programs.ts'
import {freePort, startServer, type ServerProcess} from './process.ts'

const exec = promisify(execFile)

export const password = 'pa "ss" $(x) wörd'

export interface MailServers {
  ports: {imap: number; imaps: number; smtp: number; smtps: number}
  /** puts a mail into a user's inbox, as a mail server does */
  deliver(user: string, raw: Buffer): Promise<void>
  /** once nothing is on its way: the mails in a folder of a user, oldest first, without what servers put on top, with bare line feeds */
  mails(user: string, folder?: string): Promise<Buffer[]>
  /** takes away every mail */
  clear(): Promise<void>
  stop(): Promise<void>
}

const users = ['me@example.org', 'ana@example.org', 'bruno@example.org']

/** Postfix's master gives up root's rights itself, so it has to have them. */
export const canRunMailServers = async (): Promise<boolean> => {
  const found = await Promise.all([program('dovecot'), program('postfix'), program('openssl')])
  if (found.includes(undefined)) return false
  if (userInfo().uid === 0) return true
  if (process.env['CI']) throw new Error('the mail servers need root')
  return false
}

/** `introspectionUrl`: logins are access tokens, too, and whose one is is asked there (RFC 7662); "sub" is the user's address. */
export async function startMailServers({introspectionUrl, mechanisms = 'oauthbearer xoauth2'}: {introspectionUrl?: string; mechanisms?: string} = {}): Promise<MailServers> {
  const root = await mkdtemp(join(tmpdir(), 'tam-')) // short: sockets have short names
  await chmod(root, 0o755)
  const [imap, imaps, lmtp, smtp, smtps] = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()]
  const {uid, gid} = await idsOf('nobody')
  const home = join(root, 'home')
  await mkdir(home)
  await chown(home, uid, gid)
  await exec('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', join(root, 'key.pem'), '-out', join(root, 'cert.pem')])
  // A quoted field of a passwd-file: everything up to the next ":".
  await writeFile(join(root, 'users'), users.map(user => `${user}:{PLAIN}${password}\n`).join(''), {mode: 0o644})
  await writeFile(join(root, 'mailboxes'), users.map(user => `${user} x\n`).join(''))
  if (introspectionUrl !== undefined) {
    await writeFile(join(root, 'oauth2.conf.ext'), `introspection_mode = post\nintrospection_url = ${introspectionUrl}\nusername_attribute = sub\nactive_attribute = active\nactive_value = true\n`)
  }
  await writeFile(join(root, 'dovecot.conf'), dovecotConf({root, imap, imaps, lmtp, uid, gid, tokens: introspectionUrl === undefined ? '' : mechanisms}))
  const postfix = join(root, 'postfix')
  const postfixIds = await idsOf('postfix')
  for (const folder of ['postfix', 'queue', 'data']) await mkdir(join(root, folder))
  await chown(join(root, 'data'), postfixIds.uid, postfixIds.gid)
  await writeFile(join(postfix, 'main.cf'), mainCf({root, lmtp}))
  await writeFile(join(postfix, 'master.cf'), masterCf({smtp, smtps}))

  const started: ServerProcess[] = []
  const stop = async (): Promise<void> => {
    // Postfix's master is a child of a script that does not pass the signal on, and would stay.
    const master = Number(await readFile(join(root, 'queue/pid/master.pid'), 'utf8').catch(() => ''))
    if (master > 1) try { process.kill(master, 'SIGTERM') } catch { /* it has ended */ }
    for (const server of started.splice(0)) await server.stop()
    await rm(root, {recursive: true, force: true})
  }
  const log = async (): Promise<string> => (await Promise.all(['dovecot.log', 'postfix.log'].map(name => readFile(join(root, name), 'utf8').catch(() => '')))).join('\n')
  try {
    started.push(await startServer('/usr/sbin/dovecot', ['-F', '-c', join(root, 'dovecot.conf')], [imap, imaps, lmtp], log))
    started.push(await startServer('/usr/sbin/postfix', ['-c', postfix, 'start-fg'], [smtp, smtps], log))
  } catch (error) {
    await stop()
    throw error
  }

  const queueIsEmpty = async (): Promise<boolean> => (await exec('/usr/sbin/postqueue', ['-c', postfix, '-j'])).stdout.trim() === ''
  return {
    ports: {imap, imaps, smtp, smtps},
    deliver: (user, raw) => deliverByLmtp(lmtp, user, raw),
    async mails(user, folder) {
      const deadline = performance.now() + 120_000
      while (!await queueIsEmpty()) {
        if (performance.now() > deadline) throw new Error(`the mail does not arrive:\n${await log()}`)
        await pause(30)
      }
      return readMaildir(join(home, user, 'Maildir', folder === undefined ? '' : `.${folder}`))
    },
    clear: async () => { for (const name of await readdir(home)) await rm(join(home, name), {recursive: true, force: true, maxRetries: 5}) },
    stop,
  }
}

async function idsOf(user: string): Promise<{uid: number; gid: number}> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find(l => l.startsWith(`${user}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid === undefined || gid === undefined) throw new Error(`there is no user ${user}`)
  return {uid: Number(uid), gid: Number(gid)}
}

async function readMaildir(folder: string): Promise<Buffer[]> {
  const files = (await Promise.all(['new', 'cur'].map(async part => {
    const names: string[] = await readdir(join(folder, part)).catch(() => [])
    return names.map(name => ({name, path: join(folder, part, name)}))
  }))).flat().sort((a, b) => a.name < b.name ? -1 : 1)
  return Promise.all(files.map(async ({path}) => withoutTrace(await readFile(path))))
}

/** Servers put Return-Path, Delivered-To and Received on top (RFC 5321, 4.4), each perhaps over several lines. */
function withoutTrace(raw: Buffer): Buffer {
  const text = raw.toString('latin1').replace(/\r\n/g, '\n')
  return Buffer.from(text.replace(/^(?:(?:Return-Path|Delivered-To|Received):[^\n]*\n(?:[ \t][^\n]*\n)*)*/, ''), 'latin1')
}

function deliverByLmtp(port: number, user: string, raw: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const connection = new SMTPConnection({host: '127.0.0.1', port, lmtp: true, ignoreTLS: true, logger: false})
    connection.on('error', reject)
    connection.connect(() => connection.send({from: 'ana@example.org', to: [user]}, raw, (error, info) => {
      connection.quit()
      if (error || (info?.rejected ?? []).length > 0) reject(error ?? new Error(info?.rejectedErrors?.map(String).join(', ')))
      else resolve()
    }))
  })
}

interface DovecotConf { root: string; imap: number; imaps: number; lmtp: number; uid: number; gid: number; /** the mechanisms that take access tokens, if any */ tokens: string }

const dovecotConf = ({root, imap, imaps, lmtp, uid, gid, tokens}: DovecotConf): string => `
protocols = imap lmtp
base_dir = ${root}/run
state_dir = ${root}/state
log_path = ${root}/dovecot.log
ssl = yes
ssl_cert = <${root}/cert.pem
ssl_key = <${root}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login ${tokens}
auth_failure_delay = 0
auth_verbose = yes
first_valid_uid = 1
${tokens ? `passdb {
  driver = oauth2
  mechanisms = ${tokens}
  args = ${root}/oauth2.conf.ext
}` : ''}
passdb {
  driver = passwd-file
  args = ${root}/users
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${root}/home/%u
}
mail_location = maildir:~/Maildir
namespace inbox {
  inbox = yes
  separator = /
  mailbox "Sent Mail" {
    auto = create
    special_use = \\Sent
  }
  mailbox Drafts {
    auto = create
    special_use = \\Drafts
  }
}
default_vsz_limit = 512M
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = ${imap}
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = ${imaps}
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${lmtp}
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener ${root}/auth {
    mode = 0666
  }
}
`

const mainCf = ({root, lmtp}: {root: string; lmtp: number}): string => `
compatibility_level = 3.6
queue_directory = ${root}/queue
data_directory = ${root}/data
maillog_file = ${root}/postfix.log
maillog_file_prefixes = ${root}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
alias_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_maps = texthash:${root}/mailboxes
virtual_transport = lmtp:inet:127.0.0.1:${lmtp}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = ${root}/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtpd_tls_security_level = may
smtpd_tls_cert_file = ${root}/cert.pem
smtpd_tls_key_file = ${root}/key.pem
smtpd_error_sleep_time = 0
smtpd_timeout = 20s
message_size_limit = 40000000
smtputf8_enable = no
`

const masterCf = ({smtp, smtps}: {smtp: number; smtps: number}): string => `
127.0.0.1:${smtp} inet n - n - - smtpd
127.0.0.1:${smtps} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
pickup    unix  n - n 60  1 pickup
cleanup   unix  n - n -   0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -   - trivial-rewrite
bounce    unix  - - n -   0 bounce
defer     unix  - - n -   0 bounce
trace     unix  - - n -   0 bounce
verify    unix  - - n -   1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -   - proxymap
error     unix  - - n -   - error
retry     unix  - - n -   - error
discard   unix  - - n -   - discard
lmtp      unix  - - n -   - lmtp
smtp      unix  - - n -   - smtp
showq     unix  n - n -   - showq
anvil     unix  - - n -   1 anvil
scache    unix  - - n -   1 scache
postlog   unix-dgram n - n - 1 postlogd
`
