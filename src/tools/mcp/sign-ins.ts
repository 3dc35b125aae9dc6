// What is kept of a sign-in at an MCP server: by core/secrets.ts, whole, and for one address only.
import {z} from 'zod'
import {ToolError} from '../../core/errors.ts'
import {deleteSecret, readSecret, writeSecret, type SecretConfig, type SecretPlace} from '../../core/secrets.ts'
import type {McpServer} from './servers.ts'

const signInSchema = z.object({
  /** of the MCP server: another one gets none of this */
  url: z.string(),
  /** of the authorization server (RFC 8414), and where tokens come from */
  issuer: z.string(),
  tokenUrl: z.url({protocol: /^https?$/}),
  /** where they are taken back (RFC 7009); absent where it has no such place */
  revokeUrl: z.url({protocol: /^https?$/}).optional(),
  /** how a client proves itself there */
  methods: z.array(z.string()),
  /** whom the tokens are for (RFC 8707) */
  resource: z.string().optional(),
  client: z.object({client_id: z.string(), client_secret: z.string().optional(), token_endpoint_auth_method: z.string().optional()}),
  access: z.string(),
  refresh: z.string().optional(),
  /** milliseconds since 1970; absent where the server does not say */
  goodUntil: z.number().optional(),
  /** what was allowed; absent where nothing was named (RFC 6749, 3.3) */
  scope: z.string().optional(),
  /** what the server has said is missing: the next sign-in asks for it */
  wanted: z.string().optional(),
})
export type SignIn = z.infer<typeof signInSchema>

const nameOf = (server: string): string => `mcp-oauth-${server}`
/** The environment holds passwords of other kinds, not this. */
const placeOf = ({paths, env = process.env, keyring}: SecretConfig): SecretConfig =>
  ({paths, env: env['TINYAGENT_NO_KEYRING'] ? {TINYAGENT_NO_KEYRING: env['TINYAGENT_NO_KEYRING']} : {}, ...(keyring && {keyring})})

/** Undefined where there is none, or only one for another address than the server has now. Throws ToolError 'refused' for a file that others can read. */
export async function readSignIn({name, url}: {name: string; url: string}, secrets: SecretConfig): Promise<SignIn | undefined> {
  const kept = await keptSignIn(name, secrets)
  return kept?.url === url ? kept : undefined
}

/** As readSignIn, whatever address it is for. */
export async function keptSignIn(server: string, secrets: SecretConfig): Promise<SignIn | undefined> {
  let text: string
  try {
    text = await readSecret(nameOf(server), placeOf(secrets))
  } catch (error) {
    if (error instanceof ToolError && error.code === 'unavailable') return undefined
    throw error
  }
  try {
    return signInSchema.parse(JSON.parse(text))
  } catch {
    return undefined // written by another version; a new sign-in replaces it
  }
}

/** The scope tokens of a text (RFC 6749, 3.3), each once. What is none, or far too long, is left out: a server says it. */
export const scopesOf = (...texts: (string | undefined)[]): string[] =>
  [...new Set(texts.flatMap(text => text?.split(/\s+/) ?? []).filter(scope => /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/.test(scope)))].slice(0, 50)

/** What calls were refused for want of and the sign-in still does not allow. */
export const missingScopes = ({scope, wanted}: SignIn): string[] => scopesOf(wanted).filter(one => !scopesOf(scope).includes(one))

export const writeSignIn = ({name}: Pick<McpServer, 'name'>, signIn: SignIn, secrets: SecretConfig): Promise<SecretPlace> =>
  writeSecret(nameOf(name), JSON.stringify(signIn), placeOf(secrets))

export const deleteSignIn = (server: string, secrets: SecretConfig): Promise<void> => deleteSecret(nameOf(server), placeOf(secrets))

/** Of core/secrets.ts: the secret of a client that the user made, in TINYAGENT_MCP_CLIENT_NAME_PASSWORD. */
export const clientSecretName = (server: string): string => `mcp-client-${server}`
