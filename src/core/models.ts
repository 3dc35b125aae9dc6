// The models that come with the program: models/manifest.json names each file with its size and SHA-256.
import {createHash} from 'node:crypto'
import {createReadStream, existsSync, readFileSync, statSync} from 'node:fs'
import path from 'node:path'
import {fileURLToPath} from 'node:url'
import writeFileAtomic from 'write-file-atomic'
import {z} from 'zod'
import {ModelError} from './errors.ts'
import {makeFolder} from './paths.ts'

const manifestSchema = z.object({
  models: z.array(z.object({
    name: z.string(),
    role: z.enum(['planner', 'retriever', 'whisper']),
    licence: z.string(),
    files: z.array(z.object({
      file: z.string().refine(f => !path.isAbsolute(f) && !f.split(/[\\/]/).includes('..'), 'a path inside models/'),
      bytes: z.number().int().positive(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    })).min(1),
  })),
})
export type ModelEntry = z.infer<typeof manifestSchema>['models'][number]

export interface Models {
  dir: string
  list: ModelEntry[]
}

/** The models/ folder beside the program: the nearest one above this file, so that the bundle and the sources find the same. */
export function modelsDir(from = path.dirname(fileURLToPath(import.meta.url))): string {
  for (let dir = from; ; dir = path.dirname(dir)) {
    const candidate = path.join(dir, 'models')
    if (existsSync(path.join(candidate, 'manifest.json'))) return candidate
    if (path.dirname(dir) === dir) throw new ModelError('The models/ folder with its manifest.json is missing from the installation: install tinyagent again')
  }
}

export function openModels(dir = modelsDir()): Models {
  const file = path.join(dir, 'manifest.json')
  try {
    return {dir, list: manifestSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).models}
  } catch (cause) {
    throw new ModelError(`${file} cannot be read: install tinyagent again`, cause)
  }
}

/** The files of one model, each there and of the right size (`wholeModelFiles` reads every byte as well). Throws ModelError. */
export function modelFiles(models: Models, role: ModelEntry['role'], name?: string): string[] {
  const entry = models.list.find(m => m.role === role && (name === undefined || m.name === name))
  if (!entry) {
    const names = models.list.filter(m => m.role === role).map(m => m.name).join(', ') || 'none'
    throw new ModelError(`There is no ${role} model${name === undefined ? '' : ` named "${name}"`} in ${models.dir} (there: ${names}); \`tinyagent models\` lists them`)
  }
  return entry.files.map(f => {
    const file = path.join(models.dir, f.file)
    const bytes = statSync(file, {throwIfNoEntry: false})?.size
    if (bytes === undefined) throw new ModelError(`${file} is missing: install tinyagent again; \`tinyagent doctor\` checks all files`)
    if (bytes !== f.bytes) throw new ModelError(`${file} is damaged (${bytes} bytes, ${f.bytes} expected): install tinyagent again; \`tinyagent doctor\` checks all files`)
    return file
  })
}

/** Which file, of which time and size, was found to be right; read by the next start. */
const stampsSchema = z.record(z.string(), z.string())

/**
 * As `modelFiles`, with the checksums. A file is read whole the first time and after it changed; that it was right is
 * kept in `stampFile`, since reading 78 MB at each start takes half a second on a slow machine. Throws ModelError.
 */
export async function wholeModelFiles(models: Models, role: ModelEntry['role'], name: string | undefined, stampFile: string): Promise<string[]> {
  const files = modelFiles(models, role, name)
  const sums = new Map(models.list.flatMap(m => m.files).map(f => [path.join(models.dir, f.file), f.sha256]))
  const known = readStamps(stampFile)
  const fresh: Record<string, string> = {}
  for (const file of files) {
    const {size, mtimeMs, ctimeMs, ino} = statSync(file)
    const stamp = [sums.get(file), size, mtimeMs, ctimeMs, ino].join(' ')
    if (known[file] === stamp) continue
    if (await hash(file) !== sums.get(file)) throw new ModelError(`${file} is damaged (its SHA-256 is wrong): install tinyagent again; \`tinyagent doctor\` checks all files`)
    fresh[file] = stamp
  }
  if (Object.keys(fresh).length > 0) keepStamps(stampFile, fresh)
  return files
}

function readStamps(file: string): Record<string, string> {
  try {
    return stampsSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return {} // not there yet, or damaged: the models are read again
  }
}

function keepStamps(file: string, stamps: Record<string, string>): void {
  try {
    makeFolder(path.dirname(file))
    writeFileAtomic.sync(file, JSON.stringify({...readStamps(file), ...stamps}), {mode: 0o600})
  } catch { /* nowhere to keep it: the next start reads the models again */ }
}

export interface FileCheck { file: string; problem?: string }

/** Reads every byte of a model's files and compares with the manifest. */
export async function verify(models: Models, entry: ModelEntry, signal: AbortSignal): Promise<FileCheck[]> {
  const checks: FileCheck[] = []
  for (const {file, bytes, sha256} of entry.files) {
    const full = path.join(models.dir, file)
    const size = statSync(full, {throwIfNoEntry: false})?.size
    if (size === undefined) checks.push({file, problem: 'missing'})
    else if (size !== bytes) checks.push({file, problem: `${size} bytes, ${bytes} expected`})
    else checks.push({file, ...(await hash(full, signal) !== sha256 && {problem: 'its SHA-256 is wrong'})})
  }
  return checks
}

async function hash(file: string, signal?: AbortSignal): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(file, signal && {signal})) digest.update(chunk as Buffer)
  return digest.digest('hex')
}
