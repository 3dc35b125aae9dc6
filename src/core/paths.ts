// Where configuration, data, state and cache live: XDG on Linux, the platform's own folders elsewhere, or all under one folder.
import {existsSync, mkdirSync, statSync} from 'node:fs'
import {homedir} from 'node:os'
import path from 'node:path'

export interface Paths {
  config: string
  data: string
  state: string
  cache: string
  /** where files are looked for when the config names no roots */
  documents: string[]
}

export interface PathSource {
  /** --home or TINYAGENT_HOME: everything goes under it, and nothing else is read */
  home?: string | undefined
  env?: NodeJS.ProcessEnv
  platform?: NodeJS.Platform
  userHome?: string
}

export function pathsOf({home, env = process.env, platform = process.platform, userHome = homedir()}: PathSource = {}): Paths {
  if (home) {
    const root = path.resolve(home)
    return {
      config: path.join(root, 'config'), data: path.join(root, 'data'), state: path.join(root, 'state'),
      cache: path.join(root, 'cache'), documents: [path.join(root, 'documents')],
    }
  }
  const documents = ['Documents', 'Desktop', 'Downloads'].map(name => path.join(userHome, name))
  if (platform === 'win32') {
    const roaming = path.join(env.APPDATA ?? path.join(userHome, 'AppData', 'Roaming'), 'tinyagent')
    const local = path.join(env.LOCALAPPDATA ?? path.join(userHome, 'AppData', 'Local'), 'tinyagent')
    return {config: roaming, data: path.join(local, 'data'), state: path.join(local, 'state'), cache: path.join(local, 'cache'), documents}
  }
  if (platform === 'darwin') {
    const support = path.join(userHome, 'Library', 'Application Support', 'tinyagent')
    return {
      config: support, data: path.join(support, 'data'), state: path.join(support, 'state'),
      cache: path.join(userHome, 'Library', 'Caches', 'tinyagent'), documents,
    }
  }
  // The XDG specification: a relative path in one of these variables is invalid and ignored.
  const xdg = (name: string, fallback: string): string => {
    const value = env[name]
    return path.join(value && path.isAbsolute(value) ? value : path.join(userHome, fallback), 'tinyagent')
  }
  return {
    config: xdg('XDG_CONFIG_HOME', '.config'), data: xdg('XDG_DATA_HOME', '.local/share'),
    state: xdg('XDG_STATE_HOME', '.local/state'), cache: xdg('XDG_CACHE_HOME', '.cache'), documents,
  }
}

/** "~/notes" -> under the home folder; a relative path is relative to `base`. */
export const expand = (value: string, base: string, userHome = homedir()): string =>
  value === '~' || value.startsWith('~/') ? path.join(userHome, value.slice(1)) : path.resolve(base, value)

/**
 * A folder and those above it, for their owner only. One at a time: node's own `recursive` calls a read-only disk
 * "no such file or directory", and never comes back from a place like /proc where nothing can be made.
 */
export function makeFolder(dir: string): void {
  if (existsSync(dir) && statSync(dir).isDirectory()) return
  const parent = path.dirname(dir)
  if (parent !== dir && !existsSync(parent)) makeFolder(parent)
  try {
    mkdirSync(dir, {mode: 0o700})
  } catch (error) {
    if (!(existsSync(dir) && statSync(dir).isDirectory())) throw error // else another instance was quicker
  }
}
