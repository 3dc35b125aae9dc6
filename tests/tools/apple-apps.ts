// Stands for a Mac: takes the argv that osascript would get, runs the script in Node's vm, and has the apps of their scripting dictionaries
// (Reminders.sdef, Notes.sdef, ...). What is not in a dictionary, is read-only, or is of another type fails as it does there.
import vm from 'node:vm'
import {expect} from 'vitest'
import type {ExecOptions, ExecResult} from '../../src/core/exec.ts'

type Type = 'text' | 'date' | 'boolean' | 'integer' | 'any'
interface ClassOf {
  /** name to type; those that end with "!" are read-only */
  properties: {[name: string]: Type | `${Type}!`}
  /** plural to class */
  elements?: {[plural: string]: string}
}
export interface Thing { class: string; values: {[property: string]: unknown}; elements: {[plural: string]: Thing[]}; parent?: Thing; isThere: boolean }
type Command = (world: World, target: Thing | undefined, args: unknown[]) => unknown
interface AppOf {
  classes: {[name: string]: ClassOf}
  application: ClassOf
  /** said to the application, or to a thing */
  commands?: {[name: string]: Command}
  /** what the app makes of a new thing, and of a changed one */
  settle?(thing: Thing, world: World, changed?: string): void
  /** what it starts with */
  start(world: World): void
}
export interface World { root: Thing; make(kind: string, values?: {[name: string]: unknown}): Thing; put(parent: Thing, plural: string, thing: Thing): Thing; nextId(): string; now(): Date }

class AppleEventError extends Error {
  readonly errorNumber: number
  constructor(message: string, errorNumber: number) { super(message); this.errorNumber = errorNumber }
}
const noObject = (what: string) => new AppleEventError(`Can't get object (${what}).`, -1728)

const isDate = (value: unknown): value is Date => Object.prototype.toString.call(value) === '[object Date]' // of another realm
const fits: Record<Type, (value: unknown) => boolean> = {
  text: value => typeof value === 'string' && !/\0/.test(value),
  date: value => isDate(value) && !Number.isNaN(value.getTime()),
  boolean: value => typeof value === 'boolean', integer: value => Number.isInteger(value), any: () => true,
}

/** The things behind what scripts hold. */
const behind = new WeakMap<object, () => Thing>()
export const thingOf = (reference: unknown): Thing => {
  const resolve = typeof reference === 'function' || typeof reference === 'object' ? behind.get(reference ?? {}) : undefined
  if (!resolve) throw new AppleEventError('Can\'t convert types.', -1700)
  return resolve()
}

function openApp(name: string, app: AppOf) {
  let ids = 0
  const classOf = (kind: string): ClassOf => kind === 'application' ? app.application : app.classes[kind] ?? expect.fail(`${name} has no class ${kind}`)
  const make = (kind: string, values: Thing['values'] = {}): Thing => ({class: kind, values: {...values}, elements: Object.fromEntries(Object.keys(classOf(kind).elements ?? {}).map(e => [e, []])), isThere: true})
  const world: World = {
    root: make('application'), make, nextId: () => `x-${name.toLowerCase()}://${++ids}`, now: () => new Date(),
    put: (parent, plural, thing) => {
      parent.elements[plural]?.push(thing)
      thing.parent = parent
      app.settle?.(thing, world)
      return thing
    },
  }
  app.start(world)

  const valueOf = (thing: Thing, property: string): unknown => {
    const value = thing.values[property]
    if (value === undefined) return null // missing value
    if (Array.isArray(value)) return (value as Thing[]).map(thing => reference(() => thing, thing.class))
    return isDate(value) ? new Date(value.getTime()) : typeof value === 'object' && value !== null && 'class' in value ? reference(() => value as Thing, (value as Thing).class) : value
  }
  const set = (thing: Thing, property: string, value: unknown, isNew = false): void => {
    const type = classOf(thing.class).properties[property]
    if (type === undefined) throw noObject(`${thing.class}.${property}`)
    if (type.endsWith('!')) throw new AppleEventError(`Access not allowed (${thing.class}.${property}).`, -10003)
    if (!fits[type as Type](value)) throw new AppleEventError(`Can't convert types (${thing.class}.${property}).`, -1700)
    thing.values[property] = isDate(value) ? new Date(value.getTime()) : value
    if (!isNew) app.settle?.(thing, world, property)
  }
  const call = (command: string, target: Thing | undefined) => (...args: unknown[]): unknown => {
    const run = app.commands?.[command] ?? (command === 'delete' ? remove : undefined)
    if (!run) throw noObject(command)
    const result = run(world, target, args)
    return typeof result === 'object' && result !== null && 'class' in result ? reference(() => result as Thing, (result as Thing).class) : result
  }
  const remove: Command = (_world, _target, [what]) => {
    const thing = thingOf(what)
    thing.isThere = false
    takeOut(world.root, thing)
  }
  /** From all lists that it stands in. */
  const takeOut = (parent: Thing, thing: Thing): void => {
    for (const list of Object.values(parent.elements)) {
      if (list.includes(thing)) list.splice(list.indexOf(thing), 1)
      for (const below of list) takeOut(below, thing)
    }
  }

  /** One thing, found again each time that it is used. */
  function reference(resolve: () => Thing, kind: string): object {
    const there = (): Thing => {
      const thing = resolve()
      if (!thing.isThere) throw noObject(kind)
      return thing
    }
    const proxy: object = new Proxy(() => undefined, {
      get: (_, key) => {
        if (typeof key === 'symbol') return undefined
        if (key === 'exists') return () => { try { return there().isThere } catch { return false } }
        const known = classOf(kind)
        if (known.properties[key]) {
          const value = () => valueOf(there(), key)
          const held = known.properties[key].startsWith('any') ? there().values[key] : undefined
          // What a property refers to is spoken to without asking for it first: app.inbox.messages
          return typeof held === 'object' && held !== null && 'class' in held ? new Proxy(value, {get: (__, below) => Reflect.get(reference(() => held as Thing, (held as Thing).class), below) as unknown}) : value
        }
        const element = known.elements?.[key]
        if (element !== undefined) return elements(() => [there()], key, element)
        if (kind === 'application' && app.classes[key]) return (values: Thing['values']) => {
          const thing = make(key)
          for (const [property, value] of Object.entries(values ?? {})) set(thing, property, value, true)
          return reference(() => thing, key)
        }
        if (app.commands?.[key] || (kind === 'application' && key === 'delete')) return call(key, kind === 'application' ? undefined : there())
        throw noObject(`${kind}.${key}`)
      },
      set: (_, key, value) => { set(there(), String(key), value); return true },
    })
    behind.set(proxy, there)
    return proxy
  }

  /** Some things of one kind in each of `parents`. */
  function elements(parents: () => Thing[], plural: string, kind: string, filter: (thing: Thing) => boolean = () => true): object {
    const all = (): Thing[] => parents().flatMap(p => p.elements[plural] ?? []).filter(filter)
    const one = (test: (thing: Thing, i: number) => boolean) => reference(() => { const found = all().find(test); if (!found) throw noObject(kind); return found }, kind)
    return new Proxy(() => undefined, {
      apply: () => all().map(thing => reference(() => thing, kind)),
      get: (_, key) => {
        if (typeof key === 'symbol') return undefined
        if (/^\d+$/.test(key)) return one((_thing, i) => i === Number(key))
        if (key === 'length') return all().length
        if (key === 'push') return (item: unknown) => {
          const thing = thingOf(item)
          if (thing.class !== kind) throw new AppleEventError(`Can't make a ${thing.class} in ${plural}.`, -10024)
          const [parent] = parents()
          if (!parent) throw noObject(plural)
          world.put(parent, plural, thing)
        }
        if (key === 'byId') return (id: unknown) => one(t => (t.values['id'] ?? t.values['uid']) === id)
        if (key === 'byName') return (wanted: unknown) => {
          // Messages takes any number for the name of somebody.
          if (kind === 'Participant' && !all().some(t => t.values['name'] === wanted)) world.put(parents()[0]!, plural, make(kind, {name: wanted}))
          return one(t => t.values['name'] === wanted)
        }
        if (key === 'whose') return (test: unknown) => elements(parents, plural, kind, thing => filter(thing) && holds(thing, test))
        const {properties, elements: below} = classOf(kind)
        if (properties[key]) return () => all().map(thing => valueOf(thing, key))
        const element = below?.[key]
        // Property by property of all things below: a list for each.
        if (element !== undefined) return new Proxy({}, {get: (__, property) => () => all().map(thing => (thing.elements[key] ?? []).map(t => {
          if (!classOf(element).properties[String(property)]) throw noObject(`${element}.${String(property)}`)
          return valueOf(t, String(property))
        }))})
        throw noObject(`${plural}.${key}`)
      },
    })
  }

  const number = (value: unknown): unknown => isDate(value) ? value.getTime() : value
  function holds(thing: Thing, test: unknown): boolean {
    if (typeof test !== 'object' || test === null) throw noObject('whose')
    return Object.entries(test).every(([property, wanted]: [string, unknown]) => {
      if (property === '_and') return (wanted as unknown[]).every(part => holds(thing, part))
      if (!classOf(thing.class).properties[property]) throw noObject(`${thing.class}.${property}`)
      const value = number(thing.values[property]) ?? (typeof wanted === 'boolean' ? false : null)
      if (typeof wanted !== 'object' || wanted === null || isDate(wanted)) return value === number(wanted)
      return Object.entries(wanted).every(([how, limit]: [string, unknown]) => {
        if (how === '_greaterThan') return (value as number) > (number(limit) as number)
        if (how === '_lessThan') return (value as number) < (number(limit) as number)
        throw noObject(how)
      })
    })
  }
  return {world, application: reference(() => world.root, 'application')}
}

/** A Mac with these apps; `calls` is what osascript was given. */
export function mac(...names: (keyof typeof apps)[]) {
  const open = new Map(names.map(name => [String(name), openApp(name, apps[name])]))
  const calls: {source: string; input: unknown}[] = []
  const exec = async (program: string, args: string[], options: ExecOptions = {}): Promise<ExecResult> => {
    options.signal?.throwIfAborted()
    expect([program, ...args.slice(0, 3)]).toEqual(['osascript', '-l', 'JavaScript', '-e'])
    expect(args).toHaveLength(5)
    const [source = '', json = ''] = args.slice(3)
    expect(json).toMatch(/^\{[\x20-\x7e]*\}$/) // no option, and the same in every encoding
    calls.push({source, input: JSON.parse(json)})
    try {
      const context = vm.createContext({
        Application: (name: string) => open.get(name)?.application ?? (() => { throw new Error('Application can\'t be found.') })(),
        Path: (path: string) => ({toString: () => path}),
        delay: () => undefined,
      })
      vm.runInContext(source, context)
      const stdout = (vm.runInContext('run', context) as (argv: string[]) => string)([json])
      return {code: 0, stdout: `${stdout}\n`, stderr: ''}
    } catch (error) {
      const {message, errorNumber} = error as AppleEventError
      return {code: 1, stdout: '', stderr: `execution error: Error: Error: ${message} (${errorNumber ?? -2700})\n`}
    }
  }
  const worldOf = (name: keyof typeof apps): World => open.get(name)?.world ?? expect.fail(`no ${name}`)
  return {platform: 'darwin' as const, exec, calls, worldOf}
}

/** A Mac whose osascript ends like that. */
export const failingMac = (stderr: string) => ({platform: 'darwin' as const, exec: async (): Promise<ExecResult> => ({code: 1, stdout: '', stderr})})

const midnight = (date: Date): Date => new Date(date.getFullYear(), date.getMonth(), date.getDate())

const Reminders: AppOf = {
  application: {properties: {defaultAccount: 'any!', defaultList: 'any!'}, elements: {accounts: 'Account', lists: 'List', reminders: 'Reminder'}},
  classes: {
    Account: {properties: {id: 'text!', name: 'text!'}, elements: {lists: 'List', reminders: 'Reminder'}},
    List: {properties: {id: 'text!', name: 'text', container: 'any!', color: 'text', emblem: 'text'}, elements: {reminders: 'Reminder'}},
    Reminder: {properties: {
      name: 'text', id: 'text!', container: 'any!', creationDate: 'date!', modificationDate: 'date!', body: 'text', completed: 'boolean', completionDate: 'date',
      dueDate: 'date', alldayDueDate: 'date', remindMeDate: 'date', priority: 'integer', flagged: 'boolean',
    }},
  },
  settle: (thing, world, changed) => {
    const {values} = thing
    if (changed === undefined) values['id'] = world.nextId()
    if (thing.class !== 'Reminder') return
    values['completed'] ??= false
    values['creationDate'] ??= world.now()
    if (isDate(values['alldayDueDate']) && (changed === undefined ? !values['dueDate'] : changed === 'alldayDueDate')) values['dueDate'] = midnight(values['alldayDueDate'])
    else if (isDate(values['dueDate'])) values['alldayDueDate'] = midnight(values['dueDate'])
    if (changed === undefined && thing.parent?.class === 'List') world.root.elements['reminders']?.push(thing)
  },
  start: world => { world.root.values['defaultList'] = world.put(world.root, 'lists', world.make('List', {name: 'Reminders'})) },
}

/** As Notes does it: the name is the first line, and a line is a div. */
const Notes: AppOf = {
  application: {properties: {defaultAccount: 'any!', name: 'text!'}, elements: {accounts: 'Account', folders: 'Folder', notes: 'Note', attachments: 'Attachment'}},
  classes: {
    Account: {properties: {defaultFolder: 'any!', name: 'text!', id: 'text!'}, elements: {folders: 'Folder', notes: 'Note'}},
    Folder: {properties: {name: 'text', id: 'text!', shared: 'boolean!', container: 'any!'}, elements: {folders: 'Folder', notes: 'Note'}},
    Note: {properties: {
      name: 'text', id: 'text!', container: 'any!', body: 'text', plaintext: 'text!', creationDate: 'date!', modificationDate: 'date!', passwordProtected: 'boolean!', shared: 'boolean!',
    }, elements: {attachments: 'Attachment'}},
    Attachment: {properties: {name: 'text!', id: 'text!', container: 'any!', contentIdentifier: 'text!'}},
  },
  commands: {
    // A deleted note goes to a folder of its own first, and is there still.
    delete: (world, _target, [what]) => {
      const note = thingOf(what)
      const bin = world.root.elements['accounts']![0]!.elements['folders']!.find(f => f.values['name'] === 'Recently Deleted')!
      const notes = note.parent?.elements['notes'] ?? []
      notes.splice(notes.indexOf(note), 1)
      world.put(bin, 'notes', note)
    },
  },
  settle: (thing, world) => {
    const {values} = thing
    values['id'] ??= world.nextId()
    values['container'] = thing.parent
    if (thing.class !== 'Note') return
    if (!world.root.elements['notes']!.includes(thing)) world.root.elements['notes']!.push(thing)
    const body = String(values['body'] ?? '')
    const text = body.replace(/<br>(?=<\/div>)/g, '').replace(/<\/div>/g, '\n').replace(/<br>/g, '\n').replace(/<[^>]*>/g, '').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&nbsp;/g, '\u00a0').replace(/&amp;/g, '&')
    Object.assign(values, {plaintext: text.replace(/\n$/, ''), name: text.split('\n')[0], modificationDate: world.now(), passwordProtected: values['passwordProtected'] ?? false})
    values['creationDate'] ??= world.now()
  },
  start: world => {
    const account = world.put(world.root, 'accounts', world.make('Account', {name: 'iCloud'}))
    account.values['defaultFolder'] = world.put(account, 'folders', world.make('Folder', {name: 'Notes'}))
    world.put(account, 'folders', world.make('Folder', {name: 'Recently Deleted'}))
    world.root.values['defaultAccount'] = account
  },
}

const Calendar: AppOf = {
  application: {properties: {}, elements: {calendars: 'Calendar'}},
  classes: {
    Calendar: {properties: {name: 'text', color: 'any', calendarIdentifier: 'text!', writable: 'boolean!', description: 'text'}, elements: {events: 'Event'}},
    Event: {properties: {
      description: 'text', startDate: 'date', endDate: 'date', alldayEvent: 'boolean', recurrence: 'text', sequence: 'integer!', stampDate: 'date', excludedDates: 'any',
      status: 'text', summary: 'text', location: 'text', uid: 'text!', url: 'text',
    }, elements: {attendees: 'Attendee'}},
    Attendee: {properties: {displayName: 'text!', email: 'text!', participationStatus: 'text!'}},
  },
  settle: (thing, world, changed) => {
    const {values} = thing
    if (thing.class === 'Calendar') values['writable'] ??= true
    if (thing.class !== 'Event') return
    if (changed === undefined) values['uid'] = world.nextId()
    values['stampDate'] = world.now()
    values['alldayEvent'] ??= false
  },
  start: world => {
    world.put(world.root, 'calendars', world.make('Calendar', {name: 'Birthdays', writable: false}))
    world.put(world.root, 'calendars', world.make('Calendar', {name: 'Home'}))
  },
}

const info: ClassOf = {properties: {label: 'text', value: 'text', id: 'text!'}}
const Contacts: AppOf = {
  application: {properties: {myCard: 'any!', unsaved: 'boolean!', defaultCountryCode: 'text!'}, elements: {people: 'Person', groups: 'Group'}},
  classes: {
    Person: {properties: {
      name: 'text!', id: 'text!', firstName: 'text', middleName: 'text', lastName: 'text', nickname: 'text', jobTitle: 'text', organization: 'text', department: 'text', company: 'boolean', vcard: 'text!', note: 'text',
    }, elements: {phones: 'Phone', emails: 'Email', groups: 'Group'}},
    Group: {properties: {name: 'text', id: 'text!'}, elements: {people: 'Person', groups: 'Group'}},
    Phone: info, Email: info,
  },
  commands: {save: world => { world.root.values['unsaved'] = false }},
  settle: (thing, world) => {
    const {values} = thing
    values['id'] ??= world.nextId()
    world.root.values['unsaved'] = true
    if (thing.class === 'Person') values['name'] = [values['firstName'], values['lastName']].filter(Boolean).join(' ') || values['organization']
  },
  start: () => undefined,
}

const Messages: AppOf = {
  application: {properties: {name: 'text!'}, elements: {accounts: 'Account', participants: 'Participant', chats: 'Chat'}},
  classes: {
    Account: {properties: {id: 'text!', description: 'text!', enabled: 'boolean', connectionStatus: 'text!', serviceType: 'text!'}, elements: {participants: 'Participant', chats: 'Chat'}},
    Participant: {properties: {id: 'text!', account: 'any!', name: 'text!', handle: 'text!', firstName: 'text!', lastName: 'text!', fullName: 'text!'}},
    Chat: {properties: {id: 'text!', name: 'text!', account: 'any!'}, elements: {participants: 'Participant'}},
  },
  commands: {
    send: (world, _target, [message, options]) => {
      const {to} = options as {to: unknown}
      const participant = thingOf(to)
      if (typeof message !== 'string' || participant.class !== 'Participant') throw new AppleEventError('Can\'t convert types.', -1700)
      sentBy(world).push({by: String(participant.parent?.values['serviceType']), to: String(participant.values['name']), message})
    },
  },
  start: world => { world.root.values['sent'] = [] },
}
/** What Messages has sent. */
export const sentBy = (world: World): {by: string; to: string; message: string}[] => world.root.values['sent'] as ReturnType<typeof sentBy>

const recipient: ClassOf = {properties: {address: 'text', name: 'text'}}
/** `selected` and `sent` of its world are for tests; `signature` is what it adds to new mails. */
const Mail: AppOf = {
  application: {properties: {inbox: 'any!', sentMailbox: 'any!', selection: 'any', name: 'text!'}, elements: {accounts: 'Account', outgoingMessages: 'OutgoingMessage'}},
  classes: {
    Account: {properties: {name: 'text', emailAddresses: 'any'}},
    Mailbox: {properties: {name: 'text'}, elements: {messages: 'Message'}},
    Message: {properties: {id: 'integer!', messageId: 'text!', source: 'text!', sender: 'text!', subject: 'text!', dateReceived: 'date!', dateSent: 'date!'}},
    OutgoingMessage: {properties: {sender: 'text', subject: 'text', content: 'text', visible: 'boolean', messageSignature: 'any', id: 'integer!'}, elements: {toRecipients: 'ToRecipient', ccRecipients: 'CcRecipient', bccRecipients: 'BccRecipient', attachments: 'Attachment'}},
    ToRecipient: recipient, CcRecipient: recipient, BccRecipient: recipient,
    Attachment: {properties: {fileName: 'any'}},
  },
  commands: {
    send: (world, target) => {
      const of = (plural: string) => target!.elements[plural]!.map(t => t.values['address'] ?? String(t.values['fileName']))
      const {sender, subject, content} = target!.values
      mailedBy(world).push({from: String(sender), to: of('toRecipients'), cc: of('ccRecipients'), files: of('attachments'), subject: String(subject), text: String(content)})
      world.put(world.root.values['sentMailbox'] as Thing, 'messages', world.make('Message', {subject, dateSent: world.now()}))
      return world.root.values['refuses'] !== true
    },
  },
  settle: (thing, world, changed) => {
    if (thing.class !== 'OutgoingMessage' || changed !== undefined) return
    const signature = world.root.values['signature']
    if (signature !== undefined) thing.values['content'] = `${String(thing.values['content'])}\n-- \n${String(signature)}`
    // An address of no account of its own is not taken.
    if (!String(thing.values['sender'] ?? '').includes('me@example.org')) thing.values['sender'] = 'me@example.org'
  },
  start: world => {
    Object.assign(world.root.values, {inbox: world.make('Mailbox', {name: 'INBOX'}), sentMailbox: world.make('Mailbox', {name: 'Sent'}), mailed: []})
  },
}
export const mailedBy = (world: World) => world.root.values['mailed'] as {from: string; to: unknown[]; cc: unknown[]; files: unknown[]; subject: string; text: string}[]

export const apps = {Reminders, Notes, Calendar, Contacts, Messages, Mail}
