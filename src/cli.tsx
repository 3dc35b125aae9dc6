// argv -> command; the exit code; nothing else. Heavy parts are loaded by the command that uses them.
import {Command, CommanderError} from 'commander'
import {ConfigError, errorInfo, UsageError} from './core/errors.ts'
import {printable} from './core/text.ts'
import {packageVersion} from './version.ts'
import type {ProgramText} from './commands/completion.ts'
import type {Options, Session} from './commands/session.ts'

/** Builds the command line; `finish` gets the exit code of the one command that runs. */
function commandLine(signal: AbortSignal, finish: (exitCode: number) => void): Command {
  const program = new Command('tinyagent')
  const withSession = (run: (session: Session, words: string[], own: Record<string, unknown>) => Promise<number>, opening: {mends?: boolean; isServer?: boolean} = {}) => async (...input: unknown[]): Promise<void> => {
    // commander hands over the arguments, then the options, then the command itself.
    const command = input.at(-1) as Command
    const options = command.optsWithGlobals<Options>()
    const words = command.args
    if (options.offline || process.env.TINYAGENT_OFFLINE) (await import('./core/offline.ts')).refuseSockets()
    const {openSession} = await import('./commands/session.ts')
    const session = openSession(options, opening)
    try {
      finish(await run(session, words, command.opts()))
    } catch (error) {
      if (errorInfo(error).code === 'bug' && !signal.aborted) session.journal.bug(error)
      throw error
    } finally {
      await session.close()
    }
  }

  program
    .description('A personal assistant for the terminal that plans with small models on your own machine.')
    .version(packageVersion(), '-V, --version')
    .argument('[request...]', 'what you want done; "-" reads it from standard input; without one the REPL starts')
    .option('--dry-run', 'show the plan and what each step would do; nothing runs')
    .option('--json', 'events as NDJSON on standard output')
    .option('--plain', 'plain labelled lines and numbered answers')
    .option('--yes', 'confirm every step of this request that leaves the machine')
    .option('--now <iso>', 'the clock of the request, e.g. 2026-03-03T09:15:00')
    .option('--model <name>', 'the planner: a name from `tinyagent models`, an endpoint of the config, or a GGUF file')
    .option('--mail <file>', 'the open mail, for replies and forwards')
    .option('--config <file>', 'the config file')
    .option('--home <dir>', 'keep config, data and state under this folder (also TINYAGENT_HOME)')
    .option('--offline', 'make no connection to any host (also TINYAGENT_OFFLINE=1)')
    .option('--audio <file>', 'a spoken request: WAV, or what ffmpeg reads')
    .option('--voice', 'speak the request, and look at it before it is sent')
    .action(withSession(async (session, words) => (await import('./commands/run.ts')).runCommand(words, session, signal)))
    .exitOverride()
    .showHelpAfterError('(tinyagent --help shows the options)')
    .allowExcessArguments(false)

  program.command('plan [request...]').description('the plan alone; nothing runs')
    .action(withSession(async (session, words) => (await import('./commands/plan.ts')).planCommand(words, session, signal)))
  program.command('run <plan.json>').description('run exactly the plan that `plan --json` wrote; - reads it from standard input')
    .action(withSession(async (session, [file = '']) => (await import('./commands/run-plan.ts')).runPlanCommand(file, session, signal)))
  program.command('eval <rows.jsonl>').description('score the planner against gold rows')
    .option('--predictions <out.jsonl>', 'write one prediction a line')
    .option('--failures <n>', 'list this many failed rows', count)
    .action(withSession(async (session, [file = ''], own) => (await import('./commands/eval-command.ts')).runEvalCommand(file, session, own, signal)))
  program.command('serve').description('keep the models warm for other calls, until Ctrl-C')
    .action(withSession(async session => (await import('./commands/serve.ts')).serveCommand(session, signal), {isServer: true}))
  program.command('doctor').description('check the installation and the accounts')
    .option('--network', 'list every host that may be contacted; contacts none')
    .action(withSession(async (session, _words, own) => own.network
      ? (await import('./commands/network.ts')).networkCommand(session.config, session.options.json ?? false)
      : (await import('./commands/doctor.ts')).doctorCommand(session, signal), {mends: true}))
  program.command('models [action...]').description('list the models (list), check their files (verify), fetch a larger one (pull NAME)')
    .action(withSession(async (session, words) => (await import('./commands/models.ts')).modelsCommand(words, session, signal)))
  program.command('tools [action...]').description('what tinyagent can do; new NAME, import FILE, approve [SERVER], sign-in SERVER, revoke NAME, effect NAME read')
    .action(withSession(async (session, words) => (await import('./commands/tools.ts')).toolsCommand(words, session, signal)))
  program.command('mcp [action...]').description('alone: an MCP server on standard input and output, with the tools and the planner for other agents; what your own MCP servers have: list [SERVER], read SERVER URI, prompt SERVER NAME [KEY=VALUE...]')
    .action(withSession(async (session, words) => words.length === 0
      ? (await import('./commands/mcp.ts')).mcpCommand(session, signal)
      : (await import('./commands/mcp-content.ts')).mcpContentCommand(words, session, signal)))
  program.command('config [action...]').description('get KEY, set KEY VALUE, list, path, edit')
    .action(withSession(async (session, words) => (await import('./commands/config.ts')).configCommand(words, session), {mends: true}))
  program.command('instructions [action...]').description('the standing instructions: list, edit, edit here, allow')
    .action(withSession(async (session, words) => (await import('./commands/instructions.ts')).instructionsCommand(words, session)))
  program.command('policy [action...]').description('what may leave without asking: list, add RULE, remove NUMBER')
    .action(withSession(async (session, words) => (await import('./commands/policy.ts')).policyCommand(words, session)))
  program.command('examples [action...]').description('plans that you approved: list, remove NUMBER, remove all')
    .action(withSession(async (session, words) => (await import('./commands/examples.ts')).examplesCommand(words, session)))
  program.command('completion <shell>').description('a completion script for bash, zsh or fish')
    .action(async (shell: string) => { process.stdout.write((await import('./commands/completion.ts')).completion(shell, describeProgram(program))) })
  program.command('man').description('the manual page, for man: tinyagent man | man -l -')
    .action(async () => { process.stdout.write((await import('./commands/man.ts')).manPage(describeProgram(program), packageVersion())) })
  program.command('outbox [action...]').description('what was kept unsent: list, send NUMBER, delete NUMBER')
    .action(withSession(async (session, words) => (await import('./commands/outbox-command.ts')).outboxCommand(words, session, signal)))
  program.command('log').description('what was done')
    .action(withSession(async session => (await import('./commands/log.ts')).logCommand(session)))
  program.command('undo [id]').description('take back the last step on this machine, or the one with this id')
    .action(withSession(async (session, [id]) => (await import('./commands/log.ts')).undoCommand(id, session, signal)))
  program.command('setup [part]').description('on a terminal a wizard that sets up one part after the other, elsewhere a commented config and the folders; "setup mail" sets up your mail account, "setup dav" calendars and contacts on a server, "setup joplin" notes in Joplin, "setup todoist" reminders in Todoist, "setup zoom" your Zoom account, "setup meet" Google Meet, "setup model" a planner on a server, "setup apple" the apps of a Mac, "setup outlook" Outlook on Windows, "setup voice" compiles Whisper for this machine')
    .option('--address <address>', 'the mail address')
    .option('--imap <host:port>', 'the server that mail is read from; found by the address otherwise')
    .option('--smtp <host:port>', 'the server that mail is sent by')
    .option('--url <url>', 'the server of calendars and contacts')
    .option('--user <name>', 'the user name there, if it is not the address')
    .option('--sign-in <provider>', 'sign in by browser and not with a password: google, microsoft or other')
    .option('--device', 'sign in with a code that is typed on another device, where the provider has that')
    .option('--kind <kind>', 'of your app at Zoom: server (an account\'s own) or user (signed in by browser)')
    .option('--account-id <id>', 'of your app at Zoom')
    .option('--client-id <id>', 'of your app at Zoom')
    .option('--name <name>', 'what you call the model on a server')
    .option('--api-version <version>', 'of Azure, where its address has none of /openai/v1')
    .option('--client <file>', 'your client at Google: the JSON file that its console gives')
    .action(withSession(async (session, [part], own) => (await import('./commands/setup.ts')).setupCommand(session, part, own, signal), {mends: true}))
  program.command('transcribe [file]').description('speech to text: WAV, or what ffmpeg reads; --json gives segments with times')
    .action(withSession(async (session, [file]) => (await import('./commands/transcribe.ts')).transcribeCommand(file, session, signal)))
  return program
}

/** What completion and the manual page are made from. */
const describeProgram = (program: Command): ProgramText => ({
  description: program.description(),
  options: program.options.map(o => ({flags: o.flags, description: o.description})),
  commands: program.commands.map(c => ({
    name: c.name(), usage: [c.name(), ...c.registeredArguments.map(a => a.required ? `<${a.name()}>` : `[${a.name()}${a.variadic ? '...' : ''}]`)].join(' '),
    description: c.description(), options: c.options.map(o => ({flags: o.flags, description: o.description})),
  })),
})

function count(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new UsageError(`${text} is not a whole number`)
}

async function main(argv: string[]): Promise<number> {
  const interrupt = new AbortController()
  // The first Ctrl-C stops what runs and lets it say so; the second leaves at once.
  process.on('SIGINT', () => interrupt.signal.aborted ? process.exit(130) : interrupt.abort())
  process.on('SIGTERM', () => interrupt.abort())
  // `tinyagent --json ... | head -1`: the reader has what it wanted.
  process.stdout.on('error', error => {
    if (!('code' in error) || error.code !== 'EPIPE') throw error
    interrupt.abort()
  })
  let exitCode = 0
  try {
    await commandLine(interrupt.signal, code => { exitCode = code }).parseAsync(argv)
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (interrupt.signal.aborted) return 130
    const {code, message} = errorInfo(error)
    const isOurs = code === 'bug'
    const hint = code === 'system' ? '; --home DIR or the config names another place' : ''
    process.stderr.write(`tinyagent: ${printable(message)}${hint}${isOurs ? ' (a bug in tinyagent; the journal has the details)' : ''}\n`)
    return error instanceof UsageError || error instanceof ConfigError ? 2 : 1
  }
}

const exitCode = await main(process.argv)
// Models may keep handles open; what was written to a pipe goes out first.
process.stdout.write('', () => process.exit(exitCode))
