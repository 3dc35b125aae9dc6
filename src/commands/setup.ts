// `tinyagent setup`: writes a commented config and makes the folders. Nothing that is there is changed.
import {mkdirSync} from 'node:fs'
import {folderError, type Session} from './session.ts'
import {writeTemplate} from './config.ts'

export async function setupCommand(session: Session): Promise<number> {
  const {config} = session
  try {
    const isNew = writeTemplate(config)
    for (const dir of [config.paths.state, ...Object.values(config.dirs)]) mkdirSync(dir, {recursive: true, mode: 0o700})
    process.stdout.write([
      `${isNew ? 'Written' : 'Kept'}: ${config.file}`,
      ...Object.entries(config.dirs).map(([area, dir]) => `${area}: ${dir}`),
      'Try: tinyagent "remind me to call the dentist tomorrow at 3pm"', '',
    ].join('\n'))
    return 0
  } catch (error) {
    throw folderError(error)
  }
}
