// `tinyagent tools sign-in SERVER` and `sign-out SERVER`: for MCP servers that want a sign-in by browser (OAuth).
import {UsageError} from '../core/errors.ts'
import {readSecret} from '../core/secrets.ts'
import {oneLine} from '../core/text.ts'
import type {Prompter} from '../core/types.ts'
import {filled, serversFile} from '../tools/mcp/servers.ts'
import {clientSecretName, deleteSignIn, writeSignIn} from '../tools/mcp/sign-ins.ts'
import {plainPrompter, say} from './prompt.ts'
import {byBrowser} from './sign-in.ts'
import type {Session} from './session.ts'

export async function signInCommand(name: string, session: Session, signal: AbortSignal): Promise<number> {
  const {config} = session
  const {servers} = await session.foreign()
  const found = servers.find(s => s.server.name === name)?.server
  if (!found) throw new UsageError(`There is no MCP server ${oneLine(name)} in ${serversFile(config.paths.config)}; there: ${servers.map(s => s.server.name).join(', ') || 'none'}`)
  const server = filled(found, process.env, config.paths.config)
  if (server.type !== 'http') throw new UsageError(`${name} is a program on this machine; it has no sign-in that tinyagent does, and signs in by itself where it needs to`)
  const prompter = plainPrompter(signal)
  const clientSecret = server.clientId === undefined ? undefined : await secretOf(name, session, prompter, signal)
  say(`${name} is reached at ${server.url}`)
  const {signInAt} = await import('../tools/mcp/sign-in.ts')
  const signIn = await signInAt(server, {
    ...byBrowser(prompter, signal), port: config.oauth.port, ...(clientSecret !== undefined && {clientSecret}),
  })
  const place = await writeSignIn(server, signIn, config)
  say(`Signed in at ${new URL(signIn.issuer).host} for ${name}.`)
  say(place.warning ?? `The sign-in is kept in ${place.where}.`)
  const {word} = await session.foreign()
  if (!word.servers[name]) say(`\`tinyagent tools approve ${name}\` shows what it offers.`)
  return 0
}

/** Of the client that the user made; most native clients have none. */
async function secretOf(name: string, {config}: Session, {canAsk, secret}: Prompter, signal: AbortSignal): Promise<string | undefined> {
  const known = await readSecret(clientSecretName(name), config, signal).catch(() => undefined)
  if (known !== undefined || !canAsk) return known
  const typed = await secret('Client secret, empty where it has none')
  return typed === '' ? undefined : typed
}

export async function signOutCommand(name: string, {config}: Session): Promise<number> {
  await deleteSignIn(name, config)
  say(`tinyagent has no sign-in at ${name} any more. That it was allowed in stays on the list of its authorization server; take it back there.`)
  return 0
}
