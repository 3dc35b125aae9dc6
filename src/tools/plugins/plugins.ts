// A folder of plug-ins: JavaScript or TypeScript files whose default export gives tools in the form of docs/adding-a-tool.md. Each
// is code of the user's own and runs as tinyagent itself does; one that is wrong is reported and the others are there.
import {existsSync, readdirSync} from 'node:fs'
import {createRequire, register} from 'node:module'
import path from 'node:path'
import {pathToFileURL} from 'node:url'
import {z} from 'zod'
import {ToolError, reasonOf} from '../../core/errors.ts'
import {arg, paramsOf} from '../../core/params.ts'
import {tool, type Tool} from '../../core/types.ts'

/** What a plug-in gets: it cannot import tinyagent from wherever it lies. */
export interface PluginApi { tool: typeof tool; arg: typeof arg; z: typeof z; ToolError: typeof ToolError }
const api: PluginApi = {tool, arg, z, ToolError}

/** A plug-in that waits for something when it is loaded must not keep everything waiting. */
const loadMs = 5_000

const fn = z.custom<(...args: never[]) => unknown>(value => typeof value === 'function', 'expected a function')
const form = z.object({
  name: z.string().regex(/^[a-z_][a-z0-9_]{0,47}$/, 'expected a name such as "set_timer"'),
  description: z.string().trim().min(1, 'expected one line that says what it does').max(1000),
  args: z.custom<z.ZodObject>(value => value instanceof z.ZodObject, 'expected z.object({...}) made with the z and arg that the plug-in is given'),
  effect: z.enum(['read', 'local', 'outward'], 'expected "read", "local" or "outward"'),
  returns: z.enum(['address', 'phone', 'path', 'text', 'link', 'any', 'none'], 'expected "text", "path", "link", "address", "phone", "any" or "none"').default('any'),
  source: z.enum(['lookup', 'document']).default('document'),
  preview: fn, run: fn, undo: fn.optional(), touches: fn.optional(),
}).refine(({effect, undo}) => effect !== 'local' || undo, {path: ['undo'], message: 'a tool with the effect "local" needs undo'})

export interface Plugins { tools: {file: string; tool: Tool}[]; problems: string[] }

/** Never throws. Files whose names begin with "." or "_" or hold ".test." or ".d." are left alone. */
export async function loadPlugins(dir: string): Promise<Plugins> {
  const plugins: Plugins = {tools: [], problems: []}
  if (!existsSync(dir)) return plugins
  let files: string[]
  try {
    files = readdirSync(dir).filter(f => /^[^._].*\.(?:[cm]?js|m?ts)$/.test(f) && !/\.(?:test|d)\./.test(f)).sort()
  } catch (error) {
    return {tools: [], problems: [`${dir}: ${reasonOf(error)}`]}
  }
  for (const name of files) {
    const file = path.join(dir, name)
    try {
      const given = await load(file)
      for (const [i, raw] of (Array.isArray(given) ? given : [given]).entries()) plugins.tools.push({file, tool: checked(raw, i)})
    } catch (error) {
      plugins.problems.push(`${file}: ${reasonOf(error)}`)
    }
  }
  return plugins
}

async function load(file: string): Promise<unknown> {
  if (/ts$/.test(file)) readTypeScript()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it was not loaded within ${loadMs / 1000} seconds; work belongs into run`)), loadMs)
  })
  try {
    return await Promise.race([late, (async () => {
      const module = await import(/* @vite-ignore */ pathToFileURL(file).href) as {default?: unknown} // a module is an object
      if (module.default === undefined) throw new Error('it has no default export: export default ({tool, arg, z}) => [tool({...})]')
      return typeof module.default === 'function' ? await (module.default as (given: PluginApi) => unknown)(api) : module.default
    })()])
  } finally {
    clearTimeout(timer)
  }
}

/** Types are taken out as Node 22.18 does it by itself; enums and namespaces are code, and not part of that. */
let isReading = false
function readTypeScript(): void {
  if (isReading || 'typescript' in process.features && process.features.typescript !== false) return
  isReading = true
  const stripper = pathToFileURL(createRequire(import.meta.url).resolve('@swc/wasm-typescript')).href
  const hooks = `import {readFile} from 'node:fs/promises'
import swc from ${JSON.stringify(stripper)}
export async function load(url, context, next) {
  if (!url.startsWith('file:') || !/[.]m?ts$/.test(url)) return next(url, context)
  const {code} = swc.transformSync(await readFile(new URL(url), 'utf8'), {mode: 'strip-only', module: true, filename: url})
  return {format: 'module', source: code, shortCircuit: true}
}`
  register(`data:text/javascript,${encodeURIComponent(hooks)}`)
}

function checked(raw: unknown, index: number): Tool {
  const label = typeof raw === 'object' && raw !== null && 'name' in raw && typeof raw.name === 'string' ? raw.name : `tool ${index + 1}`
  const parsed = form.safeParse(raw)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new Error(`${label}: ${issue.path.join('.') || 'it'}: ${issue.message.replace(/^Invalid input: /, '')}`)
  }
  // The form was checked; of its functions only that they are some. They keep their `this`.
  const given = Object.assign(Object.create(Object.getPrototypeOf(raw) as object) as object, raw, {returns: parsed.data.returns, source: parsed.data.source, foreign: true}) as Tool
  paramsOf(given)
  return given
}

/** What `tinyagent tools new NAME` writes: it works as it is. */
export const example = (name: string): string => `// ${name}: a tool of your own. tinyagent finds it by its description and calls it at once; \`tinyagent tools\` lists it, and
// \`tinyagent --dry-run "..."\` shows what it would do. docs/adding-a-tool.md says more.
import {appendFile, mkdir} from 'node:fs/promises'
import {homedir} from 'node:os'
import path from 'node:path'

const file = path.join(homedir(), '${name}.txt')

export default ({tool, arg, z, ToolError}) => [tool({
  name: '${name}',
  // One line, in the words of a request for it: it decides when the tool is offered.
  description: 'Write down how much water was drunk.',
  // In the order of a call. arg has: text, title (free text); person, place, label, file (words of the request); when (a date or
  // time, handed over as "2026-03-03 15:00:00"); minutes, integer, number, boolean; choice('small', 'large'); a list is z.array(...).
  // Nothing is optional: "", [], 0 and false mean "not said".
  args: z.object({
    amount: arg.number(),
    unit: arg.choice('glasses', 'litres'),
  }),
  // The most that it can do: 'read' looks something up, 'local' changes this machine and needs undo, 'outward' cannot be taken
  // back. It asks before each call until \`tinyagent tools effect ${name} read\` (or local) says that you trust this word of it.
  effect: 'outward',
  // What the result is: 'text', 'link', 'path', 'address', 'phone', or 'none'.
  returns: 'none',
  // What this call would do, for the confirmation. It must not change anything.
  preview: async ({amount, unit}) => ({
    effect: 'outward',
    title: 'Water',
    fields: [{label: 'Amount', value: \`\${amount} \${unit}\`, arg: 'amount'}, {label: 'File', value: file}],
  }),
  // now is the clock of the request, signal aborts when the user cancels, key is the same when the same call is tried again.
  run: async ({amount, unit}, {now, signal}) => {
    if (amount <= 0) throw new ToolError('invalid-args', 'Say how much you drank, e.g. "2 glasses".')
    signal.throwIfAborted()
    await mkdir(path.dirname(file), {recursive: true})
    await appendFile(file, \`\${now.toISOString()} \${amount} \${unit}\\n\`)
    return {value: \`\${amount} \${unit}\`, summary: \`Wrote down \${amount} \${unit} of water\`, where: file}
  },
})]
`
