// How well speech is understood: word error rate by voice and noise, names with and without the contacts, and what it costs.
//     npm run evaluate:voice            prints the tables of docs/evaluation-voice.md
// Needs espeak-ng, flite, sox and Debian's pocketsphinx-testdata.
import {execFileSync} from 'node:child_process'
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import {cpus, tmpdir} from 'node:os'
import path from 'node:path'
import {modelFiles, openModels} from '../src/core/models.ts'
import {sampleRate} from '../src/core/voice/activity.ts'
import {openTranscriber} from '../src/core/voice.ts'
import {withContacts} from '../src/core/voice/contacts.ts'
import {humanSpeech, samplesOf, speak} from './speech.ts'
import {wordErrors} from './word-errors.ts'

const voices = ['flite slt', 'flite rms', 'espeak-ng en-us 140']
const noises: [string, number | undefined][] = [['quiet', undefined], ['pink noise, 10 dB', 10]]
const requests = [
  'Remind me to call the dentist tomorrow at 3pm.',
  'Add milk, eggs and bread to the shopping list.',
  'Schedule a meeting with Sarah on Friday at ten.',
  'Text my mother that I am running late.',
  'Show me the way to the central station.',
  'Write a note that the boiler is fixed.',
  'Send an email to Thomas about the budget.',
  'Summarize the report on the new project.',
]
const contacts = ['Lutfi Eren', 'Siobhan Kelly', 'Ana Duarte', 'Bruno Costa', 'Nicholas Lee', 'Amir Haddad', 'Priya Raman', 'Kenji Sato', 'Sid Patel', 'Greta Holm']
const naming = ['Text {} that I am late.', 'Send an email to {} about the contract.', 'Call {} tomorrow morning.']

const folder = mkdtempSync(path.join(tmpdir(), 'tinyagent-evaluate-'))
const [model = ''] = modelFiles(openModels(), 'whisper')
const transcriber = await openTranscriber({model})
const spent = {soundMs: 0, wallMs: 0}
let clip = 0

async function hear(file: string, names: string[] = []): Promise<string> {
  const samples = samplesOf(file)
  const started = performance.now()
  const {text} = await transcriber.transcribe(samples, {names, signal: AbortSignal.timeout(600_000)})
  spent.wallMs += performance.now() - started
  spent.soundMs += samples.length / sampleRate * 1000
  if (process.env['TINYAGENT_DEBUG']) console.error('%s: %s', path.basename(file), text)
  return text
}

async function say(voice: string, text: string, snr?: number, names?: string[]): Promise<string> {
  const file = path.join(folder, `${clip++}.wav`)
  speak(voice, text, file, snr)
  return hear(file, names)
}

/** Processor seconds of whisper.cpp's process so far; Linux only. */
function processorSeconds(): number | undefined {
  try {
    const own = readdirSync('/proc').filter(pid => /^\d+$/.test(pid)).flatMap(pid => {
      const fields = (() => { try { return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ') } catch { return [] } })()
      return fields[1] === String(process.pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('whisper-process') ? [(Number(fields[11]) + Number(fields[12])) / 100] : []
    })
    return own[0]
  } catch {
    return undefined
  }
}

const rate = (all: {errors: number; words: number}[]): string => {
  const [errors, words] = [all.reduce((n, e) => n + e.errors, 0), all.reduce((n, e) => n + e.words, 0)]
  return `${(errors / words * 100).toFixed(1)}% (${errors} of ${words})`
}

try {
  const people = []
  for (const {file, text} of humanSpeech()) people.push(wordErrors(text, await hear(file)))
  const named: string[] = []
  for (const voice of voices) {
    const cells: string[] = []
    for (const names of [[], contacts]) {
      let [heard, corrected, wrong] = [0, 0, 0]
      for (const [i, name] of contacts.entries()) {
        const text = await say(voice, naming[i % naming.length]!.replace('{}', name), undefined, names)
        const {text: written, corrections} = withContacts(text, contacts)
        // "Priya Ramana" is not Priya Raman.
        const isIn = (words: string): boolean => new RegExp(`${name}(?!\\p{L})`, 'u').test(words)
        if (isIn(text)) heard++
        if (isIn(written)) corrected++
        // A first name of the right person is no wrong one, nor is the verb before it.
        if (corrections.some(c => !name.includes(c.written) && !c.written.endsWith(` ${name}`))) wrong++
      }
      cells.push(`${heard} of ${contacts.length}`, `${corrected} of ${contacts.length}${wrong > 0 ? ` (${wrong} wrong)` : ''}`)
    }
    named.push(`| ${voice} | ${cells.join(' | ')} |`)
  }
  const rows: string[] = []
  for (const voice of voices) {
    const cells: string[] = []
    for (const [, snr] of noises) {
      const all = []
      for (const request of requests) all.push(wordErrors(request, await say(voice, request, snr)))
      cells.push(rate(all))
    }
    rows.push(`| ${voice} | ${cells.join(' | ')} |`)
  }
  const processor = processorSeconds()
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {encoding: 'utf8'}).trim()
  console.log([
    `${new Date().toISOString().slice(0, 10)}, commit ${commit}, ${path.basename(model)}, ${cpus().length} cores (${cpus()[0]?.model.trim()})`, '',
    `People (${people.length} recordings): ${rate(people)}`, '',
    `| requests by voice | ${noises.map(([name]) => name).join(' | ')} |`, `| --- | ${noises.map(() => '---').join(' | ')} |`, ...rows, '',
    '| names right, by voice | without the contacts | with the correction alone | with them as the prompt | with the correction too |', '| --- | --- | --- | --- | --- |', ...named, '',
    `Sound: ${(spent.soundMs / 1000).toFixed(0)} s in ${clip + people.length} clips. Real-time factor ${(spent.wallMs / spent.soundMs).toFixed(2)}` +
      `${processor === undefined ? '' : `, processor time ${(processor / spent.soundMs * 1000).toFixed(2)} of the sound's`}`,
  ].join('\n'))
} finally {
  await transcriber.close()
  rmSync(folder, {recursive: true, force: true})
}
