// `tinyagent tools sign-in SERVER` and `sign-out SERVER`: for MCP servers that want a sign-in by browser (OAuth).
import {reasonOf, UsageError} from '../core/errors.ts'
import {alone} from '../core/oauth/alone.ts'
import {isOffline} from '../core/offline.ts'
import {readSecret} from '../core/secrets.ts'
import {oneLine} from '../core/text.ts'
import type {Prompter} from '../core/types.ts'
import {filled, serversFile} from '../tools/mcp/servers.ts'
import {clientSecretName, deleteSignIn, keptSignIn, readSignIn, scopesOf, writeSignIn, type SignIn} from '../tools/mcp/sign-ins.ts'
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
  const before = await readSignIn(server, config)
  const wanted = scopesOf(before?.wanted)
  if (wanted.length > 0) say(`It wants to be allowed more than before: ${wanted.join(', ')}`)
  const {signInAt} = await import('../tools/mcp/sign-in.ts')
  const signIn = await signInAt(server, {
    ...byBrowser(prompter, signal), port: config.oauth.port, scopes: scopesOf(before?.scope, before?.wanted), ...(clientSecret !== undefined && {clientSecret}),
  })
  const place = await writeSignIn(server, signIn, config)
  say(`Signed in at ${new URL(signIn.issuer).host} for ${name}.`)
  const missing = wanted.filter(scope => !scopesOf(signIn.scope).includes(scope))
  if (missing.length > 0) say(`Not allowed: ${missing.join(', ')}. What needs that is refused there as before.`)
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

/** What is kept here goes in any case; what was allowed is taken back there where that can be done. */
export async function signOutCommand(name: string, {config}: Session, signal: AbortSignal): Promise<number> {
  const kept = await keptSignIn(name, config)
  if (!kept) {
    await deleteSignIn(name, config) // of another version
    say(`tinyagent has no sign-in at ${oneLine(name)}.`)
    return 0
  }
  const {lockOf} = await import('../tools/mcp/tokens.ts')
  // A renewal beside it would write a new one.
  const problem = await alone(lockOf({name}, config), async () => {
    const reason = await takenBack(name, kept, signal)
    await deleteSignIn(name, config)
    return reason
  })
  const {host} = new URL(kept.issuer)
  say(problem === undefined
    ? `Signed out at ${host}: the sign-in for ${name} was taken back there, and nothing of it is kept here.`
    : `Nothing of the sign-in for ${name} is kept here any more. But it was not taken back: ${problem} Take it back on the list of ${host}.`)
  return 0
}

/** Why not; undefined where it was. */
async function takenBack(name: string, kept: SignIn, signal: AbortSignal): Promise<string | undefined> {
  if (isOffline()) return '--offline is on.'
  const {revokeSignIn} = await import('../tools/mcp/sign-out.ts')
  try {
    await revokeSignIn(name, kept, signal)
    return undefined
  } catch (error) {
    return signal.aborted ? 'it was stopped.' : reasonOf(error)
  }
}
