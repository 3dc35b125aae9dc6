// The user's standing rules on what may leave without asking: `confirm.rules` in the config, one line each, in order.
//   allow send_sms to Mom                      ask compose_new_email outside @work.org
//   allow anything to @work.org on weekdays    ask anything over 5      allow send_sms to Mom between 08:00 and 20:00
// Closed by default: a call goes unasked when an `allow` rule fits all of it and no `ask` rule fits any of it. What cannot be told
// (who a tool of others writes to, a name that means two people) fits no `allow` and every `ask`.
import {UsageError} from './errors.ts'

export interface Rule {
  word: 'allow' | 'ask'
  /** undefined: anything */
  tool?: string
  /** names, addresses, numbers or "@domain": all recipients are among them (allow), one is (ask) */
  to?: string[]
  /** for `ask`: one recipient is not among them */
  outside?: string[]
  /** for `ask`: more recipients than this */
  over?: number
  /** minutes of the day, from and to; over midnight where the first is later */
  between?: [number, number]
  /** days of the week, Sunday 0 */
  days?: number[]
}

export interface Call {
  tool: string
  /** addresses and numbers; undefined where nobody can tell */
  recipients?: string[]
  now: Date
}

/** All addresses and numbers of a person; undefined where the name is nobody's or several people's. */
export type ChannelsOf = (name: string) => Promise<string[] | undefined>

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const dayNames: Record<string, number[]> = {
  weekdays: [1, 2, 3, 4, 5], weekends: [0, 6],
  ...Object.fromEntries(weekdays.flatMap((day, i) => [[day, [i]], [`${day}s`, [i]], [day.slice(0, 3), [i]]])),
}
const parts = new Set(['to', 'outside', 'over', 'between', 'on'])
const example = 'e.g. "allow send_sms to Mom" or "ask anything outside @work.org"'

/** Throws UsageError with what would be right. A name with one of the words of the language in it stands in quotes. */
export function parseRule(text: string): Rule {
  const fail = (reason: string): never => { throw new UsageError(`the rule "${text.trim()}": ${reason}; ${example}`) }
  const tokens = [...text.matchAll(/"([^"]*)"|([^\s,]+)|(,)/g)].map(m => ({text: m[1] ?? m[2] ?? 'or', isQuoted: m[1] !== undefined}))
  const [word, tool, ...rest] = tokens.map(t => t.isQuoted ? {...t, keyword: ''} : {...t, keyword: t.text.toLowerCase()})
  if (word?.keyword !== 'allow' && word?.keyword !== 'ask') return fail('begins with allow or ask')
  if (!tool || !/^[A-Za-z_][\w.-]*$/.test(tool.text) || parts.has(tool.keyword)) return fail('names a tool, or "anything"')
  const rule: Rule = {word: word.keyword, ...(tool.keyword !== 'anything' && {tool: tool.text})}
  for (let at = 0; at < rest.length;) {
    const part = rest[at]!.keyword
    if (!parts.has(part)) fail(`"${rest[at]!.text}" is none of ${[...parts].join(', ')}`)
    const end = rest.findIndex((t, i) => i > at && parts.has(t.keyword))
    const words = rest.slice(at + 1, end < 0 ? rest.length : end)
    at = end < 0 ? rest.length : end
    if (part === 'to' || part === 'outside') rule[part] = people(words) ?? fail(`"${part}" needs a name, an address, a number or @domain`)
    else if (part === 'over') rule.over = /^\d{1,3}$/.test(words[0]?.text ?? '') && (words.length === 1 || /^(?:recipients|people)$/.test(words[1]!.keyword)) ? Number(words[0]!.text) : fail('"over" needs a number')
    else if (part === 'between') rule.between = span(words.map(w => w.keyword)) ?? fail('"between" needs two times: between 09:00 and 18:00')
    else rule.days = days(words.map(w => w.keyword)) ?? fail('"on" needs weekdays, weekends or days: on Mon or Tue')
  }
  if (rule.word === 'allow' && (rule.outside || rule.over !== undefined)) fail('outside and over are for rules that ask')
  return rule
}

function people(words: {text: string; keyword: string}[]): string[] | undefined {
  const names: string[] = ['']
  for (const w of words) {
    if (w.keyword === 'or') names.push('')
    else names[names.length - 1] = `${names.at(-1)} ${w.text}`.trim()
  }
  return names.some(n => n === '' || n === '@') ? undefined : names
}

function span([from = '', and, to = '', ...rest]: string[]): [number, number] | undefined {
  const [a, b] = [from, to].map(time => {
    const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(time) ?? []
    return hour === undefined ? undefined : Number(hour) * 60 + Number(minute)
  })
  return and === 'and' && rest.length === 0 && a !== undefined && b !== undefined ? [a, b] : undefined
}

function days(words: string[]): number[] | undefined {
  const named = words.filter(w => w !== 'or' && w !== 'and').map(w => dayNames[w])
  return named.length === 0 || named.some(d => d === undefined) ? undefined : named.flatMap(d => d ?? [])
}

/** One form of an address or a number for each of the ways to write it. */
const same = (channel: string): string => channel.includes('@') ? channel.trim().toLowerCase() : channel.replace(/[^\d+]/g, '')

/** True, false, or undefined where the name cannot be told. */
async function isAmong(recipient: string, who: string, channelsOf: ChannelsOf): Promise<boolean | undefined> {
  if (who.startsWith('@')) return recipient.toLowerCase().endsWith(who.toLowerCase())
  if (who.includes('@') || /^\+?[\d\s().-]{3,}$/.test(who)) return same(recipient) === same(who)
  const channels = await channelsOf(who)
  return channels?.some(c => same(c) === same(recipient))
}

async function isAmongAny(recipient: string, list: string[], channelsOf: ChannelsOf): Promise<boolean | undefined> {
  const each = await Promise.all(list.map(who => isAmong(recipient, who, channelsOf)))
  return each.includes(true) ? true : each.includes(undefined) ? undefined : false
}

function isNow({between, days}: Rule, now: Date): boolean {
  if (days && !days.includes(now.getDay())) return false
  if (!between) return true
  const [from, to] = between
  const minute = now.getHours() * 60 + now.getMinutes()
  return from <= to ? minute >= from && minute <= to : minute >= from || minute <= to
}

async function fits(rule: Rule, {tool, recipients, now}: Call, channelsOf: ChannelsOf): Promise<boolean> {
  if ((rule.tool !== undefined && rule.tool !== tool) || !isNow(rule, now)) return false
  const among = (list: string[]): Promise<(boolean | undefined)[]> => Promise.all((recipients ?? []).map(r => isAmongAny(r, list, channelsOf)))
  if (rule.word === 'allow') {
    if (!rule.to) return true
    return recipients !== undefined && recipients.length > 0 && (await among(rule.to)).every(is => is === true)
  }
  if (recipients === undefined) return true
  if (rule.over !== undefined && recipients.length <= rule.over) return false
  if (rule.to && !(await among(rule.to)).some(is => is !== false)) return false
  return !rule.outside || (await among(rule.outside)).some(is => is !== true)
}

/** What the rules say of a call: the number of the deciding rule from 1, and its word. `undefined`: none fits, so it is asked about. */
export async function decide(rules: string[], call: Call, channelsOf: ChannelsOf): Promise<{word: 'allow' | 'ask'; number: number} | undefined> {
  let allowed: number | undefined
  for (const [i, text] of rules.entries()) {
    const rule = parseRule(text)
    if (!await fits(rule, call, channelsOf)) continue
    if (rule.word === 'ask') return {word: 'ask', number: i + 1}
    allowed ??= i + 1
  }
  return allowed === undefined ? undefined : {word: 'allow', number: allowed}
}
