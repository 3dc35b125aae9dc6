// Sound files and the built program: WAV and other formats to text, segments and plans; what is missing is said.
import {execFileSync} from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {speak} from '../../scripts/speech.ts'
import {wordErrors} from '../../scripts/word-errors.ts'
import {copyInstallation, linesOf, newHome, root} from './program.ts'
import {hasVoice} from '../voice-programs.ts'

const spoken = test.skipIf(!hasVoice('whisper', 'sox', 'flite', 'ffmpeg'))

let home: ReturnType<typeof newHome>
let installation: string
let memo: string
beforeAll(() => {
  home = newHome()
  installation = copyInstallation(path.join(home.dir, 'installation'))
  memo = path.join(home.dir, 'memo.wav')
  if (hasVoice('sox', 'flite')) speak('flite slt', 'Remind me to call the dentist tomorrow at three p.m.', memo)
})
afterAll(() => home.remove())

const said = 'Remind me to call the dentist tomorrow at 3pm.'

spoken('a WAV file becomes one line of text, and nothing else', async () => {
  const {code, stdout, stderr} = await home.run(['transcribe', memo])
  expect([code, stderr, linesOf(stdout).length]).toEqual([0, '', 1])
  expect(wordErrors(said, stdout).errors).toBe(0)
})

spoken('--json gives segments with their times', async () => {
  const {code, stdout} = await home.run(['transcribe', '--json', memo])
  const {file, durationMs, text, segments} = JSON.parse(stdout) as {file: string; durationMs: number; text: string; segments: {fromMs: number; toMs: number; text: string}[]}
  expect([code, file]).toEqual([0, memo])
  expect(wordErrors(said, text).errors).toBe(0)
  expect(durationMs).toBeGreaterThan(3000)
  expect(segments.length).toBeGreaterThan(0)
  for (const {fromMs, toMs} of segments) expect(fromMs < toMs && toMs <= durationMs + 1).toBe(true)
})

spoken('other formats go through ffmpeg, also under odd names, and nothing is left behind', async () => {
  const folder = path.join(home.dir, 'odd names')
  const temporary = path.join(home.dir, 'tmp')
  fs.mkdirSync(folder)
  fs.mkdirSync(temporary)
  const mp3 = path.join(folder, '-y a:b $(x).mp3')
  execFileSync('ffmpeg', ['-v', 'error', '-i', memo, `file:${mp3}`])
  const {code, stdout} = await home.run(['transcribe', mp3], {env: {TMPDIR: temporary}})
  expect(code).toBe(0)
  expect(wordErrors(said, stdout).errors).toBe(0)
  expect(fs.readdirSync(temporary)).toEqual([])
})

spoken('without ffmpeg another format is refused with what to do', async () => {
  const ogg = path.join(home.dir, 'memo.ogg')
  execFileSync('ffmpeg', ['-v', 'error', '-i', memo, ogg])
  const {code, stdout, stderr} = await home.run(['transcribe', ogg], {env: {PATH: path.join(home.dir, 'nothing')}})
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/memo\.ogg is not a WAV file, and other formats take ffmpeg, which is not installed: install it, or give a WAV file\.\n$/)
})

spoken('what is no sound file is said in one line, exit 2', async () => {
  const text = home.write('letter.txt', 'Dear Ana')
  const wrong: [string[], RegExp][] = [
    [['transcribe', text], /letter\.txt holds no sound that ffmpeg can read/],
    [['transcribe', path.join(home.dir, 'none.wav')], /none\.wav cannot be read: it is not there/],
    [['transcribe', home.dir], /is not a file/],
    [['transcribe', home.write('bad.wav', 'RIFF\0\0\0\0WAVEnothing')], /bad\.wav cannot be read as a WAV file: it holds no sound/],
    [['transcribe'], /transcribe needs a file/],
    [['--audio', memo, 'and', 'words'], /--audio takes the request from the file: leave out the words, or --audio/],
    [['--audio', memo, '--yes'], /--yes cannot go with --audio/],
    [['--audio', memo, '--voice'], /one of them/],
    [['models', 'pull', 'whisper-huge'], /there are whisper-small, whisper-large-v3-turbo/],
    [['models', 'pull', 'whisper-base-q5_1'], /comes with tinyagent: there is nothing to pull/],
    [['setup', 'choice'], /there is `setup` alone, or with mail, .* voice/],
  ]
  for (const [args, reason] of wrong) {
    const {code, stdout, stderr} = await home.run(args)
    expect([args, code, stdout, linesOf(stderr).length]).toEqual([args, 2, '', 1])
    expect(stderr).toMatch(reason)
  }
})

spoken('a playlist does not make ffmpeg ask the network', async () => {
  const list = home.write('list.m3u8', '#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n')
  const {code, stderr} = await home.run(['transcribe', list])
  expect(code).toBe(2)
  expect(stderr).toMatch(/holds no sound that ffmpeg can read/)
})

spoken('a file in which nobody speaks gives no text; as a request it is none', async () => {
  const quiet = path.join(home.dir, 'quiet.wav')
  execFileSync('sox', ['-R', '-n', '-r', '16000', '-b', '16', '-c', '1', quiet, 'synth', '90', 'pinknoise', 'vol', '0.2'])
  const {code, stdout, stderr} = await home.run(['transcribe', quiet])
  expect([code, stdout]).toEqual([0, ''])
  expect(stderr).toMatch(/^Nobody speaks in .*quiet\.wav\n$/)
  const asked = await home.run(['--audio', quiet, '--dry-run'])
  expect([asked.code, asked.stdout]).toEqual([2, ''])
  expect(asked.stderr).toMatch(/Nobody speaks in .*quiet\.wav: there is no request/)
})

spoken('a spoken request becomes a plan, by the real models, and runs nothing in a dry run', async () => {
  const {code, stdout} = await home.run(['--audio', memo, '--dry-run', '--json', '--now', '2026-03-03T09:15:00'])
  const events = linesOf(stdout).map(line => JSON.parse(line) as {type: string; request?: string; plan?: string})
  expect(code).toBe(0)
  expect(wordErrors(said, events.find(e => e.type === 'request')?.request ?? '').errors).toBe(0)
  expect(events.find(e => e.type === 'plan-done')?.plan).toMatch(/create_reminder\(.*dentist.*2026-03-04 15:00:00/i)
  expect(events.some(e => e.type === 'task-started')).toBe(false)
})

spoken('`plan` takes a spoken request as well', async () => {
  const {code, stdout} = await home.run(['plan', '--audio', memo, '--now', '2026-03-03T09:15:00'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/create_reminder\(/)
})

spoken('a model of voice that is not there or not known is said with what to do', async () => {
  await home.run(['config', 'set', 'voice.model', 'whisper-small'])
  try {
    expect((await home.run(['transcribe', memo])).stderr).toMatch(/whisper-small is not here yet: `tinyagent models pull whisper-small` fetches it\n$/)
    await home.run(['config', 'set', 'voice.model', 'whisper-huge'])
    const {code, stderr} = await home.run(['transcribe', memo])
    expect(code).toBe(2)
    expect(stderr).toMatch(/voice\.model: there is no "whisper-huge"; one of: whisper-base-q5_1, whisper-small, whisper-large-v3-turbo/)
  } finally {
    await home.run(['config', 'set', 'voice.model', ''])
  }
})

spoken('without smart-whisper, or with one that is not compiled, everything else works and doctor says what to do', async () => {
  const modules = path.join(installation, 'node_modules')
  fs.rmSync(modules)
  fs.mkdirSync(modules)
  for (const name of fs.readdirSync(path.join(root, 'node_modules'))) {
    if (name !== 'smart-whisper') fs.symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name))
  }
  const absent = await home.run(['transcribe', memo], {installation})
  expect([absent.code, absent.stdout]).toEqual([1, ''])
  expect(absent.stderr).toMatch(/Voice is not available: smart-whisper is not installed; `npm install`/)
  expect((await home.run(['doctor'], {installation})).stdout).toMatch(/^note +smart-whisper: no voice: smart-whisper is not installed/m)

  const package_ = path.join(modules, 'smart-whisper')
  fs.cpSync(path.join(root, 'node_modules/smart-whisper'), package_, {recursive: true, filter: name => !/whisper\.cpp|build/.test(path.relative(path.join(root, 'node_modules/smart-whisper'), name).split(path.sep)[0]!)})
  const raw = await home.run(['transcribe', memo], {installation})
  expect(raw.code).toBe(1)
  expect(raw.stderr).toMatch(/smart-whisper is not compiled yet; `tinyagent setup voice` does that once/)
  expect((await home.run(['doctor'], {installation})).stdout).toMatch(/^note +smart-whisper: no voice: .*`tinyagent setup voice`/m)
  expect((await home.run(['plan', 'remind me to sleep'], {installation, plan: '1. create_reminder("Sleep", "", "", "", 0, false)\n2. join()'})).code).toBe(0)
})
