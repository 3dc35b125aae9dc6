// The CalDAV and CardDAV accounts of the config: one for all, or one of its own for calendars, reminders or contacts.
import path from 'node:path'
import type {Config} from '../../core/config.ts'
import {ConfigError, reasonOf} from '../../core/errors.ts'
import {clientOf} from '../../core/oauth/client.ts'
import {tokensOf} from '../../core/oauth/tokens.ts'
import {readSecret} from '../../core/secrets.ts'
import {sha256, type Warn} from '../vdir.ts'
import {serverUrl, type DavAccount} from './client.ts'
import type {DavStoreOptions} from './store.ts'

export type DavArea = 'calendar' | 'reminders' | 'contacts'
export const davAreas: DavArea[] = ['calendar', 'reminders', 'contacts']

/** Is this area on a server? */
export const isDav = ({values}: Config, area: DavArea): boolean => ['caldav', 'carddav'].includes(values[area].backend)

/** Whether an area has an account of its own. Such a one has a password of its own: one server's never goes to the other. */
const isOwn = ({values}: Config, area: DavArea): boolean => Boolean(values[area].url || values[area].user)

/** What the account of an area is logged in with. */
export const davAuth = (config: Config, area: DavArea): Config['values']['dav']['auth'] => config.values[isOwn(config, area) ? area : 'dav'].auth

/** The account of an area. Throws ConfigError that names the key. The password is read when it is first needed, and once. */
export function davAccount(config: Config, area: DavArea): DavAccount {
  const {file, values} = config
  const {dav} = values
  const own = values[area]
  const name = isOwn(config, area) ? area : 'dav'
  const url = own.url || dav.url
  const key = `${own.url || !dav.url ? area : 'dav'}.url`
  if (!url) throw new ConfigError(`${file}: dav.url: is not set, and ${area}.backend = "${own.backend}" needs it; \`tinyagent setup dav\` finds it`)
  try {
    serverUrl(url)
  } catch (error) {
    throw new ConfigError(`${file}: ${key}: ${reasonOf(error)}`, error)
  }
  const user = own.user || dav.user
  if (!user) throw new ConfigError(`${file}: dav.user: is not set, and ${area}.backend = "${own.backend}" needs it; \`tinyagent setup dav\` asks for it`)
  const auth = davAuth(config, area)
  if (auth !== 'password') {
    const tokens = tokensOf(clientOf(config, auth, 'dav'), name, config)
    return {url, user, password: signal => tokens.token(signal), renew: () => tokens.forget()}
  }
  const command = own.password_command.length > 0 || name !== 'dav' ? own.password_command : dav.password_command
  let secret: Promise<string> | undefined
  return {
    url, user,
    password: signal => secret ??= readSecret(name, {...config, command}, signal).catch((error: unknown) => {
      secret = undefined // a password manager that was locked may be open next time
      throw error
    }),
  }
}

/** What a store of this area needs; its copy lies in the cache folder, one an account. */
export function davOptions(config: Config, area: DavArea, warn?: Warn): Omit<DavStoreOptions, 'kind'> {
  const account = davAccount(config, area)
  const file = path.join(config.paths.cache, 'dav', `${area}-${sha256(`${account.url}\n${account.user}`).slice(0, 16)}.json`)
  return {account, file, usual: config.values[area].default, ...(warn && {warn})}
}
