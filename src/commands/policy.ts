// The user's rules on what may leave without asking (core/policy.ts), with the contacts behind their names; `tinyagent policy` and /policy.
import {loadConfig, setKeys} from '../core/config.ts'
import {UsageError} from '../core/errors.ts'
import {paramsOf} from '../core/params.ts'
import {decide, parseRule} from '../core/policy.ts'
import {printable} from '../core/text.ts'
import type {Json, Preview, Tool, ToolSpec, Verdict} from '../core/types.ts'
import {readNumber} from '../tools/contacts/address.ts'
import type {Session} from './session.ts'

/** Whom a call reaches, by the kinds of its arguments; undefined for tools that are not ours and for what comes from the open mail. */
function recipientsOf(tool: ToolSpec, args: Record<string, Json>): string[] | undefined {
  const params = paramsOf(tool).filter(p => p.kind === 'address' || p.kind === 'phone')
  if (tool.foreign || params.length === 0 || tool.name === 'reply_to_email') return undefined
  return [...new Set(params.flatMap(p => [args[p.name] ?? []].flat()).flatMap(value => typeof value === 'string' ? value.split(',').map(one => one.trim()).filter(Boolean) : []))]
}

/** A word on the sources first: a standing rule is no word on what somebody else wrote, nor on what a model did. */
const isOthersText = ({sources = {}, fields, body}: Preview): boolean =>
  [...Object.values(sources), ...fields.map(field => field.source), body?.source].some(source => source === 'document' || source === 'model')

/** --yes is a word on this request; else `confirm.policy` and `confirm.rules` decide, and a rule that asks goes before one that allows. */
export async function verdict(tool: Tool, preview: Preview, args: Record<string, Json>, session: Session): Promise<Verdict> {
  const {config, options} = session
  if (options.yes) return {allowed: true}
  if (isOthersText(preview)) return {allowed: false}
  const {contacts} = (await session.tools()).backends
  const number = async (text: string): Promise<string> => text.includes('@') ? text : await readNumber(text, config.user.region) ?? text
  const recipients = recipientsOf(tool, args)
  const decision = await decide(config.confirm.rules, {
    tool: tool.name, now: session.now(), ...(recipients && {recipients: await Promise.all(recipients.map(number))}),
  }, async name => {
    const {contacts: found, isSure} = await contacts.find(name)
    if (!isSure || found.length !== 1) return undefined
    return Promise.all([...found[0]!.emails, ...found[0]!.phones].map(c => number(c.value)))
  })
  if (decision) return {allowed: decision.word === 'allow', rule: `rule ${decision.number}: ${config.confirm.rules[decision.number - 1]}`}
  return config.confirm.policy[tool.name] === 'allow' ? {allowed: true, rule: `confirm.policy.${tool.name}`} : {allowed: false}
}

export async function policyAnswer(session: Session, argument: string): Promise<string> {
  const {config} = session
  const {rules} = config.confirm
  const [, action = 'list', rest = ''] = /^(\S+)\s*(.*)$/.exec(argument.trim()) ?? []
  const save = async (changed: string[]): Promise<string> => {
    await setKeys(config, [['confirm.rules', JSON.stringify(changed)]])
    Object.assign(config, loadConfig(config.paths, config.file)) // the next request of a REPL goes by it
    return list(session)
  }
  switch (action) {
    case 'list': return list(session)
    case 'add': {
      const {tool} = parseRule(rest)
      const {tools} = await session.tools()
      if (tool !== undefined && !tools.some(t => t.name === tool)) throw new UsageError(`There is no tool "${tool}"; \`tinyagent tools\` lists them`)
      return save([...rules, rest.trim()])
    }
    case 'remove': {
      const n = Number(rest)
      if (!Number.isInteger(n) || n < 1 || n > rules.length) throw new UsageError(`Which rule? Its number, from 1 to ${rules.length}`)
      return save(rules.filter((_, i) => i !== n - 1))
    }
    default: throw new UsageError(`policy ${action}: there is list, add RULE and remove NUMBER`)
  }
}

function list({config}: Session): string {
  const allowed = Object.entries(config.confirm.policy).flatMap(([tool, word]) => word === 'allow' ? [`confirm.policy.${tool}: allow ${tool}`] : [])
  const rules = config.confirm.rules.map((rule, i) => `${i + 1}. ${rule}`)
  const all = [...rules, ...allowed]
  return all.length === 0
    ? 'There are no rules: every step that leaves the machine is asked about. `tinyagent policy add allow send_sms to Mom` adds one.'
    : `${all.join('\n')}\nWhat no rule allows is asked about; text of a document or mail, or by a writing model, always is.`
}

export async function policyCommand(words: string[], session: Session): Promise<number> {
  process.stdout.write(`${printable(await policyAnswer(session, words.join(' ')))}\n`)
  return 0
}
