// `tinyagent models [verify]`: the models that come with the program, and whether their files are whole.
import {UsageError} from '../core/errors.ts'
import {openModels, verify} from '../core/models.ts'

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
  let isWhole = true
  for (const entry of models.list) {
    for (const {file, problem} of await verify(models, entry, signal)) {
      process.stdout.write(`${problem ? 'bad ' : 'ok  '} ${file}${problem ? `: ${problem}` : ''}\n`)
      if (problem) isWhole = false
    }
  }
  if (!isWhole) process.stderr.write('Some model files are damaged: install tinyagent again\n')
  return isWhole ? 0 : 1
}
