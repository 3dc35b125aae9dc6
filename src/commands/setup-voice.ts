// `tinyagent setup voice`: compiles smart-whisper with what this processor can do. Its own build does without AVX2 and is up to
// twenty times slower (base, q5_1, on two cores: slower than speech); and npm leaves install scripts alone, as it should.
import {existsSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {reasonOf, ToolError} from '../core/errors.ts'
import {exec} from '../core/exec.ts'
import {modelFiles, openModels} from '../core/models.ts'
import type {Prompter} from '../core/types.ts'
import {buildCommand, openWhisper, whatToInstall, whisperBuild, whisperFolder} from '../core/voice/whisper.ts'

/** What the compiler is told about the processor; '' where its own choice is right. */
export function machineFlags({platform = process.platform, arch = process.arch as string, cpuinfo = readCpuinfo()} = {}): string {
  if (arch === 'arm64') return platform === 'linux' ? '-mcpu=native' : ''
  if (arch !== 'x64') return ''
  // Macs and Windows machines that run Node 20 have had these for ten years; a Linux machine says so itself.
  const has = platform !== 'linux' || ['avx2', 'fma', 'f16c'].every(flag => new RegExp(`^flags\\s*:.*\\b${flag}\\b`, 'm').test(cpuinfo))
  return !has ? '' : platform === 'win32' ? '/arch:AVX2' : '-mavx2 -mfma -mf16c'
}

function readCpuinfo(): string {
  try { return readFileSync('/proc/cpuinfo', 'utf8') } catch { return '' }
}

/** Beside the binary: the flags that it was compiled with. A build by npm has none. */
const flagsFile = (folder: string): string => path.join(folder, 'build', 'tinyagent-flags.txt')

/** True where the binary was compiled for this machine, or needs nothing special. */
export function isMadeForThisMachine(folder: string): boolean {
  const flags = machineFlags()
  try { return readFileSync(flagsFile(folder), 'utf8') === flags } catch { return flags === '' }
}

export async function setupVoice({progress, say}: Prompter): Promise<number> {
  const folder = whisperFolder()
  if (folder === undefined) throw new ToolError('unavailable', `Voice is not available: ${whatToInstall.absent}.`)
  if (whisperBuild(folder) === 'built' && isMadeForThisMachine(folder)) {
    say('Whisper is compiled for this machine already', 'done')
  } else {
    say('Whisper is compiled for this machine once: a minute on most, some on a slow one')
    await progress('Compiling', stop => compile(folder, machineFlags(), stop))
    say('Whisper is compiled for this machine', 'done')
  }
  say(await progress('Trying it', tryIt), 'done')
  return 0
}

async function compile(folder: string, flags: string, signal: AbortSignal): Promise<void> {
  try {
    const [npm, ...first] = npmProgram()
    // MSVC takes its flags from CL. The last flag wins, so that the user's own come after ours.
    const env = process.platform === 'win32' ? {CL: `${flags} ${process.env['CL'] ?? ''}`} : Object.fromEntries(['CFLAGS', 'CXXFLAGS'].map(name => [name, `${flags} ${process.env[name] ?? ''}`]))
    const {code, stdout, stderr} = await exec(npm, [...first, 'run', 'install'], {cwd: folder, env: {...process.env, ...env, JOBS: 'max'}, signal, timeoutMs: 60 * 60_000, maxBytes: 64 * 1024 ** 2})
    if (code !== 0) throw new ToolError('failed', `Whisper could not be compiled: ${reasonIn(`${stdout}\n${stderr}`)}. It takes ${compilers()}; then \`${buildCommand}\` again.`)
    writeFileSync(flagsFile(folder), flags)
  } catch (error) {
    if (error instanceof ToolError || signal.aborted) throw error
    throw new ToolError('failed', `Whisper could not be compiled in ${folder}: ${reasonOf(error)}.`, {cause: error})
  }
}

/** npm as a program and its first arguments: Windows' npm is a shell script, so there its own file is run. */
function npmProgram(): [string, ...string[]] {
  const cli = path.join(path.dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js')
  return process.platform === 'win32' && existsSync(cli) ? [process.execPath, cli] : ['npm']
}

/** The line of a long log that says why. */
function reasonIn(log: string): string {
  const lines = log.split('\n').map(l => l.replace(/^(?:gyp|npm) (?:ERR!|error) ?/i, '').trim())
  const told = lines.find(l => /not found|no such file|could not find|\berror:|EACCES|permission denied|fatal/i.test(l))
  return (told ?? lines.filter(l => l !== '').at(-1) ?? 'no reason given').slice(0, 300)
}

const compilers = (): string => process.platform === 'darwin' ? 'Apple\'s compiler (xcode-select --install) and Python 3'
  : process.platform === 'win32' ? 'Visual Studio\'s C++ build tools and Python 3'
  : 'a C++ compiler, make and Python 3 (Debian, Ubuntu: apt-get install build-essential python3)'

/** A binary for another processor ends here, with words, and not in the middle of a dictation. */
async function tryIt(signal: AbortSignal): Promise<string> {
  const whisper = await openWhisper(modelFiles(openModels(), 'whisper')[0]!)
  try {
    const started = performance.now()
    await whisper.hear(new Float32Array(16_000), {prompt: '', threads: 1, signal})
    return `It runs: a second of sound took ${((performance.now() - started) / 1000).toFixed(1)} s on one core. Try: tinyagent --voice, or tinyagent transcribe FILE`
  } finally {
    whisper.close()
  }
}
