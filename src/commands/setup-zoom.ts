// `tinyagent setup zoom`: the account's own app at Zoom (server-to-server OAuth); its ids go into the config, its secret to where passwords
// are kept, once Zoom has let it in.
import {z} from 'zod'
import {UsageError} from '../core/errors.ts'
import type {Prompter} from '../core/types.ts'
import {zoomTokens} from '../tools/zoom/server-to-server.ts'
import {keepSecret} from './keep-secret.ts'
import type {Session} from './session.ts'

const optionsSchema = z.object({accountId: z.string().optional(), clientId: z.string().optional()})

export async function setupZoom({config, configError}: Session, own: Record<string, unknown>, prompter: Prompter): Promise<number> {
  if (configError) throw configError
  const options = optionsSchema.parse(own)
  const {zoom} = config.meetings
  const {canAsk, ask, say} = prompter
  const value = async (given: string | undefined, question: string, preset: string, option: string): Promise<string> => {
    const check = (text: string): string | undefined => text === '' ? 'Zoom shows it on the page of your app.' : undefined
    const answer = given ?? (canAsk ? await ask(question, {preset, check}) : preset)
    if (answer === '') throw new UsageError(`setup zoom needs ${option}`)
    return answer
  }
  if (canAsk) say('In marketplace.zoom.us, Develop, Build App, make a "Server-to-Server OAuth" app with the scopes meeting:write:meeting:admin and meeting:read:list_meetings:admin, and activate it.')
  const accountId = await value(options.accountId, 'Account id', zoom.account_id, '--account-id ID')
  const clientId = await value(options.clientId, 'Client id', zoom.client_id, '--client-id ID')
  return keepSecret(config, {
    name: 'zoom', what: 'client secret', host: 'zoom.us',
    check: async (secret, stop) => { await zoomTokens({accountId, clientId, secret: async () => secret}).token(stop); return undefined },
    keys: [['meetings.zoom.account_id', JSON.stringify(accountId)], ['meetings.zoom.client_id', JSON.stringify(clientId)], ['meetings.provider', 'zoom']],
  }, prompter)
}
