import type { CollectionSchema, Db } from '../platform/mongo.js'
import type { MessageDocument } from './documents.mongo.js'
import type { Letter } from './message.js'

/**
 * The way of a message to a customer who has left. It stands on the message, written with it, and is no change of the
 * conversation: nothing that anybody decides on depends on it. Only a letter that has yet to end carries `notBefore`.
 */

export const letterSchemas: CollectionSchema[] = [
  {
    collection: 'messages',
    indexes: [
      {
        key: { 'letter.notBefore': 1 },
        name: 'letter_due',
        partialFilterExpression: { 'letter.notBefore': { $exists: true } },
      },
      {
        key: { contactId: 1, 'letter.notBefore': 1 },
        name: 'letter_of_contact',
        partialFilterExpression: { 'letter.notBefore': { $exists: true } },
      },
    ],
  },
]

/** A message with its letter. */
export type LetterDocument = MessageDocument & { letter: Letter }

/** How a letter ends. */
type Ending = Pick<Letter, 'to' | 'mailId' | 'reason' | 'detail'> & {
  state: Exclude<Letter['state'], 'waiting' | 'sending'>
}

export const makeLetterStore = ({ db }: { db: Db }) => {
  const messages = db.collection<MessageDocument>('messages')

  const end = async (ids: readonly string[], from: Letter['state'], { state, ...more }: Ending, endedAt: Date) => {
    const ended = Object.fromEntries(
      Object.entries({ ...more, state, endedAt }).map(([name, value]) => [`letter.${name}`, value]),
    )
    await messages.updateMany(
      { _id: { $in: [...ids] }, 'letter.state': from },
      { $set: ended, $unset: { 'letter.notBefore': '' } },
    )
  }

  return {
    /** What has to be looked at by then, the longest waiting first. */
    due: async (by: Date, limit: number): Promise<LetterDocument[]> => {
      const filter = { 'letter.notBefore': { $lte: by, $exists: true } }
      const found = await messages.find(filter, { sort: { 'letter.notBefore': 1 }, limit }).toArray()
      return found as LetterDocument[]
    },

    waitingFor: async (companyId: string, contactId: string): Promise<LetterDocument[]> => {
      const filter = { companyId, contactId, 'letter.notBefore': { $exists: true }, 'letter.state': 'waiting' as const }
      return (await messages.find(filter).toArray()) as LetterDocument[]
    },

    /**
     * Holds `head` and all that waits behind it in its conversation for one attempt, counted before it is made; `null`: somebody
     * else holds it, or its customer came.
     */
    claim: async ({ _id, companyId, conversationId, letter }: LetterDocument, until: Date) => {
      const held = { 'letter.state': 'sending' as const, 'letter.notBefore': until }
      const { matchedCount } = await messages.updateOne(
        { _id, companyId, 'letter.state': 'waiting', 'letter.attempts': letter.attempts },
        { $set: held, $inc: { 'letter.attempts': 1 } },
      )
      if (matchedCount === 0) return null
      await messages.updateMany(
        { companyId, conversationId, 'letter.notBefore': { $exists: true }, 'letter.state': 'waiting' },
        { $set: { ...held, 'letter.with': _id }, $inc: { 'letter.attempts': 1 } },
      )
      const filter = { companyId, conversationId, 'letter.state': 'sending' as const }
      const together = { $or: [{ _id }, { 'letter.with': _id }] }
      return (await messages
        .find({ ...filter, 'letter.notBefore': until, ...together }, { sort: { seq: 1 } })
        .toArray()) as LetterDocument[]
    },

    end,

    /** They were certainly not sent. `uncounted`: it was not even tried. */
    putBack: async (ids: readonly string[], notBefore: Date, { uncounted = false } = {}): Promise<void> => {
      await messages.updateMany(
        { _id: { $in: [...ids] }, 'letter.state': 'sending' },
        {
          $set: { 'letter.state': 'waiting', 'letter.notBefore': notBefore },
          $unset: { 'letter.with': '' },
          ...(uncounted ? { $inc: { 'letter.attempts': -1 } } : {}),
        },
      )
    },

    /**
     * The mail that this message named came back undelivered. Its messages; none where there is no such mail. It may be back before
     * it was written down that it went out: what it is then stays.
     */
    cameBack: async (companyId: string, headId: string, detail: string): Promise<MessageDocument[]> => {
      const mail = { companyId, $or: [{ _id: headId }, { 'letter.with': headId }] }
      const found = await messages
        .find({ ...mail, 'letter.state': { $in: ['sending', 'sent', 'uncertain'] } })
        .toArray()
      const change = {
        'letter.state': 'refused' as const,
        'letter.reason': 'came_back' as const,
        'letter.detail': detail,
      }
      const ids = found.map(({ _id }) => _id)
      await messages.updateMany({ _id: { $in: ids } }, { $set: change, $unset: { 'letter.notBefore': '' } })
      return found
    },
  }
}

export type LetterStore = ReturnType<typeof makeLetterStore>
