import type { Health } from '../channel.js'

/** What is known of the connection. Each fact is noted by whoever learns it; `healthOf` says what they come to. */
export type Facts = {
  /** What the last question to the Graph API came to; `null` before the first. */
  graph: { kind: 'works' } | { kind: 'refused'; code: string; detail: string } | { kind: 'silent' } | null
  /** When the token ends; `null` where it does not, or where that is not known. */
  tokenEndsAt: Date | null
  /** Until when WhatsApp wants to be let alone. */
  restsUntil: Date | null
  /** When the webhook was last called by somebody with the right signature. */
  heardAt: Date | null
  /** When the oldest message left of which nothing was heard. */
  unheardSince: Date | null
}

export const UNKNOWN: Facts = { graph: null, tokenEndsAt: null, restsUntil: null, heardAt: null, unheardSince: null }

/** A token that ends within this long is somebody's business now. */
const TOKEN_WARNING_MS = 7 * 24 * 60 * 60 * 1000
/** WhatsApp tells what became of a message within seconds; after this long it calls somebody else, or nobody. */
const SILENT_AFTER_MS = 5 * 60 * 1000

/** The worst first: what keeps customers from being served stands before what will. */
export const healthOf = ({ graph, tokenEndsAt, restsUntil, heardAt, unheardSince }: Facts, now: Date): Health => {
  const at = now.getTime()
  if (graph === null) return { state: 'connecting' }
  if (graph.kind === 'refused') return { state: 'refused', code: graph.code, detail: graph.detail }
  if (graph.kind === 'silent')
    return { state: 'disconnected', code: 'provider_unreachable', detail: 'WhatsApp cannot be reached from here.' }
  if (tokenEndsAt && tokenEndsAt.getTime() <= at)
    return { state: 'refused', code: 'token_refused', detail: 'The access token has expired. Enter a new one.' }
  if (restsUntil && restsUntil.getTime() > at)
    return { state: 'limited', code: 'rate_limited', detail: 'WhatsApp limits how fast this number may send.' }
  if (heardAt === null)
    return {
      state: 'attention',
      code: 'webhook_unseen',
      detail:
        'Meta has not called the webhook yet. Enter its address and the verify token at Meta, and subscribe to "messages".',
    }
  if (unheardSince && at - Math.max(unheardSince.getTime(), heardAt.getTime()) > SILENT_AFTER_MS)
    return {
      state: 'attention',
      code: 'webhook_silent',
      detail: 'Messages leave, but Meta does not call the webhook. Check its address and its subscription at Meta.',
    }
  if (tokenEndsAt && tokenEndsAt.getTime() - at < TOKEN_WARNING_MS)
    return {
      state: 'attention',
      code: 'token_expiring',
      detail: `The access token ends on ${tokenEndsAt.toISOString().slice(0, 10)}. A system user's token does not end.`,
    }
  return { state: 'connected' }
}
