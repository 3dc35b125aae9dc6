// Paths from GNOME's index of the user's folders: localsearch (tracker-miner-fs before 2024), asked by its SPARQL program. The query is a
// constant; what fits is said by find.ts.
import {fileURLToPath} from 'node:url'
import type {FileIndex} from './find.ts'
import {programIndex} from './program-index.ts'

const query = 'SELECT DISTINCT ?url WHERE { ?file a nfo:FileDataObject ; nie:url ?url }'

/** Answers a line each, in a table: file URLs have neither blanks nor line ends. */
const pathsOf = (stdout: string): string[] => (stdout.match(/^\s*file:\/\/\/\S*$/gm) ?? []).flatMap(url => {
  try {
    return [fileURLToPath(url.trim())]
  } catch {
    return [] // a name that is not UTF-8 has no path as text
  }
})

const tinysparql = programIndex('tinysparql', () => ['query', '--dbus-service=org.freedesktop.LocalSearch3', query], pathsOf)
/** The name of both until version 3.8. */
const tracker = programIndex('tracker3', () => ['sparql', '--dbus-service=org.freedesktop.Tracker3.Miner.Files', '--query', query], pathsOf)

/** Nothing below a root means that it is not one of the folders that are indexed, so there it cannot say. */
export const localsearchIndex = (): FileIndex => async (root, signal) => {
  const known = await tinysparql(root, signal) ?? await tracker(root, signal)
  return known?.length ? known : undefined
}
