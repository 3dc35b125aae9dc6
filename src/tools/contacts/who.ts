// The names behind addresses and numbers, for the cards that people say yes to.
import type {PreviewField} from '../../core/types.ts'

/** The name on the contact that has this address or number. */
export type NameOf = (channel: string) => Promise<string | undefined>

/** "Who: Ana Silva, Bo" under the addresses or numbers; no field where no contact has any of them. */
export async function whoField(channels: string[], nameOf: NameOf | undefined): Promise<PreviewField[]> {
  const names = (await Promise.all(channels.map(async channel => nameOf?.(channel)))).filter(name => name !== undefined)
  return names.length > 0 ? [{label: 'Who', value: names}] : []
}
