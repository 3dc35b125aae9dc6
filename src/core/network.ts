// Why a request did not get through, in words.

/** The codes of Node and OpenSSL. Each completes "HOST cannot be reached: ...". */
export const networkReasons: Record<string, string> = {
  EOFFLINE: '--offline',
  ECONNREFUSED: 'nothing answers at that address', ENOTFOUND: 'there is no host of that name', EAI_AGAIN: 'its name could not be looked up (no network?)',
  EHOSTUNREACH: 'no way leads there', ENETUNREACH: 'no network', UND_ERR_CONNECT_TIMEOUT: 'no answer in time', ETIMEDOUT: 'no answer in time',
  CERT_HAS_EXPIRED: 'its certificate has expired', DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed', SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'nobody known vouches for its certificate', UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'nobody known vouches for its certificate',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host', EPROTO: 'it does not speak TLS there', ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there',
}

/** fetch hides the system's code one or two causes deep. `isBefore`: it failed before a byte of the request went out. */
export function failureOf(error: unknown): {code: string; isBefore: boolean} {
  for (let e: unknown = error, n = 0; e instanceof Error && n < 5; e = e.cause, n++) {
    if (!('code' in e) || typeof e.code !== 'string' || e.code.startsWith('OAUTH_')) continue
    const isConnecting = e instanceof AggregateError || ('syscall' in e && (e.syscall === 'connect' || e.syscall === 'getaddrinfo'))
    return {code: e.code, isBefore: isConnecting || e.code === 'UND_ERR_CONNECT_TIMEOUT' || e.code === 'EOFFLINE' || /CERT|LEAF_SIGNATURE/.test(e.code)}
  }
  return {code: '', isBefore: false}
}

/** This machine itself, as a URL names it. */
export const isLoopbackHost = (host: string): boolean => /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/i.test(host)
