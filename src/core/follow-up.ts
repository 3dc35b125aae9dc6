// A follow-up and the last request -> one request that stands by itself ("make it 4" after "lunch with Ana tomorrow at 3" is
// "lunch with Ana tomorrow at 4"). The planner never saw a conversation, so what it gets is a request as it knows them.
// Every rule asks for words that make no request alone; what none of them takes stands by itself. Never throws.
import {retimed, timesIn} from './follow-up-times.ts'
import type {Task} from './types.ts'

/** The last request, as it was understood, and the calls of its plan. */
export interface Turn { text: string; tasks: Task[] }

/** `isChange`: calls that differ from those of the last request stand in their place; otherwise they come on top. */
export interface FollowUp { text: string; isChange: boolean }

/** undefined: the input is a request of its own. */
export function followUp(input: string, last: Turn): FollowUp | undefined {
  const said = input.normalize('NFC').replace(/[’‘]/g, "'").replace(/\s+/g, ' ').trim().replace(/[.!?]+$/, '')
  if (last.tasks.length === 0 || said === '' || said.length > maxLength) return undefined
  return correction(said, last) ?? addition(said, last)
}

const maxLength = 200

// ---- what the last request was about ----

const messages = ['send_sms', 'compose_new_email']
const mails = ['compose_new_email', 'reply_to_email', 'forward_email']
const meetings = ['create_calendar_event', 'get_zoom_meeting_link']
const timed = [...meetings, 'create_reminder']
const lists = ['append_note_content', 'create_note']
const has = ({tasks}: Turn, tools: string[]): boolean => tasks.some(t => tools.includes(t.tool))
const firstOf = ({tasks}: Turn, tools: string[]): Task | undefined => tasks.find(t => tools.includes(t.tool))
const words = (task: Task | undefined, index: number): string => { const arg = task?.args[index]; return typeof arg === 'string' ? arg.trim() : '' }
const unique = (texts: string[]): string[] => texts.filter((t, i) => t !== '' && texts.findIndex(u => u.toLowerCase() === t.toLowerCase()) === i)

/** Everybody who was looked up, as the request calls them. */
const people = ({tasks}: Turn): string[] => unique(tasks.filter(t => t.tool === 'get_phone_number' || t.tool === 'get_email_address').map(t => words(t, 0)))
const places = ({tasks}: Turn): string[] => unique(tasks.flatMap(t => t.tool === 'maps_open_location' ? [words(t, 0)] : t.tool === 'maps_show_directions' ? [words(t, 1)] : t.tool === 'create_calendar_event' ? [words(t, 3)] : []))

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
/** undefined where the text does not have it. */
function swap(text: string, from: string, to: string, before = ''): string | undefined {
  const pattern = new RegExp(String.raw`${before}(?<![\p{L}\p{N}])${literally(from)}(?![\p{L}\p{N}])`, 'giu')
  return pattern.test(text) ? text.replace(pattern, () => to) : undefined
}

/** "my brother Tomasz" and "the landlord" are replaced as a whole. */
const swapPerson = (text: string, from: string, to: string): string | undefined =>
  swap(text, from, to, /^\p{Lu}/u.test(from) ? String.raw`(?:\b(?:my|our) \p{Ll}+ )?` : String.raw`(?:\b(?:my|our|the) )?`)

// ---- names as they are typed ----

const oneName = String.raw`(?:(?:Dr|Mr|Mrs|Ms|Prof)\.? )?\p{Lu}[\p{L}'-]*(?: \p{Lu}[\p{L}'-]*){0,2}|(?:my|the|our) \p{Ll}+(?: (?:team|group|committee|department|crew|club))?|\S+@\S+\.\S+|\+?\d[\d -]{6,}\d`
const someNames = String.raw`(?:${oneName})(?:(?:, and |, | and | & )(?:${oneName}))*`
const onlyNames = new RegExp(`^(?:${someNames})$`, 'u')
const names = (text: string): string | undefined => onlyNames.test(text) && timesIn(text) === undefined && !asks.test(text) ? text : undefined

/** How requests begin. */
const asks = /^(?:remind|text|sms|message|e?-?mail|send|call|ring|phone|schedule|book|set|add|create|make|note|write|reply|answer|forward|find|open|show|summari[sz]e|what|who|where|when|which|how|why|get|give|tell|invite|plan|block|append|save|jot|attach|ask|let|look|is|are|do|does|did|can|could|will|would|should|may|directions?|navigate|take|play|turn|buy|order|delete|cancel|remove|move|search|check|read|draft|put)\b/i

// ---- corrections ----

const fillers = /^(?:(?:oh|ah|hm+|er|um|uh|ok|okay|well|please)\b[,.!…]*\s*)+/i
const marks = /^(?:no+(?:pe)?(?=[,.!;:—–]| wait| sorry| make| i mean| not\b| actually| -)|(?:no )?wait|sorry|oops|whoops|hang on|hold on|actually|correction|rather|my mistake|i meant?(?: to say)?|(?:what|how) about)(?:[,.!;:—–-]+\s*|\s+)/i
const sets = /^(?:(?:let's|let us|can you|could you|please|better|just) )*(?:make|change|move|shift|push|set|reschedule) (?:it|that|this)(?: (?:back|forward|over))?(?: (?:to|for|on|at|until))?\s+/i
const notThisBut = new RegExp(`^not (?:to |with |for )?(${oneName}),?(?: but)? (?:to |with |for )?(${oneName})$`, 'u')
const atPlace = new RegExp(`^(?:at|in) (?:the )?(${oneName})$`, 'u')
const ends = /(?:,? (?:instead|rather|after all))(?:,? please)?$/i

function correction(said: string, last: Turn): FollowUp | undefined {
  let rest = said.replace(fillers, '')
  let isMarked = false
  for (let next = rest.replace(marks, ''); next !== rest; next = rest.replace(marks, '').replace(fillers, '')) { rest = next; isMarked = true }
  const isSet = sets.test(rest)
  const isEnded = ends.test(rest)
  const value = rest.replace(sets, '').replace(ends, '').replace(/,? please$/i, '').trim()
  if (value === '') return undefined
  const changed = (text: string | undefined): FollowUp | undefined => text === undefined ? undefined : {text, isChange: true}

  const times = timesIn(value)
  if (times) return changed(retimed(last.text, times, has(last, timed)) ?? (isMarked || isSet || isEnded ? `${last.text}, no wait, ${value}` : undefined))
  // "Saturday, not Friday"
  const [, after, before] = /^(.+?),? (?:and )?not (.+)$/i.exec(value) ?? []
  if (after !== undefined && before !== undefined && timesIn(after) && timesIn(before)) return changed(swap(last.text, before, after))
  const [, wrong, right] = notThisBut.exec(value) ?? []
  if (wrong !== undefined && right !== undefined) return changed(swapPerson(last.text, wrong, right))
  const place = atPlace.exec(value)?.[1]
  if (place !== undefined && has(last, ['create_calendar_event']) && places(last).length === 0) return changed(`${last.text} ${value}`)
  if (!isMarked && !isSet && !isEnded) return undefined
  const name = names(value.replace(/^(?:to|with|for|at|in) /, ''))
  if (name !== undefined) {
    const known = [...people(last), ...places(last)]
    const swapped = known.length === 1 ? swapPerson(last.text, known[0]!, name) : undefined
    return changed(swapped ?? `${last.text}, no wait, ${value}`)
  }
  // "no, walking", "make it high priority": the planner knows such corrections within a request.
  const isShort = value.split(' ').length <= 6 && !/[:;,]/.test(value) && !pronoun.test(value)
  if (!isShort || asks.test(value)) return undefined
  if (isSet) return changed(`${last.text}, make it ${value}`)
  return isEnded || /^no\b/i.test(said.replace(fillers, '')) ? changed(`${last.text}, no wait, ${value}`) : undefined
}

// ---- additions ----

const pronoun = /\b(?:her|him|them|it|there|same)\b/i
const same = String.raw`(?:the same(?: thing| text| message| mail| email| one)?|it|that|this|them)`
const found = String.raw`(?:the (?:link|summary|number|address|directions|route|note|map|place|location|result))`
const channel = '(text|sms|message|e?-?mail|send|tell|write|ping)'
const someone = `(her|him|them|${someNames})`
const whole = (pattern: string): RegExp => new RegExp(`^${pattern}$`, 'iu')
const forms = {
  sendTheSame: whole(`${channel} ${someone} ${same}(?: again)?`),
  sendItTo: whole(`${channel} ${same} (?:on |over |along )?to ${someone}`),
  sendResultTo: whole(`${channel} ${found} (?:on |over |along )?to ${someone}`),
  sendResult: whole(`${channel} (her|him|them) ${found}`),
  sameFor: whole(`(?:do )?(?:the )?same (?:for|to|with) (${someNames})`),
  sameAt: whole('(?:do )?(?:the )?same (?:again )?(?:for |on |at )?(.+)'),
  tell: whole('((?:text|sms|message|e?-?mail|send|tell|ask|write|ping|let|forward (?:this|it) to) )(her|him|them)( .+)'),
  lookUp: whole("((?:what's|what is|find(?: me)?|get(?: me)?|give me|look up|i need) )(her|his|their)( (?:phone |mobile |cell )?(?:number|e?-?mail(?: address)?|address))"),
  goThere: whole('((?:show me |tell me |so )?how (?:do|can|would) (?:i|we) (?:get|go|drive|walk)|(?:(?:show|give|get|find) me )?(?:the )?(?:(?:walking |driving )?directions|way|route|walk|drive)|navigate|take me)(?: to)? there((?: (?:by|on|from) .*)?)'),
  withPeople: /^(?:(invite|add|include|cc|copy in|copy|loop in) |(to|with|for) )?(.+)$/i,
  remindAhead: whole('remind me (?:of (?:it|that|this) |about (?:it|that|this) )?(.*\\bbefore(?:hand)?|.*\\bahead)'),
  remindOfIt: whole('remind me (?:of|about) (?:it|that|this),? (.+)'),
  attach: whole('attach (?:the )?(\\S+\\.[a-z]\\w{1,4})'),
  keep: whole(`(?:put|add|save|keep|store) (?:${found}|it|that|this) (?:in|into|on|to|as) [^:"]+`),
  item: /^(?:add )?(\p{Ll}[\p{L}' -]*)$/u,
}

function addition(said: string, last: Turn): FollowUp | undefined {
  const polite = said.replace(fillers, '').replace(/^(?:can you|could you),? /i, '').replace(/,? please$/i, '')
  const bare = polite.replace(/^(?:(?:and|also|then|now|plus|please|can you|could you)\b,? ?)+/i, '').replace(/,? (?:too|as well|also)(?:,? please)?$/i, '').trim()
  if (bare === '') return undefined
  const isMore = bare.length < polite.length
  return toSomebody(bare, last) ?? again(bare, last) ?? lookUp(bare, last) ?? withPeople(bare, isMore, last) ?? withThings(bare, isMore, last)
}

const onTop = (text: string | undefined): FollowUp | undefined => text === undefined ? undefined : {text, isChange: false}
/** The planner writes the last request's calls again, with one more thing in them. */
const within = (text: string | undefined): FollowUp | undefined => text === undefined ? undefined : {text, isChange: true}

/** "send her the same", "text it to Ana", "text her that I'm late" */
function toSomebody(bare: string, last: Turn): FollowUp | undefined {
  const [, verb = '', who] = forms.sendTheSame.exec(bare) ?? forms.sendItTo.exec(bare) ?? []
  // "Text Ana that" says nothing yet; "text Ana the same" and "text it to Ana" do.
  const isNamed = /\bsame\b/i.test(bare) || forms.sendItTo.test(bare)
  const person = who !== undefined && (isPronoun(who) || isNamed) ? whoIs(who, last) : undefined
  if (person !== undefined) return onTop(sameTo(person, verb, last))

  const [, way = '', reader] = forms.sendResultTo.exec(bare) ?? forms.sendResult.exec(bare) ?? []
  const readerName = reader === undefined || has(last, messages) ? undefined : whoIs(reader, last)
  if (readerName !== undefined) return within(`${last.text} and ${way.toLowerCase()} it to ${readerName}`)

  const [, before = '', them = '', rest = ''] = forms.tell.exec(bare) ?? []
  // "Tell them by return" and "tell them back" are about the open mail.
  const told = them === '' || /^ (?:by return|back)\b/i.test(rest) ? undefined : whoIs(them, last)
  return onTop(told && `${before}${told}${rest}`)
}

/** "the same for Bo", "same on Friday" */
function again(bare: string, last: Turn): FollowUp | undefined {
  const person = names(forms.sameFor.exec(bare)?.[1] ?? '')
  const [only, ...others] = people(last)
  if (person !== undefined && only !== undefined && others.length === 0) return onTop(swapPerson(last.text, only, person))
  const times = timesIn(forms.sameAt.exec(bare)?.[1] ?? '')
  return onTop(times && has(last, timed) ? retimed(last.text, times, true) : undefined)
}

/** "what's her number", "how do I get there" */
function lookUp(bare: string, last: Turn): FollowUp | undefined {
  const [, ask = '', whose = '', what = ''] = forms.lookUp.exec(bare) ?? []
  const owner = whose === '' ? undefined : whoIs(/^their$/i.test(whose) ? 'them' : 'her', last)
  if (owner !== undefined) return onTop(`${ask}${owner}'s${what}`)
  const [, way, how = ''] = forms.goThere.exec(bare) ?? []
  const [place, ...others] = places(last)
  return onTop(way !== undefined && place !== undefined && others.length === 0 ? `${way} to ${place}${how}` : undefined)
}

/** "and invite Tom", "cc Bo too", "Bo as well", "and Bo's?" */
function withPeople(bare: string, isMore: boolean, last: Turn): FollowUp | undefined {
  const [, verb, to, rest = ''] = forms.withPeople.exec(bare) ?? []
  const asked = verb?.toLowerCase()
  if (asked === undefined && !isMore) return undefined
  const known = people(last)
  const owner = asked === undefined && to === undefined && rest.endsWith("'s") ? names(rest.slice(0, -2)) : undefined
  if (owner !== undefined && known.length === 1) return onTop(swapPerson(last.text, known[0]!, owner))
  const added = names(rest)
  if (added === undefined) return undefined
  if (asked !== undefined && /^(?:cc|copy|loop)/.test(asked)) return within(has(last, mails) ? `${last.text}, cc ${added}` : undefined)
  if (has(last, meetings)) {
    const isInvited = last.tasks.some(t => meetings.includes(t.tool) && t.dependsOn.length > 0)
    const person = isInvited ? known.at(-1) : undefined
    return within((person !== undefined ? swap(last.text, person, `${person} and ${added}`) : undefined) ?? `${last.text} and invite ${added}`)
  }
  return onTop(asked !== 'invite' && has(last, messages) ? sameTo(added, 'send', last) : undefined)
}

/** "remind me an hour before", "attach report.pdf", "save it as a note", "and milk" */
function withThings(bare: string, isMore: boolean, last: Turn): FollowUp | undefined {
  const meeting = firstOf(last, timed)
  const title = words(meeting, 0) || words(firstOf(last, ['compose_new_email']), 2)
  const when = words(meeting, 1)
  const ahead = forms.remindAhead.exec(bare)?.[1]
  if (ahead !== undefined && title !== '' && when !== '') return onTop(`remind me of ${title} ${ahead.replace(/\b(?:beforehand|ahead)$/i, 'before')} ${when}`)
  const later = forms.remindOfIt.exec(bare)?.[1]
  if (later !== undefined && title !== '') return onTop(timesIn(later) && `remind me of ${title} ${later}`)
  const file = forms.attach.exec(bare)?.[1]
  if (file !== undefined && has(last, mails)) return within(`${last.text} and attach ${file}`)
  if (forms.keep.test(bare)) return within(`${last.text} and ${bare}`)
  const item = forms.item.exec(bare)?.[1]
  const list = firstOf(last, lists)
  const isItem = item !== undefined && isMore && item.split(' ').length <= 4 && !asks.test(item) && !pronoun.test(item)
  return onTop(isItem && list && last.tasks.length === 1 ? `add ${item} to the note ${words(list, 0)}` : undefined)
}

const isPronoun = (word: string): boolean => /^(?:her|him|them)$/i.test(word)

/** The one that is meant; undefined where it may be several. */
function whoIs(word: string, last: Turn): string | undefined {
  if (!isPronoun(word)) return names(word)
  const known = people(last)
  if (/^them$/i.test(word)) return known.length > 1 ? known.join(' and ') : undefined
  return known.length === 1 ? known[0] : undefined
}

const texting = /\b(?:text|sms)\b/i
const mailing = /\b(?:e-?mail|mail)\b/i

/** What was said or found, to somebody else or by another way. */
function sameTo(person: string, verb: string, last: Turn): string | undefined {
  const sent = last.tasks.filter(t => messages.includes(t.tool))
  const [known, ...others] = people(last)
  if (sent.length === 0) return has(last, [...timed, 'get_phone_number', 'get_email_address', 'summarize_pdf', 'open_note', 'maps_open_location', 'maps_show_directions', 'open_and_get_file_path'])
    ? `${last.text} and ${verb.toLowerCase()} it to ${person}` : undefined
  const text = known !== undefined && others.length === 0 && sent.length === 1 ? swapPerson(last.text, known, person) : undefined
  if (text === undefined) return `${last.text} and ${verb.toLowerCase()} it to ${person} too`
  const isText = sent[0]!.tool === 'send_sms'
  return isText && mailing.test(verb) ? text.replace(texting, 'mail') : !isText && texting.test(verb) ? text.replace(mailing, 'text') : text
}
