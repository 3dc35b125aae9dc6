// Spoken numbers and times in figures, where a person would type figures: "twenty-five", "3 p.m.", "nine thirty", a telephone number
// said digit by digit. Small numbers in words stay ("two of them", "ten to four"): core/dates reads those as they are.

const units = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen']
const tens = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety']
const unit = units.slice(1, 10).join('|')
const ten = tens.slice(2).join('|')
const hour = units.slice(1, 13).join('|')

/** The value of a word below a hundred: "five", "twenty five". */
function small(words: string): number {
  return words.toLowerCase().split(/[ -]/).reduce((sum, word) => sum + Math.max(0, units.indexOf(word)) + 10 * Math.max(0, tens.indexOf(word)), 0)
}

export const withFigures = (text: string): string => withNumbers(withPhoneNumbers(withTimes(text)))

// --- times

const half = String.raw`\s?(?<half>[ap])\s?\.?\s?m\b(?<stop>\.?)`
const minuteWords = `(?:oh|o) (?:${unit})|(?:${ten})(?:[ -](?:${unit}))?|${units.slice(10).join('|')}`

function withTimes(text: string): string {
  const clock = (hours: number, minutes: number | undefined, {half, stop, found, tail}: Record<'half' | 'stop' | 'found' | 'tail', string>): string => {
    // The stop of "p.m." ends the sentence as well where nothing follows or a new one begins; that of "pm." always does.
    const isEnd = stop !== '' && (!/\.\s?m\.$/i.test(found) || tail === '' || /^ \p{Lu}/u.test(tail))
    return `${hours}${minutes ? `:${String(minutes).padStart(2, '0')}` : ''}${half.toLowerCase()}m${isEnd ? '.' : ''}`
  }
  const replaced = (all: string, pattern: RegExp, read: (groups: Record<string, string>) => [number, number | undefined] | undefined): string =>
    all.replace(pattern, (found: string, ...rest: unknown[]) => {
      const groups = rest.at(-1) as Record<string, string>
      const at = rest.at(-3) as number
      const time = read(groups)
      return time === undefined || time[0] < 1 || time[0] > 12 || (time[1] ?? 0) > 59 ? found : clock(...time, {half: groups['half']!, stop: groups['stop']!, found, tail: all.slice(at + found.length)})
    })
  let out = text
  // "9 30 a.m.", "9.30 am", "9:30 a.m.", "930 a.m.", "3 p.m."
  out = replaced(out, new RegExp(String.raw`(?<![\d.:])(?<hours>\d{1,2})[ .:]?(?<minutes>\d{2})${half}`, 'giu'), g => [Number(g['hours']), Number(g['minutes'])])
  out = replaced(out, new RegExp(String.raw`(?<![\d.:])(?<hours>\d{1,2})${half}`, 'giu'), g => [Number(g['hours']), undefined])
  // "nine thirty a.m.", "three pm"
  out = replaced(out, new RegExp(String.raw`\b(?<hours>${hour}) (?<minutes>${minuteWords})${half}`, 'giu'), g => [small(g['hours']!), small(g['minutes']!.replace(/^oh? /i, ''))])
  out = replaced(out, new RegExp(String.raw`\b(?<hours>${hour})${half}`, 'giu'), g => [small(g['hours']!), undefined])
  return out
    // "at 9.30": a clock, where "9.30 euros" is a price
    .replace(/\b(at|until|till|by|from|to|before|after|around|and) (\d{1,2})\.([0-5]\d)(?![\d%]|\.\d| ?(?:percent|per cent|euros?|dollars?|pounds?|kilos?|kg|km|miles|metres|meters|points?|million|hours|seconds))/gi,
      (all: string, word: string, hours: string, minutes: string) => Number(hours) < 24 ? `${word} ${hours}:${minutes}` : all)
    // "at nine thirty", "until ten fifteen"; "at ten thirty people" is no clock, and is left to the quarters of an hour that one says
    .replace(new RegExp(`\\b(at|until|till|by|from|before|after|around) (${hour}) (fifteen|thirty|forty[ -]five)(?=[.,;?!]|$| (?:to|and|on|in|tomorrow|today|tonight|this|next|every|with|for|until|sharp)\\b)`, 'gi'),
      (_, word: string, hours: string, minutes: string) => `${word} ${small(hours)}:${small(minutes)}`)
}

// --- telephone numbers, digit by digit

const digit = `zero|oh|${unit}|\\d`
const digitRun = new RegExp(`(?<![\\p{L}\\p{N}])(?:plus[ ,]+|\\+ ?)?(?:(?:double|triple) )?(?:${digit})(?:[ ,-]+(?:(?:double|triple) )?(?:${digit}))+(?![\\p{L}\\p{N}])`, 'giu')

function withPhoneNumbers(text: string): string {
  return text.replace(digitRun, run => {
    const words = run.toLowerCase().split(/[ ,-]+/)
    let times = 1
    const figures = words.map(word => {
      if (word === 'plus' || word.startsWith('+')) return `+${word.slice(word === 'plus' ? 4 : 1)}`
      if (word === 'double' || word === 'triple') { times = word === 'double' ? 2 : 3; return '' }
      const value = (word === 'oh' ? '0' : /^\d$/.test(word) ? word : String(units.indexOf(word))).repeat(times)
      times = 1
      return value
    }).join('')
    // "one two three" may be counting; "5-1" a score.
    return figures.replace('+', '').length >= 5 ? figures : run
  })
}

// --- numbers

const below = `(?:${ten})[ -](?:${unit})|${ten}|${units.slice(1).reverse().join('|')}`
const hundreds = `(?:${unit}|a) hundred(?: and (?:${below})| (?:${below}))?`

function withNumbers(text: string): string {
  return text
    .replace(new RegExp(`\\b(?:(${hundreds}|${below}) thousand(?:[ ,]+(?:and )?(${hundreds}|${below}))?|(${hundreds}))(?![\\p{L}]|-\\p{L})`, 'giu'),
      (all: string, thousands: string | undefined, rest: string | undefined, alone: string | undefined) =>
        // "a hundred times" is a manner of speaking.
        /^a hundred$/i.test(all) ? all : String(thousands === undefined ? value(alone!) : value(thousands) * 1000 + (rest === undefined ? 0 : value(rest))))
    .replace(new RegExp(`\\b(?:${ten})[ -](?:${unit})(?![\\p{L}]|-\\p{L})`, 'giu'), words => String(small(words)))
    .replace(new RegExp(`\\b(\\d+|${below}) point ((?:${digit})(?: (?:${digit}))*)(?![\\p{L}])`, 'giu'), (_, whole: string, parts: string) =>
      `${/^\d/.test(whole) ? whole : small(whole)}.${parts.toLowerCase().split(' ').map(p => /^\d$/.test(p) ? p : p === 'oh' ? 0 : units.indexOf(p)).join('')}`)
    .replace(new RegExp(`\\b(\\d+(?:\\.\\d+)?|${below}) per ?cent(?![\\p{L}])`, 'giu'), (_, amount: string) => `${/^\d/.test(amount) ? amount : small(amount)}%`)
}

/** "two hundred and five", "forty". */
function value(words: string): number {
  const [, count, rest] = /^(\w+) hundred(?: and| )? ?(.*)$/i.exec(words) ?? []
  if (count === undefined) return small(words)
  return (count.toLowerCase() === 'a' ? 1 : small(count)) * 100 + small((rest ?? '').trim())
}
