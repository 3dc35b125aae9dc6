// The endpoints of the config, by name, with their keys from where passwords are.
import type {Config, EndpointConfig} from '../config.ts'
import {chat, hostOf, type Endpoint} from './openai.ts'
import {isLoopbackHost} from '../network.ts'
import {readSecret} from '../secrets.ts'
import type {PromptForm} from '../tinyagent.ts'
import type {Planner} from '../types.ts'

/** The secret's name: TINYAGENT_MODEL_OPENAI_PASSWORD for "openai". */
export const secretOf = (name: string): string => `model ${name}`

export function endpointOf(name: string, values: EndpointConfig, {paths}: Pick<Config, 'paths'>): Endpoint {
  const {url, model, auth, api_version: apiVersion, grammar, timeout, key_command: command} = values
  return {
    name, url, model, auth, apiVersion, grammar, timeoutMs: timeout * 1000,
    key: signal => readSecret(secretOf(name), {paths, command, setup: 'tinyagent setup model'}, signal),
  }
}

export const endpointsOf = (config: Config): Endpoint[] =>
  Object.entries(config.model.endpoints).map(([name, values]) => endpointOf(name, values, config))

/** The endpoint that the user chose as the planner; undefined for a model of another kind. */
export function chosenEndpoint(config: Config, option: string | undefined): Endpoint | undefined {
  const name = option ?? config.model.planner
  const values = Object.hasOwn(config.model.endpoints, name) ? config.model.endpoints[name] : undefined
  return values && endpointOf(name, values, config)
}

/** Whether what it gets leaves this machine. */
export const isElsewhere = (endpoint: Endpoint): boolean => !isLoopbackHost(new URL(endpoint.url).hostname)

/** What its host gets, in words: said by `setup model` and `doctor`. */
export const whatItGets = (endpoint: Endpoint): string =>
  `your requests, standing instructions and the lists of tools go to ${hostOf(endpoint)}`

/** What its host gets where it is the sub-agents' model. */
export const whatItWrites = 'the words of the mails and notes that it writes, the mail that is answered, and sentences of the documents that it sums up'

/** Opens no connection yet. */
export async function openEndpoint(endpoint: Endpoint, prompt: 'auto' | PromptForm = 'auto'): Promise<Planner> {
  const [{planByChat}, {promptForm}] = await Promise.all([import('../chat-planner.ts'), import('../tinyagent.ts')])
  return planByChat((messages, signal, grammar) => chat(endpoint, messages, signal, grammar), `${endpoint.model} at ${hostOf(endpoint)}`, promptForm(prompt, [endpoint.model, endpoint.name]))
}
