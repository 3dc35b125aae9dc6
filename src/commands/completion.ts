// `tinyagent completion bash|zsh|fish`: scripts made from the command line's own definitions.
import {UsageError} from '../core/errors.ts'

export interface OptionText { /** "--now <iso>" */ flags: string; description: string }
export interface CommandText { name: string; /** "undo [id]" */ usage: string; description: string; options: OptionText[] }
export interface ProgramText { description: string; options: OptionText[]; commands: CommandText[] }

/** The words that come after a command's name. */
const actions: Record<string, string[]> = {
  config: ['get', 'set', 'list', 'path', 'edit'], models: ['list', 'verify'], completion: ['bash', 'zsh', 'fish'],
  instructions: ['list', 'edit', 'allow'], policy: ['list', 'add', 'remove'], examples: ['list', 'remove'],
  mcp: ['list', 'read', 'prompt'], tools: ['list', 'new', 'import', 'approve', 'sign-in', 'sign-out', 'revoke', 'effect'],
}
/** Options whose value is a folder; other values are files. */
const folders = new Set(['--home'])

const long = ({flags}: OptionText): string => /--[\w-]+/.exec(flags)?.[0] ?? ''
const takesFile = ({flags}: OptionText): boolean => /<(?:file|dir|name|.*\.\w+)>/.test(flags)
/** In single quotes of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Throws UsageError for a shell that there is no script for. */
export function completion(shell: string, program: ProgramText): string {
  if (shell === 'bash') return bash(program)
  if (shell === 'zsh') return zsh(program)
  if (shell === 'fish') return fish(program)
  throw new UsageError(`completion ${shell}: there is bash, zsh and fish`)
}

function bash({options, commands}: ProgramText): string {
  const withFile = options.filter(o => takesFile(o) && !folders.has(long(o))).map(long)
  return `# bash completion for tinyagent: source <(tinyagent completion bash)
_tinyagent() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command='' word
  COMPREPLY=()
  case $prev in
    ${withFile.join('|')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    ${[...folders].join('|')}) COMPREPLY=($(compgen -d -- "$cur")); return ;;
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in ${commands.map(c => c.name).join('|')}) command=$word; break ;; esac
  done
  if [[ $cur == -* ]]; then
    case $command in
${commands.filter(c => c.options.length > 0).map(c => `      ${c.name}) COMPREPLY=($(compgen -W '${[...options, ...c.options].map(long).join(' ')}' -- "$cur")) ;;\n`).join('')}      *) COMPREPLY=($(compgen -W '${options.map(long).join(' ')}' -- "$cur")) ;;
    esac
    return
  fi
  case $command in
    '') COMPREPLY=($(compgen -W '${commands.map(c => c.name).join(' ')}' -- "$cur")) ;;
${commands.filter(c => actions[c.name]).map(c => `    ${c.name}) COMPREPLY=($(compgen -W '${actions[c.name]!.join(' ')}' -- "$cur")) ;;\n`).join('')}    run|eval) COMPREPLY=($(compgen -f -- "$cur")) ;;
  esac
}
complete -o filenames -F _tinyagent tinyagent
`
}

function zsh({options, commands}: ProgramText): string {
  const escaped = (text: string): string => text.replace(/[[\]:\\]/g, '\\$&')
  const spec = (o: OptionText): string => quoted(`${long(o)}[${escaped(o.description)}]${/</.test(o.flags) ? `:value:${folders.has(long(o)) ? '_files -/' : takesFile(o) ? '_files' : ''}` : ''}`)
  return `#compdef tinyagent
# zsh completion for tinyagent: tinyagent completion zsh > a folder of $fpath/_tinyagent
_tinyagent() {
  local -a commands
  commands=(
${commands.map(c => `    ${quoted(`${c.name}:${escaped(c.description)}`)}`).join('\n')}
  )
  _arguments -C \\
${options.map(o => `    ${spec(o)} \\`).join('\n')}
    '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest)
      case $words[1] in
${commands.filter(c => actions[c.name]).map(c => `        ${c.name}) _values action ${actions[c.name]!.join(' ')} ;;`).join('\n')}
        run|eval) _files ;;
      esac ;;
  esac
}
if [ "$funcstack[1]" = _tinyagent ]; then _tinyagent "$@"; else compdef _tinyagent tinyagent; fi
`
}

function fish({options, commands}: ProgramText): string {
  const option = (o: OptionText, condition = ''): string =>
    `complete -c tinyagent${condition} -l ${long(o).slice(2)} -d ${quoted(o.description)}${/</.test(o.flags) ? takesFile(o) ? ' -r -F' : ' -x' : ''}`
  const names = commands.map(c => c.name).join(' ')
  return [
    '# fish completion for tinyagent: tinyagent completion fish > ~/.config/fish/completions/tinyagent.fish',
    'complete -c tinyagent -f',
    ...options.map(o => option(o)),
    ...commands.map(c => `complete -c tinyagent -n "not __fish_seen_subcommand_from ${names}" -a ${c.name} -d ${quoted(c.description)}`),
    ...commands.flatMap(c => c.options.map(o => option(o, ` -n "__fish_seen_subcommand_from ${c.name}"`))),
    ...Object.entries(actions).map(([name, words]) => `complete -c tinyagent -n "__fish_seen_subcommand_from ${name}" -a "${words.join(' ')}"`),
    'complete -c tinyagent -n "__fish_seen_subcommand_from run eval" -F',
    '',
  ].join('\n')
}
