// A real server as a child: started, waited for until it answers, noticed when it dies, stopped after the test.
import {spawn, type ChildProcess} from 'node:child_process'
import {createServer, connect} from 'node:net'
import {setTimeout as pause} from 'node:timers/promises'

/** A port that is free now. */
export const freePort = (): Promise<number> => new Promise((resolve, reject) => {
  const server = createServer()
  server.on('error', reject)
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    server.close(() => typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')))
  })
})

export interface ServerProcess { stop(): Promise<void> }

/** Starts `program` in the foreground; resolves once every port takes connections. `log` is told of when it does not. */
export async function startServer(program: string, args: string[], ports: number[], log: () => Promise<string>): Promise<ServerProcess> {
  const child = spawn(program, args, {stdio: ['ignore', 'ignore', 'pipe']})
  let stderr = ''
  let end: string | undefined
  child.stderr?.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
  child.on('error', error => { end = error.message })
  child.on('exit', code => { end = `exit code ${code ?? 'none'}` })
  const deadline = performance.now() + 30_000
  for (const port of ports) {
    while (!await answers(port)) {
      if (end !== undefined || performance.now() > deadline) {
        await stopChild(child)
        throw new Error(`${program} did not start (${end ?? 'no answer'}): ${stderr}\n${await log()}`)
      }
      await pause(50)
    }
  }
  return {stop: () => stopChild(child)}
}

const answers = (port: number): Promise<boolean> => new Promise(resolve => {
  const socket = connect(port, '127.0.0.1')
  socket.on('connect', () => { socket.destroy(); resolve(true) })
  socket.on('error', () => resolve(false))
})

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  await Promise.race([ended, pause(5_000, undefined, {ref: false})])
  if (child.exitCode === null && child.signalCode === null) { child.kill('SIGKILL'); await ended }
}
