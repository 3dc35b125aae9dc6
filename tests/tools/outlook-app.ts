// Stands for classic Outlook on Windows: takes what powershell.exe would be given, runs the script (powershell.ts), and has the members of Outlook's
// object model that are listed here. What is not in it, is read-only, or is of another type fails as it does there.
import {writeFileSync} from 'node:fs'
import {expect} from 'vitest'
import type {ExecOptions, ExecResult} from '../../src/core/exec.ts'
import {ComThing, NetDate, NetError, runPowerShell, ScriptMistake, shortTime} from './powershell.ts'

type Kind = 'text' | 'date' | 'bool' | 'int' | 'any'
type Properties = {[name: string]: Kind | `${Kind}!`}

const common: Properties = {
  EntryID: 'text!', Class: 'int!', Parent: 'any!', Subject: 'text', Body: 'text', Mileage: 'text', CreationTime: 'date!', LastModificationTime: 'date!',
  Recipients: 'any!', Attachments: 'any!', PropertyAccessor: 'any!', Categories: 'text',
}
const telephones: Properties = Object.fromEntries(['Mobile', 'Primary', 'Home', 'Home2', 'Business', 'Business2', 'Other', 'CompanyMain'].map(n => [`${n}TelephoneNumber`, 'text'] as const))
/** By olItemType; the note's subject is its first line, and it has no mark, no recipients and no properties of others. */
const kinds: {[type: number]: {name: string; class: number; properties: Properties; methods: string[]}} = {
  0: {name: 'MailItem', class: 43, methods: ['Save', 'Send', 'Delete', 'Close'], properties: {
    ...common, BodyFormat: 'int', SendUsingAccount: 'any', SentOn: 'date!', ReceivedTime: 'date!', SenderName: 'text!', SenderEmailAddress: 'text!', ReplyRecipients: 'any!',
  }},
  1: {name: 'AppointmentItem', class: 26, methods: ['Save', 'Send', 'Delete', 'Close'], properties: {
    ...common, Start: 'date', End: 'date', AllDayEvent: 'bool', Location: 'text', MeetingStatus: 'int', SendUsingAccount: 'any', IsRecurring: 'bool!',
  }},
  2: {name: 'ContactItem', class: 40, methods: ['Save', 'Delete', 'Close'], properties: {
    ...common, ...telephones, FullName: 'text', FirstName: 'text', LastName: 'text', NickName: 'text', JobTitle: 'text', CompanyName: 'text', Department: 'text',
    Email1Address: 'text', Email2Address: 'text', Email3Address: 'text',
  }},
  3: {name: 'TaskItem', class: 48, methods: ['Save', 'Delete', 'Close'], properties: {
    ...common, DueDate: 'date', ReminderSet: 'bool', ReminderTime: 'date', Importance: 'int', Complete: 'bool',
  }},
  5: {name: 'NoteItem', class: 44, methods: ['Save', 'Delete', 'Close'], properties: {
    EntryID: 'text!', Class: 'int!', Parent: 'any!', Subject: 'text!', Body: 'text', CreationTime: 'date!', LastModificationTime: 'date!', Categories: 'text',
  }},
}
/** What "none" is among Outlook's dates. */
const never = (): Date => new Date(4501, 0, 1)
const fits: Record<Kind, (value: unknown) => boolean> = {
  text: value => typeof value === 'string', date: value => value instanceof NetDate && !Number.isNaN(value.date.getTime()), bool: value => typeof value === 'boolean',
  int: value => Number.isInteger(value), any: () => true,
}

/** What is stored; scripts hold references to it. */
export interface Item { type: number; values: {[name: string]: unknown}; folder?: Folder | undefined; recipients: Recipient[]; files: Attachment[]; tags: {[tag: string]: unknown} }
export interface Folder { name: string; id: string; type: number; items: Item[]; folders: Folder[] }
interface Recipient { name: string; address: string; type: number }
/** `tags` are MAPI's properties. */
interface Attachment { name: string; content: string; type?: number; tags?: {[tag: string]: unknown} }

/** A thing made of getters, setters and methods. */
class Thing extends ComThing {
  readonly members: {get?: {[name: string]: () => unknown}; set?: {[name: string]: (value: unknown) => void}; methods?: {[name: string]: (...args: never[]) => unknown}}
  constructor(members: Thing['members'], each?: () => Iterable<unknown>) { super(); this.members = members; if (each) this.each = each }
  get(name: string): unknown { return (this.members.get?.[name] ?? (() => { throw new ScriptMistake(`Outlook has no ${name} here (${Object.keys(this.members.get ?? {}).join()})`) }))() }
  set(name: string, value: unknown): void { (this.members.set?.[name] ?? (() => { throw new ScriptMistake(`${name} can't be set`) }))(value) }
  method(name: string) { return this.members.methods?.[name] as ((...args: unknown[]) => unknown) | undefined }
}

const notFound = () => new NetError('The operation failed. An object cannot be found.', '8004010F')
const tagsOf = (tags: () => {[tag: string]: unknown}) => new Thing({methods: {GetProperty: (name: string) => {
  const value = Object.entries(tags()).find(([tag]) => name.endsWith(`/${tag}`))?.[1]
  if (value === undefined) throw new NetError(`The property "${name}" is unknown or cannot be found.`, '8004010F')
  return value
}}})
const dated = (date: Date): NetDate => new NetDate(new Date(date))

export interface OutlookOptions {
  /** SMTP addresses of its accounts */
  accounts?: string[]
  /** addresses that it can't resolve */
  unknown?: string[]
  /** it sends by its first account, whichever is set */
  keepsSender?: boolean
  /** the COM error that starting it gives */
  missing?: string
}

/** A Windows with Outlook; `calls` is what PowerShell was given. */
export function windowsWith({accounts = ['me@example.org'], unknown = [], keepsSender = false, missing}: OutlookOptions = {}) {
  let ids = 0
  const newId = (): string => `00000000${(++ids).toString(16).toUpperCase().padStart(8, '0')}`
  const folder = (name: string, type: number): Folder => ({name, type, id: newId(), items: [], folders: []})
  const standard: {[kind: number]: Folder} = {4: folder('Outbox', 0), 5: folder('Sent Items', 0), 6: folder('Inbox', 0), 9: folder('Calendar', 1), 10: folder('Contacts', 2), 12: folder('Notes', 5), 13: folder('Tasks', 3), 3: folder('Deleted Items', 0)}
  const usual = (kind: number): Folder => standard[kind] ?? expect.fail(`no folder ${kind}`)
  const everywhere = (folders: Folder[]): Folder[] => folders.flatMap(f => [f, ...everywhere(f.folders)])
  const world = {
    /** what has left, as it was when it did */
    mails: [] as {from: unknown; to: string[]; cc: string[]; subject: unknown; text: unknown; files: string[]}[],
    meetings: [] as {from: unknown; guests: string[]; title: unknown}[],
    selected: undefined as Item | undefined,
    windows: 1,
    folder: usual,
    now: () => new Date(),
    /** for tests: a mail that came in */
    deliver: (values: Item['values'], {to = [], files = [], tags = {}}: {to?: Recipient[]; files?: Attachment[]; tags?: Item['tags']} = {}): Item => {
      const item: Item = {type: 0, values: {...defaults(0), ...values, EntryID: newId(), CreationTime: world.now(), LastModificationTime: world.now()}, recipients: to, files, tags, folder: usual(6)}
      usual(6).items.push(item)
      return item
    },
    add: (kind: number, type: number, values: Item['values']): Item => {
      const item: Item = {type, values: {...defaults(type), ...values, EntryID: newId(), CreationTime: world.now(), LastModificationTime: world.now()}, recipients: [], files: [], tags: {}, folder: usual(kind)}
      usual(kind).items.push(item)
      return item
    },
  }

  function defaults(type: number): Item['values'] {
    return Object.fromEntries(Object.entries(kinds[type]!.properties).map(([name, kind]) => [name, {text: '', date: never(), bool: false, int: name === 'Importance' ? 1 : 0, any: null}[kind.replace('!', '') as Kind]]))
  }
  function store(item: Item, into: Folder): void {
    const first = item.values['EntryID'] === ''
    if (first) { item.values['EntryID'] = newId(); item.values['CreationTime'] = world.now() }
    item.values['LastModificationTime'] = world.now()
    if (item.type === 5) item.values['Subject'] = String(item.values['Body']).split(/\r\n/)[0]
    if (!into.items.includes(item)) into.items.push(item)
    item.folder = into
  }
  function move(item: Item, into: Folder): void {
    if (item.folder) item.folder.items.splice(item.folder.items.indexOf(item), 1)
    into.items.push(item)
    item.folder = into
  }

  const recipientOf = (r: Recipient) => new Thing({
    get: {Name: () => r.name, Address: () => r.address, Type: () => r.type, PropertyAccessor: () => tagsOf(() => ({'0x39FE001F': r.address}))},
    set: {Type: value => { r.type = value as number }},
  })
  const recipientsOf = (list: Recipient[]) => new Thing({
    get: {Count: () => list.length},
    methods: {
      Add: (address: string) => { const r = {name: address, address, type: 1}; list.push(r); return recipientOf(r) },
      ResolveAll: () => list.every(r => !unknown.includes(r.address)),
    },
  }, () => list.map(recipientOf))
  const attachmentOf = (a: Attachment) => new Thing({
    get: {FileName: () => a.name, Type: () => a.type ?? 1, PropertyAccessor: () => tagsOf(() => a.tags ?? {})},
    methods: {SaveAsFile: (path: string) => { writeFileSync(path, a.content) }},
  })

  const account = (address: string) => new Thing({get: {SmtpAddress: () => address}})

  /** A reference to an item; what is sent or deleted can't be reached by it any more. */
  function itemOf(item: Item, into: Folder): Thing {
    const {properties, methods, name, class: number} = kinds[item.type]!
    let isGone = false
    const there = (): Item['values'] => { if (isGone) throw new NetError('The item has been moved or deleted.', '8004010A'); return item.values }
    const read = (property: string): unknown => {
      const value = there()[property]
      if (property === 'Class') return number
      if (property === 'Parent') return folderOf(item.folder ?? into)
      if (property === 'Recipients') return recipientsOf(item.recipients)
      if (property === 'ReplyRecipients') return recipientsOf((item.tags['replyTo'] ?? []) as Recipient[])
      if (property === 'Attachments') return new Thing({get: {Count: () => item.files.length}, methods: {Add: (path: string) => { item.files.push({name: path, content: ''}); return account('') }}}, () => item.files.map(attachmentOf))
      if (property === 'PropertyAccessor') return tagsOf(() => item.tags)
      return value instanceof Date ? dated(value) : value
    }
    const write = (property: string, value: unknown): void => {
      const type = properties[property]!
      if (type.endsWith('!')) throw new ScriptMistake(`${name}.${property} is read-only`)
      if (!fits[type as Kind](value)) throw new ScriptMistake(`${name}.${property} takes no ${String(value)}`)
      if (property === 'SendUsingAccount' && keepsSender) return
      there()[property] = value instanceof NetDate ? new Date(value.date) : value
    }
    const does: {[method: string]: () => unknown} = {
      Save: () => { there(); store(item, item.folder ?? into) },
      Delete: () => { there(); move(item, usual(3)); isGone = true },
      Close: () => { isGone = true },
      Send: () => {
        const values = there()
        const from = values['SendUsingAccount'] instanceof Thing ? values['SendUsingAccount'].get('SmtpAddress') : accounts[0]
        const of = (type: number): string[] => item.recipients.filter(r => r.type === type).map(r => r.address)
        if (item.type === 1) {
          expect(values['MeetingStatus']).toBe(1)
          world.meetings.push({from, guests: of(1), title: values['Subject']})
          item.tags['8229000B'] = true
        } else {
          world.mails.push({from, to: of(1), cc: of(2), subject: values['Subject'], text: values['Body'], files: item.files.map(f => f.name)})
          store(item, usual(5))
        }
        isGone = true
      },
    }
    const known = Object.keys(properties)
    return new Thing({
      get: Object.fromEntries(known.map(p => [p, () => read(p)])), set: Object.fromEntries(known.map(p => [p, (value: unknown) => write(p, value)])),
      methods: Object.fromEntries(methods.map(m => [m, () => does[m]!()])),
    })
  }

  function itemsOf(f: Folder, filter: (item: Item) => boolean = () => true): Thing {
    let order: ((a: Item, b: Item) => number) | undefined
    let isSpelledOut = false
    const all = (): Item[] => { const list = f.items.filter(filter); return order ? list.sort(order) : list }
    return new Thing({
      get: {Count: () => all().length},
      set: {IncludeRecurrences: value => { isSpelledOut = value as boolean }},
      methods: {
        Add: (type: number) => { if (type !== f.type) throw new ScriptMistake(`no item ${type} in ${f.name}`); return itemOf({type, values: defaults(type), recipients: [], files: [], tags: {}}, f) },
        Sort: (property: string, isDown = false) => {
          const name = /^\[(\w+)\]$/.exec(property)?.[1] ?? expect.fail(property)
          const at = (item: Item): number => (item.values[name] as Date | undefined ?? expect.fail(`no ${name}`)).getTime()
          order = (a, b) => (isDown ? -1 : 1) * (at(a) - at(b))
        },
        Restrict: (text: string) => {
          expect(isSpelledOut).toBe(true)
          const [, to, from] = /^\[Start\] < '([^']+)' AND \[End\] > '([^']+)'$/.exec(text) ?? expect.fail(text)
          return itemsOf(f, item => shortTime(item.values['Start'] as Date) < to! && shortTime(item.values['End'] as Date) > from!)
        },
      },
    }, () => all().map(item => itemOf(item, f)))
  }

  const folderOf = (f: Folder): Thing => new Thing({
    get: {Name: () => f.name, EntryID: () => f.id, DefaultItemType: () => f.type, Items: () => itemsOf(f), Folders: () => new Thing({methods: {Add: (name: string, kind: number) => {
      if (f.folders.some(x => x.name.toLowerCase() === name.toLowerCase())) throw new NetError('Cannot create the folder.', '80070057')
      const made = folder(name, usual(kind).type)
      f.folders.push(made)
      return folderOf(made)
    }}}, () => f.folders.map(folderOf))},
    methods: {Display: () => { world.windows++ }},
  })

  const store1 = new Thing({methods: {GetDefaultFolder: (kind: number) => folderOf(usual(kind))}})
  const store2 = new Thing({methods: {GetDefaultFolder: () => { throw notFound() }}}) // an archive has none of these
  const session = new Thing({
    get: {Accounts: () => new Thing({}, () => accounts.map(account)), Stores: () => new Thing({}, () => [store2, store1])},
    methods: {
      GetDefaultFolder: (kind: number) => folderOf(usual(kind)),
      GetItemFromID: (id: string) => {
        for (const f of everywhere(Object.values(standard))) for (const item of f.items) if (item.values['EntryID'] === id) return itemOf(item, f)
        throw notFound()
      },
    },
  })
  const application = new Thing({
    get: {Explorers: () => new Thing({get: {Count: () => world.windows}})},
    methods: {
      GetNamespace: (name: string) => { expect(name).toBe('MAPI'); return session },
      CreateItem: (type: number) => itemOf({type, values: defaults(type), recipients: [], files: [], tags: {}}, usual(6)),
      ActiveExplorer: () => world.windows === 0 ? null : new Thing({get: {Selection: () => new Thing({get: {Count: () => world.selected ? 1 : 0}, methods: {Item: () => itemOf(world.selected!, usual(6))}})}}),
    },
  })

  const calls: {source: string; input: unknown}[] = []
  const exec = async (program: string, args: string[], options: ExecOptions = {}): Promise<ExecResult> => {
    options.signal?.throwIfAborted()
    expect([program, ...args.slice(0, 5)]).toEqual(['powershell.exe', '-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-EncodedCommand'])
    expect(args).toHaveLength(6)
    expect(args[5]!.length).toBeLessThan(32_000) // a command line of Windows
    const source = Buffer.from(args[5] ?? '', 'base64').toString('utf16le')
    expect(source).toMatch(/^[\n\x20-\x7e]*$/)
    expect(options.input).toMatch(/^\{[\x20-\x7e]*\}$/) // the same in every code page
    calls.push({source, input: JSON.parse(options.input ?? '')})
    const stdout = runPowerShell(source, Buffer.from(options.input ?? ''), () => {
      if (missing !== undefined) throw new NetError('Retrieving the COM class factory failed.', missing)
      return application
    })
    return {code: 0, stdout: stdout.toString(), stderr: ''}
  }
  return {platform: 'win32' as const, exec, calls, world}
}
