// `tinyagent setup model`: a planner on a server with OpenAI's API. It is asked once, and its address goes into the config and its key to where
// passwords are once it has answered. It becomes the planner only by the user's own word (`--model NAME`, or model.planner).
import {z} from 'zod'
import {endpointProblem, type Config, type EndpointConfig} from '../core/config.ts'
import {ModelError, UsageError} from '../core/errors.ts'
import {endpointOf, isElsewhere, secretOf, whatItGets} from '../core/model/endpoints.ts'
import {hostOf, listModels, type Endpoint} from '../core/model/openai.ts'
import {variableOf, writeSecret} from '../core/secrets.ts'
import {oneLine} from '../core/text.ts'
import type {Prompter} from '../core/types.ts'
import {endpointState} from './doctor.ts'
import {written} from './keep-secret.ts'
import {notEmpty, remedy} from './prompt.ts'
import type {Session} from './session.ts'

const optionsSchema = z.object({url: z.string().optional(), name: z.string().optional(), apiVersion: z.string().optional()})

const namePattern = /^[a-z][a-z0-9_-]{0,31}$/
const nameProblem = (name: string): string | undefined => namePattern.test(name) ? undefined : 'expected a name such as "ollama"'

export async function setupModel({config, configError, options: {model: modelOption}}: Session, own: Record<string, unknown>, prompter: Prompter, signal: AbortSignal): Promise<number> {
  if (configError) throw configError
  const options = optionsSchema.parse(own)
  const {canAsk, ask, say} = prompter
  const url = options.url ?? (canAsk ? await ask('Address of the server', {preset: 'http://localhost:11434/v1', check: endpointProblem}) : undefined)
  if (!url) throw new UsageError('setup model needs --url https://api.openai.com/v1 (or another server) and --model NAME, where there is no terminal')
  const problem = endpointProblem(url)
  if (problem !== undefined) throw new UsageError(`setup model --url ${url}: ${problem}`)
  const name = options.name ?? (canAsk ? await ask('What you call it', {preset: nameOf(url), check: nameProblem}) : nameOf(url))
  const wrongName = nameProblem(name)
  if (wrongName !== undefined) throw new UsageError(`setup model --name ${name}: ${wrongName}`)

  const values: EndpointConfig = {
    timeout: 120, grammar: 'none', key_command: [], ...config.model.endpoints[name],
    url, model: modelOption ?? '', auth: 'none', api_version: options.apiVersion ?? '',
  }
  const known = endpointOf(name, values, config)
  if (isElsewhere(known)) say(`Where it plans, ${whatItGets(known)} (and, before another attempt, what was wrong with the first).`)
  let {key, isGiven} = await keyOf(known, values, config, prompter, signal)
  for (;;) {
    values.auth = key === '' ? 'none' : values.api_version !== '' || new URL(url).hostname.endsWith('.azure.com') ? 'api-key' : 'bearer'
    const endpoint = (): Endpoint => ({...endpointOf(name, values, config), key: async () => key})
    try {
      if (values.model === '') values.model = await chosenModel(endpoint(), prompter)
      say(`${await prompter.progress(`Asking ${hostOf(known)}`, stop => endpointState(endpoint(), stop))}.`, 'done')
      break
    } catch (error) {
      if (!(error instanceof ModelError)) throw error
      say(error.message, 'failed')
      const next = await remedy(prompter, isGiven ? [] : [{value: 'key', label: 'Type the key again'}])
      if (next === 'leave') return 1
      if (next === 'key') ({key, isGiven} = await keyOf(known, values, config, prompter, signal))
    }
  }
  await save(config, name, values, isGiven ? '' : key, prompter)
  say(`Use it: tinyagent --model ${name} "...", or always: tinyagent config set model.planner ${name}`)
  say(`Or for the texts of mails, notes and summaries: tinyagent config set model.writer ${name}`)
  return 0
}

/** "openai" of api.openai.com, "ollama" of its port. */
function nameOf(url: string): string {
  const {hostname, port} = new URL(url)
  const byPort: Record<string, string> = {'11434': 'ollama', '1234': 'lmstudio', '8080': 'llamacpp', '8000': 'vllm'}
  if (!/[a-z]/i.test(hostname) || hostname === 'localhost') return byPort[port] ?? 'local'
  const labels = hostname.toLowerCase().split('.')
  return (hostname.endsWith('.azure.com') ? 'azure' : labels.at(-2) ?? labels[0]!).replace(/[^a-z0-9_-]/g, '').replace(/^[^a-z]+/, '') || 'model'
}

/** `isGiven`: by the environment or a program, which go on giving it. '' where there is none. */
async function keyOf(endpoint: Endpoint, {key_command: command}: EndpointConfig, config: Config, {canAsk, secret}: Prompter, signal: AbortSignal): Promise<{key: string; isGiven: boolean}> {
  const variable = variableOf(secretOf(endpoint.name))
  if (process.env[variable] || command.length > 0) return {key: await endpoint.key(signal), isGiven: true}
  const isNeeded = isElsewhere(endpoint)
  const key = canAsk || isNeeded ? (await secret(`Key${isNeeded ? '' : ', if it wants one'}`, isNeeded ? {check: notEmpty('key')} : {})).trim() : ''
  if (key === '' && isNeeded) throw new UsageError(`There is no key: type it, give it on standard input, or in ${variable}. Nothing was changed`)
  if (key !== '' && !/^[\x21-\x7e]+$/.test(key)) throw new UsageError('That key holds characters that no key has. Nothing was changed')
  return {key, isGiven: false}
}

/** A list longer than this is no help; its user knows the name. */
const maxListed = 20

async function chosenModel(endpoint: Endpoint, {canAsk, ask, choose, progress}: Prompter): Promise<string> {
  const models = await progress(`Asking ${hostOf(endpoint)} for its models`, stop => listModels(endpoint, stop)) ?? []
  const [only] = models
  if (models.length === 1 && only !== undefined) return only
  const list = models.length > 0 ? `: it has ${models.slice(0, maxListed).map(oneLine).join(', ')}${models.length > maxListed ? ' ...' : ''}` : ''
  if (!canAsk) throw new ModelError(`--model NAME says which model of ${hostOf(endpoint)}${list}`)
  if (models.length > 0 && models.length <= maxListed) return choose('Which model?', models.map(model => ({value: model, label: model})))
  return ask(endpoint.apiVersion === '' ? 'Model' : 'Deployment', {check: text => text === '' ? `${hostOf(endpoint)} wants a name${list}` : undefined})
}

function save(config: Config, name: string, values: EndpointConfig, key: string, prompter: Prompter): Promise<number> {
  const isSaid = (part: 'url' | 'model' | 'auth' | 'api_version'): boolean => values[part] !== (part === 'auth' ? 'none' : '') || config.model.endpoints[name] !== undefined
  return written(config, {
    what: 'key', ...(key !== '' && {keep: () => writeSecret(secretOf(name), key, config)}),
    keys: (['url', 'model', 'auth', 'api_version'] as const).filter(isSaid).map(part => [`model.endpoints.${name}.${part}`, JSON.stringify(values[part])]),
  }, prompter)
}
