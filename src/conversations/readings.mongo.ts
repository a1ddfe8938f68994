import type { Collection } from '../platform/mongo.js'
import type { ConversationDocument, MessageDocument } from './documents.mongo.js'
import type { Attachment } from './message.js'

/**
 * Files that a model has yet to hear or to see: `reading` is written with the message that brings them, and stays until what
 * they say stands beside them. None of it changes the conversation's version: an answer waits for it (answer.ts).
 */

type Needs = { conversations: Collection<ConversationDocument>; messages: Collection<MessageDocument> }

export const makeReadings = ({ conversations, messages }: Needs) => ({
  /** Holds a due message until then, counting the attempt before it is made. `null`: nothing is due. */
  claimReading: (companyId: string, messageId: string, now: Date, until: Date): Promise<MessageDocument | null> =>
    messages.findOneAndUpdate(
      { _id: messageId, companyId, 'reading.notBefore': { $lte: now } },
      { $set: { 'reading.notBefore': until }, $inc: { 'reading.attempts': 1 } },
      { returnDocument: 'after' },
    ),

  /** `uncounted`: the attempt was none. */
  retryReading: async (message: MessageDocument, notBefore: Date, uncounted: boolean): Promise<void> => {
    await messages.updateOne(sameReading(message), {
      $set: { 'reading.notBefore': notBefore },
      ...(uncounted ? { $inc: { 'reading.attempts': -1 } } : {}),
    })
  },

  /** What became of the files; nothing where others came meanwhile. */
  endReading: async (message: MessageDocument, attachments: Attachment[]): Promise<void> => {
    await messages.updateOne(sameReading(message), { $set: { attachments }, $unset: { reading: '' } })
  },

  readingsDue: (now: Date, limit: number) =>
    messages
      .find(
        { 'reading.notBefore': { $lte: now, $exists: true } },
        { sort: { 'reading.notBefore': 1 }, limit, projection: { companyId: 1, conversationId: 1 } },
      )
      .toArray(),

  /** Whoever waits for an answer waits no longer than from now. */
  answerNow: async (companyId: string, conversationId: string, now: Date): Promise<void> => {
    await conversations.updateOne(
      { _id: conversationId, companyId, 'answerDue.notBefore': { $gt: now } },
      { $set: { 'answerDue.notBefore': now } },
    )
  },
})

/** Files that came later begin to be counted anew. */
const sameReading = ({ _id, companyId, reading }: MessageDocument) => ({
  _id,
  companyId,
  'reading.attempts': reading?.attempts ?? 0,
})
