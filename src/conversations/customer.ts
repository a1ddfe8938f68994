import type { Bus } from '../platform/bus.js'
import type { Clock } from '../platform/clock.js'
import { AppError } from '../platform/errors.js'
import type { Handler } from './conversation.js'
import type { Citation, Message, Origin } from './message.js'
import { closedUntil, type Opening } from './opening-notice.js'
import type { ConversationStore } from './store.mongo.js'

/** What a customer may know about who has their conversation. */
export type Standing = {
  handler: Handler
  /** The name of the person who has it. */
  agent: string | null
  /** The assistant has yet to deal with what was written. */
  working: boolean
  /** A person is wanted, none has it, and there is no address to reach the customer at. */
  askEmail: boolean
  /** When people are back, where none is here now and the channel says so. */
  opensAt?: Date
}

export type Rating = 'up' | 'down'

type Needs = {
  store: ConversationStore
  openingOf(companyId: string, channelId: string): Promise<Opening>
  bus: Bus
  clock: Clock
}

const NEW: Standing = { handler: 'assistant', agent: null, working: false, askEmail: false }

/** What customers do besides writing. Everything is theirs alone: what belongs to somebody else is not there. */
export const makeCustomerActions = ({ store, openingOf, bus, clock }: Needs) => {
  const openAgain = async ({ companyId, channelId }: Origin): Promise<Pick<Standing, 'opensAt'>> => {
    const opening = await openingOf(companyId, channelId)
    const closed = opening.outside === 'sets_expectations' ? closedUntil(opening, clock.now()) : null
    return closed ? { opensAt: closed.backAt } : {}
  }

  return {
    standing: async (origin: Origin, contactId: string): Promise<Standing> => {
      const { companyId, channelId } = origin
      const latest = await store.latestOfContact(companyId, channelId, contactId)
      if (!latest || latest.state === 'closed') return { ...NEW, ...(await openAgain(origin)) }
      const { handler, assignee, answerDue, state } = latest
      const isWaiting = handler === 'nobody' && state !== 'resolved'
      const [contact] = isWaiting ? await store.contacts(companyId, [contactId]) : []
      return {
        handler,
        agent: handler === 'agent' ? (assignee?.name ?? null) : null,
        working: handler === 'assistant' && answerDue !== null,
        askEmail: isWaiting && !contact?.email,
        ...(await openAgain(origin)),
      }
    },

    rate: makeRate({ store, bus, clock }),

    /** Where the customer can be reached when they are gone. Not verified: anybody can type anything. */
    leaveEmail: async (origin: Origin, contactId: string, email: string): Promise<void> => {
      const { companyId, channelId } = origin
      const latest = await store.latestOfContact(companyId, channelId, contactId)
      if (!latest) throw new AppError('not_found', 'nothing_written', 'Write a message first.')
      await store.setContactEmail(companyId, contactId, email)
      const { id: conversationId, version } = latest
      bus.publish({ type: 'conversation', companyId, conversationId, contactId, version })
    },

    /** The n-th source of a message that the customer was shown, from 0. */
    citation: async (origin: Origin, contactId: string, messageId: string, index: number): Promise<Citation> => {
      const citation = (await ownMessage(store, origin, contactId, messageId)).citations[index]
      if (citation) return citation
      throw new AppError('not_found', 'source_not_found', 'The message has no such source.', { field: 'citation' })
    },
  }
}

/** Says whether an answer helped; `null` takes it back. The latest word counts, in whatever order they come. */
export const makeRate =
  ({ store, bus, clock }: Pick<Needs, 'store' | 'bus' | 'clock'>) =>
  async (
    origin: Origin,
    contactId: string,
    messageId: string,
    rating: Rating | null,
    at: Date = clock.now(),
  ): Promise<void> => {
    const { companyId, conversationId, channelId, author, feedback } = await ownMessage(
      store,
      origin,
      contactId,
      messageId,
    )
    if (author.kind !== 'assistant') {
      throw new AppError('invalid', 'not_an_answer', 'Only what the assistant said can be rated.', {
        field: 'messageId',
      })
    }
    if ((feedback?.rating ?? null) === rating || (feedback && feedback.at > at)) return
    await store.setFeedback(companyId, messageId, rating && { rating, at })
    bus.publish({ type: 'feedback', companyId, conversationId, channelId, contactId, messageId })
  }

const ownMessage = async (
  store: ConversationStore,
  { companyId }: Origin,
  contactId: string,
  messageId: string,
): Promise<Message> => {
  const message = await store.message(companyId, messageId)
  if (message?.contactId === contactId && message.kind === 'message') return message
  throw new AppError('not_found', 'message_not_found', 'There is no such message in this chat.', {
    field: 'messageId',
  })
}
