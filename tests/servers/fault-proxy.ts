// A TCP proxy that cuts, resets or delays a connection: what networks do.
import {connect, createServer, type AddressInfo, type Socket} from 'node:net'

export interface Fault {
  /** whose bytes are counted */
  from: 'client' | 'server'
  /** so many bytes go through, and then nothing more, either way */
  cutAfter?: number
  /** everything up to the end of the first such text of a connection goes through */
  match?: string
  how?: 'close' | 'reset' | 'silence'
}

export interface FaultProxy {
  port: number
  /** for the connections from now on; the counts begin again */
  set(fault?: Fault): void
  /** what went through since `set` */
  seen(): {client: string; server: string}
  /** Ends the connections that are open. */
  drop(): void
  /** connections since `set` */
  connections(): number
  /** resolves when a line has been cut; to be called before that can happen */
  cut(): Promise<void>
  close(): Promise<void>
}

export async function startFaultProxy(upstreamPort: number): Promise<FaultProxy> {
  let fault: Fault | undefined
  let seen = {client: '', server: ''}
  let connections = 0
  let onCut = (): void => undefined
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    const current = fault
    const log = seen
    connections++
    const upstream = connect(upstreamPort, '127.0.0.1')
    const pair = {client, server: upstream}
    const passed = {client: 0, server: 0}
    const own = {client: '', server: ''}
    let isCut = false
    const cut = (): void => {
      isCut = true
      onCut()
      if (current?.how === 'silence') return
      for (const socket of [client, upstream]) {
        if (current?.how === 'reset') socket.resetAndDestroy()
        else socket.destroy()
      }
    }
    for (const [from, to] of [['client', 'server'], ['server', 'client']] as const) {
      const socket = pair[from]
      socket.setNoDelay(true)
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => { sockets.delete(socket); if (!isCut || current?.how !== 'silence') pair[to].destroy() })
      socket.on('end', () => pair[to].end())
      socket.on('data', (chunk: Buffer) => {
        if (isCut) return
        const left = current?.from === from ? placeOf(current, own[from], chunk) - passed[from] : Infinity
        const part = chunk.subarray(0, left)
        passed[from] += part.length
        own[from] += part.toString('latin1')
        log[from] += part.toString('latin1')
        if (chunk.length < left) { pair[to].write(part); return }
        // What goes through has gone through before the line is cut.
        isCut = true
        pair[to].write(part, () => setImmediate(cut))
      })
    }
    if (current?.cutAfter === 0) upstream.on('connect', cut)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port, // a TCP server's
    set: next => { fault = next; seen = {client: '', server: ''}; connections = 0 },
    seen: () => seen,
    drop: () => { for (const socket of sockets) socket.destroy() },
    connections: () => connections,
    cut: () => new Promise(resolve => { onCut = resolve }),
    close: () => new Promise(resolve => {
      for (const socket of sockets) socket.destroy()
      server.close(() => resolve())
    }),
  }
}

/** How many bytes go through in all; `before` went through already. */
function placeOf({cutAfter = Infinity, match}: Fault, before: string, chunk: Buffer): number {
  if (match === undefined) return cutAfter
  const at = (before + chunk.toString('latin1')).indexOf(match)
  return at < 0 ? cutAfter : at + match.length
}
