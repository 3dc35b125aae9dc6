// Models fetched from a real server: whole, in parts, wrong, cut off; and never under their name unless they are right.
import {createHash} from 'node:crypto'
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {createServer, type RequestListener, type Server} from 'node:http'
import type {AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {pullFile} from '../../src/core/pull.ts'

const content = Buffer.from(Array.from({length: 300_000}, (_, i) => (i * 7 + (i >> 8)) & 255))
const entry = {file: 'ggml-test.bin', bytes: content.length, sha256: createHash('sha256').update(content).digest('hex')}
const never = new AbortController().signal

let dir: string
let server: Server
let asked: (string | undefined)[]
let answer: RequestListener
/** As every server of files does. */
const withRanges: RequestListener = (request, response) => {
  const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? []
  if (from === undefined) response.end(content)
  else response.writeHead(206, {'content-range': `bytes ${from}-${content.length - 1}/${content.length}`}).end(content.subarray(Number(from)))
}
beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'tinyagent-pull-'))
  asked = []
  answer = withRanges
  server = createServer((request, response) => {
    asked.push(request.headers.range)
    answer(request, response)
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise(resolve => { server.close(resolve) })
  rmSync(dir, {recursive: true, force: true})
})

const from = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/`
const target = (): string => path.join(dir, 'models', entry.file)
const part = (): string => `${target()}.part`
const pull = (signal = never, onProgress?: (bytes: number) => void): Promise<string> => pullFile(entry, path.dirname(target()), {signal, from: from(), ...(onProgress && {onProgress})})

test('a file arrives whole, with its progress, and nothing is left beside it', async () => {
  const seen: number[] = []
  expect(await pull(never, bytes => seen.push(bytes))).toBe(target())
  expect(readFileSync(target()).equals(content)).toBe(true)
  expect(existsSync(part())).toBe(false)
  expect(seen.at(-1)).toBe(content.length)
  expect(seen).toEqual([...seen].sort((a, b) => a - b))
})

test('a connection that breaks is gone on from where it broke', async () => {
  answer = (_request, response) => {
    response.writeHead(200, {'content-length': content.length})
    response.write(content.subarray(0, 100_000), () => response.destroy())
  }
  await expect(pull()).rejects.toMatchObject({code: 'unavailable', message: expect.stringMatching(/the same command/)})
  const have = readFileSync(part()).length
  expect(have).toBe(100_000)
  answer = withRanges
  await pull()
  expect(asked).toEqual([undefined, `bytes=${have}-`])
  expect(readFileSync(target()).equals(content)).toBe(true)
})

test('a server without ranges sends all of it again, and the file is right', async () => {
  answer = (_request, response) => response.end(content)
  await pull()
  rmSync(target())
  writeFileSync(part(), content.subarray(0, 1234))
  await pull()
  expect(asked.at(-1)).toBe('bytes=1234-')
  expect(readFileSync(target()).equals(content)).toBe(true)
})

test('an abort keeps what came, and the next try goes on from it', async () => {
  const stop = new AbortController()
  answer = (_request, response) => {
    response.writeHead(200, {'content-length': content.length})
    response.write(content.subarray(0, 50_000)) // and no more
  }
  await expect(pull(stop.signal, bytes => { if (bytes === 50_000) stop.abort() })).rejects.toMatchObject({name: 'AbortError'})
  expect(readFileSync(part()).length).toBe(50_000)
  answer = withRanges
  await pull()
  expect(asked.at(-1)).toBe('bytes=50000-')
})

test('another file of the same size is thrown away, also its part', async () => {
  answer = (_request, response) => response.end(Buffer.alloc(content.length))
  await expect(pull()).rejects.toMatchObject({code: 'failed', message: expect.stringMatching(/its SHA-256 is wrong.*thrown away/)})
  expect([existsSync(target()), existsSync(part())]).toEqual([false, false])
})

test('a file that is too long is stopped and thrown away', async () => {
  answer = (_request, response) => response.end(Buffer.concat([content, Buffer.from('!')]))
  await expect(pull()).rejects.toMatchObject({code: 'failed', message: expect.stringMatching(/longer than 300000 bytes/)})
  expect([existsSync(target()), existsSync(part())]).toEqual([false, false])
})

test('a part that was whole already needs no server', async () => {
  await pull()
  writeFileSync(part(), content)
  rmSync(target())
  asked = []
  await pull()
  expect(asked).toEqual([])
  expect(readFileSync(target()).equals(content)).toBe(true)
})

test('a part of another file does not spoil the model', async () => {
  writeFileSync(path.join(dir, 'other'), '')
  await pull()
  rmSync(target())
  writeFileSync(part(), Buffer.alloc(1000, 1))
  await expect(pull()).rejects.toMatchObject({code: 'failed'})
  await pull()
  expect(readFileSync(target()).equals(content)).toBe(true)
})

test('an answer that is no file says which one', async () => {
  answer = (_request, response) => response.writeHead(404).end('nothing here')
  await expect(pull()).rejects.toMatchObject({code: 'unavailable', message: `${from()}${entry.file} answers 404 Not Found.`})
})

test('a server that is not there is a line, not a bug', async () => {
  const gone = 'http://127.0.0.1:9'
  await expect(pullFile(entry, dir, {signal: never, from: gone})).rejects.toMatchObject({code: 'unavailable', message: expect.stringMatching(/^http:\/\/127\.0\.0\.1:9\/ggml-test\.bin cannot be reached/)})
})
