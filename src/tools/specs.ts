// The sixteen tools as the planner knows them, in the order of LABELLING.md: no backend is opened.
import type {ToolSpec} from '../core/types.ts'
import {getEmailAddress, getPhoneNumber} from './contacts/contacts.ts'
import {calendarSpecs} from './calendar/calendar.ts'
import {filesSpecs} from './files/files.ts'
import {pdfSpecs} from './pdf/pdf.ts'
import {mailSpecs} from './mail/mail.ts'
import {mapsSpecs} from './maps/maps.ts'
import {notesSpecs} from './notes/notes.ts'
import {remindersSpecs} from './reminders/reminders.ts'
import {smsSpecs} from './sms/sms.ts'
import {zoomSpecs} from './zoom/zoom.ts'

export const specs: ToolSpec[] = [
  getPhoneNumber, getEmailAddress,
  ...calendarSpecs, ...filesSpecs, ...pdfSpecs, ...mailSpecs, ...mapsSpecs,
  ...notesSpecs, ...remindersSpecs, ...smsSpecs, ...zoomSpecs,
]
