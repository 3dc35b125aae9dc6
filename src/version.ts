import {readFileSync} from 'node:fs'

/** The version in package.json, which lies one folder above the sources and above the bundle. */
export function packageVersion(): string {
  const {version} = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {version: string} // our own file
  return version
}
