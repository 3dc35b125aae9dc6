// What a test of voice needs on the machine. CI has to have it; elsewhere the test is skipped by name.
import {existsSync} from 'node:fs'
import path from 'node:path'
import {whisperBuild} from '../src/core/voice/whisper.ts'

/** Programs by their names; `people`: the recordings of Debian's pocketsphinx-testdata; `whisper`: smart-whisper, compiled. */
export function hasVoice(...needs: string[]): boolean {
  const missing = needs.filter(need => need === 'whisper' ? whisperBuild() !== 'built'
    : need === 'people' ? !existsSync('/usr/share/pocketsphinx/test/data')
    : !(process.env['PATH'] ?? '').split(path.delimiter).some(folder => existsSync(path.join(folder, need))))
  if (missing.length > 0 && process.env['CI']) throw new Error(`Not here: ${missing.join(', ')} (whisper: \`tinyagent setup voice\`)`)
  return missing.length === 0
}
