// The built program in a real pseudo-terminal, its screen read through a real screen model. Waits for a thing on the
// screen, never for a time. Each program has a home of its own.
import {execFile} from 'node:child_process'
import {mkdtempSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {fileURLToPath} from 'node:url'
import xterm from '@xterm/headless'
import {spawn, type IPty} from '@lydell/node-pty'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
export const program = path.join(root, 'bin/tinyagent.js')
export const newHome = (): string => mkdtempSync(path.join(tmpdir(), 'tinyagent-e2e-'))
/** The environment that makes the planner a recording of tests/fixtures/sessions. */
export const recording = (name: string): {TINYAGENT_REPLAY: string} => ({TINYAGENT_REPLAY: path.join(root, 'tests/fixtures/sessions', `${name}.json`)})

const cleanEnv = (home: string, extra: Record<string, string> = {}): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '', HOME: home, TINYAGENT_HOME: home, TERM: 'xterm-256color', LANG: 'C.UTF-8', ...extra,
})

export interface Finished { code: number; stdout: string; stderr: string }
/** Runs the program without a terminal. */
export const runProgram = (home: string, args: string[], options: {stdin?: string | Buffer; env?: Record<string, string>} = {}): Promise<Finished> =>
  new Promise(resolve => {
    const child = execFile(process.execPath, [program, ...args], {env: cleanEnv(home, options.env), maxBuffer: 64 * 1024 ** 2}, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0
      resolve({code, stdout, stderr})
    })
    // The program may leave before it has read everything.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(options.stdin ?? '')
  })

export class Terminal {
  private readonly screen: InstanceType<typeof xterm.Terminal>
  private readonly pty: IPty
  private readonly waiting = new Set<() => void>()
  exitCode: number | undefined
  raw = ''

  constructor(home: string, args: string[], options: {columns?: number; rows?: number; env?: Record<string, string>} = {}) {
    const cols = options.columns ?? 80, rows = options.rows ?? 24
    this.screen = new xterm.Terminal({cols, rows, allowProposedApi: true, scrollback: 5000})
    this.pty = spawn(process.execPath, [program, ...args], {cols, rows, cwd: home, env: cleanEnv(home, options.env)})
    this.pty.onData(data => { this.raw += data; this.screen.write(data, () => this.changed()) })
    // What the program wrote last is on the screen before its end is known.
    this.pty.onExit(({exitCode}) => { this.screen.write('', () => { this.exitCode = exitCode; this.changed() }) })
  }

  private changed(): void { for (const check of [...this.waiting]) check() }
  type(text: string): void { this.pty.write(text) }
  resize(columns: number, rows: number): void { this.pty.resize(columns, rows); this.screen.resize(columns, rows) }
  kill(): void { if (this.exitCode === undefined) this.pty.kill('SIGKILL') }

  signal(name: string): void { this.pty.kill(name) }
  /** What the program's last settings of the terminal's modes were. */
  modes(): {bracketedPaste: boolean; isCursorHidden: boolean} {
    const last = (on: string, off: string): boolean => this.raw.lastIndexOf(on) > this.raw.lastIndexOf(off)
    return {bracketedPaste: this.screen.modes.bracketedPasteMode, isCursorHidden: last('\u001b[?25l', '\u001b[?25h')}
  }

  /** Everything on the screen and in its scrollback. */
  text(): string {
    const buffer = this.screen.buffer.active
    return Array.from({length: buffer.length}, (_, i) => buffer.getLine(i)?.translateToString(true) ?? '').join('\n').trimEnd()
  }

  private until(what: string, test: () => boolean, timeoutMs = 60_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (test()) { done(); resolve() } else if (this.exitCode !== undefined) this.screen.write('', () => { if (!test()) fail() })
      }
      const fail = (): void => { done(); reject(new Error(`${what} did not come. The screen:\n${this.text()}`)) }
      const timer = setTimeout(fail, timeoutMs)
      const done = (): void => { clearTimeout(timer); this.waiting.delete(check) }
      this.waiting.add(check)
      check()
    })
  }
  /** Resolves when the text is no longer on the screen. */
  loses(text: string): Promise<void> { return this.until(`the end of ${text}`, () => !this.text().includes(text)) }
  /** Resolves when the text is on the screen. */
  shows(text: string | RegExp): Promise<void> {
    return this.until(String(text), () => typeof text === 'string' ? this.text().includes(text) : text.test(this.text()))
  }
  async exits(): Promise<number> {
    await this.until('the end of the program', () => this.exitCode !== undefined)
    return this.exitCode!
  }
}
