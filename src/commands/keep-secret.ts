// A setup that takes one secret: it is tried first, and what is not taken changes nothing; what is goes where passwords are kept, and the config says so.
import {setKeys, type Config, type KeyValue} from '../core/config.ts'
import {UsageError} from '../core/errors.ts'
import {variableOf, writeSecret, type SecretPlace} from '../core/secrets.ts'
import type {Prompter} from '../core/types.ts'
import {writeTemplate} from './config.ts'
import {notEmpty, tried} from './prompt.ts'

interface Account {
  /** under which it is kept */
  name: string
  /** "token": what it is called to the user */
  what: string
  host: string
  /** Throws ToolError where the secret is not taken; else what is there, in a line, or nothing to say. */
  check(secret: string, signal: AbortSignal): Promise<string | undefined>
  /** what the config says from then on */
  keys: KeyValue[]
}

/** The secret is the environment's, or is asked for. The exit code. */
export async function keepSecret(config: Config, {name, what, host, check, keys}: Account, prompter: Prompter): Promise<number> {
  const variable = variableOf(name)
  const given = process.env[variable]
  const type = async (question: string): Promise<string> => {
    const typed = (await prompter.secret(question, {check: notEmpty(what)})).trim()
    if (typed === '') throw new UsageError(`There is no ${what}: type it, give it on standard input, or in ${variable}. Nothing was changed`)
    return typed
  }
  let secret = given || await type(capital(what))
  const found = await tried(
    prompter, async () => await prompter.progress(`Asking ${host}`, stop => check(secret, stop)) ?? `${host} takes the ${what}.`,
    given ? undefined : {label: `Type the ${what} again`, run: async () => { secret = await type(`${capital(what)}, once more`) }},
  )
  if (found === undefined) return 1
  prompter.say(found, 'done')
  return written(config, {what, ...(!given && {keep: () => writeSecret(name, secret, config)}), keys}, prompter)
}

interface Kept extends Pick<Account, 'what' | 'keys'> {
  /** puts it where it is kept; absent where the environment has it */
  keep?: (() => Promise<SecretPlace>) | undefined
}

/** The end of a setup, once everything is tried. The secret is kept first: a config that names an account without one would fail. The exit code. */
export async function written(config: Config, {what, keep, keys}: Kept, {say}: Prompter): Promise<number> {
  await writeTemplate(config)
  const place = await keep?.()
  await setKeys(config, keys)
  if (place) say(place.warning ?? `The ${what} is kept in ${place.where}.`)
  say(`Written: ${config.file}`, 'done')
  return 0
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
