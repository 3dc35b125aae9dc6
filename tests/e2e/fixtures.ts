// A home with a few contacts and an identity, a program in it, and both gone after the test.
import {chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {onTestFinished, vi} from 'vitest'
import {newHome, recording, Terminal} from './terminal.ts'

const card = (...lines: string[]): string => ['BEGIN:VCARD', 'VERSION:3.0', ...lines, 'END:VCARD', ''].join('\r\n')
const contacts = {
  'priya.vcf': card('UID:1', 'FN:Priya Raman', 'N:Raman;Priya;;;', 'EMAIL:priya@example.org'),
  'ana-duarte.vcf': card('UID:2', 'FN:Ana Duarte', 'N:Duarte;Ana;;;', 'TEL;TYPE=CELL:+12025550101'),
  'ana-silva.vcf': card('UID:3', 'FN:Ana Silva', 'N:Silva;Ana;;;', 'TEL;TYPE=CELL:+12025550102'),
}

/** Writes a file under the home, with its folders. */
export function put(home: string, file: string, content: string | Buffer): void {
  mkdirSync(path.dirname(path.join(home, file)), {recursive: true})
  writeFileSync(path.join(home, file), content)
}

export function testHome(): string {
  const home = newHome()
  onTestFinished(() => rmSync(home, {recursive: true, force: true}))
  for (const [file, text] of Object.entries(contacts)) put(home, `data/contacts/people/${file}`, text)
  put(home, 'config/config.toml', '[user]\nname = "Sam Doe"\nemail = "sam@example.org"\n')
  return home
}

export interface Opening { home?: string; plan?: string; columns?: number; rows?: number; env?: Record<string, string> }

/** The program on a terminal; `plan` names the recording that stands for the model. */
export function open(args: string[], {home = testHome(), plan, env = {}, ...size}: Opening = {}): Terminal {
  const terminal = new Terminal(home, args, {...size, env: {...(plan !== undefined && recording(plan)), ...env}})
  onTestFinished(() => terminal.kill())
  return terminal
}

/** The REPL with its prompt. */
export async function openRepl(opening: Opening = {}): Promise<Terminal> {
  const terminal = open([], opening)
  await terminal.shows('What shall I do?')
  return terminal
}

export const keys = {escape: '\u001b', up: '\u001b[A', down: '\u001b[B', left: '\u001b[D', ctrlC: '\u0003', ctrlD: '\u0004', enter: '\r', backspace: '\u007f', tab: '\t', clear: '\u0015'} as const
export const paste = (text: string): string => `\u001b[200~${text}\u001b[201~`

/** A desktop whose browser is `browse` (servers/authorization.ts): xdg-open writes the address down. */
export function desktop(dir: string): {env: Record<string, string>; opened(): Promise<string>} {
  const bin = path.join(dir, 'bin')
  const note = path.join(dir, 'opened')
  mkdirSync(bin)
  writeFileSync(path.join(bin, 'xdg-open'), `#!/bin/sh\nprintf %s "$1" > ${JSON.stringify(note)}.part && mv ${JSON.stringify(note)}.part ${JSON.stringify(note)}\n`)
  chmodSync(path.join(bin, 'xdg-open'), 0o755)
  return {
    env: {TINYAGENT_NO_KEYRING: '1', DISPLAY: ':99', PATH: `${bin}:${process.env['PATH']}`},
    opened: () => vi.waitFor(() => { if (!existsSync(note)) throw new Error('no browser was opened'); const url = readFileSync(note, 'utf8'); rmSync(note); return url }, 60_000),
  }
}
