// Bundles the command line into dist/: React's production build, one start-up file, parts that load when they are used.
import {build} from 'esbuild'
import {copyFileSync, mkdirSync, rmSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import ts from 'typescript'

rmSync('dist', {recursive: true, force: true})
await build({
  entryPoints: {cli: 'src/cli.tsx', agent: 'src/agent.ts'},
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  jsx: 'automatic',
  minifySyntax: true,
  legalComments: 'linked',
  logLevel: 'warning',
  define: {'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"'},
  // Native parts find their binaries beside themselves; pdf.js in unpdf and mailparser load parts by name.
  external: ['node-llama-cpp', '@napi-rs/keyring', 'onnxruntime-node', 'smart-whisper', 'unpdf', 'mailparser'],
  // Ink's developer tools are not part of what users run.
  alias: {'react-devtools-core': './scripts/none/devtools.mjs'},
  // CommonJS packages in an ESM bundle call require().
  banner: {js: "import {createRequire as createRequireForBundle} from 'node:module'; import {fileURLToPath as pathForBundle} from 'node:url'; const require = createRequireForBundle(import.meta.url); const __filename = pathForBundle(import.meta.url); const __dirname = pathForBundle(new URL('.', import.meta.url));"},
})
// Started by its path, in a process of its own; it imports nothing of ours.
copyFileSync('src/core/voice/whisper-process.mjs', 'dist/whisper-process.mjs')

// The types of the embeddable API (package.json "exports"): of the files that its signatures name, and no others.
const {options} = ts.parseJsonConfigFileContent(ts.readConfigFile('tsconfig.json', ts.sys.readFile).config, ts.sys, '.')
const program = ts.createProgram(['src/agent.ts'], {...options, noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: 'src', outDir: 'dist/types'})
for (const file of ['agent.ts', 'core/types.ts', 'core/params.ts', 'core/errors.ts']) {
  const {diagnostics} = program.emit(program.getSourceFile(path.resolve('src', file)), (name, text) => {
    mkdirSync(path.dirname(name), {recursive: true})
    writeFileSync(name, text.replaceAll(/(['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2'))
  })
  if (diagnostics.length > 0) throw new Error(ts.formatDiagnostics(diagnostics, ts.createCompilerHost(options)))
}
