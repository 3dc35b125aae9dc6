// Text messages.
import {z} from 'zod'
import {arg} from '../../core/params.ts'
import type {ToolSpec} from '../../core/types.ts'

export const sendSms = {
  name: 'send_sms',
  description: 'Send a text message.',
  args: z.object({recipients: z.array(arg.phone()), message: arg.text()}),
  effect: 'outward',
  returns: 'none',
} satisfies ToolSpec

export const smsSpecs: ToolSpec[] = [sendSms]
