// `tinyagent man`: the manual page in roff (man(7)), made from the command line's own definitions.
import type {OptionText, ProgramText} from './completion.ts'

/** Text as roff takes it: no line begins a request, dashes are dashes of options. */
const roff = (text: string): string => text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^(['.])/gm, '\\&$1')
const option = ({flags, description}: OptionText): string => `.TP\n.B ${roff(flags)}\n${roff(description)}`

export function manPage({description, options, commands}: ProgramText, version: string): string {
  return `.TH TINYAGENT 1 "" "tinyagent ${roff(version)}" "User Commands"
.SH NAME
tinyagent \\- ${roff(description.replace(/\.$/, ''))}
.SH SYNOPSIS
.B tinyagent
[options] [request...]
.br
.B tinyagent
[options] command
.SH DESCRIPTION
Without a request the REPL starts; \\(lq\\-\\(rq reads the request from standard input. What leaves the machine is confirmed first.
.SH OPTIONS
${options.map(option).join('\n')}
.SH COMMANDS
${commands.map(c => [`.TP\n.B ${roff(c.usage)}\n${roff(c.description)}`, ...c.options.map(o => `.RS\n${option(o)}\n.RE`)].join('\n')).join('\n')}
.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
failed
.TP
.B 2
the command line or the config is wrong
.TP
.B 3
a step needs a confirmation that nobody could give
.TP
.B 4
partly done
.TP
.B 130
interrupted
.SH ENVIRONMENT
.TP
.B TINYAGENT_HOME
keeps config, data and state under this folder
.TP
.B VISUAL, EDITOR
the editor for texts and for the config
.TP
.B NO_COLOR
no colours
`
}
