// Programs of the user's own as tools ([tools.shell.NAME] in the config). A value of the plan becomes an argument of the program,
// or a part of one, and never a part of a program's text: there is no shell, and none can be asked for one with a value in it.
import path from 'node:path'
import {z} from 'zod'
import type {ShellTool} from '../../core/config.ts'
import {ToolError} from '../../core/errors.ts'
import {exec} from '../../core/exec.ts'
import {arg, described} from '../../core/params.ts'
import {oneLine, printable} from '../../core/text.ts'
import {tool, type Json, type Tool} from '../../core/types.ts'

const kinds = {
  text: arg.text, title: arg.title, person: arg.person, address: arg.address, phone: arg.phone, file: arg.file, path: arg.path, place: arg.place,
  label: arg.label, when: arg.when, minutes: arg.minutes, integer: arg.integer, number: arg.number, boolean: arg.boolean, any: arg.any,
}

const placeholder = /\{([a-z_]\w*)\}/g
/** Programs that read program text from an argument, and the arguments that it follows. */
const readsCode = /^(?:(?:ba|da|z|k|fi|c|tc)?sh|cmd(?:\.exe)?|powershell(?:\.exe)?|pwsh|python[\d.]*|node|deno|bun|perl|ruby|php|lua|osascript|awk|gawk|mawk|sed|ssh|eval|xargs|env)$/i
const beforeCode = /^(?:-\w*[ceErpn]\w*|\/[ck]|--eval|--print|--command|-Command|-EncodedCommand|-expression)$/i
const maxValue = 20_000
const maxSummary = 400

/** Throws ToolError 'invalid-args' with the key of the config and what would be right. `base`: what a relative `dir` is relative to. */
export function shellTool(name: string, given: ShellTool, base: string): Tool {
  const key = `tools.shell.${name}`
  const wrong = (what: string): ToolError => new ToolError('invalid-args', `${key}${what}`)
  const args = z.object(Object.fromEntries(Object.entries(given.args).map(([argName, raw]) => {
    const {kind: text, values, description = ''} = typeof raw === 'string' ? {kind: raw, values: undefined} : raw
    const kind = text.replace(/\[\]$/, '')
    if (kind === 'choice' && !values) throw wrong(`.args.${argName}: a choice needs its values, e.g. {kind = "choice", values = ["on", "off"]}`)
    if (kind !== 'choice' && !Object.hasOwn(kinds, kind)) throw wrong(`.args.${argName}: there is no kind "${kind}"; known: choice, ${Object.keys(kinds).join(', ')}, and each with "[]" for a list`)
    const one: z.ZodType = kind === 'choice' ? arg.choice(...values!) : kinds[kind as keyof typeof kinds]() // hasOwn has looked
    const schema = text.endsWith('[]') ? z.array(one) : one
    return [argName, description === '' ? schema : described(schema, description)]
  })))
  const [program = '', ...rest] = given.command
  if (program === '' || program.search(placeholder) >= 0) throw wrong('.command: the program itself cannot be an argument')
  const used = new Set<string>()
  for (const [i, part] of rest.entries()) {
    for (const [, argName = ''] of part.matchAll(placeholder)) {
      if (!Object.hasOwn(given.args, argName)) throw wrong(`.command: {${argName}} is not among its args`)
      used.add(argName)
      if (readsCode.test(path.basename(program)) && (beforeCode.test(rest[i - 1] ?? '') || i === 0)) {
        throw wrong(`.command: {${argName}} would be part of a program's text for ${path.basename(program)}; put the program into a file, and hand it the value as an argument`)
      }
    }
  }
  const unused = Object.keys(given.args).find(argName => !used.has(argName))
  if (unused !== undefined) throw wrong(`.args.${unused}: the command has no {${unused}}`)

  const argv = (values: Record<string, Json>): string[] => build(name, rest, values)
  return tool({
    name, description: given.description, args, effect: 'outward', returns: 'any', source: 'document', foreign: true,
    touches: () => [{thing: `shell:${name}`, writes: given.effect !== 'read'}],
    async preview(values: Record<string, Json>) {
      return {
        effect: given.effect, title: oneLine(given.description),
        fields: [
          ...Object.entries(values).map(([label, value]) => ({label, value: Array.isArray(value) ? value.map(String) : String(value), arg: label})),
          {label: 'Runs', value: [program, ...argv(values)].map(part => /^[\w@%+=:,./-]+$/.test(part) ? part : JSON.stringify(part)).join(' ')},
        ],
      }
    },
    async run(values: Record<string, Json>, {signal}) {
      const {code, stdout, stderr} = await exec(program, argv(values), {
        signal, timeoutMs: given.timeout * 1000, ...(given.dir !== undefined && {cwd: path.resolve(base, given.dir)}),
      })
      if (code !== 0) {
        const why = oneLine(stderr.trim().split('\n').at(-1) ?? '').slice(0, maxSummary)
        throw new ToolError('failed', `${program} ended with ${code === undefined ? 'a signal' : `exit code ${code}`}${why === '' ? '' : `: ${why}`}`)
      }
      const text = printable(stdout).trim()
      return {value: text.slice(0, maxValue), summary: text === '' ? `Ran ${name}` : `${name}: ${oneLine(text).slice(0, maxSummary)}`}
    },
  })
}

/** One entry an argument. "{files}" alone is as many entries as the list has. */
function build(name: string, template: string[], values: Record<string, Json>): string[] {
  const text = (value: Json | undefined): string => Array.isArray(value) ? value.map(String).join(',') : String(value ?? '')
  return template.flatMap((part, i) => {
    const whole = /^\{([a-z_]\w*)\}$/.exec(part)?.[1]
    const value = whole === undefined ? undefined : values[whole]
    const entries = Array.isArray(value) ? value.map(String) : [part.replace(placeholder, (_, argName: string) => text(values[argName]))]
    // A name such as "-rf" would be an option.
    const mayBeOption = /^\{/.test(part) && !template.slice(0, i).includes('--')
    const option = mayBeOption ? entries.find(entry => entry.startsWith('-')) : undefined
    if (option !== undefined && !/^-\d+(?:\.\d+)?$/.test(option)) throw new ToolError('refused', `${name}: "${oneLine(option).slice(0, 60)}" would be read as an option of the program; "--" before it in the command allows it`)
    return entries
  })
}
