// Builds the planner's training data from the hand-written seeds (training/seeds) on the product's own
// registry, parser and prompt: `npm run data`. The same commit gives the same bytes. Seeds are split before they are
// expanded, so that no skeleton is on two sides. Out: training/data/train.jsonl (rebuilt, not committed),
// validation.jsonl, test.jsonl (seed rows with an id, for `tinyagent eval`), card.md.
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {fileURLToPath} from 'node:url'
import {resolveWhen} from '../src/core/dates.ts'
import {foreignSpec, foreignTool, paramsOf, type ForeignTool} from '../src/core/params.ts'
import {parsePlan, printPlan} from '../src/core/plan-parser.ts'
import {buildPrompt} from '../src/core/prompt.ts'
import {isLookUp} from '../src/core/repair.ts'
import {isAbsolute, resolveTask} from '../src/core/resolve.ts'
import type {Arg, Plan, ToolSpec} from '../src/core/types.ts'
import {specs} from '../src/tools/specs.ts'
import {email, file, hash, isRole, person, phone, pick, place, random, type Random} from './pools.ts'

const here = path.dirname(fileURLToPath(import.meta.url))
const out = path.join(here, 'data')
const targetRows = Number(process.argv[2] ?? 80_000)
const maxCalls = 9
/** The clock on which the words of seeds must mean something, a Tuesday. */
const seedNow = new Date('2026-03-03T09:15:00')

export interface Seed {
  query: string
  plan: string
  slots: Record<string, string>
  instructions?: string
  tools?: ForeignTool[]
  style?: string
  source: string
}

const rejected = new Map<string, number>()
const reject = (why: string): undefined => { rejected.set(why, (rejected.get(why) ?? 0) + 1); return undefined }

export function readSeeds(): Seed[] {
  const folder = path.join(here, 'seeds')
  return readdirSync(folder).filter(f => f.endsWith('.jsonl') && f !== 'drafts.jsonl').sort().flatMap(f =>
    readFileSync(path.join(folder, f), 'utf8').trim().split('\n').map(line => {
      const row = JSON.parse(line) as Omit<Seed, 'source'>
      return {...row, source: f.replace('.jsonl', '')}
    }))
}

/** 90% train, 5% validation, 5% test, by the seed's own text. */
export const side = (seed: Seed): 'train' | 'validation' | 'test' => {
  const x = hash(seed.query) % 100
  return x < 90 ? 'train' : x < 95 ? 'validation' : 'test'
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

/** What a `when` slot is swapped for must read and resolve alike: with a time or without, after "on" or not. */
function whenClass(text: string): string {
  const t = text.toLowerCase()
  const timed = resolveWhen(text, seedNow)?.hasTime
  const first = /^(in|within)\b/.test(t) ? 'in'
    : /^(at|by|around)\b/.test(t) ? 'at'
    : /^(mon|tue|wed|thu|fri|sat|sun)/.test(t) ? 'day'
    : /^(the )?\d|^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/.test(t) ? (/^\d{1,2}([:.]\d\d)?\s*(am|pm)?\b(?! (jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))/.test(t) ? 'clock' : 'date')
    : 'word'
  return `${first}${timed ? ' timed' : ''}`
}

type Pools = Map<string, string[]>
const poolKey = (kind: string, text: string): string =>
  kind === 'when' || kind === 'when-part' ? `${kind} ${whenClass(text)}` : kind === 'person' && isRole(text) ? 'role' : kind

function poolsOf(seeds: Seed[]): Pools {
  const pools: Pools = new Map()
  for (const seed of seeds) for (const [text, kind] of Object.entries(seed.slots)) {
    const key = poolKey(kind, text)
    pools.set(key, [...(pools.get(key) ?? []), text])
  }
  return pools
}

const generated: Record<string, (r: Random) => string> = {person, email, phone, place, file: r => file(r), pdf: r => file(r, 'pdf')}
const swappable = new Set(['person', 'group', 'email', 'phone', 'place', 'file', 'pdf', 'folder', 'list', 'calendar', 'when', 'when-part', 'topic', 'title', 'role'])

function replacement(r: Random, pools: Pools, kind: string, text: string): string {
  const key = poolKey(kind, text)
  const own = pools.get(key) ?? [text]
  const make = generated[key]
  let value = make && r() < 0.6 ? make(r) : pick(r, own)
  if (text === text.toLowerCase() && /[a-z]/.test(text)) value = value.toLowerCase()
  else if (/^\p{Lu}/u.test(text) && /^\p{Ll}/u.test(value) && kind !== 'email' && kind !== 'file' && kind !== 'pdf') value = value[0]!.toUpperCase() + value.slice(1)
  return value
}

/** A subject or title made of a file's name alone ("Invoice_0417.pdf", subject "Invoice") would be left without a ground. */
function isQuotedFrom(text: string, kind: string, query: string, plan: string): boolean {
  if (kind !== 'file' && kind !== 'pdf') return false
  const elsewhere = query.split(text).join(' ').toLowerCase()
  const written = plan.split(inJson(text)).join(' ').toLowerCase()
  return text.toLowerCase().split(/[^\p{L}]+/u).some(w => w.length > 3 && written.includes(w) && !elsewhere.includes(w))
}

/** Swaps slots for others of their kind, in the request and in the plan alike. */
function swap(r: Random, seed: Seed, pools: Pools): Seed {
  let {query, plan} = seed
  const slots: Record<string, string> = {}
  // Longest first, through placeholders, so that no replacement is replaced again.
  const order = Object.entries(seed.slots).sort((a, b) => b[0].length - a[0].length)
  const values: string[] = []
  for (const [text, kind] of order) {
    // A name of which a part stands alone elsewhere ("Ilse" of "Ilse Vandenberghe") cannot be swapped.
    const lone = text.split(' ').some(w => w.length > 2 && kind === 'person' && query.split(text).join('').includes(w))
    const keep = !swappable.has(kind) || lone || isQuotedFrom(text, kind, query, plan) || r() < 0.15 || (kind === 'title' && r() < 0.7) || (kind === 'topic' && r() < 0.4)
    const value = keep ? text : replacement(r, pools, kind, text)
    const mark = `\u0001${values.length}\u0002`
    query = query.split(text).join(mark)
    plan = plan.split(inJson(text)).join(mark)
    values.push(value)
    slots[value] = kind
  }
  values.forEach((value, i) => {
    query = query.split(`\u0001${i}\u0002`).join(value)
    plan = plan.split(`\u0001${i}\u0002`).join(inJson(value))
  })
  return {...seed, query, plan, slots}
}

const copied = new Set(['person', 'file', 'place', 'label', 'when', 'until', 'address'])

/** Speech and haste: no capitals, no punctuation. What the plan copies from the request is lower-cased with it. */
function lowerCase(seed: Seed, all: ToolSpec[], punctuation: boolean): Seed {
  const keepMarks = /[@/\\]|\.\w/
  const query = seed.query.split(' ').map(w => {
    const lower = w.toLowerCase()
    return punctuation || keepMarks.test(w) ? lower : lower.replace(/[.,!?;:"]+$/g, '').replace(/^["(]+|\)+$/g, '')
  }).join(' ')
  const plan = parsePlan(seed.plan)
  for (const task of plan.tasks) {
    const spec = all.find(s => s.name === task.tool)!
    paramsOf(spec).forEach((p, i) => {
      const isNoteName = p.name === 'name' && (task.tool === 'open_note' || task.tool === 'append_note_content')
      if (!copied.has(p.kind) && !isNoteName) return
      const lower = (a: Arg): Arg => typeof a === 'string' ? a.toLowerCase() : Array.isArray(a) ? a.map(lower) : a
      task.args[i] = lower(task.args[i]!)
    })
  }
  return {...seed, query, plan: printPlan(plan)}
}

const near: Record<string, string> = {a: 'sq', e: 'wr', i: 'uo', o: 'ip', n: 'bm', t: 'ry', r: 'te', s: 'ad', l: 'k', d: 'sf', h: 'gj', m: 'n'}
/** One or two typing errors in words that are no part of any argument of the plan. */
function typos(r: Random, seed: Seed): Seed {
  const words = seed.query.split(' ')
  const free = words.map((_, i) => i).filter(i => {
    const w = words[i]!
    return /^[a-z]{4,}$/.test(w) && !seed.plan.toLowerCase().includes(w)
  })
  for (let n = 0; n < 2 && free.length > 0; n++) {
    const i = free.splice(Math.floor(r() * free.length), 1)[0]!
    const w = words[i]!
    const at = 1 + Math.floor(r() * (w.length - 2))
    const x = r()
    words[i] = x < 0.35 ? w.slice(0, at) + w.slice(at + 1)
      : x < 0.7 ? w.slice(0, at) + w[at + 1] + w[at] + w.slice(at + 2)
      : w.slice(0, at) + pick(r, [...(near[w[at]!] ?? w[at]! + w[at]!)]) + w.slice(at + 1)
  }
  return {...seed, query: words.join(' ')}
}

const openers = ['Hey, ', 'Hi! ', 'Please: ', 'OK so ', 'Right, ', 'Quick one: ', 'Um, ', 'When you have a second, ', 'Before I forget: ', 'So, ', 'Hello, ', 'Listen, ']
const closers = [' Thanks.', ' Thank you!', ' please', ' Cheers.', ' Ta.', ' That is all.', ' Many thanks!', ' OK?']
const manners = (r: Random, seed: Seed): Seed => {
  const opener = r() < 0.6 ? pick(r, openers) : ''
  const first = seed.query.split(' ')[0]!
  const keepCase = opener === '' || seed.plan.includes(inJson(first)) || /^I\b|^[A-Z]{2}/.test(first) || !/^[A-Z][a-z]+$/.test(first)
  const body = keepCase ? seed.query : seed.query[0]!.toLowerCase() + seed.query.slice(1)
  return {...seed, query: opener + body + (r() < 0.5 || opener === '' ? pick(r, closers) : '')}
}

const glue = [' Also, ', ' And ', ' Then ', '. Also ', ', and ', ' Oh, and ', '. Next, ', ' Plus: ', '\n', ', then ', '; ', ' And another thing: ']

/** Somebody of `a` takes the place of somebody of `b`, so that a look-up serves both errands. */
function sharePerson(r: Random, a: Seed, b: Seed): Seed {
  const people = (s: Seed): string[] => Object.entries(s.slots)
    .filter(([text, kind]) => kind === 'person' && s.plan.includes(`("${inJson(text)}")`)).map(([text]) => text)
  const [from, to] = [people(b), people(a)]
  if (from.length === 0 || to.length === 0) return b
  const [was, is] = [pick(r, from), pick(r, to)]
  const others = b.query.split(was).join('')
  if (was.split(' ').some(w => w.length > 2 && others.includes(w)) || others.includes(is)) return b
  const slots = Object.fromEntries(Object.entries(b.slots).map(([text, kind]) => [text === was ? is : text, kind]))
  return {...b, query: b.query.split(was).join(is), plan: b.plan.split(inJson(was)).join(inJson(is)), slots}
}

/** Two requests in one; the plan is one after the other, a look-up that both need is made once. */
function join(r: Random, a: Seed, other: Seed): Seed | undefined {
  if (a.instructions || other.instructions || a.tools || other.tools) return undefined
  const b = r() < 0.35 ? sharePerson(r, a, other) : other
  const [pa, pb] = [parsePlan(a.plan), parsePlan(b.plan)]
  if (pa.tasks.length === 0 || pb.tasks.length === 0) return undefined
  const acts = (p: Plan): Set<string> => new Set(p.tasks.map(t => t.tool).filter(t => t === 'reply_to_email' || t === 'forward_email'))
  if ([...acts(pa)].some(t => acts(pb).has(t))) return undefined
  const calls = new Map(pa.tasks.map(t => [JSON.stringify([t.tool, t.args]), t.id]))
  const tasks = [...pa.tasks]
  const ids = new Map<number, number>()
  const moved = (id: number): number => ids.get(id)!
  const move = (x: Arg): Arg => Array.isArray(x) ? x.map(move)
    : typeof x !== 'object' ? x
    : 'ref' in x ? {ref: moved(x.ref)}
    : {template: x.template.map(p => typeof p === 'string' ? p : {ref: moved(p.ref)})}
  for (const t of pb.tasks) {
    const twin = calls.get(JSON.stringify([t.tool, t.args]))
    if (twin !== undefined && !isLookUp(t.tool)) return reject('join: same call twice')
    ids.set(t.id, twin ?? tasks.length + 1)
    if (twin === undefined) tasks.push({...t, id: tasks.length + 1, args: t.args.map(move)})
  }
  if (tasks.length > maxCalls) return undefined
  const g = pick(r, glue)
  const head = /^[.,;]/.test(g) ? a.query.replace(/[.!?]+$/, '') : a.query
  return {...a, query: head + g + b.query, plan: printPlan({tasks}), slots: {...a.slots, ...b.slots}, source: `${a.source}+${b.source}`}
}

/** Standing instructions that change no plan without the tools they speak of. */
const idle: [string, string[]][] = [
  ['Always cc Sid on my mails.', ['compose_new_email', 'reply_to_email', 'forward_email']],
  ['Copy accounts@harrow-timber.co.uk on every invoice I mail.', ['compose_new_email', 'reply_to_email', 'forward_email']],
  ['Sign my mails with "Best, Noor".', ['compose_new_email', 'reply_to_email', 'forward_email']],
  ['My meetings last 25 minutes unless I say otherwise.', ['create_calendar_event', 'get_zoom_meeting_link']],
  ['Rehearsals go in the calendar Band.', ['create_calendar_event']],
  ['Invite my assistant Tomke to every meeting.', ['create_calendar_event', 'get_zoom_meeting_link']],
  ['Reminders belong on the list Errands.', ['create_reminder']],
  ['Reminders about money are high priority.', ['create_reminder']],
  ['End my text messages with "xx".', ['send_sms']],
  ['Text messages to family go to Dad as well.', ['send_sms', 'get_phone_number']],
  ['Notes go in the folder Inbox.', ['create_note', 'append_note_content', 'open_note']],
  ['I go everywhere by bike or on foot.', ['maps_show_directions']],
  ['I have no car: directions by public transport, please.', ['maps_show_directions']],
  ['When I send a place, say the opening hours if you know them.', ['maps_open_location', 'maps_show_directions']],
  ['Summaries are for my notes, in the folder Reading.', ['summarize_pdf', 'create_note', 'append_note_content']],
  ['I live in Ghent and work nights as a nurse.', []],
  ['British spelling, please.', []],
  ['Keep answers short.', []],
]

/** Beside a request that they do not concern, so that the planner learns to leave them alone. */
function withIdleInstructions(r: Random, seed: Seed): Seed {
  const [text, about] = pick(r, idle)
  return seed.instructions || parsePlan(seed.plan).tasks.some(t => about.includes(t.tool)) ? seed : {...seed, instructions: text}
}

const spellings: ((words: string[]) => string)[] = [
  w => w.join('_'), w => w.join('-'), w => w.join('.'),
  w => w.map((x, i) => i === 0 ? x : x[0]!.toUpperCase() + x.slice(1)).join(''),
  w => w.map(x => x[0]!.toUpperCase() + x.slice(1)).join(''),
  w => [...w.slice(1), w[0]!].join('_'),
  w => `${w.join('_')}_v2`,
]
/** Other spellings of the names of foreign tools, and their order: the list in the prompt is all that counts. */
function respell(r: Random, seed: Seed): Seed {
  if (!seed.tools) return seed
  const names = new Map(seed.tools.map(t => {
    const words = t.name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase().split(/[\s_.-]+/).filter(Boolean)
    return [t.name, pick(r, spellings)(words)]
  }))
  if (new Set(names.values()).size < names.size || [...names.values()].some(n => specs.some(s => s.name === n))) return seed
  const plan = parsePlan(seed.plan)
  const tools = seed.tools.map(t => ({...t, name: names.get(t.name)!})).sort(() => r() - 0.5)
  return {...seed, tools, plan: printPlan({tasks: plan.tasks.map(t => ({...t, tool: names.get(t.tool) ?? t.tool}))})}
}

const related: Record<string, string[]> = {
  get_phone_number: ['get_email_address', 'send_sms'], get_email_address: ['get_phone_number', 'compose_new_email', 'create_calendar_event'],
  create_calendar_event: ['create_reminder', 'get_zoom_meeting_link', 'get_email_address'], open_and_get_file_path: ['summarize_pdf', 'open_note'],
  summarize_pdf: ['create_note', 'open_and_get_file_path'], compose_new_email: ['reply_to_email', 'forward_email', 'send_sms', 'open_and_get_file_path'],
  reply_to_email: ['compose_new_email', 'forward_email', 'get_email_address'], forward_email: ['reply_to_email', 'compose_new_email'],
  maps_open_location: ['maps_show_directions', 'create_calendar_event'], maps_show_directions: ['maps_open_location'],
  create_note: ['append_note_content', 'create_reminder'], open_note: ['append_note_content', 'open_and_get_file_path'], append_note_content: ['create_note', 'open_note', 'create_reminder'],
  create_reminder: ['create_calendar_event', 'create_note'], send_sms: ['compose_new_email', 'get_phone_number'], get_zoom_meeting_link: ['create_calendar_event', 'get_email_address'],
}

/** A list made for one row serves up to three others: the trainer reads the list of such rows once for all of them. */
interface SharedList { names: Set<string>, rows: number }
const rowsPerList = 4

function sharedList(r: Random, open: SharedList[], need: Set<string>, wrong: number): SharedList | undefined {
  const start = Math.floor(r() * open.length)
  for (let i = 0; i < open.length; i++) {
    const at = (start + i) % open.length
    const list = open[at]!
    const spare = list.names.size - need.size
    if (spare > Math.max(wrong, 2) || ![...need].every(n => list.names.has(n))) continue
    if (++list.rows === rowsPerList) open.splice(at, 1)
    return list
  }
  return undefined
}

/** The needed tools and up to three wrong ones, likelier those that a retriever confuses with them. Registry order. */
function offer(r: Random, seed: Seed, plan: Plan, strangers: ToolSpec[], open?: SharedList[]): ToolSpec[] {
  const need = new Set(plan.tasks.map(t => t.tool))
  const own = (seed.tools ?? []).map(foreignSpec)
  const wrong = Math.floor(r() * (need.size === 0 ? 5 : 4))
  const share = own.length === 0 && !seed.instructions ? open : undefined
  const shared = share && sharedList(r, share, need, wrong)
  if (shared) return specs.filter(s => shared.names.has(s.name))
  const chosen = new Set(need)
  for (let i = 0; i < wrong; i++) {
    const from = need.size > 0 && r() < 0.75 ? related[pick(r, [...need])] : undefined
    chosen.add(from ? pick(r, from) : pick(r, specs).name)
  }
  const foreign = own.length > 0
    ? own.filter(s => need.has(s.name) || r() < 0.8)
    : r() < 0.06 ? [pick(r, strangers), pick(r, strangers)].filter((s, i, all) => all.indexOf(s) === i) : []
  if (foreign.length === 0) share?.push({names: chosen, rows: 1})
  return [...specs.filter(s => chosen.has(s.name)), ...foreign]
}

function check(seed: Seed): Plan | undefined {
  let plan: Plan
  try { plan = parsePlan(seed.plan) } catch { return reject('plan does not parse') }
  const all = [...specs, ...(seed.tools ?? []).map(foreignSpec)]
  for (const task of plan.tasks) {
    const spec = all.find(s => s.name === task.tool)
    if (!spec) return reject(`unknown tool ${task.tool}`)
    const params = paramsOf(spec)
    if (params.length !== task.args.length) return reject('arity')
    if (params.some((p, i) => p.list !== Array.isArray(task.args[i]))) return reject('list where none belongs, or none where one does')
    const resolved = resolveTask(task, spec, seedNow)
    const dated = params.flatMap((p, i) => p.kind === 'when' || p.kind === 'until' ? [resolved.args[i]] : [])
    if (!spec.foreign && dated.some(d => typeof d === 'string' && d !== '' && !isAbsolute(d))) return reject('a time that means none to the program')
  }
  if (printPlan(parsePlan(printPlan(plan))) !== printPlan(plan)) return reject('printing changes the plan')
  return plan
}

export interface Row { prompt: string; completion: string }

function main(): void {
  mkdirSync(out, {recursive: true})
  const seeds = readSeeds()
  for (const s of seeds) s.tools = s.tools?.map(t => foreignTool.parse(t))
  const train = seeds.filter(s => side(s) === 'train')
  const pools = poolsOf(train)
  const strangers = train.flatMap(s => (s.tools ?? []).map(foreignSpec))
  const r = random(20261124)

  const row = (seed: Seed, open?: SharedList[]): Row | undefined => {
    const plan = check(seed)
    if (!plan) return undefined
    const tools = offer(r, seed, plan, strangers, open)
    return {prompt: buildPrompt({request: seed.query, tools, ...(seed.instructions && {instructions: seed.instructions})}), completion: printPlan(plan)}
  }
  const vary = (seed: Seed): Seed => {
    let s = respell(r, swap(r, seed, pools))
    if (r() < 0.05) s = withIdleInstructions(r, s)
    const all = [...specs, ...(s.tools ?? []).map(foreignSpec)]
    const x = r()
    if (x < 0.08) s = manners(r, s)
    else if (x < 0.2 && check(s)) s = lowerCase(s, all, r() < 0.4)
    else if (x < 0.28) s = typos(r, s)
    return s
  }

  const rows: Row[] = []
  const open: SharedList[] = []
  const seen = new Set<string>()
  const calls = new Map<number, number>()
  const byTool = new Map<string, number>()
  const add = (seed: Seed | undefined): void => {
    if (!seed) return
    const made = row(seed, open)
    if (!made) return
    // A request that no tool serves has no slots to vary: it counts again beside other tools.
    const key = seed.query.toLowerCase().replace(/\W+/g, ' ') + (made.completion === '1. join()' ? made.prompt : '')
    if (seen.has(key)) { reject('duplicate request'); return }
    seen.add(key)
    rows.push(made)
    const plan = parsePlan(made.completion)
    calls.set(plan.tasks.length, (calls.get(plan.tasks.length) ?? 0) + 1)
    for (const t of new Set(plan.tasks.map(t => t.tool))) byTool.set(t, (byTool.get(t) ?? 0) + 1)
  }

  train.forEach(add)
  // Whole passes over the seeds, so that a short training run sees every skeleton; a fifth of each pass is joined requests.
  for (let tries = 0; rows.length < targetRows && tries < 60; tries++) {
    for (const seed of train) {
      if (rows.length >= targetRows) break
      const varied = vary(seed)
      if (r() >= 0.22) { add(varied); continue }
      const two = join(r, varied, vary(pick(r, train))) ?? varied
      add(r() < 0.3 ? join(r, two, vary(pick(r, train))) ?? two : two)
    }
  }
  const write = (name: string, items: object[]): void =>
    writeFileSync(path.join(out, name), items.map(i => JSON.stringify(i)).join('\n') + '\n')
  write('train.jsonl', rows)
  for (const part of ['validation', 'test'] as const) {
    const held = seeds.filter(s => side(s) === part)
    write(`${part}.jsonl`, held.map((s, i) => {
      const {slots: _slots, source, ...rest} = s
      return {id: `${part}-${i + 1}`, ...rest, tags: [source], ...(row(s) ?? {})}
    }))
  }
  const table = (m: Map<string | number, number>): string =>
    [...m].sort((a, b) => b[1] - a[1]).map(([k, n]) => `| ${k} | ${n} |`).join('\n')
  writeFileSync(path.join(out, 'card.md'), `# The planner's data

Made by \`npm run data\` from ${seeds.length} hand-written seeds (${train.length} for training), split by seed before expansion.
${rows.length} training rows, ${seeds.filter(s => side(s) === 'validation').length} validation and ${seeds.filter(s => side(s) === 'test').length} test rows (unexpanded).

| calls in the plan | training rows |
| --- | --- |
${table(new Map([...calls].sort((a, b) => a[0] - b[0])))}

| tool | training rows that use it |
| --- | --- |
${table(new Map([...byTool].filter(([t]) => specs.some(s => s.name === t))))}

| rejected because | rows |
| --- | --- |
${table(rejected)}
`)
  process.stderr.write(`${rows.length} training rows\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
