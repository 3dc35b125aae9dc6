// `tinyagent setup meet`: a sign-in at Google for rooms of Google Meet; nothing is written before Google has shown that it works.
import {z} from 'zod'
import {checkMeet, meetHost} from '../tools/zoom/google-meet.ts'
import {keepSecret} from './keep-secret.ts'
import type {Session} from './session.ts'
import {signIn} from './sign-in.ts'

const optionsSchema = z.object({address: z.string().optional(), client: z.string().optional(), device: z.boolean().optional()})

export async function setupMeet({config, configError}: Session, own: Record<string, unknown>, signal: AbortSignal): Promise<number> {
  if (configError) throw configError
  const {address, client, device = false} = optionsSchema.parse(own)
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
  const signedIn = await signIn(config, {name: 'google', purpose: 'meetings', address, device, file: client, isTerminal, signal})
  return keepSecret(config, {
    what: 'sign-in', keep: () => signedIn.keep(['meet']), host: meetHost,
    check: async stop => { await checkMeet({token: async () => signedIn.tokens.access, forget: () => undefined}, stop); return undefined },
    keys: [['meetings.provider', 'meet']],
  }, signal)
}
