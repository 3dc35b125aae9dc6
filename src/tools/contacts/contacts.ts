// Contacts: names become addresses and numbers.
import {z} from 'zod'
import {arg} from '../../core/params.ts'
import type {ToolSpec} from '../../core/types.ts'

export const getPhoneNumber = {
  name: 'get_phone_number',
  description: "Look up a person's phone number.",
  args: z.object({name: arg.person()}),
  effect: 'read',
  returns: 'phone',
} satisfies ToolSpec

export const getEmailAddress = {
  name: 'get_email_address',
  description: "Look up a person's email address.",
  args: z.object({name: arg.person()}),
  effect: 'read',
  returns: 'address',
} satisfies ToolSpec

export const contactsSpecs: ToolSpec[] = [getPhoneNumber, getEmailAddress]
