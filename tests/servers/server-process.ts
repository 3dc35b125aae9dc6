// A real server on loopback for a test file: started on a free port, polled until it answers, stopped after; its death is an error with
// what it said.
import {spawn, type ChildProcess} from 'node:child_process'
import {createServer} from 'node:net'

export interface ServerProcess { port: number; /** what it has written so far */ output(): string; stop(): Promise<void> }

/** A port that was free just now. */
export const freePort = (): Promise<number> => new Promise((resolve, reject) => {
  const server = createServer()
  server.on('error', reject)
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    server.close(() => typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')))
  })
})

const startMs = 60_000 // of a Python program on a busy machine

/** `isUp` throws or gives false until the server answers. */
export async function startServer(program: string, args: (port: number) => string[], options: {cwd: string; env?: Record<string, string>; isUp(port: number): Promise<boolean>}): Promise<ServerProcess> {
  const port = await freePort()
  const child: ChildProcess = spawn(program, args(port), {cwd: options.cwd, env: {PATH: process.env['PATH'], HOME: options.cwd, LANG: 'C.UTF-8', ...options.env}, stdio: ['ignore', 'pipe', 'pipe']})
  let output = ''
  let end: string | undefined
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => { output += data.toString() })
  const gone = new Promise<void>(resolve => child.on('close', (code, signal) => { end = `ended (${code ?? signal})`; resolve() }))
  child.on('error', error => { end = error.message })
  const stop = async (): Promise<void> => {
    if (end === undefined) child.kill('SIGKILL')
    await gone
  }
  const before = performance.now() + startMs
  while (!await options.isUp(port).catch(() => false)) {
    if (end !== undefined) throw new Error(`${program} ${end}:\n${output}`)
    if (performance.now() > before) { await stop(); throw new Error(`${program} does not answer:\n${output}`) }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return {port, output: () => output, stop}
}
