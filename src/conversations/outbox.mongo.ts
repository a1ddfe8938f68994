import { withId, type Collection } from '../platform/mongo.js'
import type { Conversation } from './conversation.js'
import type { ConversationDocument, MessageDocument } from './documents.mongo.js'
import type { Appended } from './fold.js'
import type { DeliveryStatus, Message, Origin } from './message.js'
import type { Updates } from './updates.mongo.js'

/**
 * The conversation is its own outbox: `answerDue`, `delivery`, `mail` and the clocks' next change are written with the
 * message that causes them (change.mongo.ts, create.mongo.ts). Here work is taken out of it and put back.
 */

type Needs = {
  conversations: Collection<ConversationDocument>
  messages: Collection<MessageDocument>
  updates: Pick<Updates, 'applyEarlyStatus'>
  accept(message: MessageDocument, at: Date, externalId?: string): Promise<Appended | null>
}

export const makeOutbox = ({ conversations, messages, updates, accept }: Needs) => ({
  // --- the assistant's side

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

  // --- the channels' side

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
      { $set: { status: 'sent', ...(externalId ? { externalId } : {}) }, $unset: { delivery: '', reason: '' } },
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

  /**
   * It never leaves. False: its sender has it at this moment, or it is no longer to be sent; the status alone decides between
   * this and `claimDelivery`. What was held up behind it is due at once.
   */
  cancelDelivery: async (
    { companyId, conversationId, id }: Pick<Message, 'companyId' | 'conversationId' | 'id'>,
    now: Date,
    reason: string,
  ): Promise<boolean> => {
    const { matchedCount } = await messages.updateOne(
      { _id: id, companyId, status: 'queued' },
      { $set: { status: 'refused', reason }, $unset: { delivery: '' } },
    )
    if (matchedCount === 0) return false
    await messages.updateMany(
      {
        companyId,
        conversationId,
        status: 'queued',
        'delivery.attempts': 0,
        'delivery.notBefore': { $gt: now },
      },
      { $set: { 'delivery.notBefore': now } },
    )
    return true
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

  /**
   * Not before `notBefore`, and none of those behind it either: they leave in order. `uncounted` takes back the attempt that
   * the claim counted, because none was made. `reason`: why it is late, for people.
   */
  retryDelivery: async (
    { companyId, conversationId, _id }: MessageDocument,
    notBefore: Date,
    { uncounted = false, reason }: { uncounted?: boolean; reason?: string } = {},
  ): Promise<void> => {
    await messages.updateOne(
      { _id, companyId, status: 'sending' },
      {
        $set: {
          status: 'queued',
          'delivery.notBefore': notBefore,
          'delivery.heldUntil': null,
          ...(reason ? { reason } : {}),
        },
        ...(uncounted ? { $inc: { 'delivery.attempts': -1 } } : {}),
      },
    )
    await messages.updateMany(
      { companyId, conversationId, status: 'queued', 'delivery.notBefore': { $lt: notBefore } },
      { $set: { 'delivery.notBefore': notBefore } },
    )
  },

  /** What waits for this channel is due at once; the conversations that it is in. */
  hastenDeliveries: async ({ companyId, channelId }: Origin, now: Date): Promise<string[]> => {
    const waits = { companyId, channelId, status: 'queued' as const, 'delivery.notBefore': { $gt: now } }
    const found = await messages.find(waits, { projection: { conversationId: 1 } }).toArray()
    if (found.length > 0) await messages.updateMany(waits, { $set: { 'delivery.notBefore': now } })
    return [...new Set(found.map(({ conversationId }) => conversationId))]
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
})
