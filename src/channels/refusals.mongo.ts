import type { Origin } from '../conversations/message.js'
import { isDuplicateKey, type CollectionSchema, type Db } from '../platform/mongo.js'
import type { Health } from './channel.js'

/**
 * When a channel was refused, and who was told. An episode begins with the refusal and ends when the channel has worked for an
 * hour without another one: what comes and goes is told once, and so is what lasts over restarts.
 */
export type Refusal = Origin & {
  since: Date
  code: string
  /** Who has been told already. */
  done: string[]
}

type RefusalDocument = {
  _id: string
  companyId: string
  since: Date
  code: string
  /** It works again since then; another refusal within the hour goes on with the episode. */
  wellSince?: Date
  /** While somebody is still to be told: when that is tried next. */
  notBefore?: Date
  done: string[]
}

export const refusalSchemas: CollectionSchema[] = [
  {
    collection: 'channel_refusals',
    indexes: [
      { key: { notBefore: 1 }, name: 'mail_due', partialFilterExpression: { notBefore: { $exists: true } } },
      { key: { companyId: 1 }, name: 'of_company' },
    ],
  },
]

const STEADY_AFTER_MS = 60 * 60 * 1000

const WELL: readonly Health['state'][] = ['connected', 'limited', 'attention']

export const makeRefusals = ({ db }: { db: Db }) => {
  const refusals = db.collection<RefusalDocument>('channel_refusals')

  const begin = async ({ companyId, channelId }: Origin, code: string, now: Date): Promise<void> => {
    const episode = { since: now, code, notBefore: now, done: [] }
    try {
      await refusals.insertOne({ _id: channelId, companyId, ...episode })
    } catch (error) {
      if (!isDuplicateKey(error)) throw error
      const own = { _id: channelId, companyId }
      const over = { ...own, wellSince: { $lte: new Date(now.getTime() - STEADY_AFTER_MS) } }
      const { matchedCount } = await refusals.updateOne(over, { $set: episode, $unset: { wellSince: '' } })
      if (matchedCount === 0) await refusals.updateOne(own, { $unset: { wellSince: '' } })
    }
  }

  const write = async (origin: Origin, { state, code }: Health, now: Date): Promise<void> => {
    if (state === 'refused') return begin(origin, code ?? state, now)
    if (!WELL.includes(state)) return
    const { companyId, channelId } = origin
    const unwell = { _id: channelId, companyId, wellSince: { $exists: false } }
    await refusals.updateOne(unwell, { $set: { wellSince: now } })
  }

  // One after the other: what comes and goes within a moment is written in its order.
  let written = Promise.resolve()

  return {
    /** How a channel is from now on. Any number of processes may say the same. */
    note: (origin: Origin, health: Health, now: Date): Promise<void> => {
      written = written.catch(() => {}).then(() => write(origin, health, now))
      return written
    },

    /** Takes the oldest that somebody is to be told about, for as long as `until`; `null`: there is none. */
    claim: async (now: Date, until: Date): Promise<Refusal | null> => {
      const found = await refusals.findOneAndUpdate(
        { notBefore: { $lte: now, $exists: true } },
        { $set: { notBefore: until } },
        { sort: { notBefore: 1 }, returnDocument: 'after' },
      )
      if (!found) return null
      const { _id: channelId, companyId, since, code, wellSince, done } = found
      if (!wellSince) return { companyId, channelId, since, code, done }
      // Over before all were told. Where nobody was, it begins anew if it comes back.
      const over = { _id: channelId, companyId, since, wellSince }
      if (done.length === 0) await refusals.deleteOne(over)
      else await refusals.updateOne(over, { $unset: { notBefore: '' } })
      return null
    },

    told: async ({ companyId, channelId, since }: Refusal, personId: string): Promise<void> => {
      await refusals.updateOne({ _id: channelId, companyId, since }, { $addToSet: { done: personId } })
    },

    /** Nobody is left to be told of this episode. */
    end: async ({ companyId, channelId, since }: Refusal): Promise<void> => {
      await refusals.updateOne({ _id: channelId, companyId, since }, { $unset: { notBefore: '' } })
    },

    forget: async (companyId: string, channelId: string): Promise<void> => {
      await refusals.deleteOne({ _id: channelId, companyId })
    },
  }
}

export type Refusals = ReturnType<typeof makeRefusals>
