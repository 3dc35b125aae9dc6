// The built program as a user's shell starts it: a home of its own, no terminal, and a recorded plan in place of a planner.
import {execFile} from 'node:child_process'
import {cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'

export const root = path.resolve(import.meta.dirname, '../..')

export interface Finished { code: number; stdout: string; stderr: string }

export interface Run {
  plan?: string
  stdin?: string | Buffer
  env?: Record<string, string>
  /** the folder of another installation */
  installation?: string
  /** shell words that start the program, with it as "$@" */
  by?: string
  cwd?: string
}

/** A home, and `run` for a program that lives in it. */
export function newHome(): {dir: string; run(args: string[], options?: Run): Promise<Finished>; write(file: string, text: string | Buffer): string; remove(): void} {
  const dir = mkdtempSync(path.join(tmpdir(), 'tinyagent-commands-'))
  const write = (file: string, text: string | Buffer): string => {
    const full = path.join(dir, file)
    mkdirSync(path.dirname(full), {recursive: true})
    writeFileSync(full, text)
    return full
  }
  const run = (args: string[], {plan, stdin = '', env = {}, installation = root, by, cwd}: Run = {}): Promise<Finished> => new Promise(resolve => {
    const own = {PATH: process.env['PATH'] ?? '', HOME: dir, TINYAGENT_HOME: dir, TZ: 'UTC', LANG: 'C.UTF-8'}
    const replay = plan === undefined ? {} : {TINYAGENT_REPLAY: write('plan.txt', plan)}
    const start = [process.execPath, path.join(installation, 'bin/tinyagent.js'), ...args]
    const [program = '', ...rest] = by === undefined ? start : ['sh', '-c', by, 'sh', ...start]
    const child = execFile(program, rest, {env: {...own, ...replay, ...env}, maxBuffer: 64 * 1024 ** 2, timeout: 110_000, killSignal: 'SIGKILL', cwd}, (error, stdout, stderr) => {
      resolve({code: error ? (typeof error.code === 'number' ? error.code : -1) : 0, stdout, stderr})
    })
    child.stdin?.on('error', () => undefined) // the program may leave before it has read everything
    child.stdin?.end(stdin)
  })
  return {dir, run, write, remove: () => rmSync(dir, {recursive: true, force: true})}
}

/** A copy of the installation in `dir`, with models of its own to spoil. */
export function copyInstallation(dir: string): string {
  for (const part of ['bin', 'dist', 'package.json', 'models']) cpSync(path.join(root, part), path.join(dir, part), {recursive: true})
  symlinkSync(path.join(root, 'node_modules'), path.join(dir, 'node_modules'), 'junction')
  return dir
}

/** The lines that a program wrote. */
export const linesOf = (text: string): string[] => text.split('\n').filter(line => line !== '')
