// Jitsi Meet: a meeting is whatever room people meet in, so a link to a room that nobody can guess is all there is. Nobody is contacted.
import {randomBytes} from 'node:crypto'
import type {ZoomBackend} from './zoom.ts'

/** 25 signs of 32: 125 bits, in groups that can be read out. */
const letters = 'abcdefghijklmnopqrstuvwxyz234567'
const room = (bytes: Buffer): string => (Array.from(bytes, byte => letters[byte % 32]).join('').match(/.{5}/g) ?? []).join('-')

/** `url` is a server's, e.g. "https://meet.jit.si", perhaps with a path. Nothing of the meeting is in the link: whoever sees it would read it. */
export function jitsiMeet(url: string, random: (bytes: number) => Buffer = randomBytes): ZoomBackend {
  const base = url.replace(/\/+$/, '')
  const {host} = new URL(base)
  return {
    name: 'Jitsi',
    effect: 'local',
    notice: `A link to a new room on ${host} is made here; nobody is told, and nothing is sent.${host === 'meet.jit.si' ? ' The first who comes has to sign in there.' : ''}`,
    createMeeting: async (_meeting, _key, signal) => {
      signal.throwIfAborted()
      return {link: `${base}/${room(random(25))}`, isReal: true}
    },
  }
}
