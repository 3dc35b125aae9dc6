// `tinyagent setup meet`: a sign-in at Google for rooms of Google Meet; nothing is written before Google has shown that it works.
import {z} from 'zod'
import type {Prompter} from '../core/types.ts'
import {checkMeet, meetHost} from '../tools/zoom/google-meet.ts'
import {written} from './keep-secret.ts'
import {tried} from './prompt.ts'
import type {Session} from './session.ts'
import {signIn} from './sign-in.ts'

const optionsSchema = z.object({address: z.string().optional(), client: z.string().optional(), device: z.boolean().optional()})

export async function setupMeet({config, configError}: Session, own: Record<string, unknown>, prompter: Prompter, signal: AbortSignal): Promise<number> {
  if (configError) throw configError
  const {address, client, device = false} = optionsSchema.parse(own)
  const signedIn = await signIn(config, {name: 'google', purpose: 'meetings', address, device, file: client, prompter, signal})
  if (!signedIn) return 1
  const {access} = signedIn.tokens
  const isTaken = await tried(prompter, async () => {
    await prompter.progress(`Asking ${meetHost}`, stop => checkMeet({token: async () => access, forget: () => undefined}, stop))
    return true
  })
  if (!isTaken) return 1
  return written(config, {what: 'sign-in', keep: () => signedIn.keep(['meet']), keys: [...signedIn.keys, ['meetings.provider', 'meet']]}, prompter)
}
