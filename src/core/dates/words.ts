// The user's words about time in one spelling: lower case, digits for number words, whole names for
// abbreviations, typing slips mended. Everything after this file works on that spelling.

export const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']
export const months = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december']

const units: Record<string, number> = {
  one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10, eleven: 11, twelve: 12,
  thirteen: 13, fourteen: 14, fifteen: 15, sixteen: 16, seventeen: 17, eighteen: 18, nineteen: 19,
}
const tens: Record<string, number> = {twenty: 20, thirty: 30, forty: 40, fourty: 40, fifty: 50, sixty: 60, ninety: 90}
const ordinals: Record<string, number> = {
  first: 1, second: 2, third: 3, fourth: 4, fifth: 5, sixth: 6, seventh: 7, eighth: 8, ninth: 9, tenth: 10, eleventh: 11,
  twelfth: 12, thirteenth: 13, fourteenth: 14, fifteenth: 15, sixteenth: 16, seventeenth: 17, eighteenth: 18,
  nineteenth: 19, twentieth: 20, thirtieth: 30,
}

const aliases: Record<string, string> = {
  tomoz: 'tomorrow', tomoro: 'tomorrow', tmrw: 'tomorrow', tmr: 'tomorrow', tmw: 'tomorrow', tmrow: 'tomorrow', tomo: 'tomorrow', '2moro': 'tomorrow', '2morrow': 'tomorrow', '2mrw': 'tomorrow',
  tonite: 'tonight', '2nite': 'tonight', '2night': 'tonight', '2day': 'today', wkend: 'weekend', midday: 'noon', noontime: 'noon', lunchtime: 'noon',
  arvo: 'afternoon', xmas: 'christmas', nye: 'new years eve', thru: 'through',
  mon: 'monday', tue: 'tuesday', tues: 'tuesday', wed: 'wednesday', weds: 'wednesday', thu: 'thursday', thur: 'thursday', thurs: 'thursday',
  fri: 'friday', sat: 'saturday', sun: 'sunday',
  jan: 'january', feb: 'february', mar: 'march', apr: 'april', jun: 'june', jul: 'july', aug: 'august', sep: 'september', sept: 'september',
  oct: 'october', nov: 'november', dec: 'december',
  sec: 'seconds', secs: 'seconds', minute: 'minutes', min: 'minutes', mins: 'minutes', hour: 'hours', hr: 'hours', hrs: 'hours', day: 'days', week: 'weeks', wk: 'weeks', wks: 'weeks',
  month: 'months', year: 'years', yr: 'years', yrs: 'years', fortnights: 'fortnight',
  eod: 'end of days', cob: 'end of days', eob: 'end of days', eow: 'end of the weeks', eom: 'end of the months', eoy: 'end of the years', till: 'until', til: 'until',
}

/** Words long enough that a slip in them is still told apart. */
const mendable = [...weekdays, ...months.filter(m => m.length > 4), 'tomorrow', 'tonight', 'today', 'morning', 'afternoon', 'evening', 'midnight', 'minutes', 'quarter']
const correct = new Set([...mendable, ...Object.keys(units), ...Object.keys(tens), ...Object.keys(ordinals), ...Object.keys(aliases)])

/** Optimal string alignment: insertions, deletions, replacements, and neighbours swapped. */
function slips(a: string, b: string): number {
  const rows: number[][] = Array.from({length: a.length + 1}, (_, i) => [i])
  for (let j = 1; j <= b.length; j++) rows[0]![j] = j
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, rows[i - 2]![j - 2]! + 1)
      rows[i]![j] = best
    }
  }
  return rows[a.length]![b.length]!
}

/** "wendesday" -> "wednesday"; a word that is near none of ours stays. */
function mend(word: string): string {
  if (word.length < 5 || correct.has(word) || !/^[a-z]+$/.test(word)) return word
  const allowed = word.length >= 8 ? 2 : 1
  return mendable.find(w => w[0] === word[0] && Math.abs(w.length - word.length) <= allowed && slips(word, w) <= allowed) ?? word
}

/** Words around a time or a length that change neither. */
const hedges = /\b(?:(?:a|one|some) day (?=next|this)|or so|or thereabouts|(?:at )?(?:the )?(?:very )?latest|on the (?:dot|nose)|bang on|no later than|not before|on or(?= before| after)|at (?:the )?most|at least|no (?:more|longer) than|up to|max(?:imum)?|tops|ish)\b/g

const dayNames = '(?:mon|tue|wed|thu|fri|sat|sun)'

/** "5ish", "fivish", "half six-ish" -> "5", "five", "half six" */
function withoutIsh(token: string): string {
  const stem = token.slice(0, -3)
  if (!token.endsWith('ish')) return token
  return [stem, `${stem}e`].find(w => w in units || w in tens || w === 'noon' || w === 'midnight') ?? token
}

/** One spelling for all: "Tmrw at Half Past Two, p.m." -> "tomorrow at half past 2 pm". */
export function normalise(words: string): string {
  const spaced = words.replace(/(\d*) ?½/g, (_, n: string) => `${n || '0'}.5`).normalize('NFKC').toLowerCase()
    .replace(/[’‘`´]/g, "'")
    .replace(/[‐-―]/g, '-')
    // A dash between two times or two days is a word; between digits it may also be a date's.
    .replace(/(\d ?(?:[ap]\.?m\.?|st|nd|rd|th)|noon) ?- ?(?=\d|noon|midnight)/g, '$1 - ')
    .replace(new RegExp(`\\b(${dayNames}[a-z]*) ?- ?(?=${dayNames})`, 'g'), '$1 - ')
    .replace(/(?:\b(\d+) )?\b1\/2(?= (?:an )?h(?:ou)?rs?\b)/g, (_, n: string | undefined) => `${n ?? '0'}.5`)
    // "on 5.12." is a date, "at 5.12" a time
    .replace(/\b(\d{1,2})\.(1[0-2]|0?[1-9])\.(?=[\s,]|$)/g, '$1/$2')
    .replace(/(\d)'(?!\w)/g, '$1 minutes')
    .replace(/'(?=til\b)/g, '')
    .replace(/(\d)([ap])\b(?!\.)/g, '$1 $2m')
    .replace(/\b([ap])\.? ?m\b\.?/g, '$1m')
    .replace(/\bo'? ?clock\b/g, 'oclock')
    .replace(/'s\b(?: time\b)?/g, '')
    .replace(/(\d|noon|midnight) ?-?ish\b/g, '$1')
    .replace(/\b(?:close of (?:business|play)|end of (?:business|play|work\b(?! day)|(?:the )?(?:work(?:ing)?|business) day))\b/g, 'end of day')
    .replace(/\b(month|year)[ -]end\b/g, 'end of the $1')
    .replace(/\b(breakfast|lunch|tea|dinner|supper|bed) time\b/g, '$1time')
    .replace(/\bmid[- ]day\b/g, 'noon')
    .replace(/\bprior to\b/g, 'before')
    // Points and colons between digits are clocks and dates; everything else that is no letter or digit is a space.
    .replace(/(?<!\d)[.:]|[.:](?!\d)|[^\p{L}\p{N}.:/@'-]|(?<=\p{L})-|-(?=\p{L})/gu, ' ')
    .replace(/@/g, ' at ')
    .replace(hedges, ' ')
    .replace(/(\d)(am|pm|minutes|mins?|m|hours|hrs?|days|weeks)\b/g, '$1 $2')
  const out: string[] = []
  for (const slip of spaced.split(/\s+/).filter(Boolean)) {
    const token = withoutIsh(slip)
    const word = aliases[token] ?? aliases[mend(token)] ?? mend(token)
    const last = out[out.length - 1]
    const afterTens = last !== undefined && /^[2-9]0$/.test(last) && lastWasTens(out, spaced)
    if (word in tens) out.push(String(tens[word]))
    else if (word in units) {
      const n = units[word]!
      if (afterTens && n < 10) out[out.length - 1] = String(Number(last) + n)
      else out.push(String(n))
    } else if (word in ordinals) {
      const n = ordinals[word]!
      if (afterTens && n < 10) out[out.length - 1] = `${Number(last) + n}th`
      else out.push(`${n}th`)
    } else out.push(word.replace(/^(\d{1,2})(?:st|nd|rd|th)$/, '$1th'))
  }
  return out.join(' ')
    // "oh nine hundred", "sixteen hundred hours", "zero seven thirty"
    .replace(/\b(?:(?:oh|o|0|zero) )?(\d{1,2}) hundred(?: hours)?\b/g, (_, hour: string) => `${hour.padStart(2, '0')}00`)
    .replace(/\b(?:oh|zero) (\d) ([0-5]\d)\b/g, '0$1:$2')
    // "an hour and fifteen", "1 hr 30"
    .replace(/\bhours (?:and )?([1-5]?[05])$/, 'hours $1 minutes')
}

/** True when the number that ends `out` was typed as a word: "20 1" stays two numbers, "twenty one" is one. */
const lastWasTens = (out: string[], spaced: string): boolean => !spaced.split(/\s+/).includes(out[out.length - 1]!)
