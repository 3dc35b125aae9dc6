// `tinyagent models [verify]`: the models that come with the program, and whether their files are whole.
import {UsageError} from '../core/errors.ts'
import {openModels, verify, type FileCheck} from '../core/models.ts'

export const modelsText = (): string => {
  const {dir, list} = openModels()
  const size = (files: {bytes: number}[]): string => `${(files.reduce((sum, f) => sum + f.bytes, 0) / 1e6).toFixed(1)} MB`
  return [`Models in ${dir}`, ...list.map(m => `  ${m.role.padEnd(10)} ${m.name}  ${size(m.files)}  ${m.licence}`)].join('\n')
}

export async function modelsCommand(action: string, isJson: boolean, signal: AbortSignal): Promise<number> {
  if (action === 'list') {
    process.stdout.write(isJson ? `${JSON.stringify(openModels().list)}\n` : `${modelsText()}\n`)
    return 0
  }
  if (action === 'pull') throw new UsageError('There is nothing to pull: the models of this version come with it; `tinyagent models verify` checks them')
  if (action !== 'verify') throw new UsageError(`models ${action}: there is list and verify`)
  const models = openModels()
  const checks: FileCheck[] = []
  for (const entry of models.list) checks.push(...await verify(models, entry, signal))
  process.stdout.write(isJson
    ? `${JSON.stringify(checks)}\n`
    : checks.map(({file, problem}) => `${problem ? 'bad ' : 'ok  '} ${file}${problem ? `: ${problem}` : ''}\n`).join(''))
  const isWhole = checks.every(check => check.problem === undefined)
  if (!isWhole) process.stderr.write('Some model files are damaged: install tinyagent again\n')
  return isWhole ? 0 : 1
}
