// What stands before a CalDAV server where logins are access tokens: asks the authorization server whose a token is (RFC 7662), and
// hands the request on in that user's name. Radicale trusts its X-Remote-User.
import {createServer, request as ask} from 'node:http'
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {program, tempFolder} from '../tools/vdir-programs.ts'
import {freePort, startServer} from './process.ts'

export interface TokenDav { url: string; /** status of each answer, in order */ statuses: number[]; stop(): Promise<void> }

export async function startRadicaleWithTokens(introspectionUrl: string): Promise<TokenDav | undefined> {
  const path = await program('radicale')
  if (path === undefined) return undefined
  const {path: folder, remove} = await tempFolder()
  await mkdir(join(folder, 'data'))
  await writeFile(join(folder, 'config'), ['[auth]', 'type = http_x_remote_user', '[storage]', `filesystem_folder = ${join(folder, 'data')}`, ''].join('\n'))
  const port = await freePort()
  const radicale = await startServer(path, ['--config', join(folder, 'config'), '--server-hosts', `127.0.0.1:${port}`], [port], async () => '')
  const statuses: number[] = []
  const {username, password, origin, pathname} = new URL(introspectionUrl)
  const whose = async (token: string): Promise<string | undefined> => {
    const answer = await fetch(origin + pathname, {method: 'POST', headers: {authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`}, body: new URLSearchParams({token})})
    const {active, sub} = await answer.json() as {active: boolean; sub?: string} // RFC 7662, 2.2
    return active ? sub : undefined
  }
  const proxy = createServer((incoming, outgoing) => {
    void (async () => {
      const [, token] = /^Bearer (\S+)$/.exec(incoming.headers.authorization ?? '') ?? []
      const user = token === undefined ? undefined : await whose(token)
      if (user === undefined) {
        incoming.resume()
        statuses.push(401)
        outgoing.writeHead(401, {'www-authenticate': 'Bearer error="invalid_token"'}).end()
        return
      }
      const {authorization: _, ...headers} = incoming.headers
      const onward = ask({host: '127.0.0.1', port, method: incoming.method, path: incoming.url, headers: {...headers, 'x-remote-user': user}}, answer => {
        statuses.push(answer.statusCode ?? 0)
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      onward.on('error', () => outgoing.writeHead(502).end())
      incoming.pipe(onward)
    })()
  })
  await new Promise<void>(resolve => { proxy.listen(0, '127.0.0.1', () => resolve()) })
  const address = proxy.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`, statuses,
    stop: async () => {
      proxy.closeAllConnections()
      await new Promise(resolve => { proxy.close(resolve) })
      await radicale.stop()
      await remove()
    },
  }
}
