// `tinyagent setup zoom`: the account's own app at Zoom (server-to-server OAuth); its ids go into the config, its secret to where passwords
// are kept, once Zoom has let it in.
import {z} from 'zod'
import {setKey} from '../core/config.ts'
import {ToolError, UsageError} from '../core/errors.ts'
import {writeSecret} from '../core/secrets.ts'
import {printable} from '../core/text.ts'
import {zoomTokens} from '../tools/zoom/server-to-server.ts'
import {writeTemplate} from './config.ts'
import {firstLine, prompt} from './prompt.ts'
import type {Session} from './session.ts'

const optionsSchema = z.object({accountId: z.string().optional(), clientId: z.string().optional()})

const say = (line: string): void => { process.stdout.write(`${printable(line)}\n`) }

export async function setupZoom({config, configError}: Session, own: Record<string, unknown>, signal: AbortSignal): Promise<number> {
  if (configError) throw configError
  const options = optionsSchema.parse(own)
  const {zoom} = config.meetings
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
  const value = async (option: string | undefined, question: string, preset: string, name: string): Promise<string> => {
    const answer = option ?? (isTerminal ? await prompt(question, {preset}, signal) : preset)
    if (answer === undefined) throw new UsageError('setup was left; nothing was changed')
    if (answer === '') throw new UsageError(`setup zoom needs ${name}`)
    return answer
  }
  if (isTerminal) say('In marketplace.zoom.us, Develop, Build App, make a "Server-to-Server OAuth" app with the scopes meeting:write:meeting:admin and meeting:read:list_meetings:admin, and activate it.')
  const accountId = await value(options.accountId, 'Account id', zoom.account_id, '--account-id ID')
  const clientId = await value(options.clientId, 'Client id', zoom.client_id, '--client-id ID')
  const given = process.env['TINYAGENT_ZOOM_PASSWORD']
  const secret = given || (isTerminal ? await prompt('Client secret', {isHidden: true}, signal) : await firstLine())
  if (!secret) throw new UsageError('There is no secret: type it, give it on standard input, or in TINYAGENT_ZOOM_PASSWORD. Nothing was changed')
  say('Asking zoom.us ...')
  try {
    await zoomTokens({accountId, clientId, secret: async () => secret}).token(signal)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof ToolError)) throw error
    say(`  ${error.message}`)
    say('Nothing was changed.')
    return 1
  }
  writeTemplate(config)
  const place = given ? undefined : await writeSecret('zoom', secret, config)
  await setKey(config, 'meetings.zoom.account_id', JSON.stringify(accountId))
  await setKey(config, 'meetings.zoom.client_id', JSON.stringify(clientId))
  await setKey(config, 'meetings.provider', 'zoom')
  if (place) say(place.warning ?? `The secret is kept in ${place.where}.`)
  say(`Written: ${config.file}`)
  return 0
}
