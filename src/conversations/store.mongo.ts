import type { Choices, ServiceTerms, TermsRef } from '../companies/service-levels.mongo.js'
import { AppError } from '../platform/errors.js'
import { isDuplicateKey, withId, type CollectionSchema, type Filter, type Mongo } from '../platform/mongo.js'
import { makeChanges } from './change.mongo.js'
import { clockSchemas, makeClockLedger } from './clocks.mongo.js'
import { makeContactStore, type ContactDocument } from './contacts.mongo.js'
import type { Conversation } from './conversation.js'
import { AlreadyBegun, makeCreation } from './create.mongo.js'
import { toMessage, type ConversationDocument, type MessageDocument } from './documents.mongo.js'
import type { Attachment, Message, Origin, Original } from './message.js'
import { makeOutbox } from './outbox.mongo.js'
import { makeReadings } from './readings.mongo.js'
import { makeUpdates, updateSchemas } from './updates.mongo.js'

/**
 * The conversations, their messages and who writes them: read here, begun in create.mongo.ts, changed in change.mongo.ts, worked
 * off in outbox.mongo.ts.
 */

export type ConversationFilter = Filter<ConversationDocument>

const EXTERNAL_ID_INDEX = 'message_once'
const CLIENT_ID_INDEX = 'said_once'

export const conversationSchemas: CollectionSchema[] = [
  {
    collection: 'conversations',
    indexes: [
      { key: { companyId: 1, updatedAt: -1, _id: -1 }, name: 'inbox' },
      { key: { companyId: 1, channelId: 1, contactId: 1, createdAt: 1 }, name: 'of_contact' },
      { key: { companyId: 1, 'assignee.id': 1 }, name: 'assigned' },
      {
        key: { companyId: 1, teamId: 1, updatedAt: -1 },
        name: 'of_team',
        partialFilterExpression: { teamId: { $exists: true } },
      },
      {
        key: { 'answerDue.notBefore': 1 },
        name: 'answer_due',
        partialFilterExpression: { 'answerDue.notBefore': { $exists: true } },
      },
      {
        key: { 'clocks.nextChangeAt': 1 },
        name: 'clock_changes',
        partialFilterExpression: { 'clocks.nextChangeAt': { $exists: true } },
      },
      {
        key: { companyId: 1, 'clocks.due.at': 1, _id: 1 },
        name: 'due_first',
        partialFilterExpression: { 'clocks.due.at': { $exists: true } },
      },
      { key: { resolvedAt: 1 }, name: 'resolved', partialFilterExpression: { state: 'resolved' } },
    ],
  },
  {
    collection: 'messages',
    indexes: [
      { key: { conversationId: 1, seq: 1 }, name: 'message_order', unique: true },
      {
        key: { companyId: 1, channelId: 1, externalId: 1 },
        name: EXTERNAL_ID_INDEX,
        unique: true,
        partialFilterExpression: { externalId: { $exists: true } },
      },
      {
        key: { conversationId: 1, clientId: 1 },
        name: CLIENT_ID_INDEX,
        unique: true,
        partialFilterExpression: { clientId: { $exists: true } },
      },
      {
        key: { companyId: 1, 'attachments.id': 1 },
        name: 'attached',
        partialFilterExpression: { 'attachments.id': { $exists: true } },
      },
      {
        key: { 'delivery.notBefore': 1 },
        name: 'delivery_due',
        partialFilterExpression: { 'delivery.notBefore': { $exists: true } },
      },
      {
        key: { 'mail.notBefore': 1 },
        name: 'mail_due',
        partialFilterExpression: { 'mail.notBefore': { $exists: true } },
      },
      {
        key: { 'reading.notBefore': 1 },
        name: 'reading_due',
        partialFilterExpression: { 'reading.notBefore': { $exists: true } },
      },
    ],
  },
  ...updateSchemas,
  ...clockSchemas,
]

/** Conversations are read without what is read alone. */
const READ = { projection: { original: 0 } } as const

export const MESSAGES_PER_READ = 10_000

type Needs = Mongo & {
  termsOf(companyId: string, ref: TermsRef): Promise<ServiceTerms>
  choicesFor(companyId: string, ref: TermsRef | null, channelId: string): Promise<Choices>
  /** Whose is what is handed over on a channel; `null`: everybody's. */
  teamOfChannel(companyId: string, channelId: string): Promise<{ id: string; name: string } | null>
  /** Whether people are mailed about promised times. */
  mails?: boolean
}

export const makeConversationStore = ({ client, db, termsOf, choicesFor, teamOfChannel, mails = false }: Needs) => {
  const conversations = db.collection<ConversationDocument>('conversations')
  const messages = db.collection<MessageDocument>('messages')
  const contacts = db.collection<ContactDocument>('contacts')

  const ledger = makeClockLedger({ db })
  const { change, accept } = makeChanges({
    client,
    conversations,
    messages,
    contacts,
    ledger,
    termsOf,
    choicesFor,
    teamOfChannel,
    mails,
  })

  const create = makeCreation({ client, conversations, messages, contacts, ledger })

  const updates = makeUpdates({ db, messages })

  return {
    change,

    ...updates,

    ...makeContactStore(contacts),

    ...makeOutbox({ conversations, messages, updates, accept }),

    ...makeReadings({ conversations, messages }),

    clocksOf: ledger.of,
    clocksStarted: ledger.started,

    create,

    /** The contact's newest conversation on the channel, whatever its state. */
    latestOfContact: async (companyId: string, channelId: string, contactId: string): Promise<Conversation | null> => {
      const found = await conversations.findOne({ companyId, channelId, contactId }, { sort: { createdAt: -1 } })
      return found && withId(found)
    },

    messageByExternalId: async (companyId: string, channelId: string, externalId: string) => {
      const found = await messages.findOne({ companyId, channelId, externalId }, READ)
      return found && toMessage(found)
    },

    messagesByExternalIds: async ({ companyId, channelId }: Origin, externalIds: readonly string[]) => {
      const filter = { companyId, channelId, externalId: { $in: [...externalIds] } }
      const found = await messages.find(filter, READ).toArray()
      return found.map(toMessage)
    },

    message: async (companyId: string, id: string): Promise<Message | null> => {
      const found = await messages.findOne({ _id: id, companyId }, READ)
      return found && toMessage(found)
    },

    /** All of what was sent, where the message shows a part of it. */
    original: async (companyId: string, messageId: string): Promise<Original | null> => {
      const found = await messages.findOne({ _id: messageId, companyId }, { projection: { original: 1 } })
      return found?.original ?? null
    },

    /** A file as the message that brought it calls it. */
    attachment: async (companyId: string, fileId: string): Promise<Attachment | null> => {
      const found = await messages.findOne({ companyId, 'attachments.id': fileId })
      return found?.attachments?.find(({ id }) => id === fileId) ?? null
    },

    findConversation: async (companyId: string, id: string): Promise<Conversation | null> => {
      const found = await conversations.findOne({ _id: id, companyId })
      return found && withId(found)
    },

    conversation: async (companyId: string, id: string): Promise<Conversation> => {
      const found = await conversations.findOne({ _id: id, companyId })
      if (!found) throw new AppError('not_found', 'conversation_not_found', 'There is no such conversation.')
      return withId(found)
    },

    /** Oldest first, at most MESSAGES_PER_READ: whoever wants more reads on after the last one. */
    messagesOf: async (companyId: string, conversationId: string, afterSeq = 0): Promise<Message[]> => {
      const filter = { companyId, conversationId, seq: { $gt: afterSeq } }
      return (await messages.find(filter, { ...READ, sort: { seq: 1 }, limit: MESSAGES_PER_READ }).toArray()).map(
        toMessage,
      )
    },

    /** The last `limit` messages that the customer sees, oldest first. */
    recentMessages: async (companyId: string, conversationId: string, limit: number): Promise<Message[]> => {
      const filter = { companyId, conversationId, kind: 'message' as const }
      const found = await messages.find(filter, { ...READ, sort: { seq: -1 }, limit }).toArray()
      return found.reverse().map(toMessage)
    },

    /** All conversations of a contact on one channel, oldest first. */
    idsOfContact: async (companyId: string, channelId: string, contactId: string): Promise<string[]> => {
      const found = await conversations
        .find({ companyId, channelId, contactId }, { sort: { createdAt: 1 }, projection: { _id: 1 } })
        .toArray()
      return found.map(({ _id }) => _id)
    },

    /** How often the assistant answered in these conversations since then. */
    countAnswers: (companyId: string, conversationIds: readonly string[], since: Date): Promise<number> =>
      messages.countDocuments({
        companyId,
        conversationId: { $in: [...conversationIds] },
        kind: 'message',
        'author.kind': 'assistant',
        at: { $gte: since },
      }),

    /** What was said there of when people are back. */
    countNotices: (companyId: string, conversationIds: readonly string[], since: Date): Promise<number> =>
      messages.countDocuments({
        companyId,
        conversationId: { $in: [...conversationIds] },
        notice: true,
        at: { $gte: since },
      }),

    list: async (filter: ConversationFilter, sort: Record<string, 1 | -1>, limit: number): Promise<Conversation[]> =>
      (await conversations.find(filter, { sort, limit }).toArray()).map(withId),

    count: (filter: ConversationFilter): Promise<number> => conversations.countDocuments(filter),

    messageByClientId: async (companyId: string, conversationId: string, clientId: string) => {
      const found = await messages.findOne({ companyId, conversationId, clientId })
      return found && toMessage(found)
    },

    /** Not a change of the conversation: nothing that anybody decides on depends on it. */
    setFeedback: async (companyId: string, messageId: string, feedback: Message['feedback'] | null): Promise<void> => {
      const change = feedback ? { $set: { feedback } } : { $unset: { feedback: '' as const } }
      await messages.updateOne({ _id: messageId, companyId }, change)
    },

    /** What of a contact's is still to be done. */
    unresolvedOfContact: async (companyId: string, contactId: string): Promise<string[]> => {
      const filter = { companyId, contactId, state: { $nin: ['resolved' as const, 'closed' as const] } }
      return (await conversations.find(filter, { projection: { _id: 1 }, limit: 100 }).toArray()).map(({ _id }) => _id)
    },

    /** What a person has in hand. */
    assignedTo: (companyId: string, personId: string, limit: number) =>
      conversations
        .find({ companyId, 'assignee.id': personId, handler: 'agent' }, { limit, projection: { companyId: 1 } })
        .toArray(),

    /** What a team has that is not closed: a closed conversation never changes again. */
    ofTeam: (companyId: string, teamId: string, limit: number) =>
      conversations
        .find({ companyId, teamId, state: { $ne: 'closed' } }, { limit, projection: { companyId: 1 } })
        .toArray(),

    /** How many conversations each team has among those of the filter, and how many of them wait for a person. */
    countByTeam: async (filter: ConversationFilter): Promise<{ teamId: string; all: number; waiting: number }[]> => {
      const waiting = { $sum: { $cond: [{ $eq: ['$handler', 'nobody'] }, 1, 0] } }
      return conversations
        .aggregate<{
          teamId: string
          all: number
          waiting: number
        }>([
          { $match: { ...filter, teamId: { $exists: true, $ne: null } } },
          { $group: { _id: '$teamId', all: { $sum: 1 }, waiting } },
          { $project: { _id: 0, teamId: '$_id', all: 1, waiting: 1 } },
          { $sort: { teamId: 1 } },
        ])
        .toArray()
    },

    resolvedBefore: (time: Date, limit: number) =>
      conversations
        .find({ state: 'resolved', resolvedAt: { $lte: time } }, { limit, projection: { companyId: 1 } })
        .toArray(),
  }
}

export type ConversationStore = ReturnType<typeof makeConversationStore>

/** True when the write lost because this provider message is already stored. */
export const isKnownArrival = (error: unknown): boolean => isDuplicateKey(error, EXTERNAL_ID_INDEX)

/** True when the write lost because the same person's client has already said this. */
export const isAlreadySaid = (error: unknown): boolean => isDuplicateKey(error, CLIENT_ID_INDEX)

/** True when the same conversation or contact was made at the same moment: look again. */
export const isCreationRace = (error: unknown): boolean => error instanceof AlreadyBegun || isDuplicateKey(error)
