// A plain mail from the user's own words: greeting, what they want said, their name. It says nothing that they did not.

export interface Addressee { name?: string | undefined }

export interface DraftInput {
  /** what the mail is to say; "" where it only carries a file */
  context: string
  to: Addressee[]
  /** the user's name; "" when it is not known */
  sender: string
}

/** Paragraphs with an empty line between them. Text of several lines (a note, a list) stays as it is. */
export function draft({context, to, sender}: DraftInput): string {
  const text = context.replace(/\r\n?/g, '\n').trim()
  const said = text.includes('\n') ? text : sentences(text)
  const {greeting, isFormal} = greet(to, said)
  const name = isFormal ? sender.trim() : firstName(sender)
  return [
    isGreeted(text) ? '' : greeting,
    said,
    !name || isSigned(text, sender) ? '' : isFormal && isEnglish(said) ? `Kind regards,\n${name}` : name,
  ].filter(Boolean).join('\n\n')
}

const isGreeted = (text: string): boolean => /^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|liebe[rs]?|bonjour|hola|ciao)\b(?:\s+\p{L}{1,5}\.)*[^\n.!?,]{0,40}[,!\n]/iu.test(text)

const isSigned = (text: string, sender: string): boolean => {
  const last = text.split('\n').at(-1)?.trim().toLowerCase()
  return text.includes('\n') && last !== undefined && (last === sender.trim().toLowerCase() || last === firstName(sender).toLowerCase())
}

const title = new RegExp('^(?:(?:Dr|Prof|Professor|Doctor|Mr|Mrs|Ms|Miss|Mx|Sir|Dame|Rev|Father|Sister|Herr|Frau|Madame|Monsieur|Mme|Maître|Señora?|Signora?|' +
  '(?:Warrant\\s+)?Officer|Sgt|Sergeant|Capt|Captain|Lt|Lieutenant|Maj|Major|Col|Colonel|Judge|Pastor|Rabbi|Imam|Bishop)\\.?\\s+)+')
const relation = /^(?:Uncle|Aunt|Auntie|Aunty|Grandma|Grandpa|Granny|Coach|Cousin)\s/
/** Groups and offices have no first name. */
const impersonal = /\b(?:team|office|support|department|desk|management|service|services|group|club|committee|company|school|hotel|bank|clinic|practice|studio|court|gallery|library|museum|university|hospital|restaurant|autohaus|council|association|agency|ltd|inc|gmbh|llc|all|list|staff)\b/i

const firstName = (name: string): string => name.trim().split(/\s+/)[0] ?? ''

/** The name as it is used with a title: "Osei" of "Kwame Osei", "van der Berg" of "Ana van der Berg". */
const familyName = (name: string): string => {
  const words = name.trim().split(/\s+/)
  const particle = words.findIndex((word, i) => i > 0 && /^\p{Ll}/u.test(word))
  return particle > 0 && particle < words.length - 1 ? words.slice(particle).join(' ') : words.at(-1) ?? ''
}

const isPersonal = (name: string | undefined): name is string =>
  name !== undefined && /^[\p{Lu}\p{Lo}]/u.test(name.trim()) && !/[@\p{C}<>]/u.test(name) && name.length <= 60 && !impersonal.test(name)

/** More people than this are not named one by one. */
const maxGreeted = 3

function greet(to: Addressee[], text: string): {greeting: string; isFormal: boolean} {
  const names = to.map(person => person.name?.replace(/\s+/g, ' ').trim()).filter(isPersonal)
  const formal = names.map(name => title.exec(name)?.[0])
  const isFormal = formal.some(found => found !== undefined)
  if (names.length < to.length || names.length === 0) return {greeting: to.length > 0 && isEnglish(text) ? to.length > 1 ? 'Hello all,' : 'Hello,' : '', isFormal}
  if (names.length > maxGreeted) return {greeting: isEnglish(text) ? 'Hello all,' : '', isFormal}
  const called = names.map((name, i) => {
    const held = formal[i]
    return held ? `${held.trim()} ${familyName(name.slice(held.length))}` : relation.test(name) || isFormal ? name : firstName(name)
  })
  const list = called.length > 1 ? `${called.slice(0, -1).join(', ')}${isEnglish(text) ? ' and ' : ', '}${called.at(-1)}` : called[0]
  // A name alone greets in every language.
  return {greeting: isEnglish(text) ? `${isFormal ? 'Dear' : 'Hi'} ${list},` : `${list},`, isFormal}
}

const englishWords = new Set(('the a an and or but of to in on at for from with by is are was were be been am it its this that these those i you he she we they me him her us them my your his our their ' +
  'do does did have has had will would can could should not no yes please thanks thank hi hello what when where who how why if so as about there here').split(' '))

/** Short texts and those with a frequent English word. */
const isEnglish = (text: string): boolean => {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? []
  return words.length < 3 || words.some(word => englishWords.has(word))
}

/** One line as sentences: what was said to the assistant about the mail goes, a capital and a full stop come. */
function sentences(line: string): string {
  if (line === '') return ''
  const text = isEnglish(line) ? direct(line).replace(/(?<![\p{L}\p{N}.'’])i(?=['’](?:m|ll|ve|d|s)\b|[\s,.!?;]|$)/gu, 'I') : line
  const isClosed = /[.!?…:;,)\]"'”’»\p{Extended_Pictographic}]$/u.test(text) || /(?:\S:\/\/|\S@)\S*$/.test(text)
  return `${capital(text)}${isClosed ? '' : '.'}`
}

/** "iPhone" and addresses keep their small letter. */
const capital = (text: string): string => /^\p{Ll}(?:\p{Ll}|['’\s,.!?;:-]|$)/u.test(text) && !/^\S*(?:@|:\/\/|\.\w)/.test(text) ? text[0]!.toUpperCase() + text.slice(1) : text

const subjects: Record<string, string> = {him: 'he', her: 'she', them: 'they'}
const subjectOf = (object = ''): string => subjects[object.toLowerCase()] ?? ''
const helping = 'can|could|will|would|may|might|should|is|are|was|were|has|have|had|does|do|did|needs|wants|knows'

/** What follows "that" in what is to be said, and not in "That works for me". */
const said = /^(?:say(?:ing)?\s+)?that\s+(?=(?:i|we|he|she|they|you|it|the|my|our|your|his|her|their|there)(?:['’]|\b))/i

/** "tell her she needs to bring the stove" -> "you need to bring the stove"; "ask him if he can come" -> "can you come?" */
function direct(line: string): string {
  const please = /^(?:please\s+)?/i.exec(line)?.[0].length ?? 0
  const rest = line.slice(please)
  const ordered = /^(?:tell|remind)\s+(him|her|them)\s+(not\s+)?to\s+(?=\S)/i.exec(rest)
  if (ordered) return `please ${ordered[2] ? "don't " : ''}${toYou(rest.slice(ordered[0].length), subjectOf(ordered[1]))}`
  const told = /^(?:(?:tell|remind)\s+(him|her|them)|let\s+(him|her|them)\s+know)\s+(?:that\s+)?(?!about\b|of\b)(?=\S)/i.exec(rest)
  if (told) return toYou(rest.slice(told[0].length), subjectOf(told[1] ?? told[2]))
  const asked = new RegExp(`^ask\\s+(him|her|them)\\s+(?:if|whether|(when|where|what|why|how))\\s+(he|she|they|we|i)\\s+(${helping})\\b([^.!?]*)[.!?]?(.*)$`, 'is').exec(rest)
  if (asked) {
    const [, whom = '', what = '', who = '', verb = '', end = '', after = ''] = asked
    const isThem = subjectOf(whom) === who.toLowerCase()
    const form = isThem ? plain(verb.toLowerCase()) : verb.toLowerCase()
    const subject = isThem ? 'you' : who.toLowerCase() === 'i' ? 'I' : who.toLowerCase()
    const question = /^(?:need|want|know)s?$/.test(form) ? `${isThem || subject === 'I' || subject === 'we' ? 'do' : 'does'} ${subject} ${plain(form)}` : `${form} ${subject}`
    return `${what && `${what.toLowerCase()} `}${question}${end.trimEnd()}?${after}`
  }
  const bidden = /^ask\s+(him|her|them)\s+to\s+([^.!?]+)[.!?]?(.*)$/is.exec(rest)
  if (bidden) return `could you ${toYou(bidden[2]?.trimEnd() ?? '', subjectOf(bidden[1]))}?${bidden[3]}`
  // Turned round a question of any form could go wrong; asked like this none does.
  const wondered = /^ask\s+(?:(him|her|them)\s+)?(?=(?:if|whether|when|where|what|which|who|whose|why|how)\s)/i.exec(rest)
  if (wondered) return `I would like to ask ${toYou(rest.slice(wondered[0].length), subjectOf(wondered[1]))}`
  const words = said.exec(line)
  return words ? line.slice(words[0].length) : line
}

const kin = /\b(?:mother|father|mum|mom|dad|sister|brother|son|daughter|wife|husband|partner|boss|friend|neighbou?r|colleague|child|kid|boy|girl|man|woman|doctor|teacher|guy|aunt|uncle|cousin)\b/i

/** Whether "she" or "his" after this text may speak of somebody else than the one who is told: a name or a relative stands in it. */
const namesOther = (text: string): boolean =>
  kin.test(text) || (text.match(/\b\p{Lu}[\p{L}'’]*/gu) ?? []).some(word => !englishWords.has(word.toLowerCase().replace(/['’].*$/, '')))

/** What a word like "her" may stand before and be "you", not "your". */
const noNoun = /^\s*(?:$|[.,;:!?)]|(?:to|at|in|on|for|from|with|by|of|about|that|if|when|and|or|but|as|after|before|because|so|a|an|the|my|our|this|these|those|again|today|tomorrow|tonight|now|soon|later|back|up|out|off|too|there|here|how|what|where|why|his|her|your)\b)/i

const adverb = '(?:always|never|also|just|still|only|really|usually|often|sometimes|already)\\s+'
const forms: Record<string, string> = {he: 'him|himself|his', she: 'her|herself|hers'}
const perfect = /^\s+(?:got|been|had|won|sent|seen|forgotten|left)\b/i

/** The person told is "you", as long as the text has named nobody else. Of "they" only the first is surely the people told. */
function toYou(text: string, subject: string): string {
  if (!subject) return text
  const isMany = subject === 'they'
  const pattern = isMany
    ? new RegExp(`^(they)(?:['’](re|ll|ve|d)\\b|(\\s+(?:${adverb})?)([\\p{L}'’]+))|^(their)\\b`, 'iu')
    : new RegExp(`\\b(${subject})\\b(?:['’](s|ll|ve|d)\\b|(\\s+(?:${adverb})?)([\\p{L}'’]+))?|\\b(${forms[subject]})\\b`, 'giu')
  return text.replace(pattern, (match: string, who: string | undefined, short: string | undefined, between: string | undefined, verb: string | undefined, object: string | undefined, at: number) => {
    if (namesOther(text.slice(0, at))) return match
    const after = text.slice(at + match.length)
    if (who) return short ? `you'${short === 's' ? perfect.test(after) ? 've' : 're' : short}` : `you${between ?? ''}${verb ? plain(verb) : ''}`
    const word = object?.toLowerCase() ?? ''
    return word.endsWith('self') ? 'yourself' : word === 'hers' ? 'yours' : word === 'him' || (word === 'her' && noNoun.test(after)) ? 'you' : 'your'
  })
}

const irregular: Record<string, string> = {is: 'are', was: 'were', has: 'have', does: 'do', goes: 'go', "doesn't": "don't", "isn't": "aren't", "wasn't": "weren't", "hasn't": "haven't"}
const unchanged = new Set(['always', 'perhaps', 'sometimes', 'this', 'his', 'us', 'thus'])

/** The verb as it stands after "you". */
const plain = (verb: string): string => irregular[verb.toLowerCase()] ?? (unchanged.has(verb.toLowerCase()) ? verb
  : verb.replace(/([^aeiou])ies$/, '$1y').replace(/(ss|sh|ch|x|z)es$/, '$1').replace(/([^s'’])s$/, '$1'))
