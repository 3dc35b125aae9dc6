// `tinyagent doctor`: checks what the program stands on, one line each, with what to do where something is wrong.
import {accessSync, constants, existsSync, readdirSync} from 'node:fs'
import path from 'node:path'
import {reasonOf} from '../core/errors.ts'
import {isInstalled} from '../core/exec.ts'
import {chosenEndpoint, endpointsOf, isElsewhere, whatItGets, whatItWrites} from '../core/model/endpoints.ts'
import {chosenWriter, openWriter} from '../core/model/writers.ts'
import {chat, hostOf, listModels, type Endpoint} from '../core/model/openai.ts'
import {modelFiles, openModels, verify} from '../core/models.ts'
import {loadOnnx} from '../core/onnx.ts'
import {makeFolder} from '../core/paths.ts'
import {printable} from '../core/text.ts'
import {installRecorder, recorderName} from '../core/recorder.ts'
import {buildCommand, openWhisper, whatToInstall, whisperBuild, whisperFolder} from '../core/voice/whisper.ts'
import {appsOf, checkApp} from '../tools/apple/check.ts'
import {checkOutlook, outlookAreasOf} from '../tools/outlook/check.ts'
import {davAccount, davAreas, isDav} from '../tools/dav/account.ts'
import {checkAccount} from '../tools/dav/check.ts'
import {specs} from '../tools/specs.ts'
import {ownToolChecks} from './doctor-tools.ts'
import {plannerFile, type Session} from './session.ts'
import {isMadeForThisMachine} from './setup-voice.ts'

/** `note`: worth knowing, nothing is broken. */
export interface Check { name: string; state: 'ok' | 'note' | 'bad'; detail: string }

export async function doctorCommand(session: Session, signal: AbortSignal): Promise<number> {
  const checks = [nodeCheck(), ...configChecks(session), ...await modelChecks(signal), ...await endpointChecks(session, signal), ...await writerChecks(session), ...await nativeChecks(), ...folderChecks(session), ...await mailChecks(session, signal), ...await davChecks(session, signal), ...await meetingChecks(session, signal), ...await joplinChecks(session, signal), ...await todoistChecks(session, signal), ...await adbChecks(session, signal), ...programChecks(), ...await appleChecks(session, signal), ...await outlookChecks(session, signal), ...await indexChecks(session, signal), ...await ownToolChecks(session, signal)]
  if (session.options.json) process.stdout.write(`${JSON.stringify(checks)}\n`)
  else for (const {name, state, detail} of checks) process.stdout.write(`${state.padEnd(5)} ${name}: ${printable(detail)}\n`)
  return checks.some(c => c.state === 'bad') ? 1 : 0
}

function nodeCheck(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const isNew = major > 20 || (major === 20 && minor >= 19)
  return {name: 'node', state: isNew ? 'ok' : 'bad', detail: isNew ? process.versions.node : `${process.versions.node}; 20.19 or newer is needed`}
}

function configChecks({config, configError, options}: Session): Check[] {
  if (configError) return [{name: 'config', state: 'bad', detail: `${configError.message}; \`tinyagent config edit\` opens it`}]
  const checks: Check[] = [
    {name: 'config', state: 'ok', detail: existsSync(config.file) ? config.file : `none, defaults are used (${config.file}; \`tinyagent setup\` writes one)`},
  ]
  for (const name of Object.keys(config.confirm.policy).filter(n => !specs.some(s => s.name === n))) {
    checks.push({name: 'config', state: 'note', detail: `confirm.policy.${name}: no tool of tinyagent's own has this name (\`tinyagent tools\`)`})
  }
  try {
    plannerFile(config, options.model)
  } catch (error) {
    checks.push({name: 'config', state: 'bad', detail: reasonOf(error)})
  }
  return checks
}

async function modelChecks(signal: AbortSignal): Promise<Check[]> {
  try {
    const models = openModels()
    const checks: Check[] = []
    for (const entry of models.list) {
      const problems = (await verify(models, entry, signal)).filter(f => f.problem).map(f => `${f.file}: ${f.problem}`)
      checks.push({
        name: `${entry.role} model`, state: problems.length > 0 ? 'bad' : 'ok',
        detail: problems.length > 0 ? `${problems.join(', ')}; install tinyagent again` : `${entry.name}, checksums right`,
      })
    }
    for (const role of ['planner', 'retriever', 'whisper'] as const) {
      if (!models.list.some(m => m.role === role)) checks.push({name: `${role} model`, state: 'bad', detail: 'not in models/manifest.json; install tinyagent again'})
    }
    return checks
  } catch (error) {
    return [{name: 'models', state: 'bad', detail: reasonOf(error)}]
  }
}

/** Of one endpoint: a local model may have to be loaded for its answer. */
const endpointMs = 30_000

/** Each endpoint of the config: reached, the key right, the model there. One that is not the planner is a note. */
async function endpointChecks({config, configError, options}: Session, signal: AbortSignal): Promise<Check[]> {
  if (configError) return []
  const chosen = chosenEndpoint(config, options.model)?.name
  return Promise.all(endpointsOf(config).map(async (endpoint): Promise<Check> => {
    const name = `model ${endpoint.name}`
    const where = `${isElsewhere(endpoint) ? '' : 'on this machine; '}${whatItGets(endpoint)}`
    try {
      return {name, state: 'ok', detail: `${await endpointState({...endpoint, timeoutMs: Math.min(endpoint.timeoutMs, endpointMs)}, signal)}; ${where}`}
    } catch (error) {
      signal.throwIfAborted()
      return {name, state: endpoint.name === chosen ? 'bad' : 'note', detail: `${reasonOf(error)}${endpoint.name === chosen ? '' : ' (it is not the planner)'}`}
    }
  }))
}

/** The sub-agents' model, where one is chosen; an endpoint is tried as such. */
async function writerChecks({config, configError}: Session): Promise<Check[]> {
  if (configError) return []
  const name = 'writer'
  try {
    const writer = chosenWriter(config)
    if (!writer) return []
    if ('endpoint' in writer) return [{name, state: 'ok', detail: `${writer.name}; it gets ${whatItWrites}`}]
    await (await openWriter(writer, config)).close()
    return [{name, state: 'ok', detail: `${writer.file} can be loaded`}]
  } catch (error) {
    return [{name, state: 'bad', detail: reasonOf(error)}]
  }
}

/** Throws ModelError. */
export async function endpointState(endpoint: Endpoint, signal: AbortSignal): Promise<string> {
  const models = await listModels(endpoint, signal)
  if (models?.includes(endpoint.model)) return `${hostOf(endpoint)} has ${endpoint.model}`
  // No list, or one that calls the model otherwise (llama.cpp takes any name): a word from it shows that it is there.
  for await (const text of chat(endpoint, [{role: 'user', content: 'Say OK.'}], signal)) if (text.trim() !== '') break
  return `${hostOf(endpoint)} answers${models ? `, and lists ${models.slice(0, 5).join(', ') || 'no model'}${models.length > 5 ? ' ...' : ''}` : ''}`
}

async function nativeChecks(): Promise<Check[]> {
  const load = async (name: string, what: string, open: () => Promise<unknown>): Promise<Check> => {
    try {
      await open()
      return {name, state: 'ok', detail: what}
    } catch (error) {
      const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0]!
      return {name, state: 'bad', detail: `cannot be loaded (${reason}); run npm install again on this machine`}
    }
  }
  return [
    // "never" and no log: a check starts no compiler and prints nothing of its own.
    await load('node-llama-cpp', 'runs the planner', async () => {
      const {getLlama, LlamaLogLevel} = await import('node-llama-cpp')
      const llama = await getLlama({build: 'never', logLevel: LlamaLogLevel.error, progressLogs: false})
      await llama.dispose()
    }),
    await load('onnxruntime-node', 'runs the tool retriever', loadOnnx),
    await whisperCheck(),
  ]
}

async function whisperCheck(): Promise<Check> {
  const name = 'smart-whisper'
  const folder = whisperFolder()
  const build = whisperBuild(folder)
  if (folder === undefined || build !== 'built') return {name, state: 'note', detail: `no voice: ${whatToInstall[build === 'built' ? 'absent' : build]}`}
  try {
    const whisper = await openWhisper(modelFiles(openModels(), 'whisper')[0]!)
    whisper.close()
  } catch (error) {
    return {name, state: 'bad', detail: reasonOf(error)}
  }
  return isMadeForThisMachine(folder)
    ? {name, state: 'ok', detail: 'turns speech into text'}
    : {name, state: 'note', detail: `not compiled for this machine, and much slower than it could be: \`${buildCommand}\` compiles it again`}
}

function folderChecks({config}: Session): Check[] {
  const folders = {state: config.paths.state, ...config.dirs}
  return Object.entries(folders).map(([name, dir]): Check => {
    try {
      makeFolder(dir)
      accessSync(dir, constants.W_OK)
      return {name: `${name} folder`, state: 'ok', detail: dir}
    } catch (error) {
      return {name: `${name} folder`, state: 'bad', detail: `${dir} cannot be written: ${reasonOf(error)}; the config or --home names another folder`}
    }
  })
}

/** The servers of calendars, reminders and contacts: the login, and what is there. */
async function davChecks({config}: Session, signal: AbortSignal): Promise<Check[]> {
  const kinds = {calendar: 'event', reminders: 'todo', contacts: 'card'} as const
  return Promise.all(davAreas.filter(area => isDav(config, area)).map(async (area): Promise<Check> => {
    const name = `${area} server`
    try {
      const {host, names, organizers} = await checkAccount(davAccount(config, area), kinds[area], signal)
      const wanted = config.values[area].default
      const isMissing = wanted !== '' && !names.some(n => n.toLowerCase() === wanted.toLowerCase())
      const invites = organizers.length > 0 ? `; it sends the invitations of ${organizers.join(', ')}` : ''
      return isMissing
        ? {name, state: 'note', detail: `${host} has no "${wanted}" (${area}.default): it has ${names.join(', ') || 'none yet'}`}
        : {name, state: 'ok', detail: `${host}: ${names.join(', ') || 'none yet, one is made when it is needed'}${invites}`}
    } catch (error) {
      signal.throwIfAborted()
      return {name, state: 'bad', detail: reasonOf(error)}
    }
  }))
}

/** The Mac's own apps that the config names: there, and allowed to be asked. */
async function appleChecks({config, configError}: Session, signal: AbortSignal): Promise<Check[]> {
  return configError ? [] : checkEach(appsOf(config).map(app => ({name: app, check: () => checkApp(app, signal)})), signal)
}

/** What the config keeps in classic Outlook: there, and allowed to be asked for. */
async function outlookChecks({config, configError}: Session, signal: AbortSignal): Promise<Check[]> {
  const areas = configError ? [] : outlookAreasOf(config)
  if (areas.length === 0) return []
  return [
    {name: 'Outlook', state: 'note', detail: 'was never tried on a real Windows: look at what it makes'},
    ...await checkEach(areas.map(area => ({name: `Outlook's ${area}`, check: () => checkOutlook(area, signal)})), signal),
  ]
}

/** One after the other: the system asks the user about each. */
async function checkEach(apps: {name: string; check(): Promise<string>}[], signal: AbortSignal): Promise<Check[]> {
  const checks: Check[] = []
  for (const {name, check} of apps) {
    try {
      checks.push({name, state: 'ok', detail: await check()})
    } catch (error) {
      signal.throwIfAborted()
      checks.push({name, state: 'bad', detail: reasonOf(error)})
    }
  }
  return checks
}

/** Of one login. */
const loginMs = 15_000

async function mailChecks({config, configError}: Session, signal: AbortSignal): Promise<Check[]> {
  if (configError || config.mail.backend !== 'imap') return []
  const [{accountOf, loggedIn, nameOf}, {withImap}, {checkSmtp}, {settleDoubts}] = await Promise.all([
    import('../tools/mail/account.ts'), import('../tools/mail/imap.ts'), import('../tools/mail/smtp.ts'), import('../tools/mail/smtp-imap.ts'),
  ])
  const login = async (name: string, work: (limit: AbortSignal) => Promise<string>): Promise<Check> => {
    const limit = AbortSignal.timeout(loginMs)
    try {
      return {name, state: 'ok', detail: await work(AbortSignal.any([signal, limit]))}
    } catch (error) {
      signal.throwIfAborted()
      return {name, state: 'bad', detail: limit.aborted ? `no answer within ${loginMs / 1000} seconds` : reasonOf(error)}
    }
  }
  let account: ReturnType<typeof accountOf>
  try {
    account = accountOf(config)
  } catch (error) {
    return [{name: 'mail account', state: 'bad', detail: reasonOf(error)}]
  }
  const {imap, smtp, address} = account
  return [
    await login('mail, IMAP', async limit => {
      const mails = await loggedIn(account, imap, limit, secret => withImap(imap, secret, limit, async client => (await client.status('INBOX', {messages: true}))))
      return `${nameOf(imap)} lets ${address} in; ${mails ? mails.messages ?? 0 : 0} mails in the inbox`
    }),
    await login('mail, SMTP', async limit => {
      await loggedIn(account, smtp, limit, secret => checkSmtp(smtp, secret, limit))
      return `${nameOf(smtp)} lets ${address} in`
    }),
    ...(await settleDoubts(account, config.dirs.mail, signal)).map(({path: file, subject, where}): Check => where === undefined
      ? {name: 'mail in doubt', state: 'note', detail: `'${subject}' may have gone: look at Sent, or ask who should have it; then remove ${file}`}
      : {name: 'mail in doubt', state: 'ok', detail: `'${subject}' went: it is in ${where}`}),
    ...waitingCheck(path.join(config.dirs.mail, 'outbox')),
  ]
}

/** The account lets us in; no meeting is made for a check. */
async function meetingChecks({config, configError}: Session, signal: AbortSignal): Promise<Check[]> {
  const {provider, zoom} = config.meetings
  if (configError || (provider !== 'zoom' && provider !== 'meet')) return []
  const name = provider === 'zoom' ? 'zoom' : 'google meet'
  const [{meetTokens, zoomLogin}, {checkMeet, meetHost}] = await Promise.all([import('../tools/zoom/account.ts'), import('../tools/zoom/google-meet.ts')])
  try {
    if (provider === 'meet') {
      await checkMeet(meetTokens(config), signal)
      return [{name, state: 'ok', detail: `${meetHost} takes your sign-in`}]
    }
    await zoomLogin(config).tokens.token(signal)
    return [{name, state: 'ok', detail: `zoom.us ${zoom.auth === 'user' ? 'takes your sign-in' : 'lets the app in'}`}]
  } catch (error) {
    signal.throwIfAborted()
    return [{name, state: 'bad', detail: reasonOf(error)}]
  }
}

async function joplinChecks({config, configError}: Session, signal: AbortSignal): Promise<Check[]> {
  if (configError || config.values.notes.backend !== 'joplin') return []
  const [{joplinOptions}, {joplinNotebooks}] = await Promise.all([import('../tools/index.ts'), import('../tools/notes/joplin.ts')])
  try {
    const notebooks = await joplinNotebooks(joplinOptions(config), signal)
    return [{name: 'joplin', state: 'ok', detail: `takes the token and has ${notebooks.length} notebooks`}]
  } catch (error) {
    signal.throwIfAborted()
    return [{name: 'joplin', state: 'bad', detail: reasonOf(error)}]
  }
}

async function todoistChecks({config, configError}: Session, signal: AbortSignal): Promise<Check[]> {
  if (configError || config.values.reminders.backend !== 'todoist') return []
  const [{todoistOptions}, {todoistProjects}] = await Promise.all([import('../tools/index.ts'), import('../tools/reminders/todoist.ts')])
  const wanted = config.values.reminders.default
  try {
    const names = await todoistProjects(todoistOptions(config), signal)
    return [wanted !== '' && !names.some(n => n.toLowerCase() === wanted.toLowerCase())
      ? {name: 'todoist', state: 'note', detail: `there is no project "${wanted}" (reminders.default): it is made when it is needed`}
      : {name: 'todoist', state: 'ok', detail: `takes the token and has ${names.length} projects`}]
  } catch (error) {
    signal.throwIfAborted()
    return [{name: 'todoist', state: 'bad', detail: reasonOf(error)}]
  }
}

/** Whether a phone is there; the other gateways can't be tried without a message. */
async function adbChecks({config, configError}: Session, signal: AbortSignal): Promise<Check[]> {
  if (configError || config.values.sms.gateway !== 'adb') return []
  const {connectedPhone} = await import('../tools/sms/adb.ts')
  try {
    return [{name: 'adb', state: 'ok', detail: `the phone ${await connectedPhone(config.values.sms.device, signal)} is connected`}]
  } catch (error) {
    signal.throwIfAborted()
    return [{name: 'adb', state: 'bad', detail: reasonOf(error)}]
  }
}

/** What was put there while there was no account; it is never sent without a word. */
function waitingCheck(outbox: string): Check[] {
  const count = ['new', 'cur'].flatMap(part => existsSync(path.join(outbox, part)) ? readdirSync(path.join(outbox, part)) : []).length
  return count === 0 ? [] : [{name: 'outbox', state: 'note', detail: `${count === 1 ? '1 mail' : `${count} mails`} from before there was an account in ${outbox}: they are not sent by themselves; \`tinyagent outbox\` lists, sends or deletes them`}]
}

/** Whether the index of files knows the folders that are searched. */
async function indexChecks({config}: Session, signal: AbortSignal): Promise<Check[]> {
  const {files} = config
  if (files.index === 'walk') return []
  const index = (await import('../tools/index.ts')).fileIndexOf(config)
  if (!index) return []
  const name = files.index
  const whatToDo = {
    plocate: 'install plocate and run updatedb',
    localsearch: 'install localsearch and tinysparql (before 2024: tracker and tracker-miner-fs), and add the folders in Settings > Search > Search Locations',
    spotlight: 'Spotlight is on macOS only, and off for folders that System Settings > Spotlight leaves out',
  }[name]
  const lists = await Promise.all(files.roots.map(async root => ({root, known: await index(root, signal)})))
  const unknown = lists.filter(l => l.known === undefined).map(l => l.root)
  return [unknown.length === 0
    ? {name, state: 'ok', detail: `knows ${lists.reduce((n, l) => n + (l.known?.length ?? 0), 0)} paths below the folders of files.roots`}
    : {name, state: 'note', detail: `cannot say what is in ${unknown.join(', ')}, so all folders are walked: ${whatToDo}, or set files.index = "walk"`}]
}

function programChecks(): Check[] {
  const opener = process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'rundll32.exe' : 'xdg-open'
  const isFound = (program: string): boolean => (process.env.PATH ?? '').split(path.delimiter).some(dir => dir !== '' && existsSync(path.join(dir, program)))
  const found = isFound(opener)
  const hasFfmpeg = isFound(process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg')
  const editor = process.env.VISUAL || process.env.EDITOR
  return [
    {name: opener, state: found ? 'ok' : 'note', detail: found ? 'opens maps and files' : 'not found: links are printed and not opened'},
    {name: 'ffmpeg', state: hasFfmpeg ? 'ok' : 'note', detail: hasFfmpeg ? 'reads sound files other than WAV' : 'not found: of sound files only WAV can be read'},
    recorderCheck(),
    {name: 'editor', state: editor ? 'ok' : 'note', detail: editor ?? 'EDITOR is not set: texts are edited in one line'},
  ]
}

/** The microphone is not opened for a check: nobody has asked to be heard. */
export function recorderCheck(env: NodeJS.ProcessEnv = process.env): Check {
  const name = 'microphone'
  const recorder = recorderName(env)
  if (recorder === undefined) return {name, state: 'note', detail: `no recorder: ${installRecorder()}`}
  if (env.TINYAGENT_RECORDER) {
    const isThere = isInstalled(recorder, env) || existsSync(recorder)
    return {name, state: isThere ? 'ok' : 'bad', detail: isThere ? `recorded by ${recorder} (TINYAGENT_RECORDER)` : `TINYAGENT_RECORDER names ${recorder}, which is not there`}
  }
  return {name, state: 'ok', detail: `recorded by ${recorder}; \`tinyagent --plain --voice\` tries it`}
}
