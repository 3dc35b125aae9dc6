// What a user waits for, measured in one run on this machine: `npm run bench`. With `-- --paper` also a model of the paper's
// shape and prompt length in the same process. Requests are those of the validation rows; `-- --rows N` takes N of them.
import {spawn} from '@lydell/node-pty'
import {mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {cpus, tmpdir} from 'node:os'
import path from 'node:path'
import {parseArgs} from 'node:util'
import {getLlama, LlamaLogLevel, type Token} from 'node-llama-cpp'
import {PlanError} from '../src/core/errors.ts'
import {freeThreads, readLoad} from '../src/core/model/threads.ts'
import {openPlanner} from '../src/core/planner.ts'
import {chancesOf} from '../src/core/prior.ts'
import {openRetriever} from '../src/core/retriever.ts'
import {specs} from '../src/tools/specs.ts'
import {writePaperModel} from './paper-model.ts'

const {values: options} = parseArgs({options: {paper: {type: 'boolean'}, rows: {type: 'string', default: '40'}}})
const modelPath = 'models/planner/tinyagent-135m-q4_0.gguf'
const signal = new AbortController().signal
/** The paper's prompt has 1,397 tokens (arXiv 2409.00608, Tool RAG). */
const paperPrompt = 1397

const quantile = (values: number[], q: number): number => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? NaN
const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length
const p50and95 = (ms: number[]): string => `${quantile(ms, 0.5).toFixed(0)} ms (p50), ${quantile(ms, 0.95).toFixed(0)} ms (p95)`
const say = (what: string, value: string): void => { process.stdout.write(`${what.padEnd(28)}${value}\n`) }

/** Of all threads: what other programs do hardly changes it. */
const processorMs = (): number => { const {user, system} = process.cpuUsage(); return (user + system) / 1000 }

async function timed<T>(work: () => Promise<T>): Promise<{value: T; ms: number; cpuMs: number}> {
  const start = performance.now(), cpuStart = processorMs()
  const value = await work()
  return {value, ms: performance.now() - start, cpuMs: processorMs() - cpuStart}
}

/** From the start of the program to its input line, in a home of its own. */
function startUp(): Promise<number> {
  const home = mkdtempSync(path.join(tmpdir(), 'tinyagent-bench-'))
  const start = performance.now()
  const pty = spawn(process.execPath, [path.resolve('bin/tinyagent.js')], {
    cols: 80, rows: 24, cwd: home, env: {PATH: process.env['PATH'] ?? '', HOME: home, TINYAGENT_HOME: home, TERM: 'xterm-256color', LANG: 'C.UTF-8'},
  })
  return new Promise((resolve, reject) => {
    let seen = '', ms: number | undefined
    pty.onData(data => {
      seen += data
      if (ms === undefined && seen.includes('What shall I do')) { ms = performance.now() - start; pty.kill('SIGKILL') }
    })
    pty.onExit(() => {
      rmSync(home, {recursive: true, force: true})
      if (ms === undefined) reject(new Error(`the program ended before its prompt: ${seen.slice(-300)}`))
      else resolve(ms)
    })
  })
}

/** The threads that the planner would take now; both models get the same. */
async function threadsNow(): Promise<number> {
  const most = cpus().length
  const before = readLoad()
  await new Promise(resolve => setTimeout(resolve, 500))
  return freeThreads(before, readLoad(), most, most) ?? most
}

async function benchPlans(threads: number): Promise<{planMs: number; planCpuMs: number; planTokens: number}> {
  const {value: retriever, ms: retrieverMs} = await timed(() => openRetriever({dir: 'models/retriever'}))
  const {value: planner, ms: plannerMs} = await timed(() => openPlanner({modelPath, threads}))
  say('model load', `planner ${plannerMs.toFixed(0)} ms, retriever ${retrieverMs.toFixed(0)} ms`)
  const lines = readFileSync('training/data/validation.jsonl', 'utf8').trim().split('\n')
  const requests = lines.map(line => (JSON.parse(line) as {query: string}).query) // our own file
  const step = Math.max(1, Math.floor(requests.length / Number(options.rows)))
  let failed = 0
  const retrieve: number[] = [], firstTask: number[] = [], plan: number[] = [], cpu: number[] = [], prompts: number[] = [], tokens: number[] = []
  for (const [i, request] of requests.filter((_, i) => i % step === 0).entries()) {
    const start = performance.now(), cpuStart = processorMs()
    const selected = await retriever.select(request, specs, signal)
    const retrieved = performance.now()
    let first: number | undefined
    try {
      const stream = planner.plan({request, now: new Date(2026, 2, 3), tools: specs.filter(s => selected.some(t => t.name === s.name)), chances: chancesOf(selected), signal})
      let next = await stream.next()
      for (; !next.done; next = await stream.next()) if ('task' in next.value) first ??= performance.now() - start
      // The first one warms up.
      if (i === 0) continue
      prompts.push(next.value.promptTokens)
      tokens.push(next.value.generatedTokens)
    } catch (error) {
      // Its time counts as any other's: the user waited for it.
      if (!(error instanceof PlanError)) throw error
      failed++
    }
    retrieve.push(retrieved - start)
    plan.push(performance.now() - start)
    cpu.push(processorMs() - cpuStart)
    if (first !== undefined) firstTask.push(first)
  }
  await planner.close()
  await retriever.close()
  say('retrieval', p50and95(retrieve))
  say('first task', p50and95(firstTask))
  say('whole plan', p50and95(plan))
  say('prompt and plan', `${mean(prompts).toFixed(0)} and ${mean(tokens).toFixed(0)} tokens (means of ${plan.length} requests${failed > 0 ? `, ${failed} of them without a valid plan` : ''})`)
  say('tokens per second', `${(1000 * mean(tokens) / (mean(plan) - mean(retrieve))).toFixed(0)} of the plan, the reading of the prompt included`)
  say('memory', `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB at most`)
  return {planMs: quantile(plan, 0.5), planCpuMs: quantile(cpu, 0.5), planTokens: Math.round(mean(tokens))}
}

async function benchPaper(planTokens: number, threads: number): Promise<{ms: number; cpuMs: number}> {
  const dir = mkdtempSync(path.join(tmpdir(), 'tinyagent-paper-'))
  try {
    const file = path.join(dir, 'tinyllama-shape-q4_0.gguf')
    writePaperModel(file)
    const llama = await getLlama({build: 'never', gpu: false, logLevel: LlamaLogLevel.disabled, progressLogs: false})
    llama.maxThreads = threads
    const model = await llama.loadModel({modelPath: file})
    const context = await model.createContext({contextSize: 2048, sequences: 1, threads})
    const sequence = context.getSequence()
    const prompt = Array.from({length: paperPrompt}, (_, i) => (300 + i * 37 % 30_000) as Token)
    const {ms, cpuMs} = await timed(async () => {
      let written = 0
      for await (const _ of sequence.evaluate(prompt, {temperature: 0, yieldEogToken: true})) if (++written >= planTokens) break
    })
    await context.dispose()
    await model.dispose()
    await llama.dispose()
    return {ms, cpuMs}
  } finally { rmSync(dir, {recursive: true, force: true}) }
}

const threads = await threadsNow()
say('machine', `${cpus()[0]?.model.trim() ?? '?'}, ${cpus().length} cores, ${threads} of them free and used`)
const starts: number[] = []
for (let i = 0; i < 5; i++) starts.push(await startUp())
say('start-up to prompt', p50and95(starts))
const {planMs, planCpuMs, planTokens} = await benchPlans(threads)
if (options.paper) {
  const paper = await benchPaper(planTokens, threads)
  say("the paper's shape", `${paper.ms.toFixed(0)} ms: TinyLlama-1.1B in Q4_0 with random weights, ${paperPrompt} tokens read, ${planTokens} written`)
  say('ratio', `${(paper.ms / planMs).toFixed(1)} times the whole plan (p50, with retrieval); in processor time ${(paper.cpuMs / planCpuMs).toFixed(1)} times (${paper.cpuMs.toFixed(0)} and ${planCpuMs.toFixed(0)} ms)`)
}
process.exit(0)
