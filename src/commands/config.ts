// `tinyagent config get|set|list|path|edit`.
import {existsSync} from 'node:fs'
import path from 'node:path'
import {getKey, keys, loadConfig, setKeys, template, type Config} from '../core/config.ts'
import {UsageError} from '../core/errors.ts'
import {makeFolder} from '../core/paths.ts'
import {printable} from '../core/text.ts'
import {createWhole} from '../tools/files/durable.ts'
import {editFile} from './editor.ts'
import type {Session} from './session.ts'

const show = (value: unknown): string => typeof value === 'string' ? value : JSON.stringify(value)

/** Every key and its value, defaults too. */
export const configText = (config: Config): string =>
  [`# ${config.file}`, ...keys().map(key => `${key} = ${JSON.stringify(getKey(config, key)) ?? '(default)'}`)].join('\n')

export async function configCommand(words: string[], session: Session): Promise<number> {
  const {config} = session
  const [action = 'list', key, ...rest] = words
  // A wrong config can be found and opened; nothing is read from it or set in it.
  if (session.configError && action !== 'path' && action !== 'edit') throw session.configError
  switch (action) {
    case 'path': process.stdout.write(`${config.file}\n`); return 0
    case 'list': process.stdout.write(session.options.json ? `${JSON.stringify(config.values)}\n` : `${printable(configText(config))}\n`); return 0
    case 'get': {
      const name = known(key)
      const value = getKey(config, name)
      process.stdout.write(session.options.json ? `${JSON.stringify(value ?? null)}\n` : `${printable(show(value) ?? '')}\n`)
      return 0
    }
    case 'set': {
      const name = known(key)
      if (rest.length === 0) throw new UsageError(`config set ${name} needs a value`)
      await setKeys(config, [[name, rest.join(' ')]])
      return 0
    }
    case 'edit': return edit(config)
    default: throw new UsageError(`config ${action}: there is get, set, list, path and edit`)
  }
}

function known(key: string | undefined): string {
  const all = keys()
  if (key !== undefined && (all.includes(key) || /^(?:confirm\.policy\.[\w.-]+|model\.endpoints\.[\w-]+\.[\w-]+)$/.test(key))) return key
  throw new UsageError(`${key === undefined ? 'Which key?' : `There is no key "${printable(key)}"`}; keys: ${all.join(', ')}`)
}

/** Opens the user's editor on the file, and checks what was saved. */
async function edit(config: Config): Promise<number> {
  await writeTemplate(config)
  const status = await editFile(config.file)
  loadConfig(config.paths, config.file)
  return status
}

/** Writes the commented defaults where there is no config yet; true when it did. */
export async function writeTemplate({file, paths}: Config): Promise<boolean> {
  if (existsSync(file)) return false
  makeFolder(path.dirname(file)) // a home that cannot be one is said by its own name
  return createWhole(file, template(paths))
}
