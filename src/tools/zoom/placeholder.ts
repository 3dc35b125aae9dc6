// Zoom without an account: nothing is made and nobody is told; the text says so wherever it ends up.
import type {ZoomBackend} from './zoom.ts'

export const placeholderLink = '(Zoom link to be added: no Zoom account is configured)'

export const placeholderZoom = (): ZoomBackend => ({
  effect: 'local',
  notice: 'No Zoom account is configured: no meeting is made, a note stands in for its link.',
  createMeeting: async () => ({link: placeholderLink, isReal: false}),
})
