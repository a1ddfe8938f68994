import {
  MongoClient,
  MongoClientClosedError,
  MongoError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  type ClientSession,
  type Collection,
  type Db,
  type Document,
  type IndexDescription,
  type SearchIndexDescription,
} from 'mongodb'
import { AppError } from './errors.js'

export type { ClientSession as Session, Collection, Db, Document, Filter } from 'mongodb'

export type Mongo = { client: MongoClient; db: Db }

/** Longest wait for a server, a socket or an answer, in milliseconds: no call to the store waits without an end. */
const SERVER_SELECTION_MS = 5_000
const OPERATION_MS = 15_000

export const connectMongo = async (uri: string, database: string): Promise<Mongo> => {
  const client = new MongoClient(uri, {
    appName: 'helpdesk',
    serverSelectionTimeoutMS: SERVER_SELECTION_MS,
    socketTimeoutMS: OPERATION_MS,
    waitQueueTimeoutMS: OPERATION_MS,
    maxPoolSize: 50,
    writeConcern: { w: 'majority', journal: true },
    ignoreUndefined: true,
  })
  try {
    await client.connect()
  } catch (cause) {
    await client.close()
    throw new AppError(
      'unavailable',
      'store_unreachable',
      `MongoDB did not answer within ${SERVER_SELECTION_MS / 1000} s.`,
      { cause },
    )
  }
  return { client, db: client.db(database) }
}

/** What a store needs to exist before it is used, declared beside the store. Ensuring is safe to repeat and to race. */
export type CollectionSchema = {
  collection: string
  indexes?: IndexDescription[]
  searchIndexes?: (SearchIndexDescription & { name: string })[]
}

export const ensureSchema = async (db: Db, schemas: readonly CollectionSchema[]): Promise<void> => {
  for (const { collection, indexes = [], searchIndexes = [] } of schemas) {
    const target = db.collection(collection)
    if (indexes.length > 0) await target.createIndexes(indexes)
    for (const index of searchIndexes) await ensureSearchIndex(target, index)
  }
}

/** MongoDB builds a search index behind the answer; until it is queryable every search would find nothing, silently. */
const SEARCH_READY_WITHIN_MS = 60_000
const SEARCH_LOOK_EVERY_MS = 250

const ensureSearchIndex = async (
  target: Collection,
  index: SearchIndexDescription & { name: string },
): Promise<void> => {
  const look = async () => {
    const [found] = await target.listSearchIndexes(index.name).toArray()
    return found as { queryable?: boolean } | undefined
  }
  let found = await look()
  if (!found) await target.createSearchIndex(index)
  for (let waitedMs = 0; !found?.queryable; waitedMs += SEARCH_LOOK_EVERY_MS) {
    if (waitedMs > SEARCH_READY_WITHIN_MS) {
      throw new AppError('unavailable', 'search_not_ready', `The search index ${index.name} was not ready in time.`)
    }
    found = await look()
    if (!found?.queryable) await new Promise((resolve) => setTimeout(resolve, SEARCH_LOOK_EVERY_MS))
  }
}

/** One transaction with snapshot reads and majority commit; the driver repeats it on a write conflict. */
export const inTransaction = <T>(client: MongoClient, work: (session: ClientSession) => Promise<T>): Promise<T> =>
  client.withSession((session) =>
    session.withTransaction(work, {
      readConcern: { level: 'snapshot' },
      writeConcern: { w: 'majority', journal: true },
    }),
  )

/** How much the embedded store holds of what it is made for. A MongoDB has no such thing. */
type Capacity = { documents: number; bytes: number; fullPercent: number; longScans: number }

/** From here on it says so: there is time to move, and reason to. */
export const NEARLY_FULL_PERCENT = 70

export const readCapacity = async ({ client }: Mongo): Promise<Capacity> => {
  const status = await client.db('admin').command({ serverStatus: 1 })
  return status.embeddedStore as Capacity
}

const DUPLICATE_KEY = 11_000

/** True when a write lost against a unique index; `index` narrows it to one of them. */
export const isDuplicateKey = (error: unknown, index?: string): boolean =>
  error instanceof MongoServerError &&
  error.code === DUPLICATE_KEY &&
  (index === undefined || error.message.includes(index))

/** True when the store was away or did not say how a write ended: no fault of what was written. */
export const isOutage = (error: unknown): boolean =>
  error instanceof MongoError &&
  (OUTAGES.some((kind) => error instanceof kind) ||
    error.hasErrorLabel('UnknownTransactionCommitResult') ||
    error.hasErrorLabel('TransientTransactionError'))

const OUTAGES = [
  MongoNetworkError,
  MongoServerSelectionError,
  MongoNotConnectedError,
  MongoTopologyClosedError,
  MongoClientClosedError,
]

/** `_id` in the database is `id` everywhere else. */
export const withId = <T extends Document & { _id: string }>({ _id, ...rest }: T): Omit<T, '_id'> & { id: string } => ({
  id: _id,
  ...rest,
})
