// `tinyagent serve`: keeps the models warm behind a Unix socket that only its owner can open. It chooses tools and writes plans, and
// nothing else: tools, confirmations and the journal stay with the one who asks, so that the socket can do nothing to anybody.
// One connection a question, one JSON object a line.
import {once} from 'node:events'
import {chmodSync, existsSync, unlinkSync} from 'node:fs'
import {createServer, type Socket} from 'node:net'
import path from 'node:path'
import {createInterface} from 'node:readline'
import {z} from 'zod'
import {errorInfo, PlanError, UsageError} from '../core/errors.ts'
import {oneAtATime} from '../core/one-at-a-time.ts'
import {makeFolder} from '../core/paths.ts'
import {jsonLine} from '../core/text.ts'
import {specs} from '../tools/specs.ts'
import {identity, socketOf, type Session} from './session.ts'

const maxLineBytes = 1_000_000

export const questionSchema = z.discriminatedUnion('ask', [
  z.object({ask: z.literal('select'), request: z.string(), tools: z.array(z.string()), instructions: z.string().optional()}),
  z.object({ask: z.literal('embed'), texts: z.array(z.string()).max(2000)}),
  z.object({
    ask: z.literal('plan'), request: z.string(), now: z.iso.datetime({offset: true}), tools: z.array(z.string()),
    chances: z.record(z.string(), z.array(z.number())).optional(), instructions: z.string().optional(), previous: z.object({plan: z.string(), error: z.string()}).optional(),
  }),
])
export type ServeQuestion = z.infer<typeof questionSchema>

export async function serveCommand(session: Session, signal: AbortSignal): Promise<number> {
  const file = socketOf(session.config.paths.state)
  if (process.platform === 'win32') throw new UsageError('serve needs Unix sockets, which this program does not use on Windows')
  if (Buffer.byteLength(file) > 100) throw new UsageError(`${file} is too long for a socket's name (100 bytes at most): choose a shorter --home`)
  makeFolder(path.dirname(file))
  if (existsSync(file)) {
    if (await isAnswered(file)) throw new UsageError(`tinyagent serves already on ${file}`)
    unlinkSync(file) // what a killed server has left
  }
  await Promise.all([session.retriever(), session.planner()])
  // One sequence, one plan at a time.
  const inTurn = oneAtATime()
  const open = new Set<Socket>()
  const server = createServer(socket => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    void answer(socket, session, inTurn).catch(() => undefined).finally(() => socket.end())
  })
  const before = process.umask(0o177) // the socket is private from its first moment
  try {
    server.listen(file)
    await once(server, 'listening')
  } finally {
    process.umask(before)
  }
  chmodSync(file, 0o600)
  process.stderr.write(`tinyagent keeps its models warm on ${file}; Ctrl-C ends it\n`)
  if (!signal.aborted) await once(signal, 'abort')
  open.forEach(socket => socket.destroy())
  server.close()
  await once(server, 'close')
  return 0
}

async function isAnswered(file: string): Promise<boolean> {
  const {connect} = await import('node:net')
  return new Promise(resolve => {
    const socket = connect(file)
    socket.on('connect', () => { socket.destroy(); resolve(true) })
    socket.on('error', () => resolve(false))
  })
}

async function answer(socket: Socket, session: Session, inTurn: <T>(work: () => Promise<T>) => Promise<T>): Promise<void> {
  const left = new AbortController()
  socket.on('error', () => left.abort())
  socket.on('close', () => left.abort())
  const say = (line: unknown): void => { if (!socket.destroyed) socket.write(`${jsonLine(line)}\n`) }
  say({hello: identity(session)})
  try {
    const line = await readLine(socket)
    if (line === undefined) return
    const question = questionSchema.parse(JSON.parse(line))
    const tools = specs.filter(s => 'tools' in question && question.tools.includes(s.name))
    if (question.ask === 'embed') {
      const vectors = await (await session.retriever()).embed(question.texts, left.signal)
      say({done: vectors.map(v => [...v])})
    } else if (question.ask === 'select') {
      say({done: await (await session.retriever()).select(question.request, tools, left.signal, question.instructions)})
    } else await inTurn(async () => {
      const {request, now, chances, instructions, previous} = question
      const plan = (await session.planner()).plan({
        request, now: new Date(now), tools, signal: left.signal, ...(chances && {chances: new Map(Object.entries(chances))}), ...(instructions !== undefined && {instructions}), ...(previous && {previous}),
      })
      let next = await plan.next()
      for (; !next.done; next = await plan.next()) say({piece: next.value})
      say({done: next.value})
    })
  } catch (error) {
    say({error: {...errorInfo(error), ...(error instanceof PlanError && {line: error.line})}})
  }
}

async function readLine(socket: Socket): Promise<string | undefined> {
  let bytes = 0
  socket.on('data', (chunk: Buffer) => { bytes += chunk.length; if (bytes > maxLineBytes) socket.destroy() })
  for await (const line of createInterface({input: socket})) return line
  return undefined
}
