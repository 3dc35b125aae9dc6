// The accounts of the config in which meetings are made. Nobody is contacted here.
import type {Config} from '../../core/config.ts'
import {ConfigError} from '../../core/errors.ts'
import {clientOf} from '../../core/oauth/client.ts'
import {tokensOf, type TokenSource} from '../../core/oauth/tokens.ts'
import {readSecret} from '../../core/secrets.ts'
import {appTokens} from './server-to-server.ts'
import type {ZoomLogin} from './zoom-meetings.ts'

/** Throws ConfigError that names the key. */
export function zoomLogin(config: Config): ZoomLogin {
  const {file, paths, meetings: {zoom}} = config
  if (zoom.auth === 'user') return {tokens: tokensOf(clientOf(config, 'zoom', 'meetings'), 'zoom', config), scope: 'meeting:write:meeting'}
  const {account_id: accountId, client_id: clientId, secret_command: command} = zoom
  if (!accountId || !clientId) throw new ConfigError(`${file}: meetings.zoom.${accountId ? 'client_id' : 'account_id'}: is not set, and meetings.provider = "zoom" needs it; \`tinyagent setup zoom\` asks for it`)
  return {tokens: appTokens({accountId, clientId, secret: signal => readSecret('zoom', {paths, command}, signal)}), scope: 'meeting:write:meeting:admin'}
}

/** Throws ConfigError that names the key. */
export const meetTokens = (config: Config): TokenSource => tokensOf(clientOf(config, 'google', 'meetings'), 'meet', config)
