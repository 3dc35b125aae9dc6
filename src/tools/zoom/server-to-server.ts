// Zoom by an account's own app (server-to-server OAuth): developers.zoom.us/docs/internal-apps/s2s-oauth.
import {ToolError} from '../../core/errors.ts'
import {providerError, refusalOf, requestMs} from '../../core/oauth/client.ts'
import {cachedToken, type TokenSource} from '../../core/oauth/tokens.ts'
import {oneLine} from '../../core/text.ts'

export interface ZoomApp {
  accountId: string
  clientId: string
  secret(signal?: AbortSignal): Promise<string>
  /** default Zoom's */
  tokenUrl?: string
}

/** Access tokens of the app (grant account_credentials), an hour each. Throws ToolError that says what to do. */
export function appTokens({accountId, clientId, secret, tokenUrl = 'https://zoom.us/oauth/token'}: ZoomApp): TokenSource {
  return cachedToken(async () => {
    const openid = await import('openid-client') // loaded when a meeting is made
    // As Zoom's examples do it: RFC 6749, 2.3.1 would escape the "-" and "_" of an id first, and nothing says that Zoom takes that.
    const basic = Buffer.from(`${clientId}:${await secret()}`).toString('base64')
    const configuration = new openid.Configuration({issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl}, clientId, {}, (_server, _client, _body, headers) => { headers.set('authorization', `Basic ${basic}`) })
    configuration.timeout = requestMs / 1000
    configuration[openid.customFetch] = (url, options) => fetch(url, {...options, body: options.body as NonNullable<RequestInit['body']>, redirect: 'error'}) // the library's type of a body is wider than what it sends
    if (tokenUrl.startsWith('http:')) openid.allowInsecureRequests(configuration) // a test's; Zoom's own is in the code
    try {
      const {access_token: access, expires_in: seconds = 3600} = await openid.genericGrantRequest(configuration, 'account_credentials', {account_id: accountId})
      return {access, seconds}
    } catch (error) {
      const refusal = refusalOf(error)
      if (!refusal) throw providerError(error, {provider: 'Zoom', endpoints: {authorize: tokenUrl, token: tokenUrl, device: ''}})
      throw new ToolError('unavailable', `Zoom does not take the app's account id, client id and secret (${oneLine([refusal.error, refusal.description].filter(Boolean).join(': ')).slice(0, 200)}). \`tinyagent setup zoom\` asks for them; the app has to be active.`)
    }
  })
}
