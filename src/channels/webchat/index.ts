import { z } from 'zod'
import { defineChannel } from '../channel.js'
import { makePublicApi } from './public-api.js'

const settings = z.strictObject({
  origins: z
    .array(z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin))
    .max(50)
    .default([])
    .describe('Sites that may carry the chat; none means any.'),
})

/**
 * Chat on a web page. The visitor reads the conversation itself, so a message that is appended is already where it has
 * to go: sending is nothing but the word that it is there, and may be repeated.
 */
export default defineChannel({
  label: 'Web chat',
  icon: 'message',
  settings,
  idempotent: true,
  open: () => ({
    start: async () => {},
    stop: async () => {},
    send: async () => ({ kind: 'sent' }),
  }),
  publicApi: makePublicApi,
})
