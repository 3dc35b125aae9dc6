// Mail: new mails, replies and forwards.
import {z} from 'zod'
import {arg} from '../../core/params.ts'
import type {ToolSpec} from '../../core/types.ts'

export const composeNewEmail = {
  name: 'compose_new_email',
  description: 'Write and send a new email.',
  args: z.object({
    recipients: z.array(arg.address()),
    cc: z.array(arg.address()),
    subject: arg.title(),
    context: arg.text(),
    attachments: z.array(arg.path()),
  }),
  effect: 'outward',
  returns: 'none',
} satisfies ToolSpec

export const replyToEmail = {
  name: 'reply_to_email',
  description: 'Reply to the open email.',
  args: z.object({cc: z.array(arg.address()), context: arg.text(), attachments: z.array(arg.path())}),
  effect: 'outward',
  returns: 'none',
} satisfies ToolSpec

export const forwardEmail = {
  name: 'forward_email',
  description: 'Forward the open email.',
  args: z.object({
    recipients: z.array(arg.address()),
    cc: z.array(arg.address()),
    context: arg.text(),
    attachments: z.array(arg.path()),
  }),
  effect: 'outward',
  returns: 'none',
} satisfies ToolSpec

export const mailSpecs: ToolSpec[] = [composeNewEmail, replyToEmail, forwardEmail]
