// In a process of its own (a test file has one): what is refused stays refused.
import dgram from 'node:dgram'
import dns, {resolveMx} from 'node:dns/promises'
import http from 'node:http'
import net, {type AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import path from 'node:path'
import tls from 'node:tls'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {refuseSockets} from '../../src/core/offline.ts'

let port: number
let connections = 0
const server = http.createServer((_, answer) => { answer.end('here') }).on('connection', () => { connections++ })
const local = net.createServer(socket => socket.end('local'))
const localPath = path.join(tmpdir(), `offline-${process.pid}.sock`)
beforeAll(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port // a TCP server's
  if (process.platform !== 'win32') await new Promise<void>(resolve => local.listen(localPath, resolve))
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('here') // it could be reached
  server.closeAllConnections()
  refuseSockets()
  connections = 0
})
afterAll(() => { server.close(); local.close() })

const failure = (socket: net.Socket): Promise<unknown> => new Promise(resolve => { socket.on('error', resolve); socket.on('connect', () => resolve('connected')) })
const offline = {code: 'EOFFLINE'}

test('no connection is made: not by net, tls, http or fetch', async () => {
  expect(await failure(net.connect(port, '127.0.0.1'))).toMatchObject(offline)
  expect(await failure(new net.Socket().connect({port, host: '127.0.0.1'}))).toMatchObject(offline)
  expect(await failure(tls.connect(port, '127.0.0.1'))).toMatchObject(offline)
  expect(await new Promise(resolve => http.get({port, host: '127.0.0.1'}).on('error', resolve))).toMatchObject(offline)
  await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toMatchObject({cause: offline})
  expect(connections).toBe(0)
})

test('no name is looked up and no datagram is sent', async () => {
  await expect(resolveMx('example.org')).rejects.toMatchObject(offline)
  await expect(dns.lookup('localhost')).rejects.toMatchObject(offline)
  const socket = dgram.createSocket('udp4')
  expect(() => socket.send('x', port, '127.0.0.1')).toThrow(expect.objectContaining(offline))
  socket.close()
})

test.skipIf(process.platform === 'win32')('sockets of this machine\'s own files still work', async () => {
  expect(await new Promise(resolve => net.connect(localPath).on('data', data => resolve(data.toString())).on('error', resolve))).toBe('local')
})
