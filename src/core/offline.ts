// --offline: no connection leaves this process. Every TCP and TLS connection of Node goes through one method, also those of
// libraries; look-ups of names and datagrams go through a few more. What other programs do (a browser that shows a map) is theirs.
import dgram from 'node:dgram'
import dns from 'node:dns'
import {syncBuiltinESMExports} from 'node:module'
import net from 'node:net'

class Offline extends Error {
  readonly code = 'EOFFLINE'
  constructor() { super('--offline: no connection was made') }
}

let isRefusing = false
/** For work that would ask the user for something first, only to fail at its first connection. */
export const isOffline = (): boolean => isRefusing

/** From now on, for the life of the process. Connections to local sockets by path stay. */
export function refuseSockets(): void {
  isRefusing = true
  const connect = net.Socket.prototype.connect as (this: net.Socket, ...args: unknown[]) => net.Socket // has many forms
  net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]): net.Socket {
    // net.connect() hands over [options, callback] as one list.
    const first: unknown = Array.isArray(args[0]) ? args[0][0] : args[0]
    const isPath = (typeof first === 'string' && Number.isNaN(Number(first))) || (typeof first === 'object' && first !== null && 'path' in first && Boolean(first.path))
    if (isPath) return connect.apply(this, args)
    Object.assign(this, {connecting: true}) // what is written meanwhile waits
    setImmediate(() => this.destroy(new Offline())) // once its owner listens
    return this
  }
  dgram.Socket.prototype.send = function (): never { throw new Offline() }
  dgram.Socket.prototype.connect = function (): never { throw new Offline() }
  const lookups = Object.keys(dns.promises).filter(name => /^(?:lookup|resolve|reverse)/.test(name))
  for (const name of lookups) Object.assign(dns.promises, {[name]: () => Promise.reject(new Offline())})
  syncBuiltinESMExports() // `import {resolveMx} from 'node:dns/promises'` sees it too
}
