// Larger models, fetched when the user asks for them: each at a fixed revision, resumed where a download was cut off, and
// there under its name only when its SHA-256 is right.
import {createHash} from 'node:crypto'
import {createReadStream} from 'node:fs'
import {open, rename, rm, stat, statfs} from 'node:fs/promises'
import path from 'node:path'
import {isAbort, reasonOf, ToolError} from './errors.ts'
import {makeFolder, type Paths} from './paths.ts'
import type {ModelEntry, Models} from './models.ts'

/** Whisper.cpp's own conversions of OpenAI's weights. TINYAGENT_MODELS_URL names a mirror. */
const source = 'https://huggingface.co/ggerganov/whisper.cpp/resolve/5359861c739e955e79d9a303bcbc70fb988958b1'

const pullable: ModelEntry[] = [
  {name: 'whisper-small', role: 'whisper', licence: 'MIT', files: [
    {file: 'ggml-small-q5_1.bin', bytes: 190_085_487, sha256: 'ae85e4a935d7a567bd102fe55afc16bb595bdb618e11b2fc7591bc08120411bb'},
  ]},
  {name: 'whisper-large-v3-turbo', role: 'whisper', licence: 'MIT', files: [
    {file: 'ggml-large-v3-turbo-q5_0.bin', bytes: 574_041_195, sha256: '394221709cd5ad1f40c46e6031ca61bce88931e6e088c188294c6d5a55ffa7e2'},
  ]},
]

/** Every model that can be fetched, in the folder where they go. */
export const pullableModels = (paths: Paths): Models => ({dir: path.join(paths.data, 'models'), list: pullable})

export interface PullOptions {
  signal: AbortSignal
  /** the address that the file's name is put behind */
  from?: string
  /** bytes so far, also those of an earlier try */
  onProgress?: (bytes: number) => void
}

/**
 * Fetches one file into `dir`. What an earlier try left is kept and gone on from, also after an abort. Throws ToolError:
 * 'unavailable' (no answer, or a wrong one), 'failed' (another file, no room), or the signal's reason.
 */
export async function pullFile({file, bytes, sha256}: ModelEntry['files'][number], dir: string, {signal, from = process.env['TINYAGENT_MODELS_URL'] || source, onProgress}: PullOptions): Promise<string> {
  makeFolder(dir)
  const target = path.join(dir, file)
  const part = `${target}.part`
  const digest = createHash('sha256')
  let have = (await stat(part).catch(() => undefined))?.size ?? 0
  if (have > bytes) {
    await rm(part)
    have = 0
  }
  await checkRoom(dir, bytes - have)
  if (have > 0) for await (const chunk of createReadStream(part, {signal})) digest.update(chunk as Buffer)
  if (have < bytes) {
    const address = `${from.replace(/\/$/, '')}/${file}`
    const response = await request(address, have, signal)
    // A server without ranges sends all of it: what is there already is read past, it may be the same.
    let skip = response.status === 206 ? 0 : have
    const out = await open(part, 'a', 0o600)
    try {
      for await (const chunk of body(response, address, signal)) {
        const fresh = chunk.subarray(Math.min(skip, chunk.length))
        skip -= chunk.length - fresh.length
        if (fresh.length === 0) continue
        if (have + fresh.length > bytes) throw new ToolError('failed', `${address} is longer than ${bytes} bytes: it is another file, and was thrown away.`)
        await out.write(fresh)
        digest.update(fresh)
        have += fresh.length
        onProgress?.(have)
      }
    } catch (error) {
      if (error instanceof ToolError && error.code === 'failed') await rm(part, {force: true})
      throw error
    } finally {
      await out.close()
    }
    if (have < bytes) throw new ToolError('unavailable', `${address} ended after ${have} of ${bytes} bytes; the same command goes on from there.`)
  }
  if (digest.digest('hex') !== sha256) {
    await rm(part, {force: true})
    throw new ToolError('failed', `${file} was not the file it should be (its SHA-256 is wrong), and was thrown away; pull it again, or from another place (TINYAGENT_MODELS_URL).`)
  }
  await rename(part, target)
  return target
}

async function checkRoom(dir: string, bytes: number): Promise<void> {
  const {bavail, bsize} = await statfs(dir)
  if (bavail * bsize < bytes) throw new ToolError('failed', `${dir} has room for ${Math.floor(bavail * bsize / 1e6)} MB, and ${Math.ceil(bytes / 1e6)} MB are needed.`)
}

/** A server that says nothing for this long will say nothing more. */
const silenceMs = 60_000

async function request(address: string, have: number, signal: AbortSignal): Promise<Response> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), silenceMs)
  try {
    const response = await fetch(address, {headers: have > 0 ? {Range: `bytes=${have}-`} : {}, signal: AbortSignal.any([signal, stop.signal])})
    if (response.status !== 200 && response.status !== 206) throw new ToolError('unavailable', `${address} answers ${response.status} ${response.statusText}.`)
    if (response.status === 206 && !response.headers.get('content-range')?.startsWith(`bytes ${have}-`)) throw new ToolError('unavailable', `${address} sends another part than was asked for.`)
    return response
  } catch (error) {
    throw networkError(error, address, signal)
  } finally {
    clearTimeout(timer)
  }
}

async function* body(response: Response, address: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader()
  if (!reader) return
  const onAbort = (): void => { reader.cancel().catch(() => undefined) }
  signal.addEventListener('abort', onAbort, {once: true})
  let isSilent = false
  let timer: NodeJS.Timeout | undefined
  try {
    for (;;) {
      timer = setTimeout(() => { isSilent = true; reader.cancel().catch(() => undefined) }, silenceMs)
      const {done, value} = await reader.read()
      clearTimeout(timer)
      signal.throwIfAborted()
      if (isSilent) throw new ToolError('unavailable', `${address} went silent; the same command goes on from there.`)
      if (done) return
      yield value
    }
  } catch (error) {
    throw networkError(error, address, signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    reader.cancel().catch(() => undefined)
  }
}

function networkError(error: unknown, address: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (error instanceof ToolError) return error
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return new ToolError('unavailable', `${address} cannot be reached (${isAbort(error) ? 'no answer' : reasonOf(cause)}); the same command tries again.`, {cause: error})
}
