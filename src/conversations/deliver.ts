import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import { withRequestId, type Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import type { Origin, OutboundMessage, Patience, Receipt } from './message.js'
import type { MessageDocument } from './documents.mongo.js'
import type { ConversationStore } from './store.mongo.js'
import { announce, eventLine, summarised } from './timeline.js'

/** The way out through the message's channel. */
export type Send = (channel: Origin, message: OutboundMessage, signal: AbortSignal) => Promise<Receipt>

type Needs = {
  store: ConversationStore
  send: Send
  /** Sending the same message twice through this channel does no harm. */
  isIdempotent(channel: Origin): boolean
  /** `null`: a few attempts are enough. */
  patienceOf(channel: Origin): Patience | null
  wakeDeliver(companyId: string, conversationId: string): void
  bus: Bus
  clock: Clock
  log: Log
  metrics: Metrics
}

/** How long one attempt may take, and how long a message is held for it; a crash frees it after that. */
const SEND_MS = 10_000
const HOLD_MS = 15_000
const MAX_ATTEMPTS = 6
const LONGEST_PAUSE_MS = 15 * 60_000
/** A channel that is away for longer is not waited for: by then its customer needs another way. */
const MOST_WAIT_MS = 24 * 60 * 60_000
/** Of a channel with patience: whoever is asked for days need not be asked every quarter of an hour. */
const PATIENT_PAUSE_MS = 2 * 60 * 60_000
const retryAfterMs = (attempts: number, longestMs: number) => Math.min(1_000 * 4 ** (attempts - 1), longestMs)

/** How one attempt ended. `unknown`: it may have reached the provider or not. */
type Attempt =
  | Receipt
  | { kind: 'unreachable'; reason: string; retryAfterMs?: number | undefined }
  | { kind: 'unknown'; reason: string }

/** What the assistant said and the customer did not get is for a person to see. */
export const makeHandOverUndelivered =
  ({ store, bus, clock, metrics }: Pick<Needs, 'store' | 'bus' | 'clock' | 'metrics'>) =>
  async (message: MessageDocument): Promise<void> => {
    const { companyId, conversationId, text } = message
    const at = clock.now()
    const handoff = { reason: 'delivery_failed' as const, summary: summarised(text), at }
    const requestId = message.delivery?.requestId ?? message._id
    const target = { companyId, conversationId, at, requestId, choosesAgain: true as const }
    const appended = await store.change(target, ({ handler }) =>
      handler === 'assistant'
        ? { change: { handler: 'nobody', handoff }, drafts: [eventLine({ name: 'handoff', reason: handoff.reason })] }
        : null,
    )
    if (!appended) return
    announce(bus, appended)
    metrics.handoffs.inc({ reason: handoff.reason })
  }

/** A channel that was away is back: what waits for it does not wait for its next try. */
export const makeHasten =
  ({ store, wakeDeliver, clock, log }: Pick<Needs, 'store' | 'wakeDeliver' | 'clock' | 'log'>) =>
  (origin: Origin): void => {
    store
      .hastenDeliveries(origin, clock.now())
      .then((conversationIds) => conversationIds.forEach((id) => wakeDeliver(origin.companyId, id)))
      // Nothing is lost: each is tried again when its pause is over.
      .catch((err: unknown) => log.warn({ err, channelId: origin.channelId }, 'waiting messages not hastened'))
  }

/**
 * Sends what is due in one conversation, in its order: a later message waits for an earlier one. Apart from answering,
 * so that a failed send never pays for the answer again, and an agent's reply leaves by the same door.
 */
export const makeDeliver = (needs: Needs) => {
  const { store, send, isIdempotent, patienceOf, wakeDeliver, bus, clock, log, metrics } = needs
  const handOver = makeHandOverUndelivered(needs)

  const next = async (message: MessageDocument): Promise<'next' | 'wait'> => {
    const now = clock.now()
    const { delivery } = message
    if (!delivery || delivery.notBefore > now || (delivery.heldUntil && delivery.heldUntil > now)) return 'wait'
    if (!(await store.claimDelivery(message, now, new Date(now.getTime() + HOLD_MS)))) return 'wait'
    // Held before and never finished: its sender died in between.
    const orphaned = message.status === 'sending'
    const attempt: Attempt =
      orphaned && !isIdempotent(message)
        ? { kind: 'unknown', reason: 'process_stopped: the process stopped while it was being sent' }
        : await sendWithin(message)
    metrics.deliveries.inc({ outcome: attempt.kind })
    return settle(message, attempt, delivery.attempts + 1)
  }

  const sendWithin = async (message: MessageDocument): Promise<Attempt> => {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), SEND_MS)
    const aborted = new Promise<Attempt>((resolve) => {
      late.signal.addEventListener('abort', () =>
        resolve({ kind: 'unknown', reason: 'channel_late: the channel did not answer in time' }),
      )
    })
    const sending = outbound(message)
      .then((out) => send(message, out, late.signal))
      .catch((err: unknown): Attempt => {
        log.warn({ err, messageId: message._id }, 'send failed')
        if (!(err instanceof AppError))
          return { kind: 'unknown', reason: 'channel_failed: the channel failed while sending' }
        return err.kind === 'unavailable'
          ? { kind: 'unreachable', reason: `${err.code}: ${err.message}`, retryAfterMs: err.retryAfterMs }
          : { kind: 'refused', reason: `${err.code}: ${err.message}` }
      })
    const attempt = await Promise.race([sending, aborted])
    clearTimeout(timer)
    return attempt
  }

  const outbound = async (message: MessageDocument): Promise<OutboundMessage> => {
    const { _id: id, conversationId, contactId, seq, author, text, citations, at } = message
    const { attachments, choices, replyTo, details, template } = message
    const contact = await store.contact(message.companyId, contactId)
    if (!contact) throw new AppError('not_found', 'contact_not_found', 'The contact is not known any more.')
    const extra = {
      ...(attachments ? { attachments } : {}),
      ...(choices ? { choices } : {}),
      ...(replyTo ? { replyTo } : {}),
      ...(details ? { details } : {}),
      ...(template ? { template } : {}),
    }
    return { id, conversationId, contactId, seq, author, text, citations, at, ...extra, contact }
  }

  const settle = async (message: MessageDocument, attempt: Attempt, attempts: number): Promise<'next' | 'wait'> => {
    const { _id: messageId, conversationId } = message
    const patience = patienceOf(message)
    const waitedMs = clock.now().getTime() - message.at.getTime()
    log.info({ conversationId, messageId, outcome: attempt.kind, attempts }, 'delivered')
    switch (attempt.kind) {
      case 'sent':
        await sent(message, attempt.externalId)
        return 'next'
      case 'refused':
        return giveUp(message, 'refused', attempt.reason)
      case 'later':
        if (waitedMs > (patience?.giveUpAfterMs ?? MOST_WAIT_MS)) return giveUp(message, 'refused', attempt.reason)
        return pause(message, Math.min(attempt.afterMs, LONGEST_PAUSE_MS), { uncounted: true })
      case 'unknown':
        // A second copy is sent only where it does no harm; else a person looks.
        if (!isIdempotent(message)) return giveUp(message, 'uncertain', attempt.reason)
        break
      case 'deferred':
      case 'unreachable':
        break
    }
    const asked = attempt.kind === 'unreachable' ? (attempt.retryAfterMs ?? 0) : 0
    if (!patience) {
      const reason =
        attempt.kind === 'deferred' ? attempt.reason : 'channel_unreachable: the channel could not be reached'
      if (attempts >= MAX_ATTEMPTS) return giveUp(message, 'refused', reason)
      const ownMs = retryAfterMs(attempts, LONGEST_PAUSE_MS)
      return pause(message, Math.max(ownMs, Math.min(asked, LONGEST_PAUSE_MS)))
    }
    if (waitedMs > patience.giveUpAfterMs) return giveUp(message, 'refused', attempt.reason)
    const isLate = waitedMs > patience.tellAfterMs
    // Said once, and to a person where it is the assistant's: a customer who waits for hours may need another way.
    if (isLate && message.reason === undefined && message.author.kind === 'assistant') await handOver(message)
    const ms = Math.max(retryAfterMs(attempts, PATIENT_PAUSE_MS), Math.min(asked, PATIENT_PAUSE_MS))
    return pause(message, ms, isLate ? { reason: attempt.reason } : {})
  }

  const pause = async (
    message: MessageDocument,
    ms: number,
    how: { uncounted?: boolean; reason?: string } = {},
  ): Promise<'wait'> => {
    const { _id: messageId, companyId, conversationId, delivery } = message
    await store.retryDelivery(message, new Date(clock.now().getTime() + ms), how)
    // That it waits is told once, and told again when there is a reason to it.
    const isFirst = delivery !== undefined && delivery.notBefore <= message.at
    if (isFirst || how.reason) bus.publish({ type: 'delivery', companyId, conversationId, messageId })
    setTimeout(() => wakeDeliver(companyId, conversationId), ms).unref()
    return 'wait'
  }

  const giveUp = async (message: MessageDocument, status: 'refused' | 'uncertain', reason: string): Promise<'next'> => {
    if (message.author.kind === 'assistant') await handOver(message)
    // Last, so that a crash in between leaves the message held: its end is then decided, and told, once more.
    await store.endDelivery(message, status, reason)
    return 'next'
  }

  const sent = async (message: MessageDocument, externalId?: string): Promise<void> => {
    const moved = await store.messageSent(message, clock.now(), externalId)
    if (moved) announce(bus, moved)
  }

  return async (companyId: string, conversationId: string, stop: AbortSignal): Promise<void> => {
    while (!stop.aborted) {
      const message = await store.nextToDeliver(companyId, conversationId)
      if (!message) return
      const outcome = await withRequestId(message.delivery?.requestId ?? message._id, () => next(message))
      if (outcome === 'wait') return
      bus.publish({ type: 'delivery', companyId, conversationId, messageId: message._id })
    }
  }
}
