// Writes models/manifest.json: every model with its files, their sizes and SHA-256, which the program checks.
//     node scripts/manifest.mjs
import {createHash} from 'node:crypto'
import {readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {fileURLToPath} from 'node:url'

const models = path.join(path.dirname(fileURLToPath(import.meta.url)), '../models')
const filesIn = folder => readdirSync(path.join(models, folder)).filter(f => /\.(gguf|onnx|json|bin)$/.test(f)).sort().map(f => {
  const file = path.join(models, folder, f)
  return {file: `${folder}/${f}`, bytes: statSync(file).size, sha256: createHash('sha256').update(readFileSync(file)).digest('hex')}
})
const list = [
  {name: 'tinyagent-135m-q4_0', role: 'planner', licence: 'Apache-2.0', files: filesIn('planner')},
  {name: 'e5-small-v2-int8', role: 'retriever', licence: 'MIT', files: filesIn('retriever')},
  {name: 'whisper-base-q5_1', role: 'whisper', licence: 'MIT', files: filesIn('whisper')},
].filter(m => m.files.length > 0)
writeFileSync(path.join(models, 'manifest.json'), JSON.stringify({models: list}, null, 2) + '\n')
