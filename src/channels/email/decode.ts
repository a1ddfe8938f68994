import { decodeMessage, type DecodedEmail } from './decode-message.js'

export type { DecodedEmail, EmailAttachment, Oddity } from './decode-message.js'
export type { Mailbox } from './decode-headers.js'
export type { Bounce, BounceReason } from './bounce.js'
export type { AutomaticReason } from './automatic.js'

/** Total: strange mail becomes a `DecodedEmail` with oddities, never an error. */
export const decodeEmail = async (raw: Buffer): Promise<DecodedEmail> => decodeMessage(raw)
