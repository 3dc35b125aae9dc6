import {afterAll, beforeAll} from 'vitest'

/** All tests of the file run with the clock of this time zone. */
export function inZone(zone: string): void {
  const before = process.env['TZ']
  beforeAll(() => { process.env['TZ'] = zone })
  afterAll(() => { if (before === undefined) delete process.env['TZ']; else process.env['TZ'] = before })
}
