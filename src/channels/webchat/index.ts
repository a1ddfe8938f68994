import { defineChannel } from '../channel.js'
import { makePublicApi } from './public-api.js'
import { SECRET_SETTINGS, settings } from './settings.js'

/**
 * Chat on a web page. The visitor reads the conversation itself, so a message that is appended is already where it has
 * to go: sending is nothing but the word that it is there, and may be repeated.
 */
export default defineChannel({
  label: 'Web chat',
  icon: 'message',
  settings,
  secrets: SECRET_SETTINGS,
  idempotent: true,
  open: () => ({
    start: async () => {},
    stop: async () => {},
    send: async () => ({ kind: 'sent' }),
  }),
  publicApi: makePublicApi,
})
