// `tinyagent setup zoom`: the account's own app at Zoom (server-to-server OAuth), whose ids go into the config and its secret to where
// passwords are kept once Zoom has let it in; or the user's sign-in by browser.
import {z} from 'zod'
import type {Config} from '../core/config.ts'
import {UsageError} from '../core/errors.ts'
import {writeSecret} from '../core/secrets.ts'
import {oneLine} from '../core/text.ts'
import {appTokens} from '../tools/zoom/server-to-server.ts'
import {keepSecret, written} from './keep-secret.ts'
import {firstLine, prompt, say} from './prompt.ts'
import type {Session} from './session.ts'
import {signIn} from './sign-in.ts'

const optionsSchema = z.object({kind: z.string().optional(), accountId: z.string().optional(), clientId: z.string().optional(), device: z.boolean().optional()})
type Options = z.infer<typeof optionsSchema>

type Kind = Config['meetings']['zoom']['auth']

/** Absent where there is no terminal. */
type Ask = ((question: string, preset: string) => Promise<string>) | undefined

export async function setupZoom({config, configError}: Session, own: Record<string, unknown>, signal: AbortSignal): Promise<number> {
  if (configError) throw configError
  const options = optionsSchema.parse(own)
  const ask: Ask = process.stdin.isTTY === true && process.stdout.isTTY === true ? async (question, preset) => {
    const answer = await prompt(question, {preset}, signal)
    if (answer === undefined) throw new UsageError('setup was left; nothing was changed')
    return answer
  } : undefined
  const kind = await kindFrom(options, config.meetings.zoom.auth, ask)
  return kind === 'user' ? setupUser(config, options, ask, signal) : setupServer(config, options, ask, signal)
}

async function kindFrom({kind, accountId}: Options, known: Kind, ask: Ask): Promise<Kind> {
  const isKind = (text: string): text is Kind => text === 'server' || text === 'user'
  if (kind === undefined && accountId !== undefined) return 'server'
  const answer = kind ?? await ask?.('Kind of app: "server" (an app of an account that you administer) or "user" (you sign in by browser)', known) ?? known
  if (!isKind(answer)) throw new UsageError(`setup zoom --kind ${oneLine(answer)}: expected server or user`)
  return answer
}

async function setupServer(config: Config, options: Options, ask: Ask, signal: AbortSignal): Promise<number> {
  const {zoom} = config.meetings
  const value = async (option: string | undefined, question: string, preset: string, name: string): Promise<string> => {
    const answer = option ?? await ask?.(question, preset) ?? preset
    if (answer === '') throw new UsageError(`setup zoom needs ${name}`)
    return answer
  }
  if (ask) say('In marketplace.zoom.us, Develop, Build App, make a "Server-to-Server OAuth" app with the scopes meeting:write:meeting:admin and meeting:read:list_meetings:admin, and activate it.')
  const accountId = await value(options.accountId, 'Account id', zoom.account_id, '--account-id ID')
  const clientId = await value(options.clientId, 'Client id', zoom.client_id, '--client-id ID')
  const given = process.env['TINYAGENT_ZOOM_PASSWORD']
  const secret = given || (ask ? await prompt('Client secret', {isHidden: true}, signal) : await firstLine())
  if (!secret) throw new UsageError('There is no secret: type it, give it on standard input, or in TINYAGENT_ZOOM_PASSWORD. Nothing was changed')
  return keepSecret(config, {
    what: 'secret', ...(!given && {keep: () => writeSecret('zoom', secret, config)}), host: 'zoom.us',
    check: async stop => { await appTokens({accountId, clientId, secret: async () => secret}).token(stop); return undefined },
    keys: [
      ['meetings.zoom.account_id', JSON.stringify(accountId)], ['meetings.zoom.client_id', JSON.stringify(clientId)],
      ...authKey(config, 'server'), ['meetings.provider', 'zoom'],
    ],
  }, signal)
}

/** The sign-in itself is the proof: no meeting is made for a check. */
async function setupUser(config: Config, {clientId: id, device = false}: Options, ask: Ask, signal: AbortSignal): Promise<number> {
  if (ask) say('In marketplace.zoom.us, Develop, Build App, make a "General App" that is user-managed, with the redirect http://127.0.0.1 and the scopes meeting:write:meeting and meeting:read:list_meetings; switch "Use Public Client OAuth" on and copy the public client id.')
  const signedIn = await signIn(config, {name: 'zoom', purpose: 'meetings', id, device, isTerminal: ask !== undefined, signal})
  return written(config, {what: 'sign-in', keep: () => signedIn.keep(['zoom']), keys: [...authKey(config, 'user'), ['meetings.provider', 'zoom']]})
}

const authKey = ({meetings: {zoom}}: Config, auth: Kind): [string, string][] => zoom.auth === auth ? [] : [['meetings.zoom.auth', JSON.stringify(auth)]]
