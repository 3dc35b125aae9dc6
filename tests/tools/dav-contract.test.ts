// The contracts of calendars, reminders and contacts against real CalDAV and CardDAV servers.
import {join} from 'node:path'
import {afterAll, beforeAll, describe, test} from 'vitest'
import {openDavCalendar, openDavContacts, openDavReminders} from '../../src/tools/dav/open.ts'
import {startRadicale, startXandikos, type DavServer} from '../servers/dav.ts'
import {calendarContract} from './calendar-contract.ts'
import {contactsContract} from './contacts-contract.ts'
import {remindersContract} from './reminders-contract.ts'
import {program, tempFolder} from './vdir-programs.ts'
import {inZone} from './zone.ts'

// A zone with summer time, so that a mistake with zones shows.
inZone('America/New_York')

const servers = [{name: 'Radicale', start: startRadicale, path: await program('radicale')}, {name: 'Xandikos', start: startXandikos, path: await program('xandikos')}]

for (const {name, start, path} of servers) {
  if (path === undefined) {
    test.skip(`${name} is not installed`, () => undefined)
    continue
  }
  describe(name, () => {
    let server: DavServer | undefined
    beforeAll(async () => { server = await start() }, 120_000)
    afterAll(() => server?.stop())

    const opening = <B>(open: (options: Parameters<typeof openDavCalendar>[0]) => B) => async () => {
      const {path: folder, remove} = await tempFolder()
      const {url, user, password} = await server!.newAccount()
      return {backend: open({account: {url, user, password: async () => password}, file: join(folder, 'copy.json')}), close: remove}
    }
    // python-icalendar 4, which Xandikos writes every item with, takes the "\\n" of an escaped backslash and an n for a line end.
    const kept = name === 'Xandikos' ? {kept: (text: string) => text.replace(/\\n/g, '\n')} : {}
    calendarContract(name, opening(openDavCalendar), kept)
    remindersContract(name, opening(openDavReminders), kept)
    contactsContract(name, opening(openDavContacts))
  })
}
