import type { Choices, ServiceTerms, TermsRef } from '../companies/service-levels.mongo.js'
import { AppError } from '../platform/errors.js'
import {
  inTransaction,
  isDuplicateKey,
  withId,
  type CollectionSchema,
  type Filter,
  type Mongo,
} from '../platform/mongo.js'
import {
  excerptOf,
  makeChanges,
  numbered,
  toMessage,
  type Appended,
  type ConversationDocument,
  type Draft,
  type MessageDocument,
} from './change.mongo.js'
import { begin } from './clocks.js'
import { clockSchemas, collect, makeClockLedger, nothingMoves } from './clocks.mongo.js'
import type { Conversation } from './conversation.js'
import type { Attachment, DeliveryStatus, Message, Origin, Original } from './message.js'
import { makeUpdates, updateSchemas } from './updates.mongo.js'

/**
 * The conversations and their messages. The conversation is its own outbox: `answerDue` and `delivery` are written with
 * the message (change.mongo.ts), and the functions below take work out of it and put it back.
 */

/** Somebody who writes, as their channel and the company's own site know them. */
export type Contact = {
  id: string
  channelId: string
  /** As their channel knows them. */
  externalId: string
  name?: string
  email?: string
  phone?: string
  reference?: string
  /** The company's own site has proven that `reference` is who writes. */
  verified?: true
  /** What the company calls its more important customers; policies may ask for it. */
  tier?: string
  /** Shared by contacts who are one person, as somebody said; absent: a person of their own. */
  personId?: string
  blocked?: boolean
}

export type ContactDocument = {
  _id: string
  companyId: string
  channelId: string
  externalId: string
  name?: string
  email?: string
  phone?: string
  reference?: string
  verified?: true
  tier?: string
  personId?: string
  blocked?: boolean
  createdAt: Date
}

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
    ],
  },
  ...updateSchemas,
  ...clockSchemas,
]

/** Conversations are read without what is read alone. */
const READ = { projection: { original: 0 } } as const

export const MESSAGES_PER_READ = 10_000

/** What is promised to somebody who writes now, and under which versions. */
export type Promised = { ref: TermsRef; terms: ServiceTerms }

type Needs = Mongo & {
  termsOf(companyId: string, ref: TermsRef): Promise<ServiceTerms>
  choicesFor(companyId: string, ref: TermsRef | null, channelId: string): Promise<Choices>
  /** Whether people are mailed about promised times. */
  mails?: boolean
}

export const makeConversationStore = ({ client, db, termsOf, choicesFor, mails = false }: Needs) => {
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
    mails,
  })

  const updates = makeUpdates({ db, messages })

  return {
    change,

    ...updates,

    clocksOf: ledger.of,
    clocksStarted: ledger.started,

    /** A conversation with its first message, the clocks that this starts and, if they are new, its contact. */
    create: (
      conversation: Omit<Conversation, 'lastMessage'>,
      drafts: readonly [Draft, ...Draft[]],
      contact: ContactDocument,
      requestId: string,
      promised: Promised | null,
    ) =>
      inTransaction(client, async (session): Promise<Appended> => {
        const { id, ...rest } = conversation
        const lastMessage = excerptOf(drafts[0], conversation.createdAt)
        const unpromised: ConversationDocument = { _id: id, ...rest, seq: drafts.length, lastMessage }
        const added = numbered(drafts, unpromised, conversation.createdAt, requestId)
        const begun = promised && begin(promised, rest.priority, added.map(withId), conversation.createdAt)
        const document = begun ? { ...unpromised, clocks: begun.clocks } : unpromised
        const { _id: contactId, ...person } = contact
        await contacts.updateOne({ _id: contactId }, { $setOnInsert: person }, { upsert: true, session })
        await conversations.insertOne(document, { session })
        await messages.insertMany(added, { session })
        if (promised && begun) {
          const moving = nothingMoves()
          collect(moving, begun, null)
          await ledger.write(session, [{ of: document, terms: promised.terms, moving }])
        }
        return { conversation: withId(document), messages: added.map(toMessage) }
      }),

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

    list: async (filter: ConversationFilter, sort: Record<string, 1 | -1>, limit: number): Promise<Conversation[]> =>
      (await conversations.find(filter, { sort, limit }).toArray()).map(withId),

    count: (filter: ConversationFilter): Promise<number> => conversations.countDocuments(filter),

    contacts: async (companyId: string, ids: readonly string[]): Promise<Contact[]> =>
      (await contacts.find({ companyId, _id: { $in: [...new Set(ids)] } }).toArray()).map(toContact),

    contact: async (companyId: string, id: string): Promise<Contact | null> => {
      const found = await contacts.findOne({ _id: id, companyId })
      return found && toContact(found)
    },

    contactsOfPerson: async (companyId: string, personId: string): Promise<Contact[]> =>
      (await contacts.find({ companyId, $or: [{ personId }, { _id: personId }] }, { sort: { createdAt: 1 } }).toArray())
        .map(toContact)
        .filter(({ id, personId: own = id }) => own === personId),

    /** Everybody who is one of the persons `from` is `to` now. */
    makeOnePerson: async (companyId: string, from: readonly string[], to: string): Promise<void> => {
      await contacts.updateMany(
        {
          companyId,
          $or: [{ personId: { $in: [...from] } }, { _id: { $in: [...from] }, personId: { $exists: false } }],
        },
        { $set: { personId: to } },
      )
    },

    setContactPerson: async (companyId: string, id: string, personId: string): Promise<void> => {
      await contacts.updateOne({ _id: id, companyId }, { $set: { personId } })
    },

    setContactBlocked: async (companyId: string, id: string, blocked: boolean): Promise<void> => {
      await contacts.updateOne({ _id: id, companyId }, { $set: { blocked } })
    },

    /** Where a contact is reached from now on. */
    setContactExternalId: async (companyId: string, id: string, externalId: string): Promise<boolean> =>
      (await contacts.updateOne({ _id: id, companyId }, { $set: { externalId } })).matchedCount === 1,

    /** Whose name or address contains `text`, case-insensitive. */
    contactIdsLike: async (companyId: string, text: string, limit: number): Promise<string[]> => {
      const like = { $regex: text, $options: 'i' }
      const filter = { companyId, $or: [{ name: like }, { email: like }, { reference: like }] }
      return (await contacts.find(filter, { limit, projection: { _id: 1 } }).toArray()).map(({ _id }) => _id)
    },

    messageByClientId: async (companyId: string, conversationId: string, clientId: string) => {
      const found = await messages.findOne({ companyId, conversationId, clientId })
      return found && toMessage(found)
    },

    /** Not a change of the conversation: nothing that anybody decides on depends on it. */
    setFeedback: async (companyId: string, messageId: string, feedback: Message['feedback'] | null): Promise<void> => {
      const change = feedback ? { $set: { feedback } } : { $unset: { feedback: '' as const } }
      await messages.updateOne({ _id: messageId, companyId }, change)
    },

    setContactEmail: async (companyId: string, contactId: string, email: string): Promise<void> => {
      await contacts.updateOne({ _id: contactId, companyId }, { $set: { email } })
    },

    /** False where there is no such contact. */
    setContactTier: async (companyId: string, contactId: string, tier: string | null): Promise<boolean> => {
      const change = tier === null ? { $unset: { tier: '' as const } } : { $set: { tier } }
      return (await contacts.updateOne({ _id: contactId, companyId }, change)).matchedCount === 1
    },

    /** What of a contact's is still to be done. */
    unresolvedOfContact: async (companyId: string, contactId: string): Promise<string[]> => {
      const filter = { companyId, contactId, state: { $nin: ['resolved' as const, 'closed' as const] } }
      return (await conversations.find(filter, { projection: { _id: 1 }, limit: 100 }).toArray()).map(({ _id }) => _id)
    },

    // --- the assistant's side of the outbox

    /**
     * Takes the due conversation for `owner`, counting the attempt before it is made. `null`: nothing is due, it is not
     * time yet, or somebody else works on it.
     */
    claimAnswer: async (
      companyId: string,
      id: string,
      now: Date,
      owner: string,
      until: Date,
    ): Promise<Conversation | null> => {
      const claimed = await conversations.findOneAndUpdate(
        {
          _id: id,
          companyId,
          'answerDue.notBefore': { $lte: now },
          $or: [{ lease: null }, { 'lease.until': { $lte: now } }],
        },
        { $set: { lease: { owner, until } }, $inc: { 'answerDue.attempts': 1 } },
        { returnDocument: 'after' },
      )
      return claimed && withId(claimed)
    },

    /** False: the lease was lost, whoever worked under it stops. */
    renewLease: async (companyId: string, id: string, owner: string, until: Date): Promise<boolean> => {
      const held = { _id: id, companyId, 'lease.owner': owner }
      return (await conversations.updateOne(held, { $set: { 'lease.until': until } })).matchedCount === 1
    },

    /**
     * Gives the conversation back. What is still due then stays due from `retryAt` on; `uncounted` takes back the attempt
     * that the claim counted, because the run did not fail: the conversation changed under it.
     */
    releaseLease: async (
      companyId: string,
      id: string,
      owner: string,
      { retryAt, uncounted = false }: { retryAt?: Date; uncounted?: boolean } = {},
    ): Promise<void> => {
      const held = { _id: id, companyId, 'lease.owner': owner }
      if (retryAt || uncounted) {
        const { matchedCount } = await conversations.updateOne(
          { ...held, 'answerDue.notBefore': { $exists: true } },
          {
            $set: { lease: null, ...(retryAt ? { 'answerDue.notBefore': retryAt } : {}) },
            ...(uncounted ? { $inc: { 'answerDue.attempts': -1 } } : {}),
          },
        )
        if (matchedCount === 1) return
      }
      await conversations.updateOne(held, { $set: { lease: null } })
    },

    /** Conversations whose answer is due and on which nobody works, longest waiting first. */
    answersDue: (now: Date, limit: number) =>
      conversations
        .find(
          { 'answerDue.notBefore': { $lte: now }, $or: [{ lease: null }, { 'lease.until': { $lte: now } }] },
          { sort: { 'answerDue.notBefore': 1 }, limit, projection: { companyId: 1, answerDue: 1, 'clocks.due': 1 } },
        )
        .toArray(),

    /** What a person has in hand. */
    assignedTo: (companyId: string, personId: string, limit: number) =>
      conversations
        .find({ companyId, 'assignee.id': personId, handler: 'agent' }, { limit, projection: { companyId: 1 } })
        .toArray(),

    resolvedBefore: (time: Date, limit: number) =>
      conversations
        .find({ state: 'resolved', resolvedAt: { $lte: time } }, { limit, projection: { companyId: 1 } })
        .toArray(),

    // --- the channels' side of the outbox

    /** The oldest message of the conversation that has yet to leave: messages leave in their order. */
    nextToDeliver: (companyId: string, conversationId: string): Promise<MessageDocument | null> =>
      messages.findOne(
        { companyId, conversationId, status: { $in: ['queued', 'sending'] satisfies DeliveryStatus[] } },
        { sort: { seq: 1 } },
      ),

    /** Holds the message for one attempt, counted before it is made; false when another sender was faster. */
    claimDelivery: async (message: MessageDocument, now: Date, until: Date): Promise<boolean> => {
      const { matchedCount } = await messages.updateOne(
        {
          _id: message._id,
          status: { $in: ['queued', 'sending'] },
          'delivery.attempts': message.delivery?.attempts ?? 0,
          'delivery.notBefore': { $lte: now },
          $or: [{ 'delivery.heldUntil': null }, { 'delivery.heldUntil': { $lte: now } }],
        },
        { $set: { status: 'sending', 'delivery.heldUntil': until }, $inc: { 'delivery.attempts': 1 } },
      )
      return matchedCount === 1
    },

    /** The channel took the message; `externalId` is the provider's name for it. Says what became of clocks that waited. */
    messageSent: async (message: MessageDocument, at: Date, externalId?: string): Promise<Appended | null> => {
      const { companyId, channelId, _id } = message
      if (message.delivery?.clocked) {
        const accepted = await accept(message, at, externalId)
        if (externalId) await updates.applyEarlyStatus({ companyId, channelId }, externalId)
        return accepted
      }
      await messages.updateOne(
        { _id, companyId, status: 'sending' },
        { $set: { status: 'sent', ...(externalId ? { externalId } : {}) }, $unset: { delivery: '' } },
      )
      if (externalId) await updates.applyEarlyStatus({ companyId, channelId }, externalId)
      return null
    },

    /** The message's way out ended otherwise. */
    endDelivery: async (
      { companyId, _id }: MessageDocument,
      status: Exclude<DeliveryStatus, 'sent'>,
      reason: string,
    ): Promise<void> => {
      await messages.updateOne(
        { _id, companyId, status: 'sending' },
        {
          $set: { status, reason },
          $unset: { delivery: '' },
        },
      )
    },

    // --- the clocks

    /** Conversations in which a promised time has come near or passed, the earliest first. */
    clocksDue: (now: Date, limit: number) =>
      conversations
        .find(
          { 'clocks.nextChangeAt': { $lte: now, $exists: true } },
          { sort: { 'clocks.nextChangeAt': 1 }, limit, projection: { companyId: 1 } },
        )
        .toArray(),

    /** Takes the oldest line that people are to be mailed about, for as long as `until`; `null`: there is none. */
    claimMail: (now: Date, until: Date): Promise<MessageDocument | null> =>
      messages.findOneAndUpdate(
        { 'mail.notBefore': { $lte: now, $exists: true } },
        { $set: { 'mail.notBefore': until }, $inc: { 'mail.attempts': 1 } },
        { sort: { 'mail.notBefore': 1 }, returnDocument: 'after' },
      ),

    mailed: async (ids: readonly string[], personId: string): Promise<void> => {
      await messages.updateMany({ _id: { $in: [...ids] } }, { $addToSet: { 'mail.done': personId } })
    },

    endMail: async (id: string, endedAt: Date, people: number): Promise<void> => {
      await messages.updateOne(
        { _id: id, 'mail.notBefore': { $exists: true } },
        { $set: { 'mail.endedAt': endedAt, 'mail.people': people }, $unset: { 'mail.notBefore': '' } },
      )
    },

    /** Not before `notBefore`, and none of those behind it either: they leave in order. */
    retryDelivery: async ({ companyId, conversationId, _id }: MessageDocument, notBefore: Date): Promise<void> => {
      await messages.updateOne(
        { _id, companyId, status: 'sending' },
        { $set: { status: 'queued', 'delivery.notBefore': notBefore, 'delivery.heldUntil': null } },
      )
      await messages.updateMany(
        { companyId, conversationId, status: 'queued', 'delivery.notBefore': { $lt: notBefore } },
        { $set: { 'delivery.notBefore': notBefore } },
      )
    },

    deliveriesDue: (now: Date, limit: number) =>
      messages
        .find(
          {
            'delivery.notBefore': { $lte: now },
            $or: [{ 'delivery.heldUntil': null }, { 'delivery.heldUntil': { $lte: now } }],
          },
          { sort: { 'delivery.notBefore': 1 }, limit, projection: { companyId: 1, conversationId: 1, delivery: 1 } },
        )
        .toArray(),
  }
}

const toContact = ({ _id: id, channelId, externalId, ...known }: ContactDocument): Contact => {
  const { name, email, phone, reference, verified, tier, personId, blocked } = known
  return {
    id,
    channelId,
    externalId,
    ...(name ? { name } : {}),
    ...(email ? { email } : {}),
    ...(phone ? { phone } : {}),
    ...(reference ? { reference } : {}),
    ...(verified ? { verified } : {}),
    ...(tier ? { tier } : {}),
    ...(personId ? { personId } : {}),
    ...(blocked ? { blocked } : {}),
  }
}

export type ConversationStore = ReturnType<typeof makeConversationStore>

/** True when the write lost because this provider message is already stored. */
export const isKnownArrival = (error: unknown): boolean => isDuplicateKey(error, EXTERNAL_ID_INDEX)

/** True when the write lost because the same person's client has already said this. */
export const isAlreadySaid = (error: unknown): boolean => isDuplicateKey(error, CLIENT_ID_INDEX)

/** True when another process made the same conversation or contact at the same moment: look again. */
export const isCreationRace = (error: unknown): boolean => isDuplicateKey(error)
