// Writes the generated parts of the documentation: docs/events.md from the Event type, and README's tables of tools, commands
// and options from the specs and the command line's own source. `npm run docs`; tests/docs.test.ts says when they are stale.
import {readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {pathToFileURL} from 'node:url'
import ts from 'typescript'
import {paramsOf} from '../src/core/params.ts'
import {specs} from '../src/tools/specs.ts'

const root = path.resolve(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8')
const cell = (text: string): string => text.replace(/\s+/g, ' ').replace(/\|/g, '\\|').trim()
const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows.map(row => row.map(cell))].map(row => `| ${row.join(' | ')} |`).join('\n')

/** The text of each generated file, by its path. */
export function generate(): Record<string, string> {
  const readme = [['tools', tools()], ['commands', commands()], ['options', options()]] as const
  return {
    'docs/events.md': events(),
    'README.md': readme.reduce((text, [name, part]) => between(text, name, part), read('README.md')),
  }
}

/** Puts `part` between the two markers of that name. */
function between(text: string, name: string, part: string): string {
  const marked = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`)
  if (!marked.test(text)) throw new Error(`README.md has no <!-- ${name} --> ... <!-- /${name} -->`)
  return text.replace(marked, (_, start: string, end: string) => `${start}${part}\n${end}`)
}

const effects = {read: 'looks up', local: 'changes this machine, can be undone', outward: 'asks first'}

const tools = (): string => table(['tool', 'what it does', 'arguments', 'effect, at most'],
  specs.map(spec => [`\`${spec.name}\``, spec.description, paramsOf(spec).map(p => p.name).join(', '), effects[spec.effect]]))

/** From the calls of commander in src/cli.tsx, which cannot be imported: it runs. */
const commands = (): string => table(['command', 'what it does'], [
  ['`tinyagent`', 'the REPL'], ['`tinyagent "..."`', 'one request; `-` reads it from standard input'],
  ...[...read('src/cli.tsx').matchAll(/program\.command\('([^']+)'\)\.description\('([^']+)'\)/g)].map(m => [`\`tinyagent ${m[1]}\``, m[2]!]),
])

/** Those of every command first, then those of one, under its name. */
const options = (): string => table(['option', 'what it does'], read('src/cli.tsx').split(/(?=program\.command\()/).flatMap(part => {
  const command = /^program\.command\('(\w+)/.exec(part)?.[1]
  return [...part.matchAll(/\.option\('([^']+)', '([^']+)'/g)].map(m => [`${command ? `${command} ` : ''}\`${m[1]}\``, m[2]!])
}))

/** Names of our own types in a piece of types.ts. */
const namesIn = (node: ts.Node): string[] => {
  const found: string[] = []
  const visit = (n: ts.Node): void => {
    if (ts.isTypeReferenceNode(n)) found.push(n.typeName.getText())
    ts.forEachChild(n, visit)
  }
  visit(node)
  return found
}

function events(): string {
  const source = ts.createSourceFile('types.ts', read('src/core/types.ts'), ts.ScriptTarget.Latest, true)
  const declarations = new Map(source.statements.filter(s => ts.isTypeAliasDeclaration(s) || ts.isInterfaceDeclaration(s)).map(s => [s.name.text, s]))
  const union = declarations.get('Event')
  if (!union || !ts.isTypeAliasDeclaration(union) || !ts.isUnionTypeNode(union.type)) throw new Error('src/core/types.ts has no union Event')
  const rows = union.type.types.map(member => {
    if (!ts.isTypeLiteralNode(member)) throw new Error(`${member.getText()} is no object type`)
    const fields = member.members.filter(ts.isPropertySignature).map(f => ({name: f.name.getText() + (f.questionToken ? '?' : ''), type: f.type?.getText() ?? ''}))
    const [type, ...rest] = fields
    return [`\`${type?.type.replace(/'/g, '')}\``, rest.map(f => `\`${f.name}: ${f.type}\``).join(', '), commentOf(source, member, union.type.getStart())]
  })
  const needed = new Set<string>()
  const need = (node: ts.Node): void => {
    for (const name of namesIn(node)) {
      const declaration = declarations.get(name)
      if (!declaration || needed.has(name)) continue
      needed.add(name)
      need(declaration)
    }
  }
  need(union)
  return `# Events

<!-- Written by \`npm run docs\` from src/core/types.ts. Do not edit. -->

\`tinyagent --json\` prints one event a line, as JSON, in the order in which things happen: \`request\` first, one \`done\` last.
The terminal interface, the plain lines and the journal read the same events. A reader should pass over events and fields
that it does not know.

${table(['type', 'other fields', ''], rows)}

## What is in them

\`\`\`ts
${[...declarations].filter(([name]) => needed.has(name)).map(([, node]) => source.text.slice(node.getFullStart(), node.end).trim()).join('\n\n')}
\`\`\`
`
}

/** The doc comment before a member of the union that begins at `start`; the "|" between the two is no part of the member. */
function commentOf(source: ts.SourceFile, node: ts.Node, start: number): string {
  const before = source.text.slice(Math.max(start, source.text.lastIndexOf('}', node.getStart())), node.getStart())
  return /\/\*\*([^]*?)\*\//.exec(before)?.[1]?.replace(/\s*\*\s/g, ' ').trim() ?? ''
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [file, text] of Object.entries(generate())) writeFileSync(path.join(root, file), text)
}
