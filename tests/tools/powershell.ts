// As much of PowerShell 5.1 as our scripts use, over its tree-sitter grammar: what a program here would be told is decided by the script's own text.
// Anything else (another command, type or member) ends the test. Not PowerShell: what Windows itself does with the scripts is not tried here.
import {createRequire} from 'node:module'
import {join} from 'node:path'
import {Language, Parser, type Node as GrammarNode} from 'web-tree-sitter'

/** An error of .NET or COM, which scripts can catch. */
export class NetError extends Error {
  readonly HResult: number
  constructor(message: string, hex = '80131500') { super(message); this.HResult = Number.parseInt(hex, 16) | 0 }
}
/** A mistake in a script, which none can catch. */
export class ScriptMistake extends Error {}
const mistake = (what: string): never => { throw new ScriptMistake(what) }

/** A thing of Outlook's: members by name, as its object model has them. */
export abstract class ComThing {
  abstract get(name: string): unknown
  abstract set(name: string, value: unknown): void
  /** undefined: it has no such method */
  abstract method(name: string): ((...args: unknown[]) => unknown) | undefined
  /** what `foreach` goes through; absent: it is no collection */
  each?(): Iterable<unknown>
}

/** A System.DateTime; local ones and those in UTC are the same here. */
export class NetDate {
  readonly date: Date
  constructor(date: Date) { this.date = date }
}
class NetSpan { readonly ms: number; constructor(ms: number) { this.ms = ms } }
class Char { readonly text: string; constructor(text: string) { this.text = text } }
class Block { readonly node: Node; constructor(node: Node) { this.node = node } }
class Type { readonly name: string; constructor(name: string) { this.name = name } }
/** What ConvertFrom-Json makes: only what is in it may be read. */
class JsonObject { readonly values: {[key: string]: unknown}; constructor(values: {[key: string]: unknown}) { this.values = values } }
type Table = Map<string, unknown>

class Flow { readonly kind: 'return' | 'break' | 'continue'; readonly out: unknown[]; constructor(kind: Flow['kind'], out: unknown[] = []) { this.kind = kind; this.out = out } }

const require = createRequire(import.meta.url)
await Parser.init()
const parser = new Parser()
parser.setLanguage(await Language.load(join(require.resolve('tree-sitter-powershell/package.json'), '../tree-sitter-powershell.wasm')))
const trees = new Map<string, Node>()

/** A node of the grammar's, taken out of its memory once: asking it there for each step is slow. */
class Node {
  readonly type: string
  readonly text: string
  readonly children: Node[]
  readonly named: Node[]
  constructor(node: GrammarNode) {
    this.type = node.type
    this.text = node.text
    const below = node.children.filter(c => c !== null)
    this.children = below.map(c => new Node(c))
    this.named = this.children.filter((c, i) => below[i]!.isNamed && c.type !== 'comment')
  }
  /** Of this type below, from the top down; not below one of `but`. */
  below(type: string, but?: string): Node[] {
    return this.children.flatMap(c => [...(c.type === type ? [c] : []), ...(c.type === but ? [] : c.below(type, but))])
  }
}

/** The whole text as PowerShell's grammar has it; throws where it is none. */
export function parsePowerShell(source: string): Node {
  const known = trees.get(source)
  if (known) return known
  const tree = parser.parse(source) ?? mistake('no tree')
  const root = new Node(tree.rootNode)
  const {hasError} = tree.rootNode
  tree.delete()
  if (hasError) throw new ScriptMistake(`syntax error: ${root.below('ERROR').map(n => n.text).join(' | ')}`)
  trees.set(source, root)
  return root
}

/** Runs a program; `outlook` is what `New-Object -ComObject Outlook.Application` gives. Resolves to what it wrote. */
export function runPowerShell(source: string, stdin: Buffer, outlook: () => ComThing): Buffer {
  const written: Buffer[] = []
  const functions = new Map<string, {params: string[]; body: Node | undefined}>()
  const global = new Map<string, unknown>([['true', true], ['false', false], ['null', null]])
  /** The innermost function first, as PowerShell looks for names. */
  let scopes: Table[] = [global]

  const children = (node: Node): Node[] => node.children
  const named = (node: Node): Node[] => node.named
  /** Down to the first node that says something. */
  const core = (node: Node): Node => node.children.length === 1 && !['empty_statement', 'command', 'flow_control_statement'].includes(node.type) ? core(children(node)[0]!) : node
  const collapse = (out: unknown[]): unknown => out.length === 0 ? null : out.length === 1 ? out[0] : out
  const spread = (value: unknown): unknown[] =>
    Array.isArray(value) ? value as unknown[] : value instanceof ComThing && value.each ? [...value.each()] : [value]

  const nameOf = (text: string): string => text.replace(/^\$(?:script:)?/i, '').toLowerCase()
  const read = (text: string): unknown => {
    const name = nameOf(text)
    const scope = /^\$script:/i.test(text) ? global : scopes.find(s => s.has(name))
    return scope?.has(name) ? scope.get(name) : mistake(`${text} is not set`)
  }
  const write = (text: string, value: unknown): void => { (/^\$script:/i.test(text) ? global : scopes[0]!).set(nameOf(text), value) }

  const text = (value: unknown): string => value === null || value === undefined ? '' : typeof value === 'boolean' ? (value ? 'True' : 'False')
    : typeof value === 'string' || typeof value === 'number' ? String(value) : value instanceof Char ? value.text : mistake(`no text: ${String(value)}`)
  const isTrue = (value: unknown): boolean => Array.isArray(value) ? value.length > 1 || (value.length === 1 && isTrue(value[0])) : value !== null && value !== undefined && value !== '' && value !== 0 && value !== false
  const number = (value: unknown): number => value === null ? 0 : typeof value === 'number' ? value : mistake(`no number: ${String(value)}`)

  /** What a statement puts out. */
  function run(node: Node): unknown[] {
    const n = core(node)
    switch (n.type) {
      case 'program': case 'statement_list': case 'statement_block': case 'script_block': case 'script_block_body': {
        const out: unknown[] = []
        for (const child of named(n)) {
          if (child.type === 'param_block') continue
          try { out.push(...run(child)) } catch (flow) {
            if (flow instanceof Flow) throw new Flow(flow.kind, [...out, ...flow.out])
            throw flow
          }
        }
        return out
      }
      case 'empty_statement': return []
      case 'function_statement': {
        const [name, ...rest] = named(n)
        const params = n.below('function_parameter_declaration').flatMap(p => p.below('variable')).map(v => nameOf(v.text))
        functions.set(name!.text.toLowerCase(), {params, body: rest.find(c => c.type === 'script_block')})
        return []
      }
      case 'if_statement': {
        const parts = named(n)
        const [test, then, ...others] = parts
        if (isTrue(value(test!))) return run(then!)
        for (const other of others) {
          if (other.type === 'elseif_clauses') {
            for (const clause of named(other)) { const [t, b] = named(clause); if (isTrue(value(t!))) return run(b!) }
          } else if (other.type === 'elseif_clause') {
            const [t, b] = named(other)
            if (isTrue(value(t!))) return run(b!)
          } else return run(named(other)[0]!)
        }
        return []
      }
      case 'while_statement': return loop(function * () { while (isTrue(value(named(n)[0]!))) yield undefined }, named(n)[1]!)
      case 'foreach_statement': {
        const [variable, of, body] = named(n).filter(c => c.type !== 'foreach_parameter')
        const all = value(of!)
        return loop(function * () { for (const one of all === null ? [] : spread(all)) { write(variable!.text, one); yield undefined } }, body!)
      }
      case 'try_statement': {
        const [body, ...clauses] = named(n)
        const saved = scopes
        try { return run(body!) } catch (error) {
          if (error instanceof Flow || error instanceof ScriptMistake || !(error instanceof Error)) throw error
          scopes = saved
          const caught = scopes[0]!
          const before = caught.get('_')
          caught.set('_', new JsonObject({Exception: error instanceof NetError ? error : mistake(`${error.message}\n${error.stack ?? ''}`)}))
          const clause = clauses.flatMap(c => c.type === 'catch_clauses' ? named(c) : [c]).find(c => c.type === 'catch_clause') ?? mistake('no catch')
          try { return run(named(clause).at(-1)!) } finally { caught.set('_', before ?? null) }
        }
      }
      case 'flow_control_statement': {
        const [kind, ...rest] = children(n)
        const word = kind!.text.toLowerCase()
        if (word === 'throw') throw (read('$_') as JsonObject).values['Exception'] as Error // only ever alone, in a catch
        throw new Flow(word as Flow['kind'], rest.length > 0 ? emitted(rest[0]!) : [])
      }
      case 'assignment_expression': { assign(n); return [] }
      default: return emitted(n)
    }
  }

  /** What an expression or a command puts out: lists in their parts, nothing for what is thrown away. */
  const emitted = (node: Node): unknown[] => {
    const n = core(node)
    if (n.type === 'command') return command(n)
    if (/_statement$/.test(n.type)) return run(n)
    const result = value(n)
    return result === undefined ? [] : spread(result)
  }

  function loop(turns: () => Generator<undefined>, body: Node): unknown[] {
    const out: unknown[] = []
    for (const _ of turns()) {
      try { out.push(...run(body)) } catch (flow) {
        if (!(flow instanceof Flow)) throw flow
        if (flow.kind === 'return') throw new Flow('return', [...out, ...flow.out])
        out.push(...flow.out)
        if (flow.kind === 'break') break
      }
    }
    return out
  }

  function assign(n: Node): void {
    const [left, , right] = children(n)
    const target = core(left!)
    const result = collapseAssigned(right!)
    if (target.type === 'member_access') {
      const [of, , member] = children(target)
      const thing = value(of!)
      const name = memberName(member!)
      if (thing instanceof ComThing) thing.set(name, result)
      else if (thing instanceof Map) (thing as Table).set(name, result)
      else mistake(`${target.text} can't be set`)
    } else write(target.text, result)
  }
  const collapseAssigned = (node: Node): unknown => {
    const n = core(node)
    return n.type === 'command' || /_statement$/.test(n.type) ? collapse(emitted(n)) : value(n) ?? null
  }

  function call(name: string, args: unknown[]): unknown[] {
    const {params, body} = functions.get(name.toLowerCase()) ?? mistake(`no command ${name}`)
    if (args.length > params.length) mistake(`${name} takes ${params.length} values`)
    const saved = scopes
    scopes = [new Map(params.map((p, i) => [p, args[i] ?? null])), ...scopes]
    try { return body ? run(body) : [] } catch (flow) {
      if (flow instanceof Flow && flow.kind === 'return') return flow.out
      throw flow
    } finally { scopes = saved }
  }

  function command(n: Node): unknown[] {
    const [first, rest] = children(n)
    const name = first!.text
    const parts = rest ? children(rest).filter(c => c.type !== 'command_argument_sep') : []
    const args = parts.map(part => {
      const c = core(part)
      return c.type === 'generic_token' || c.type === 'command_parameter' ? c.text : value(c)
    })
    switch (name.toLowerCase()) {
      case 'new-object': {
        const [kind, list] = args
        if (kind === '-ComObject') return [list === 'Outlook.Application' ? outlook() : mistake(`no ${String(list)}`)]
        if (kind === 'System.DateTime') { const [y, m, d, ...time] = (list as number[]).slice(0, 6); return [new NetDate(new Date(Date.UTC(y!, m! - 1, d, ...time)))] }
        if (kind === 'System.IO.StreamReader') return [{stdin: true}]
        return mistake(`no ${String(kind)}`)
      }
      case 'convertfrom-json': return [fromJson(JSON.parse(text(args[0])))]
      case 'join-path': return [join(text(args[0]), text(args[1]))]
      default: return call(name, args)
    }
  }
  const fromJson = (json: unknown): unknown => Array.isArray(json) ? json.map(fromJson)
    : typeof json === 'object' && json !== null ? new JsonObject(Object.fromEntries(Object.entries(json).map(([k, v]) => [k, fromJson(v)]))) : json

  const memberName = (node: Node): string => {
    const c = core(node)
    return c.type === 'variable' ? text(read(c.text)) : c.type === 'simple_name' || c.type === 'member_name' ? c.text : mistake(`no member: ${c.text}`)
  }

  /** One value; undefined is what is thrown away. */
  function value(node: Node): unknown {
    const n = core(node)
    // Among the arguments of a call the grammar has names of their own for the same operators.
    switch (n.type.replace('_argument_expression', '_expression')) {
      case 'variable': case '$_': return read(n.text)
      case 'decimal_integer_literal': return Number(n.text)
      case 'verbatim_string_characters': return n.text.slice(1, -1).replaceAll('\'\'', '\'')
      case 'expandable_string_literal': return /[$`]/.test(n.text) ? mistake(`a text that changes: ${n.text}`) : n.text.slice(1, -1)
      case 'parenthesized_expression': return collapse(emitted(children(n)[1]!))
      case 'array_expression': { const inner = children(n).slice(1, -1); return inner.flatMap(c => c.type === 'statement_list' ? run(c) : emitted(c)) }
      case 'array_literal_expression': return children(n).filter(c => c.type !== ',').map(c => value(c) ?? null)
      case 'hash_literal_expression': {
        const table: Table = new Map()
        for (const entry of n.below('hash_entry', 'hash_literal_expression')) {
          const [key, , of] = children(entry)
          table.set(key!.text, collapseAssigned(of!))
        }
        return table
      }
      case 'script_block_expression': return new Block(n)
      case 'logical_expression': {
        const [left, operator, right] = children(n)
        return operator!.text.toLowerCase() === '-or' ? isTrue(value(left!)) || isTrue(value(right!)) : isTrue(value(left!)) && isTrue(value(right!))
      }
      case 'expression_with_unary_operator': {
        const [operator, of] = children(n)
        if (operator!.text.toLowerCase() === '-not') return !isTrue(value(of!))
        return operator!.text === '-' ? -number(value(of!)) : mistake(operator!.text)
      }
      case 'cast_expression': return cast(n.children[0]!.text.slice(1, -1).toLowerCase(), value(n.children[1]!))
      case 'type_literal': return new Type(n.text.slice(1, -1))
      case 'comparison_expression': { const [l, o, r] = children(n); return compare(value(l!), o!.text.toLowerCase(), value(r!)) }
      case 'additive_expression': {
        const [l, o, r] = children(n)
        const [a, b] = [value(l!), value(r!)]
        if (o!.text === '-') return a instanceof NetDate && b instanceof NetDate ? new NetSpan(a.date.getTime() - b.date.getTime()) : number(a) - number(b)
        return typeof a === 'string' ? a + text(b) : number(a) + number(b)
      }
      case 'format_expression': { const [l, , r] = children(n); return format(text(value(l!)), [value(r!)].flat()) }
      case 'element_access': {
        const [of, , index] = children(n)
        const [thing, key] = [value(of!), value(index!)]
        return thing instanceof Map ? (thing as Table).get(text(key)) ?? null : Array.isArray(thing) ? (thing as unknown[])[number(key)] ?? null : mistake(n.text)
      }
      case 'member_access': { const [of, , member] = children(n); return get(value(of!), memberName(member!)) }
      case 'invokation_expression': {
        const [of, , member, list] = children(n)
        const args = list ? list.below('argument_expression_list').slice(0, 1).flatMap(l => children(l)).filter(c => c.type !== ',').map(c => value(c) ?? null) : []
        return invoke(value(of!), memberName(member!), args)
      }
      case 'command': case 'pipeline': return collapse(emitted(n))
      default: return mistake(`no PowerShell of ours: ${n.type} ${n.text}`)
    }
  }
  function cast(type: string, of: unknown): unknown {
    switch (type) {
      case 'void': return undefined
      case 'string': return text(of)
      case 'char': return new Char(text(of).length === 1 ? text(of) : mistake('no character'))
      case 'int': return of instanceof Char ? of.text.charCodeAt(0) : Math.round(number(of))
      case 'long': return Math.round(number(of))
      default: return mistake(`no type ${type}`)
    }
  }

  function compare(a: unknown, operator: string, b: unknown): unknown {
    if (operator === '-is') {
      const {name} = b as Type
      const kind = name.split('.').at(-1)?.toLowerCase()
      return kind === 'bool' ? typeof a === 'boolean' : kind === 'string' ? typeof a === 'string' : kind === 'idictionary' ? a instanceof Map : kind === 'ienumerable' ? Array.isArray(a) : mistake(name)
    }
    if (operator === '-join') return spread(a).map(text).join(text(b))
    if (operator === '-notcontains') return !spread(a).some(one => text(one).toLowerCase() === text(b).toLowerCase())
    if (Array.isArray(a)) return mistake(`${operator} of a list`)
    const small = (of: unknown): unknown => typeof of === 'string' ? of.toLowerCase() : of
    const isSame = (x: unknown, y: unknown): boolean => x === null || y === null ? x === y : typeof x === typeof y ? x === y : mistake(`${operator} of ${typeof x} and ${typeof y}`)
    switch (operator) {
      case '-eq': return isSame(small(a), small(b))
      case '-ne': return !isSame(small(a), small(b))
      case '-ceq': return isSame(a, b)
      case '-cne': return !isSame(a, b)
      case '-lt': return number(a) < number(b)
      case '-le': return number(a) <= number(b)
      case '-gt': return number(a) > number(b)
      case '-ge': return number(a) >= number(b)
      default: return mistake(operator)
    }
  }

  const format = (pattern: string, values: unknown[]): string => pattern.replace(/\{(\d)(?::(\w+))?\}/g, (_, i: string, how?: string) => {
    const of = values[Number(i)]
    if (how === 'x4') return number(of).toString(16).padStart(4, '0')
    if (how === 'X8') return (number(of) >>> 0).toString(16).toUpperCase().padStart(8, '0')
    if (how === 'g' && of instanceof NetDate) return shortTime(of.date)
    return how === undefined ? text(of) : mistake(how)
  })

  function get(of: unknown, name: string): unknown {
    if (of === null) return null
    if (of instanceof ComThing) return of.get(name)
    if (of instanceof Map) return name === 'Keys' ? [...(of as Table).keys()] : (of as Table).has(name) ? (of as Table).get(name) : mistake(`no entry ${name}`)
    if (of instanceof JsonObject) return name in of.values ? of.values[name] : mistake(`the input has no ${name}`)
    if (of instanceof NetError) return name === 'Message' ? of.message : name === 'HResult' ? of.HResult : name === 'InnerException' ? null : mistake(name)
    if (of instanceof NetDate && name === 'Year') return of.date.getFullYear()
    if (of instanceof NetSpan && name === 'TotalMilliseconds') return of.ms
    if (Array.isArray(of) && name === 'Count') return of.length
    if (Buffer.isBuffer(of) && name === 'Length') return of.length
    if (of instanceof Type) return `${of.name}::${name}`
    if (typeof of === 'object' && 'value' in of && name === 'Value') return of.value // a regex's match
    return mistake(`no member ${name} of ${String(of)}`)
  }

  function invoke(of: unknown, name: string, args: unknown[]): unknown {
    if (of === null) throw new NetError('You cannot call a method on a null-valued expression.')
    if (of instanceof ComThing) {
      const method = of.method(name) ?? mistake(`no method ${name} of ${of.constructor.name}`)
      return method.apply(of, args) ?? null // what COM's methods without a result put out is not sure, so it counts
    }
    if (of instanceof Type) {
      switch (`${of.name}::${name}`.toLowerCase()) {
        case 'regex::replace': {
          const [subject, pattern, by] = args
          const replacement = by instanceof Block ? (found: string) => block(by, [{value: found}]) : () => text(by)
          return text(subject).replace(new RegExp(text(pattern), 'g'), replacement)
        }
        case 'system.datetime::parseexact': { const [y, m, d] = text(args[0]).split('-').map(Number); return new NetDate(new Date(y!, m! - 1, d)) }
        case 'system.console::openstandardinput': return 'stdin'
        case 'system.console::openstandardoutput': return {stdout: true}
      }
      return mistake(`no ${of.name}::${name}`)
    }
    if (of === 'System.Text.Encoding::ASCII' && name === 'GetBytes') return Buffer.from(/^[\0-\x7f]*$/.test(text(args[0])) ? text(args[0]) : mistake('not ASCII'))
    if (typeof of === 'string') {
      if (name === 'Trim') return of.trim()
      if (name === 'TrimEnd') return of.trimEnd()
    }
    if (of instanceof NetDate) {
      const moved = new Date(of.date)
      switch (name) {
        case 'ToUniversalTime': case 'ToLocalTime': return of
        case 'AddMilliseconds': return new NetDate(new Date(moved.getTime() + number(args[0])))
        case 'AddMinutes': return new NetDate(new Date(moved.getTime() + 60_000 * number(args[0])))
        case 'AddDays': moved.setDate(moved.getDate() + number(args[0])); return new NetDate(moved)
      }
    }
    if (typeof of === 'number' && name === 'ToString') return String(of)
    if (typeof of === 'object' && 'stdin' in of && name === 'ReadToEnd') return stdin.toString('utf8')
    if (typeof of === 'object' && 'stdout' in of) {
      if (name === 'Write') { written.push(args[0] as Buffer); return null }
      if (name === 'Flush') return null
    }
    return mistake(`no method ${name} of ${String(of)}`)
  }

  function block({node}: Block, args: unknown[]): string {
    const params = node.below('param_block').flatMap(p => p.below('variable')).map(v => nameOf(v.text))
    const saved = scopes
    scopes = [new Map(params.map((p, i) => [p, args[i]])), ...scopes]
    try { return text(collapse(named(node).filter(c => c.type !== 'param_block').flatMap(c => run(c)))) } finally { scopes = saved }
  }

  run(parsePowerShell(source))
  return Buffer.concat(written)
}

/** As the stand-in's region writes a time; it has whole minutes. */
export const shortTime = (date: Date): string => {
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`
}
