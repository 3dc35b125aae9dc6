// The REPL's slash commands that only print: a name and what it answers.
import {configText} from './config.ts'
import {examplesAnswer} from './examples.ts'
import {instructionsAnswer, type SlashAnswer} from './instructions.ts'
import {logText, undoText} from './log.ts'
import {mcpAnswer, wordsOf, type Draft} from './mcp-content.ts'
import {modelsText} from './models.ts'
import {outboxAnswer, type OwnRun} from './outbox.ts'
import {policyAnswer} from './policy.ts'
import type {Ask} from '../core/types.ts'
import type {OpenMail} from '../tools/mail/mail.ts'
import type {Conversation} from './conversation.ts'
import type {Session} from './session.ts'

const daysAhead = 14
const mailsShown = 20

export function slashCommands(session: Session, conversation: Conversation): Record<string, (argument: string, signal: AbortSignal, ask: Ask) => Promise<SlashAnswer | OwnRun | Draft>> {
  const backends = async () => (await session.tools()).backends
  return {
    new: async () => { conversation.forget(); return 'The next request stands alone.' },
    log: async () => logText(session),
    undo: id => undoText(session, id || undefined, new AbortController().signal),
    config: async () => configText(session.config),
    model: async () => `${modelsText(session.config)}\nIn use: ${session.options.model || session.config.model.planner || 'the planner that comes with tinyagent'}`,
    instructions: argument => instructionsAnswer(session, argument),
    examples: argument => examplesAnswer(session, argument),
    outbox: argument => outboxAnswer(session, argument),
    mcp: (argument, signal, ask) => mcpAnswer(session, wordsOf(argument), signal, ask),
    policy: argument => policyAnswer(session, argument),
    calendar: async () => {
      const from = session.now()
      const to = new Date(from)
      to.setDate(to.getDate() + daysAhead)
      const events = await (await backends()).calendar.events(from, to)
      return events.length === 0
        ? `Nothing in the next ${daysAhead} days.`
        : events.map(e => `${e.start}${e.end && e.end !== e.start ? ` to ${e.end}` : ''}  ${e.title}${e.location ? `, ${e.location}` : ''}`).join('\n')
    },
    notes: async () => {
      const notes = await (await backends()).notes.list()
      return notes.length === 0 ? 'No notes yet.' : notes.map(n => n.folder ? `${n.folder}/${n.name}` : n.name).join('\n')
    },
    mail: async id => {
      const {mail} = await backends()
      if (id) return `Open now: ${title(await mail.open(id))}`
      const open = await mail.openMail()
      const list = (await mail.list()).slice(0, mailsShown).map(m => `${m.id}  ${m.from}: ${m.subject}`)
      return [...(list.length > 0 ? list : ['The inbox is empty.']), ...(open ? [`Open now: ${title(open)}`] : [])].join('\n')
    },
  }
}

const title = ({subject, from}: OpenMail): string => `${subject || '(no subject)'}, from ${from.map(p => p.name ?? p.address).join(', ')}`
