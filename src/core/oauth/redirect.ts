// Where the browser comes back to after a sign-in: a server on this machine alone, for one answer (RFC 8252, 7.3 and 8.10).
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http'
import {ToolError} from '../errors.ts'
import {oneLine} from '../text.ts'
import {untilAborted} from '../time-limit.ts'

export interface Redirect {
  /** what the provider is told */
  uri: string
  /** The first answer that belongs to this sign-in; it has a `code`. Rejects when the user said no, or `signal` aborts. */
  answer(signal: AbortSignal): Promise<URLSearchParams>
  close(): void
}

/** The code in what a browser was sent back with. Undefined where it belongs to no sign-in of ours. Throws ToolError when the user, or the provider, said no. */
export function codeOf(parameters: URLSearchParams, state: string, provider: string): string | undefined {
  // RFC 6749, 10.12: whatever has another state was not asked for by us.
  if (parameters.getAll('state').length !== 1 || parameters.get('state') !== state) return undefined
  const error = parameters.get('error')
  if (error === 'access_denied') throw new ToolError('refused', `${provider} says that you did not allow it. Nothing was changed.`)
  if (error !== null) throw new ToolError('unavailable', `${provider} did not let tinyagent in (${oneLine([error, parameters.get('error_description') ?? ''].filter(Boolean).join(': ')).slice(0, 300)}).`)
  return parameters.get('code') ?? undefined
}

export interface RedirectOptions { host: '127.0.0.1' | 'localhost'; /** 0: any that is free */ port: number; state: string; provider: string; /** one line for the user: an answer was not taken */ say(line: string): void }

/** Throws ToolError 'unavailable' when the port is taken. */
export async function openRedirect({host, port, state, provider, say}: RedirectOptions): Promise<Redirect> {
  let settle: {resolve(answer: URLSearchParams): void; reject(error: unknown): void} | undefined
  const answered = new Promise<URLSearchParams>((resolve, reject) => { settle = {resolve, reject} })
  answered.catch(() => undefined) // `answer` tells
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    // A page of somebody else's name that leads here (DNS rebinding) is none of ours; nor is a favicon.
    if (request.method !== 'GET' || url.pathname !== '/' || !isOurs(request)) return page(response, 404, 'There is nothing here.')
    try {
      if (codeOf(url.searchParams, state, provider) === undefined) {
        say('  An answer came that belongs to no sign-in of tinyagent; it was not taken.')
        return page(response, 400, 'This answer belongs to no sign-in that tinyagent has begun, so it was not taken.')
      }
      settle?.resolve(url.searchParams)
      page(response, 200, 'That is all. Go back to the terminal; this page can be closed.')
    } catch (error) {
      settle?.reject(error)
      page(response, 200, 'Nothing was allowed. The terminal says more; this page can be closed.')
    }
  })
  const used = await new Promise<number>((resolve, reject) => {
    server.once('error', cause => reject(notOpened(port, cause)))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
  return {
    uri: `http://${host}:${used}`,
    answer: async signal => {
      signal.throwIfAborted()
      return untilAborted(answered, signal)
    },
    close: () => {
      server.close()
      server.closeIdleConnections() // the page goes out first; it closes its own connection
    },
  }
}

const isOurs = ({headers: {host = ''}, socket}: IncomingMessage): boolean => host === `127.0.0.1:${socket.localPort}` || host === `localhost:${socket.localPort}`

function page(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', connection: 'close',
    'content-security-policy': 'default-src \'none\'', 'referrer-policy': 'no-referrer',
  })
  response.end(`<!doctype html><meta charset="utf-8"><title>tinyagent</title><p>${text}</p>\n`)
}

const notOpened = (port: number, cause: Error): ToolError => 'code' in cause && cause.code === 'EADDRINUSE'
  ? new ToolError('unavailable', `Another program uses port ${port} of this machine (oauth.port); 0 takes any that is free.`, {cause})
  : new ToolError('unavailable', `No port could be opened for the browser to come back to (${cause.message}).`, {cause})
