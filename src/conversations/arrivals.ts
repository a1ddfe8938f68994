import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import type { Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import type { MessageDocument } from './documents.mongo.js'
import { makeConsent } from './consent.js'
import { makeRate } from './customer.js'
import { makeHandOverUndelivered } from './deliver.js'
import type { Reads } from './heard-and-seen.js'
import { makeIdentify } from './identities.js'
import {
  contactIdOf,
  type Arrival,
  type EditArrival,
  type MessageArrival,
  type Origin,
  type RatingArrival,
  type ReactionArrival,
  type Received,
  type StatusArrival,
} from './message.js'
import type { ConversationStore } from './store.mongo.js'

type Needs = {
  store: ConversationStore
  receive(origin: Origin, arrival: MessageArrival): Promise<Received>
  reads: Reads
  wakeAnswer(companyId: string, conversationId: string): void
  wakeDeliver(companyId: string, conversationId: string): void
  wakeRead(companyId: string, messageId: string): void
  bus: Bus
  clock: Clock
  log: Log
  metrics: Metrics
}

/**
 * Where everything comes in that a provider tells. When this resolves it is durable, and the provider may be told so. What is
 * told again, or late, changes nothing. `null`: it was no message.
 */
export const makeArrivals = (needs: Needs) => {
  const { store, receive, reads, wakeAnswer, wakeRead, bus, clock, log, metrics } = needs
  const identify = makeIdentify({ store, log })
  const handOverUndelivered = makeHandOverUndelivered({ store, bus, clock, metrics })

  const announce = (message: MessageDocument | null) => {
    if (!message) return
    const { companyId, conversationId, _id: messageId } = message
    bus.publish({ type: 'delivery', companyId, conversationId, messageId })
  }

  const takeConsent = makeConsent(needs)
  const rate = makeRate(needs)

  /** What was told of it before it came is done at once. */
  const taken = async (origin: Origin, arrival: MessageArrival): Promise<Received> => {
    if (arrival.consent) return takeConsent(origin, arrival, arrival.consent)
    const received = await receive(origin, arrival)
    if (!received.duplicate)
      await followed(await store.applyEarlyUpdate(origin, arrival.externalId, clock.now(), reads))
    return received
  }

  /** Files that came late are heard and seen, and whoever waited for them waits no longer. */
  const followed = async (message: MessageDocument | null): Promise<void> => {
    announce(message)
    if (!message || message.author.kind !== 'customer') return
    const { companyId, conversationId, _id } = message
    if (message.reading) return wakeRead(companyId, _id)
    await store.answerNow(companyId, conversationId, clock.now())
    wakeAnswer(companyId, conversationId)
  }

  const edited = async (origin: Origin, arrival: EditArrival): Promise<void> => {
    const { kind: _kind, externalId, ...edit } = arrival
    const change = () => store.edit(origin, arrival, clock.now(), reads)
    const message = await change()
    if (message || (await store.keepEarly(origin, { externalId, edit }, clock.now()))) return followed(message)
    await followed(await change())
  }

  const reacted = async (origin: Origin, arrival: ReactionArrival): Promise<void> => {
    const { externalId, emoji: reaction } = arrival
    const message = await store.react(origin, arrival)
    if (message || (await store.keepEarly(origin, { externalId, reaction }, clock.now()))) return announce(message)
    announce(await store.react(origin, arrival))
  }

  const rated = async (origin: Origin, { from, messageId, rating, at }: RatingArrival): Promise<void> => {
    const contactId = await store.contactBehind(origin.companyId, contactIdOf(origin, from))
    await rate(origin, contactId, messageId, rating, at)
  }

  const moved = async (origin: Origin, arrival: StatusArrival): Promise<void> => {
    const message = await store.applyStatus(origin, arrival, clock.now())
    if (message?.status === 'refused' && message.author.kind === 'assistant') await handOverUndelivered(message)
    announce(message)
  }

  return async (origin: Origin, arrival: Arrival): Promise<Received | null> => {
    switch (arrival.kind) {
      case 'message':
        return taken(origin, arrival)
      case 'status':
        await moved(origin, arrival)
        return null
      case 'edit':
        await edited(origin, arrival)
        return null
      case 'reaction':
        await reacted(origin, arrival)
        return null
      case 'rating':
        await rated(origin, arrival)
        return null
      case 'identity':
        await identify(origin, arrival)
        return null
    }
  }
}
