// `tinyagent setup model`: a planner on a server with OpenAI's API. It is asked once, and its address goes into the config and its key to where
// passwords are once it has answered. It becomes the planner only by the user's own word (`--model NAME`, or model.planner).
import {z} from 'zod'
import {endpointProblem, setKey, type Config, type EndpointConfig} from '../core/config.ts'
import {ModelError, UsageError} from '../core/errors.ts'
import {endpointOf, isElsewhere, secretOf, whatItGets} from '../core/model/endpoints.ts'
import {hostOf, listModels, type Endpoint} from '../core/model/openai.ts'
import {variableOf, writeSecret} from '../core/secrets.ts'
import {oneLine} from '../core/text.ts'
import {writeTemplate} from './config.ts'
import {endpointState} from './doctor.ts'
import {firstLine, prompt, say} from './prompt.ts'
import type {Session} from './session.ts'

const optionsSchema = z.object({url: z.string().optional(), name: z.string().optional(), apiVersion: z.string().optional()})

type Ask = (question: string, preset?: string) => Promise<string>

export async function setupModel({config, configError, options: {model: modelOption}}: Session, own: Record<string, unknown>, signal: AbortSignal): Promise<number> {
  if (configError) throw configError
  const options = optionsSchema.parse(own)
  const ask: Ask | undefined = process.stdin.isTTY === true && process.stdout.isTTY === true ? async (question, preset = '') => {
    const answer = await prompt(question, {preset}, signal)
    if (answer === undefined) throw new UsageError('setup was left; nothing was changed')
    return answer
  } : undefined
  const url = options.url ?? await ask?.('Address of the server', 'http://localhost:11434/v1')
  if (!url) throw new UsageError('setup model needs --url https://api.openai.com/v1 (or another server) and --model NAME, where there is no terminal')
  const problem = endpointProblem(url)
  if (problem !== undefined) throw new UsageError(`setup model --url ${url}: ${problem}`)
  const name = options.name ?? await ask?.('What you call it', nameOf(url)) ?? nameOf(url)
  if (!/^[a-z][a-z0-9_-]{0,31}$/.test(name)) throw new UsageError(`setup model --name ${name}: expected a name such as "ollama"`)

  const values: EndpointConfig = {
    timeout: 120, grammar: 'none', key_command: [], ...config.model.endpoints[name],
    url, model: modelOption ?? '', auth: 'none', api_version: options.apiVersion ?? '',
  }
  const known = endpointOf(name, values, config)
  if (isElsewhere(known)) say(`Where it plans, ${whatItGets(known)} (and, before another attempt, what was wrong with the first).`)
  const {key, isGiven} = await keyOf(known, values, config, ask, signal)
  if (key !== '') values.auth = values.api_version !== '' || new URL(url).hostname.endsWith('.azure.com') ? 'api-key' : 'bearer'
  const endpoint = (): Endpoint => ({...endpointOf(name, values, config), key: async () => key})
  try {
    say(`Asking ${hostOf(known)} ...`)
    if (values.model === '') values.model = await chosenModel(endpoint(), ask, signal)
    say(`  ${await endpointState(endpoint(), signal)}.`)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof ModelError)) throw error
    say(`  ${error.message}`)
    say('Nothing was changed.')
    return 1
  }
  await save(config, name, values, isGiven ? '' : key)
  say(`Use it: tinyagent --model ${name} "...", or always: tinyagent config set model.planner ${name}`)
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
async function keyOf(endpoint: Endpoint, {key_command: command}: EndpointConfig, config: Config, ask: Ask | undefined, signal: AbortSignal): Promise<{key: string; isGiven: boolean}> {
  const variable = variableOf(secretOf(endpoint.name))
  if (process.env[variable] || command.length > 0) return {key: await endpoint.key(signal), isGiven: true}
  const isNeeded = isElsewhere(endpoint)
  const key = (ask ? await prompt(`Key${isNeeded ? '' : ', if it wants one'}`, {isHidden: true}, signal) : isNeeded ? await firstLine() : '')?.trim() ?? ''
  if (key === '' && isNeeded) throw new UsageError(`There is no key: type it, give it on standard input, or in ${variable}. Nothing was changed`)
  if (key !== '' && !/^[\x21-\x7e]+$/.test(key)) throw new UsageError('That key holds characters that no key has. Nothing was changed')
  return {key, isGiven: false}
}

async function chosenModel(endpoint: Endpoint, ask: Ask | undefined, signal: AbortSignal): Promise<string> {
  const models = await listModels(endpoint, signal) ?? []
  const [only] = models
  if (models.length === 1 && only !== undefined) return only
  const list = models.length > 0 ? `: it has ${models.slice(0, 20).map(oneLine).join(', ')}${models.length > 20 ? ' ...' : ''}` : ''
  if (!ask) throw new ModelError(`--model NAME says which model of ${hostOf(endpoint)}${list}`)
  if (list !== '') say(`  ${hostOf(endpoint)}${list}`)
  const model = await ask(endpoint.apiVersion === '' ? 'Model' : 'Deployment')
  if (model === '') throw new UsageError('setup model needs the name of a model; nothing was changed')
  return model
}

async function save(config: Config, name: string, values: EndpointConfig, key: string): Promise<void> {
  writeTemplate(config)
  const place = key === '' ? undefined : await writeSecret(secretOf(name), key, config)
  for (const part of ['url', 'model', 'auth', 'api_version'] as const) {
    const isDefault = values[part] === (part === 'auth' ? 'none' : '')
    if (!isDefault || config.model.endpoints[name]) await setKey(config, `model.endpoints.${name}.${part}`, JSON.stringify(values[part]))
  }
  if (place) say(place.warning ?? `The key is kept in ${place.where}.`)
  say(`Written: ${config.file}`)
}
