// The configuration: one schema with its defaults, one TOML file. Unknown keys are errors, so that a misspelt one is not silently ignored.
import {readFileSync} from 'node:fs'
import path from 'node:path'
import {parse, stringify, TomlError} from 'smol-toml'
import writeFileAtomic from 'write-file-atomic'
import {z} from 'zod'
import {ConfigError, reasonOf} from './errors.ts'
import {isLoopbackHost} from './network.ts'
import {expand, makeFolder, type Paths} from './paths.ts'
import {parseRule} from './policy.ts'

/** A login of a CalDAV and CardDAV server. `auth`: a password, or who is signed in with (core/oauth/). */
const davLogin = {
  url: z.string().default(''), user: z.string().default(''), auth: z.enum(['password', 'google', 'other']).default('password'),
  password_command: z.array(z.string()).default([]),
}

/** Items in a folder or on a server. `default`: the collection that gets what names none; '' leaves it to the server or the folder. */
const stored = {dir: z.string().min(1).optional(), default: z.string().default(''), ...davLogin}
const calendars = z.strictObject({backend: z.enum(['folder', 'caldav', 'apple', 'outlook']).default('folder'), ...stored}).prefault({})
const lists = z.strictObject({
  backend: z.enum(['folder', 'caldav', 'todoist', 'apple', 'outlook']).default('folder'), ...stored,
  todoist: z.strictObject({token_command: z.array(z.string()).default([])}).prefault({}),
}).prefault({})
const addressBooks = z.strictObject({backend: z.enum(['folder', 'carddav', 'apple', 'outlook']).default('folder'), ...stored}).prefault({})

/** '' and 0: what the provider of the address is known to use. `auto`: TLS from the start or by STARTTLS, as the port has it. */
const mailServer = z.strictObject({
  host: z.string().default(''),
  port: z.number().int().min(0, 'expected 0 to 65535').max(65535, 'expected 0 to 65535').default(0),
  user: z.string().default(''),
  security: z.enum(['auto', 'tls', 'starttls', 'none']).default('auto'),
}).prefault({})

/** A program of the user's own as a tool (src/tools/shell/shell.ts reads what zod does not know of it). */
const shellTool = z.strictObject({
  description: z.string().trim().min(1, 'expected a line that says what the tool does').max(1000),
  command: z.array(z.string()).min(1, 'expected a program and its arguments, e.g. ["uptime", "-p"]'),
  args: z.record(z.string().regex(/^[a-z_]\w{0,47}$/, 'expected names such as "city"'), z.union([z.string(), z.strictObject({
    kind: z.string(), description: z.string().max(500).optional(), values: z.array(z.union([z.string(), z.number()])).min(1).optional(),
  })])).default({}),
  effect: z.enum(['read', 'outward']).default('outward'),
  dir: z.string().min(1).optional(),
  timeout: z.number().int().min(1).max(60, 'expected 1 to 60 seconds').default(30),
})
export type ShellTool = z.infer<typeof shellTool>

/** A model on a server that speaks OpenAI's Chat Completions (core/model/openai.ts). What it gets is the user's own, so it goes by TLS or stays on this machine. */
const endpoint = z.strictObject({
  url: z.string().superRefine((text, context) => {
    const problem = endpointProblem(text)
    if (problem !== undefined) context.addIssue({code: 'custom', message: problem})
  }),
  model: z.string().default(''),
  auth: z.enum(['none', 'bearer', 'api-key']).default('none'),
  key_command: z.array(z.string()).default([]),
  api_version: z.string().regex(/^[\w.-]*$/, 'expected a version such as "2024-10-21"').default(''),
  grammar: z.enum(['none', 'llama.cpp', 'vllm']).default('none'),
  timeout: z.number().int().min(1, 'expected 1 to 3600 seconds').max(3600, 'expected 1 to 3600 seconds').default(120),
})
export type EndpointConfig = z.infer<typeof endpoint>

/** Why that is no address of an endpoint; undefined where it is one. */
export function endpointProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol)) return 'expected an address such as "https://api.openai.com/v1" or "http://localhost:11434/v1"'
  if (url.username !== '' || url.password !== '') return 'a key does not belong into the address: `tinyagent setup model` keeps it where passwords are'
  if (url.search !== '' || url.hash !== '') return 'expected an address without "?" and "#"; Azure\'s version goes into api_version'
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) return 'http:// is for servers on this machine only: your requests would be readable on the way. Use https://, or a tunnel (ssh -L)'
  return undefined
}

/** Why that is no address of Joplin's API, which gets the token in each request; undefined where it is one. */
export function joplinProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.search !== '') return 'expected an address such as "http://127.0.0.1:41184"'
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) return 'http:// is for this machine only: your notes would be readable on the way. Use a tunnel (ssh -L)'
  return undefined
}

/** The system's own folders in a home that is searched as a whole; a folder of that name elsewhere is the user's. */
const systemFolders: Partial<Record<NodeJS.Platform, string[]>> = {darwin: ['/Library'], win32: ['/AppData']}
const defaultExclude = ['node_modules', '.git', '.cache', ...systemFolders[process.platform] ?? []]

/** Every key, what it may be, and what it is when it is not set. */
export const configSchema = z.strictObject({
  user: z.strictObject({
    name: z.string().default(''),
    email: z.union([z.literal(''), z.email('expected an address, e.g. "ana@example.org"')]).default(''),
    region: z.string().regex(/^[A-Z]{2}$/, 'expected two capital letters, e.g. "DE"').default('US'),
  }).prefault({}),
  instructions: z.string().max(2000).default(''),
  dav: z.strictObject(davLogin).prefault({}),
  calendar: calendars, reminders: lists, contacts: addressBooks,
  notes: z.strictObject({
    dir: z.string().min(1).optional(),
    backend: z.enum(['folder', 'joplin', 'apple', 'outlook']).default('folder'),
    joplin: z.strictObject({
      url: z.string().superRefine((text, context) => {
        const problem = joplinProblem(text)
        if (problem !== undefined) context.addIssue({code: 'custom', message: problem})
      }).default('http://127.0.0.1:41184'),
      notebook: z.string().trim().min(1, 'expected the name of a notebook').default('Notes'),
      token_command: z.array(z.string()).default([]),
    }).prefault({}),
  }).prefault({}),
  sms: z.strictObject({
    dir: z.string().min(1).optional(),
    gateway: z.enum(['outbox', 'twilio', 'kdeconnect', 'modemmanager', 'termux', 'adb', 'apple']).default('outbox'),
    device: z.string().default(''),
    twilio: z.strictObject({
      account_sid: z.string().regex(/^(?:AC[0-9a-f]{32})?$/i, 'expected the account\'s SID, "AC" and 32 digits').default(''),
      from: z.string().default(''),
      token_command: z.array(z.string()).default([]),
    }).prefault({}),
  }).prefault({}),
  mail: z.strictObject({
    dir: z.string().min(1).optional(),
    backend: z.enum(['folder', 'imap', 'apple', 'outlook']).default('folder'),
    auth: z.enum(['password', 'google', 'microsoft', 'other']).default('password'),
    password_command: z.array(z.string()).default([]),
    imap: mailServer,
    smtp: mailServer,
  }).prefault({}),
  oauth: z.strictObject({
    port: z.number().int().min(0, 'expected 0 to 65535').max(65535, 'expected 0 to 65535').default(0),
    google: z.strictObject({client_id: z.string().default('')}).prefault({}),
    microsoft: z.strictObject({client_id: z.string().default(''), tenant: z.string().min(1, 'expected "common", or the id of an organisation').default('common')}).prefault({}),
    zoom: z.strictObject({client_id: z.string().default('')}).prefault({}),
    other: z.strictObject({
      client_id: z.string().default(''), authorize_url: z.string().default(''), token_url: z.string().default(''), device_url: z.string().default(''), scope: z.string().default(''),
    }).prefault({}),
  }).prefault({}),
  files: z.strictObject({
    roots: z.array(z.string().min(1)).optional(),
    exclude: z.array(z.string()).default(defaultExclude),
    index: z.enum(['walk', 'plocate', 'localsearch', 'spotlight']).default('walk'),
    database: z.string().min(1).optional(),
  }).prefault({}),
  meetings: z.strictObject({
    provider: z.enum(['none', 'zoom', 'meet', 'jitsi']).default('none'),
    zoom: z.strictObject({auth: z.enum(['server', 'user']).default('server'), account_id: z.string().default(''), client_id: z.string().default(''), secret_command: z.array(z.string()).default([])}).prefault({}),
    jitsi: z.strictObject({url: z.url({protocol: /^https?$/, error: 'expected an address such as "https://meet.jit.si"'}).default('https://meet.jit.si')}).prefault({}),
  }).prefault({}),
  maps: z.strictObject({
    provider: z.enum(['openstreetmap', 'apple', 'google']).default('openstreetmap'),
    open: z.boolean().default(true),
  }).prefault({}),
  confirm: z.strictObject({
    policy: z.record(z.string(), z.enum(['ask', 'allow'])).default({}),
    rules: z.array(z.string().superRefine((text, context) => {
      try { parseRule(text) } catch (error) { context.addIssue({code: 'custom', message: reasonOf(error)}) }
    })).default([]),
  }).prefault({}),
  tools: z.strictObject({
    dir: z.string().min(1).optional(),
    shell: z.record(z.string().regex(/^[a-z_]\w{0,47}$/, 'expected a name such as "disk_space"'), shellTool).default({}),
  }).prefault({}),
  model: z.strictObject({
    planner: z.string().default(''),
    prompt: z.enum(['auto', 'general', 'tinyagent']).default('auto'),
    writer: z.string().default(''),
    threads: z.number().int().min(0, 'expected 0 to 256').max(256, 'expected 0 to 256').default(0),
    gpu: z.boolean().default(false),
    // "-" and "_" are one in the variable that may hold an endpoint's key (secrets.ts).
    endpoints: z.record(z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/, 'expected a name such as "ollama"'), endpoint)
      .refine(all => new Set(Object.keys(all).map(name => name.replaceAll('-', '_'))).size === Object.keys(all).length, 'two names differ in "-" and "_" only')
      .default({}),
  }).prefault({}),
  conversation: z.strictObject({follow_ups: z.boolean().default(true)}).prefault({}),
  voice: z.strictObject({
    send: z.boolean().default(false),
    silence: z.number().min(0, 'expected 0 to 10 seconds').max(10, 'expected 0 to 10 seconds').default(1.2),
    device: z.string().default(''),
    model: z.string().default(''),
  }).prefault({}),
})

export type ConfigValues = z.infer<typeof configSchema>
type Area = 'calendar' | 'reminders' | 'contacts' | 'notes' | 'mail' | 'sms'

/** The values, with every folder absolute. */
export interface Config extends Omit<ConfigValues, Exclude<Area, 'mail'> | 'files'> {
  file: string
  paths: Paths
  values: ConfigValues
  dirs: Record<Area, string>
  files: {roots: string[]; exclude: string[]; index: 'walk' | 'plocate' | 'localsearch' | 'spotlight'; database?: string}
}

/** Reads the config; a missing file is the defaults. Throws ConfigError with file, line or key, and what would be right. */
export const loadConfig = (paths: Paths, file = configFile(paths)): Config => withFolders(check(readText(file), file), paths, file)

/** As if there were nothing in the file. */
export const defaultConfig = (paths: Paths, file = configFile(paths)): Config => withFolders(configSchema.parse({}), paths, file)

const configFile = (paths: Paths): string => path.join(paths.config, 'config.toml')

function withFolders(values: ConfigValues, paths: Paths, file: string): Config {
  const base = path.dirname(file)
  const dirOf = (area: Area): string => expand(values[area].dir ?? path.join(paths.data, area), base)
  return {
    ...values, file, paths, values,
    dirs: {
      calendar: dirOf('calendar'), reminders: dirOf('reminders'), contacts: dirOf('contacts'),
      notes: dirOf('notes'), mail: dirOf('mail'), sms: dirOf('sms'),
    },
    files: {roots: values.files.roots?.map(r => expand(r, base)) ?? paths.documents, exclude: values.files.exclude, index: values.files.index, ...(values.files.database !== undefined && {database: expand(values.files.database, base)})},
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    // ENOENT and ENOTDIR: no config yet.
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return ''
    throw new ConfigError(`${file}: cannot be read: ${reasonOf(cause)}; --config names another file`, cause)
  }
}

function check(text: string, file: string): ConfigValues {
  if (/[\u0000\ufffd]/.test(text)) throw new ConfigError(`${file}: is not a text file in UTF-8; \`tinyagent setup\` writes a new one once it is moved away`)
  let toml: unknown
  try {
    toml = parse(text)
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause
    throw new ConfigError(`${file}:${cause.line}:${cause.column}: ${tomlReason(cause)}; a line is a [section], or a key with its value such as name = "Ana"`, cause)
  }
  const parsed = configSchema.safeParse(toml)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  const key = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]!] : issue.path
  const line = lineOf(text, key.map(String))
  const right = issue.code === 'unrecognized_keys'
    ? `there is no such key; ${knownKeys(issue.path)}`
    : issue.message.replace(/^Invalid input: /, '')
  throw new ConfigError(`${file}${line ? `:${line}` : ''}: ${key.join('.')}: ${right}`, parsed.error)
}

/** smol-toml's message holds a picture of the line after its first one. */
const tomlReason = (error: TomlError): string => error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '')

function knownKeys(at: PropertyKey[]): string {
  const all = keys().map(k => k.split('.'))
  const here = new Set(all.filter(k => at.every((part, i) => k[i] === part)).map(k => k[at.length]))
  return `known here: ${[...here].join(', ')}`
}

/** All keys in dotted form; one a tool for confirm.policy. */
export function keys(): string[] {
  const under = (shape: z.core.$ZodShape): string[] => Object.entries(shape).flatMap(([name, schema]) => {
    const inner = schema instanceof z.ZodPrefault ? schema.unwrap() : undefined
    return inner instanceof z.ZodObject ? under(inner.shape).map(key => `${name}.${key}`) : [name]
  })
  return under(configSchema.shape)
}

/** The line that sets a key, by looking for it under its section; undefined where it is written in another form. */
function lineOf(text: string, key: string[]): number | undefined {
  const at = locate(text.split('\n'), key)
  return at.line === undefined ? undefined : at.line + 1
}

interface Place { line?: number; /** last line of the key's section, when there is one */ sectionEnd?: number }

const header = /^\s*\[\s*([^[\]]+?)\s*\]\s*(?:#.*)?$/
const assignment = /^\s*((?:[\w-]+|"[^"]*")(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=/

function locate(lines: string[], key: string[]): Place {
  const plain = (name: string): string => name.split('.').map(p => p.trim().replace(/^"|"$/g, '')).join('.')
  const wanted = key.join('.')
  const place: Place = {}
  let section = ''
  for (const [i, line] of lines.entries()) {
    const opened = header.exec(line)
    if (opened) {
      section = plain(opened[1]!)
      if (section === wanted) place.line ??= i
    }
    if (section === key.slice(0, -1).join('.') && line.trim() !== '') place.sectionEnd = i
    const set = assignment.exec(line)
    if (set && (section ? `${section}.` : '') + plain(set[1]!) === wanted) place.line ??= i
  }
  return place
}

/** A key in dotted form, and its value as TOML or plain words. */
export type KeyValue = [key: string, value: string]

/** Sets the keys in the file, in one write, and leaves the rest as it stands, comments too. Nothing is written unless the whole is right. */
export async function setKeys(config: Config, values: KeyValue[]): Promise<void> {
  const {file} = config
  const text = values.reduce(withKey, readText(file))
  check(text, file)
  try {
    makeFolder(path.dirname(file))
    await writeFileAtomic(file, text, {mode: 0o600})
  } catch (cause) {
    // A home that is a file is said by its own name.
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOTDIR') throw cause
    throw new ConfigError(`${file}: cannot be written: ${reasonOf(cause)}; it is as it was`, cause)
  }
}

function withKey(text: string, [key, value]: KeyValue): string {
  const parts = key.split('.')
  const section = parts.slice(0, -1).join('.')
  const lines = text.split('\n')
  const line = `${parts.at(-1)} = ${literal(value)}`
  const place = locate(lines, parts)
  if (place.line !== undefined) {
    const end = valueEnd(lines, place.line)
    lines.splice(place.line, end - place.line + 1, line)
  } else if (section === '') lines.unshift(line)
  else if (place.sectionEnd !== undefined) lines.splice(place.sectionEnd + 1, 0, line)
  else lines.push(...(lines.at(-1) === '' ? [] : ['']), `[${section}]`, line)
  return lines.join('\n').replace(/\n*$/, '\n')
}

/** A value may go over several lines (lists, long strings): the fewest lines that parse on their own. */
function valueEnd(lines: string[], start: number): number {
  for (let end = start; end < lines.length; end++) {
    try {
      parse(lines.slice(start, end + 1).join('\n'))
      return end
    } catch { /* the value goes on */ }
  }
  return start
}

/** `true`, `5` and `["a"]` are what they look like; anything else is a string. */
function literal(value: string): string {
  try {
    parse(`x = ${value}`)
    return value.includes('\n') ? JSON.stringify(value) : value
  } catch {
    return stringify({x: value}).replace(/^x = /, '').trimEnd()
  }
}

/** One key's value as it stands after defaults; undefined for a key that does not exist. */
export function getKey(config: Config, key: string): unknown {
  return key.split('.').reduce<unknown>((value, part) =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, part) ? (value as Record<string, unknown>)[part] : undefined, config.values)
}

/** What `setup` writes: every key, commented out, with its default. */
export const template = (paths: Paths): string => `# tinyagent: every key with its default. Remove the "# " before a line to change it.

# Standing instructions that count for every request, e.g. "always cc Sid on my mails".
# instructions = ""

[user]
# name = ""
# email = ""
# region = "US"            # two letters: the country of phone numbers without a country code

# The account of every backend = "caldav" or "carddav" below; \`tinyagent setup dav\` finds it.
[dav]
# url = ""                 # e.g. "https://dav.example.org"
# user = ""
# auth = "password"        # or "google", "other": signed in by browser ([oauth])
# password_command = []    # a program that prints the password, e.g. ["pass", "dav"]; [] is the system's keyring

# Folders in open formats, which other programs may read and write too, an account, the Mac's own apps ("apple"), or classic Outlook on Windows ("outlook"). \`url\`, \`user\`, \`auth\` and \`password_command\`
# stand in the place of those of [dav], with a password of their own.
[calendar]
# backend = "folder"       # or "caldav", "apple", "outlook"
# default = ""             # the calendar that gets events which name none
# url = ""
# user = ""
# auth = "password"
# password_command = []
# dir = ${JSON.stringify(path.join(paths.data, 'calendar'))}    # iCalendar files (khal, vdirsyncer)
[reminders]
# backend = "folder"       # or "caldav", "apple", "outlook", or "todoist": \`tinyagent setup todoist\` sets it up
# default = ""             # the list that gets reminders which name none
# url = ""
# user = ""
# auth = "password"
# password_command = []
# dir = ${JSON.stringify(path.join(paths.data, 'reminders'))}   # iCalendar files (todoman)
[reminders.todoist]
# token_command = []       # a program that prints the token; or TINYAGENT_TODOIST_PASSWORD; [] is the system's keyring
[contacts]
# backend = "folder"       # or "carddav", "apple", "outlook"
# default = ""
# url = ""
# user = ""
# auth = "password"
# password_command = []
# dir = ${JSON.stringify(path.join(paths.data, 'contacts'))}    # vCard files (khard)
[notes]
# backend = "folder"       # or "apple", "outlook", or "joplin": its app or \`joplin server start\` on this machine; \`tinyagent setup joplin\` sets it up
# dir = ${JSON.stringify(path.join(paths.data, 'notes'))}       # Markdown (Obsidian)
[notes.joplin]
# url = "http://127.0.0.1:41184"
# notebook = "Notes"       # gets what names no folder
# token_command = []       # a program that prints the token; or TINYAGENT_JOPLIN_PASSWORD; [] is the system's keyring
[mail]
# dir = ${JSON.stringify(path.join(paths.data, 'mail'))}        # Maildir
# backend = "folder"       # or "imap": the account of user.email; \`tinyagent setup mail\` sets it up; or "apple", the Mac's own Mail; or "outlook"
# auth = "password"        # or "google", "microsoft", "other": signed in by browser ([oauth])
# password_command = []    # a program that prints the password, e.g. ["pass", "mail/ana"]; [] is the system's keyring
[mail.imap]
# host = ""                # "" and 0: what the provider of user.email is known to use
# port = 0
# user = ""                # "": user.email
# security = "auto"        # or "tls", "starttls"; "none" only for this machine itself
[mail.smtp]
# host = ""
# port = 0
# user = ""
# security = "auto"
# Signing in by browser. tinyagent has no client of its own: the README says how to make one. Its secret, where it has one, is kept
# in the keyring by \`tinyagent setup mail\`, or stands in TINYAGENT_GOOGLE_CLIENT_PASSWORD and the like.
[oauth]
# port = 0                 # where the browser comes back to on this machine; 0 is any that is free
[oauth.google]
# client_id = ""           # or TINYAGENT_GOOGLE_CLIENT_ID
[oauth.microsoft]
# client_id = ""           # or TINYAGENT_MICROSOFT_CLIENT_ID
# tenant = "common"
[oauth.zoom]
# client_id = ""           # the public one of the app; or TINYAGENT_ZOOM_CLIENT_ID
[oauth.other]
# client_id = ""
# authorize_url = ""
# token_url = ""
# device_url = ""          # where it has the sign-in by a code
# scope = ""
[sms]
# dir = ${JSON.stringify(path.join(paths.data, 'sms'))}
# gateway = "outbox"       # or "twilio", "kdeconnect" (a paired Android phone), "modemmanager" (a modem), "termux" (on the phone), "adb" (an Android phone on a cable shows it, you send it), "apple" (Messages on a Mac)
# device = ""              # the phone's id or the modem's index; "" is the only one; on a Mac "SMS" or "iMessage"
[sms.twilio]
# account_sid = ""
# from = ""                # a number of the account, or a messaging service ("MG...")
# token_command = []       # a program that prints the token; or TINYAGENT_TWILIO_PASSWORD

[files]
# roots = ${JSON.stringify(paths.documents)}
# exclude = ${JSON.stringify(defaultExclude)}   # as in .gitignore; "/Library" only at the top of a root
# index = "walk"           # or "plocate", "localsearch" (Linux), "spotlight" (macOS): asks it first; a file newer than its index may be missed when another one fits
# database = "~/.cache/plocate.db"   # plocate's, made by updatedb -o; default: the one of the system

# Links of video meetings: "zoom" (an account; \`tinyagent setup zoom\`), "meet" (Google's; \`tinyagent setup meet\`), or "jitsi" (a link with a room that nobody can guess).
[meetings]
# provider = "none"
[meetings.zoom]
# auth = "server"          # by an app of the account with the two ids; or "user": signed in by browser ([oauth.zoom])
# account_id = ""
# client_id = ""
# secret_command = []      # a program that prints the client's secret; or TINYAGENT_ZOOM_PASSWORD; [] is the system's keyring
[meetings.jitsi]
# url = "https://meet.jit.si"

[maps]
# provider = "openstreetmap"   # or "apple", "google"
# open = true                  # false: only print the link

# Rules on what may leave without asking, in this order; one that asks goes before one that allows. \`tinyagent policy\` shows them.
[confirm]
# rules = ["allow send_sms to Mom", "ask anything outside @work.org", "ask anything over 5"]

# "allow" lets an outward step of this tool go without asking (never when text of a document is in it).
[confirm.policy]
# send_sms = "ask"

# Tools of your own: a folder of plug-ins (\`tinyagent tools new NAME\` writes an example), and programs.
[tools]
# dir = ${JSON.stringify(path.join(paths.config, 'tools'))}
# [tools.shell.disk_space]
# description = "Show how much room is left on a disk."
# command = ["df", "-h", "--", "{path}"]
# args = {path = "text"}
# effect = "read"          # without this line it asks first

[model]
# planner = ""             # a GGUF file, or the name of an endpoint below; "" is the one that comes with tinyagent
# prompt = "auto"          # or "general", "tinyagent": the prompt of a planner that is not ours; "auto": by its name, TinyAgent-1.1B and -7B get their own
# writer = ""              # a GGUF file of an instruct model, or an endpoint's name (or TINYAGENT_WRITER): puts mails, notes and summaries into writing; "" leaves them in your words
# threads = 0              # 0: as many as the machine has cores
# gpu = false              # true: a graphics card, where its packages are installed (README)
# Models on a server with OpenAI's API (llama.cpp, Ollama, LM Studio, vLLM, OpenAI, Azure); \`tinyagent setup model\` sets one up. Your
# requests, standing instructions and the lists of tools go there.
# [model.endpoints.ollama]
# url = "http://localhost:11434/v1"    # https:// unless it is on this machine
# model = "qwen3:8b"       # its name there; Azure: the deployment's
# auth = "none"            # or "bearer", "api-key" (Azure)
# key_command = []         # a program that prints the key; or TINYAGENT_MODEL_OLLAMA_PASSWORD; [] is the system's keyring
# api_version = ""         # Azure, where its address has none of /openai/v1: e.g. "2024-10-21"
# grammar = "none"         # or "llama.cpp", "vllm": the server writes nothing but calls of the tools
# timeout = 120            # seconds without an answer

[conversation]
# follow_ups = true        # false: in the REPL too every request stands alone, and "make it 4" is none

[voice]
# send = false             # true: what was said is sent without a look at it; steps that leave the machine still ask
# silence = 1.2            # seconds of silence that end a dictation; 0: only Enter does
# device = ""              # a microphone other than the default one, by its recorder's name, e.g. "plughw:1,0"
# model = ""               # a name from \`tinyagent models\`; "" is the one that comes with tinyagent
`
