import { defineChannel } from '../channel.js'
import { makeLetter } from './letter.js'
import { makePublicApi } from './public-api.js'
import { SECRET_SETTINGS, settings, type Settings } from './settings.js'

/**
 * Chat on a web page. The visitor reads the conversation itself, so a message that is appended is already where it has
 * to go: sending is nothing but the word that it is there, and may be repeated. Who has left by then gets a letter.
 */
export default defineChannel({
  label: 'Web chat',
  icon: 'message',
  settings,
  secrets: SECRET_SETTINGS,
  idempotent: true,
  open: (given: Settings, kit) => ({
    start: async () => {},
    stop: async () => {},
    send: async () => ({ kind: 'sent' }),
    letter: makeLetter({ settings: given, ownOrigin: new URL(kit.publicUrl).origin, openFile: kit.openFile }),
  }),
  publicApi: makePublicApi,
})
