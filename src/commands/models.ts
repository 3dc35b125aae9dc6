// `tinyagent models [list | verify | pull NAME]`: the models that come with the program and those that were fetched, and whether they are whole.
import {existsSync} from 'node:fs'
import path from 'node:path'
import type {Config} from '../core/config.ts'
import {UsageError} from '../core/errors.ts'
import {endpointsOf} from '../core/model/endpoints.ts'
import {hostOf} from '../core/model/openai.ts'
import {chosenWriter} from '../core/model/writers.ts'
import {openModels, verify, type FileCheck, type ModelEntry, type Models} from '../core/models.ts'
import {pullableModels, pullFile} from '../core/pull.ts'
import {progressBar} from './progress.ts'
import type {Session} from './session.ts'

const sizeOf = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
const line = (m: ModelEntry): string => `  ${m.role.padEnd(10)} ${m.name}  ${sizeOf(m.files.reduce((sum, f) => sum + f.bytes, 0))}  ${m.licence}`

/** Those of the models that can be fetched which are there. */
function pulled({paths}: Config): Models {
  const {dir, list} = pullableModels(paths)
  return {dir, list: list.filter(m => m.files.every(f => existsSync(path.join(dir, f.file))))}
}

export function modelsText(config: Config): string {
  const {dir, list} = openModels()
  const mine = pulled(config)
  const endpoints = endpointsOf(config)
  const writer = chosenWriter(config)
  const others = pullableModels(config.paths).list.filter(m => !mine.list.includes(m))
  return [
    `Models in ${dir}`, ...list.map(line),
    ...(mine.list.length > 0 ? [`Models in ${mine.dir}`, ...mine.list.map(line)] : []),
    ...(endpoints.length > 0 ? [`Models on servers (${config.file}), not checked`, ...endpoints.map(e => `  planner    ${e.name}  ${e.model} at ${hostOf(e)}`)] : []),
    ...(writer ? [`The sub-agents' model (model.writer): ${writer.name}`] : []),
    ...(others.length > 0 ? ['`tinyagent models pull NAME` fetches', ...others.map(line)] : []),
  ].join('\n')
}

export async function modelsCommand(words: string[], {config, options}: Session, signal: AbortSignal): Promise<number> {
  const [action = 'list', name, ...rest] = words
  if (action === 'pull' && rest.length === 0) return pullCommand(name, config, signal)
  if (!['list', 'verify'].includes(action) || name !== undefined) throw new UsageError(`models ${words.join(' ')}: there are list, verify and pull NAME`)
  if (action === 'list') {
    process.stdout.write(options.json ? `${JSON.stringify([...openModels().list, ...pulled(config).list])}\n` : `${modelsText(config)}\n`)
    return 0
  }
  const checks: FileCheck[] = []
  for (const models of [openModels(), pulled(config)]) for (const entry of models.list) checks.push(...await verify(models, entry, signal))
  process.stdout.write(options.json
    ? `${JSON.stringify(checks)}\n`
    : checks.map(({file, problem}) => `${problem ? 'bad ' : 'ok  '} ${file}${problem ? `: ${problem}` : ''}\n`).join(''))
  const isWhole = checks.every(check => check.problem === undefined)
  if (!isWhole) process.stderr.write('Some model files are damaged: install tinyagent again, or pull them again\n')
  return isWhole ? 0 : 1
}

async function pullCommand(name: string | undefined, config: Config, signal: AbortSignal): Promise<number> {
  const models = pullableModels(config.paths)
  const entry = models.list.find(m => m.name === name)
  const names = models.list.map(m => m.name).join(', ')
  if (!entry) {
    const own = openModels().list.some(m => m.name === name)
    throw new UsageError(own ? `${name} comes with tinyagent: there is nothing to pull` : `models pull ${name ?? 'NAME'}: there are ${names}`)
  }
  for (const file of entry.files) {
    const bar = progressBar(entry.name)
    const whole = (await verify(models, {...entry, files: [file]}, signal)).every(f => f.problem === undefined)
    const started = performance.now()
    let first: number | undefined
    try {
      if (!whole) {
        await pullFile(file, models.dir, {signal, onProgress: bytes => {
          first ??= bytes
          const rate = (bytes - first) / (performance.now() - started) * 1000
          bar.show(bytes / file.bytes, rate > 0 ? `${sizeOf(rate)}/s ${minutes((file.bytes - bytes) / rate)}` : '')
        }})
      }
    } finally {
      bar.end()
    }
    process.stdout.write(`${whole ? 'There already' : 'Fetched'}: ${path.join(models.dir, file.file)} (${sizeOf(file.bytes)}, checksum right)\n`)
  }
  if (config.voice.model !== entry.name) process.stdout.write(`Use it: tinyagent config set voice.model ${entry.name}\n`)
  return 0
}

/** "3:05 left". */
const minutes = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')} left`
