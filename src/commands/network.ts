// `tinyagent doctor --network`: every host that this installation may connect to, and what for. Nothing is contacted for it.
import type {Config} from '../core/config.ts'
import {endpointsOf, isElsewhere} from '../core/model/endpoints.ts'
import {hostOf} from '../core/model/openai.ts'
import {clientOf, hostsOf, type ProviderName, type Purpose} from '../core/oauth/client.ts'
import {printable} from '../core/text.ts'
import {zoomHosts} from '../tools/zoom/server-to-server.ts'

export interface Contact { host: string; why: string }

/** In the order of what is most used. Throws ConfigError for an account that is not right. */
export async function contactsOf(config: Config): Promise<Contact[]> {
  const contacts: Contact[] = []
  if (config.mail.backend === 'imap') {
    const {accountOf, nameOf} = await import('../tools/mail/account.ts')
    const {imap, smtp} = accountOf(config)
    contacts.push({host: nameOf(imap), why: 'reads your inbox, keeps sent mails and drafts'}, {host: nameOf(smtp), why: 'sends the mails that you confirm'})
  }
  const signIns = new Map<Purpose, ProviderName>()
  if (config.mail.backend === 'imap' && config.mail.auth !== 'password') signIns.set('mail', config.mail.auth)
  const {davAccount, davAreas, davAuth, isDav} = await import('../tools/dav/account.ts')
  for (const area of davAreas.filter(a => isDav(config, a))) {
    contacts.push({host: new URL(davAccount(config, area).url).host, why: `keeps your ${area === 'calendar' ? 'calendars' : area}`})
    const auth = davAuth(config, area)
    if (auth !== 'password') signIns.set('dav', auth)
  }
  for (const [purpose, name] of signIns) {
    for (const host of hostsOf(clientOf(config, name, purpose))) contacts.push({host, why: `renews your sign-in for ${purpose === 'mail' ? 'mail' : 'calendars and contacts'}`})
  }
  for (const endpoint of endpointsOf(config)) {
    contacts.push({host: hostOf(endpoint), why: `plans by the model ${endpoint.name}, where you choose it: gets your requests, standing instructions and the lists of tools${isElsewhere(endpoint) ? '' : ' (this machine)'}`})
  }
  if (config.meetings.provider === 'zoom') contacts.push(...zoomHosts.map((host, i) => ({host, why: i === 0 ? 'lets your Zoom app in' : 'makes the Zoom meetings that you confirm'})))
  if (config.values.sms.gateway === 'twilio') contacts.push({host: 'api.twilio.com', why: 'sends the text messages that you confirm'})
  return contacts
}

export async function networkCommand(config: Config, isJson: boolean): Promise<number> {
  const contacts = await contactsOf(config)
  const text = contacts.length === 0
    ? 'No host: everything stays on this machine.'
    : contacts.map(({host, why}) => `${host}  ${why}`).join('\n')
  process.stdout.write(isJson ? `${JSON.stringify(contacts)}\n` : `${printable(text)}\n`)
  if (!isJson) process.stdout.write('`tinyagent setup mail` asks the domain of the address, autoconfig.thunderbird.net and DNS, `setup dav` the domain and DNS. Maps are shown by your browser. --offline makes no connection at all.\n')
  return 0
}
