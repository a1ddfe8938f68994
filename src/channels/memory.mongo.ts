import { inTransaction, type CollectionSchema, type Mongo } from '../platform/mongo.js'

/** What a channel has to remember over a restart: cursors, counters. Small, and one company's. */

type MemoryDocument = { _id: string; companyId: string; channelId: string; value: unknown }

export const memorySchemas: CollectionSchema[] = [
  { collection: 'channel_memory', indexes: [{ key: { companyId: 1, channelId: 1 }, name: 'of_channel' }] },
]

export type Memory = {
  /** `null` where nothing was set. */
  get<T>(key: string): Promise<T | null>
  /** Resolves when it is durable. */
  set(key: string, value: unknown): Promise<void>
  /** All of it or, whatever happens, nothing; `null` removes a key. */
  setMany(entries: readonly { key: string; value: unknown }[]): Promise<void>
  remove(key: string): Promise<void>
  /** All keys that begin so, at most a thousand, in their order. */
  list<T>(prefix: string): Promise<{ key: string; value: T }[]>
}

const MOST_LISTED = 1_000

export const makeMemories = ({ client, db }: Mongo) => {
  const memories = db.collection<MemoryDocument>('channel_memory')
  return {
    of: ({ companyId, id: channelId }: { companyId: string; id: string }): Memory => ({
      get: async <T>(key: string) =>
        ((await memories.findOne({ _id: `${channelId}/${key}`, companyId }))?.value ?? null) as T | null,
      set: async (key, value) => {
        const _id = `${channelId}/${key}`
        await memories.updateOne({ _id, companyId }, { $set: { channelId, value } }, { upsert: true })
      },
      setMany: async (entries) => {
        if (entries.length === 0) return
        const writes = entries.map(({ key, value }) => {
          const filter = { _id: `${channelId}/${key}`, companyId }
          if (value === null) return { deleteOne: { filter } }
          return { updateOne: { filter, update: { $set: { channelId, value } }, upsert: true } }
        })
        await inTransaction(client, (session) => memories.bulkWrite(writes, { session }))
      },
      remove: async (key) => {
        await memories.deleteOne({ _id: `${channelId}/${key}`, companyId })
      },
      list: async <T>(prefix: string) => {
        const from = `${channelId}/${prefix}`
        const found = memories.find({ companyId, _id: { $gte: from, $lt: `${from}\uffff` } }, { sort: { _id: 1 } })
        const some = await found.limit(MOST_LISTED).toArray()
        return some.map(({ _id, value }) => ({ key: _id.slice(channelId.length + 1), value: value as T }))
      },
    }),
    forget: async (companyId: string, channelId: string): Promise<void> => {
      await memories.deleteMany({ companyId, channelId })
    },
  }
}
