import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import type { Log } from '../platform/log.js'
import type { Metrics } from '../platform/metrics.js'
import type { MessageDocument } from './documents.mongo.js'
import { makeHandOverUndelivered } from './deliver.js'
import { makeIdentify } from './identities.js'
import {
  type Arrival,
  type MessageArrival,
  type Origin,
  type Received,
  type StatusArrival,
} from './message.js'
import type { ConversationStore } from './store.mongo.js'

type Needs = {
  store: ConversationStore
  receive(origin: Origin, arrival: MessageArrival): Promise<Received>
  bus: Bus
  clock: Clock
  log: Log
  metrics: Metrics
}

/**
 * Where everything comes in that a provider tells. When this resolves it is durable, and the provider may be told so. What is
 * told again, or late, changes nothing. `null`: it was no message.
 */
export const makeArrivals = ({ store, receive, bus, clock, log, metrics }: Needs) => {
  const identify = makeIdentify({ store, log })
  const handOverUndelivered = makeHandOverUndelivered({ store, bus, clock, metrics })

  const announce = (message: MessageDocument | null) => {
    if (!message) return
    const { companyId, conversationId, _id: messageId } = message
    bus.publish({ type: 'delivery', companyId, conversationId, messageId })
  }

  const moved = async (origin: Origin, arrival: StatusArrival): Promise<void> => {
    const message = await store.applyStatus(origin, arrival, clock.now())
    if (message?.status === 'refused' && message.author.kind === 'assistant') await handOverUndelivered(message)
    announce(message)
  }

  return async (origin: Origin, arrival: Arrival): Promise<Received | null> => {
    switch (arrival.kind) {
      case 'message':
        return receive(origin, arrival)
      case 'status':
        await moved(origin, arrival)
        return null
      case 'edit':
        announce(await store.edit(origin, arrival, clock.now()))
        return null
      case 'reaction':
        announce(await store.react(origin, arrival))
        return null
      case 'identity':
        await identify(origin, arrival)
        return null
    }
  }
}
