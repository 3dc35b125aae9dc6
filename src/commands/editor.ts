// The user's own editor, on a file or on a text.
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {UsageError} from '../core/errors.ts'
import {takeOver} from '../core/exec.ts'

/** $VISUAL or $EDITOR, with its arguments; undefined where the user has named none. */
export const namedEditor = (): string | undefined => process.env['VISUAL'] || process.env['EDITOR'] || undefined

/** The editor's exit code. Throws UsageError where it cannot be started. */
export async function editFile(file: string, editor = namedEditor() ?? (process.platform === 'win32' ? 'notepad' : 'vi')): Promise<number> {
  const [program = 'vi', ...args] = editor.trim().split(/\s+/)
  try {
    return await takeOver(program, [...args, file]) ?? 1
  } catch (cause) {
    throw new UsageError(`${cause instanceof Error ? cause.message : String(cause)} Set EDITOR to your editor.`, cause)
  }
}

/** The text as the user left it, by way of a file in a private folder that is gone afterwards. */
export async function editText(editor: string, text: string): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tinyagent-'))
  const file = path.join(folder, 'text.txt')
  try {
    writeFileSync(file, text, {mode: 0o600})
    await editFile(file, editor)
    return readFileSync(file, 'utf8').replace(/\n$/, '')
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}
