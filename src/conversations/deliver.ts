import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { withRequestId, type Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import type { Origin, OutboundMessage, Receipt } from './message.js'
import type { MessageDocument } from './change.mongo.js'
import type { ConversationStore } from './store.mongo.js'

/** The way out through the message's channel. */
export type Send = (channel: Origin, message: OutboundMessage, signal: AbortSignal) => Promise<Receipt>

type Needs = {
  store: ConversationStore
  send: Send
  /** Sending the same message twice through this channel does no harm. */
  isIdempotent(channel: Origin): boolean
  bus: Bus
  clock: Clock
  log: Log
  metrics: Metrics
}

/** How long one attempt may take, and how long a message is held for it; a crash frees it after that. */
const SEND_MS = 10_000
const HOLD_MS = 15_000
const MAX_ATTEMPTS = 6
const retryAfterMs = (attempts: number) => Math.min(1_000 * 4 ** (attempts - 1), 15 * 60_000)

/**
 * Sends what is due in one conversation, in its order: a later message waits for an earlier one. Apart from answering,
 * so that a failed send never pays for the answer again, and an agent's reply leaves by the same door.
 */
export const makeDeliver = ({ store, send, isIdempotent, bus, clock, log, metrics }: Needs) => {
  const attempt = async (message: MessageDocument): Promise<'next' | 'wait'> => {
    const now = clock.now()
    if (!message.delivery || message.delivery.notBefore > now) return 'wait'
    if (message.delivery.heldUntil && message.delivery.heldUntil > now) return 'wait'
    // Held before and never finished: its sender died in between. Only where a second copy does no harm is it sent again.
    const fateUnknown = message.status === 'sending' && !isIdempotent(message)
    if (!(await store.claimDelivery(message, now, new Date(now.getTime() + HOLD_MS)))) return 'wait'
    if (fateUnknown) {
      await store.finishDelivery(message._id, 'uncertain', 'the process stopped while it was being sent')
      return 'next'
    }
    return sendClaimed(message, message.delivery.attempts + 1)
  }

  const sendClaimed = async (message: MessageDocument, attempts: number): Promise<'next' | 'wait'> => {
    try {
      const receipt = await send(message, toOutbound(message), AbortSignal.timeout(SEND_MS))
      metrics.deliveries.inc({ outcome: receipt.kind })
      log.info({ conversationId: message.conversationId, messageId: message._id, outcome: receipt.kind }, 'delivered')
      if (receipt.kind === 'sent') await store.finishDelivery(message._id, 'sent', undefined, receipt.externalId)
      else await store.finishDelivery(message._id, 'refused', receipt.reason)
      return 'next'
    } catch (err) {
      log.warn({ err, messageId: message._id, attempts }, 'delivery failed')
      metrics.deliveries.inc({ outcome: 'failed' })
      const mayRetry = err instanceof AppError && err.kind === 'unavailable' && attempts < MAX_ATTEMPTS
      if (!mayRetry) {
        await store.finishDelivery(message._id, 'refused', 'the channel could not send it')
        return 'next'
      }
      await store.retryDelivery(message._id, new Date(clock.now().getTime() + retryAfterMs(attempts)))
      return 'wait'
    }
  }

  return async (companyId: string, conversationId: string, stop: AbortSignal): Promise<void> => {
    while (!stop.aborted) {
      const message = await store.nextToDeliver(companyId, conversationId)
      if (!message) return
      const outcome = await withRequestId(message.delivery?.requestId ?? message._id, () => attempt(message))
      if (outcome === 'wait') return
      const { _id: messageId, seq, channelId, contactId, kind } = message
      bus.publish({ type: 'message', companyId, conversationId, channelId, contactId, messageId, seq, kind })
    }
  }
}

const toOutbound = ({
  _id,
  conversationId,
  contactId,
  seq,
  author,
  text,
  citations,
  at,
}: MessageDocument): OutboundMessage => ({
  id: _id,
  conversationId,
  contactId,
  seq,
  author,
  text,
  citations,
  at,
})
