// `tinyagent setup zoom`: the account's own app at Zoom (server-to-server OAuth), whose ids go into the config and its secret to where
// passwords are kept once Zoom has let it in; or the user's sign-in by browser.
import {z} from 'zod'
import type {Config, KeyValue} from '../core/config.ts'
import {UsageError} from '../core/errors.ts'
import {oneLine} from '../core/text.ts'
import type {Prompter} from '../core/types.ts'
import {appTokens} from '../tools/zoom/server-to-server.ts'
import {keepSecret, written} from './keep-secret.ts'
import type {Session} from './session.ts'
import {signIn} from './sign-in.ts'

const optionsSchema = z.object({kind: z.string().optional(), accountId: z.string().optional(), clientId: z.string().optional(), device: z.boolean().optional()})
type Options = z.infer<typeof optionsSchema>

type Kind = Config['meetings']['zoom']['auth']

export async function setupZoom({config, configError}: Session, own: Record<string, unknown>, prompter: Prompter, signal: AbortSignal): Promise<number> {
  if (configError) throw configError
  const options = optionsSchema.parse(own)
  const kind = await kindFrom(options, config.meetings.zoom.auth, prompter)
  return kind === 'user' ? setupUser(config, options, prompter, signal) : setupServer(config, options, prompter)
}

async function kindFrom({kind, accountId}: Options, known: Kind, {canAsk, choose}: Prompter): Promise<Kind> {
  if (kind === 'server' || kind === 'user') return kind
  if (kind !== undefined) throw new UsageError(`setup zoom --kind ${oneLine(kind)}: expected server or user`)
  if (accountId !== undefined) return 'server'
  if (!canAsk) return known
  return choose('Which kind of app?', [
    {value: 'server', label: 'Server-to-server', detail: 'an app of an account that you administer'},
    {value: 'user', label: 'User', detail: 'you sign in by browser'},
  ], known)
}

async function setupServer(config: Config, options: Options, prompter: Prompter): Promise<number> {
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
    check: async (secret, stop) => { await appTokens({accountId, clientId, secret: async () => secret}).token(stop); return undefined },
    keys: [
      ['meetings.zoom.account_id', JSON.stringify(accountId)], ['meetings.zoom.client_id', JSON.stringify(clientId)],
      ...authKey(config, 'server'), ['meetings.provider', 'zoom'],
    ],
  }, prompter)
}

/** The sign-in itself is the proof: no meeting is made for a check. */
async function setupUser(config: Config, {clientId: id, device = false}: Options, prompter: Prompter, signal: AbortSignal): Promise<number> {
  if (prompter.canAsk) prompter.say('In marketplace.zoom.us, Develop, Build App, make a "General App" that is user-managed, with the redirect http://127.0.0.1 and the scopes meeting:write:meeting and meeting:read:list_meetings; switch "Use Public Client OAuth" on and copy the public client id.')
  const signedIn = await signIn(config, {name: 'zoom', purpose: 'meetings', id, device, prompter, signal})
  if (!signedIn) return 1
  return written(config, {what: 'sign-in', keep: () => signedIn.keep(['zoom']), keys: [...signedIn.keys, ...authKey(config, 'user'), ['meetings.provider', 'zoom']]}, prompter)
}

const authKey = ({meetings: {zoom}}: Config, auth: Kind): KeyValue[] => zoom.auth === auth ? [] : [['meetings.zoom.auth', JSON.stringify(auth)]]
