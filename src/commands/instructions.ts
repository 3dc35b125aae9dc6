// `tinyagent instructions [list|edit|allow]` and /instructions: the standing instructions, where each comes from, and the user's word
// on those of a folder.
import {existsSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {UsageError} from '../core/errors.ts'
import {allow, fileName, instructionSources, joinInstructions, type InstructionPlaces, type Source} from '../core/instructions.ts'
import {makeFolder} from '../core/paths.ts'
import {printable} from '../core/text.ts'
import {editText, namedEditor} from './editor.ts'
import type {Session} from './session.ts'

/** What a slash command answers: a line, or a text to edit and what becomes of it. */
export type SlashAnswer = string | {edit: string; save(text: string): Promise<string>}

const placesOf = ({config}: Session): InstructionPlaces => ({
  configured: config.instructions, configFile: config.file, configDir: path.dirname(config.file), cwd: process.cwd(), allowedFile: path.join(config.paths.state, 'instructions.json'),
})

/** What every request of this session is planned with. Throws ConfigError. */
export const standingInstructions = (session: Session): string => joinInstructions(instructionSources(placesOf(session)))

/** One line about files that wait for the user's word; undefined where there are none. */
export function instructionsNotice(session: Session): string | undefined {
  const waiting = instructionSources(placesOf(session)).filter(s => !s.counts).map(s => s.where)
  return waiting.length === 0 ? undefined : `${waiting.join(', ')}: standing instructions that are not used until you allow them: \`tinyagent instructions\` shows them, \`tinyagent instructions allow\` allows them`
}

export async function instructionsAnswer(session: Session, argument: string): Promise<SlashAnswer> {
  const places = placesOf(session)
  const [action = 'list', where = ''] = argument.split(/\s+/).filter(Boolean)
  const sources = instructionSources(places)
  switch (action) {
    case 'list': return list(sources, places)
    case 'allow': {
      const waiting = sources.filter(s => !s.counts)
      if (waiting.length === 0) return 'There is nothing to allow.'
      joinInstructions(sources.map(s => ({...s, counts: true})))
      allow(waiting, places.allowedFile)
      return `Allowed: ${waiting.map(s => s.where).join(', ')}`
    }
    case 'edit': {
      if (where !== '' && where !== 'here') throw new UsageError(`instructions edit ${where}: there is "edit" (everywhere) and "edit here" (this folder)`)
      return editing(path.join(where === 'here' ? places.cwd : places.configDir, fileName), places)
    }
    default: throw new UsageError(`instructions ${action}: there is list, edit, edit here and allow`)
  }
}

function list(sources: Source[], {configDir}: InstructionPlaces): string {
  if (sources.length === 0) return `There are no standing instructions. \`tinyagent instructions edit\` writes ${path.join(configDir, fileName)}; "edit here" one for this folder.`
  return [...sources.map(s => `${s.where}${s.counts ? '' : ' (not allowed yet, so not used)'}\n  ${s.text}`), `The planner gets: ${joinInstructions(sources) || '(nothing)'}`].join('\n')
}

function editing(file: string, places: InstructionPlaces): SlashAnswer {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '<!-- Standing instructions for tinyagent, one a line, e.g.: Always cc Sid on my mails. -->\n'
  return {
    edit: text,
    save: async edited => {
      makeFolder(path.dirname(file))
      writeFileSync(file, edited.endsWith('\n') ? edited : `${edited}\n`, {mode: 0o600})
      const sources = instructionSources(places)
      // What the user has just written speaks for the user.
      const own = sources.filter(s => s.where === file && !s.counts)
      if (own.length > 0) allow(own, places.allowedFile)
      return list(instructionSources(places), places)
    },
  }
}

/** Carries an answer out where there is no interface to do it. */
export async function carryOut(answer: SlashAnswer): Promise<string> {
  if (typeof answer === 'string') return answer
  return answer.save(await editText(namedEditor() ?? (process.platform === 'win32' ? 'notepad' : 'vi'), answer.edit))
}

export async function instructionsCommand(words: string[], session: Session): Promise<number> {
  process.stdout.write(`${printable(await carryOut(await instructionsAnswer(session, words.join(' '))))}\n`)
  return 0
}
