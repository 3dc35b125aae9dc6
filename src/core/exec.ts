// The only place that starts a program: an argument array, never a shell, with a time limit, a signal and a limit on output.
import {fork, spawn, spawnSync, type ChildProcess} from 'node:child_process'
import {accessSync, constants} from 'node:fs'
import path from 'node:path'
import type {Readable, Writable} from 'node:stream'
import {ToolError} from './errors.ts'

export interface ExecOptions {
  signal?: AbortSignal
  /** default 30 seconds */
  timeoutMs?: number
  /** of stdout and stderr together; default 4 MiB */
  maxBytes?: number
  /** written to stdin, which is empty otherwise */
  input?: string
  cwd?: string
  /** the whole environment of the program, passwords taken out; default ours */
  env?: NodeJS.ProcessEnv
}

/** `code` is undefined when a signal ended the program. */
export interface ExecResult { code: number | undefined; stdout: string; stderr: string }

/** Between asking a program to end and making it. */
const graceMs = 1_000

/**
 * Runs a program to its end; a failing exit code is a result, not an error. Throws ToolError 'unavailable' (no such program),
 * 'timeout', 'failed' (too much output), or the signal's reason. The program has ended, or was killed, when this settles.
 */
export async function exec(program: string, args: string[], options: ExecOptions = {}): Promise<ExecResult> {
  const {signal, timeoutMs = 30_000, maxBytes = 4 * 1024 * 1024, input, cwd, env} = options
  signal?.throwIfAborted()
  const child = start(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'], ...(cwd !== undefined && {cwd}), ...(env && {env}),
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  let bytes = 0
  let failure: unknown
  let kill: NodeJS.Timeout | undefined
  const end = (reason: unknown): void => {
    if (failure !== undefined) return
    failure = reason
    // What the program has started may hold its pipes open; nobody reads them any more.
    child.stdout?.destroy()
    child.stderr?.destroy()
    child.kill('SIGTERM')
    kill = setTimeout(() => child.kill('SIGKILL'), graceMs)
  }
  const collect = (parts: Buffer[]) => (chunk: Buffer): void => {
    bytes += chunk.length
    if (bytes > maxBytes) end(new ToolError('failed', `${program} wrote more than ${maxBytes} bytes, so it was stopped.`))
    else parts.push(chunk)
  }
  child.stdout?.on('data', collect(out))
  child.stderr?.on('data', collect(err))
  // A program that does not read its input closes the pipe.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input ?? '')
  const timer = setTimeout(() => end(new ToolError('timeout', `${program} did not end within ${timeoutMs / 1000} seconds.`)), timeoutMs)
  const onAbort = (): void => end(signal?.reason)
  signal?.addEventListener('abort', onAbort, {once: true})
  try {
    const code = await new Promise<number | undefined>((resolve, reject) => {
      child.on('error', cause => reject(notStarted(program, cause)))
      child.on('close', status => resolve(status ?? undefined))
    })
    if (failure !== undefined) throw failure
    return {code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString()}
  } finally {
    clearTimeout(timer)
    clearTimeout(kill)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** A program that runs beside us and is spoken to over its pipes. */
export interface Companion {
  stdin: Writable
  stdout: Readable
  stderr: Readable
  /** how it ended, in words; rejects never */
  ended: Promise<string>
  /** Closes its input, asks it to end and makes it, with everything that it has started. Settles when it is gone. */
  end(): Promise<void>
}

/** Process groups that are alive: none outlives us, however we end (SIGKILL alone leaves them to find their input closed). */
const groups = new Set<ChildProcess>()
const killGroups = (): void => { for (const child of groups) killGroup(child, 'SIGKILL') }

function killGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return
  try {
    // Windows has no groups; taskkill ends the tree below a process.
    if (process.platform === 'win32') spawnSync(windowsOwn('taskkill.exe'), ['/pid', String(child.pid), '/t', '/f'], {windowsHide: true})
    else process.kill(-child.pid, signal)
  } catch { /* nobody is left in it */ }
}

/** Starts a program in a process group of its own. Throws ToolError 'unavailable' or 'invalid-args'. */
export async function accompany(program: string, args: string[], {cwd, env}: Pick<ExecOptions, 'cwd' | 'env'> = {}): Promise<Companion> {
  const child = start(program, args, {stdio: ['pipe', 'pipe', 'pipe'], detached: process.platform !== 'win32', ...(cwd !== undefined && {cwd}), ...(env && {env})})
  await new Promise<void>((resolve, reject) => {
    child.once('error', cause => reject(notStarted(program, cause)))
    child.once('spawn', () => resolve())
  })
  if (groups.size === 0) process.once('exit', killGroups)
  groups.add(child)
  const {stdin, stdout, stderr} = child as ChildProcess & {stdin: Writable; stdout: Readable; stderr: Readable} // 'pipe' makes all three
  stdin.on('error', () => undefined) // it may have gone
  const ended = new Promise<string>(resolve => child.once('exit', (code, signal) => {
    // What it has started may go on, and holds its pipes open.
    killGroup(child, 'SIGKILL')
    groups.delete(child)
    if (groups.size === 0) process.off('exit', killGroups)
    resolve(signal === null ? `exit code ${code}` : signal)
  }))
  return {
    stdin, stdout, stderr, ended,
    async end() {
      stdin.end()
      const timers = [setTimeout(() => killGroup(child, 'SIGTERM'), graceMs / 4), setTimeout(() => killGroup(child, 'SIGKILL'), graceMs)]
      await ended
      timers.forEach(timer => clearTimeout(timer))
      for (const stream of [stdin, stdout, stderr]) stream.destroy()
    },
  }
}

/**
 * A program of the user's that takes over the terminal (an editor), to its end; its exit code, undefined after a signal. Ctrl-C is
 * the program's own meanwhile. Throws ToolError 'unavailable'.
 */
export async function takeOver(program: string, args: string[]): Promise<number | undefined> {
  const listeners = process.listeners('SIGINT')
  const ignore = (): void => undefined
  process.on('SIGINT', ignore)
  listeners.forEach(listener => process.off('SIGINT', listener))
  try {
    const child = start(program, args, {stdio: 'inherit'})
    return await new Promise<number | undefined>((resolve, reject) => {
      child.on('error', cause => reject(notStarted(program, cause)))
      child.on('close', code => resolve(code ?? undefined))
    })
  } finally {
    listeners.forEach(listener => process.on('SIGINT', listener))
    process.off('SIGINT', ignore)
  }
}

/** Shows a link or a file with the program that the desktop has for it. False where that failed at once. */
export type Opener = (target: string) => Promise<boolean>

interface Desktop { platform?: NodeJS.Platform; env?: NodeJS.ProcessEnv }

/** The desktop's opener; `undefined` where nobody would see what it opens (no display, or a connection by SSH). */
export function systemOpener({platform = process.platform, env = process.env}: Desktop = {}): Opener | undefined {
  const [program, ...first] = openerOf(platform, env)
  if (platform !== 'win32' && env['SSH_CONNECTION'] && !env['DISPLAY']) return undefined
  if (platform !== 'win32' && platform !== 'darwin' && !(env['DISPLAY'] || env['WAYLAND_DISPLAY'])) return undefined
  if (platform !== 'win32' && !isInstalled(program, env)) return undefined
  return target => launch(program, [...first, target], env)
}

/** Windows' `start` belongs to its shell; this opens links as it does, and gets them as an argument. */
const openerOf = (platform: NodeJS.Platform, env: NodeJS.ProcessEnv): [string, ...string[]] =>
  platform === 'darwin' ? ['open', '--'] : platform === 'win32' ? [windowsOwn('rundll32.exe', env), 'url.dll,FileProtocolHandler'] : ['xdg-open']

/** A program of Windows' own ("folder\\name.exe" below System32), by its whole path where that is known: Windows looks into the current folder before PATH. */
export const windowsOwn = (file: string, env: NodeJS.ProcessEnv = process.env): string =>
  env['SystemRoot'] ? path.win32.join(env['SystemRoot'], 'System32', file) : path.win32.basename(file)

/** An opener that is itself the viewer goes on for as long as the user looks. */
const launchedMs = 1_500

/** Starts a program that may outlive us. True once it ended well, or still runs after a moment. */
async function launch(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  // A name that begins with "-" would be an option. Links never do, and paths are absolute.
  if (args.at(-1)?.startsWith('-')) return false
  const child = start(program, args, {stdio: 'ignore', detached: true, env})
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<boolean>(resolve => {
      child.on('error', () => resolve(false))
      child.on('exit', code => resolve(code === 0))
      timer = setTimeout(() => resolve(true), launchedMs)
    })
  } finally {
    clearTimeout(timer)
    child.unref()
  }
}

export function isInstalled(program: string, env: NodeJS.ProcessEnv): boolean {
  return (env['PATH'] ?? '').split(path.delimiter).some(folder => {
    try {
      accessSync(path.join(folder, program), constants.X_OK)
      return path.isAbsolute(folder)
    } catch {
      return false
    }
  })
}

/** Starts a program and leaves the rest to the caller, who has to listen for its `error`. */
export function start(program: string, args: string[], options: Parameters<typeof spawn>[2]): ChildProcess {
  try {
    return spawn(program, args, {...options, env: withoutSecrets(options.env ?? process.env), shell: false, windowsHide: true})
  } catch (cause) {
    throw notStarted(program, cause) // a NUL in an argument, or too long a list of them
  }
}

/** Our passwords (core/secrets.ts) are no business of other programs. */
const withoutSecrets = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([key]) => !/^TINYAGENT_[A-Z0-9_]+_PASSWORD$/.test(key)))

export function notStarted(program: string, cause: unknown): ToolError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
  if (code === 'ENOENT') return new ToolError('unavailable', `${program} is not installed.`, {cause})
  if (code === 'ERR_INVALID_ARG_VALUE' || code === 'E2BIG') return new ToolError('invalid-args', `${program} can't be given this text (${code}).`, {cause})
  return new ToolError('unavailable', `${program} could not be started (${code}).`, {cause})
}

/** Starts one of our own files in a Node of its own. Messages go both ways, also arrays of numbers; what it writes to stderr can be read, stdout goes nowhere. */
export function startNode(file: string, args: string[]): ChildProcess {
  return fork(file, args, {stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'advanced', execArgv: []})
}
