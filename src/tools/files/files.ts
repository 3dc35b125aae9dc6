// Files: found by the name that the user gives them.
import {z} from 'zod'
import {arg} from '../../core/params.ts'
import type {ToolSpec} from '../../core/types.ts'

export const openAndGetFilePath = {
  name: 'open_and_get_file_path',
  description: 'Find and open a file, get its path.',
  args: z.object({file_name: arg.file()}),
  effect: 'read',
  returns: 'path',
} satisfies ToolSpec

export const filesSpecs: ToolSpec[] = [openAndGetFilePath]
