import { defineChannel } from '../channel.js'
import { openCloud } from './cloud.js'
import { cloudSettings } from './settings.js'
import { checkCloud } from './watch.js'

/** A number behind Meta's official Cloud API. A linked phone will be a second kind beside it. */
export const whatsappCloud = defineChannel({
  label: 'WhatsApp (Cloud API)',
  icon: 'phone-message',
  settings: cloudSettings,
  secrets: ['accessToken', 'appSecret', 'verifyToken'],
  // Meta has no key under which sending twice would be sending once: what may have left is for a person to see.
  idempotent: false,
  // Two machines that answer each other end here; a person who writes as much gets a person.
  automaticLimits: { perConversation: 40, perContactAndDay: 60 },
  // Meta's own limit for what it sends.
  webhookBytes: 3 * 1024 * 1024,
  check: (settings, outside, signal) => checkCloud(settings, outside, signal),
  open: (settings, kit) => openCloud(settings, kit),
})
