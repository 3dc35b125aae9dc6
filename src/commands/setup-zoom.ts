// `tinyagent setup zoom`: the account's own app at Zoom (server-to-server OAuth); its ids go into the config, its secret to where passwords
// are kept, once Zoom has let it in.
import {z} from 'zod'
import {UsageError} from '../core/errors.ts'
import {zoomTokens} from '../tools/zoom/server-to-server.ts'
import {keepSecret} from './keep-secret.ts'
import {firstLine, prompt, say} from './prompt.ts'
import type {Session} from './session.ts'

const optionsSchema = z.object({accountId: z.string().optional(), clientId: z.string().optional()})

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
  return keepSecret(config, {
    name: 'zoom', what: 'secret', secret, isGiven: Boolean(given), host: 'zoom.us',
    check: async stop => { await zoomTokens({accountId, clientId, secret: async () => secret}).token(stop); return undefined },
    keys: [['meetings.zoom.account_id', JSON.stringify(accountId)], ['meetings.zoom.client_id', JSON.stringify(clientId)], ['meetings.provider', 'zoom']],
  }, signal)
}
