// Radicale and Xandikos, each with a folder of its own.
import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {program, tempFolder} from '../tools/vdir-programs.ts'
import {freePort, startServer} from './process.ts'

export interface DavServer {
  name: string
  /** "http://127.0.0.1:PORT" */
  origin: string
  /** An account that has nothing in it yet. */
  newAccount(): Promise<{url: string; user: string; password: string}>
  stop(): Promise<void>
}

const password = 'päss"wörd: 1'
/** With a login for each of its users, as its documentation recommends. */
export async function startRadicale(): Promise<DavServer | undefined> {
  const path = await program('radicale')
  if (path === undefined) return undefined
  const {path: folder, remove} = await tempFolder()
  const users = Array.from({length: 200}, (_, n) => `user${n}`)
  await writeFile(join(folder, 'users'), users.map(user => `${user}:${password}\n`).join(''))
  await mkdir(join(folder, 'data'))
  const config = ['[auth]', 'type = htpasswd', `htpasswd_filename = ${join(folder, 'users')}`, 'htpasswd_encryption = plain', 'delay = 0',
    '[storage]', `filesystem_folder = ${join(folder, 'data')}`, ''].join('\n')
  await writeFile(join(folder, 'config'), config)
  const port = await freePort()
  const server = await startServer(path, ['--config', join(folder, 'config'), '--server-hosts', `127.0.0.1:${port}`], [port], async () => '')
  const origin = `http://127.0.0.1:${port}`
  let next = 0
  return {
    name: 'Radicale', origin,
    newAccount: async () => ({url: `${origin}/`, user: users[next++] ?? 'no more users', password}),
    stop: async () => { await server.stop(); await remove() },
  }
}

export const xandikosUser = 'sam@example.org'

/** It has no logins, and one user. */
export async function startXandikos(): Promise<DavServer | undefined> {
  const path = await program('xandikos')
  if (path === undefined) return undefined
  const {path: folder, remove} = await tempFolder()
  await chmod(folder, 0o700)
  const port = await freePort()
  const server = await startServer('env', [`EMAIL=${xandikosUser}`, path, '-d', folder, '--autocreate', '--current-user-principal', '/user/', '-l', '127.0.0.1', '-p', String(port)], [port], async () => '')
  const origin = `http://127.0.0.1:${port}`
  return {
    name: 'Xandikos', origin,
    newAccount: async () => {
      for (const home of ['calendars', 'contacts']) await empty(`${origin}/user/${home}/`)
      return {url: `${origin}/`, user: 'user', password}
    },
    stop: async () => { await server.stop(); await remove() },
  }
}

async function empty(home: string): Promise<void> {
  const listing = await (await fetch(home, {method: 'PROPFIND', headers: {depth: '1'}})).text()
  for (const [, href = ''] of listing.matchAll(/<(?:\w+:)?href>([^<]+)</g)) {
    const url = new URL(href, home)
    if (url.href.startsWith(home) && url.href !== home) await fetch(url, {method: 'DELETE'})
  }
}
