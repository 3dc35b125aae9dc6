// Files: found by the name that the user gives them.
import path from 'node:path'
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {arg} from '../../core/params.ts'
import {oneLine} from '../../core/text.ts'
import {tool, type Tool, type ToolSpec} from '../../core/types.ts'
import {findFiles, type FileIndex} from './find.ts'

export const openAndGetFilePath = {
  name: 'open_and_get_file_path',
  description: 'Find and open a file, get its path.',
  args: z.object({file_name: arg.file()}),
  effect: 'read',
  returns: 'path',
} satisfies ToolSpec

export const filesSpecs: ToolSpec[] = [openAndGetFilePath]

export interface FilesOptions {
  /** folders that are searched, absolute */
  roots: string[]
  /** patterns as in .gitignore that are passed over */
  exclude: string[]
  /** asked before the folders are walked; absent: always the walk */
  index?: FileIndex
  /** shows a file on the user's desktop and resolves false where it cannot; absent: files are only found */
  open?: (file: string) => Promise<boolean>
}

export function filesTools({roots, exclude, index, open}: FilesOptions): Tool[] {
  return [tool({
    ...openAndGetFilePath,
    preview: async ({file_name}) => ({effect: 'read', title: 'Find file', fields: [{label: 'Name', value: file_name, arg: 'file_name'}, {label: 'Looks in', value: roots}]}),
    run: async ({file_name}, {signal, ask}) => {
      const found = await findFiles(file_name, {roots, exclude, signal, ...(index && {index})})
      if (found.length === 0) throw new ToolError('not-found', `No file like "${oneLine(file_name)}" in ${roots.join(', ')}: check its name, or add its folder to files.roots in the config`)
      let file = found[0]!
      if (found.length > 1) {
        const candidates = found.map(f => ({value: f, label: path.basename(f), detail: path.dirname(f)}))
        const answer = await ask({type: 'pick', title: `Which file is "${oneLine(file_name)}"?`, candidates})
        if (!answer || !found.includes(answer.value)) throw new ToolError('ambiguous', `${found.length} files fit "${oneLine(file_name)}": name one of them`, {candidates})
        file = answer.value
      }
      const opened = await open?.(file) ?? false
      return {value: file, summary: `${opened ? 'Opened' : 'Found'} ${oneLine(file)}`, where: file}
    },
  })]
}
