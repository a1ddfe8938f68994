import { randomUUID } from 'node:crypto'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import { newId } from '../../platform/ids.js'
import type { Secrets } from '../../platform/secrets.js'

/** Whom a token speaks for: one visitor of one channel, and the name of the conversation that their first message starts. */
export type Session = { channelId: string; visitorId: string; conversationId: string; visitor: Visitor }

/** What the page says about its visitor; nothing of it is verified, and nobody is found by it. */
export type Visitor = { name?: string; email?: string; reference?: string }

const PURPOSE = 'webchat-session'
const LIFETIME_MS = 30 * 24 * 60 * 60 * 1000

/** Signed, so that the server keeps nothing for a visitor who has not written yet. */
export const makeSessions = (secrets: Secrets, clock: Clock) => ({
  open: (channelId: string, visitor: Visitor = {}): { token: string; session: Session } => {
    const session = { channelId, visitorId: randomUUID(), conversationId: newId('cnv'), visitor }
    const expires = clock.now().getTime() + LIFETIME_MS
    return { token: secrets.sign(PURPOSE, { ...session, expires }), session }
  },

  read: (token: string | null): Session => {
    if (!token) throw new AppError('unauthenticated', 'token_missing', 'The session token is missing.')
    const payload = secrets.verify(PURPOSE, token) as (Session & { expires: number }) | null
    if (!payload) throw new AppError('unauthenticated', 'token_invalid', 'The session token is not one of ours.')
    const { expires, ...session } = payload
    if (expires <= clock.now().getTime()) {
      throw new AppError('unauthenticated', 'token_expired', 'The session has expired. Open a new one.')
    }
    return session
  },
})
