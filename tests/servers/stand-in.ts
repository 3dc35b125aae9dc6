// What the stand-ins for services share: reading a request, and checking it against a published schema.
import type {IncomingMessage} from 'node:http'
import {z} from 'zod'

/** The request's body as text. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

/** A check whose failures are added to `problems`; its result is undefined then. */
export const checkedInto = (problems: string[]) => <T>(schema: z.ZodType<T>, value: unknown): T | undefined => {
  const parsed = schema.safeParse(value)
  if (!parsed.success) problems.push(z.prettifyError(parsed.error))
  return parsed.data
}
