#!/usr/bin/env node
// Starts the bundle; in a clone whose build is missing it says how to make one.
import {existsSync} from 'node:fs'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`tinyagent: Node ${process.versions.node} is too old; 20.19 or newer is needed`)
  process.exit(1)
}
const bundle = new URL('../dist/cli.js', import.meta.url)
if (!existsSync(bundle)) {
  console.error('tinyagent: dist/cli.js is missing; run "npm install" or "npm run build" in this folder first')
  process.exit(1)
}
await import(bundle.href)
