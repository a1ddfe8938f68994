import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../platform/clock.js'
import { AppError } from '../../platform/errors.js'
import { newId } from '../../platform/ids.js'
import { personName } from '../../platform/names.js'
import { sha256, type Secrets } from '../../platform/secrets.js'

/** Whom a token speaks for: one visitor of one channel, and the name of the conversation that their first message starts. */
export type Session = { channelId: string; visitorId: string; conversationId: string; visitor: Visitor }

/** What the page says about its visitor; nobody is found by it unless it is `verified`. */
export type Visitor = { name?: string; email?: string; reference?: string; verified?: true }

/** What a page sends: `hash` proves that the company's own site calls its visitor `id`. */
export type Claim = {
  id?: string | undefined
  hash?: string | undefined
  name?: string | undefined
  email?: string | undefined
}

const PURPOSE = 'webchat-session'
const LIFETIME_MS = 30 * 24 * 60 * 60 * 1000

type Signed = Session & { expires: number }

/** Signed, so that the server keeps nothing for a visitor who has not written yet. */
export const makeSessions = (secrets: Secrets, clock: Clock) => {
  const sign = (session: Session): string =>
    secrets.sign(PURPOSE, { ...session, expires: clock.now().getTime() + LIFETIME_MS } satisfies Signed)

  const verified = (token: string | null): Signed => {
    if (!token) throw new AppError('unauthenticated', 'token_missing', 'The session token is missing.')
    const payload = secrets.verify(PURPOSE, token) as Signed | null
    if (!payload) throw new AppError('unauthenticated', 'token_invalid', 'The session token is not one of ours.')
    if (payload.expires <= clock.now().getTime()) {
      throw new AppError('unauthenticated', 'token_expired', 'The session has expired. Open a new one.')
    }
    return payload
  }

  return {
    open: (channelId: string, visitor: Visitor = {}): { token: string; session: Session } => {
      const session = { channelId, ...placeOf(channelId, visitor), visitor }
      return { token: sign(session), session }
    },

    read: (token: string | null): Session => {
      const { expires: _expires, ...session } = verified(token)
      return session
    },

    /** A token that lives on, once the given one is past half of its life: whoever keeps coming back is never shut out. */
    renewed: (token: string | null): string | null => {
      const { expires, ...session } = verified(token)
      return expires - clock.now().getTime() < LIFETIME_MS / 2 ? sign(session) : null
    },
  }
}

/**
 * A verified visitor is the same one on every device, and so is the conversation that they begin with; anybody else gets a
 * place of their own that nobody can guess.
 */
const placeOf = (channelId: string, { verified, reference }: Visitor) => {
  if (!verified || !reference) return { visitorId: randomUUID(), conversationId: newId('cnv') }
  const name = sha256(['verified', channelId, reference].join('\0'))
  return { visitorId: `verified-${name.slice(0, 32)}`, conversationId: `cnv_${name.slice(32)}` }
}

/** Decides what of a claim is believed. A site that can prove who its visitors are has to: an id without proof is refused. */
export const visitorOf = ({ id, hash, name: said, email }: Claim, identitySecret: string | null): Visitor => {
  const name = said && personName(said)
  const claimed = { ...(name ? { name } : {}), ...(email ? { email } : {}) }
  if (id === undefined) return claimed
  if (!identitySecret) {
    if (hash === undefined) return { ...claimed, reference: id }
    throw unproven('identity_not_set_up', 'This channel has no identity secret to check the hash with.')
  }
  if (hash === undefined) throw unproven('identity_hash_missing', 'This channel takes an id only with its hash.')
  const expected = createHmac('sha256', identitySecret).update(id).digest()
  if (timingSafeEqual(Buffer.from(hash, 'hex'), expected)) return { ...claimed, reference: id, verified: true }
  throw unproven(
    'identity_hash_wrong',
    'The hash is not the HMAC-SHA256 of the id under this channel’s identity secret.',
  )
}

const unproven = (code: string, message: string): AppError =>
  new AppError('forbidden', code, message, { field: 'visitor.hash' })
