// `tinyagent doctor --network`: every host that this installation may connect to, and what for. Nothing is contacted for it.
import type {Config} from '../core/config.ts'
import {endpointsOf, isElsewhere, whatItWrites} from '../core/model/endpoints.ts'
import {hostOf} from '../core/model/openai.ts'
import {chosenWriter} from '../core/model/writers.ts'
import {clientOf, hostsOf, type ProviderName, type Purpose} from '../core/oauth/client.ts'
import {printable} from '../core/text.ts'
import {readWord, wordFile} from '../tools/approvals.ts'
import {startHash} from '../tools/mcp/mcp.ts'
import {readSignIn} from '../tools/mcp/sign-ins.ts'
import {filled, readServers, serversFile, type McpServer} from '../tools/mcp/servers.ts'
import {todoistHost} from '../tools/reminders/todoist.ts'
import {meetHost} from '../tools/zoom/google-meet.ts'
import {zoomHost} from '../tools/zoom/zoom-meetings.ts'

export interface Contact { host: string; why: string }

const signInFor: Record<Purpose, string> = {mail: 'mail', dav: 'calendars and contacts', meetings: 'video meetings'}

/** In the order of what is most used. Throws ConfigError for an account that is not right. */
export async function contactsOf(config: Config): Promise<Contact[]> {
  const contacts: Contact[] = []
  if (config.mail.backend === 'imap') {
    const {accountOf, nameOf} = await import('../tools/mail/account.ts')
    const {imap, smtp} = accountOf(config)
    contacts.push({host: nameOf(imap), why: 'reads your inbox, keeps sent mails and drafts'}, {host: nameOf(smtp), why: 'sends the mails that you confirm'})
  }
  if (config.values.reminders.backend === 'todoist') contacts.push({host: todoistHost, why: 'keeps your reminders'})
  if (config.values.notes.backend === 'joplin') contacts.push({host: new URL(config.values.notes.joplin.url).host, why: 'is your Joplin, which keeps your notes'})
  const signIns = new Map<Purpose, ProviderName>()
  if (config.mail.backend === 'imap' && config.mail.auth !== 'password') signIns.set('mail', config.mail.auth)
  const {davAccount, davAreas, davAuth, isDav} = await import('../tools/dav/account.ts')
  for (const area of davAreas.filter(a => isDav(config, a))) {
    contacts.push({host: new URL(davAccount(config, area).url).host, why: `keeps your ${area === 'calendar' ? 'calendars' : area}`})
    const auth = davAuth(config, area)
    if (auth !== 'password') signIns.set('dav', auth)
  }
  const {provider, zoom} = config.meetings
  if (provider === 'meet' || (provider === 'zoom' && zoom.auth === 'user')) signIns.set('meetings', provider === 'meet' ? 'google' : 'zoom')
  for (const [purpose, name] of signIns) {
    for (const host of hostsOf(clientOf(config, name, purpose))) contacts.push({host, why: `renews your sign-in for ${signInFor[purpose]}`})
  }
  const writer = chosenWriter(config)
  for (const endpoint of endpointsOf(config)) {
    contacts.push({host: hostOf(endpoint), why: `plans by the model ${endpoint.name}, where you choose it: gets your requests, standing instructions and the lists of tools${isElsewhere(endpoint) ? '' : ' (this machine)'}`})
    if (writer && 'endpoint' in writer && writer.endpoint.name === endpoint.name) contacts.push({host: hostOf(endpoint), why: `writes for the sub-agents (model.writer): gets ${whatItWrites}${isElsewhere(endpoint) ? '' : ' (this machine)'}`})
  }
  if (provider === 'zoom' && zoom.auth === 'server') contacts.push({host: 'zoom.us', why: 'lets your Zoom app in'})
  if (provider === 'zoom') contacts.push({host: zoomHost, why: 'makes the Zoom meetings that you confirm'})
  if (provider === 'meet') contacts.push({host: meetHost, why: 'makes the Google Meet rooms that you confirm'})
  contacts.push(...await serverContacts(config))
  if (config.values.sms.gateway === 'twilio') contacts.push({host: 'api.twilio.com', why: 'sends the text messages that you confirm'})
  return contacts
}

/** MCP servers that are reached by HTTP. Those that are programs may reach whom they like; `networkCommand` says so. */
async function serverContacts({paths}: Config): Promise<Contact[]> {
  const {servers} = readWord(wordFile(paths.config))
  const contacts = await Promise.all(readServers(serversFile(paths.config)).list.map(async (server): Promise<Contact[]> => {
    if (server.type !== 'http') return []
    const {name} = server
    const url = addressOf(server, paths.config)
    const host = URL.canParse(url) ? new URL(url).host : url
    if (servers[name]?.start !== startHash(server)) return [{host, why: `will be your MCP server ${name}, once you approve it or sign in there; it is not contacted before`}]
    const signIn = await readSignIn({name, url}, {paths})
    const own: Contact[] = [{host, why: `is your MCP server ${name}`}]
    if (!signIn) return own
    const renewing = new URL(signIn.tokenUrl).host
    const ending = signIn.revokeUrl === undefined ? renewing : new URL(signIn.revokeUrl).host
    own.push({host: renewing, why: `renews your sign-in at your MCP server ${name}`})
    if (ending !== renewing) own.push({host: ending, why: `ends your sign-in at your MCP server ${name} when you sign out`})
    return own
  }))
  return contacts.flat()
}

/** The variables of an address may not be set. */
function addressOf(server: McpServer & {type: 'http'}, configDir: string): string {
  try {
    const {url} = filled({...server, headers: {}}, process.env, configDir) as typeof server // of the same type as it was
    return url
  } catch {
    return server.url
  }
}

export async function networkCommand(config: Config, isJson: boolean): Promise<number> {
  const contacts = await contactsOf(config)
  const text = contacts.length === 0
    ? 'No host: everything stays on this machine.'
    : contacts.map(({host, why}) => `${host}  ${why}`).join('\n')
  process.stdout.write(isJson ? `${JSON.stringify(contacts)}\n` : `${printable(text)}\n`)
  if (!isJson) process.stdout.write('`tinyagent setup mail` asks the domain of the address, autoconfig.thunderbird.net and DNS, `setup dav` the domain and DNS. Maps are shown by your browser. Plug-ins, shell tools, the Mac\'s own apps and MCP servers that run on this machine contact whom they like. --offline makes no connection of tinyagent\'s own.\n')
  return 0
}
