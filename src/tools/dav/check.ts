// What an account has, asked of its server: for `setup` and `doctor`.
import {DavClient, NoAnswer, type DavAccount} from './client.ts'
import {sync, type ItemKind} from './sync.ts'
import {ToolError} from '../../core/errors.ts'

export interface Checked {
  host: string
  /** names of the collections */
  names: string[]
  /** the addresses that the server sends invitations for */
  organizers: string[]
}

/** Logs in and lists the collections, without their items. Throws ToolError that names host and reason. */
export async function checkAccount(account: DavAccount, kind: ItemKind, signal: AbortSignal, timeoutMs = 10_000): Promise<Checked> {
  const client = new DavClient(account)
  const limit = AbortSignal.timeout(timeoutMs)
  try {
    const {collections, home} = await sync(client, kind, undefined, new Date(0), AbortSignal.any([signal, limit]), {withItems: false})
    return {host: client.host, names: collections.map(c => c.name), organizers: home.organizers}
  } catch (cause) {
    signal.throwIfAborted()
    if (limit.aborted) throw new ToolError('timeout', `${client.host} did not answer within ${timeoutMs / 1000} seconds.`, {cause})
    if (cause instanceof NoAnswer) throw new ToolError('unavailable', `${cause.message}.`, {cause})
    throw cause
  }
}
