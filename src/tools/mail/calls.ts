// What is kept of a call between its preview and its run, so that what goes is what was shown: also when another mail
// comes in, or the user's words were edited, in between.
import {ToolError} from '../../core/errors.ts'
import type {ToolContext} from '../../core/types.ts'
import type {Attachment} from './attachments.ts'
import type {MailBackend, OpenMail} from './mail.ts'
import type {Message} from './message.ts'

/** A mail before its bytes: what `preview` shows and `run` sends. `about`: the mail that it answers or passes on. */
export interface Built { message: Message; attachments: Attachment[]; notices: string[]; about?: OpenMail }

interface Call {
  /** the user's words as the plan had them */
  context?: string
  mail?: OpenMail
  shown?: {args: string; built: Built}
}

/** A call that is skipped is never forgotten by name, so the oldest go; a plan has fewer mails. */
const maxCalls = 32

export function callMemory() {
  const calls = new Map<string, Call>()
  const of = (key: string): Call => {
    const call = calls.get(key) ?? {}
    calls.delete(key)
    calls.set(key, call)
    for (const oldest of calls.keys()) if (calls.size > maxCalls) calls.delete(oldest)
    return call
  }
  return {
    /** The mail that was open when the call was first looked at. */
    async mail(key: string, backend: MailBackend): Promise<OpenMail> {
      const call = of(key)
      call.mail ??= await backend.openMail()
      if (!call.mail) throw new ToolError('not-found', 'No mail is open and the inbox is empty. Choose one with --mail FILE, or with /mail.')
      return call.mail
    },
    /** The text of a mail: made from the user's words, and after an edit in the dialog exactly what the user left there. */
    async text(key: string, context: string, make: () => Promise<string>): Promise<string> {
      const call = of(key)
      call.context ??= context
      return context === call.context ? make() : context
    },
    async show<A>(make: (args: A, context: ToolContext) => Promise<Built>, args: A, context: ToolContext): Promise<Built> {
      const built = await make(args, context)
      of(context.key).shown = {args: JSON.stringify(args), built}
      return built
    },
    /** What `show` made of the same arguments; made now where nothing was shown. */
    async shown<A>(make: (args: A, context: ToolContext) => Promise<Built>, args: A, context: ToolContext): Promise<Built> {
      const {shown} = of(context.key)
      return shown?.args === JSON.stringify(args) ? shown.built : make(args, context)
    },
    forget: (key: string): void => void calls.delete(key),
  }
}
