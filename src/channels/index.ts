import type { ChannelDefinition } from './channel.js'
import email from './email/index.js'
import webchat from './webchat/index.js'
import { whatsappCloud } from './whatsapp/index.js'
import { whatsappLinked } from './whatsapp/linked/index.js'

/** Every kind of channel: a folder and a line here. */
export const channelKinds: Record<string, ChannelDefinition> = {
  webchat,
  email,
  'whatsapp-cloud': whatsappCloud,
  'whatsapp-baileys': whatsappLinked,
}
