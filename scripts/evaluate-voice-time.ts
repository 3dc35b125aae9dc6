// How long a spoken request waits for the first task of its plan, after the end of speech, and the same request typed, in one run with
// warm models: `npx tsx scripts/evaluate-voice-time.ts`. Needs flite and sox.
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {modelFiles, openModels} from '../src/core/models.ts'
import {openPlanner} from '../src/core/planner.ts'
import {chancesOf} from '../src/core/prior.ts'
import {openRetriever} from '../src/core/retriever.ts'
import {openTranscriber} from '../src/core/voice.ts'
import {withContacts} from '../src/core/voice/contacts.ts'
import {specs} from '../src/tools/specs.ts'
import {samplesOf, speak} from './speech.ts'

/** What the microphone waits for before it takes speech as ended (voice.silence). */
const silenceMs = 1200
const requests = [
  'Remind me to water the plants tomorrow at six.', 'Add rice and tomatoes to the grocery list.', 'Schedule a call with Omar Farouk on Monday at nine.', 'Text Ingrid Solberg that the train is late.',
  'Show me the way to the airport.', 'Write a note that the heating is broken.', 'Send an email to Akira Watanabe about the invoice.', 'Remind me to pay the rent on Friday.',
]
const people = Array.from({length: 300}, (_, i) => `${['Omar', 'Ingrid', 'Akira', 'Leila', 'Zoltan'][i % 5]!} ${['Farouk', 'Solberg', 'Watanabe', 'Hosseini', 'Szabo'][Math.floor(i / 5) % 5]!}${i < 25 ? '' : ` ${i}`}`)

const folder = mkdtempSync(path.join(tmpdir(), 'tinyagent-voice-time-'))
const signal = new AbortController().signal
const [whisper = ''] = modelFiles(openModels(), 'whisper')
const transcriber = await openTranscriber({model: whisper})
const retriever = await openRetriever({dir: 'models/retriever'})
const planner = await openPlanner({modelPath: 'models/planner/tinyagent-135m-q4_0.gguf'})

/** Milliseconds; NaN where no task came. */
async function firstTask(request: string): Promise<number> {
  const start = performance.now()
  const selected = await retriever.select(request, specs, signal)
  for await (const event of planner.plan({request, now: new Date(2026, 2, 3), tools: specs.filter(s => selected.some(t => t.name === s.name)), chances: chancesOf(selected), signal})) {
    if ('task' in event) return performance.now() - start
  }
  return NaN
}

async function fromSpeech(request: string): Promise<{writtenMs: number; taskMs: number}> {
  const file = path.join(folder, 'request.wav')
  speak('flite slt', request, file)
  const samples = samplesOf(file)
  const start = performance.now()
  const {text} = await transcriber.transcribe(samples, {names: people.slice(0, 25), signal})
  const heard = withContacts(text, people).text
  const writtenMs = performance.now() - start
  return {writtenMs, taskMs: writtenMs + await firstTask(heard)}
}

/** Of those that there are. */
function median(values: number[]): number {
  const known = values.filter(value => !Number.isNaN(value)).sort((a, b) => a - b)
  return known[Math.floor(known.length / 2)] ?? NaN
}

try {
  await fromSpeech('Show me my reminders.')
  const [typed, written, spoken]: [number[], number[], number[]] = [[], [], []]
  for (const [i, request] of requests.entries()) {
    // Another request in between, so that neither finds its own prompt read already.
    typed.push(await firstTask(requests[(i + 4) % requests.length]!))
    const {writtenMs, taskMs} = await fromSpeech(request)
    written.push(writtenMs)
    spoken.push(taskMs)
  }
  const ms = (values: number[]): string => `${median(values).toFixed(0)} ms`
  const ratio = (add: number): string => ((median(spoken) + add) / median(typed)).toFixed(1)
  console.log(`typed: first task after ${ms(typed)}; spoken: words after ${ms(written)}, first task after ${ms(spoken)}, ${ratio(0)} times as long, ${ratio(silenceMs)} times with the ${silenceMs} ms of silence that end a dictation (medians of ${requests.length})`)
} finally {
  await planner.close()
  await retriever.close()
  await transcriber.close()
  rmSync(folder, {recursive: true, force: true})
}
