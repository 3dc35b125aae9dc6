// What counts as an e-mail address and as a phone number, for everything that looks one up or is given one.
import {ToolError} from '../../core/errors.ts'
import {oneLine} from '../../core/text.ts'

/** Narrower than RFC 5322 on purpose: nothing in it needs quoting in a mail header, a vCard or iCalendar. */
export const isAddress = (text: string): boolean =>
  text.length <= 254 && /^[^\s"'(),:;<>@[\\\]\p{C}]+@[^\s"'(),:;<>@[\\\]\p{C}]+$/u.test(text)

/** Digits as people and programs write them; nothing in it needs quoting in a vCard or an sms: link. */
export const isNumber = (text: string): boolean =>
  /^\+?[\d\s().\-/\u00a0]{2,30}$/.test(text) && !/[\r\n]/.test(text) && /\d{3}|\d\D+\d/.test(text)

/** One form for the ways to write one address or number. */
export const sameness = (value: string): string => value.includes('@') ? value.toLowerCase() : value.replace(/[^\d+]/g, '').replace(/^00/, '+')

/** Without the direction marks and odd dashes that phones put into copied numbers, and without an extension. */
export const bare = (value: string): string =>
  value.replace(/\p{Cf}/gu, '').replace(/[\u2010-\u2015\u2212]/g, '-').replace(/\s*(?:;.*|,?\s*(?:ext\.?|x)\s*\d+)$/is, '').trim()

/** A look-up of a group yields several addresses in one text, with ", " between them. Throws 'invalid-args' for what is none. */
export function splitAddresses(text: string): string[] {
  const parts = text.split(',').map(part => part.trim()).filter(Boolean)
  for (const part of parts) {
    if (!isAddress(part)) throw new ToolError('invalid-args', `"${oneLine(part)}" is not an e-mail address. Say one such as ana@example.org.`)
  }
  return parts
}

/** The number as it is kept: with a country in it as E.164 ("+447700900123"), else as typed. `undefined` for what is none. */
export async function readNumber(text: string, country?: string): Promise<string | undefined> {
  const typed = text.replace(/\s+/g, ' ').trim()
  if (!isNumber(typed)) return undefined
  const {parsePhoneNumberFromString, isSupportedCountry} = await import('libphonenumber-js')
  const known = country !== undefined && isSupportedCountry(country) ? country : undefined
  const parsed = parsePhoneNumberFromString(typed, known)
  if (parsed?.isPossible()) return parsed.number
  // Without a country a national number and a short code can't be checked any further.
  return !typed.startsWith('+') && known === undefined ? typed : undefined
}
